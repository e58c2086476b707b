//! A packet of TCP whose parts can be changed.

use std::net::IpAddr;

use subflow_wire::checksum::{ones_complement, transport};
use subflow_wire::ip::protocol;

/// An IP packet without extension headers, in parts; written unchanged it is what it was.
#[derive(Clone, Debug)]
pub(crate) struct Packet {
    /// The IP header.
    pub(crate) ip: Vec<u8>,
    /// The first 20 bytes of the TCP header.
    pub(crate) tcp: [u8; 20],
    /// Options, each with kind and length; padding, too.
    pub(crate) options: Vec<Vec<u8>>,
    pub(crate) payload: Vec<u8>,
    /// Whether its checksum is to be wrong.
    pub(crate) broken: bool,
}

impl Packet {
    /// Takes a packet of TCP apart.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let header_len = header_len(bytes)?;
        let total = total_len(bytes)?;
        let (ip, segment) = bytes.get(..total)?.split_at_checked(header_len)?;
        if protocol_of(bytes)? != protocol::TCP {
            return None;
        }
        let tcp: [u8; 20] = *segment.first_chunk()?;
        let data_at = usize::from(tcp[12] >> 4) * 4;
        let mut rest = segment.get(20..data_at)?;
        let mut options = Vec::new();
        while let Some(&kind) = rest.first() {
            let len = match (kind, rest.get(1)) {
                (0 | 1, _) => 1,
                (_, Some(&len)) if len >= 2 && usize::from(len) <= rest.len() => usize::from(len),
                _ => return None,
            };
            let (option, after) = rest.split_at(len);
            options.push(option.to_vec());
            rest = after;
        }
        let payload = segment.get(data_at..)?.to_vec();
        Some(Self { ip: ip.to_vec(), tcp, options, payload, broken: false })
    }

    /// Puts it together with right lengths and checksums.
    pub(crate) fn emit(&self) -> Vec<u8> {
        let mut options: Vec<u8> = self.options.concat();
        while !options.len().is_multiple_of(4) {
            options.push(0);
        }
        let mut segment = [&self.tcp[..], &options, &self.payload].concat();
        segment[12] = ((20 + options.len()) as u8 / 4) << 4 | segment[12] & 15;
        segment[16..18].fill(0);
        let mut ip = self.ip.clone();
        if self.is_v6() {
            ip[4..6].copy_from_slice(&(segment.len() as u16).to_be_bytes());
        } else {
            let total = (ip.len() + segment.len()) as u16;
            ip[2..4].copy_from_slice(&total.to_be_bytes());
            fix_header(&mut ip);
        }
        let sum =
            transport(self.src(), self.dst(), protocol::TCP, &segment).wrapping_add(u16::from(self.broken));
        segment[16..18].copy_from_slice(&sum.to_be_bytes());
        [ip, segment].concat()
    }

    pub(crate) fn is_v6(&self) -> bool {
        self.ip[0] >> 4 == 6
    }

    pub(crate) fn src(&self) -> IpAddr {
        addresses(&self.ip).expect("a header").0
    }

    pub(crate) fn dst(&self) -> IpAddr {
        addresses(&self.ip).expect("a header").1
    }

    pub(crate) fn set_src(&mut self, addr: IpAddr) {
        match addr {
            IpAddr::V4(addr) => self.ip[12..16].copy_from_slice(&addr.octets()),
            IpAddr::V6(addr) => self.ip[8..24].copy_from_slice(&addr.octets()),
        }
    }

    pub(crate) fn set_dst(&mut self, addr: IpAddr) {
        match addr {
            IpAddr::V4(addr) => self.ip[16..20].copy_from_slice(&addr.octets()),
            IpAddr::V6(addr) => self.ip[24..40].copy_from_slice(&addr.octets()),
        }
    }

    pub(crate) fn hop_limit(&mut self) -> &mut u8 {
        let at = if self.is_v6() { 7 } else { 8 };
        &mut self.ip[at]
    }

    fn half(&self, at: usize) -> u16 {
        u16::from_be_bytes([self.tcp[at], self.tcp[at + 1]])
    }

    pub(crate) fn src_port(&self) -> u16 {
        self.half(0)
    }

    pub(crate) fn dst_port(&self) -> u16 {
        self.half(2)
    }

    pub(crate) fn set_src_port(&mut self, port: u16) {
        self.tcp[..2].copy_from_slice(&port.to_be_bytes());
    }

    pub(crate) fn set_dst_port(&mut self, port: u16) {
        self.tcp[2..4].copy_from_slice(&port.to_be_bytes());
    }

    fn word(&self, at: usize) -> u32 {
        u32::from(self.half(at)) << 16 | u32::from(self.half(at + 2))
    }

    pub(crate) fn seq(&self) -> u32 {
        self.word(4)
    }

    pub(crate) fn ack(&self) -> u32 {
        self.word(8)
    }

    pub(crate) fn set_seq(&mut self, seq: u32) {
        self.tcp[4..8].copy_from_slice(&seq.to_be_bytes());
    }

    pub(crate) fn set_ack(&mut self, ack: u32) {
        self.tcp[8..12].copy_from_slice(&ack.to_be_bytes());
    }

    pub(crate) fn window(&mut self) -> &mut [u8] {
        &mut self.tcp[14..16]
    }

    pub(crate) fn is_syn(&self) -> bool {
        self.tcp[13] & 0x12 == 0x02
    }

    pub(crate) fn is_syn_ack(&self) -> bool {
        self.tcp[13] & 0x12 == 0x12
    }

    pub(crate) fn is_reset(&self) -> bool {
        self.tcp[13] & 4 != 0
    }

    pub(crate) fn has_ack(&self) -> bool {
        self.tcp[13] & 0x10 != 0
    }

    /// The first option of a kind.
    pub(crate) fn option(&self, kind: u8) -> Option<&Vec<u8>> {
        self.options.iter().find(|option| option[0] == kind)
    }

    /// Options of a kind become padding of the same length.
    pub(crate) fn pad(&mut self, kind: u8) {
        for option in self.options.iter_mut().filter(|option| option[0] == kind) {
            option.fill(1);
        }
        // Read anew, each byte of padding is an option of its own.
        let all: Vec<Vec<u8>> = self
            .options
            .drain(..)
            .flat_map(|option| {
                if option[0] == 1 {
                    option.into_iter().map(|byte| vec![byte]).collect()
                } else {
                    vec![option]
                }
            })
            .collect();
        self.options = all;
    }

    /// Options of a kind are taken out.
    pub(crate) fn remove(&mut self, kind: u8) {
        self.options.retain(|option| option[0] != kind);
    }

    /// DSCP and ECN.
    pub(crate) fn set_traffic_class(&mut self, class: u8) {
        if self.is_v6() {
            self.ip[0] = 0x60 | class >> 4;
            self.ip[1] = class << 4 | self.ip[1] & 15;
        } else {
            self.ip[1] = class;
        }
    }
}

/// Bytes of the IP header; IPv6 without extension headers.
pub(crate) fn header_len(bytes: &[u8]) -> Option<usize> {
    match bytes.first()? >> 4 {
        4 => Some(usize::from(bytes[0] & 15) * 4),
        6 => Some(40),
        _ => None,
    }
}

/// Bytes of the packet.
pub(crate) fn total_len(bytes: &[u8]) -> Option<usize> {
    Some(match bytes.first()? >> 4 {
        4 => usize::from(u16::from_be_bytes([*bytes.get(2)?, *bytes.get(3)?])),
        _ => 40 + usize::from(u16::from_be_bytes([*bytes.get(4)?, *bytes.get(5)?])),
    })
}

/// The protocol of the payload.
pub(crate) fn protocol_of(bytes: &[u8]) -> Option<u8> {
    match bytes.first()? >> 4 {
        4 => bytes.get(9).copied(),
        _ => bytes.get(6).copied(),
    }
}

/// Source and destination.
pub(crate) fn addresses(bytes: &[u8]) -> Option<(IpAddr, IpAddr)> {
    if bytes.first()? >> 4 == 4 {
        let addr = |at: usize| Some(IpAddr::from(*bytes.get(at..)?.first_chunk::<4>()?));
        Some((addr(12)?, addr(16)?))
    } else {
        let addr = |at: usize| Some(IpAddr::from(*bytes.get(at..)?.first_chunk::<16>()?));
        Some((addr(8)?, addr(24)?))
    }
}

/// Where the hop limit stands.
pub(crate) fn limit_at(bytes: &[u8]) -> usize {
    if bytes[0] >> 4 == 4 { 8 } else { 7 }
}

/// Takes one from the hop limit.
pub(crate) fn one_hop(bytes: &mut [u8]) {
    let at = limit_at(bytes);
    bytes[at] -= 1;
    if bytes[0] >> 4 == 4 {
        let len = header_len(bytes).expect("a header");
        fix_header(&mut bytes[..len]);
    }
}

/// Makes the checksum of an IPv4 header right.
pub(crate) fn fix_header(header: &mut [u8]) {
    header[10..12].fill(0);
    let sum = ones_complement(header);
    header[10..12].copy_from_slice(&sum.to_be_bytes());
}
