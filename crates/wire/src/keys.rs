//! Keys, tokens, initial data sequence numbers and the HMACs of joins and announcements
//! (RFC 6824 and RFC 8684, sections 3.1, 3.2 and 3.4.1).

use core::fmt;
use core::net::IpAddr;

use hmac::{Hmac, KeyInit, Mac};
use sha1::{Digest, Sha1};
use sha2::Sha256;

/// The 64-bit key that one end of a connection makes up.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(pub u64);

/// Protocol version, which is to say the hash: SHA-1 for version 0, SHA-256 for version 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Version {
    /// RFC 6824.
    V0,
    /// RFC 8684.
    V1,
}

/// A version number that no RFC defines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownVersion(pub u8);

impl TryFrom<u8> for Version {
    type Error = UnknownVersion;

    fn try_from(version: u8) -> Result<Self, UnknownVersion> {
        match version {
            0 => Ok(Self::V0),
            1 => Ok(Self::V1),
            other => Err(UnknownVersion(other)),
        }
    }
}

impl From<Version> for u8 {
    fn from(version: Version) -> u8 {
        match version {
            Version::V0 => 0,
            Version::V1 => 1,
        }
    }
}

impl fmt::Display for UnknownVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown MPTCP version {}", self.0)
    }
}

impl core::error::Error for UnknownVersion {}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({:016x})", self.0)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl Key {
    /// The most significant 32 bits of the key's hash: what an MP_JOIN names the connection by.
    pub fn token(self, version: Version) -> u32 {
        self.token_and_idsn(version).0
    }

    /// The least significant 64 bits of the key's hash: the number of the MP_CAPABLE handshake,
    /// so that the first data byte has this plus one.
    pub fn idsn(self, version: Version) -> u64 {
        self.token_and_idsn(version).1
    }

    /// Token and initial data sequence number from one hash.
    pub fn token_and_idsn(self, version: Version) -> (u32, u64) {
        let key = self.0.to_be_bytes();
        match version {
            Version::V0 => ends(&Sha1::digest(key)),
            Version::V1 => ends(&Sha256::digest(key)),
        }
    }
}

fn ends(digest: &[u8]) -> (u32, u64) {
    let token = digest.first_chunk().map_or(0, |b| u32::from_be_bytes(*b));
    let idsn = digest.last_chunk().map_or(0, |b| u64::from_be_bytes(*b));
    (token, idsn)
}

/// Leftmost 160 bits of the HMAC with key `sender`‖`receiver` over `sender_nonce`‖`receiver_nonce`.
///
/// The third ACK of a join carries all 20 bytes with the client as sender, the SYN/ACK the first 8
/// with the server as sender; see [`leftmost64`].
pub fn join_hmac(
    version: Version,
    sender: Key,
    receiver: Key,
    sender_nonce: u32,
    receiver_nonce: u32,
) -> [u8; 20] {
    let key = concatenated(sender, receiver);
    let nonces = (u64::from(sender_nonce) << 32 | u64::from(receiver_nonce)).to_be_bytes();
    match version {
        Version::V0 => hmac_sha1(&key, &nonces),
        Version::V1 => {
            let full = hmac_sha256(&key, &[&nonces]);
            full.first_chunk().copied().unwrap_or([0; 20])
        }
    }
}

/// The first 64 bits of an HMAC, as the SYN/ACK of a join carries them.
pub fn leftmost64(hmac: &[u8; 20]) -> u64 {
    hmac.first_chunk().map_or(0, |b| u64::from_be_bytes(*b))
}

/// Rightmost 64 bits of HMAC-SHA256 with key `sender`‖`receiver` over address id, address and port
/// (0 when the option has none): the proof in a version 1 ADD_ADDR.
pub fn add_addr_hmac(sender: Key, receiver: Key, address_id: u8, addr: IpAddr, port: Option<u16>) -> u64 {
    let port = port.unwrap_or(0).to_be_bytes();
    let key = concatenated(sender, receiver);
    let full = match addr {
        IpAddr::V4(v4) => hmac_sha256(&key, &[&[address_id], &v4.octets(), &port]),
        IpAddr::V6(v6) => hmac_sha256(&key, &[&[address_id], &v6.octets(), &port]),
    };
    full.last_chunk().map_or(0, |b| u64::from_be_bytes(*b))
}

fn concatenated(first: Key, second: Key) -> [u8; 16] {
    (u128::from(first.0) << 64 | u128::from(second.0)).to_be_bytes()
}

fn hmac_sha1(key: &[u8; 16], message: &[u8]) -> [u8; 20] {
    let mut mac = Hmac::<Sha1>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(message);
    mac.finalize().into_bytes().into()
}

fn hmac_sha256(key: &[u8; 16], message: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    for part in message {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Key = Key(0xb49d_03c2_011d_7aba);
    const B: Key = Key(0x8fb9_c7b4_93f3_3d4b);
    const NONCE_A: u32 = 0x0102_0304;
    const NONCE_B: u32 = 0x0506_0708;

    fn bytes20(hex: &str) -> [u8; 20] {
        core::array::from_fn(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap())
    }

    #[test]
    fn token_and_idsn_of_both_versions() {
        assert_eq!(A.token_and_idsn(Version::V0), (0x0aae_a959, 0xbb48_414b_5d50_7697));
        assert_eq!(A.token_and_idsn(Version::V1), (0xad88_d4f6, 0xf63b_f958_2b0c_154b));
        assert_eq!(B.token_and_idsn(Version::V0), (0x7b14_451d, 0x3ca0_a8cd_b095_384d));
        assert_eq!(B.token_and_idsn(Version::V1), (0x7ae7_2cca, 0xf4ca_be74_fb67_3f76));
        assert_eq!(A.token(Version::V0), 0x0aae_a959);
        assert_eq!(B.idsn(Version::V1), 0xf4ca_be74_fb67_3f76);
    }

    #[test]
    fn join_hmac_of_both_versions() {
        let a0 = join_hmac(Version::V0, A, B, NONCE_A, NONCE_B);
        assert_eq!(a0, bytes20("aa8cfde34c28760c44c9f52aecf8f77e34fbbcf8"));
        let b0 = join_hmac(Version::V0, B, A, NONCE_B, NONCE_A);
        assert_eq!(leftmost64(&b0), 0xaa6a_b1e6_4137_0097);
        let a1 = join_hmac(Version::V1, A, B, NONCE_A, NONCE_B);
        assert_eq!(a1, bytes20("b215ad09166f8d9f9b3dc97084a7974031c6f27e"));
        let b1 = join_hmac(Version::V1, B, A, NONCE_B, NONCE_A);
        assert_eq!(leftmost64(&b1), 0xef80_9f96_429e_0fcc);
    }

    #[test]
    fn announcement_hmac() {
        let addr: IpAddr = "192.0.2.1".parse().unwrap();
        assert_eq!(add_addr_hmac(A, B, 2, addr, None), 0x9255_abc5_8525_753c);
        assert_eq!(add_addr_hmac(A, B, 2, addr, Some(0)), 0x9255_abc5_8525_753c);
        assert_ne!(add_addr_hmac(A, B, 2, addr, Some(1)), 0x9255_abc5_8525_753c);
    }

    #[test]
    fn versions_beyond_one_have_no_hash() {
        assert_eq!(Version::try_from(1), Ok(Version::V1));
        assert_eq!(Version::try_from(2), Err(UnknownVersion(2)));
        assert_eq!(u8::from(Version::V0), 0);
        assert_eq!(UnknownVersion(7).to_string(), "unknown MPTCP version 7");
    }

    #[test]
    fn keys_print_as_hex() {
        assert_eq!(Key(0xab).to_string(), "00000000000000ab");
        assert_eq!(format!("{:?}", Key(1)), "Key(0000000000000001)");
    }
}
