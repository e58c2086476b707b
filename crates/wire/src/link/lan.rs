//! Rarer local networks, most of them a header of fixed size before something known.

use super::LinkType;
use super::ethernet;
use crate::bytes::{be16, u8_at};
use crate::dissect::{Next, Step};

/// Bytes of an Ethernet frame check sequence.
const FCS: usize = 4;

/// Reads the header at `at`.
pub(crate) fn enter(link: LinkType, frame: &[u8], at: usize, wire_end: usize) -> Step {
    let go = |next, skip: usize| Step::new(next, at + skip, wire_end);
    // The EtherType at `field`, the payload at `skip`.
    let typed = |field: usize, skip: usize| match be16(frame, at + field) {
        Some(number) => go(Next::EtherType(number), skip),
        None => Step::cut("link", at),
    };
    match link {
        LinkType::ATM_RFC1483 => go(Next::Llc, 0),
        LinkType::IP_OVER_FC => go(Next::Llc, 16),
        LinkType::SUNATM => match u8_at(frame, at) {
            Some(flags) if flags & 0x0f == 2 => go(Next::Llc, 4),
            Some(_) => Step::not_ip(at),
            None => Step::cut("sunatm", at),
        },
        LinkType::FDDI => match u8_at(frame, at) {
            Some(control) if control & 0xf0 == 0x50 => go(Next::Llc, 13),
            Some(_) => Step::not_ip(at),
            None => Step::cut("fddi", at),
        },
        LinkType::IEEE802_5 => token_ring(frame, at, wire_end),
        LinkType::APPLE_IP_OVER_IEEE1394 => typed(16, 18),
        LinkType::IPOIB => typed(40, 44),
        LinkType::NETANALYZER => ethernet::enter(frame, at + 4, wire_end.saturating_sub(FCS)),
        LinkType::ETHERNET_MPACKET => ethernet::enter(frame, at + 8, wire_end.saturating_sub(FCS)),
        LinkType::DSA_TAG_BRCM_PREPEND => go(Next::Ethernet, 4),
        LinkType::DSA_TAG_BRCM | LinkType::DSA_TAG_DSA => typed(16, 18),
        LinkType::DSA_TAG_EDSA => typed(20, 22),
        other => Step::new(Next::Unknown(other), at, wire_end),
    }
}

/// Token Ring with its source route, which the highest bit of the source address announces.
fn token_ring(frame: &[u8], at: usize, wire_end: usize) -> Step {
    let (Some(control), Some(source), Some(route)) =
        (u8_at(frame, at + 1), u8_at(frame, at + 8), u8_at(frame, at + 14))
    else {
        return Step::cut("token ring", at);
    };
    if control & 0xc0 != 0x40 {
        return Step::not_ip(at);
    }
    let route = if source & 0x80 != 0 { usize::from(route & 0x1f) } else { 0 };
    Step::new(Next::Llc, at + 14 + route, wire_end)
}
