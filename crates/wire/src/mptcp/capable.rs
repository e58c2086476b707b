//! MP_CAPABLE: the handshake of a connection's first subflow (RFC 6824 and RFC 8684, section 3.1).

use crate::Full;
use crate::bytes::{Writer, be16, be64};
use crate::keys::Key;

/// MP_CAPABLE, in any of its lengths.
///
/// The fields follow one another on the wire, so a later one is only there when the earlier ones are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capable {
    /// Protocol version: 0 (RFC 6824) or 1 (RFC 8684); others as they were sent.
    pub version: u8,
    /// The flag byte, bits A to H as sent.
    pub flags: u8,
    /// The sender's key: every form but the 4-byte SYN of version 1.
    pub sender_key: Option<Key>,
    /// The receiver's key: the third ACK and the first data.
    pub receiver_key: Option<Key>,
    /// Data-level length in bytes of the first data (version 1, 22 and 24 bytes).
    pub data_len: Option<u16>,
    /// Checksum of that data (version 1, 24 bytes).
    pub checksum: Option<u16>,
}

impl Capable {
    /// Flag A: DSS checksums are required.
    pub const CHECKSUM_REQUIRED: u8 = 0x80;
    /// Flag B: extensibility, must be 0.
    pub const EXTENSIBILITY: u8 = 0x40;
    /// Flag C: no joins to this address and port (version 1).
    pub const DENY_JOIN: u8 = 0x20;
    /// Flag H: HMAC-SHA1 in version 0, HMAC-SHA256 in version 1.
    pub const HMAC: u8 = 0x01;

    /// Flag A: the sender requires DSS checksums.
    pub fn checksum_required(&self) -> bool {
        self.flags & Self::CHECKSUM_REQUIRED != 0
    }

    /// Flag B.
    pub fn extensibility(&self) -> bool {
        self.flags & Self::EXTENSIBILITY != 0
    }

    /// Flag C: the sender takes no joins to this address and port.
    pub fn deny_join(&self) -> bool {
        self.flags & Self::DENY_JOIN != 0
    }

    /// Flag H: the hash function of the version is offered.
    pub fn hmac(&self) -> bool {
        self.flags & Self::HMAC != 0
    }

    pub(super) fn parse(option: &[u8]) -> Option<Self> {
        if !matches!(option.len(), 4 | 12 | 20 | 22 | 24) {
            return None;
        }
        Some(Self {
            version: option.get(2)? & 0x0f,
            flags: *option.get(3)?,
            sender_key: be64(option, 4).map(Key),
            receiver_key: be64(option, 12).map(Key),
            data_len: be16(option, 20),
            checksum: be16(option, 22),
        })
    }

    /// Bytes on the wire.
    #[expect(clippy::len_without_is_empty, reason = "no option is empty")]
    pub fn len(&self) -> usize {
        match (self.sender_key, self.receiver_key, self.data_len, self.checksum) {
            (None, ..) => 4,
            (_, None, ..) => 12,
            (_, _, None, _) => 20,
            (_, _, _, None) => 22,
            _ => 24,
        }
    }

    /// Writes the option and returns its length.
    pub fn emit(&self, out: &mut [u8]) -> Result<usize, Full> {
        let len = self.len();
        let mut w = Writer::new(out);
        w.u8(super::KIND)
            .u8(len as u8)
            .u8(super::subtype::MP_CAPABLE << 4 | self.version & 0x0f)
            .u8(self.flags);
        if len >= 12 {
            w.u64(self.sender_key.map_or(0, |k| k.0));
        }
        if len >= 20 {
            w.u64(self.receiver_key.map_or(0, |k| k.0));
        }
        if len >= 22 {
            w.u16(self.data_len.unwrap_or(0));
        }
        if len >= 24 {
            w.u16(self.checksum.unwrap_or(0));
        }
        w.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mptcp::Mptcp;

    const BARE: Capable = Capable {
        version: 1,
        flags: 0x81,
        sender_key: None,
        receiver_key: None,
        data_len: None,
        checksum: None,
    };
    const KEY_A: Option<Key> = Some(Key(0xb49d_03c2_011d_7aba));
    const KEY_B: Option<Key> = Some(Key(0x8fb9_c7b4_93f3_3d4b));

    #[track_caller]
    fn both_ways(bytes: &[u8], value: Capable) {
        assert_eq!(Mptcp::parse(bytes), Mptcp::Capable(value));
        let mut out = [0; 24];
        let len = value.emit(&mut out).unwrap();
        assert_eq!(&out[..len], bytes);
    }

    #[test]
    fn version_1_syn() {
        both_ways(&[30, 4, 0x01, 0x81], BARE);
        assert!(BARE.checksum_required() && BARE.hmac() && !BARE.deny_join() && !BARE.extensibility());
    }

    #[test]
    fn version_0_syn() {
        both_ways(
            &[30, 12, 0x00, 0x01, 0xb4, 0x9d, 0x03, 0xc2, 0x01, 0x1d, 0x7a, 0xba],
            Capable { version: 0, flags: 1, sender_key: KEY_A, ..BARE },
        );
    }

    #[test]
    fn third_ack_and_first_data() {
        let mut bytes = vec![
            30, 24, 0x01, 0x21, 0xb4, 0x9d, 0x03, 0xc2, 0x01, 0x1d, 0x7a, 0xba, 0x8f, 0xb9, 0xc7, 0xb4, 0x93,
            0xf3, 0x3d, 0x4b, 0x05, 0xb4, 0xab, 0xcd,
        ];
        let full = Capable {
            flags: 0x21,
            sender_key: KEY_A,
            receiver_key: KEY_B,
            data_len: Some(1460),
            checksum: Some(0xabcd),
            ..BARE
        };
        assert!(full.deny_join());
        both_ways(&bytes, full);
        bytes.truncate(22);
        bytes[1] = 22;
        both_ways(&bytes, Capable { checksum: None, ..full });
        bytes.truncate(20);
        bytes[1] = 20;
        both_ways(&bytes, Capable { checksum: None, data_len: None, ..full });
    }

    #[test]
    fn other_lengths_are_malformed() {
        for len in [3usize, 5, 8, 11, 13, 16, 21, 23, 25, 40] {
            let mut bytes = vec![0u8; len];
            bytes[0] = 30;
            bytes[1] = len as u8;
            assert!(matches!(Mptcp::parse(&bytes), Mptcp::Malformed { subtype: Some(0), .. }), "{len}");
        }
    }
}
