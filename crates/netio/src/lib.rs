//! Raw packet sockets. The only crate that talks to the kernel directly.
