//! Why a scan cannot begin or go on.

use std::io;
use std::path::PathBuf;

use crate::targets::BadLine;

/// Why a scan cannot begin or go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Nothing was named to be probed.
    #[error("no targets given: a scan needs an explicit list of addresses, prefixes or ranges")]
    NoTargets,
    /// Every target is blocked.
    #[error("every target is blocked by a list or is a special-purpose address")]
    AllBlocked,
    /// More targets than can be put in an order.
    #[error("too many targets: more than 2^62 addresses and ports")]
    TooManyTargets,
    /// No port was named.
    #[error("no ports given")]
    NoPorts,
    /// The text is no list of ports.
    #[error("'{text}' is no list of ports from 1 to 65535")]
    BadPorts {
        /// As it was given.
        text: String,
    },
    /// The name is none of a kind of probe.
    #[error("'{name}' is no kind of probe: v1, v0, both, plain or join")]
    NoSuchKind {
        /// As it was given.
        name: String,
    },
    /// Nothing is to be asked.
    #[error("no kind of probe given")]
    NoKinds,
    /// The number of the shard is not below the number of shards.
    #[error("there is no shard {shard} of {shards}")]
    NoSuchShard {
        /// Asked for.
        shard: u64,
        /// How many there are.
        shards: u64,
    },
    /// A list cannot be read.
    #[error("{}: {source}", path.display())]
    List {
        /// As it was given.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A line of a list cannot be read.
    #[error(transparent)]
    BadLine(#[from] BadLine),
    /// Public addresses need an acknowledgement.
    #[error(
        "{targets} targets are public addresses: their owners have to be considered, so say that they are (acknowledge)"
    )]
    NotAcknowledged {
        /// Targets in this shard.
        targets: u64,
    },
    /// A setting makes no sense.
    #[error("{what}")]
    Setting {
        /// Which, and why.
        what: &'static str,
    },
    /// No route leads to a target.
    #[error("no route to {target}: name an interface")]
    NoRoute {
        /// The first one.
        target: String,
    },
    /// The interface has no address of a family that is to be probed.
    #[error("interface '{interface}' has no {family} address to probe from")]
    NoSource {
        /// Its name.
        interface: String,
        /// `IPv4` or `IPv6`.
        family: &'static str,
    },
    /// The interface is not one that frames with hardware addresses leave from.
    #[error("interface '{interface}' is no Ethernet interface")]
    NotEthernet {
        /// Its name.
        interface: String,
    },
    /// The gateway does not answer.
    #[error("{gateway} does not say its hardware address on '{interface}': name it by hand")]
    NoGateway {
        /// The gateway, or the target itself.
        gateway: std::net::IpAddr,
        /// The interface.
        interface: String,
    },
    /// The state of another campaign, or no state at all.
    #[error("{}: {reason}", path.display())]
    State {
        /// As it was given.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// What was found cannot be written.
    #[error("rows cannot be written: {source}")]
    Rows {
        /// What the system says.
        source: io::Error,
    },
    /// The packet sockets.
    #[error(transparent)]
    Net(#[from] subflow_netio::Error),
    /// The capture.
    #[error(transparent)]
    Capture(#[from] subflow_capture::Error),
}
