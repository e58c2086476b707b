//! Pseudo headers of BSD and Solaris before an IP packet.

use super::LinkType;
use crate::bytes::u8_at;
use crate::dissect::{Next, Step};

const SLIP_HEADER: usize = 16;
const ENC_HEADER: usize = 12;
const IPNET_HEADER: usize = 24;

/// Skips the header at `at`. IPv4 or IPv6 is told by the packet, since family numbers differ by system.
pub(crate) fn enter(link: LinkType, frame: &[u8], at: usize, wire_end: usize) -> Step {
    let header = match link {
        LinkType::SLIP => SLIP_HEADER,
        LinkType::ENC => ENC_HEADER,
        LinkType::IPNET => IPNET_HEADER,
        // The first byte of a filter log's header is its length without padding to whole words.
        _ => match u8_at(frame, at) {
            Some(len) => usize::from(len).next_multiple_of(4),
            None => return Step::cut("pflog", at),
        },
    };
    match u8_at(frame, at + header).map(|b| b >> 4) {
        Some(4 | 6) => Step::new(Next::Ip, at + header, wire_end),
        Some(_) => Step::not_ip(at),
        None => Step::cut("pseudo header", at),
    }
}
