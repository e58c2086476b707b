//! From a captured frame to the innermost IP packet.

use core::fmt;

use crate::ip::{self, IpPacket, protocol, v4, v6};
use crate::link::{self, LinkType, ether_type, ethernet, sll};
use crate::tunnel;

/// IP packets within IP packets that are opened; more is an attack or a loop.
const MAX_PACKETS: usize = 8;

/// Headers of any kind that are peeled off; bounds the work on one frame.
const MAX_HEADERS: usize = 64;

/// What a frame turned out to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dissection<'a> {
    /// The innermost IP packet.
    Ip(IpPacket<'a>),
    /// Something else: ARP, spanning tree, encrypted Wi-Fi.
    NotIp,
    /// A link type that this crate cannot read.
    UnknownLink(LinkType),
    /// A header that is cut or makes no sense.
    Malformed(Malformed),
}

/// Where and why a frame could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// The protocol whose header it is.
    pub layer: &'static str,
    /// Where that header begins, in bytes from the start of the frame.
    pub offset: usize,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}: {}", self.layer, self.offset, self.reason)
    }
}

impl core::error::Error for Malformed {}

/// A header on the way from the frame to the innermost IP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer<'a> {
    /// A header of this link type.
    Link(LinkType),
    /// An Ethernet header.
    Ethernet,
    /// What follows an EtherType that is not IP's: VLAN tags and the like, PPPoE, network service header.
    EtherType(u16),
    /// An IEEE 802.2 header.
    Llc,
    /// A PPP header.
    Ppp,
    /// An MPLS label stack.
    Mpls,
    /// An IP packet, and where its payload begins in the frame.
    Ip(IpPacket<'a>, usize),
}

/// What a header says about the next one.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Next {
    /// IPv4 or IPv6, told by the first nibble.
    Ip,
    /// What an EtherType names.
    EtherType(u16),
    /// An Ethernet frame.
    Ethernet,
    /// An IEEE 802.2 header.
    Llc,
    /// A PPP frame, from address and control field, or protocol field, on.
    Ppp,
    /// An MPLS label stack.
    Mpls,
    /// A frame of another link type.
    Link(LinkType),
    /// Nothing for us.
    NotIp,
    /// A link type that cannot be read.
    Unknown(LinkType),
    /// Nothing more, for a reason.
    Bad(Malformed),
}

impl Next {
    /// The header as a layer, but for IP packets, whose lengths are yet to be read.
    fn layer<'a>(self) -> Option<Layer<'a>> {
        Some(match self {
            Self::EtherType(ether_type::IPV4 | ether_type::IPV6) => return None,
            Self::EtherType(number) => Layer::EtherType(number),
            Self::Ethernet => Layer::Ethernet,
            Self::Llc => Layer::Llc,
            Self::Ppp => Layer::Ppp,
            Self::Mpls => Layer::Mpls,
            Self::Link(link) => Layer::Link(link),
            Self::Ip | Self::NotIp | Self::Unknown(_) | Self::Bad(_) => return None,
        })
    }
}

/// A header to come: what, from where, and to where its layer reaches on the wire.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    pub(crate) next: Next,
    pub(crate) at: usize,
    pub(crate) wire_end: usize,
}

impl Step {
    pub(crate) fn new(next: Next, at: usize, wire_end: usize) -> Self {
        Self { next, at, wire_end }
    }

    pub(crate) fn not_ip(at: usize) -> Self {
        Self::new(Next::NotIp, at, at)
    }

    pub(crate) fn bad(layer: &'static str, at: usize, reason: &'static str) -> Self {
        Self::new(Next::Bad(Malformed { layer, offset: at, reason }), at, at)
    }

    pub(crate) fn cut(layer: &'static str, at: usize) -> Self {
        Self::bad(layer, at, "header cut short")
    }
}

/// Peels link headers, tags and tunnels off a frame. `wire_len` is the frame's length on the wire in bytes.
///
/// What a tunnel carries is looked at only in whole packets and first fragments. A tunnel that carries no IP
/// leaves the packet around it. So does garbage on the port of a UDP tunnel, where the port is but a guess;
/// garbage in an IP, GRE or MPLS tunnel is malformed.
#[inline]
pub fn dissect(link: LinkType, frame: &[u8], wire_len: u32) -> Dissection<'_> {
    let wire_end = frame.len().max(wire_len as usize);
    let entry = match link {
        LinkType::ETHERNET => ethernet::ether_type(frame),
        LinkType::SLL => sll::ether_type(frame),
        LinkType::SLL2 => sll::ether_type2(frame),
        _ => None,
    };
    let (parsed, start) = match entry {
        Some((ether_type::IPV4, at)) => (v4::parse(frame, at, wire_end), at),
        Some((ether_type::IPV6, at)) => (v6::parse(frame, at, wire_end), at),
        Some((other, at)) => {
            return walk(frame, Step::new(Next::EtherType(other), at, wire_end), &mut |_, _| {});
        }
        None => return walk(frame, Step::new(Next::Link(link), 0, wire_end), &mut |_, _| {}),
    };
    match parsed {
        Ok((packet, _)) if !may_be_tunnel(packet.protocol) => Dissection::Ip(packet),
        // Tunnels, broken packets, and those of the IP version that the EtherType does not name.
        _ => walk(frame, Step::new(Next::Ip, start, wire_end), &mut |_, _| {}),
    }
}

/// The same as [`dissect`], telling every header on the way with its offset in the frame, the outermost first.
///
/// Where the result is the innermost of the packets told, the headers told are all there are before its payload. (Behind
/// the port of a UDP tunnel there may be garbage: its headers are told, and the packet around it is the result.)
pub fn dissect_layers<'a>(
    link: LinkType,
    frame: &'a [u8],
    wire_len: u32,
    mut visit: impl FnMut(Layer<'a>, usize),
) -> Dissection<'a> {
    let wire_end = frame.len().max(wire_len as usize);
    walk(frame, Step::new(Next::Link(link), 0, wire_end), &mut visit)
}

#[inline]
fn may_be_tunnel(number: u8) -> bool {
    number != protocol::TCP && tunnel::is_candidate(number)
}

/// The general way: one header after the other.
#[inline(never)]
fn walk<'a>(frame: &'a [u8], mut step: Step, visit: &mut impl FnMut(Layer<'a>, usize)) -> Dissection<'a> {
    let mut around: Option<IpPacket<'_>> = None;
    let mut packets = 0;
    // Whether the layer before vouches for the next one.
    let mut certain = true;
    for _ in 0..MAX_HEADERS {
        let Step { next, at, wire_end } = step;
        if let Some(layer) = next.layer() {
            visit(layer, at);
        }
        step = match next {
            Next::Ip => {
                let (packet, payload_at) = match ip::parse_any(frame, at, wire_end) {
                    Some(Ok(parsed)) => parsed,
                    Some(Err(malformed)) => {
                        step = Step::new(Next::Bad(malformed), at, wire_end);
                        continue;
                    }
                    None if at >= frame.len() => {
                        step = Step::cut("ip", at);
                        continue;
                    }
                    None => {
                        step = Step::bad("ip", at, "version is neither 4 nor 6");
                        continue;
                    }
                };
                visit(Layer::Ip(packet, payload_at), at);
                packets += 1;
                if packets == MAX_PACKETS || packet.is_later_fragment() {
                    return Dissection::Ip(packet);
                }
                let Some((inner, vouched)) = tunnel::enter(frame, &packet, payload_at) else {
                    return Dissection::Ip(packet);
                };
                around = Some(packet);
                certain = vouched;
                inner
            }
            Next::EtherType(number) => link::ether_type::enter(frame, number, at, wire_end),
            Next::Ethernet => ethernet::enter(frame, at, wire_end),
            Next::Llc => link::llc::enter(frame, at, wire_end),
            Next::Ppp => link::ppp::enter(frame, at, wire_end),
            Next::Mpls => tunnel::mpls::enter(frame, at, wire_end),
            Next::Link(inner) => link::enter(inner, frame, at, wire_end),
            Next::NotIp => return around.map_or(Dissection::NotIp, Dissection::Ip),
            Next::Unknown(link) => return around.map_or(Dissection::UnknownLink(link), Dissection::Ip),
            Next::Bad(malformed) => {
                return match around {
                    Some(packet) if !certain => Dissection::Ip(packet),
                    _ => Dissection::Malformed(malformed),
                };
            }
        };
    }
    match around {
        Some(packet) => Dissection::Ip(packet),
        None => {
            Dissection::Malformed(Malformed { layer: "link", offset: step.at, reason: "too many headers" })
        }
    }
}
