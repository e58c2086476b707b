//! Why a check cannot begin.

use std::io;
use std::net::SocketAddr;

/// Why a check, its server or a comparison of downloads cannot begin.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text names no server.
    #[error("'{text}' is no server: an address or a name, and ports if they are not {}", ports())]
    BadServer {
        /// As it was given.
        text: String,
    },
    /// The text is no address of HTTP.
    #[error("'{text}' is no URL of http or https: {reason}")]
    BadUrl {
        /// As it was given.
        text: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// The name has no address.
    #[error("'{host}' has no address{}", said(source.as_ref()))]
    NoAddress {
        /// As it was given.
        host: String,
        /// What the system says; `None` when it has none of the family that was asked for.
        source: Option<io::Error>,
    },
    /// No port was named.
    #[error("no ports given")]
    NoPorts,
    /// It was to be checked nothing, or without end.
    #[error("{what}")]
    Setting {
        /// Which, and why.
        what: &'static str,
    },
    /// A port cannot be listened at.
    #[error("cannot listen at {at}: {source}")]
    Listen {
        /// Where.
        at: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The certificates cannot be read.
    #[error("{name}: {reason}")]
    Certificates {
        /// The file, or whose they are.
        name: String,
        /// What is wrong.
        reason: String,
    },
}

fn ports() -> String {
    super::DEFAULT_PORTS.map(|port| port.to_string()).join(",")
}

fn said(source: Option<&io::Error>) -> String {
    source.map_or_else(String::new, |source| format!(": {source}"))
}
