//! Why a packet socket cannot be had.

use std::io;

/// Why a packet socket cannot be opened or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no interface of that name.
    #[error("there is no interface '{name}'")]
    NoInterface {
        /// As it was given.
        name: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// The process may not open packet sockets: it lacks CAP_NET_RAW.
    #[error("not permitted to open a packet socket")]
    NotPermitted,
    /// The interface is down, or gone.
    #[error("the interface is down")]
    Down,
    /// Somebody else has the port.
    #[error("port {port} is in use")]
    PortInUse {
        /// Its number.
        port: u16,
    },
    /// The system refused something else.
    #[error("cannot {what}: {source}")]
    System {
        /// What was asked for.
        what: &'static str,
        /// What the system says.
        source: io::Error,
    },
    /// Only Linux has these sockets.
    #[error("packet sockets exist on Linux only")]
    Unsupported,
}
