//! IPv6 headers (RFC 8200) with their extension headers.

use core::net::{IpAddr, Ipv6Addr};

use super::{IpPacket, Parsed, captured, ext, protocol, to_u32};
use crate::Full;
use crate::bytes::{Writer, array_at};
use crate::dissect::Malformed;

/// Bytes of the fixed header.
pub const HEADER_LEN: usize = 40;

const LAYER: &str = "ipv6";

/// Reads the packet at `at`; `wire_end` is where the layer around it ends on the wire.
#[inline]
pub(crate) fn parse(frame: &[u8], at: usize, wire_end: usize) -> Parsed<'_> {
    let fail = |reason| Err(Malformed { layer: LAYER, offset: at, reason });
    let Some(head) = frame.get(at..).and_then(<[u8]>::first_chunk::<HEADER_LEN>) else {
        return fail("header cut short");
    };
    if head[0] >> 4 != 6 {
        return fail("version is not 6");
    }
    let mut packet = fixed_part(head);
    let mut payload_at = at + HEADER_LEN;
    let mut jumbo_len = None;
    if ext::is_extension(packet.protocol) {
        let walked = ext::walk(frame, packet.protocol, payload_at)?;
        packet.protocol = walked.protocol;
        packet.fragment = walked.fragment;
        packet.identification = walked.identification;
        payload_at = walked.payload_at;
        jumbo_len = walked.jumbo_len;
    }
    let total_len = match u16::from_be_bytes([head[4], head[5]]) {
        0 => match jumbo_len {
            // Lengths are 32-bit everywhere; a jumbogram at the very limit loses its last bytes.
            Some(len) => len.saturating_add(HEADER_LEN as u32) as usize,
            None if packet.protocol == protocol::NO_NEXT => HEADER_LEN.max(payload_at - at),
            None => wire_end.saturating_sub(at),
        },
        len => HEADER_LEN + usize::from(len),
    };
    let Some(payload_len) = total_len.checked_sub(payload_at - at) else {
        return fail("payload length below extension headers");
    };
    packet.total_len = to_u32(total_len);
    packet.payload_len = to_u32(payload_len);
    packet.payload = captured(frame, payload_at, at.saturating_add(total_len));
    packet.header = captured(frame, at, payload_at);
    Ok((packet, payload_at))
}

/// What the fixed header alone tells.
#[inline]
fn fixed_part<'a>(head: &[u8; HEADER_LEN]) -> IpPacket<'a> {
    IpPacket {
        src: IpAddr::V6(address(head, 8)),
        dst: IpAddr::V6(address(head, 24)),
        protocol: head[6],
        hop_limit: head[7],
        traffic_class: head[0] << 4 | head[1] >> 4,
        identification: 0,
        total_len: 0,
        payload_len: 0,
        payload: &[],
        header: &[],
        fragment: None,
    }
}

/// Reads a packet that an ICMP error quotes. When the quote ends among the extension headers, the first of
/// them is taken for the payload.
pub(crate) fn parse_quote(quote: &[u8]) -> Option<IpPacket<'_>> {
    if let Ok((packet, _)) = parse(quote, 0, quote.len()) {
        return Some(packet);
    }
    let (head, rest) = quote.split_first_chunk::<HEADER_LEN>()?;
    if head[0] >> 4 != 6 {
        return None;
    }
    let payload_len = u16::from_be_bytes([head[4], head[5]]);
    Some(IpPacket {
        total_len: u32::from(payload_len) + HEADER_LEN as u32,
        payload_len: u32::from(payload_len),
        payload: captured(rest, 0, usize::from(payload_len)),
        header: captured(quote, 0, HEADER_LEN),
        ..fixed_part(head)
    })
}

#[inline]
fn address(head: &[u8; HEADER_LEN], at: usize) -> Ipv6Addr {
    Ipv6Addr::from(array_at::<16>(head, at).unwrap_or([0; 16]))
}

/// One extension header to build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extension<'a> {
    /// Hop-by-hop options, the option bytes padded by the builder.
    HopByHop(&'a [u8]),
    /// Destination options, the option bytes padded by the builder.
    Destination(&'a [u8]),
    /// Routing header: routing type, segments left, type-specific data.
    Routing {
        /// Routing type.
        routing_type: u8,
        /// Segments left.
        segments_left: u8,
        /// Type-specific data, padded by the builder with zeros.
        data: &'a [u8],
    },
    /// Fragment header.
    Fragment {
        /// Offset in bytes, a multiple of 8.
        offset: u16,
        /// More fragments follow.
        more: bool,
        /// Identification.
        identification: u32,
    },
}

impl Extension<'_> {
    fn number(&self) -> u8 {
        match self {
            Self::HopByHop(_) => protocol::HOP_BY_HOP,
            Self::Destination(_) => protocol::DESTINATION,
            Self::Routing { .. } => protocol::ROUTING,
            Self::Fragment { .. } => protocol::FRAGMENT,
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::HopByHop(data) | Self::Destination(data) => (2 + data.len()).next_multiple_of(8),
            Self::Routing { data, .. } => (4 + data.len()).next_multiple_of(8),
            Self::Fragment { .. } => 8,
        }
    }

    fn write(&self, next: u8, w: &mut Writer<'_>) -> Result<(), Full> {
        let len = self.len();
        let end = w.written() + len;
        let units = u8::try_from(len / 8 - 1).map_err(|_| Full { needed: len, room: 2048 })?;
        match *self {
            Self::HopByHop(data) | Self::Destination(data) => {
                w.u8(next).u8(units).put(data);
                match end - w.written() {
                    0 => {}
                    1 => _ = w.u8(PAD1),
                    pad => {
                        w.u8(PADN).u8((pad - 2) as u8).put([0; 8].get(..pad - 2).unwrap_or_default());
                    }
                }
            }
            Self::Routing { routing_type, segments_left, data } => {
                w.u8(next).u8(units).u8(routing_type).u8(segments_left).put(data);
                w.put([0; 8].get(..end - w.written()).unwrap_or_default());
            }
            Self::Fragment { offset, more, identification } => {
                w.u8(next).u8(0).u16(offset & 0xfff8 | u16::from(more)).u32(identification);
            }
        }
        Ok(())
    }
}

const PAD1: u8 = 0;
const PADN: u8 = 1;

/// The fields of an IPv6 header and its extension headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header<'a> {
    /// DSCP and ECN.
    pub traffic_class: u8,
    /// Flow label, 20 bits.
    pub flow_label: u32,
    /// Hop limit.
    pub hop_limit: u8,
    /// Protocol of the payload.
    pub protocol: u8,
    /// Source address.
    pub src: Ipv6Addr,
    /// Destination address.
    pub dst: Ipv6Addr,
    /// Extension headers in their order.
    pub extensions: &'a [Extension<'a>],
}

impl Header<'_> {
    /// A header with a hop limit of 64 and nothing special.
    pub const fn new(src: Ipv6Addr, dst: Ipv6Addr, protocol: u8) -> Self {
        Self { traffic_class: 0, flow_label: 0, hop_limit: 64, protocol, src, dst, extensions: &[] }
    }

    /// Bytes of the header with its extension headers.
    pub fn header_len(&self) -> usize {
        HEADER_LEN + self.extensions.iter().map(Extension::len).sum::<usize>()
    }

    /// Writes the headers before a payload of `payload_len` bytes; returns their own length.
    pub fn emit(&self, payload_len: usize, out: &mut [u8]) -> Result<usize, Full> {
        let needed = self.header_len() - HEADER_LEN + payload_len;
        let len = u16::try_from(needed).map_err(|_| Full { needed, room: 0xffff })?;
        let mut w = Writer::new(out);
        w.u32(6 << 28 | u32::from(self.traffic_class) << 20 | self.flow_label & 0xf_ffff).u16(len);
        w.u8(self.extensions.first().map_or(self.protocol, Extension::number)).u8(self.hop_limit);
        w.put(&self.src.octets()).put(&self.dst.octets());
        for (index, extension) in self.extensions.iter().enumerate() {
            let next = self.extensions.get(index + 1).map_or(self.protocol, Extension::number);
            extension.write(next, &mut w)?;
        }
        w.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ip::Fragment;
    use proptest::prelude::*;

    const SRC: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
    const DST: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2);

    fn built(extensions: &[Extension<'_>], payload: &[u8]) -> Vec<u8> {
        let header = Header { extensions, ..Header::new(SRC, DST, protocol::TCP) };
        let mut out = vec![0; 1000];
        let len = header.emit(payload.len(), &mut out).unwrap();
        assert_eq!(len, header.header_len());
        out.truncate(len);
        out.extend(payload);
        out
    }

    #[test]
    fn plain_header() {
        let bytes = built(&[], b"hi");
        assert_eq!(bytes[..8], [0x60, 0, 0, 0, 0, 2, 6, 64]);
        let (p, at) = parse(&bytes, 0, bytes.len()).unwrap();
        assert_eq!((p.src, p.dst, at), (IpAddr::V6(SRC), IpAddr::V6(DST), 40));
        assert_eq!((p.payload, p.payload_len, p.total_len), (&b"hi"[..], 2, 42));
    }

    #[test]
    fn a_chain_of_extension_headers() {
        let chain = [
            Extension::HopByHop(&[5, 2, 0, 0]),
            Extension::Routing { routing_type: 4, segments_left: 0, data: &[0; 20] },
            Extension::Destination(&[1, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        ];
        let bytes = built(&chain, b"payload");
        let (p, at) = parse(&bytes, 0, bytes.len()).unwrap();
        assert_eq!((p.protocol, p.payload, at), (6, &b"payload"[..], 40 + 8 + 24 + 16));
        assert_eq!(p.header.len(), at);
        assert_eq!(p.total_len as usize, bytes.len());
    }

    #[test]
    fn fragments_first_later_and_atomic() {
        let fragment = |offset, more| Extension::Fragment { offset, more, identification: 9 };
        let bytes = built(&[fragment(0, true), Extension::Destination(&[])], b"abc");
        let (p, _) = parse(&bytes, 0, bytes.len()).unwrap();
        assert_eq!(p.fragment, Some(Fragment { offset: 0, more: true, headers: 8 }));
        assert_eq!((p.payload, p.identification, p.protocol), (&b"abc"[..], 9, 6));

        let bytes = built(&[fragment(16, false)], b"abc");
        let (p, _) = parse(&bytes, 0, bytes.len()).unwrap();
        assert_eq!(p.fragment, Some(Fragment { offset: 16, more: false, headers: 0 }));
        assert!(p.is_later_fragment());

        let bytes = built(&[fragment(0, false)], b"abc");
        let (p, _) = parse(&bytes, 0, bytes.len()).unwrap();
        assert_eq!((p.fragment, p.identification), (None, 9));
    }

    #[test]
    fn length_zero_is_jumbo_nothing_or_offload() {
        let mut jumbo = built(&[Extension::HopByHop(&[0xc2, 4, 0, 1, 0, 16])], b"abc");
        jumbo[4..6].fill(0);
        let (p, _) = parse(&jumbo, 0, jumbo.len()).unwrap();
        assert_eq!((p.total_len, p.payload_len, p.payload), (65_592, 65_544, &b"abc"[..]));

        let mut offload = built(&[], b"abc");
        offload[4..6].fill(0);
        let (p, _) = parse(&offload, 0, 9000).unwrap();
        assert_eq!((p.total_len, p.payload_len, p.payload), (9000, 8960, &b"abc"[..]));

        offload[6] = protocol::NO_NEXT;
        let (p, _) = parse(&offload, 0, 9000).unwrap();
        assert_eq!((p.total_len, p.payload_len, p.payload), (40, 0, &b""[..]));
    }

    #[test]
    fn what_is_no_ipv6() {
        let bytes = built(&[Extension::HopByHop(&[])], b"");
        let reason = |bytes: &[u8]| parse(bytes, 0, bytes.len()).unwrap_err().reason;
        assert_eq!(reason(&bytes[..39]), "header cut short");
        assert_eq!(reason(&bytes[..47]), "extension header cut short");
        let mut other = bytes.clone();
        other[0] = 0x45;
        assert_eq!(reason(&other), "version is not 6");
        other[0] = 0x60;
        other[5] = 7;
        assert_eq!(reason(&other), "payload length below extension headers");
    }

    #[test]
    fn headers_that_do_not_fit() {
        let header = Header::new(SRC, DST, 6);
        assert_eq!(header.emit(70_000, &mut [0; 40]), Err(Full { needed: 70_000, room: 65_535 }));
        assert_eq!(header.emit(0, &mut [0; 39]), Err(Full { needed: 40, room: 39 }));
        let long = [Extension::HopByHop(&[1; 2047])];
        let header = Header { extensions: &long, ..header };
        assert_eq!(header.emit(0, &mut [0; 4000]), Err(Full { needed: 2056, room: 2048 }));
    }

    proptest! {
        #[test]
        fn parse_gives_back_what_was_built(
            traffic_class in any::<u8>(), flow_label in 0u32..0x10_0000, hop_limit in any::<u8>(),
            src in any::<u128>(), dst in any::<u128>(), options in 0usize..70, payload_len in 0usize..100,
        ) {
            let data = [1u8; 70]; // read as PadN of one byte each, or as garbage: the walk must not mind
            let extensions = [Extension::Destination(&data[..options])];
            let header = Header {
                traffic_class, flow_label, hop_limit, protocol: 6, src: src.into(), dst: dst.into(), extensions: &extensions,
            };
            let mut out = [0u8; 300];
            let len = header.emit(payload_len, &mut out).unwrap();
            let (p, at) = parse(&out[..len + payload_len], 0, len + payload_len).unwrap();
            prop_assert_eq!((p.src, p.dst), (IpAddr::V6(header.src), IpAddr::V6(header.dst)));
            prop_assert_eq!((p.traffic_class, p.hop_limit, p.protocol), (traffic_class, hop_limit, 6));
            prop_assert_eq!((at, p.payload.len(), p.header.len()), (len, payload_len, len));
            prop_assert_eq!(u32::from_be_bytes([0, out[1] & 0x0f, out[2], out[3]]), flow_label);
        }
    }
}
