//! VXLAN (RFC 7348).

use crate::bytes::u8_at;
use crate::dissect::{Next, Step};

const HEADER_LEN: usize = 8;
const VNI_VALID: u8 = 0x08;

/// Reads the header at `at`; nothing without the flag that every VXLAN header has.
pub(crate) fn enter(frame: &[u8], at: usize, wire_end: usize) -> Option<Step> {
    (u8_at(frame, at)? & VNI_VALID != 0).then(|| Step::new(Next::Ethernet, at + HEADER_LEN, wire_end))
}
