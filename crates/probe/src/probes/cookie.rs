//! The fields of a probe that only we can know: a keyed hash of the target and of what is asked.

use std::net::IpAddr;

use siphasher::sip128::SipHasher13;

use super::Kind;
use crate::targets::{Target, mix};

/// The key of a campaign's probes.
#[derive(Clone, Copy, Debug)]
pub struct Secret {
    hasher: SipHasher13,
    third: u64,
}

/// Field values of one probe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cookie {
    /// Sequence number of the SYN.
    pub seq: u32,
    /// Added to the time in microseconds, it makes the value of the timestamp option.
    pub clock: u32,
    /// MP_CAPABLE key of version 0; token (upper half) and random number of MP_JOIN.
    pub key: u64,
    /// Identification of the IPv4 header, lower 16 bits of the IPv6 flow label.
    pub id: u16,
    /// Place of the source port within the range of its kind, as a fraction of 2^16.
    pub port: u16,
    /// What the canary option holds.
    pub canary: u16,
}

impl Secret {
    /// The key that belongs to a seed. Who knows the seed can forge answers: publish it after the campaign.
    pub fn new(seed: u64) -> Self {
        let keys = [1, 2, 3].map(|k: u64| mix(seed.wrapping_add(k.wrapping_mul(0xd6e8_feb8_6659_fd93))));
        Self { hasher: SipHasher13::new_with_keys(keys[0], keys[1]), third: keys[2] }
    }

    /// The fields of the probe of a kind to a target.
    #[inline]
    pub fn cookie(&self, target: &Target, kind: Kind) -> Cookie {
        let mut input = [0; 20];
        match target.addr {
            IpAddr::V4(addr) => input[..4].copy_from_slice(&addr.octets()),
            IpAddr::V6(addr) => input[..16].copy_from_slice(&addr.octets()),
        }
        input[16..18].copy_from_slice(&target.port.to_be_bytes());
        input[18] = kind as u8;
        input[19] = u8::from(target.addr.is_ipv6());
        let hash = self.hasher.hash(&input);
        let rest = mix(hash.h1 ^ hash.h2 ^ self.third);
        Cookie {
            seq: hash.h1 as u32,
            clock: (hash.h1 >> 32) as u32,
            key: hash.h2,
            id: rest as u16,
            port: (rest >> 16) as u16,
            canary: (rest >> 32) as u16,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_the_question_counts() {
        let target = |addr: &str, port| Target { addr: addr.parse().unwrap(), port };
        let secret = Secret::new(7);
        let base = secret.cookie(&target("10.0.0.1", 80), Kind::V1);
        assert_eq!(base, Secret::new(7).cookie(&target("10.0.0.1", 80), Kind::V1));
        for other in [
            secret.cookie(&target("10.0.0.2", 80), Kind::V1),
            secret.cookie(&target("10.0.0.1", 81), Kind::V1),
            secret.cookie(&target("10.0.0.1", 80), Kind::V0),
            secret.cookie(&target("a00:1::", 80), Kind::V1),
            Secret::new(8).cookie(&target("10.0.0.1", 80), Kind::V1),
        ] {
            assert!(other.seq != base.seq && other.key != base.key && other.clock != base.clock);
        }
    }
}
