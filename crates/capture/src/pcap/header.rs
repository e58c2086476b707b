//! The file header.

use crate::record::{u16_at, u32_at};

/// Length of the file header in bytes.
pub(crate) const HEADER_LEN: usize = 24;

/// What the file header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) big_endian: bool,
    /// Nanoseconds per unit of the fraction field: 1 or 1000.
    pub(crate) unit: u32,
    /// Length of a record header.
    pub(crate) record_header: usize,
    /// LINKTYPE_ number.
    pub(crate) link: u16,
    /// Bytes of frame check sequence at the end of each frame on the wire.
    pub(crate) fcs: u32,
}

impl Header {
    /// Reads the header; `None` when the magic number is none of pcap or bytes are missing.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Header> {
        let (big_endian, unit, record_header) = magic(*bytes.first_chunk::<4>()?)?;
        let bytes = bytes.first_chunk::<HEADER_LEN>()?;
        // The bits above the link type: the length of the FCS in units of two bytes, valid with bit 26.
        let (link, word) = if big_endian {
            (u16_at::<true>(bytes, 22), u32_at::<true>(bytes, 20))
        } else {
            (u16_at::<false>(bytes, 20), u32_at::<false>(bytes, 20))
        };
        let fcs = if word & 0x0400_0000 != 0 { (word >> 28) * 2 } else { 0 };
        Some(Header { big_endian, unit, record_header, link, fcs })
    }
}

/// Byte order, nanoseconds per unit, and length of the record headers that a magic number stands for.
pub(crate) fn magic(bytes: [u8; 4]) -> Option<(bool, u32, usize)> {
    let kind = |number| match number {
        0xa1b2_c3d4_u32 => Some((1000, 16)),
        0xa1b2_3c4d => Some((1, 16)),
        0xa1b2_cd34 => Some((1000, 24)),
        _ => None,
    };
    let found = |big, (unit, record_header)| (big, unit, record_header);
    kind(u32::from_le_bytes(bytes))
        .map(|kind| found(false, kind))
        .or_else(|| kind(u32::from_be_bytes(bytes)).map(|kind| found(true, kind)))
}
