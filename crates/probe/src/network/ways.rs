//! Which way packets leave for an address: interface, our address, and the hardware address of the next hop.
//!
//! Routes are those of the kernel's main tables, read once; our address is the one that the kernel would choose. Neighbours are asked
//! for side by side and remembered. What leaves for this very host, or by an interface without Ethernet, is left to the
//! kernel's own routing.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr, UdpSocket};

use subflow_netio::{Addresses, addresses};

use super::Nanos;
use super::neighbor::{answer, question};
use super::routes::{Route, best, covers, routes};
use crate::Error;

/// How often a neighbour is asked, and how long each answer is waited for.
const ATTEMPTS: u32 = 3;
const PATIENCE_NS: Nanos = 700_000_000;
/// The port that nothing is sent to: the kernel is only asked from where it would be.
const DISCARD: u16 = 9;

/// What is told about the way instead of found out, and with which ports.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Interface; by default the one of the route to each target.
    pub interface: Option<String>,
    /// Addresses to send from, at most one of each family; by default what the kernel would choose.
    pub sources: Vec<IpAddr>,
    /// Hardware address of the gateway; by default it is asked for (ARP, NDP).
    pub gateway_mac: Option<[u8; 6]>,
    /// Ports to send from, first and last, which nobody else may have; by default 64 that are free, above 61000.
    pub ports: Option<(u16, u16)>,
}

/// A way that packets leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    /// Number of the interface within [`Ways`].
    pub(super) interface: usize,
    /// The link header; `None` when the kernel routes.
    pub(super) link: Option<[u8; 14]>,
    /// Our address.
    pub source: IpAddr,
}

/// What is known of the way to an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// All.
    Way(Way),
    /// All but the hardware address of the next hop, which is being asked for.
    Asking(Hop),
}

/// A next hop whose hardware address is not known yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hop {
    interface: usize,
    addr: IpAddr,
    source: IpAddr,
}

/// An interface that packets leave by.
#[derive(Clone, Debug)]
pub(super) struct Interface {
    pub(super) name: String,
    addresses: Addresses,
    /// Hardware address, when it is an Ethernet.
    mac: Option<[u8; 6]>,
}

/// What a neighbour has said.
#[derive(Clone, Copy, Debug)]
enum Neighbor {
    Asked { source: IpAddr, times: u32, last: Nanos },
    Known([u8; 6]),
    Silent,
}

/// Finds ways, without sending anything itself.
#[derive(Debug)]
pub struct Ways {
    options: Options,
    routes: Vec<Route>,
    interfaces: Vec<Interface>,
    neighbors: HashMap<(usize, IpAddr), Neighbor>,
    /// Neighbours that have not answered yet.
    asked: Vec<(usize, IpAddr)>,
}

impl Ways {
    /// Reads the routing tables of this network namespace.
    pub fn new(options: &Options) -> Self {
        Self {
            options: options.clone(),
            routes: routes(),
            interfaces: Vec::new(),
            neighbors: HashMap::new(),
            asked: Vec::new(),
        }
    }

    /// The way to an address, as far as it is known. An address that is being asked for is to be asked again with
    /// [`neighbor`](Self::neighbor).
    pub fn find(&mut self, target: IpAddr) -> Result<Found, Error> {
        let chosen = kernels_choice(target);
        let given = self.options.sources.iter().copied().find(|addr| addr.is_ipv4() == target.is_ipv4());
        if target.is_loopback() || chosen == Some(target) {
            let interface = self.interface("lo")?;
            return Ok(Found::Way(Way { interface, link: None, source: given.unwrap_or(target) }));
        }
        let route = best(&self.routes, target, self.options.interface.as_deref());
        let name = self.options.interface.as_deref().or(route.map(|route| route.interface.as_str()));
        let Some(name) = name.map(str::to_owned) else {
            return Err(Error::NoRoute { target: target.to_string() });
        };
        let (gateway, is_known) = (route.and_then(|route| route.gateway), route.is_some());
        let hop = gateway.unwrap_or(target);
        let interface = self.interface(&name)?;
        let Some(Interface { addresses, mac, .. }) = self.interfaces.get(interface) else {
            return Err(Error::NoRoute { target: target.to_string() });
        };
        let own = chosen.filter(|_| self.options.interface.is_none());
        let source = given.or(own).or_else(|| nearest(addresses, target, hop)).ok_or_else(|| {
            let family = if target.is_ipv4() { "IPv4" } else { "IPv6" };
            Error::NoSource { interface: name.clone(), family }
        })?;
        let Some(mac) = *mac else {
            return Ok(Found::Way(Way { interface, link: None, source }));
        };
        if let Some(gateway) = self.options.gateway_mac {
            let link = Some(ethernet(gateway, mac, target));
            return Ok(Found::Way(Way { interface, link, source }));
        }
        if !is_known {
            return Err(Error::NoRoute { target: target.to_string() });
        }
        // A neighbour would not know whom to answer if it were asked from an address that is not the interface's own.
        let is_own = addresses.ip.iter().any(|&(own, _)| own == source);
        let from = if is_own { source } else { nearest(addresses, hop, hop).unwrap_or(source) };
        self.neighbors.entry((interface, hop)).or_insert_with(|| {
            self.asked.push((interface, hop));
            Neighbor::Asked { source: from, times: 0, last: 0 }
        });
        let hop = Hop { interface, addr: hop, source };
        Ok(self.neighbor(&hop)?.map_or(Found::Asking(hop), Found::Way))
    }

    /// The way by a next hop that was asked for; `None` while it has not answered, an error when it does not.
    pub fn neighbor(&self, hop: &Hop) -> Result<Option<Way>, Error> {
        let Hop { interface, addr, source } = *hop;
        let known = self.interfaces.get(interface);
        match (self.neighbors.get(&(interface, addr)), known) {
            (Some(Neighbor::Asked { .. }), _) => Ok(None),
            (Some(&Neighbor::Known(gateway)), Some(Interface { mac: Some(mac), .. })) => {
                Ok(Some(Way { interface, link: Some(ethernet(gateway, *mac, addr)), source }))
            }
            _ => {
                let interface = known.map(|known| known.name.clone()).unwrap_or_default();
                Err(Error::NoGateway { gateway: addr, interface })
            }
        }
    }

    /// The frames that ask, with the number of the interface they leave by, for those whose time it is.
    pub(super) fn questions(&mut self, now: Nanos) -> Vec<(usize, Vec<u8>)> {
        let mut frames = Vec::new();
        let (neighbors, interfaces) = (&mut self.neighbors, &self.interfaces);
        self.asked.retain(|&(interface, addr)| {
            let Some(neighbor) = neighbors.get_mut(&(interface, addr)) else { return false };
            let Neighbor::Asked { source, times, last } = neighbor else { return false };
            if *times > 0 && now < last.saturating_add(PATIENCE_NS) {
                return true;
            }
            let mac = interfaces.get(interface).and_then(|interface| interface.mac);
            match mac.and_then(|mac| question(mac, *source, addr)) {
                Some(frame) if *times < ATTEMPTS => {
                    (*times, *last) = (*times + 1, now);
                    frames.push((interface, frame));
                    true
                }
                _ => {
                    *neighbor = Neighbor::Silent;
                    false
                }
            }
        });
        frames
    }

    /// Takes a frame of an interface in which a neighbour may say its hardware address. Returns whether that was asked for.
    pub(super) fn hear(&mut self, interface: usize, frame: &[u8]) -> bool {
        let neighbors = &mut self.neighbors;
        let found = self.asked.iter().find_map(|&(asked, addr)| {
            if asked == interface { answer(frame, addr).map(|mac| (addr, mac)) } else { None }
        });
        if let Some((addr, mac)) = found {
            neighbors.insert((interface, addr), Neighbor::Known(mac));
            self.asked.retain(|&place| place != (interface, addr));
        }
        found.is_some()
    }

    /// Whether somebody is being asked.
    pub fn is_asking(&self) -> bool {
        !self.asked.is_empty()
    }

    /// The interfaces that ways were found by, by their numbers.
    pub(super) fn interfaces(&self) -> &[Interface] {
        &self.interfaces
    }

    fn interface(&mut self, name: &str) -> Result<usize, Error> {
        if let Some(number) = self.interfaces.iter().position(|known| known.name == name) {
            return Ok(number);
        }
        let addresses = addresses(name)?;
        // The loopback interface has one of zeros, and is no Ethernet.
        let mac = addresses.hardware.filter(|mac| *mac != [0; 6]);
        self.interfaces.push(Interface { name: name.to_owned(), addresses, mac });
        Ok(self.interfaces.len() - 1)
    }
}

/// The address that the kernel would send from. Nothing is sent.
fn kernels_choice(target: IpAddr) -> Option<IpAddr> {
    let any: SocketAddr = if target.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0_u16; 8], 0).into() };
    let socket = UdpSocket::bind(any).ok()?;
    socket.connect((target, DISCARD)).ok()?;
    Some(socket.local_addr().ok()?.ip()).filter(|addr| !addr.is_unspecified())
}

/// The address of an interface to send from: one of the network of the next hop before others.
fn nearest(addresses: &Addresses, target: IpAddr, hop: IpAddr) -> Option<IpAddr> {
    let usable = |&&(addr, _): &&(IpAddr, u8)| {
        addr.is_ipv4() == target.is_ipv4() && (!is_link_local(addr) || is_link_local(target))
    };
    let mut own = addresses.ip.iter().filter(usable);
    let near = own.clone().find(|&&prefix| covers(prefix, hop));
    near.or_else(|| own.next()).map(|&(addr, _)| addr)
}

pub(crate) fn is_link_local(addr: IpAddr) -> bool {
    match addr {
        IpAddr::V4(addr) => addr.is_link_local(),
        IpAddr::V6(addr) => addr.is_unicast_link_local(),
    }
}

fn ethernet(to: [u8; 6], from: [u8; 6], target: IpAddr) -> [u8; 14] {
    let mut header = [0; 14];
    let (addresses, kind) = header.split_at_mut(12);
    addresses[..6].copy_from_slice(&to);
    addresses[6..].copy_from_slice(&from);
    kind.copy_from_slice(&if target.is_ipv4() { [0x08, 0x00] } else { [0x86, 0xdd] });
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_host_is_reached_by_the_loopback_interface() {
        let mut ways = Ways::new(&Options::default());
        let Ok(Found::Way(way)) = ways.find("127.0.0.1".parse().unwrap()) else { panic!("no way") };
        assert_eq!((way.link, way.source), (None, "127.0.0.1".parse().unwrap()));
        assert_eq!(ways.interfaces()[way.interface].name, "lo");
        assert!(!ways.is_asking());
    }

    #[test]
    fn who_does_not_answer_is_asked_three_times() {
        let hop =
            Hop { interface: 0, addr: "192.0.2.9".parse().unwrap(), source: "192.0.2.1".parse().unwrap() };
        let interface = Interface { name: "e".into(), addresses: Addresses::default(), mac: Some([2; 6]) };
        let silent = || Ways {
            options: Options::default(),
            routes: Vec::new(),
            interfaces: vec![interface.clone()],
            neighbors: [((0, hop.addr), Neighbor::Asked { source: hop.source, times: 0, last: 0 })].into(),
            asked: vec![(0, hop.addr)],
        };
        let mut ways = silent();
        let mut asked = Vec::new();
        for now in (0..4_000_000_000).step_by(100_000_000) {
            asked.extend(ways.questions(now).iter().map(|_| now / 100_000_000));
        }
        assert_eq!(asked, [0, 7, 14]);
        assert!(matches!(ways.neighbor(&hop), Err(Error::NoGateway { .. })) && !ways.is_asking());
        // One that does.
        let mut ways = silent();
        assert_eq!(ways.neighbor(&hop).unwrap(), None);
        let (_, mut frame) = ways.questions(0).remove(0);
        frame[21] = 2;
        frame[22..28].copy_from_slice(&[4; 6]);
        frame[28..32].copy_from_slice(&[192, 0, 2, 9]);
        assert!(!ways.hear(1, &frame) && ways.hear(0, &frame));
        let way = ways.neighbor(&hop).unwrap().unwrap();
        assert_eq!(way.link.unwrap(), [4, 4, 4, 4, 4, 4, 2, 2, 2, 2, 2, 2, 8, 0]);
        assert_eq!((way.source, ways.is_asking()), (hop.source, false));
    }
}
