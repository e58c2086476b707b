//! Addresses that stand for addresses: two that share a prefix share one of the same length afterwards, no two become
//! one, and each stays in its class (Xu, Fan, Ammar, Moon: "Prefix-Preserving IP Address Anonymization", ICNP 2002).
//!
//! The tree of all addresses is mirrored at a node where the secret says so, but at no node above a block that must stay
//! where it is. This is as much as can be hidden while classes and prefixes both stay: a global address keeps the leading
//! bits that it shares with a block next to it.

use crate::secret::{Secret, Use};
use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// IPv4 blocks that stay in their place, with their lengths: the classes of the tables, and single addresses that mean
/// something.
const BLOCKS_V4: [([u8; 4], u32); 18] = [
    ([0, 0, 0, 0], 8),
    ([0, 0, 0, 0], 32),
    ([0, 0, 0, 1], 32),
    ([10, 0, 0, 0], 8),
    ([100, 64, 0, 0], 10),
    ([127, 0, 0, 0], 8),
    ([127, 0, 0, 1], 32),
    ([169, 254, 0, 0], 16),
    ([172, 16, 0, 0], 12),
    ([192, 0, 0, 0], 24),
    ([192, 0, 2, 0], 24),
    ([192, 168, 0, 0], 16),
    ([198, 18, 0, 0], 15),
    ([198, 51, 100, 0], 24),
    ([203, 0, 113, 0], 24),
    ([224, 0, 0, 0], 4),
    ([240, 0, 0, 0], 4),
    ([255, 255, 255, 255], 32),
];

/// The same for IPv6.
const BLOCKS_V6: [([u16; 8], u32); 14] = [
    ([0, 0, 0, 0, 0, 0, 0, 0], 96),
    ([0, 0, 0, 0, 0, 0xffff, 0, 0], 96),
    ([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96),
    ([0x2000, 0, 0, 0, 0, 0, 0, 0], 3),
    ([0x2001, 0, 0, 0, 0, 0, 0, 0], 32),
    ([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32),
    ([0x2002, 0, 0, 0, 0, 0, 0, 0], 16),
    ([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20),
    ([0xfc00, 0, 0, 0, 0, 0, 0, 0], 8),
    ([0xfd00, 0, 0, 0, 0, 0, 0, 0], 8),
    ([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10),
    // What hosts make up themselves lies here; the bits between are zero for everybody.
    ([0xfe80, 0, 0, 0, 0, 0, 0, 0], 64),
    ([0xff00, 0, 0, 0, 0, 0, 0, 0], 8),
    ([0x3fff, 0, 0, 0, 0, 0, 0, 0], 16),
];

/// From addresses to what stands for them.
#[derive(Debug)]
pub struct AddressMap {
    secret: Secret,
    known: HashMap<IpAddr, IpAddr>,
}

impl AddressMap {
    /// A map that follows from the secret alone.
    pub fn new(secret: Secret) -> Self {
        Self { secret, known: HashMap::new() }
    }

    /// What stands for an address.
    pub fn map(&mut self, addr: IpAddr) -> IpAddr {
        let Self { secret, known } = self;
        *known.entry(addr).or_insert_with(|| match addr {
            IpAddr::V4(addr) => Ipv4Addr::from_bits(map_v4(secret, addr.to_bits())).into(),
            IpAddr::V6(addr) => Ipv6Addr::from_bits(map_v6(secret, addr.to_bits())).into(),
        })
    }

    /// The addresses asked for so far, each with what stands for it, in no order.
    pub fn pairs(&self) -> impl Iterator<Item = (IpAddr, IpAddr)> {
        self.known.iter().map(|(&from, &to)| (from, to))
    }

    /// How many addresses were asked for so far.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether none was.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }
}

fn map_v4(secret: &Secret, addr: u32) -> u32 {
    let above_block = |prefix: u32, depth: u32| {
        BLOCKS_V4.iter().any(|&(block, len)| {
            let block = u32::from_be_bytes(block);
            len > depth && block.checked_shr(32 - depth).unwrap_or(0) == prefix
        })
    };
    let mut mapped = addr;
    for depth in 0..32 {
        let prefix = addr.checked_shr(32 - depth).unwrap_or(0);
        if !above_block(prefix, depth) {
            let mut bytes = [0; 5];
            bytes[0] = depth as u8;
            bytes[1..].copy_from_slice(&prefix.to_be_bytes());
            mapped ^= ((secret.number(Use::Ipv4, &bytes) & 1) as u32) << (31 - depth);
        }
    }
    mapped
}

fn map_v6(secret: &Secret, addr: u128) -> u128 {
    let v4 = |at: u32| u128::from(map_v4(secret, (addr >> at) as u32)) << at;
    let kept = |bits: u128| addr & bits;
    let low32 = u128::from(u32::MAX);
    match Ipv6Addr::from_bits(addr).segments() {
        // An IPv4 address lies within, and becomes what it becomes elsewhere.
        [0, 0, 0, 0, 0, 0 | 0xffff, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => kept(!low32) | v4(0),
        // 6to4 (RFC 3056): 2002, the IPv4 address, subnet and interface.
        [0x2002, ..] => {
            let below = (1 << 80) - 1;
            kept(0xffff << 112) | v4(80) | mirrored(secret, addr, 48) & below
        }
        // Teredo (RFC 4380): the server's IPv4 address, flags, and port and address of the client with all bits inverted.
        [0x2001, 0, ..] => {
            let client = u128::from(!map_v4(secret, !(addr as u32)));
            kept(!(low32 << 64 | low32)) | v4(64) | client
        }
        // Flags and scope of multicast (RFC 4291, section 2.7).
        [0xff00..=0xffff, ..] => mirrored(secret, addr, 16),
        _ => mirrored(secret, addr, 0),
    }
}

/// Mirrors the tree from this depth on.
fn mirrored(secret: &Secret, addr: u128, from: u32) -> u128 {
    let above_block = |prefix: u128, depth: u32| {
        BLOCKS_V6.iter().any(|&(block, len)| {
            let block = Ipv6Addr::from(block).to_bits();
            len > depth && block.checked_shr(128 - depth).unwrap_or(0) == prefix
        })
    };
    let mut mapped = addr;
    for depth in from..128 {
        let prefix = addr.checked_shr(128 - depth).unwrap_or(0);
        if !above_block(prefix, depth) {
            let mut bytes = [0; 17];
            bytes[0] = depth as u8;
            bytes[1..].copy_from_slice(&prefix.to_be_bytes());
            mapped ^= u128::from(secret.number(Use::Ipv6, &bytes) & 1) << (127 - depth);
        }
    }
    mapped
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use subflow_analysis::class;

    fn map() -> AddressMap {
        AddressMap::new(Secret::new(b"a secret of tests").unwrap())
    }

    #[track_caller]
    fn mapped(addr: &str) -> IpAddr {
        map().map(addr.parse().unwrap())
    }

    /// Length of the longest common prefix.
    fn common(a: IpAddr, b: IpAddr) -> u32 {
        match (a, b) {
            (IpAddr::V4(a), IpAddr::V4(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros(),
            (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros(),
            _ => panic!("of two families"),
        }
    }

    #[test]
    fn addresses_that_mean_something_stay_themselves() {
        for addr in ["0.0.0.0", "127.0.0.1", "255.255.255.255", "::", "::1", "::ffff:127.0.0.1"] {
            assert_eq!(mapped(addr), addr.parse::<IpAddr>().unwrap());
        }
    }

    #[test]
    fn embedded_addresses_become_what_they_become_elsewhere() {
        let IpAddr::V4(v4) = mapped("8.8.4.4") else { panic!("IPv4") };
        let [a, b] = [(v4.to_bits() >> 16) as u16, v4.to_bits() as u16];
        assert_eq!(mapped("::ffff:8.8.4.4"), IpAddr::from([0, 0, 0, 0, 0, 0xffff, a, b]));
        assert_eq!(mapped("::8.8.4.4"), IpAddr::from([0, 0, 0, 0, 0, 0, a, b]));
        assert_eq!(mapped("64:ff9b::8.8.4.4"), IpAddr::from([0x64, 0xff9b, 0, 0, 0, 0, a, b]));
        let IpAddr::V6(six) = mapped("2002:808:404:1::5") else { panic!("IPv6") };
        assert_eq!(six.segments()[..3], [0x2002, a, b]);
        // Server 8.8.4.4, client 8.8.4.4 inverted.
        let IpAddr::V6(teredo) = mapped("2001:0:808:404:8000:63bf:f7f7:fbfb") else { panic!("IPv6") };
        assert_eq!(teredo.segments(), [0x2001, 0, a, b, 0x8000, 0x63bf, !a, !b]);
    }

    #[test]
    fn secrets_differ() {
        let mut other = AddressMap::new(Secret::new(b"another secret of tests").unwrap());
        assert_ne!(other.map("93.184.216.34".parse().unwrap()), mapped("93.184.216.34"));
        assert_ne!(other.map("2a01:83d5:406f::7e02".parse().unwrap()), mapped("2a01:83d5:406f::7e02"));
    }

    #[test]
    fn a_whole_block_is_a_permutation() {
        let mut map = map();
        for block in ["192.0.2.", "10.1.2.", "93.184.216."] {
            let images: std::collections::BTreeSet<_> =
                (0..=255).map(|host| map.map(format!("{block}{host}").parse().unwrap())).collect();
            assert_eq!(images.len(), 256);
        }
    }

    /// Addresses around the borders of classes, and anywhere.
    fn v4() -> impl Strategy<Value = u32> {
        let near = (proptest::sample::select(BLOCKS_V4.to_vec()), any::<u32>(), 0_u32..33).prop_map(
            |((block, _), noise, keep)| u32::from_be_bytes(block) ^ noise.checked_shr(keep).unwrap_or(0),
        );
        prop_oneof![any::<u32>(), near]
    }

    fn v6() -> impl Strategy<Value = u128> {
        let near = (proptest::sample::select(BLOCKS_V6.to_vec()), any::<u128>(), 0_u32..129).prop_map(
            |((block, _), noise, keep)| {
                Ipv6Addr::from(block).to_bits() ^ noise.checked_shr(keep).unwrap_or(0)
            },
        );
        prop_oneof![any::<u128>(), near]
    }

    proptest! {
        #[test]
        fn ipv4_keeps_prefixes_and_classes(a in v4(), b in v4(), cut in 0_u32..33) {
            // Pairs that share something, too.
            let b = a ^ b.checked_shr(cut).unwrap_or(0);
            let (a, b): (IpAddr, IpAddr) = (Ipv4Addr::from(a).into(), Ipv4Addr::from(b).into());
            let mut map = map();
            let (x, y) = (map.map(a), map.map(b));
            prop_assert_eq!(common(a, b), common(x, y));
            prop_assert_eq!(class(a), class(x));
            prop_assert_eq!(a == b, x == y);
        }

        #[test]
        fn ipv6_keeps_prefixes_and_classes(a in v6(), b in v6(), cut in 0_u32..129) {
            let b = a ^ b.checked_shr(cut).unwrap_or(0);
            let (a, b): (IpAddr, IpAddr) = (Ipv6Addr::from(a).into(), Ipv6Addr::from(b).into());
            let mut map = map();
            let (x, y) = (map.map(a), map.map(b));
            prop_assert_eq!(common(a, b), common(x, y));
            prop_assert_eq!(class(a), class(x));
            prop_assert_eq!(a == b, x == y);
        }
    }
}
