//! Leaf and spine: every leaf has a cable to every spine.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{Error, check};
use crate::net::{Graph, LinkSettings, NodeId};

/// A leaf-spine fabric, oversubscribed by `hosts · rate of a host link / (spines · rate of a fabric link)`.
#[derive(Clone, Debug, PartialEq)]
pub struct LeafSpine {
    /// Leaves, 1 to 250.
    pub leaves: u32,
    /// Spines, 1 to 1000.
    pub spines: u32,
    /// Hosts on a leaf, 1 to 250.
    pub hosts: u32,
    /// Links from hosts to leaves: the interfaces' own queues.
    pub up: LinkSettings,
    /// Links from leaves to hosts.
    pub down: LinkSettings,
    /// Links between leaves and spines, in both directions.
    pub fabric: LinkSettings,
}

impl LeafSpine {
    /// Nodes and links. Host h of leaf l is interface `l · hosts + h`, with the addresses 10.0.l.(h+2) and fd00::l:(h+2).
    ///
    /// # Errors
    ///
    /// A number is out of its range.
    pub fn graph(&self) -> Result<Graph, Error> {
        check((1..=250).contains(&self.leaves), "leaves", "1 to 250", self.leaves.into())?;
        check((1..=1000).contains(&self.spines), "spines", "1 to 1000", self.spines.into())?;
        check((1..=250).contains(&self.hosts), "hosts of a leaf", "1 to 250", self.hosts.into())?;
        let mut graph = Graph::default();
        let spines: Vec<NodeId> = (0..self.spines).map(|s| graph.switch(format!("spine{s}"), 1)).collect();
        for l in 0..self.leaves {
            let leaf = graph.switch(format!("leaf{l}"), 0);
            for &spine in &spines {
                graph.cable(leaf, spine, &self.fabric);
            }
            for h in 0..self.hosts {
                let host = graph.host(format!("h{}", l * self.hosts + h));
                let v4 = Ipv4Addr::new(10, 0, l as u8, h as u8 + 2);
                let v6 = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, l as u16, h as u16 + 2);
                graph.interface(host, leaf, (self.up.clone(), self.down.clone()), (v4, v6));
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

    #[test]
    fn every_spine_is_a_path() {
        let link = LinkSettings::new(Rate::from_gbps(10), Duration::ZERO);
        let (up, down, fabric) = (link.clone(), link.clone(), link);
        let fabric = LeafSpine { leaves: 2, spines: 8, hosts: 24, up, down, fabric };
        let mut net = Network::new(fabric.graph().expect("fits"), 0);
        assert_eq!(net.paths(InterfaceId(0), InterfaceId(24)).len(), 8);
        assert_eq!(net.paths(InterfaceId(0), InterfaceId(1)).len(), 1);
        assert_eq!(net.paths(InterfaceId(0), InterfaceId(0)).len(), 0, "a host does not send to itself");
    }
}
