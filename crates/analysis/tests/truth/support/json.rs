//! Short ways into the JSON truth; whatever is not of the form expected fails the test with its place.

use serde_json::Value;
use std::{fs, net::IpAddr, path::Path};

/// Reads a file of truth.
pub(crate) fn read(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A value that must be there.
pub(crate) trait Must {
    /// As an unsigned number.
    fn number(&self) -> u64;
    /// As text.
    fn text(&self) -> &str;
    /// As a list.
    fn list(&self) -> &[Value];
    /// `[address, port]`; an IPv4 address as an IPv6 socket shows it counts as IPv4.
    fn end(&self) -> (IpAddr, u16);
    /// The member's number, or 0 when there is no such member.
    fn count(&self, member: &str) -> u64;
    /// `{"c2s": …, "s2c": …}` as a pair.
    fn pair(&self) -> [u64; 2];
}

impl Must for Value {
    fn number(&self) -> u64 {
        self.as_u64().unwrap_or_else(|| panic!("not an unsigned number: {self}"))
    }

    fn text(&self) -> &str {
        self.as_str().unwrap_or_else(|| panic!("not a text: {self}"))
    }

    fn list(&self) -> &[Value] {
        self.as_array().unwrap_or_else(|| panic!("not a list: {self}"))
    }

    fn end(&self) -> (IpAddr, u16) {
        let addr: IpAddr = self[0].text().parse().unwrap_or_else(|_| panic!("not an address: {self}"));
        let port = u16::try_from(self[1].number()).unwrap_or_else(|_| panic!("not a port: {self}"));
        (addr.to_canonical(), port)
    }

    fn count(&self, member: &str) -> u64 {
        self.get(member).map_or(0, Must::number)
    }

    fn pair(&self) -> [u64; 2] {
        [self["c2s"].number(), self["s2c"].number()]
    }
}
