//! Binds network and transport.
