//! MP_PRIO: makes a subflow a backup or a regular one (RFC 6824 and RFC 8684, section 3.3.8).

use crate::Full;
use crate::bytes::Writer;

/// MP_PRIO: 3 bytes, or 4 with an address id (version 0).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prio {
    /// Flag B: to be used only when no other subflow is left.
    pub backup: bool,
    /// Address whose subflows are meant, instead of the one that carries the option.
    pub address_id: Option<u8>,
    /// The three reserved bits beside B, in place (0x0e).
    pub reserved: u8,
}

const BACKUP: u8 = 0x01;

impl Prio {
    pub(super) fn parse(option: &[u8]) -> Option<Self> {
        let (third, address_id) = match *option {
            [_, _, third] => (third, None),
            [_, _, third, id] => (third, Some(id)),
            _ => return None,
        };
        Some(Self { backup: third & BACKUP != 0, address_id, reserved: third & 0x0e })
    }

    /// Bytes on the wire.
    #[expect(clippy::len_without_is_empty, reason = "no option is empty")]
    pub fn len(&self) -> usize {
        if self.address_id.is_some() { 4 } else { 3 }
    }

    /// Writes the option and returns its length.
    pub fn emit(&self, out: &mut [u8]) -> Result<usize, Full> {
        let third = super::subtype::MP_PRIO << 4 | self.reserved & 0x0e | u8::from(self.backup);
        let mut w = Writer::new(out);
        w.u8(super::KIND).u8(self.len() as u8).u8(third);
        if let Some(id) = self.address_id {
            w.u8(id);
        }
        w.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mptcp::Mptcp;

    #[test]
    fn both_lengths() {
        for (bytes, value) in [
            (&[30, 3, 0x51][..], Prio { backup: true, address_id: None, reserved: 0 }),
            (&[30, 3, 0x50], Prio { backup: false, address_id: None, reserved: 0 }),
            (&[30, 4, 0x5b, 9], Prio { backup: true, address_id: Some(9), reserved: 0x0a }),
        ] {
            assert_eq!(Mptcp::parse(bytes), Mptcp::Prio(value));
            let mut out = [0; 4];
            let len = value.emit(&mut out).unwrap();
            assert_eq!(&out[..len], bytes);
        }
    }

    #[test]
    fn longer_is_malformed() {
        assert!(matches!(Mptcp::parse(&[30, 5, 0x51, 0, 0]), Mptcp::Malformed { subtype: Some(5), .. }));
    }
}
