//! REMOVE_ADDR: withdraws addresses (RFC 6824 and RFC 8684, section 3.4.2).

use crate::Full;
use crate::bytes::Writer;

/// REMOVE_ADDR.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RemoveAddr<'a> {
    /// Ids of the addresses that are gone, at least one.
    pub ids: &'a [u8],
    /// The four reserved bits.
    pub reserved: u8,
}

impl<'a> RemoveAddr<'a> {
    pub(super) fn parse(option: &'a [u8]) -> Option<Self> {
        match option {
            [_, _, third, ids @ ..] if !ids.is_empty() => Some(Self { ids, reserved: third & 0x0f }),
            _ => None,
        }
    }

    /// Bytes on the wire.
    #[expect(clippy::len_without_is_empty, reason = "no option is empty")]
    pub fn len(&self) -> usize {
        3 + self.ids.len()
    }

    /// Writes the option and returns its length.
    pub fn emit(&self, out: &mut [u8]) -> Result<usize, Full> {
        let third = super::subtype::REMOVE_ADDR << 4 | self.reserved & 0x0f;
        let len = u8::try_from(self.len()).map_err(|_| Full { needed: self.len(), room: 255 })?;
        Writer::new(out).u8(super::KIND).u8(len).u8(third).put(self.ids).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mptcp::Mptcp;

    #[test]
    fn one_and_several_ids() {
        for bytes in [&[30, 4, 0x40, 7][..], &[30, 6, 0x45, 1, 2, 255]] {
            let value = RemoveAddr { ids: &bytes[3..], reserved: bytes[2] & 0x0f };
            assert_eq!(Mptcp::parse(bytes), Mptcp::RemoveAddr(value));
            let mut out = [0; 8];
            let len = value.emit(&mut out).unwrap();
            assert_eq!(&out[..len], bytes);
        }
    }

    #[test]
    fn no_id_is_malformed() {
        assert!(matches!(Mptcp::parse(&[30, 3, 0x40]), Mptcp::Malformed { subtype: Some(4), .. }));
    }

    #[test]
    fn too_many_ids_do_not_fit() {
        let value = RemoveAddr { ids: &[0; 300], reserved: 0 };
        assert_eq!(value.emit(&mut [0; 400]), Err(Full { needed: 303, room: 255 }));
    }
}
