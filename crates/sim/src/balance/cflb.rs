//! CFLB, controllable per-flow load balancing (Detal, Paasch, van der Linden, Mérindol, Avoine, Bonaventure, "Revisiting flow-based
//! load balancing: stateless path selection in data center networks", Computer Networks 2013): the coding.
//!
//! Instead of a one-way hash, switches apply an invertible one to the fields that the source controls (here the source port), keyed by a hash
//! of those it does not. What comes out is a selector: a number whose digits, in a mixed radix, are the next hops; a switch takes the
//! digit that the TTL tells it. So a source that knows the radices can write any path into the port, while ports that nobody chose still spread
//! evenly.
//!
//! The cipher is a Feistel network of six rounds on 16 bits. Ports below the first are no choice, so that it permutes a smaller domain: a
//! result outside is enciphered again until it is inside (cycle walking; Black and Rogaway, "Ciphers with arbitrary finite domains", CT-RSA
//! 2002).

use crate::random::{Random, mix};

/// The first port that sources use.
pub const FIRST_PORT: u16 = 1024;
/// How many ports sources use.
const PORTS: u32 = 65536 - FIRST_PORT as u32;
const ROUNDS: u64 = 6;

/// How the ports of one pair of hosts (one key) stand for paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coding {
    key: u64,
    radices: Vec<u32>,
    paths: u32,
}

/// Why there is no coding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A switch without next hops.
    #[error("a switch has no next hop to choose")]
    NoHop,
    /// More paths than ports.
    #[error("more paths than the {PORTS} ports can name")]
    TooMany,
}

impl Coding {
    /// The coding for a key (a hash of addresses, destination port and protocol) and the number of choices at each switch on the way, in
    /// the order in which packets meet them. Switches without a choice count as 1.
    ///
    /// # Errors
    /// [`Error`] when a switch has no choice at all, or when ports cannot name all paths.
    pub fn new(key: u64, radices: &[u32]) -> Result<Self, Error> {
        let mut paths = 1u32;
        for &radix in radices {
            paths = paths.checked_mul(radix).filter(|&paths| paths <= PORTS).ok_or(Error::TooMany)?;
            if radix == 0 {
                return Err(Error::NoHop);
            }
        }
        Ok(Self { key, radices: radices.to_vec(), paths })
    }

    /// How many paths there are.
    pub fn paths(&self) -> u32 {
        self.paths
    }

    /// A source port for a path (taken modulo their number): one of all those that stand for it, at random.
    pub fn encode(&self, path: u32, random: &mut Random) -> u16 {
        let copies = PORTS / self.paths;
        let selector = random.below(u64::from(copies)) as u32 * self.paths + path % self.paths;
        FIRST_PORT + walk(selector, |x| encipher(x, self.key)) as u16
    }

    /// The path that a source port stands for. Ports below [`FIRST_PORT`] stand for paths, too.
    pub fn decode(&self, port: u16) -> u32 {
        self.selector(port) % self.paths
    }

    /// The choice of switch number `hop` (how often the TTL has been lowered); 0 beyond the last.
    pub fn digit(&self, port: u16, hop: usize) -> u32 {
        let Some(&radix) = self.radices.get(hop) else { return 0 };
        let below: u32 = self.radices[..hop].iter().product();
        self.decode(port) / below % radix
    }

    fn selector(&self, port: u16) -> u32 {
        let x = u32::from(port.wrapping_sub(FIRST_PORT));
        // Ports below the first are outside of the cycles that sources walk; one step is all they need.
        if x < PORTS { walk(x, |x| decipher(x, self.key)) } else { decipher(x, self.key) }
    }
}

/// Steps until the domain is reached again; ends, because a permutation returns to where it began.
fn walk(start: u32, step: impl Fn(u32) -> u32) -> u32 {
    let mut x = step(start);
    while x >= PORTS {
        x = step(x);
    }
    x
}

/// The round function: 8 bits from 8.
fn round(half: u32, key: u64, round: u64) -> u32 {
    (mix(key ^ (round << 8 | u64::from(half)).wrapping_mul(0x9e37_79b9_7f4a_7c15)) >> 56) as u32
}

fn encipher(x: u32, key: u64) -> u32 {
    let (mut left, mut right) = (x >> 8, x & 0xff);
    for n in 0..ROUNDS {
        (left, right) = (right, left ^ round(right, key, n));
    }
    left << 8 | right
}

fn decipher(x: u32, key: u64) -> u32 {
    let (mut left, mut right) = (x >> 8, x & 0xff);
    for n in (0..ROUNDS).rev() {
        (left, right) = (right ^ round(left, key, n), left);
    }
    left << 8 | right
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Purpose;
    use proptest::prelude::*;

    #[test]
    fn the_cipher_is_a_permutation() {
        let mut seen = vec![false; 65536];
        for x in 0..65536 {
            let y = encipher(x, 42);
            assert_eq!(decipher(y, 42), x);
            assert!(!std::mem::replace(&mut seen[y as usize], true));
        }
    }

    #[test]
    fn every_path_of_a_fat_tree_comes_back() {
        let random = &mut Random::new(1, Purpose::Hashing);
        for k in [4u32, 8, 16, 48] {
            for key in 0..20 {
                let coding = Coding::new(key, &[k / 2, k / 2]).unwrap();
                assert_eq!(coding.paths(), k * k / 4);
                for path in 0..k * k / 4 {
                    let port = coding.encode(path, random);
                    assert!(port >= FIRST_PORT);
                    assert_eq!(coding.decode(port), path);
                    assert_eq!(coding.digit(port, 0) + coding.digit(port, 1) * (k / 2), path);
                    assert_eq!(coding.digit(port, 2), 0);
                }
            }
        }
    }

    /// Each path has as many ports as any other, whatever the key.
    #[test]
    fn ports_that_nobody_chose_spread_evenly() {
        for key in 0..5 {
            let coding = Coding::new(key, &[4, 4]).unwrap();
            let mut counts = [0; 16];
            for port in FIRST_PORT..=u16::MAX {
                counts[coding.decode(port) as usize] += 1;
            }
            assert_eq!(counts, [PORTS / 16; 16]);
        }
    }

    /// Chi square over 16 classes: 15 degrees of freedom, 37.7 is exceeded once in a thousand.
    #[test]
    fn keys_spread_evenly() {
        let random = &mut Random::new(3, Purpose::Hashing);
        // What one port means to random pairs of hosts, and what they write for one path.
        let (mut meant, mut written) = ([0.0; 16], [0.0; 16]);
        for _ in 0..16_000 {
            let coding = Coding::new(random.next_u64(), &[4, 4]).unwrap();
            meant[coding.decode(50_000) as usize] += 1.0;
            written[((coding.encode(3, random) - FIRST_PORT) / 4032) as usize] += 1.0;
        }
        for counts in [meant, written] {
            let chi2: f64 = counts.iter().map(|n: &f64| (n - 1000.0).powi(2) / 1000.0).sum();
            assert!(chi2 < 37.7, "{counts:?}");
        }
    }

    #[test]
    fn what_cannot_be_coded() {
        assert_eq!(Coding::new(1, &[2, 0]), Err(Error::NoHop));
        assert_eq!(Coding::new(1, &[256, 256]), Err(Error::TooMany));
        assert_eq!(Coding::new(1, &[]).unwrap().paths(), 1);
    }

    proptest! {
        #[test]
        fn decode_undoes_encode(key: u64, seed: u64, radices in proptest::collection::vec(1u32..40, 0..3), path: u32) {
            let coding = Coding::new(key, &radices).unwrap();
            let port = coding.encode(path, &mut Random::new(seed, Purpose::Hashing));
            prop_assert_eq!(coding.decode(port), path % coding.paths());
        }

        #[test]
        fn every_port_is_some_path(key: u64, port: u16) {
            let coding = Coding::new(key, &[4, 4]).unwrap();
            prop_assert!(coding.decode(port) < 16);
        }
    }
}
