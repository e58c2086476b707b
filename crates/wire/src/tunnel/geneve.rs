//! Geneve (RFC 8926).

use crate::bytes::{be16, u8_at};
use crate::dissect::{Next, Step};

const HEADER_LEN: usize = 8;

/// Reads the header at `at`; nothing when it is not version 0.
pub(crate) fn enter(frame: &[u8], at: usize, wire_end: usize) -> Option<Step> {
    let first = u8_at(frame, at)?;
    if first >> 6 != 0 {
        return None;
    }
    let options = usize::from(first & 0x3f) * 4;
    Some(Step::new(Next::EtherType(be16(frame, at + 2)?), at + HEADER_LEN + options, wire_end))
}
