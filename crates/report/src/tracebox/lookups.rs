//! What is known of addresses beside the path itself: their names, and who operates them.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Names and operators of addresses.
#[derive(Clone, Debug, Default)]
pub struct Lookups {
    /// Names, as the reverse lookup gave them.
    pub names: HashMap<IpAddr, String>,
    /// Operators by prefix.
    pub operators: Operators,
}

impl Lookups {
    /// The name of an address.
    pub fn name(&self, addr: IpAddr) -> Option<&str> {
        self.names.get(&addr).map(String::as_str)
    }

    /// Who operates it.
    pub fn operator(&self, addr: IpAddr) -> Option<&str> {
        self.operators.of(addr)
    }
}

/// Who operates which prefix; the longest that holds an address decides.
#[derive(Clone, Debug, Default)]
pub struct Operators {
    v4: BTreeMap<(u8, u32), String>,
    v6: BTreeMap<(u8, u128), String>,
}

/// A line that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct BadLine {
    /// Its number, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl Operators {
    /// Reads lines of a prefix and a name with a comma, a semicolon, a tab or a bar between them, as tables of prefixes and
    /// autonomous systems come: `192.0.2.0/24,Example Net`. A name may stand in double quotes. Empty lines, those that begin with `#`, and a heading in the first
    /// line are passed over.
    ///
    /// # Errors
    /// Where a line has no prefix or no name.
    pub fn parse(text: &str) -> Result<Self, BadLine> {
        let mut table = Self::default();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim().trim_start_matches('\u{feff}');
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            match table.line(line) {
                Err("neither prefix nor address") if number == 1 => {}
                Err(reason) => return Err(BadLine { line: number, reason }),
                Ok(()) => {}
            }
        }
        Ok(table)
    }

    fn line(&mut self, line: &str) -> Result<(), &'static str> {
        let (prefix, name) =
            line.split_once([',', ';', '\t', '|']).ok_or("no comma between prefix and operator")?;
        let prefix = prefix.trim().trim_matches('"');
        let (addr, length) = prefix.split_once('/').unwrap_or((prefix, ""));
        let addr: IpAddr = addr.parse().map_err(|_| "neither prefix nor address")?;
        let whole = if addr.is_ipv4() { 32 } else { 128 };
        let length: u8 =
            if length.is_empty() { whole } else { length.parse().map_err(|_| "no length of a prefix")? };
        if length > whole {
            return Err("no length of a prefix");
        }
        let name = name.trim().trim_matches('"').trim();
        if name.is_empty() {
            return Err("no operator");
        }
        match addr {
            IpAddr::V4(addr) => self.v4.insert((length, mask4(addr, length)), name.to_owned()),
            IpAddr::V6(addr) => self.v6.insert((length, mask6(addr, length)), name.to_owned()),
        };
        Ok(())
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty()
    }

    /// Who operates an address.
    pub fn of(&self, addr: IpAddr) -> Option<&str> {
        let found = match addr {
            IpAddr::V4(addr) => (0..=32).rev().find_map(|length| self.v4.get(&(length, mask4(addr, length)))),
            IpAddr::V6(addr) => {
                (0..=128).rev().find_map(|length| self.v6.get(&(length, mask6(addr, length))))
            }
        };
        found.map(String::as_str)
    }
}

fn mask4(addr: Ipv4Addr, length: u8) -> u32 {
    u32::from(addr) & u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0)
}

fn mask6(addr: Ipv6Addr, length: u8) -> u128 {
    u128::from(addr) & u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0)
}

/// The network that an address is counted in: a /24 of IPv4, a /48 of IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Network(IpAddr);

impl Network {
    /// Of an address.
    pub fn of(addr: IpAddr) -> Self {
        Self(match addr {
            IpAddr::V4(addr) => Ipv4Addr::from(mask4(addr, 24)).into(),
            IpAddr::V6(addr) => Ipv6Addr::from(mask6(addr, 48)).into(),
        })
    }

    /// Its first address.
    pub fn first(self) -> IpAddr {
        self.0
    }
}

impl std::fmt::Display for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.0, if self.0.is_ipv4() { 24 } else { 48 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_prefix_decides() {
        let text = "prefix,operator\n# comment\n10.0.0.0/8,Big\n10.1.0.0/16,\"Small, Inc\"\n10.1.2.3\tHost\n2001:db8::/32;Six\n0.0.0.0/0|All\n";
        let operators = Operators::parse(text).expect("reads");
        let of = |addr: &str| operators.of(addr.parse().expect("an address"));
        assert_eq!(of("10.2.0.1"), Some("Big"));
        assert_eq!(of("10.1.0.1"), Some("Small, Inc"));
        assert_eq!(of("10.1.2.3"), Some("Host"));
        assert_eq!(of("2001:db8:1::1"), Some("Six"));
        assert_eq!(of("192.0.2.1"), Some("All"));
        assert_eq!(of("::1"), None);
        assert!(!operators.is_empty());
    }

    #[test]
    fn bad_lines_have_numbers() {
        let reason = |text| Operators::parse(text).unwrap_err().to_string();
        assert_eq!(reason("10.0.0.0/8,A\nten,B"), "line 2: neither prefix nor address");
        assert_eq!(reason("10.0.0.0/33,A"), "line 1: no length of a prefix");
        assert_eq!(reason("10.0.0.0/8"), "line 1: no comma between prefix and operator");
        assert_eq!(reason("10.0.0.0/8, "), "line 1: no operator");
    }

    #[test]
    fn networks() {
        let of = |addr: &str| Network::of(addr.parse().expect("an address")).to_string();
        assert_eq!(of("192.0.2.77"), "192.0.2.0/24");
        assert_eq!(of("2001:db8:1:2::3"), "2001:db8:1::/48");
    }
}
