//! Builds TCP segments.

use core::net::IpAddr;

use super::{Flags, HEADER_LEN, TcpOption};
use crate::Full;
use crate::bytes::{Writer, room};
use crate::checksum;
use crate::ip::protocol;

/// Most option bytes that a header can hold.
pub const MAX_OPTION_BYTES: usize = 40;

/// The fixed fields of a TCP header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// Source port.
    pub src_port: u16,
    /// Destination port.
    pub dst_port: u16,
    /// Sequence number.
    pub seq: u32,
    /// Acknowledgement number.
    pub ack: u32,
    /// Flags and reserved bits.
    pub flags: Flags,
    /// Receive window in bytes, not scaled.
    pub window: u16,
    /// Urgent pointer.
    pub urgent: u16,
}

/// Bytes of the options, padded to whole words.
pub fn options_len(options: &[TcpOption<'_>]) -> usize {
    options.iter().map(TcpOption::len).sum::<usize>().next_multiple_of(4)
}

/// Writes options one after the other, padded with zeros (end of options) to whole words; returns their length.
pub fn emit_options(options: &[TcpOption<'_>], out: &mut [u8]) -> Result<usize, Full> {
    let needed = options_len(options);
    let out = room(out, needed)?;
    let mut at = 0;
    for option in options {
        at += option.emit(out.get_mut(at..).unwrap_or_default())?;
    }
    if let Some(padding) = out.get_mut(at..) {
        padding.fill(0);
    }
    Ok(needed)
}

impl Header {
    /// Bytes of a whole segment.
    pub fn segment_len(options: &[TcpOption<'_>], payload: &[u8]) -> usize {
        HEADER_LEN + options_len(options) + payload.len()
    }

    /// Writes a segment with its checksum and returns its length.
    pub fn emit(
        &self,
        src: IpAddr,
        dst: IpAddr,
        options: &[TcpOption<'_>],
        payload: &[u8],
        out: &mut [u8],
    ) -> Result<usize, Full> {
        let option_len = options_len(options);
        if option_len > MAX_OPTION_BYTES {
            return Err(Full { needed: option_len, room: MAX_OPTION_BYTES });
        }
        let needed = Self::segment_len(options, payload);
        let out = room(out, needed)?;
        let offset = ((HEADER_LEN + option_len) / 4) as u16;
        let mut w = Writer::new(out);
        w.u16(self.src_port).u16(self.dst_port).u32(self.seq).u32(self.ack);
        w.u16(offset << 12 | self.flags.0 & 0x0fff).u16(self.window).u16(0).u16(self.urgent);
        emit_options(options, out.get_mut(HEADER_LEN..).unwrap_or_default())?;
        if let Some(place) = out.get_mut(HEADER_LEN + option_len..) {
            place.copy_from_slice(payload);
        }
        let sum = checksum::transport(src, dst, protocol::TCP, out);
        if let Some(place) = out.get_mut(16..18) {
            place.copy_from_slice(&sum.to_be_bytes());
        }
        Ok(needed)
    }
}

impl From<&super::Tcp<'_>> for Header {
    fn from(tcp: &super::Tcp<'_>) -> Self {
        Self {
            src_port: tcp.src_port(),
            dst_port: tcp.dst_port(),
            seq: tcp.seq(),
            ack: tcp.ack(),
            flags: tcp.flags(),
            window: tcp.window(),
            urgent: tcp.urgent(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tcp::Tcp;
    use proptest::prelude::*;

    fn addrs() -> (IpAddr, IpAddr) {
        ("10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap())
    }

    #[test]
    fn too_many_options_and_too_small_buffers() {
        let (src, dst) = addrs();
        let many = [TcpOption::Timestamps { value: 0, echo: 0 }; 5];
        let mut out = [0; 100];
        assert_eq!(
            Header::default().emit(src, dst, &many, b"", &mut out),
            Err(Full { needed: 52, room: 40 })
        );
        assert_eq!(
            Header::default().emit(src, dst, &[], b"abc", &mut out[..22]),
            Err(Full { needed: 23, room: 22 })
        );
        assert_eq!(emit_options(&many[..1], &mut out[..11]), Err(Full { needed: 12, room: 11 }));
    }

    #[test]
    fn padding_ends_the_options() {
        let mut out = [0xff; 8];
        assert_eq!(emit_options(&[TcpOption::WindowScale(7), TcpOption::SackPermitted], &mut out), Ok(8));
        assert_eq!(out, [3, 3, 7, 4, 2, 0, 0, 0]);
    }

    proptest! {
        #[test]
        fn parse_gives_back_what_was_built(
            ports in any::<(u16, u16)>(), numbers in any::<(u32, u32)>(), flags in 0u16..0x1000,
            words in any::<(u16, u16)>(), value in any::<u32>(), v6 in any::<bool>(),
            payload in proptest::collection::vec(any::<u8>(), 0..80),
        ) {
            let (src, dst) = if v6 { ("::1".parse().unwrap(), "2001:db8::2".parse().unwrap()) } else { addrs() };
            let header = Header {
                src_port: ports.0, dst_port: ports.1, seq: numbers.0, ack: numbers.1,
                flags: Flags(flags), window: words.0, urgent: words.1,
            };
            let options = [TcpOption::Nop, TcpOption::Nop, TcpOption::Timestamps { value, echo: 1 }];
            let mut out = [0u8; 200];
            let len = header.emit(src, dst, &options, &payload, &mut out).unwrap();
            let tcp = Tcp::parse(&out[..len]).unwrap();
            prop_assert_eq!(Header::from(&tcp), header);
            prop_assert_eq!(tcp.options().collect::<Vec<_>>(), options);
            prop_assert_eq!(tcp.payload(), &payload[..]);
            prop_assert_eq!(checksum::transport(src, dst, protocol::TCP, &out[..len]), 0);
        }
    }
}
