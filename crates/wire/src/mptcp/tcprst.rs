//! MP_TCPRST: why a subflow is reset (RFC 8684, section 3.6; version 1 only).

use crate::Full;
use crate::bytes::{Writer, u8_at};

/// MP_TCPRST, 4 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpRst {
    /// The four flag bits U, V, W, T.
    pub flags: u8,
    /// Reason code.
    pub reason: u8,
}

impl TcpRst {
    /// Bytes on the wire.
    pub const LEN: usize = 4;
    /// Flag T: the condition is transient, the path may be tried again.
    pub const TRANSIENT: u8 = 0x01;

    /// Flag T: the condition is transient, the path may be tried again.
    pub fn transient(&self) -> bool {
        self.flags & Self::TRANSIENT != 0
    }

    /// The reason in words, or `unknown`.
    pub fn reason_text(&self) -> &'static str {
        match self.reason {
            0 => "unspecified error",
            1 => "MPTCP-specific error",
            2 => "lack of resources",
            3 => "administratively prohibited",
            4 => "too much outstanding data",
            5 => "unacceptable performance",
            6 => "middlebox interference",
            _ => "unknown",
        }
    }

    pub(super) fn parse(option: &[u8]) -> Option<Self> {
        if option.len() != Self::LEN {
            return None;
        }
        Some(Self { flags: u8_at(option, 2)? & 0x0f, reason: u8_at(option, 3)? })
    }

    /// Writes the option and returns its length.
    pub fn emit(&self, out: &mut [u8]) -> Result<usize, Full> {
        let third = super::subtype::MP_TCPRST << 4 | self.flags & 0x0f;
        Writer::new(out).u8(super::KIND).u8(Self::LEN as u8).u8(third).u8(self.reason).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mptcp::Mptcp;

    #[test]
    fn both_ways() {
        let bytes = [30, 4, 0x81, 6];
        let value = TcpRst { flags: 1, reason: 6 };
        assert_eq!(Mptcp::parse(&bytes), Mptcp::TcpRst(value));
        assert!(value.transient());
        assert_eq!(value.reason_text(), "middlebox interference");
        let mut out = [0; 4];
        assert_eq!(value.emit(&mut out), Ok(4));
        assert_eq!(out, bytes);
    }

    #[test]
    fn unknown_reasons_and_lengths() {
        assert_eq!(TcpRst { flags: 0, reason: 200 }.reason_text(), "unknown");
        assert!(matches!(Mptcp::parse(&[30, 5, 0x80, 0, 0]), Mptcp::Malformed { subtype: Some(8), .. }));
    }
}
