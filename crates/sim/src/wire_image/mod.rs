//! What a header record looks like on the wire: the bytes that a real host would send.
//!
//! Ethernet or nothing, IPv4 or IPv6, TCP with the options as they stand in the record, payload from [`payload`]. Checksums are
//! those of the whole packet, however little of it is written: IPv4, TCP, and DSS where checksums were negotiated.

pub mod payload;

use std::net::IpAddr;

use subflow_wire::LinkType;
use subflow_wire::checksum::{self, Sum};
use subflow_wire::ip::{protocol, v4, v6};
use subflow_wire::keys::Version;
use subflow_wire::mptcp::{self, Mptcp, subtype};
use subflow_wire::tcp::{HEADER_LEN, kind};

use crate::header::{Header, OptionBytes, Payload};

/// Most bytes before the payload: Ethernet, IPv6, TCP with all its options.
const MOST_HEADERS: usize = 14 + 40 + 60;

/// What stands before the IP header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Framing {
    /// An Ethernet header, with locally administered addresses made from the IP addresses.
    #[default]
    Ethernet,
    /// Nothing (LINKTYPE_RAW).
    Raw,
}

impl Framing {
    /// How a capture names it.
    pub const fn link_type(self) -> LinkType {
        match self {
            Self::Ethernet => LinkType::ETHERNET,
            Self::Raw => LinkType::RAW,
        }
    }

    /// Bytes of it.
    pub const fn len(self) -> usize {
        match self {
            Self::Ethernet => 14,
            Self::Raw => 0,
        }
    }

    /// Whether there are none.
    pub const fn is_empty(self) -> bool {
        matches!(self, Self::Raw)
    }
}

/// Makes frames of header records, in a buffer of its own.
#[derive(Clone, Debug)]
pub struct Image {
    framing: Framing,
    snap: usize,
    frame: Vec<u8>,
}

impl Image {
    /// Frames of at most `snap` bytes (0 for no limit); what is cut off still counts in lengths and checksums.
    pub fn new(framing: Framing, snap: u32) -> Self {
        let snap = if snap == 0 { usize::MAX } else { snap as usize };
        Self { framing, snap, frame: Vec::with_capacity(snap.clamp(MOST_HEADERS, 2048)) }
    }

    /// The frame of a segment, up to the snap length, and its length on the wire.
    pub fn frame(&mut self, header: &Header) -> (&[u8], u32) {
        let wire_len = header.wire_len() + self.framing.len() as u32;
        let (head, head_len) = heads(self.framing, header);
        self.frame.clear();
        self.frame.extend_from_slice(head.get(..head_len.min(self.snap)).unwrap_or_default());
        let room = self.snap.saturating_sub(head_len).min(usize::from(header.payload.len));
        self.frame.resize(self.frame.len() + room, 0);
        let at = self.frame.len() - room;
        if let Some(place) = self.frame.get_mut(at..) {
            write_payload(&header.payload, place);
        }
        (&self.frame, wire_len)
    }
}

/// All headers of the frame, and their length.
fn heads(framing: Framing, header: &Header) -> ([u8; MOST_HEADERS], usize) {
    let mut out = [0; MOST_HEADERS];
    let mut at = framing.len();
    if framing == Framing::Ethernet {
        ethernet(header, &mut out);
    }
    let tcp_len = HEADER_LEN + header.options.padded_len();
    at += ip(header, tcp_len + usize::from(header.payload.len), out.get_mut(at..).unwrap_or_default());
    if let Some(place) = out.get_mut(at..at + tcp_len) {
        tcp(header, place);
    }
    (out, at + tcp_len)
}

fn ethernet(header: &Header, out: &mut [u8; MOST_HEADERS]) {
    out[..6].copy_from_slice(&hardware_address(header.dst));
    out[6..12].copy_from_slice(&hardware_address(header.src));
    out[12..14].copy_from_slice(if header.src.is_ipv4() { &[0x08, 0x00] } else { &[0x86, 0xdd] });
}

/// A locally administered address (bit 0x02 of the first byte) that tells hosts apart by the end of their IP address.
fn hardware_address(addr: IpAddr) -> [u8; 6] {
    let end = match addr {
        IpAddr::V4(addr) => addr.octets(),
        IpAddr::V6(addr) => {
            let o = addr.octets();
            [o[7] ^ o[12], o[13], o[14], o[15]]
        }
    };
    [0x02, 0, end[0], end[1], end[2], end[3]]
}

fn ip(header: &Header, payload_len: usize, out: &mut [u8]) -> usize {
    let written = match (header.src, header.dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => v4::Header {
            traffic_class: header.traffic_class,
            identification: header.identification,
            hop_limit: header.hop_limit,
            ..v4::Header::new(src, dst, protocol::TCP)
        }
        .emit(payload_len, out),
        (src, dst) => {
            let (src, dst) = (mapped(src), mapped(dst));
            v6::Header {
                traffic_class: header.traffic_class,
                flow_label: flow_label(header),
                hop_limit: header.hop_limit,
                ..v6::Header::new(src, dst, protocol::TCP)
            }
            .emit(payload_len, out)
        }
    };
    written.unwrap_or(0)
}

fn mapped(addr: IpAddr) -> std::net::Ipv6Addr {
    match addr {
        IpAddr::V4(addr) => addr.to_ipv6_mapped(),
        IpAddr::V6(addr) => addr,
    }
}

/// As a host would choose it (RFC 6437): the same for all packets of one direction of a subflow.
fn flow_label(header: &Header) -> u32 {
    let ports = u32::from(header.src_port) << 16 | u32::from(header.dst_port);
    (ports.wrapping_mul(0x9e37_79b1) ^ ports.rotate_left(13)) >> 12
}

/// TCP header and options, with the checksum over the payload that follows.
fn tcp(header: &Header, out: &mut [u8]) {
    let offset = (out.len() / 4) as u16;
    let words = [
        (0, header.src_port),
        (2, header.dst_port),
        (4, (header.seq >> 16) as u16),
        (6, header.seq as u16),
        (8, (header.ack >> 16) as u16),
        (10, header.ack as u16),
        (12, offset << 12 | header.flags.0 & 0x0fff),
        (14, header.window),
    ];
    for (at, word) in words {
        put16(out, at, word);
    }
    let mut options = header.options;
    fill_checksums(&header.payload, &mut options);
    if let Some(place) = out.get_mut(HEADER_LEN..HEADER_LEN + options.as_bytes().len()) {
        place.copy_from_slice(options.as_bytes());
    }
    let len = out.len() as u32 + u32::from(header.payload.len);
    let mut sum = checksum::pseudo_header(header.src, header.dst, protocol::TCP, len);
    sum.add(out);
    sum.add_u16(payload_sum(&header.payload));
    put16(out, 16, sum.checksum());
}

fn put16(out: &mut [u8], at: usize, value: u16) {
    if let Some(place) = out.get_mut(at..at + 2) {
        place.copy_from_slice(&value.to_be_bytes());
    }
}

fn write_payload(payload: &Payload, out: &mut [u8]) {
    payload::fill(payload.stream, payload.dsn, out);
    for byte in out.iter_mut().skip(usize::from(payload.changed_at)).take(usize::from(payload.changed)) {
        *byte = !*byte;
    }
}

/// The sum of the payload as it is on the wire.
fn payload_sum(payload: &Payload) -> u16 {
    if payload.changed == 0 {
        return payload::sum(payload.stream, payload.dsn, payload.len);
    }
    let mut bytes = vec![0; usize::from(payload.len)];
    write_payload(payload, &mut bytes);
    let mut sum = Sum::new();
    sum.add(&bytes);
    sum.folded()
}

/// Puts checksums where DSS and MP_CAPABLE have place holders: those of the bytes as they were sent, whatever a box made of them.
fn fill_checksums(payload: &Payload, options: &mut OptionBytes) {
    let mut at = 0;
    while let Some(found) = next_mptcp(options.as_bytes(), at) {
        at = found.end;
        let bytes = options.as_bytes_mut();
        let Some(option) = bytes.get_mut(found) else { return };
        let Some(value) = mapping_checksum(payload, option) else { continue };
        let place = option.len() - 2;
        put16(option, place, value);
    }
}

/// Where the next Multipath TCP option stands.
fn next_mptcp(bytes: &[u8], mut at: usize) -> Option<std::ops::Range<usize>> {
    loop {
        match *bytes.get(at)? {
            kind::END => return None,
            kind::NOP => at += 1,
            number => {
                let len = usize::from(*bytes.get(at + 1)?);
                if len < 2 {
                    return None;
                }
                if number == mptcp::KIND {
                    return Some(at..at + len);
                }
                at += len;
            }
        }
    }
}

/// The checksum of the mapping in an option that has a place holder for it (RFC 8684, section 3.3.1).
fn mapping_checksum(payload: &Payload, option: &[u8]) -> Option<u16> {
    if !matches!(option.get(2)? >> 4, subtype::DSS | subtype::MP_CAPABLE) {
        return None;
    }
    let (dsn, subflow_seq, len, data) = match Mptcp::parse(option) {
        Mptcp::Dss(dss) if !dss.is_infinite() => {
            let mapping = dss.mapping.filter(|mapping| mapping.checksum == Some(0))?;
            (mapping.dsn.widen(payload.dsn), mapping.subflow_seq, mapping.len, dss.mapped_bytes())
        }
        Mptcp::Capable(capable) if capable.checksum == Some(0) => {
            let idsn = capable.sender_key?.idsn(Version::try_from(capable.version).ok()?);
            let len = capable.data_len?;
            (idsn.wrapping_add(1), 1, len, len)
        }
        _ => return None,
    };
    let mut sum = checksum::dss_pseudo_header(dsn, subflow_seq, len);
    sum.add_u16(payload::sum(payload.stream, dsn, data));
    Some(sum.checksum())
}

#[cfg(test)]
mod tests;
