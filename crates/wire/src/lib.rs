//! Bytes to typed headers and back: link layers, IPv4 and IPv6, TCP, ICMP and every option of Multipath TCP
//! in version 0 (RFC 6824) and version 1 (RFC 8684).
//!
//! Views borrow the captured bytes, builders write into a caller's buffer. Nothing here does I/O, allocates
//! or panics, whatever the bytes.
//!
//! ```
//! use subflow_wire::{dissect, Dissection, LinkType, tcp::{Tcp, TcpOption}, mptcp::Mptcp};
//!
//! let frame = [
//!     0x45, 0, 0, 44, 0, 0, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, // IPv4
//!     0x30, 0x39, 0, 80, 0, 0, 0, 1, 0, 0, 0, 0, 0x60, 0x02, 0xff, 0xff, 0, 0, 0, 0, // TCP SYN
//!     30, 4, 0x01, 0x81, // MP_CAPABLE, version 1
//! ];
//! let Dissection::Ip(ip) = dissect(LinkType::RAW, &frame, 44) else { panic!("not IP") };
//! let tcp = Tcp::parse(ip.payload).unwrap();
//! assert!(tcp.flags().syn());
//! let option = tcp.options().next();
//! assert!(matches!(option, Some(TcpOption::Mptcp(Mptcp::Capable(c))) if c.version == 1));
//! ```

mod bytes;
pub mod checksum;
mod dissect;
mod full;
pub mod icmp;
pub mod ip;
pub mod keys;
pub mod link;
pub mod mptcp;
pub mod tcp;
pub mod tunnel;
pub mod udp;

pub use dissect::{Dissection, Layer, Malformed, dissect, dissect_layers};
pub use full::Full;
pub use ip::{Fragment, IpPacket};
pub use keys::Key;
pub use link::LinkType;
