//! PPP (RFC 1661) in HDLC-like framing (RFC 1662) or bare.

use crate::Full;
use crate::bytes::{Writer, array_at, be16, u8_at};
use crate::dissect::{Next, Step};

/// Protocol number of IPv4.
pub const IPV4: u16 = 0x0021;
/// Protocol number of IPv6.
pub const IPV6: u16 = 0x0057;
/// Protocol number of MPLS.
pub const MPLS: u16 = 0x0281;

/// Reads the frame at `at`, which may leave out address and control, and half of the protocol.
pub(crate) fn enter(frame: &[u8], at: usize, wire_end: usize) -> Step {
    let at = if array_at(frame, at) == Some([0xff, 0x03]) { at + 2 } else { at };
    let Some(first) = u8_at(frame, at) else { return Step::cut("ppp", at) };
    // A protocol number is odd, so an odd first byte is all of it.
    let (number, at) = if first & 1 == 1 {
        (u16::from(first), at + 1)
    } else {
        let Some(number) = be16(frame, at) else { return Step::cut("ppp", at) };
        (number, at + 2)
    };
    let next = match number {
        IPV4 | IPV6 => Next::Ip,
        MPLS | 0x0283 => Next::Mpls,
        _ => Next::NotIp,
    };
    Step::new(next, at, wire_end)
}

/// As pppd records it: the address field holds the direction, 0 or 1.
pub(crate) fn enter_pppd(frame: &[u8], at: usize, wire_end: usize) -> Step {
    match array_at(frame, at) {
        Some([0 | 1, 0x03]) => enter(frame, at + 2, wire_end),
        Some([0 | 1, _]) => enter(frame, at + 1, wire_end),
        _ => enter(frame, at, wire_end),
    }
}

/// Writes address, control and protocol.
pub fn emit(protocol: u16, out: &mut [u8]) -> Result<usize, Full> {
    Writer::new(out).u16(0xff03).u16(protocol).finish()
}
