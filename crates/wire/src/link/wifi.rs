//! Wi-Fi data frames (IEEE 802.11, section 9.3.2).

use crate::bytes::{array_at, le16};
use crate::dissect::{Next, Step};

const TO_AND_FROM_DS: u8 = 0x03;
const MORE_FRAGMENTS: u8 = 0x04;
const PROTECTED: u8 = 0x40;
const ORDER: u8 = 0x80;
const NO_DATA: u8 = 0x40;
const QOS: u8 = 0x80;
const AGGREGATE: u16 = 0x0080;

/// Reads the frame at `at`; `padded` when the header is followed by padding to whole words.
pub(crate) fn enter(frame: &[u8], at: usize, wire_end: usize, padded: bool) -> Step {
    let Some([kind, flags]) = array_at::<2>(frame, at) else { return Step::cut("wifi", at) };
    let is_data = kind & 0x0c == 0x08 && kind & NO_DATA == 0;
    if !is_data || flags & PROTECTED != 0 {
        return Step::not_ip(at);
    }
    let Some(sequence) = le16(frame, at + 22) else { return Step::cut("wifi", at) };
    // Fragments are not put together.
    if sequence & 0x000f != 0 || flags & MORE_FRAGMENTS != 0 {
        return Step::not_ip(at);
    }
    let mut header = 24;
    if flags & TO_AND_FROM_DS == TO_AND_FROM_DS {
        header += 6;
    }
    let mut aggregate = false;
    if kind & QOS != 0 {
        let Some(control) = le16(frame, at + header) else { return Step::cut("wifi", at) };
        aggregate = control & AGGREGATE != 0;
        header += 2;
        if flags & ORDER != 0 {
            header += 4;
        }
    }
    if padded {
        header = header.next_multiple_of(4);
    }
    // Of several frames in one, the first: two addresses and a length.
    let subframe = if aggregate { 14 } else { 0 };
    Step::new(Next::Llc, at + header + subframe, wire_end)
}
