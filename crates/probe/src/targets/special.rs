//! Addresses that are not for scanning: the IANA special-purpose registries (RFC 6890 and later entries) and multicast.

use std::net::IpAddr;

use super::ranges::{Range, Ranges, low_bits};
use crate::Error;

/// IPv4 special-purpose address registry, multicast and reserved space.
const V4: &[(u32, u8)] = &[
    (0x0000_0000, 8),
    (0x0a00_0000, 8),
    (0x6440_0000, 10),
    (0x7f00_0000, 8),
    (0xa9fe_0000, 16),
    (0xac10_0000, 12),
    (0xc000_0000, 24),
    (0xc000_0200, 24),
    (0xc01f_c400, 24),
    (0xc034_c100, 24),
    (0xc058_6300, 24),
    (0xc0a8_0000, 16),
    (0xc0af_3000, 24),
    (0xc612_0000, 15),
    (0xc633_6400, 24),
    (0xcb00_7100, 24),
    // Multicast, then reserved up to the limited broadcast address.
    (0xe000_0000, 4),
    (0xf000_0000, 4),
];

/// IPv6 special-purpose address registry and multicast; the upper 64 bits of each prefix, whose lower ones are 0 but for
/// those of `V6_LOW`.
const V6: &[(u64, u8)] = &[
    (0x0064_ff9b_0001_0000, 48),
    (0x0100_0000_0000_0000, 64),
    (0x0100_0000_0000_0001, 64),
    // IETF protocol assignments, Teredo, benchmarking, AMT, ORCHID and DET among them.
    (0x2001_0000_0000_0000, 23),
    (0x2001_0db8_0000_0000, 32),
    (0x2002_0000_0000_0000, 16),
    (0x2620_004f_8000_0000, 48),
    (0x3fff_0000_0000_0000, 20),
    (0x5f00_0000_0000_0000, 16),
    (0xfc00_0000_0000_0000, 7),
    (0xfe80_0000_0000_0000, 10),
    (0xff00_0000_0000_0000, 8),
];

/// IPv4-compatible addresses with the unspecified and the loopback address, IPv4-mapped ones, and those of NAT64.
const V6_LOW: &[(u128, u8)] = &[(0, 96), (0xffff << 32, 96), (0x0064_ff9b_u128 << 96, 96)];

/// The blocked part of IPv4.
pub fn v4() -> Ranges<u32> {
    Ranges::union(V4.iter().map(|&(first, len)| (first, first | (u32::MAX >> len))).collect())
}

/// The blocked part of IPv6.
pub fn v6() -> Ranges<u128> {
    let high = V6.iter().map(|&(first, len)| (u128::from(first) << 64, len));
    let range = |(first, len): (u128, u8)| -> Range<u128> { (first, first | low_bits(128 - u32::from(len))) };
    Ranges::union(high.chain(V6_LOW.iter().copied()).map(range).collect())
}

/// Public addresses that are looked at one by one without an acknowledgement: somebody who names his own servers need not give one.
pub const MOST_PUBLIC: usize = 8;

/// How many of some addresses are public: outside of the special-purpose registries.
pub fn count_public(addrs: impl IntoIterator<Item = IpAddr>) -> usize {
    let (v4, v6) = (v4(), v6());
    let is_public = |addr: &IpAddr| match *addr {
        IpAddr::V4(addr) => !v4.contains(addr.into()),
        IpAddr::V6(addr) => !v6.contains(addr.into()),
    };
    addrs.into_iter().filter(is_public).count()
}

/// Refuses to look at so many public addresses one by one: more than [`MOST_PUBLIC`] unless somebody has acknowledged that their owners were
/// considered, and any at all without a rate.
pub fn check_public(public: usize, acknowledged: bool, is_limited: bool) -> Result<(), Error> {
    if public > 0 && !is_limited {
        return Err(Error::Setting { what: "public addresses are not probed without a rate" });
    }
    if public > MOST_PUBLIC && !acknowledged {
        return Err(Error::NotAcknowledged { targets: public as u64 });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, Ipv6Addr};

    #[test]
    fn special_addresses_are_in_it_and_their_neighbours_are_not() {
        let (v4, v6) = (v4(), v6());
        let in4 = |text: &str| v4.contains(u32::from(text.parse::<Ipv4Addr>().unwrap()));
        let in6 = |text: &str| v6.contains(u128::from(text.parse::<Ipv6Addr>().unwrap()));
        for inside in [
            "0.0.0.0",
            "10.255.255.255",
            "100.64.0.0",
            "127.0.0.1",
            "169.254.1.1",
            "172.31.0.1",
            "192.0.0.8",
            "192.0.2.1",
            "192.31.196.1",
            "192.52.193.1",
            "192.88.99.1",
            "192.168.3.4",
            "192.175.48.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.255",
            "224.0.0.1",
            "239.1.1.1",
            "240.0.0.1",
            "255.255.255.255",
        ] {
            assert!(in4(inside), "{inside}");
        }
        for outside in [
            "1.0.0.0",
            "9.255.255.255",
            "11.0.0.0",
            "100.128.0.0",
            "172.32.0.0",
            "198.20.0.0",
            "223.255.255.255",
        ] {
            assert!(!in4(outside), "{outside}");
        }
        for inside in [
            "::",
            "::1",
            "::7f00:1",
            "::ffff:1.2.3.4",
            "64:ff9b::1",
            "64:ff9b:1::1",
            "100::1",
            "100:0:0:1::1",
            "2001::1",
            "2001:1ff:ffff::",
            "2001:db8::1",
            "2002::1",
            "2620:4f:8000::1",
            "3fff:fff::1",
            "5f00::1",
            "fd00::1",
            "fe80::1",
            "ff02::1",
        ] {
            assert!(in6(inside), "{inside}");
        }
        for outside in ["2001:200::", "2600::1", "2a00::1", "2003::1", "4000::1", "64:ff9b:2::1"] {
            assert!(!in6(outside), "{outside}");
        }
        // 588 million addresses of IPv4: as many as the registry's entries have, with multicast and reserved space.
        assert_eq!(
            v4.size(),
            Some((1 << 24) * 3 + (1 << 22) + (1 << 20) + (1 << 17) + 2 * (1 << 16) + 8 * 256 + (1 << 29))
        );
    }
}
