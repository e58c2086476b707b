//! Cisco HDLC and Frame Relay (RFC 2427).

use super::llc;
use crate::bytes::{array_at, be16, u8_at};
use crate::dissect::{Next, Step};

const UNICAST: u8 = 0x0f;
const BROADCAST: u8 = 0x8f;

/// Reads a Cisco HDLC frame, or PPP where its framing says so.
pub(crate) fn enter(frame: &[u8], at: usize, wire_end: usize) -> Step {
    let (Some(address), Some(number)) = (u8_at(frame, at), be16(frame, at + 2)) else {
        return Step::cut("hdlc", at);
    };
    match address {
        UNICAST | BROADCAST => Step::new(Next::EtherType(number), at + 4, wire_end),
        0xff => Step::new(Next::Ppp, at, wire_end),
        _ => Step::not_ip(at),
    }
}

/// Reads a Frame Relay frame in the encapsulation of RFC 2427 or of Cisco.
pub(crate) fn enter_frame_relay(frame: &[u8], at: usize, wire_end: usize) -> Step {
    let cut = Step::cut("frame relay", at);
    // The lowest bit marks the last of two to four address bytes.
    let Some(address) = (1..4).find(|&i| u8_at(frame, at + i).is_some_and(|b| b & 1 == 1)) else {
        return cut;
    };
    let at = at + address + 1;
    let Some([control, mut id]) = array_at::<2>(frame, at) else { return cut };
    if control != 0x03 {
        let Some(number) = be16(frame, at) else { return cut };
        return Step::new(Next::EtherType(number), at + 2, wire_end);
    }
    let mut at = at + 1;
    if id == 0 {
        at += 1;
        id = u8_at(frame, at).unwrap_or(0);
    }
    match id {
        0xcc | 0x8e => Step::new(Next::Ip, at + 1, wire_end),
        0x80 => llc::snap(frame, at + 1, wire_end),
        _ => Step::not_ip(at),
    }
}
