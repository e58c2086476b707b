//! Which way packets go: the kernel's routing tables, as /proc shows them.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) interface: String,
    pub(crate) destination: (IpAddr, u8),
    pub(crate) gateway: Option<IpAddr>,
    metric: u32,
}

/// Route is usable.
const UP: u32 = 0x1;
/// Packets are refused.
const REJECT: u32 = 0x200;

/// The routes of this network namespace, of both families. What cannot be read is left out.
pub(crate) fn routes() -> Vec<Route> {
    // Namespaces belong to threads.
    let read = |name: &str| fs::read_to_string(format!("/proc/thread-self/net/{name}")).unwrap_or_default();
    let mut routes: Vec<Route> = read("route").lines().filter_map(parse_v4).collect();
    routes.extend(read("ipv6_route").lines().filter_map(parse_v6));
    routes
}

/// The route to an address: the longest match, then the least metric; of one interface when it is named.
pub(crate) fn best<'a>(routes: &'a [Route], to: IpAddr, interface: Option<&str>) -> Option<&'a Route> {
    routes
        .iter()
        .filter(|route| interface.is_none_or(|name| name == route.interface) && covers(route.destination, to))
        .max_by_key(|route| (route.destination.1, u32::MAX - route.metric))
}

/// Whether a prefix covers an address.
pub(crate) fn covers((prefix, len): (IpAddr, u8), addr: IpAddr) -> bool {
    match (prefix, addr) {
        (IpAddr::V4(prefix), IpAddr::V4(addr)) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(len.min(32))).unwrap_or(0);
            (u32::from(prefix) ^ u32::from(addr)) & mask == 0
        }
        (IpAddr::V6(prefix), IpAddr::V6(addr)) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(len.min(128))).unwrap_or(0);
            (u128::from(prefix) ^ u128::from(addr)) & mask == 0
        }
        _ => false,
    }
}

/// A line of /proc/net/route: interface, destination, gateway, flags, …, metric, mask. Addresses are words in the host's order.
fn parse_v4(line: &str) -> Option<Route> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let number = |at: usize| u32::from_str_radix(fields.get(at)?, 16).ok();
    let addr = |at: usize| Some(Ipv4Addr::from(number(at)?.to_ne_bytes()));
    let (flags, gateway) = (number(3)?, addr(2)?);
    let metric = fields.get(6)?.parse().ok()?;
    (flags & (UP | REJECT) == UP).then_some(Route {
        interface: (*fields.first()?).to_owned(),
        destination: (addr(1)?.into(), u32::from(addr(7)?).leading_ones() as u8),
        gateway: (!gateway.is_unspecified()).then_some(gateway.into()),
        metric,
    })
}

/// A line of /proc/net/ipv6_route: destination, its length, source, its length, gateway, metric, …, flags, interface.
fn parse_v6(line: &str) -> Option<Route> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let number = |at: usize| u32::from_str_radix(fields.get(at)?, 16).ok();
    let addr = |at: usize| Some(Ipv6Addr::from(u128::from_str_radix(fields.get(at)?, 16).ok()?));
    let (flags, gateway) = (number(8)?, addr(4)?);
    let interface = (*fields.get(9)?).to_owned();
    // Addresses of this host have their routes on the loopback interface.
    (flags & (UP | REJECT) == UP && interface != "lo").then_some(Route {
        interface,
        destination: (addr(0)?.into(), number(1)? as u8),
        gateway: (!gateway.is_unspecified()).then_some(gateway.into()),
        metric: number(5)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_both_tables() {
        if cfg!(target_endian = "big") {
            return;
        }
        let lines = [
            "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT",
            "eth0\t00000000\t0102000A\t0003\t0\t0\t100\t00000000\t0\t0\t0",
            "eth0\t0002000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0",
            "eth1\t0002000A\t00000000\t0001\t0\t0\t5\t00FFFFFF\t0\t0\t0",
            "*\t0003000A\t00000000\t0201\t0\t0\t0\t00FFFFFF\t0\t0\t0",
        ];
        let mut routes: Vec<_> = lines.iter().filter_map(|line| parse_v4(line)).collect();
        assert_eq!(routes.len(), 3);
        let lines6 = [
            "fd000000000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth0",
            "00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003     eth0",
            "00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo",
        ];
        routes.extend(lines6.iter().filter_map(|line| parse_v6(line)));
        assert_eq!(routes.len(), 5);
        let to = |text: &str, interface| {
            let route = best(&routes, text.parse().unwrap(), interface)?;
            Some((route.interface.as_str(), route.gateway.map(|gateway| gateway.to_string())))
        };
        assert_eq!(to("8.8.8.8", None), Some(("eth0", Some("10.0.2.1".to_owned()))));
        assert_eq!(to("10.0.2.9", None), Some(("eth0", None)));
        assert_eq!(to("10.0.2.9", Some("eth1")), Some(("eth1", None)));
        assert_eq!(to("8.8.8.8", Some("eth1")), None);
        assert_eq!(to("fd00::7", None), Some(("eth0", None)));
        assert_eq!(to("2001:db8::7", None), Some(("eth0", Some("fe80::1".to_owned()))));
    }
}
