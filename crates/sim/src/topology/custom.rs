//! Any other topology: switches, links and hosts by name.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::{Error, check};
use crate::net::{Graph, LinkSettings, NodeId};

/// A switch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomSwitch {
    /// Its name.
    pub name: String,
    /// Its tier, 0 next to hosts; for tables only.
    pub tier: u8,
}

/// A cable between two switches.
#[derive(Clone, Debug, PartialEq)]
pub struct CustomLink {
    /// One switch.
    pub from: String,
    /// The other.
    pub to: String,
    /// From the one to the other.
    pub forward: LinkSettings,
    /// And back.
    pub back: LinkSettings,
}

/// A host with its interfaces.
#[derive(Clone, Debug, PartialEq)]
pub struct CustomHost {
    /// Its name.
    pub name: String,
    /// Its interfaces.
    pub interfaces: Vec<CustomInterface>,
}

/// An interface: the switch, the links up and down, and its addresses, where they are not to be 10.x.y.z and fd00::n by number.
pub type CustomInterface = (String, LinkSettings, LinkSettings, Option<Ipv4Addr>, Option<Ipv6Addr>);

/// A topology as somebody described it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Custom {
    /// The switches.
    pub switches: Vec<CustomSwitch>,
    /// The cables between them.
    pub links: Vec<CustomLink>,
    /// The hosts; interfaces are numbered in this order.
    pub hosts: Vec<CustomHost>,
}

impl Custom {
    /// Nodes and links. Cable i has the links `2i` and `2i + 1`.
    ///
    /// # Errors
    ///
    /// A name is unknown or given twice, or there are more than 2^24 interfaces.
    pub fn graph(&self) -> Result<Graph, Error> {
        let count: usize = self.hosts.iter().map(|host| host.interfaces.len()).sum();
        check(count < 1 << 24, "interfaces", "below 16777216", count as u64)?;
        let mut graph = Graph::default();
        let mut names: BTreeMap<&str, Option<NodeId>> = BTreeMap::new();
        for CustomSwitch { name, tier } in &self.switches {
            if names.insert(name, Some(graph.switch(name.as_str(), *tier))).is_some() {
                return Err(Error::Twice(name.clone()));
            }
        }
        let find = |names: &BTreeMap<&str, Option<NodeId>>, name: &str| {
            names.get(name).copied().flatten().ok_or_else(|| Error::Unknown(name.to_owned()))
        };
        for link in &self.links {
            let (from, to) = (find(&names, &link.from)?, find(&names, &link.to)?);
            graph.link(from, to, link.forward.clone());
            graph.link(to, from, link.back.clone());
        }
        let mut number = 0u32;
        for CustomHost { name, interfaces } in &self.hosts {
            let host = graph.host(name.as_str());
            if names.insert(name, None).is_some() {
                return Err(Error::Twice(name.clone()));
            }
            for (switch, up, down, v4, v6) in interfaces {
                number += 1;
                let v4 = v4.unwrap_or(Ipv4Addr::from(0x0a00_0000 | number));
                let v6 = v6.unwrap_or(Ipv6Addr::from(0xfd00 << 112 | u128::from(number)));
                graph.interface(host, find(&names, switch)?, (up.clone(), down.clone()), (v4, v6));
            }
        }
        Ok(graph)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::{InterfaceId, Network};
    use crate::time::{Duration, Rate};

    fn link() -> LinkSettings {
        LinkSettings::new(Rate::from_mbps(10), Duration::from_millis(5))
    }

    fn triangle() -> Custom {
        let switch = |name: &str| CustomSwitch { name: name.to_owned(), tier: 0 };
        let cable = |from: &str, to: &str| CustomLink {
            from: from.to_owned(),
            to: to.to_owned(),
            forward: link(),
            back: link(),
        };
        let host = |name: &str, at: &str| CustomHost {
            name: name.to_owned(),
            interfaces: vec![(at.to_owned(), link(), link(), None, None)],
        };
        Custom {
            switches: ["a", "b", "c"].map(switch).to_vec(),
            links: vec![cable("a", "b"), cable("b", "c"), cable("c", "a")],
            hosts: vec![host("x", "a"), host("y", "b")],
        }
    }

    #[test]
    fn the_shortest_way_is_taken() {
        let mut net = Network::new(triangle().graph().expect("names fit"), 0);
        let paths = net.paths(InterfaceId(0), InterfaceId(1)).to_vec();
        let names: Vec<String> = net.path_links(paths[0]).map(|link| net.graph().link_name(link)).collect();
        assert_eq!((paths.len(), names), (1, vec!["x -> a".into(), "a -> b".into(), "b -> y".into()]));
        assert_eq!(net.graph().interfaces()[1].v4, Ipv4Addr::new(10, 0, 0, 2));
        assert_eq!(net.graph().interfaces()[1].v6.to_string(), "fd00::2");
    }

    #[test]
    fn names_must_be_known_and_told_apart() {
        let mut wrong = triangle();
        wrong.links[0].to = "d".to_owned();
        assert_eq!(wrong.graph(), Err(Error::Unknown("d".to_owned())));
        let mut wrong = triangle();
        wrong.hosts[1].name = "a".to_owned();
        assert_eq!(wrong.graph(), Err(Error::Twice("a".to_owned())));
        let mut wrong = triangle();
        wrong.hosts[1].interfaces[0].0 = "x".to_owned();
        assert_eq!(wrong.graph(), Err(Error::Unknown("x".to_owned())), "a host is no switch");
    }
}
