//! PPP over Ethernet, session stage (RFC 2516).

use crate::bytes::{array_at, be16};
use crate::dissect::{Next, Step};

const HEADER_LEN: usize = 6;
const VERSION_AND_TYPE: u8 = 0x11;
const SESSION: u8 = 0;

/// Reads the header at `at`.
pub(crate) fn enter(frame: &[u8], at: usize, wire_end: usize) -> Step {
    let (Some([version, code]), Some(len)) = (array_at::<2>(frame, at), be16(frame, at + 4)) else {
        return Step::cut("pppoe", at);
    };
    if version != VERSION_AND_TYPE {
        return Step::bad("pppoe", at, "version or type is not 1");
    }
    if code != SESSION {
        return Step::not_ip(at);
    }
    let inside = at + HEADER_LEN;
    // A length of 0 is what segmentation offload leaves.
    let end = if len == 0 { wire_end } else { wire_end.min(inside + usize::from(len)) };
    Step::new(Next::Ppp, inside, end)
}
