//! What connections are, and how their ends behave.

use std::net::IpAddr;

use subflow_wire::keys::Version;

use crate::net::InterfaceId;
use crate::observe::End;
use crate::time::{Duration, Time};
use crate::world::Transport;

/// Which further subflows a client opens, as soon as the first one is confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum PathManager {
    /// None.
    None,
    /// Every local to every remote address of the same family, announced ones included.
    #[default]
    FullMesh,
    /// So many subflows in all between the same two addresses, on different ports.
    Ndiffports(u16),
}

/// How both ends of a connection behave.
#[derive(Clone, Debug)]
pub struct Settings {
    /// TCP, congestion control, scheduler, reinjection.
    pub transport: Transport,
    /// The version of Multipath TCP that the client asks for; `None` for plain TCP.
    pub version: Option<Version>,
    /// Whether the server knows Multipath TCP.
    pub server_knows: bool,
    /// Whether DSS checksums are asked for.
    pub checksum: bool,
    /// Which subflows the client opens.
    pub path_manager: PathManager,
    /// Whether the server announces its other addresses.
    pub announce: bool,
    /// Whether joins from the client's second interface on ask for a backup.
    pub backup: bool,
    /// SYNs with MP_CAPABLE that are not answered until the client tries without it.
    pub attempts: u8,
    /// SYNs in all, and joins, until the client gives up.
    pub most_syns: u8,
    /// How long an end waits for an answer to a SYN at first, for an echo and for a DATA_ACK of the DATA_FIN; the first doubles.
    pub patience: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            transport: Transport::default().multipath(1),
            version: Some(Version::V1),
            server_knows: true,
            checksum: false,
            path_manager: PathManager::FullMesh,
            announce: true,
            backup: false,
            attempts: 2,
            most_syns: 5,
            patience: Duration::from_secs(1),
        }
    }
}

/// Something that an end does at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// MP_PRIO on a subflow, by its number at this end.
    Prio {
        /// The subflow.
        subflow: usize,
        /// Backup, or regular again.
        backup: bool,
    },
    /// REMOVE_ADDR of a local address; its subflows are reset.
    Remove(IpAddr),
    /// ADD_ADDR of an address, perhaps one that nobody has.
    Announce(IpAddr),
    /// Resets a subflow; with version 1 with a reason in MP_TCPRST.
    Reset {
        /// The subflow.
        subflow: usize,
        /// The reason (RFC 8684, section 3.6).
        reason: u8,
    },
    /// MP_FASTCLOSE.
    FastClose,
}

/// A connection: who, when, how much.
#[derive(Clone, Debug)]
pub struct Spec {
    /// When the client sends its SYN.
    pub start: Time,
    /// The client's interfaces, the initial subflow's first.
    pub client: Vec<InterfaceId>,
    /// The server's.
    pub server: Vec<InterfaceId>,
    /// IPv6 instead of IPv4.
    pub v6: bool,
    /// The client's port on the initial subflow.
    pub client_port: u16,
    /// The server's port.
    pub server_port: u16,
    /// Bytes from client to server, and from server to client.
    pub bytes: [u64; 2],
    /// Index of its settings.
    pub class: usize,
    /// What ends do at times counted from the start.
    pub actions: Vec<(Duration, End, Action)>,
}
