//! Block types and the fields of the blocks that hold packets.

use crate::record::{u16_at, u32_at};

/// Section Header Block; reads the same in both byte orders.
pub(crate) const SECTION_HEADER: u32 = 0x0a0d_0d0a;
pub(super) const INTERFACE: u32 = 1;
pub(super) const OBSOLETE_PACKET: u32 = 2;
pub(super) const SIMPLE_PACKET: u32 = 3;
pub(super) const ENHANCED_PACKET: u32 = 6;
pub(super) const JOURNAL: u32 = 9;
pub(super) const CUSTOM: u32 = 0xbad;
pub(super) const CUSTOM_NOT_COPIED: u32 = 0x4000_0bad;

/// The byte-order mark of a section header.
pub(super) const BYTE_ORDER: u32 = 0x1a2b_3c4d;

/// Smallest block: type, length, length again.
pub(super) const MIN_BLOCK: u32 = 12;

/// Largest block that is believed, as libpcap has it.
pub(super) const MAX_BLOCK: u32 = 16 << 20;

/// Largest block that is looked into: the largest packet and room for options.
pub(super) const MAX_READ: u32 = 512 << 10;

/// Whether a block can have this total length.
pub(super) fn sane_length(len: u32) -> bool {
    (MIN_BLOCK..=MAX_BLOCK).contains(&len) && len.is_multiple_of(4)
}

/// The byte order of the section that begins at `at`; `None` when the mark is wrong or not there.
pub(crate) fn section_order(bytes: &[u8], at: usize) -> Option<bool> {
    if at.checked_add(12)? > bytes.len() {
        return None;
    }
    match (u32_at::<true>(bytes, at + 8), u32_at::<false>(bytes, at + 8)) {
        (BYTE_ORDER, _) => Some(true),
        (_, BYTE_ORDER) => Some(false),
        _ => None,
    }
}

/// The packet in a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PacketFields {
    pub(super) interface: u32,
    /// In units of the interface; `None` in simple packet blocks.
    pub(super) ticks: Option<u64>,
    /// `None` where the snapshot length of the interface decides.
    pub(super) captured: Option<u32>,
    pub(super) original: u32,
    /// Where the captured bytes begin, from the start of the block.
    pub(super) data: usize,
}

/// Reads the fields of a packet block; `None` when it is too short for them.
#[inline(always)]
pub(super) fn packet<const BIG: bool>(kind: u32, block: &[u8]) -> Option<PacketFields> {
    if kind == SIMPLE_PACKET {
        let original = u32_at::<BIG>(block.first_chunk::<16>()?, 8);
        return Some(PacketFields { interface: 0, ticks: None, captured: None, original, data: 12 });
    }
    let fields = block.first_chunk::<32>()?;
    let interface =
        if kind == OBSOLETE_PACKET { u32::from(u16_at::<BIG>(fields, 8)) } else { u32_at::<BIG>(fields, 8) };
    let ticks = u64::from(u32_at::<BIG>(fields, 12)) << 32 | u64::from(u32_at::<BIG>(fields, 16));
    Some(PacketFields {
        interface,
        ticks: Some(ticks),
        captured: Some(u32_at::<BIG>(fields, 20)),
        original: u32_at::<BIG>(fields, 24),
        data: 28,
    })
}

/// The options in `bytes`, as (code, value); ends at the end mark or at the first that does not fit.
pub(super) fn options<const BIG: bool>(mut bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let code = u16_at::<BIG>(bytes.get(..4)?, 0);
        let len = usize::from(u16_at::<BIG>(bytes, 2));
        let value = bytes.get(4..4 + len)?;
        bytes = bytes.get(4 + len.next_multiple_of(4)..).unwrap_or_default();
        (code != 0).then_some((code, value))
    })
}

/// FCS length in bytes from the flags option of a packet (code 2, bits 5 to 8), if it says one.
pub(super) fn fcs_in_flags<const BIG: bool>(option_bytes: &[u8]) -> Option<u32> {
    let flags = options::<BIG>(option_bytes).find(|(code, value)| *code == 2 && value.len() == 4)?;
    let fcs = (u32_at::<BIG>(flags.1, 0) >> 5) & 0xf;
    (fcs > 0).then_some(fcs)
}
