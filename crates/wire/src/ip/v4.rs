//! IPv4 headers (RFC 791).

use core::net::{IpAddr, Ipv4Addr};

use super::{Fragment, IpPacket, Parsed, captured, ext, protocol, to_u32};
use crate::Full;
use crate::bytes::{Writer, room};
use crate::checksum;
use crate::dissect::Malformed;

/// Bytes of a header without options.
pub const HEADER_LEN: usize = 20;

const LAYER: &str = "ipv4";

/// Reads the packet at `at`; `wire_end` is where the layer around it ends on the wire.
#[inline]
pub(crate) fn parse(frame: &[u8], at: usize, wire_end: usize) -> Parsed<'_> {
    let fail = |reason| Err(Malformed { layer: LAYER, offset: at, reason });
    let Some(head) = frame.get(at..).and_then(<[u8]>::first_chunk::<HEADER_LEN>) else {
        return fail("header cut short");
    };
    if head[0] >> 4 != 4 {
        return fail("version is not 4");
    }
    let header_len = usize::from(head[0] & 0x0f) * 4;
    if header_len < HEADER_LEN {
        return fail("header length below 20 bytes");
    }
    let total_len = match u16::from_be_bytes([head[2], head[3]]) {
        0 => wire_end.saturating_sub(at),
        len => usize::from(len),
    };
    if total_len < header_len {
        return fail("total length below header length");
    }
    let payload_at = at + header_len;
    let Some(header) = frame.get(at..payload_at) else {
        return fail("options cut short");
    };
    let packet = assemble(frame, head, header, payload_at, total_len);
    if packet.protocol == protocol::AH {
        return Ok(ext::skip_authentication(frame, at, payload_at, packet));
    }
    Ok((packet, payload_at))
}

/// The packet of a header whose lengths are settled.
#[inline]
fn assemble<'a>(
    frame: &'a [u8],
    head: &[u8; HEADER_LEN],
    header: &'a [u8],
    payload_at: usize,
    total_len: usize,
) -> IpPacket<'a> {
    let place = u16::from_be_bytes([head[6], head[7]]) & 0x3fff;
    let fragment = (place != 0).then_some(Fragment {
        offset: u32::from(place & 0x1fff) * 8,
        more: place & 0x2000 != 0,
        headers: 0,
    });
    let payload_len = total_len - header.len().min(total_len);
    IpPacket {
        src: IpAddr::V4(Ipv4Addr::new(head[12], head[13], head[14], head[15])),
        dst: IpAddr::V4(Ipv4Addr::new(head[16], head[17], head[18], head[19])),
        protocol: head[9],
        hop_limit: head[8],
        traffic_class: head[1],
        identification: u32::from(u16::from_be_bytes([head[4], head[5]])),
        total_len: to_u32(total_len),
        payload_len: to_u32(payload_len),
        payload: captured(frame, payload_at, payload_at + payload_len),
        header,
        fragment,
    }
}

/// Reads a packet that an ICMP error quotes: routers cut it anywhere behind 20 bytes, and some
/// hosts return the total length in their own byte order, so no length makes it unreadable.
pub(crate) fn parse_quote(quote: &[u8]) -> Option<IpPacket<'_>> {
    let head = quote.first_chunk::<HEADER_LEN>()?;
    let header_len = usize::from(head[0] & 0x0f) * 4;
    if head[0] >> 4 != 4 || header_len < HEADER_LEN {
        return None;
    }
    let payload_at = header_len.min(quote.len());
    let total_len = match usize::from(u16::from_be_bytes([head[2], head[3]])) {
        len if len < header_len => quote.len(),
        len => len,
    };
    Some(assemble(quote, head, captured(quote, 0, payload_at), payload_at, total_len))
}

/// The fields of an IPv4 header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header<'a> {
    /// DSCP and ECN.
    pub traffic_class: u8,
    /// Identification.
    pub identification: u16,
    /// Don't fragment.
    pub dont_fragment: bool,
    /// Place in a fragmented packet; the offset is a multiple of 8 bytes.
    pub fragment: Option<Fragment>,
    /// Time to live.
    pub hop_limit: u8,
    /// Protocol of the payload.
    pub protocol: u8,
    /// Source address.
    pub src: Ipv4Addr,
    /// Destination address.
    pub dst: Ipv4Addr,
    /// Options, padded by the builder to whole words.
    pub options: &'a [u8],
}

impl Header<'_> {
    /// A header with a time to live of 64, don't-fragment set and nothing special.
    pub const fn new(src: Ipv4Addr, dst: Ipv4Addr, protocol: u8) -> Self {
        Self {
            traffic_class: 0,
            identification: 0,
            dont_fragment: true,
            fragment: None,
            hop_limit: 64,
            protocol,
            src,
            dst,
            options: &[],
        }
    }

    /// Bytes of the header.
    pub fn header_len(&self) -> usize {
        HEADER_LEN + self.options.len().next_multiple_of(4)
    }

    /// Writes the header with its checksum before a payload of `payload_len` bytes; returns its own length.
    pub fn emit(&self, payload_len: usize, out: &mut [u8]) -> Result<usize, Full> {
        let header_len = self.header_len();
        if self.options.len() > 40 {
            return Err(Full { needed: self.options.len(), room: 40 });
        }
        let needed = header_len + payload_len;
        let total_len = u16::try_from(needed).map_err(|_| Full { needed, room: 0xffff })?;
        let out = room(out, header_len)?;
        let place = self.fragment.map_or(0, |f| (f.offset / 8) as u16 & 0x1fff | u16::from(f.more) << 13);
        out.fill(0);
        let mut w = Writer::new(out);
        w.u8(0x40 | (header_len / 4) as u8).u8(self.traffic_class).u16(total_len).u16(self.identification);
        w.u16(u16::from(self.dont_fragment) << 14 | place).u8(self.hop_limit).u8(self.protocol).u16(0);
        w.put(&self.src.octets()).put(&self.dst.octets()).put(self.options);
        let sum = checksum::ones_complement(out);
        if let Some(field) = out.get_mut(10..12) {
            field.copy_from_slice(&sum.to_be_bytes());
        }
        Ok(header_len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PACKET: [u8; 24] =
        [0x45, 0x02, 0, 22, 0x12, 0x34, 0x40, 0, 61, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, b'h', b'i', 0, 0];

    fn packet(bytes: &[u8]) -> IpPacket<'_> {
        parse(bytes, 0, bytes.len()).unwrap().0
    }

    #[track_caller]
    fn reason(bytes: &[u8]) -> &'static str {
        parse(bytes, 0, bytes.len()).unwrap_err().reason
    }

    #[test]
    fn padding_is_not_payload() {
        let p = packet(&PACKET);
        assert_eq!((p.payload, p.payload_len, p.total_len), (&b"hi"[..], 2, 22));
        assert_eq!((p.protocol, p.hop_limit, p.traffic_class, p.identification), (6, 61, 2, 0x1234));
        assert_eq!(p.src, IpAddr::from([10, 0, 0, 1]));
        assert_eq!(p.dst, IpAddr::from([10, 0, 0, 2]));
        assert_eq!(p.fragment, None);
        assert!(!p.is_cut() && !p.is_later_fragment());
    }

    #[test]
    fn what_was_not_captured_counts() {
        let p = packet(&PACKET[..21]);
        assert_eq!((p.payload, p.payload_len), (&b"h"[..], 2));
        assert!(p.is_cut());
    }

    #[test]
    fn length_zero_follows_from_the_frame() {
        let mut bytes = PACKET;
        bytes[3] = 0;
        let (p, _) = parse(&bytes, 0, 5000).unwrap();
        assert_eq!((p.total_len, p.payload_len, p.payload.len()), (5000, 4980, 4));
    }

    #[test]
    fn fragments() {
        let mut bytes = PACKET;
        bytes[6..8].copy_from_slice(&[0x20, 0]);
        assert_eq!(packet(&bytes).fragment, Some(Fragment { offset: 0, more: true, headers: 0 }));
        bytes[6..8].copy_from_slice(&[0, 3]);
        let later = packet(&bytes);
        assert_eq!(later.fragment, Some(Fragment { offset: 24, more: false, headers: 0 }));
        assert!(later.is_later_fragment());
    }

    #[test]
    fn what_is_no_ipv4() {
        assert_eq!(reason(&PACKET[..19]), "header cut short");
        let mut bytes = PACKET;
        bytes[0] = 0x65;
        assert_eq!(reason(&bytes), "version is not 4");
        bytes[0] = 0x44;
        assert_eq!(reason(&bytes), "header length below 20 bytes");
        bytes[0] = 0x46;
        assert_eq!(reason(&bytes), "total length below header length");
        bytes[3] = 30;
        assert_eq!(reason(&bytes[..22]), "options cut short");
    }

    #[test]
    fn header_that_does_not_fit() {
        let header = Header::new(Ipv4Addr::LOCALHOST, Ipv4Addr::LOCALHOST, 6);
        let mut out = [0; 64];
        assert_eq!(header.emit(65516, &mut out), Err(Full { needed: 65536, room: 65535 }));
        assert_eq!(header.emit(0, &mut out[..19]), Err(Full { needed: 20, room: 19 }));
        let long = Header { options: &[1; 41], ..header };
        assert_eq!(long.emit(0, &mut out), Err(Full { needed: 41, room: 40 }));
    }

    proptest! {
        #[test]
        fn parse_gives_back_what_was_built(
            src in any::<u32>(), dst in any::<u32>(), traffic_class in any::<u8>(), identification in any::<u16>(),
            hop_limit in any::<u8>(), dont_fragment in any::<bool>(), place in proptest::option::of((0u32..8192, any::<bool>())),
            words in 0usize..11, payload_len in 0usize..100,
        ) {
            let fragment = place.filter(|p| *p != (0, false)).map(|(o, more)| Fragment { offset: o * 8, more, headers: 0 });
            let options = [1u8; 40];
            let header = Header {
                traffic_class, identification, dont_fragment, fragment, hop_limit, protocol: 6,
                src: src.into(), dst: dst.into(), options: &options[..words * 4],
            };
            let mut out = [0u8; 200];
            let len = header.emit(payload_len, &mut out).unwrap();
            prop_assert_eq!(checksum::ones_complement(&out[..len]), 0);
            let p = packet(&out[..len + payload_len]);
            prop_assert_eq!((p.src, p.dst), (IpAddr::V4(header.src), IpAddr::V4(header.dst)));
            prop_assert_eq!((p.traffic_class, p.identification), (traffic_class, u32::from(identification)));
            prop_assert_eq!((p.hop_limit, p.protocol, p.fragment), (hop_limit, 6, fragment));
            prop_assert_eq!((p.header.len(), p.payload.len()), (len, payload_len));
            prop_assert_eq!(&p.header[20..], header.options);
            prop_assert_eq!(out[6] & 0x40 != 0, dont_fragment);
        }
    }
}
