//! Classes of addresses: where an announced address could be reached at all (IANA special-purpose registries).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The class of an address, as a name that starts with its family: `v4 private`, `v6 link-local`, …
///
/// Classes follow the IANA IPv4 and IPv6 special-purpose address registries.
pub fn class(addr: IpAddr) -> &'static str {
    match addr {
        IpAddr::V4(addr) => class_v4(addr),
        IpAddr::V6(addr) => class_v6(addr),
    }
}

fn class_v4(addr: Ipv4Addr) -> &'static str {
    match addr.octets() {
        [0, 0, 0, 0] => "v4 unspecified",
        [0, ..] => "v4 reserved",
        [10, ..] | [192, 168, ..] | [172, 16..=31, ..] => "v4 private",
        [100, 64..=127, ..] => "v4 shared",
        [127, ..] => "v4 loopback",
        [169, 254, ..] => "v4 link-local",
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => "v4 documentation",
        [192, 0, 0, _] | [198, 18 | 19, ..] => "v4 reserved",
        [224..=239, ..] => "v4 multicast",
        [240..=255, ..] => "v4 reserved",
        _ => "v4 global",
    }
}

fn class_v6(addr: Ipv6Addr) -> &'static str {
    let words = addr.segments();
    match words {
        [0, 0, 0, 0, 0, 0, 0, 0] => "v6 unspecified",
        [0, 0, 0, 0, 0, 0, 0, 1] => "v6 loopback",
        [0, 0, 0, 0, 0, 0xffff, ..] => "v6 v4-mapped",
        [0, 0, 0, 0, 0, 0, ..] => "v6 v4-compatible",
        [0x64, 0xff9b, 0, 0, 0, 0, ..] => "v6 nat64",
        [0x2001, 0, ..] => "v6 teredo",
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => "v6 documentation",
        [0x2002, ..] => "v6 6to4",
        [0xfc00..=0xfdff, ..] => "v6 unique-local",
        [0xfe80..=0xfebf, ..] => "v6 link-local",
        [0xff00..=0xffff, ..] => "v6 multicast",
        [0x2000..=0x3fff, ..] => "v6 global",
        _ => "v6 reserved",
    }
}

/// Whether a host elsewhere on the Internet could reach an address of this class.
pub fn is_global(class: &str) -> bool {
    matches!(class, "v4 global" | "v6 global" | "v6 6to4" | "v6 teredo")
}

#[cfg(test)]
mod tests {
    use super::class;

    #[test]
    fn every_class_has_its_borders() {
        for (addr, expected) in [
            ("8.8.8.8", "v4 global"),
            ("10.0.0.0", "v4 private"),
            ("172.15.255.255", "v4 global"),
            ("172.16.0.0", "v4 private"),
            ("172.31.255.255", "v4 private"),
            ("172.32.0.0", "v4 global"),
            ("192.168.1.112", "v4 private"),
            ("100.63.255.255", "v4 global"),
            ("100.64.0.1", "v4 shared"),
            ("100.128.0.0", "v4 global"),
            ("127.0.0.1", "v4 loopback"),
            ("169.254.3.4", "v4 link-local"),
            ("192.0.2.1", "v4 documentation"),
            ("198.51.100.80", "v4 documentation"),
            ("203.0.113.5", "v4 documentation"),
            ("224.0.0.1", "v4 multicast"),
            ("0.0.0.0", "v4 unspecified"),
            ("255.255.255.255", "v4 reserved"),
            ("198.18.0.1", "v4 reserved"),
            ("::", "v6 unspecified"),
            ("::1", "v6 loopback"),
            ("::192.0.2.33", "v6 v4-compatible"),
            ("::ffff:192.0.2.33", "v6 v4-mapped"),
            ("64:ff9b::1", "v6 nat64"),
            ("2001::1", "v6 teredo"),
            ("2001:db8:80::80", "v6 documentation"),
            ("3fff:fff::1", "v6 documentation"),
            ("3fff:1000::1", "v6 global"),
            ("2002:c000:204::1", "v6 6to4"),
            ("fc00::1", "v6 unique-local"),
            ("fdff::1", "v6 unique-local"),
            ("fe80::1", "v6 link-local"),
            ("fec0::1", "v6 reserved"),
            ("ff02::1", "v6 multicast"),
            ("2a01:83d5:406f::7e02", "v6 global"),
        ] {
            assert_eq!(class(addr.parse().unwrap()), expected, "{addr}");
        }
    }
}
