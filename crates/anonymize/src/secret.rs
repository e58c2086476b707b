//! The secret that every replacement follows from.

use sha2::{Digest, Sha256};
use siphasher::sip::SipHasher24;
use std::{fmt, fs::File, hash::Hasher, io, io::Read};
use subflow_wire::Key;

/// Fewest bytes of a secret: what can be guessed hides nothing.
const FEWEST: usize = 16;

/// What a number is made for, so that no two kinds of replacement have anything in common.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Use {
    Ipv4 = 1,
    Ipv6,
    Mac,
    Key,
    Token,
    Nonce,
    Hmac,
    DataSequence,
    Cookie,
    Checksum,
    Tunnel,
}

/// The secret of a run. The same secret makes the same replacements, so captures that belong together stay comparable;
/// who knows it can undo those of addresses.
#[derive(Clone)]
pub struct Secret([u8; 16]);

/// Too short to be a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a secret of {length} bytes can be guessed; at least {FEWEST} are needed")]
pub struct TooShort {
    /// Bytes there are.
    pub length: usize,
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl Secret {
    /// A secret from at least 16 bytes, of which all count.
    pub fn new(bytes: &[u8]) -> Result<Self, TooShort> {
        if bytes.len() < FEWEST {
            return Err(TooShort { length: bytes.len() });
        }
        let digest = Sha256::digest(bytes);
        Ok(Self(digest.first_chunk().copied().unwrap_or_default()))
    }

    /// A secret that nobody knows, from the system's random numbers.
    pub fn random() -> io::Result<Self> {
        let mut bytes = [0; 16];
        File::open("/dev/urandom")?.read_exact(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// A 64-bit number that follows from the secret and these bytes (SipHash-2-4, a pseudo-random function).
    pub(crate) fn number(&self, purpose: Use, bytes: &[u8]) -> u64 {
        let mut hasher = SipHasher24::new_with_key(&self.0);
        hasher.write(&[purpose as u8]);
        hasher.write(bytes);
        hasher.finish()
    }

    /// What stands for a key.
    pub(crate) fn key(&self, key: Key) -> Key {
        Key(self.number(Use::Key, &key.0.to_be_bytes()))
    }

    /// What stands for a token whose key is not known.
    pub(crate) fn token(&self, token: u32) -> u32 {
        self.number(Use::Token, &token.to_be_bytes()) as u32
    }

    /// What stands for a random number of a join.
    pub(crate) fn nonce(&self, nonce: u32) -> u32 {
        self.number(Use::Nonce, &nonce.to_be_bytes()) as u32
    }

    /// By how much data sequence numbers are shifted where no key says it: the same for all such connections, as they
    /// are told apart by how far their numbers lie from one another.
    pub(crate) fn shift(&self) -> u64 {
        self.number(Use::DataSequence, &[])
    }

    /// Fills `out` with what stands for `bytes`, however long.
    pub(crate) fn fill(&self, purpose: Use, bytes: &[u8], out: &mut [u8]) {
        let seed = self.number(purpose, bytes);
        for (index, piece) in (0_u64..).zip(out.chunks_mut(8)) {
            let mut block = [0; 16];
            block[..8].copy_from_slice(&seed.to_be_bytes());
            block[8..].copy_from_slice(&index.to_be_bytes());
            let word = self.number(purpose, &block).to_be_bytes();
            piece.iter_mut().zip(word).for_each(|(to, from)| *to = from);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_bytes_of_a_secret_count() {
        let a = Secret::new(&[1; 17]).unwrap();
        let b = Secret::new(&[1; 18]).unwrap();
        assert_eq!(a.key(Key(5)), Secret::new(&[1; 17]).unwrap().key(Key(5)));
        assert_ne!(a.key(Key(5)), b.key(Key(5)));
        assert_eq!(Secret::new(&[1; 15]).unwrap_err(), TooShort { length: 15 });
    }

    #[test]
    fn uses_have_nothing_in_common() {
        let secret = Secret::new(&[7; 16]).unwrap();
        assert_ne!(secret.token(9), secret.nonce(9));
    }

    #[test]
    fn filling_repeats_nothing() {
        let secret = Secret::new(&[7; 16]).unwrap();
        let (mut long, mut short) = ([0; 20], [0; 12]);
        secret.fill(Use::Cookie, b"abc", &mut long);
        secret.fill(Use::Cookie, b"abc", &mut short);
        assert_eq!(long[..12], short);
        assert_ne!(long[..8], long[8..16]);
    }

    #[test]
    fn a_secret_is_not_printed() {
        assert_eq!(format!("{:?}", Secret::random().unwrap()), "Secret");
    }
}
