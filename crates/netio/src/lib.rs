//! Raw packet sockets. The only crate that talks to the kernel directly, and the only one with `unsafe` in it.
//!
//! [`Ring`] receives: an AF_PACKET socket whose packets the kernel puts into memory that it shares with us (a TPACKET_V3
//! ring, [packet(7)]), block by block, and which it counts where they do not fit. [`Sender`] sends frames in batches, by
//! AF_PACKET or, faster, by AF_XDP in copy mode; [`RawSender`] sends IP packets to this very host. All need CAP_NET_RAW in the network
//! namespace they are opened in, and nothing else. [`Shield`], which needs nothing, keeps the kernel from answering on our ports.
//! [`mptcp`] has streams of the kernel's own Multipath TCP and what it tells of them, without any privilege.
//!
//! On systems other than Linux everything here ends in [`Error::Unsupported`].
//!
//! [packet(7)]: https://man7.org/linux/man-pages/man7/packet.7.html

#[cfg(target_os = "linux")]
mod address;
#[cfg(target_os = "linux")]
mod block;
mod error;
mod filter;
mod frame;
#[cfg(target_os = "linux")]
mod interface;
#[cfg_attr(not(target_os = "linux"), path = "mptcp_stub.rs")]
pub mod mptcp;
#[cfg(target_os = "linux")]
mod raw;
#[cfg(target_os = "linux")]
mod ring;
#[cfg(target_os = "linux")]
mod route;
#[cfg(target_os = "linux")]
mod sender;
#[cfg(target_os = "linux")]
mod shield;
#[cfg(target_os = "linux")]
mod short_turns;
#[cfg(target_os = "linux")]
mod socket;
mod stream_info;
#[cfg(not(target_os = "linux"))]
mod stub;
#[cfg(target_os = "linux")]
mod xdp;

#[cfg(target_os = "linux")]
pub use address::addresses;
#[cfg(target_os = "linux")]
pub use block::{Block, Frames};
pub use error::Error;
pub use filter::{Instruction, MAX_FILTER};
pub use frame::Frame;
#[cfg(target_os = "linux")]
pub use interface::{interface_names, is_there};
#[cfg(target_os = "linux")]
pub use raw::RawSender;
#[cfg(target_os = "linux")]
pub use ring::{Ring, wait};
#[cfg(target_os = "linux")]
pub use route::interface_towards;
#[cfg(target_os = "linux")]
pub use sender::Sender;
#[cfg(target_os = "linux")]
pub use shield::Shield;
#[cfg(target_os = "linux")]
pub use short_turns::ask_for_short_turns;
#[cfg(not(target_os = "linux"))]
pub use stub::{
    Block, Frames, RawSender, Ring, Sender, Shield, addresses, ask_for_short_turns, interface_names,
    interface_towards, is_there, wait,
};

/// The name that stands for all interfaces.
pub const ANY: &str = "any";

/// What a [`Ring`] is to receive, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Name of the interface, or [`ANY`].
    pub interface: String,
    /// Bytes of each packet to keep, from the link header on; longer packets are cut, their length stays known. A filter may keep
    /// fewer.
    pub snap_len: u32,
    /// Bytes of the ring, rounded to whole blocks.
    pub ring_bytes: usize,
    /// Whether to also receive what is addressed to other hosts.
    pub promiscuous: bool,
}

/// How the packets of a [`Ring`] begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// With the link header of the hardware of this ARPHRD number.
    Link(u16),
    /// With the network header: the kernel has taken the link header away, and tells of it what it knows.
    Cooked,
}

/// The addresses of an interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Addresses {
    /// Hardware address, when it is one of six bytes.
    pub hardware: Option<[u8; 6]>,
    /// IP addresses with the lengths of their prefixes, in the order in which the system tells them.
    pub ip: Vec<(std::net::IpAddr, u8)>,
}

/// What the kernel counted for a [`Ring`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Packets that came for it, those that it dropped included.
    pub packets: u64,
    /// Packets that it dropped because the ring was full.
    pub drops: u64,
    /// How often the ring was found full.
    pub freezes: u64,
}

/// Why no more packets may come for a [`Ring`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The interface is down; packets come again when it is up.
    Down,
    /// The interface is gone.
    Gone,
}

/// A VLAN tag that the kernel took out of a packet (IEEE 802.1Q).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vlan {
    /// EtherType of the tag: 0x8100 or 0x88a8.
    pub tpid: u16,
    /// Priority, drop eligibility and VLAN id.
    pub tci: u16,
}
