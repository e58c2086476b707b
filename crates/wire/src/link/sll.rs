//! Linux cooked captures, versions 1 and 2, as `-i any` records them.

use super::{LinkType, ether_type};
use crate::Full;
use crate::bytes::{Writer, be16};
use crate::dissect::{Next, Step};

/// Bytes of a version 1 header.
pub const HEADER_LEN: usize = 16;
/// Bytes of a version 2 header.
pub const HEADER_LEN2: usize = 20;

const ARPHRD_FRELAY: u16 = 770;
const ARPHRD_IPGRE: u16 = 778;
const ARPHRD_IEEE80211: u16 = 801;
const ARPHRD_RADIOTAP: u16 = 803;
const ARPHRD_NETLINK: u16 = 824;
const ETH_P_802_2: u16 = 0x0004;

/// The EtherType of a version 1 frame and where its payload begins, for hardware where it is one.
#[inline]
pub(crate) fn ether_type(frame: &[u8]) -> Option<(u16, usize)> {
    let head = frame.first_chunk::<HEADER_LEN>()?;
    let hardware = u16::from_be_bytes([head[2], head[3]]);
    is_plain(hardware).then_some((u16::from_be_bytes([head[14], head[15]]), HEADER_LEN))
}

/// The EtherType of a version 2 frame and where its payload begins, for hardware where it is one.
#[inline]
pub(crate) fn ether_type2(frame: &[u8]) -> Option<(u16, usize)> {
    let head = frame.first_chunk::<HEADER_LEN2>()?;
    let hardware = u16::from_be_bytes([head[8], head[9]]);
    is_plain(hardware).then_some((u16::from_be_bytes([head[0], head[1]]), HEADER_LEN2))
}

#[inline]
fn is_plain(hardware: u16) -> bool {
    !matches!(hardware, ARPHRD_FRELAY | ARPHRD_IPGRE | ARPHRD_IEEE80211 | ARPHRD_RADIOTAP | ARPHRD_NETLINK)
}

/// Reads the version 1 header at `at`.
pub(crate) fn enter(frame: &[u8], at: usize, wire_end: usize) -> Step {
    match (be16(frame, at + 2), be16(frame, at + 14)) {
        (Some(hardware), Some(protocol)) => follow(hardware, protocol, at + HEADER_LEN, wire_end),
        _ => Step::cut("sll", at),
    }
}

/// Reads the version 2 header at `at`.
pub(crate) fn enter2(frame: &[u8], at: usize, wire_end: usize) -> Step {
    if frame.len() < at + HEADER_LEN2 {
        return Step::cut("sll2", at);
    }
    match (be16(frame, at + 8), be16(frame, at)) {
        (Some(hardware), Some(protocol)) => follow(hardware, protocol, at + HEADER_LEN2, wire_end),
        _ => Step::cut("sll2", at),
    }
}

fn follow(hardware: u16, protocol: u16, at: usize, wire_end: usize) -> Step {
    let next = match (hardware, protocol) {
        (ARPHRD_NETLINK, _) => Next::NotIp,
        (ARPHRD_IEEE80211, _) => Next::Link(LinkType::IEEE802_11),
        (ARPHRD_RADIOTAP, _) => Next::Link(LinkType::IEEE802_11_RADIOTAP),
        (ARPHRD_FRELAY, _) => Next::Link(LinkType::FRELAY),
        // GRE interfaces hold GRE's protocol, which is an EtherType where it matters.
        (ARPHRD_IPGRE, _) => Next::EtherType(protocol),
        (_, ETH_P_802_2) => Next::Llc,
        (_, small) if small < ether_type::MIN_ETHER_TYPE => Next::NotIp,
        (_, number) => Next::EtherType(number),
    };
    Step::new(next, at, wire_end)
}

/// A version 1 header to build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// 0 to us, 1 broadcast, 2 multicast, 3 to somebody else, 4 sent by us.
    pub packet_type: u16,
    /// Hardware type, ARPHRD number.
    pub hardware: u16,
    /// Sender's address and how many of its bytes count.
    pub address: ([u8; 8], u16),
    /// EtherType of the payload.
    pub ether_type: u16,
}

impl Header {
    /// Writes the header and returns its length.
    pub fn emit(&self, out: &mut [u8]) -> Result<usize, Full> {
        let mut w = Writer::new(out);
        w.u16(self.packet_type).u16(self.hardware).u16(self.address.1).put(&self.address.0);
        w.u16(self.ether_type).finish()
    }
}

/// A version 2 header to build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header2 {
    /// EtherType of the payload.
    pub ether_type: u16,
    /// Number of the interface.
    pub interface: u32,
    /// Hardware type, ARPHRD number.
    pub hardware: u16,
    /// 0 to us, 1 broadcast, 2 multicast, 3 to somebody else, 4 sent by us.
    pub packet_type: u8,
    /// Sender's address and how many of its bytes count.
    pub address: ([u8; 8], u8),
}

impl Header2 {
    /// Writes the header and returns its length.
    pub fn emit(&self, out: &mut [u8]) -> Result<usize, Full> {
        let mut w = Writer::new(out);
        w.u16(self.ether_type).u16(0).u32(self.interface).u16(self.hardware);
        w.u8(self.packet_type).u8(self.address.1).put(&self.address.0).finish()
    }
}
