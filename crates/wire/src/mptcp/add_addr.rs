//! ADD_ADDR: announces an address (RFC 6824 and RFC 8684, section 3.4.1).

use core::net::IpAddr;

use crate::Full;
use crate::bytes::{Writer, array_at, be16, be64};

/// ADD_ADDR in the forms of both versions.
///
/// Version 0 names the IP version in the nibble beside the subtype and has neither echo nor HMAC; drafts
/// between the versions added the HMAC to that form, which is read as version 0 with an HMAC. In version 1
/// the nibble holds the flag E and the address family follows from the length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddAddr {
    /// 0 or 1: which form the option has.
    pub version: u8,
    /// Flag E (version 1): the announcement is returned to its sender.
    pub echo: bool,
    /// Number that the sender gave to the address.
    pub address_id: u8,
    /// The address.
    pub addr: IpAddr,
    /// Port, when it is not the connection's own.
    pub port: Option<u16>,
    /// Rightmost 64 bits of the sender's HMAC.
    pub hmac: Option<u64>,
    /// The three reserved bits beside E, in place (0x0e, version 1).
    pub reserved: u8,
}

const ECHO: u8 = 0x01;

impl AddAddr {
    pub(super) fn parse(option: &[u8]) -> Option<Self> {
        // Every length belongs to one address family: v4 8 to 18, v6 20 to 30.
        let (v4, port, hmac) = match option.len() {
            8 => (true, false, false),
            10 => (true, true, false),
            16 => (true, false, true),
            18 => (true, true, true),
            20 => (false, false, false),
            22 => (false, true, false),
            28 => (false, false, true),
            30 => (false, true, true),
            _ => return None,
        };
        let low = option.get(2)? & 0x0f;
        let version = if low == if v4 { 4 } else { 6 } { 0 } else { 1 };
        let addr: IpAddr =
            if v4 { array_at::<4>(option, 4)?.into() } else { array_at::<16>(option, 4)?.into() };
        let mut at = if v4 { 8 } else { 20 };
        let port = if port { be16(option, at) } else { None };
        at += if port.is_some() { 2 } else { 0 };
        Some(Self {
            version,
            echo: version == 1 && low & ECHO != 0,
            address_id: *option.get(3)?,
            addr,
            port,
            hmac: if hmac { be64(option, at) } else { None },
            reserved: if version == 1 { low & !ECHO } else { 0 },
        })
    }

    /// Bytes on the wire.
    #[expect(clippy::len_without_is_empty, reason = "no option is empty")]
    pub fn len(&self) -> usize {
        let addr = if self.addr.is_ipv4() { 8 } else { 20 };
        addr + if self.port.is_some() { 2 } else { 0 } + if self.hmac.is_some() { 8 } else { 0 }
    }

    /// Writes the option and returns its length.
    pub fn emit(&self, out: &mut [u8]) -> Result<usize, Full> {
        let low = match (self.version, self.addr) {
            (0, IpAddr::V4(_)) => 4,
            (0, IpAddr::V6(_)) => 6,
            _ => self.reserved & 0x0e | u8::from(self.echo),
        };
        let mut w = Writer::new(out);
        w.u8(super::KIND).u8(self.len() as u8).u8(super::subtype::ADD_ADDR << 4 | low).u8(self.address_id);
        match self.addr {
            IpAddr::V4(addr) => w.put(&addr.octets()),
            IpAddr::V6(addr) => w.put(&addr.octets()),
        };
        if let Some(port) = self.port {
            w.u16(port);
        }
        if let Some(hmac) = self.hmac {
            w.u64(hmac);
        }
        w.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mptcp::Mptcp;

    #[track_caller]
    fn both_ways(bytes: &[u8], value: AddAddr) {
        assert_eq!(Mptcp::parse(bytes), Mptcp::AddAddr(value));
        let mut out = [0; 40];
        let len = value.emit(&mut out).unwrap();
        assert_eq!(&out[..len], bytes);
    }

    fn plain() -> AddAddr {
        AddAddr {
            version: 1,
            echo: false,
            address_id: 2,
            addr: IpAddr::from([192, 0, 2, 1]),
            port: None,
            hmac: None,
            reserved: 0,
        }
    }

    #[test]
    fn version_0() {
        both_ways(&[30, 8, 0x34, 2, 192, 0, 2, 1], AddAddr { version: 0, ..plain() });
        both_ways(
            &[30, 10, 0x34, 2, 192, 0, 2, 1, 0x1f, 0x90],
            AddAddr { version: 0, port: Some(8080), ..plain() },
        );
        let mut v6 = [0u8; 22];
        v6[..4].copy_from_slice(&[30, 22, 0x36, 2]);
        v6[19] = 1;
        v6[21] = 80;
        let addr: IpAddr = "::1".parse().unwrap();
        both_ways(&v6, AddAddr { version: 0, addr, port: Some(80), ..plain() });
    }

    #[test]
    fn version_1_with_hmac_and_echo() {
        both_ways(
            &[30, 16, 0x30, 2, 192, 0, 2, 1, 0x92, 0x55, 0xab, 0xc5, 0x85, 0x25, 0x75, 0x3c],
            AddAddr { hmac: Some(0x9255_abc5_8525_753c), ..plain() },
        );
        both_ways(
            &[30, 18, 0x30, 2, 192, 0, 2, 1, 0, 80, 0, 0, 0, 0, 0, 0, 0, 1],
            AddAddr { port: Some(80), hmac: Some(1), ..plain() },
        );
        both_ways(&[30, 8, 0x31, 2, 192, 0, 2, 1], AddAddr { echo: true, ..plain() });
        let mut v6 = [0u8; 30];
        v6[..4].copy_from_slice(&[30, 30, 0x3a, 2]);
        v6[29] = 9;
        let addr: IpAddr = "::".parse().unwrap();
        both_ways(&v6, AddAddr { addr, port: Some(0), hmac: Some(9), reserved: 0x0a, ..plain() });
    }

    #[test]
    fn draft_form_is_version_0_with_hmac() {
        both_ways(
            &[30, 16, 0x34, 2, 192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 5],
            AddAddr { version: 0, hmac: Some(5), ..plain() },
        );
    }

    #[test]
    fn a_family_nibble_of_the_other_length_is_reserved_bits() {
        both_ways(&[30, 8, 0x36, 2, 192, 0, 2, 1], AddAddr { reserved: 6, ..plain() });
        both_ways(&[30, 8, 0x35, 2, 192, 0, 2, 1], AddAddr { reserved: 4, echo: true, ..plain() });
    }

    #[test]
    fn other_lengths_are_malformed() {
        for len in [3usize, 4, 7, 9, 12, 14, 17, 19, 24, 26, 29, 31] {
            let mut bytes = vec![0x34u8; len];
            bytes[0] = 30;
            bytes[1] = len as u8;
            assert!(matches!(Mptcp::parse(&bytes), Mptcp::Malformed { subtype: Some(3), .. }), "{len}");
        }
    }
}
