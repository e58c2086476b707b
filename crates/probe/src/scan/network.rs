//! From where probes leave: interface, addresses, and the hardware address of the first hop.

use std::net::IpAddr;

use subflow_netio::{Addresses, addresses};

use super::settings::Settings;
use crate::Error;
use crate::network::{best, covers, resolve, routes};
use crate::probes::Source;
use crate::targets::Plan;

/// From where probes leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// Name of the interface.
    pub interface: String,
    /// Addresses, of ours and of the first hop.
    pub source: Source,
    /// Whether all addresses are the kernel's own, so that it resets what SYN/ACKs would open.
    pub own: bool,
}

/// Finds out by the routing tables, the interface's addresses, and by asking the gateway.
///
/// All probes of a family go to one gateway, that of the first target. Targets on the interface's own network are
/// sent there, too, unless the first of them is one: then all go to whoever answers for that one.
pub fn find(plan: &Plan, settings: &Settings) -> Result<Network, Error> {
    let routes = routes();
    let firsts = [plan.first(false), plan.first(true)];
    let interface = match (&settings.interface, firsts.iter().flatten().next()) {
        (Some(name), _) => name.clone(),
        (None, Some(&first)) => best(&routes, first, None)
            .map(|route| route.interface.clone())
            .ok_or_else(|| Error::NoRoute { target: first.to_string() })?,
        (None, None) => return Err(Error::NoTargets),
    };
    let found = addresses(&interface)?;
    let Some(mac) = found.hardware else { return Err(Error::NotEthernet { interface }) };
    let mut source = Source { mac, v4: None, v6: None };
    for first in firsts.into_iter().flatten() {
        let route = best(&routes, first, Some(&interface));
        let hop = route.and_then(|route| route.gateway).unwrap_or(first);
        let addr = own_address(settings, &found, first, hop, &interface)?;
        let gateway = match settings.gateway_mac {
            Some(gateway) => gateway,
            None if route.is_none() => return Err(Error::NoRoute { target: first.to_string() }),
            None => resolve(&interface, mac, asking(&found, addr, hop), hop)?,
        };
        match addr {
            IpAddr::V4(addr) => source.v4 = Some((gateway, addr)),
            IpAddr::V6(addr) => source.v6 = Some((gateway, addr)),
        }
    }
    let ours = |addr: IpAddr| found.ip.iter().any(|&(own, _)| own == addr);
    let own = source.v4.is_none_or(|(_, addr)| ours(addr.into()))
        && source.v6.is_none_or(|(_, addr)| ours(addr.into()));
    Ok(Network { interface, source, own })
}

/// The address to probe from.
fn own_address(
    settings: &Settings,
    found: &Addresses,
    first: IpAddr,
    hop: IpAddr,
    interface: &str,
) -> Result<IpAddr, Error> {
    let same = |addr: &IpAddr| addr.is_ipv4() == first.is_ipv4();
    if let Some(&addr) = settings.sources.iter().find(|addr| same(addr)) {
        return Ok(addr);
    }
    let usable = |&&(addr, _): &&(IpAddr, u8)| same(&addr) && (!is_link_local(addr) || is_link_local(first));
    let mut own = found.ip.iter().filter(usable);
    let near = own.clone().find(|&&prefix| covers(prefix, hop));
    near.or_else(|| own.next()).map(|&(addr, _)| addr).ok_or_else(|| Error::NoSource {
        interface: interface.to_owned(),
        family: if first.is_ipv4() { "IPv4" } else { "IPv6" },
    })
}

/// The address to ask the neighbour from: one of the interface itself, or it would not know whom to answer.
fn asking(found: &Addresses, addr: IpAddr, hop: IpAddr) -> IpAddr {
    if found.ip.iter().any(|&(own, _)| own == addr) {
        return addr;
    }
    let near = found.ip.iter().find(|&&prefix| covers(prefix, hop));
    near.or_else(|| found.ip.iter().find(|(own, _)| own.is_ipv4() == hop.is_ipv4()))
        .map_or(addr, |&(own, _)| own)
}

fn is_link_local(addr: IpAddr) -> bool {
    match addr {
        IpAddr::V4(addr) => addr.is_link_local(),
        IpAddr::V6(addr) => addr.is_unicast_link_local(),
    }
}
