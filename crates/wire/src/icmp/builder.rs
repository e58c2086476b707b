//! Builds ICMP and ICMPv6 messages.

use core::net::IpAddr;

use super::extension::VERSION;
use super::{Family, HEADER_LEN, LEGACY_QUOTE, Message, Object, v4_type, v6_type};
use crate::Full;
use crate::bytes::{Writer, room};
use crate::checksum;
use crate::ip::protocol;

/// An error to build: what it says, the packet it quotes, and extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorMessage<'a> {
    /// Type.
    pub ty: u8,
    /// Code.
    pub code: u8,
    /// The four bytes whose meaning depends on the type; the builder fills in the length of the quote when
    /// there are extensions.
    pub rest: [u8; 4],
    /// As much of the packet that caused it as is to be quoted, from its IP header on.
    pub quote: &'a [u8],
    /// Extension objects (RFC 4884).
    pub extensions: &'a [Object<'a>],
}

impl ErrorMessage<'_> {
    /// Writes the message with its checksum and returns its length. The family is that of the addresses.
    pub fn emit(&self, src: IpAddr, dst: IpAddr, out: &mut [u8]) -> Result<usize, Full> {
        let family = family_of(src);
        if self.extensions.is_empty() {
            return emit_message(src, dst, (self.ty, self.code), self.rest, self.quote, out);
        }
        let (unit, place) = match family {
            Family::V4 => (4, 1),
            Family::V6 => (8, 0),
        };
        let quote_len = self.quote.len().max(LEGACY_QUOTE).next_multiple_of(unit);
        let units =
            u8::try_from(quote_len / unit).map_err(|_| Full { needed: quote_len, room: 255 * unit })?;
        let mut rest = self.rest;
        if let Some(field) = rest.get_mut(place) {
            *field = units;
        }
        let extensions_at = HEADER_LEN + quote_len;
        let needed = extensions_at + 4 + self.extensions.iter().map(Object::len).sum::<usize>();
        let out = room(out, needed)?;
        out.fill(0);
        Writer::new(out).u8(self.ty).u8(self.code).u16(0).put(&rest).put(self.quote);
        let structure = out.get_mut(extensions_at..).unwrap_or_default();
        let mut w = Writer::new(structure);
        w.u8(VERSION << 4).u8(0).u16(0);
        for object in self.extensions {
            object.write(&mut w)?;
        }
        // Zero would say that there is no checksum.
        let sum = match checksum::ones_complement(structure) {
            0 => 0xffff,
            sum => sum,
        };
        put_checksum(structure, sum);
        put_message_checksum(src, dst, out);
        Ok(needed)
    }
}

/// Writes any message, (type, code) and body, with its checksum; returns its length. The family is that of
/// the addresses.
pub fn emit_message(
    src: IpAddr,
    dst: IpAddr,
    (ty, code): (u8, u8),
    rest: [u8; 4],
    body: &[u8],
    out: &mut [u8],
) -> Result<usize, Full> {
    let out = room(out, HEADER_LEN + body.len())?;
    let len = Writer::new(out).u8(ty).u8(code).u16(0).put(&rest).put(body).finish()?;
    put_message_checksum(src, dst, out);
    Ok(len)
}

/// Writes an echo request, or a reply, and returns its length.
pub fn emit_echo(
    src: IpAddr,
    dst: IpAddr,
    reply: bool,
    (identifier, sequence): (u16, u16),
    data: &[u8],
    out: &mut [u8],
) -> Result<usize, Full> {
    let ty = match (family_of(src), reply) {
        (Family::V4, false) => v4_type::ECHO_REQUEST,
        (Family::V4, true) => v4_type::ECHO_REPLY,
        (Family::V6, false) => v6_type::ECHO_REQUEST,
        (Family::V6, true) => v6_type::ECHO_REPLY,
    };
    let [a, b] = identifier.to_be_bytes();
    let [c, d] = sequence.to_be_bytes();
    emit_message(src, dst, (ty, 0), [a, b, c, d], data, out)
}

impl Message<'_> {
    /// Writes the message as it was read, with a checksum that is right for these addresses.
    pub fn emit(&self, src: IpAddr, dst: IpAddr, out: &mut [u8]) -> Result<usize, Full> {
        emit_message(src, dst, (self.ty, self.code), self.rest, self.body, out)
    }
}

fn family_of(addr: IpAddr) -> Family {
    if addr.is_ipv4() { Family::V4 } else { Family::V6 }
}

fn put_message_checksum(src: IpAddr, dst: IpAddr, message: &mut [u8]) {
    let sum = match family_of(src) {
        Family::V4 => checksum::ones_complement(message),
        Family::V6 => checksum::transport(src, dst, protocol::ICMPV6, message),
    };
    put_checksum(message, sum);
}

fn put_checksum(bytes: &mut [u8], sum: u16) {
    if let Some(field) = bytes.get_mut(2..4) {
        field.copy_from_slice(&sum.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::icmp::MplsLabel;
    use proptest::prelude::*;

    fn addrs(v6: bool) -> (IpAddr, IpAddr) {
        if v6 {
            ("2001:db8::1".parse().unwrap(), "2001:db8::2".parse().unwrap())
        } else {
            ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap())
        }
    }

    fn quote(v6: bool) -> Vec<u8> {
        let mut quote = if v6 {
            let mut header = vec![0x60, 0, 0, 0, 0, 20, 6, 1];
            header.extend([0; 32]);
            header
        } else {
            vec![0x45, 0, 0, 40, 0, 9, 0, 0, 1, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]
        };
        quote.extend([0, 80, 1, 2, 9, 9, 9, 9]);
        quote
    }

    #[test]
    fn an_error_without_and_with_extensions() {
        for v6 in [false, true] {
            let (src, dst) = addrs(v6);
            let family = if v6 { Family::V6 } else { Family::V4 };
            let ty = if v6 { v6_type::TIME_EXCEEDED } else { v4_type::TIME_EXCEEDED };
            let quote = quote(v6);
            let label = MplsLabel { label: 24_000, traffic_class: 1, bottom: true, ttl: 1 };
            let stack = u32::from(label).to_be_bytes();
            let objects =
                [Object { class: 1, ctype: 1, data: &stack }, Object { class: 9, ctype: 2, data: b"abcd" }];
            for extensions in [&objects[..], &objects[..0]] {
                let error = ErrorMessage { ty, code: 0, rest: [0; 4], quote: &quote, extensions };
                let mut out = [0xee; 300];
                let len = error.emit(src, dst, &mut out).unwrap();
                let m = Message::parse(family, &out[..len]).unwrap();
                assert!(m.is_time_exceeded());
                let read = m.quote().unwrap();
                assert_eq!((read.protocol, read.hop_limit, read.payload_len), (6, 1, 20));
                assert_eq!(crate::tcp::ports(read.payload), Some((80, 0x0102)));
                match m.extensions() {
                    Some(found) => {
                        assert!(found.checksum_ok());
                        assert_eq!(found.objects().collect::<Vec<_>>(), extensions);
                        assert_eq!(found.objects().next().unwrap().mpls().unwrap().next(), Some(label));
                    }
                    None => assert!(extensions.is_empty()),
                }
                let again = if v6 {
                    checksum::transport(src, dst, 58, &out[..len])
                } else {
                    checksum::ones_complement(&out[..len])
                };
                assert_eq!(again, 0);
            }
        }
    }

    #[test]
    fn extensions_that_no_length_announces() {
        let (src, dst) = addrs(false);
        let quote = quote(false);
        let objects = [Object { class: 1, ctype: 1, data: &[0, 0, 0x11, 1] }];
        let error = ErrorMessage { ty: 11, code: 0, rest: [0; 4], quote: &quote, extensions: &objects };
        let mut out = [0; 300];
        let len = error.emit(src, dst, &mut out).unwrap();
        out[5] = 0;
        let m = Message::parse(Family::V4, &out[..len]).unwrap();
        assert_eq!(m.extensions().unwrap().objects().count(), 1);
        assert_eq!(m.quote_bytes().len(), 128);
        out[len - 1] ^= 1;
        let m = Message::parse(Family::V4, &out[..len]).unwrap();
        assert_eq!((m.extensions(), m.quote_bytes().len()), (None, len - 8));
    }

    #[test]
    fn what_does_not_fit() {
        let (src, dst) = addrs(false);
        let objects = [Object { class: 1, ctype: 1, data: &[] }];
        let error = ErrorMessage { ty: 3, code: 0, rest: [0; 4], quote: &[0; 1100], extensions: &objects };
        assert_eq!(error.emit(src, dst, &mut [0; 2000]), Err(Full { needed: 1100, room: 1020 }));
        let error = ErrorMessage { quote: &[], ..error };
        assert_eq!(error.emit(src, dst, &mut [0; 143]), Err(Full { needed: 144, room: 143 }));
        assert_eq!(
            emit_echo(src, dst, false, (1, 2), b"abc", &mut [0; 10]),
            Err(Full { needed: 11, room: 10 })
        );
    }

    proptest! {
        #[test]
        fn parse_gives_back_what_was_built(ty in any::<u8>(), code in any::<u8>(), rest in any::<[u8; 4]>(), body in proptest::collection::vec(any::<u8>(), 0..200), v6 in any::<bool>()) {
            let (src, dst) = addrs(v6);
            let family = if v6 { Family::V6 } else { Family::V4 };
            let mut out = [0; 300];
            let len = emit_message(src, dst, (ty, code), rest, &body, &mut out).unwrap();
            let m = Message::parse(family, &out[..len]).unwrap();
            prop_assert_eq!((m.ty, m.code, m.rest, m.body), (ty, code, rest, &body[..]));
            let mut again = [0; 300];
            prop_assert_eq!(m.emit(src, dst, &mut again), Ok(len));
            prop_assert_eq!(&out[..len], &again[..len]);
        }

        #[test]
        fn echo_round_trip(numbers in any::<(u16, u16)>(), reply in any::<bool>(), v6 in any::<bool>()) {
            let (src, dst) = addrs(v6);
            let mut out = [0; 20];
            let len = emit_echo(src, dst, reply, numbers, b"ping", &mut out).unwrap();
            let m = Message::parse(family_of(src), &out[..len]).unwrap();
            prop_assert_eq!((m.echo(), m.body), (Some(numbers), &b"ping"[..]));
        }
    }
}
