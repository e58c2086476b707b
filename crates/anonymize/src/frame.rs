//! One frame in, one frame out. The new frame is all zero at first, and only what is understood is copied or rewritten
//! into it, so nothing gets through by being overlooked.

use crate::{
    addresses::AddressMap,
    book::{Book, Sides},
    flows::{FlowKey, Flows},
    headers::{Copying, link_after},
    options::Rewriter,
    secret::Secret,
    sums::{Pseudo, Scope},
};
use std::net::IpAddr;
use subflow_capture::Packet;
use subflow_wire::{
    Dissection, IpPacket, Layer, LinkType, dissect_layers,
    ip::{protocol, v4, v6},
    link::{null, sll},
    tcp::{HEADER_LEN, Tcp},
    udp,
};

/// An EtherType for experiments (IEEE 802): nobody takes what follows for something.
const NOTHING: u16 = 0x88b5;
/// IP protocol for experiments (RFC 3692).
const EXPERIMENT: u8 = 253;
/// PPP's padding protocol (RFC 1570).
const PPP_PADDING: [u8; 4] = [0xff, 0x03, 0x00, 0x01];
/// GRE's flag for a checksum (RFC 2784).
const GRE_CHECKSUM: u8 = 0x80;

/// What became of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Fate {
    /// It holds TCP, and was rewritten.
    Rewritten,
    /// It holds something else; nothing of it is left but its time and length.
    Other,
    /// It could not be read; nothing of it is left but its time and length.
    Unreadable,
}

/// Rewrites frames in order of time.
#[derive(Debug)]
pub(crate) struct Rewriting {
    pub(crate) secret: Secret,
    pub(crate) book: Book,
    pub(crate) addresses: AddressMap,
    flows: Flows,
}

impl Rewriting {
    pub(crate) fn new(secret: Secret, book: Book) -> Self {
        let addresses = AddressMap::new(secret.clone());
        Self { secret, book, addresses, flows: Flows::default() }
    }

    /// Rewrites a packet into `out`; returns its length on the wire and what became of it.
    pub(crate) fn rewrite(&mut self, packet: &Packet<'_>, out: &mut Vec<u8>) -> (u32, Fate) {
        let mut layers = Vec::new();
        let dissection =
            dissect_layers(packet.link, packet.data, packet.wire_len, |layer, at| layers.push((layer, at)));
        let fate = match dissection {
            Dissection::Ip(ip) if ip.protocol == protocol::TCP => Fate::Rewritten,
            Dissection::Ip(_) | Dissection::NotIp => Fate::Other,
            Dissection::UnknownLink(_) | Dissection::Malformed(_) => Fate::Unreadable,
        };
        out.clear();
        if fate == Fate::Rewritten {
            out.resize(packet.data.len(), 0);
            if let Some(cut) = self.tcp(packet, &layers, out) {
                out.drain(..cut.min(out.len()));
                return (packet.wire_len.saturating_sub(cut as u32), fate);
            }
            out.clear();
        }
        emptied(link_after(packet.link), out);
        (packet.wire_len.max(out.len() as u32), if fate == Fate::Rewritten { Fate::Unreadable } else { fate })
    }

    /// Rewrites a frame that ends in TCP; returns how many bytes at its front are to be cut off.
    fn tcp(&mut self, packet: &Packet<'_>, layers: &[(Layer<'_>, usize)], out: &mut [u8]) -> Option<usize> {
        let first_ip = layers.iter().position(|(layer, _)| matches!(layer, Layer::Ip(..)))?;
        let known = link_after(packet.link) == packet.link;
        let mut copying =
            Copying { secret: &self.secret, addresses: &mut self.addresses, frame: packet.data, out };
        let mut scopes = Vec::new();
        let mut innermost = None;
        for (index, (layer, at)) in layers.iter().enumerate() {
            let next = layers.get(index + 1).map(|(_, at)| *at);
            if let Layer::Ip(ip, payload) = layer {
                let after = copying.ip(ip, *at);
                scopes.extend(header_sum(ip, *at));
                match next {
                    Some(next) => {
                        copying.tunnel(ip, *payload, next);
                        scopes.extend(tunnel_sum(ip, after, *payload));
                    }
                    None => innermost = Some((*ip, *payload, after)),
                }
            } else if index > first_ip || known {
                let understood = copying.link(layer, *at, next?);
                if !understood {
                    return None;
                }
            }
        }
        let (ip, payload, after) = innermost?;
        if !ip.is_later_fragment() {
            let elsewhere =
                if ip.fragment.is_some() { self.book.fragments.sum(&ip, packet.time_ns) } else { 0 };
            self.segment(packet.time_ns, &ip, payload, out);
            scopes.push(Scope {
                field: payload + 16,
                start: payload,
                end: payload + ip.payload.len(),
                pseudo: Some(pseudo(&ip, after, protocol::TCP)),
                whole: !ip.is_cut() && ip.fragment.is_none(),
                elsewhere,
                optional: false,
            });
        }
        // Checksums inside are covered by those around them.
        scopes.iter().rev().for_each(|scope| scope.settle(packet.data, out));
        if known { Some(0) } else { layers.get(first_ip).map(|(_, at)| *at) }
    }

    /// Rewrites a TCP header at `at`. The payload stays zero.
    fn segment(&mut self, time: i64, ip: &IpPacket<'_>, at: usize, out: &mut [u8]) {
        let fixed = ip.payload.len().min(HEADER_LEN);
        if let (Some(from), Some(to)) = (ip.payload.get(..fixed), out.get_mut(at..at + fixed)) {
            to.copy_from_slice(from);
        }
        let Ok(tcp) = Tcp::parse(ip.payload) else { return };
        let (key, side) = FlowKey::of((ip.src, tcp.src_port()), (ip.dst, tcp.dst_port()));
        let len = ip.payload_len.saturating_sub(tcp.header_len() as u32);
        let seen = self.flows.see(key, side, &tcp, len);
        let sides = seen.map_or_else(Sides::plain, |flow| self.book.sides(&key, &flow, time));
        let flow = seen.unwrap_or_default();
        let bytes = tcp.option_bytes();
        let start = at + HEADER_LEN;
        let Some(place) = out.get_mut(start..start + bytes.len()) else { return };
        Rewriter {
            secret: &self.secret,
            book: &self.book,
            addresses: &mut self.addresses,
            flows: &mut self.flows,
            key,
            side,
            flow,
            sides,
        }
        .options(bytes, place);
    }
}

fn pseudo(ip: &IpPacket<'_>, after: (IpAddr, IpAddr), protocol: u8) -> Pseudo {
    Pseudo { before: (ip.src, ip.dst), after, protocol, len: ip.payload_len }
}

/// The header checksum of IPv4.
fn header_sum(ip: &IpPacket<'_>, at: usize) -> Option<Scope> {
    let len = ip.header.first().map(|first| usize::from(first & 0x0f) * 4)?;
    ip.src.is_ipv4().then_some(Scope {
        field: at + 10,
        start: at,
        end: at + len,
        pseudo: None,
        whole: true,
        elsewhere: 0,
        optional: false,
    })
}

/// The checksum of a tunnel over all that it carries: UDP's, or GRE's where there is one.
fn tunnel_sum(ip: &IpPacket<'_>, after: (IpAddr, IpAddr), at: usize) -> Option<Scope> {
    let scope = Scope {
        field: at + 6,
        start: at,
        end: at + ip.payload.len(),
        pseudo: None,
        whole: !ip.is_cut() && ip.fragment.is_none(),
        elsewhere: 0,
        optional: true,
    };
    match ip.protocol {
        protocol::UDP if ip.payload.len() >= udp::HEADER_LEN => {
            Some(Scope { pseudo: Some(pseudo(ip, after, protocol::UDP)), ..scope })
        }
        protocol::GRE if ip.payload.first().is_some_and(|flags| flags & GRE_CHECKSUM != 0) => {
            Some(Scope { field: at + 4, optional: false, ..scope })
        }
        _ => None,
    }
}

/// A frame that says nothing: it keeps the place of one that was no TCP, so that frame numbers stay.
pub(crate) fn emptied(link: LinkType, out: &mut Vec<u8>) {
    let mut room = [0; 64];
    let unspecified = v4::Header::new([0; 4].into(), [0; 4].into(), EXPERIMENT);
    let written = match link {
        LinkType::ETHERNET => {
            room[12..14].copy_from_slice(&NOTHING.to_be_bytes());
            Ok(14)
        }
        LinkType::SLL => {
            sll::Header { packet_type: 0, hardware: 1, address: ([0; 8], 0), ether_type: NOTHING }
                .emit(&mut room)
        }
        LinkType::SLL2 => {
            let address = ([0; 8], 0);
            sll::Header2 { ether_type: NOTHING, interface: 0, hardware: 1, packet_type: 0, address }
                .emit(&mut room)
        }
        LinkType::NULL | LinkType::LOOP => Ok(null::HEADER_LEN),
        LinkType::PPP | LinkType::PPP_HDLC => {
            room[..4].copy_from_slice(&PPP_PADDING);
            Ok(PPP_PADDING.len())
        }
        LinkType::CHDLC => {
            room[0] = 0x0f;
            room[2..4].copy_from_slice(&NOTHING.to_be_bytes());
            Ok(4)
        }
        LinkType::IPV6 => v6::Header::new(0.into(), 0.into(), protocol::NO_NEXT).emit(0, &mut room),
        _ => unspecified.emit(0, &mut room),
    };
    out.clear();
    out.extend(room.iter().take(written.unwrap_or(0)));
}
