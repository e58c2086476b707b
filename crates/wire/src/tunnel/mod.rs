//! What carries IP inside IP, or under a label: IP-in-IP (RFC 2003, RFC 4213), GRE, MPLS, PPPoE, EtherIP,
//! and on their well-known UDP ports VXLAN, Geneve and GTP-U.

pub(crate) mod geneve;
pub(crate) mod gre;
pub(crate) mod gtpu;
pub(crate) mod mpls;
pub(crate) mod pppoe;
pub(crate) mod vxlan;

use crate::bytes::be16;
use crate::dissect::{Next, Step};
use crate::ip::{IpPacket, protocol};
use crate::udp;

/// UDP port of VXLAN (RFC 7348).
pub const VXLAN_PORT: u16 = 4789;
/// UDP port of VXLAN in Linux before there was a number for it.
pub const VXLAN_OLD_PORT: u16 = 8472;
/// UDP port of GTP-U (3GPP TS 29.281).
pub const GTPU_PORT: u16 = 2152;
/// UDP port of Geneve (RFC 8926).
pub const GENEVE_PORT: u16 = 6081;

/// Whether a protocol may carry another packet.
#[inline]
pub(crate) fn is_candidate(number: u8) -> bool {
    matches!(
        number,
        protocol::UDP | protocol::IPV4 | protocol::IPV6 | protocol::GRE | protocol::ETHERIP | protocol::MPLS
    )
}

/// The first header inside `packet`, and whether the packet vouches for it (a UDP port is but a guess).
pub(crate) fn enter(frame: &[u8], packet: &IpPacket<'_>, at: usize) -> Option<(Step, bool)> {
    let wire_end = at.saturating_add(packet.payload_len as usize);
    // No bytes beyond the packet may be taken for its payload.
    let frame = frame.get(..at + packet.payload.len())?;
    let step = match packet.protocol {
        protocol::IPV4 | protocol::IPV6 => Step::new(Next::Ip, at, wire_end),
        protocol::GRE => gre::enter(frame, at, wire_end),
        protocol::MPLS => Step::new(Next::Mpls, at, wire_end),
        // EtherIP: version 3 and 12 zero bits (RFC 3378).
        protocol::ETHERIP => Step::new(Next::Ethernet, at + 2, wire_end),
        protocol::UDP => return datagram(frame, at, wire_end).map(|step| (step, false)),
        _ => return None,
    };
    Some((step, true))
}

/// A tunnel is addressed to its port; the source port is arbitrary.
fn datagram(frame: &[u8], at: usize, wire_end: usize) -> Option<Step> {
    let inside = at + udp::HEADER_LEN;
    match be16(frame, at + 2)? {
        VXLAN_PORT | VXLAN_OLD_PORT => vxlan::enter(frame, inside, wire_end),
        GTPU_PORT => gtpu::enter(frame, inside, wire_end),
        GENEVE_PORT => geneve::enter(frame, inside, wire_end),
        _ => None,
    }
}
