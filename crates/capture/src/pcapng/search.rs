//! Finding the next block behind damage: a known type, a possible length, and the same length at the end.

use super::block::{
    ENHANCED_PACKET, INTERFACE, MAX_READ, MIN_BLOCK, SECTION_HEADER, sane_length, section_order,
};
use crate::record::u32_at;

/// Whether there is a block at some place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Yes,
    No,
    /// It takes this many bytes from the place on to tell.
    Unclear(usize),
}

/// Whether a block that is worth reading begins at `at`.
pub(super) fn block_at<const BIG: bool>(bytes: &[u8], last: bool, at: usize) -> Verdict {
    let unclear = |need: usize| if last { Verdict::No } else { Verdict::Unclear(need) };
    if bytes.len().saturating_sub(at) < MIN_BLOCK as usize {
        return unclear(MIN_BLOCK as usize);
    }
    let len = match u32_at::<BIG>(bytes, at) {
        SECTION_HEADER => match section_order(bytes, at) {
            Some(true) => u32_at::<true>(bytes, at + 4),
            Some(false) => u32_at::<false>(bytes, at + 4),
            None => return Verdict::No,
        },
        INTERFACE..=ENHANCED_PACKET => u32_at::<BIG>(bytes, at + 4),
        _ => return Verdict::No,
    };
    if !sane_length(len) || len > MAX_READ {
        return Verdict::No;
    }
    let end = at + len as usize;
    if end > bytes.len() {
        return unclear(len as usize);
    }
    if bytes.get(at + 4..at + 8) == bytes.get(end - 4..end) { Verdict::Yes } else { Verdict::No }
}

/// Looks for a block from `from` on. `Ok` is its place; `Err` where the search goes on and with how many bytes.
pub(super) fn search<const BIG: bool>(
    bytes: &[u8],
    last: bool,
    from: usize,
) -> Result<usize, (usize, usize)> {
    let mut at = from.min(bytes.len());
    loop {
        match block_at::<BIG>(bytes, last, at) {
            Verdict::Yes => return Ok(at),
            Verdict::Unclear(need) => return Err((at, need)),
            Verdict::No if at >= bytes.len() => return Err((at, 0)),
            Verdict::No => at += 1,
        }
    }
}
