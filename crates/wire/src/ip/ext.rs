//! IPv6 extension headers (RFC 8200, section 4) and the authentication header (RFC 4302, section 2).

use super::{Fragment, IpPacket, captured, protocol, to_u32};
use crate::bytes::{be16, be32, u8_at};
use crate::dissect::Malformed;

/// More headers than any host accepts; bounds the walk.
const MAX_HEADERS: usize = 16;

const JUMBO_PAYLOAD: u8 = 0xc2;
const PAD1: u8 = 0;

/// What a walk over extension headers found.
pub(super) struct Walked {
    pub(super) protocol: u8,
    pub(super) payload_at: usize,
    pub(super) jumbo_len: Option<u32>,
    pub(super) fragment: Option<Fragment>,
    pub(super) identification: u32,
}

/// Whether the walk goes on behind a header of this kind.
#[inline]
pub(super) fn is_extension(next: u8) -> bool {
    matches!(
        next,
        protocol::HOP_BY_HOP
            | protocol::ROUTING
            | protocol::FRAGMENT
            | protocol::AH
            | protocol::DESTINATION
            | protocol::MOBILITY
            | protocol::HIP
            | protocol::SHIM6
    )
}

/// Walks from the header `next` at `at` to the payload, or to a later fragment's data.
#[cold]
pub(super) fn walk(frame: &[u8], mut next: u8, mut at: usize) -> Result<Walked, Malformed> {
    let mut walked =
        Walked { protocol: next, payload_at: at, jumbo_len: None, fragment: None, identification: 0 };
    let mut after_fragment = None;
    for _ in 0..MAX_HEADERS {
        if !is_extension(next) {
            break;
        }
        let cut = Malformed { layer: "ipv6", offset: at, reason: "extension header cut short" };
        let (following, units) = (u8_at(frame, at).ok_or(cut)?, u8_at(frame, at + 1).ok_or(cut)?);
        let len = match next {
            protocol::FRAGMENT => 8,
            protocol::AH => (usize::from(units) + 2) * 4,
            _ => (usize::from(units) + 1) * 8,
        };
        if at + len > frame.len() {
            return Err(cut);
        }
        if next == protocol::HOP_BY_HOP {
            walked.jumbo_len = jumbo_len(frame, at, len).or(walked.jumbo_len);
        }
        at += len;
        if next == protocol::FRAGMENT {
            let place = be16(frame, at - 6).ok_or(cut)?;
            let fragment = Fragment { offset: u32::from(place & 0xfff8), more: place & 1 != 0, headers: 0 };
            walked.identification = be32(frame, at - 4).ok_or(cut)?;
            // An atomic fragment (RFC 6946) is a whole packet.
            if fragment.offset != 0 || fragment.more {
                walked.fragment = Some(fragment);
                after_fragment = Some(at);
            }
            if fragment.offset != 0 {
                next = following;
                break;
            }
        }
        next = following;
    }
    if let (Some(fragment), Some(start)) = (&mut walked.fragment, after_fragment) {
        fragment.headers = to_u32(at - start);
    }
    walked.protocol = next;
    walked.payload_at = at;
    Ok(walked)
}

/// The jumbo payload length among hop-by-hop options (RFC 2675, section 2).
fn jumbo_len(frame: &[u8], header: usize, len: usize) -> Option<u32> {
    let mut at = header + 2;
    while at < header + len {
        if u8_at(frame, at)? == PAD1 {
            at += 1;
            continue;
        }
        if u8_at(frame, at)? == JUMBO_PAYLOAD && u8_at(frame, at + 1)? == 4 {
            return be32(frame, at + 2);
        }
        at += 2 + usize::from(u8_at(frame, at + 1)?);
    }
    None
}

/// Moves an IPv4 packet's payload behind its authentication header; a later fragment, or a header that is
/// cut, stays as it is.
#[cold]
pub(super) fn skip_authentication<'a>(
    frame: &'a [u8],
    start: usize,
    at: usize,
    packet: IpPacket<'a>,
) -> (IpPacket<'a>, usize) {
    let (Some(next), Some(words)) = (u8_at(frame, at), u8_at(frame, at + 1)) else { return (packet, at) };
    let len = (usize::from(words) + 2) * 4;
    let Some(left) = (packet.payload_len as usize).checked_sub(len) else { return (packet, at) };
    let Some(header) = frame.get(start..at + len) else { return (packet, at) };
    if packet.fragment.is_some() {
        return (packet, at);
    }
    let payload = captured(frame, at + len, at + len + left);
    (IpPacket { protocol: next, payload_len: to_u32(left), payload, header, ..packet }, at + len)
}
