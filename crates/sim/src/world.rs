//! Binds the network and the transport: the endpoint side of the engine's loop.
