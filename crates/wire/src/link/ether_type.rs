//! EtherTypes (IEEE 802, RFC 9542): what follows them.

use crate::bytes::{be16, u8_at};
use crate::dissect::{Next, Step};
use crate::tunnel::pppoe;

/// IPv4.
pub const IPV4: u16 = 0x0800;
/// IPv6.
pub const IPV6: u16 = 0x86dd;
/// IEEE 802.1Q VLAN tag.
pub const VLAN: u16 = 0x8100;
/// IEEE 802.1ad service tag.
pub const SERVICE_VLAN: u16 = 0x88a8;
/// VLAN tag before there was a standard for stacking them.
pub const OLD_QINQ: u16 = 0x9100;
/// MPLS.
pub const MPLS: u16 = 0x8847;
/// MPLS with upstream-assigned label.
pub const MPLS_UPSTREAM: u16 = 0x8848;
/// PPPoE session.
pub const PPPOE: u16 = 0x8864;
/// Ethernet within something else.
pub const ETHERNET: u16 = 0x6558;
/// ARP.
pub const ARP: u16 = 0x0806;
/// Cisco VN-Tag.
pub const VN_TAG: u16 = 0x8926;
/// Provider backbone bridge service tag (IEEE 802.1ah).
pub const BACKBONE: u16 = 0x88e7;
/// IEEE 802.2 header in a frame too long for a length.
pub const JUMBO_LLC: u16 = 0x8870;
/// PPP, in GRE.
pub const PPP: u16 = 0x880b;
/// Network service header (RFC 8300).
pub const NSH: u16 = 0x894f;

/// Below this, the number is the length of an IEEE 802.3 frame.
pub(crate) const MIN_ETHER_TYPE: u16 = 0x0600;

/// Enters what `number` names at `at`.
pub(crate) fn enter(frame: &[u8], number: u16, mut at: usize, wire_end: usize) -> Step {
    let mut number = number;
    loop {
        match number {
            VLAN | SERVICE_VLAN | OLD_QINQ | 0x9200 | 0x9300 => {
                let Some(inner) = be16(frame, at + 2) else { return Step::cut("vlan", at) };
                number = inner;
                at += 4;
            }
            VN_TAG => {
                let Some(inner) = be16(frame, at + 4) else { return Step::cut("vntag", at) };
                number = inner;
                at += 6;
            }
            _ => break,
        }
    }
    let go = |next, skip: usize| Step::new(next, at + skip, wire_end);
    match number {
        IPV4 | IPV6 => go(Next::Ip, 0),
        MPLS | MPLS_UPSTREAM => go(Next::Mpls, 0),
        PPPOE => pppoe::enter(frame, at, wire_end),
        PPP => go(Next::Ppp, 0),
        ETHERNET => go(Next::Ethernet, 0),
        BACKBONE => go(Next::Ethernet, 4),
        JUMBO_LLC => go(Next::Llc, 0),
        NSH => service_header(frame, at, wire_end),
        // A length bounds the frame; what lies beyond is padding.
        length if length < MIN_ETHER_TYPE => {
            Step::new(Next::Llc, at, wire_end.min(at.saturating_add(usize::from(length))))
        }
        _ => Step::not_ip(at),
    }
}

/// Network service header: its length in words and the next protocol.
fn service_header(frame: &[u8], at: usize, wire_end: usize) -> Step {
    let (Some(words), Some(next)) = (u8_at(frame, at + 1), u8_at(frame, at + 3)) else {
        return Step::cut("nsh", at);
    };
    let words = usize::from(words & 0x3f);
    if words < 2 {
        return Step::bad("nsh", at, "length below 8 bytes");
    }
    let next = match next {
        1 | 2 => Next::Ip,
        3 => Next::Ethernet,
        5 => Next::Mpls,
        _ => Next::NotIp,
    };
    Step::new(next, at + words * 4, wire_end)
}
