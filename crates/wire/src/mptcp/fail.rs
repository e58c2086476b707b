//! MP_FAIL: a checksum failed, or mappings end (RFC 6824, section 3.6; RFC 8684, section 3.7).

use crate::Full;
use crate::bytes::{Writer, be16, be64};

/// MP_FAIL, 12 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fail {
    /// Data sequence number of the segment that failed.
    pub dsn: u64,
    /// The twelve reserved bits.
    pub reserved: u16,
}

impl Fail {
    /// Bytes on the wire.
    pub const LEN: usize = 12;

    pub(super) fn parse(option: &[u8]) -> Option<Self> {
        if option.len() != Self::LEN {
            return None;
        }
        Some(Self { dsn: be64(option, 4)?, reserved: be16(option, 2)? & 0x0fff })
    }

    /// Writes the option and returns its length.
    pub fn emit(&self, out: &mut [u8]) -> Result<usize, Full> {
        let head = u16::from(super::subtype::MP_FAIL) << 12 | self.reserved & 0x0fff;
        Writer::new(out).u8(super::KIND).u8(Self::LEN as u8).u16(head).u64(self.dsn).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mptcp::Mptcp;

    #[test]
    fn both_ways() {
        let bytes = [30, 12, 0x60, 0x00, 1, 2, 3, 4, 5, 6, 7, 8];
        let value = Fail { dsn: 0x0102_0304_0506_0708, reserved: 0 };
        assert_eq!(Mptcp::parse(&bytes), Mptcp::Fail(value));
        let mut out = [0; 12];
        assert_eq!(value.emit(&mut out), Ok(12));
        assert_eq!(out, bytes);
    }

    #[test]
    fn the_short_number_of_old_drafts_is_malformed() {
        let bytes = [30, 8, 0x60, 0x00, 1, 2, 3, 4];
        assert!(matches!(Mptcp::parse(&bytes), Mptcp::Malformed { subtype: Some(6), .. }));
    }
}
