//! MP_FASTCLOSE: aborts the whole connection (RFC 6824 and RFC 8684, section 3.5).

use crate::Full;
use crate::bytes::{Writer, be16, be64};
use crate::keys::Key;

/// MP_FASTCLOSE, 12 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FastClose {
    /// The receiver's key, which proves that the sender belongs to the connection.
    pub key: Key,
    /// The twelve reserved bits.
    pub reserved: u16,
}

impl FastClose {
    /// Bytes on the wire.
    pub const LEN: usize = 12;

    pub(super) fn parse(option: &[u8]) -> Option<Self> {
        if option.len() != Self::LEN {
            return None;
        }
        Some(Self { key: Key(be64(option, 4)?), reserved: be16(option, 2)? & 0x0fff })
    }

    /// Writes the option and returns its length.
    pub fn emit(&self, out: &mut [u8]) -> Result<usize, Full> {
        let head = u16::from(super::subtype::MP_FASTCLOSE) << 12 | self.reserved & 0x0fff;
        Writer::new(out).u8(super::KIND).u8(Self::LEN as u8).u16(head).u64(self.key.0).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mptcp::Mptcp;

    #[test]
    fn both_ways() {
        let bytes = [30, 12, 0x7a, 0xbc, 0x8f, 0xb9, 0xc7, 0xb4, 0x93, 0xf3, 0x3d, 0x4b];
        let value = FastClose { key: Key(0x8fb9_c7b4_93f3_3d4b), reserved: 0x0abc };
        assert_eq!(Mptcp::parse(&bytes), Mptcp::FastClose(value));
        let mut out = [0; 12];
        assert_eq!(value.emit(&mut out), Ok(12));
        assert_eq!(out, bytes);
    }

    #[test]
    fn other_lengths_are_malformed() {
        assert!(matches!(Mptcp::parse(&[30, 4, 0x70, 0]), Mptcp::Malformed { subtype: Some(7), .. }));
    }
}
