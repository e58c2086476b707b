//! IPv4 (RFC 791) and IPv6 (RFC 8200): one view for both, and builders.

pub(crate) mod ext;
pub mod v4;
pub mod v6;

use core::net::IpAddr;

use crate::dissect::Malformed;

/// Protocol numbers (IANA "Assigned Internet Protocol Numbers").
pub mod protocol {
    /// IPv6 hop-by-hop options.
    pub const HOP_BY_HOP: u8 = 0;
    /// ICMP for IPv4.
    pub const ICMP: u8 = 1;
    /// IPv4 inside IP.
    pub const IPV4: u8 = 4;
    /// TCP.
    pub const TCP: u8 = 6;
    /// UDP.
    pub const UDP: u8 = 17;
    /// IPv6 inside IP.
    pub const IPV6: u8 = 41;
    /// IPv6 routing header.
    pub const ROUTING: u8 = 43;
    /// IPv6 fragment header.
    pub const FRAGMENT: u8 = 44;
    /// Generic routing encapsulation.
    pub const GRE: u8 = 47;
    /// Encapsulating security payload.
    pub const ESP: u8 = 50;
    /// Authentication header.
    pub const AH: u8 = 51;
    /// ICMP for IPv6.
    pub const ICMPV6: u8 = 58;
    /// Nothing follows.
    pub const NO_NEXT: u8 = 59;
    /// IPv6 destination options.
    pub const DESTINATION: u8 = 60;
    /// Ethernet inside IP (RFC 3378).
    pub const ETHERIP: u8 = 97;
    /// Mobility header.
    pub const MOBILITY: u8 = 135;
    /// MPLS inside IP (RFC 4023).
    pub const MPLS: u8 = 137;
    /// Host identity protocol.
    pub const HIP: u8 = 139;
    /// Shim6.
    pub const SHIM6: u8 = 140;
}

/// Where a fragment lies in its packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fragment {
    /// Offset in bytes.
    pub offset: u32,
    /// More fragments follow.
    pub more: bool,
    /// Bytes of IPv6 extension headers between fragment header and `payload`. Only a first fragment has
    /// them; its payload then begins that many bytes after `offset`.
    pub headers: u32,
}

/// An IP packet as far as it was captured. Lengths are those on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IpPacket<'a> {
    /// Source address.
    pub src: IpAddr,
    /// Destination address.
    pub dst: IpAddr,
    /// Protocol of the payload, after IPv6 extension headers and authentication headers.
    pub protocol: u8,
    /// Time to live, or hop limit.
    pub hop_limit: u8,
    /// DSCP (upper six bits) and ECN (lower two).
    pub traffic_class: u8,
    /// IPv4 identification, identification of an IPv6 fragment header, else 0.
    pub identification: u32,
    /// Bytes on the wire from the IP header onward. An IPv4 total length of 0, or an IPv6 payload length
    /// of 0 without a jumbo option, is what segmentation offload leaves; the length then follows from that
    /// of the frame.
    pub total_len: u32,
    /// Bytes on the wire after IP header and extension headers.
    pub payload_len: u32,
    /// The captured part of the payload, without link-layer padding.
    pub payload: &'a [u8],
    /// The IP header with its options or extension headers.
    pub header: &'a [u8],
    /// `None` for a whole packet.
    pub fragment: Option<Fragment>,
}

impl IpPacket<'_> {
    /// A fragment whose payload does not begin with a transport header.
    #[inline]
    pub fn is_later_fragment(&self) -> bool {
        matches!(self.fragment, Some(fragment) if fragment.offset > 0)
    }

    /// The capture holds less of the payload than the wire did.
    #[inline]
    pub fn is_cut(&self) -> bool {
        self.payload.len() < self.payload_len as usize
    }
}

/// A packet and where its payload begins in the frame.
pub(crate) type Parsed<'a> = Result<(IpPacket<'a>, usize), Malformed>;

/// IPv4 or IPv6 by the first nibble; nothing when it is neither.
#[inline]
pub(crate) fn parse_any(frame: &[u8], at: usize, wire_end: usize) -> Option<Parsed<'_>> {
    match frame.get(at)? >> 4 {
        4 => Some(v4::parse(frame, at, wire_end)),
        6 => Some(v6::parse(frame, at, wire_end)),
        _ => None,
    }
}

/// The captured part of what begins at `from` and ends at `to`, which may lie beyond the capture.
#[inline]
pub(crate) fn captured(frame: &[u8], from: usize, to: usize) -> &[u8] {
    let to = to.min(frame.len());
    frame.get(from.min(to)..to).unwrap_or(&[])
}

/// A length that fits `u32`, whatever a jumbo option or a caller claims.
#[inline]
pub(crate) fn to_u32(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}
