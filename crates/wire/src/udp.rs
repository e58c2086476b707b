//! UDP (RFC 768): a view and a builder.

use core::net::IpAddr;

use crate::Full;
use crate::bytes::{Writer, be16, room};
use crate::checksum;
use crate::ip::protocol;

/// Bytes of the header.
pub const HEADER_LEN: usize = 8;

/// A UDP datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Udp<'a> {
    /// Source port.
    pub src_port: u16,
    /// Destination port.
    pub dst_port: u16,
    /// Length of header and payload in bytes, as sent.
    pub len: u16,
    /// Checksum as sent; 0 when the sender made none.
    pub checksum: u16,
    /// What follows the header.
    pub payload: &'a [u8],
}

impl<'a> Udp<'a> {
    /// Reads a datagram from the captured part of an IP payload; `None` when the header is cut.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        Some(Self {
            src_port: be16(bytes, 0)?,
            dst_port: be16(bytes, 2)?,
            len: be16(bytes, 4)?,
            checksum: be16(bytes, 6)?,
            payload: bytes.get(HEADER_LEN..)?,
        })
    }
}

/// Writes a datagram with its checksum and returns its length.
pub fn emit(src: (IpAddr, u16), dst: (IpAddr, u16), payload: &[u8], out: &mut [u8]) -> Result<usize, Full> {
    let needed = HEADER_LEN + payload.len();
    let len = u16::try_from(needed).map_err(|_| Full { needed, room: 0xffff })?;
    let out = room(out, needed)?;
    Writer::new(out).u16(src.1).u16(dst.1).u16(len).u16(0).put(payload);
    // A sum of 0 is sent as its other form, since 0 says that there is none.
    let sum = match checksum::transport(src.0, dst.0, protocol::UDP, out) {
        0 => 0xffff,
        sum => sum,
    };
    if let Some(field) = out.get_mut(6..8) {
        field.copy_from_slice(&sum.to_be_bytes());
    }
    Ok(needed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_cut_header_is_none() {
        assert_eq!(Udp::parse(&[0; 7]), None);
        assert_eq!(
            emit(("::1".parse().unwrap(), 1), ("::1".parse().unwrap(), 2), b"x", &mut [0; 8]),
            Err(Full { needed: 9, room: 8 })
        );
    }

    proptest! {
        #[test]
        fn parse_gives_back_what_was_built(src in any::<[u8; 4]>(), dst in any::<[u8; 4]>(), ports in any::<(u16, u16)>(), payload in proptest::collection::vec(any::<u8>(), 0..60)) {
            let mut out = [0; 80];
            let len = emit((src.into(), ports.0), (dst.into(), ports.1), &payload, &mut out).unwrap();
            let udp = Udp::parse(&out[..len]).unwrap();
            prop_assert_eq!((udp.src_port, udp.dst_port, udp.payload), (ports.0, ports.1, &payload[..]));
            prop_assert_eq!(usize::from(udp.len), len);
            prop_assert_eq!(checksum::transport(src.into(), dst.into(), protocol::UDP, &out[..len]), 0);
        }
    }
}
