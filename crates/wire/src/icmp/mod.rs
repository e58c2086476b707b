//! ICMP (RFC 792) and ICMPv6 (RFC 4443): messages, the packets that errors quote, and the extensions behind
//! them (RFC 4884, RFC 4950).

mod builder;
mod extension;

pub use builder::{ErrorMessage, emit_echo, emit_message};
pub use extension::{Extensions, LabelStack, MplsLabel, Object};

use crate::bytes::{array_at, be16, u8_at};
use crate::ip::{IpPacket, v4, v6};

/// Bytes before the body.
pub const HEADER_LEN: usize = 8;

/// Message types of ICMP for IPv4.
pub mod v4_type {
    /// Echo reply.
    pub const ECHO_REPLY: u8 = 0;
    /// Destination unreachable.
    pub const UNREACHABLE: u8 = 3;
    /// Source quench.
    pub const SOURCE_QUENCH: u8 = 4;
    /// Redirect.
    pub const REDIRECT: u8 = 5;
    /// Echo request.
    pub const ECHO_REQUEST: u8 = 8;
    /// Time exceeded.
    pub const TIME_EXCEEDED: u8 = 11;
    /// Parameter problem.
    pub const PARAMETER_PROBLEM: u8 = 12;
    /// Code of [`UNREACHABLE`]: fragmentation needed.
    pub const CODE_TOO_BIG: u8 = 4;
}

/// Message types of ICMPv6.
pub mod v6_type {
    /// Destination unreachable.
    pub const UNREACHABLE: u8 = 1;
    /// Packet too big.
    pub const TOO_BIG: u8 = 2;
    /// Time exceeded.
    pub const TIME_EXCEEDED: u8 = 3;
    /// Parameter problem.
    pub const PARAMETER_PROBLEM: u8 = 4;
    /// Echo request.
    pub const ECHO_REQUEST: u8 = 128;
    /// Echo reply.
    pub const ECHO_REPLY: u8 = 129;
}

/// Whose messages they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// ICMP.
    V4,
    /// ICMPv6.
    V6,
}

/// A message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// ICMP or ICMPv6.
    pub family: Family,
    /// Type.
    pub ty: u8,
    /// Code.
    pub code: u8,
    /// Checksum as sent.
    pub checksum: u16,
    /// The four bytes whose meaning depends on the type.
    pub rest: [u8; 4],
    /// The captured part of what follows.
    pub body: &'a [u8],
}

/// Bytes of quote before an extension that no length field announces (RFC 4884, section 5.4).
const LEGACY_QUOTE: usize = 128;

impl<'a> Message<'a> {
    /// Reads a message from the captured part of an IP payload; `None` when its header is cut.
    pub fn parse(family: Family, bytes: &'a [u8]) -> Option<Self> {
        Some(Self {
            family,
            ty: u8_at(bytes, 0)?,
            code: u8_at(bytes, 1)?,
            checksum: be16(bytes, 2)?,
            rest: array_at(bytes, 4)?,
            body: bytes.get(HEADER_LEN..)?,
        })
    }

    /// The message quotes the packet that caused it.
    pub fn is_error(&self) -> bool {
        match self.family {
            Family::V4 => matches!(
                self.ty,
                v4_type::UNREACHABLE
                    | v4_type::SOURCE_QUENCH
                    | v4_type::REDIRECT
                    | v4_type::TIME_EXCEEDED
                    | v4_type::PARAMETER_PROBLEM
            ),
            Family::V6 => (1..128).contains(&self.ty),
        }
    }

    /// The packet ran out of hops.
    pub fn is_time_exceeded(&self) -> bool {
        match self.family {
            Family::V4 => self.ty == v4_type::TIME_EXCEEDED,
            Family::V6 => self.ty == v6_type::TIME_EXCEEDED,
        }
    }

    /// Largest packet in bytes that the next link takes, from a message that says so.
    pub fn mtu(&self) -> Option<u32> {
        match (self.family, self.ty, self.code) {
            (Family::V4, v4_type::UNREACHABLE, v4_type::CODE_TOO_BIG) => {
                Some(u32::from(u16::from_be_bytes([self.rest[2], self.rest[3]])))
            }
            (Family::V6, v6_type::TOO_BIG, _) => Some(u32::from_be_bytes(self.rest)),
            _ => None,
        }
    }

    /// Identifier and sequence number of an echo request or reply.
    pub fn echo(&self) -> Option<(u16, u16)> {
        let is_echo = match self.family {
            Family::V4 => matches!(self.ty, v4_type::ECHO_REQUEST | v4_type::ECHO_REPLY),
            Family::V6 => matches!(self.ty, v6_type::ECHO_REQUEST | v6_type::ECHO_REPLY),
        };
        is_echo.then_some((
            u16::from_be_bytes([self.rest[0], self.rest[1]]),
            u16::from_be_bytes([self.rest[2], self.rest[3]]),
        ))
    }

    /// Bytes of quote before the extensions, when a length field says so (RFC 4884, section 4).
    fn quote_len(&self) -> Option<usize> {
        let len = match (self.family, self.ty) {
            (Family::V4, v4_type::UNREACHABLE | v4_type::TIME_EXCEEDED | v4_type::PARAMETER_PROBLEM) => {
                usize::from(self.rest[1]) * 4
            }
            (Family::V6, v6_type::UNREACHABLE | v6_type::TIME_EXCEEDED) => usize::from(self.rest[0]) * 8,
            _ => 0,
        };
        (len > 0).then_some(len)
    }

    /// Whether messages of this type may carry extensions at all.
    fn may_extend(&self) -> bool {
        match self.family {
            Family::V4 => {
                matches!(self.ty, v4_type::UNREACHABLE | v4_type::TIME_EXCEEDED | v4_type::PARAMETER_PROBLEM)
            }
            Family::V6 => matches!(self.ty, v6_type::UNREACHABLE | v6_type::TIME_EXCEEDED),
        }
    }

    /// The bytes of the quoted packet, without extensions, possibly padded with zeros.
    pub fn quote_bytes(&self) -> &'a [u8] {
        let len = match self.quote_len() {
            Some(len) => len,
            None if self.extensions().is_some() => LEGACY_QUOTE,
            None => return self.body,
        };
        self.body.get(..len).unwrap_or(self.body)
    }

    /// The quoted packet of an error, as far as it was quoted and captured: lengths are its own.
    pub fn quote(&self) -> Option<IpPacket<'a>> {
        if !self.is_error() {
            return None;
        }
        let bytes = self.quote_bytes();
        match bytes.first()? >> 4 {
            4 => v4::parse_quote(bytes),
            6 => v6::parse_quote(bytes),
            _ => None,
        }
    }

    /// The extensions behind the quote. Where no length field announces them, as routers older than
    /// RFC 4884 send them, they begin after 128 bytes and must have the right checksum.
    pub fn extensions(&self) -> Option<Extensions<'a>> {
        match self.quote_len() {
            Some(len) => Extensions::parse(self.body.get(len..)?),
            None if self.may_extend() => {
                Extensions::parse(self.body.get(LEGACY_QUOTE..)?).filter(Extensions::checksum_ok)
            }
            None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn path_mtu_and_echo() {
        let bytes = [3, 4, 0, 0, 0, 0, 5, 0x78];
        let m = Message::parse(Family::V4, &bytes).unwrap();
        assert_eq!((m.mtu(), m.is_error(), m.echo()), (Some(1400), true, None));
        let bytes = [2, 0, 0, 0, 0, 1, 0, 0];
        let m = Message::parse(Family::V6, &bytes).unwrap();
        assert_eq!((m.mtu(), m.is_error()), (Some(65_536), true));
        let bytes = [8, 0, 0, 0, 0, 7, 0, 9];
        let m = Message::parse(Family::V4, &bytes).unwrap();
        assert_eq!((m.echo(), m.is_error(), m.quote()), (Some((7, 9)), false, None));
        assert_eq!(Message::parse(Family::V4, &bytes[..7]), None);
    }

    #[test]
    fn the_quote_of_a_host_that_swaps_the_length() {
        let mut bytes = vec![11, 0, 0, 0, 0, 0, 0, 0];
        bytes.extend([0x45, 0, 4, 0, 0, 0, 0, 0, 1, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
        bytes.extend([0, 80, 0, 81, 0, 0, 0, 1]);
        for total_len in [[4, 0], [0, 4], [0, 0]] {
            bytes[10..12].copy_from_slice(&total_len);
            let m = Message::parse(Family::V4, &bytes).unwrap();
            let quote = m.quote().unwrap();
            assert_eq!(crate::tcp::ports(quote.payload), Some((80, 81)));
            assert_eq!((quote.hop_limit, quote.protocol), (1, 6));
            assert!(m.is_time_exceeded() && m.extensions().is_none());
        }
    }

    #[test]
    fn a_quote_cut_among_ip_options() {
        let mut bytes = vec![11, 0, 0, 0, 0, 0, 0, 0];
        bytes.extend([0x48, 0, 0, 60, 0, 0, 0, 0, 1, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 7, 7]);
        let quote = Message::parse(Family::V4, &bytes).unwrap().quote().unwrap();
        assert_eq!((quote.payload, quote.header.len()), (&[][..], 22));
    }

    #[test]
    fn an_ipv6_quote_cut_among_extension_headers() {
        let mut bytes = vec![3, 0, 0, 0, 0, 0, 0, 0];
        bytes.extend([0x60, 0, 0, 0, 0, 40, 0, 1]);
        bytes.extend([0; 32]);
        bytes.extend([6, 3, 0, 0]);
        let quote = Message::parse(Family::V6, &bytes).unwrap().quote().unwrap();
        assert_eq!((quote.protocol, quote.payload, quote.payload_len), (0, &[6, 3, 0, 0][..], 40));
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300), ty in 0u8..14, v6 in any::<bool>(), nibble in prop_oneof![Just(0x45u8), Just(0x60)]) {
            let mut bytes = bytes;
            if let Some(b) = bytes.first_mut() { *b = ty; }
            if let Some(b) = bytes.get_mut(8) { *b = nibble; }
            let family = if v6 { Family::V6 } else { Family::V4 };
            if let Some(m) = Message::parse(family, &bytes) {
                let quote = m.quote();
                prop_assert!(quote.is_none_or(|q| q.payload.len() <= bytes.len()));
                if let Some(extensions) = m.extensions() {
                    for object in extensions.objects() {
                        prop_assert!(object.data.len() < bytes.len());
                        prop_assert!(object.mpls().map_or(0, Iterator::count) * 4 <= object.data.len());
                    }
                }
            }
        }
    }
}
