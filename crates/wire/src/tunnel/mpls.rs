//! MPLS label stacks (RFC 3032) and Ethernet pseudowires (RFC 4448).

use crate::bytes::{be32, u8_at};
use crate::dissect::{Next, Step};

const BOTTOM_OF_STACK: u32 = 0x0100;
const CONTROL_WORD: usize = 4;
const MAX_LABELS: usize = 32;

/// Skips the labels at `at`. What follows has no number of its own: a nibble of 4 or 6 is IP, 0 the control
/// word of a pseudowire.
pub(crate) fn enter(frame: &[u8], at: usize, wire_end: usize) -> Step {
    let mut inside = at;
    for _ in 0..MAX_LABELS {
        let Some(label) = be32(frame, inside) else { return Step::cut("mpls", at) };
        inside += 4;
        if label & BOTTOM_OF_STACK == 0 {
            continue;
        }
        return match u8_at(frame, inside).map(|b| b >> 4) {
            Some(4 | 6) => Step::new(Next::Ip, inside, wire_end),
            Some(0) => Step::new(Next::Ethernet, inside + CONTROL_WORD, wire_end),
            Some(_) => Step::not_ip(at),
            None => Step::cut("mpls", at),
        };
    }
    Step::bad("mpls", at, "label stack without a bottom")
}
