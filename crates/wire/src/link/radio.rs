//! What capture drivers put before a Wi-Fi frame: radiotap, Prism, AVS, and per-packet information.

use super::{LinkType, wifi};
use crate::bytes::{be32, le16, le32, u8_at};
use crate::dissect::{Next, Step};

const PRESENT_TSFT: u32 = 1 << 0;
const PRESENT_FLAGS: u32 = 1 << 1;
const PRESENT_MORE: u32 = 1 << 31;
const FLAG_FCS: u8 = 0x10;
const FLAG_PADDED: u8 = 0x20;
const FCS: usize = 4;

/// Radiotap: length, and of all its fields only the flags (<https://www.radiotap.org>).
pub(crate) fn enter_radiotap(frame: &[u8], at: usize, wire_end: usize) -> Step {
    let (Some(len), Some(present)) = (le16(frame, at + 2), le32(frame, at + 4)) else {
        return Step::cut("radiotap", at);
    };
    let len = usize::from(len);
    if len < 8 {
        return Step::bad("radiotap", at, "length below 8");
    }
    let flags = if present & PRESENT_FLAGS != 0 { flags_at(frame, at, present) } else { 0 };
    let wire_end = if flags & FLAG_FCS != 0 { wire_end.saturating_sub(FCS) } else { wire_end };
    wifi::enter(frame, at + len, wire_end, flags & FLAG_PADDED != 0)
}

/// The flags follow the words of the presence bitmap and a 64-bit time, aligned to 8 bytes.
fn flags_at(frame: &[u8], at: usize, present: u32) -> u8 {
    let mut fields = 8;
    let mut word = present;
    while word & PRESENT_MORE != 0 {
        let Some(next) = le32(frame, at + fields) else { return 0 };
        word = next;
        fields += 4;
    }
    if present & PRESENT_TSFT != 0 {
        fields = fields.next_multiple_of(8) + 8;
    }
    u8_at(frame, at + fields).unwrap_or(0)
}

/// Prism: its own length, in host byte order; some drivers put an AVS header under this number.
pub(crate) fn enter_prism(frame: &[u8], at: usize, wire_end: usize) -> Step {
    if be32(frame, at).is_some_and(is_avs) {
        return enter_avs(frame, at, wire_end);
    }
    match (le32(frame, at + 4), be32(frame, at + 4)) {
        (Some(little), Some(big)) => wifi::enter(frame, at + little.min(big) as usize, wire_end, false),
        _ => Step::cut("prism", at),
    }
}

fn is_avs(magic: u32) -> bool {
    magic & 0xffff_f000 == 0x8021_1000
}

/// AVS: a magic number and its own length.
pub(crate) fn enter_avs(frame: &[u8], at: usize, wire_end: usize) -> Step {
    match (be32(frame, at), be32(frame, at + 4)) {
        (Some(magic), Some(len)) if is_avs(magic) => {
            wifi::enter(frame, at.saturating_add(len as usize), wire_end, false)
        }
        (Some(_), Some(_)) => Step::bad("avs", at, "no AVS header"),
        _ => Step::cut("avs", at),
    }
}

/// Per-packet information: its own length and the link type that follows.
pub(crate) fn enter_ppi(frame: &[u8], at: usize, wire_end: usize) -> Step {
    let (Some(len), Some(link)) = (le16(frame, at + 2), le32(frame, at + 4)) else {
        return Step::cut("ppi", at);
    };
    if len < 8 {
        return Step::bad("ppi", at, "length below 8");
    }
    match u16::try_from(link) {
        Ok(link) => Step::new(Next::Link(LinkType(link)), at + usize::from(len), wire_end),
        Err(_) => Step::bad("ppi", at, "no such link type"),
    }
}
