//! Ethernet II and IEEE 802.3 frames with any number of VLAN tags (IEEE 802.1Q).

use super::ether_type as types;
use crate::Full;
use crate::bytes::{Writer, be16};
use crate::dissect::{Next, Step};

/// Bytes of a header without tags.
pub const HEADER_LEN: usize = 14;

/// The EtherType (or length) of a frame and where its payload begins.
#[inline]
pub(crate) fn ether_type(frame: &[u8]) -> Option<(u16, usize)> {
    let head = frame.first_chunk::<HEADER_LEN>()?;
    Some((u16::from_be_bytes([head[12], head[13]]), HEADER_LEN))
}

/// Reads the frame at `at`.
pub(crate) fn enter(frame: &[u8], at: usize, wire_end: usize) -> Step {
    match be16(frame, at + 12) {
        Some(number) => Step::new(Next::EtherType(number), at + HEADER_LEN, wire_end),
        None => Step::cut("ethernet", at),
    }
}

/// A VLAN tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag {
    /// Tag protocol: 0x8100, 0x88a8 or another of [`super::ether_type`].
    pub protocol: u16,
    /// Priority (3 bits), drop eligible (1) and VLAN id (12).
    pub control: u16,
}

impl Tag {
    /// An IEEE 802.1Q tag of this VLAN id.
    pub const fn vlan(id: u16) -> Self {
        Self { protocol: types::VLAN, control: id & 0x0fff }
    }
}

/// An Ethernet header to build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header<'a> {
    /// Destination address.
    pub dst: [u8; 6],
    /// Source address.
    pub src: [u8; 6],
    /// VLAN tags, outermost first.
    pub tags: &'a [Tag],
    /// EtherType of the payload.
    pub ether_type: u16,
}

impl Header<'_> {
    /// Writes the header and returns its length.
    pub fn emit(&self, out: &mut [u8]) -> Result<usize, Full> {
        let mut w = Writer::new(out);
        w.put(&self.dst).put(&self.src);
        for tag in self.tags {
            w.u16(tag.protocol).u16(tag.control);
        }
        w.u16(self.ether_type).finish()
    }
}
