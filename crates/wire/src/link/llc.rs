//! IEEE 802.2 logical link control with the subnetwork access protocol (RFC 1042).

use crate::bytes::{array_at, be16, u8_at};
use crate::dissect::{Next, Step};

const SNAP: u8 = 0xaa;
const IP: u8 = 0x06;
const UNNUMBERED: u8 = 0x03;

/// Reads the header at `at`.
pub(crate) fn enter(frame: &[u8], at: usize, wire_end: usize) -> Step {
    let Some([dsap, ssap, control]) = array_at::<3>(frame, at) else { return Step::cut("llc", at) };
    match (dsap, ssap, control) {
        (SNAP, SNAP | 0xab, UNNUMBERED) => snap(frame, at + 3, wire_end),
        (IP, IP, UNNUMBERED) => Step::new(Next::Ip, at + 3, wire_end),
        _ => Step::not_ip(at),
    }
}

/// Organisation code and protocol.
pub(super) fn snap(frame: &[u8], at: usize, wire_end: usize) -> Step {
    let (Some(organisation), Some(number)) = (array_at::<3>(frame, at), be16(frame, at + 3)) else {
        return Step::cut("snap", at);
    };
    match organisation {
        // Plain encapsulation, and the bridge-tunnel form of Wi-Fi (IEEE 802.1H).
        [0, 0, 0] | [0, 0, 0xf8] => Step::new(Next::EtherType(number), at + 5, wire_end),
        // Bridged Ethernet (RFC 2684): on ATM two bytes of padding come first, told by the nibble after them.
        [0, 0x80, 0xc2] if matches!(number, 1 | 7) => {
            let padded = u8_at(frame, at + 5) == Some(0) && u8_at(frame, at + 6) == Some(0);
            Step::new(Next::Ethernet, at + if padded { 7 } else { 5 }, wire_end)
        }
        _ => Step::not_ip(at),
    }
}
