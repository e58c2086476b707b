//! TCP segments (RFC 9293, section 3.1): a view, its options, and a builder.

mod builder;
mod flags;
mod options;

pub use builder::{Header, MAX_OPTION_BYTES, emit_options, options_len};
pub use flags::Flags;
pub use options::{FASTOPEN_MAGIC, Options, SackBlocks, TcpOption, kind};

use core::fmt;

use crate::bytes::be16;

/// Bytes of a header without options.
pub const HEADER_LEN: usize = 20;

/// Why bytes are no TCP segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TcpError {
    /// Fewer than the 20 bytes of the fixed header were captured.
    Short,
    /// The data offset is below 5 words.
    BadOffset,
}

impl fmt::Display for TcpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Short => "TCP header cut short",
            Self::BadOffset => "TCP data offset below 5",
        })
    }
}

impl core::error::Error for TcpError {}

/// A TCP segment whose fixed header is there.
#[derive(Clone, Copy, Debug)]
pub struct Tcp<'a> {
    head: &'a [u8; HEADER_LEN],
    rest: &'a [u8],
}

/// Source and destination port, from as few as 4 captured bytes.
#[inline]
pub fn ports(bytes: &[u8]) -> Option<(u16, u16)> {
    Some((be16(bytes, 0)?, be16(bytes, 2)?))
}

impl<'a> Tcp<'a> {
    /// Reads a segment from the captured part of an IP payload.
    #[inline]
    pub fn parse(bytes: &'a [u8]) -> Result<Self, TcpError> {
        let Some((head, rest)) = bytes.split_first_chunk::<HEADER_LEN>() else {
            return Err(TcpError::Short);
        };
        if head[12] < 0x50 {
            return Err(TcpError::BadOffset);
        }
        Ok(Self { head, rest })
    }

    /// Source port.
    #[inline]
    pub fn src_port(&self) -> u16 {
        u16::from_be_bytes([self.head[0], self.head[1]])
    }

    /// Destination port.
    #[inline]
    pub fn dst_port(&self) -> u16 {
        u16::from_be_bytes([self.head[2], self.head[3]])
    }

    /// Sequence number of the first byte, or of the SYN.
    #[inline]
    pub fn seq(&self) -> u32 {
        u32::from_be_bytes([self.head[4], self.head[5], self.head[6], self.head[7]])
    }

    /// Acknowledgement number; counts only with the ACK flag.
    #[inline]
    pub fn ack(&self) -> u32 {
        u32::from_be_bytes([self.head[8], self.head[9], self.head[10], self.head[11]])
    }

    /// The flags and the three reserved bits.
    #[inline]
    pub fn flags(&self) -> Flags {
        Flags(u16::from_be_bytes([self.head[12], self.head[13]]) & 0x0fff)
    }

    /// Receive window in bytes, not scaled.
    #[inline]
    pub fn window(&self) -> u16 {
        u16::from_be_bytes([self.head[14], self.head[15]])
    }

    /// Checksum as sent.
    #[inline]
    pub fn checksum(&self) -> u16 {
        u16::from_be_bytes([self.head[16], self.head[17]])
    }

    /// Urgent pointer; counts only with the URG flag.
    #[inline]
    pub fn urgent(&self) -> u16 {
        u16::from_be_bytes([self.head[18], self.head[19]])
    }

    /// Length of the header with its options in bytes, as the data offset says: 20 to 60.
    #[inline]
    pub fn header_len(&self) -> usize {
        usize::from(self.head[12] >> 4) * 4
    }

    #[inline]
    fn option_len(&self) -> usize {
        self.header_len().saturating_sub(HEADER_LEN)
    }

    /// The captured part of the options.
    #[inline]
    pub fn option_bytes(&self) -> &'a [u8] {
        self.rest.get(..self.option_len()).unwrap_or(self.rest)
    }

    /// The capture (or the packet) ends inside the options.
    #[inline]
    pub fn options_cut(&self) -> bool {
        self.rest.len() < self.option_len()
    }

    /// The captured part of the payload.
    #[inline]
    pub fn payload(&self) -> &'a [u8] {
        self.rest.get(self.option_len()..).unwrap_or(&[])
    }

    /// Walks the options.
    #[inline]
    pub fn options(&self) -> Options<'a> {
        Options::new(self.option_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SYN_ACK: [u8; 26] = [
        0x1f, 0x90, 0xc0, 0x01, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x61, 0x52, 0xfa, 0xf0, 0xbe,
        0xef, 0x00, 0x07, 2, 4, 5, 0xb4, b'h', b'i',
    ];

    #[test]
    fn fields_stand_where_they_should() {
        let tcp = Tcp::parse(&SYN_ACK).unwrap();
        assert_eq!((tcp.src_port(), tcp.dst_port()), (8080, 0xc001));
        assert_eq!((tcp.seq(), tcp.ack()), (0x0102_0304, 0x0506_0708));
        assert_eq!(tcp.flags(), Flags::SYN | Flags::ACK | Flags::ECE | Flags::AE);
        assert_eq!((tcp.window(), tcp.checksum(), tcp.urgent()), (0xfaf0, 0xbeef, 7));
        assert_eq!((tcp.header_len(), tcp.options_cut()), (24, false));
        assert_eq!((tcp.option_bytes(), tcp.payload()), (&[2, 4, 5, 0xb4][..], &b"hi"[..]));
    }

    #[test]
    fn options_that_were_not_captured() {
        let tcp = Tcp::parse(&SYN_ACK[..22]).unwrap();
        assert!(tcp.options_cut());
        assert_eq!((tcp.option_bytes(), tcp.payload()), (&[2, 4][..], &[][..]));
        assert_eq!(tcp.header_len(), 24);
    }

    #[test]
    fn two_ways_of_being_no_tcp() {
        assert_eq!(Tcp::parse(&SYN_ACK[..19]).unwrap_err(), TcpError::Short);
        let mut bad = SYN_ACK;
        bad[12] = 0x40;
        assert_eq!(Tcp::parse(&bad).unwrap_err(), TcpError::BadOffset);
        assert_eq!(TcpError::BadOffset.to_string(), "TCP data offset below 5");
        assert_eq!(TcpError::Short.to_string(), "TCP header cut short");
    }

    #[test]
    fn ports_need_four_bytes() {
        assert_eq!(ports(&SYN_ACK[..4]), Some((8080, 0xc001)));
        assert_eq!(ports(&SYN_ACK[..3]), None);
    }

    proptest! {
        #[test]
        fn header_and_payload_share_out_the_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
            if let Ok(tcp) = Tcp::parse(&bytes) {
                prop_assert_eq!(20 + tcp.option_bytes().len() + tcp.payload().len(), bytes.len());
                prop_assert_eq!(tcp.options_cut(), bytes.len() < tcp.header_len());
                prop_assert!(tcp.options().count() <= 41);
            } else {
                prop_assert!(bytes.len() < 20 || bytes[12] < 0x50);
            }
        }
    }
}
