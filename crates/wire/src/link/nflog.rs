//! Linux netfilter log: attributes, one of which is the packet.

use crate::bytes::array_at;
use crate::dissect::{Next, Step};

const PAYLOAD: u16 = 9;

/// Finds the payload among the attributes. Their header is in host byte order; a length that is
/// absurd in one order is read in the other.
pub(crate) fn enter(frame: &[u8], at: usize, wire_end: usize) -> Step {
    let mut at = at + 4;
    while let (Some(len), Some(kind)) = (array_at::<2>(frame, at), array_at::<2>(frame, at + 2)) {
        let little = (usize::from(u16::from_le_bytes(len)), u16::from_le_bytes(kind) & 0x7fff);
        let big = (usize::from(u16::from_be_bytes(len)), u16::from_be_bytes(kind) & 0x7fff);
        // Attribute numbers are small, so the right order is the one that makes this one small.
        let (len, kind) = if little.1 <= big.1 { little } else { big };
        if len < 4 {
            return Step::bad("nflog", at, "attribute length below 4");
        }
        if kind == PAYLOAD {
            return Step::new(Next::Ip, at + 4, wire_end.min(at.saturating_add(len)));
        }
        at += len.next_multiple_of(4);
    }
    Step::not_ip(at)
}
