//! Headers around TCP, copied field by field: link layers, IP and tunnels.

use crate::{
    addresses::AddressMap,
    secret::{Secret, Use},
};
use std::net::IpAddr;
use subflow_wire::{
    IpPacket, Layer, LinkType,
    ip::{protocol, v4, v6},
    tunnel,
};

/// IPv4 option kind: no operation.
const NOP: u8 = 1;
/// IPv6 option kinds: padding of several bytes, and the length of a jumbogram, which says where the packet ends.
const PADN: u8 = 1;
const JUMBO: u8 = 0xc2;

/// The link type that frames of this one have afterwards. Those whose headers are not known field by field begin with
/// the IP packet.
pub(crate) fn link_after(link: LinkType) -> LinkType {
    match link {
        LinkType::ETHERNET
        | LinkType::SLL
        | LinkType::SLL2
        | LinkType::NULL
        | LinkType::LOOP
        | LinkType::RAW
        | LinkType::RAW_12
        | LinkType::RAW_14
        | LinkType::IPV4
        | LinkType::IPV6
        | LinkType::PPP
        | LinkType::PPP_HDLC
        | LinkType::CHDLC => link,
        _ => LinkType::RAW,
    }
}

/// A frame and what becomes of it: as long, all zero where nothing was copied yet.
pub(crate) struct Copying<'a> {
    pub(crate) secret: &'a Secret,
    pub(crate) addresses: &'a mut AddressMap,
    pub(crate) frame: &'a [u8],
    pub(crate) out: &'a mut [u8],
}

impl Copying<'_> {
    /// Copies bytes as they are.
    pub(crate) fn keep(&mut self, from: usize, to: usize) {
        let to = to.min(self.frame.len());
        if let (Some(source), Some(place)) = (self.frame.get(from..to), self.out.get_mut(from..to)) {
            place.copy_from_slice(source);
        }
    }

    /// Copies a hardware address: another one with the same bits for group and local; none stays none.
    fn hardware(&mut self, at: usize, len: usize) {
        let Some(address) = self.frame.get(at..at + len) else { return };
        let Some(place) = self.out.get_mut(at..at + len) else { return };
        let Some(&first) = address.first() else { return };
        if address.iter().all(|&byte| byte == 0) || address.iter().all(|&byte| byte == 0xff) {
            place.copy_from_slice(address);
            return;
        }
        self.secret.fill(Use::Mac, address, place);
        if let Some(byte) = place.first_mut() {
            *byte = *byte & !3 | first & 3;
        }
    }

    /// Copies the header of a link layer from `at` to `to`; false when it is one that is not known field by field.
    pub(crate) fn link(&mut self, layer: &Layer<'_>, at: usize, to: usize) -> bool {
        match *layer {
            Layer::Ethernet | Layer::Link(LinkType::ETHERNET) => {
                self.hardware(at, 6);
                self.hardware(at + 6, 6);
                self.keep(at + 12, to);
            }
            Layer::Link(LinkType::SLL) => {
                self.keep(at, at + 6);
                self.hardware(at + 6, 8);
                self.keep(at + 14, to);
            }
            Layer::Link(LinkType::SLL2) => {
                self.keep(at, at + 12);
                self.hardware(at + 12, 8);
            }
            // Nothing but numbers of protocols and lengths; of VLANs, services and labels.
            Layer::Link(link) if link_after(link) == link => self.keep(at, to),
            Layer::Llc | Layer::Ppp | Layer::Mpls => self.keep(at, to),
            // A service header may hold any context behind its path.
            Layer::EtherType(_) => self.keep(at, to.min(at + 16)),
            Layer::Link(_) => return false,
            Layer::Ip(..) => {}
        }
        true
    }

    /// Copies the headers of an IP packet at `at`; returns what stands for its addresses.
    pub(crate) fn ip(&mut self, ip: &IpPacket<'_>, at: usize) -> (IpAddr, IpAddr) {
        let ends = (self.addresses.map(ip.src), self.addresses.map(ip.dst));
        match ends {
            (IpAddr::V4(src), IpAddr::V4(dst)) => {
                self.keep(at, at + 12);
                self.put(at + 12, &src.octets());
                self.put(at + 16, &dst.octets());
                let first = self.frame.get(at).map_or(0, |first| usize::from(first & 0x0f) * 4);
                // Recorded routes, timestamps and source routes are all addresses.
                let options = at + v4::HEADER_LEN
                    ..at + first.clamp(v4::HEADER_LEN, ip.header.len().max(v4::HEADER_LEN));
                if let Some(place) = self.out.get_mut(options.clone()) {
                    place.fill(NOP);
                }
                // Of an authentication header its length alone.
                if ip.header.len() > first {
                    self.keep(options.end, options.end + 2);
                }
            }
            (IpAddr::V6(src), IpAddr::V6(dst)) => {
                self.keep(at, at + 8);
                self.put(at + 8, &src.octets());
                self.put(at + 24, &dst.octets());
                self.extensions(at, at + ip.header.len());
            }
            _ => {}
        }
        ends
    }

    /// Copies what IPv6 extension headers say about lengths and kinds, and nothing else.
    fn extensions(&mut self, start: usize, end: usize) {
        let Some(&first) = self.frame.get(start + 6) else { return };
        let (mut next, mut at) = (first, start + v6::HEADER_LEN);
        while at + 2 <= end {
            let (Some(&following), Some(&units)) = (self.frame.get(at), self.frame.get(at + 1)) else {
                return;
            };
            let len = match next {
                protocol::FRAGMENT => 8,
                protocol::AH => (usize::from(units) + 2) * 4,
                _ => (usize::from(units) + 1) * 8,
            };
            match next {
                protocol::FRAGMENT => self.keep(at, at + 8),
                protocol::ROUTING => self.keep(at, at + 4),
                protocol::HOP_BY_HOP | protocol::DESTINATION => {
                    self.keep(at, at + 2);
                    self.padding(at + 2, (at + len).min(end));
                }
                _ => self.keep(at, at + 2),
            }
            (next, at) = (following, at + len);
        }
    }

    /// Makes IPv6 options padding, but for the length of a jumbogram.
    fn padding(&mut self, mut at: usize, end: usize) {
        while at + 1 < end {
            let (Some(&kind), Some(&len)) = (self.frame.get(at), self.frame.get(at + 1)) else { return };
            if kind == 0 {
                at += 1;
                continue;
            }
            let next = at + 2 + usize::from(len);
            if kind == JUMBO && next <= end {
                self.keep(at, next);
            } else {
                self.put(at, &[PADN]);
                self.keep(at + 1, at + 2);
            }
            at = next;
        }
    }

    /// Copies the header of the tunnel that a packet is, from its payload to what it carries.
    pub(crate) fn tunnel(&mut self, ip: &IpPacket<'_>, at: usize, to: usize) {
        if ip.protocol != protocol::UDP {
            self.keep(at, to);
            return;
        }
        self.keep(at, (at + 8).min(to));
        let port =
            ip.payload.get(2..4).and_then(<[u8]>::first_chunk).map_or(0, |port| u16::from_be_bytes(*port));
        let inside = at + 8;
        match port {
            tunnel::GTPU_PORT => {
                self.keep(inside, to);
                // Tunnel endpoint identifiers stand for subscribers.
                if let Some(id) = self.frame.get(inside + 4..inside + 8) {
                    let id = (self.secret.number(Use::Tunnel, id) as u32).to_be_bytes();
                    self.put(inside + 4, &id);
                }
            }
            // Options of Geneve are anybody's guess.
            tunnel::GENEVE_PORT => self.keep(inside, (inside + 8).min(to)),
            _ => self.keep(inside, to),
        }
    }

    /// Writes bytes over what is there.
    pub(crate) fn put(&mut self, at: usize, bytes: &[u8]) {
        if let Some(place) = self.out.get_mut(at..at + bytes.len()) {
            place.copy_from_slice(bytes);
        }
    }
}
