//! MP_JOIN: the handshake of a further subflow (RFC 6824 and RFC 8684, section 3.2).

use crate::Full;
use crate::bytes::{Writer, array_at, be32, be64};

/// MP_JOIN. Which packet of the handshake it belongs to is told by its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Join {
    /// In the SYN, 12 bytes.
    Syn {
        /// Flag B: to be used only when no other subflow is left.
        backup: bool,
        /// The sender's address id.
        address_id: u8,
        /// Token of the connection to join, made from the receiver's key.
        token: u32,
        /// The sender's random number.
        nonce: u32,
        /// The three reserved bits beside B, in place (0x0e).
        reserved: u8,
    },
    /// In the SYN/ACK, 16 bytes.
    SynAck {
        /// Flag B.
        backup: bool,
        /// The sender's address id.
        address_id: u8,
        /// Leftmost 64 bits of the sender's HMAC.
        hmac: u64,
        /// The sender's random number.
        nonce: u32,
        /// The three reserved bits beside B, in place (0x0e).
        reserved: u8,
    },
    /// In the third ACK, 24 bytes.
    Ack {
        /// Leftmost 160 bits of the sender's HMAC.
        hmac: [u8; 20],
        /// The twelve reserved bits.
        reserved: u16,
    },
}

const BACKUP: u8 = 0x01;

impl Join {
    pub(super) fn parse(option: &[u8]) -> Option<Self> {
        let low = option.get(2)? & 0x0f;
        let fourth = *option.get(3)?;
        let (backup, reserved) = (low & BACKUP != 0, low & !BACKUP);
        Some(match option.len() {
            12 => Self::Syn {
                backup,
                address_id: fourth,
                token: be32(option, 4)?,
                nonce: be32(option, 8)?,
                reserved,
            },
            16 => Self::SynAck {
                backup,
                address_id: fourth,
                hmac: be64(option, 4)?,
                nonce: be32(option, 12)?,
                reserved,
            },
            24 => Self::Ack { hmac: array_at(option, 4)?, reserved: u16::from_be_bytes([low, fourth]) },
            _ => return None,
        })
    }

    /// Bytes on the wire.
    #[expect(clippy::len_without_is_empty, reason = "no option is empty")]
    pub fn len(&self) -> usize {
        match self {
            Self::Syn { .. } => 12,
            Self::SynAck { .. } => 16,
            Self::Ack { .. } => 24,
        }
    }

    /// Writes the option and returns its length.
    pub fn emit(&self, out: &mut [u8]) -> Result<usize, Full> {
        let first = super::subtype::MP_JOIN << 4;
        let low = |backup: bool, reserved: u8| first | reserved & 0x0e | u8::from(backup);
        let mut w = Writer::new(out);
        w.u8(super::KIND).u8(self.len() as u8);
        match *self {
            Self::Syn { backup, address_id, token, nonce, reserved } => {
                w.u8(low(backup, reserved)).u8(address_id).u32(token).u32(nonce);
            }
            Self::SynAck { backup, address_id, hmac, nonce, reserved } => {
                w.u8(low(backup, reserved)).u8(address_id).u64(hmac).u32(nonce);
            }
            Self::Ack { hmac, reserved } => {
                w.u16(u16::from(first) << 8 | reserved & 0x0fff).put(&hmac);
            }
        }
        w.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mptcp::Mptcp;

    #[track_caller]
    fn both_ways(bytes: &[u8], value: Join) {
        assert_eq!(Mptcp::parse(bytes), Mptcp::Join(value));
        let mut out = [0; 24];
        let len = value.emit(&mut out).unwrap();
        assert_eq!(&out[..len], bytes);
    }

    #[test]
    fn syn() {
        both_ways(
            &[30, 12, 0x11, 3, 0x0a, 0xae, 0xa9, 0x59, 1, 2, 3, 4],
            Join::Syn { backup: true, address_id: 3, token: 0x0aae_a959, nonce: 0x0102_0304, reserved: 0 },
        );
    }

    #[test]
    fn syn_ack_with_reserved_bits() {
        both_ways(
            &[30, 16, 0x1a, 0, 0xaa, 0x6a, 0xb1, 0xe6, 0x41, 0x37, 0x00, 0x97, 5, 6, 7, 8],
            Join::SynAck {
                backup: false,
                address_id: 0,
                hmac: 0xaa6a_b1e6_4137_0097,
                nonce: 0x0506_0708,
                reserved: 0x0a,
            },
        );
    }

    #[test]
    fn third_ack() {
        let mut bytes = [7; 24];
        bytes[..4].copy_from_slice(&[30, 24, 0x10, 0x00]);
        both_ways(&bytes, Join::Ack { hmac: [7; 20], reserved: 0 });
        bytes[2] = 0x1c;
        bytes[3] = 0x55;
        both_ways(&bytes, Join::Ack { hmac: [7; 20], reserved: 0x0c55 });
    }

    #[test]
    fn other_lengths_are_malformed() {
        for len in [3usize, 4, 11, 13, 20, 23, 25] {
            let mut bytes = vec![0x10u8; len];
            bytes[0] = 30;
            bytes[1] = len as u8;
            assert!(matches!(Mptcp::parse(&bytes), Mptcp::Malformed { subtype: Some(1), .. }), "{len}");
        }
    }
}
