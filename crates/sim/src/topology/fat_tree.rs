//! The fat-tree of k-port switches: k pods of k/2 edge and k/2 aggregation switches, (k/2)² core switches (Al-Fares, Loukissas and
//! Vahdat, "A scalable, commodity data center network architecture", SIGCOMM 2008).

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{Error, check};
use crate::net::{Graph, LinkSettings, NodeId};

/// A fat-tree. Oversubscribed at the edge by more hosts on each edge switch, as the fabric above stays as it is: `k²/2 · hosts` of them.
#[derive(Clone, Debug, PartialEq)]
pub struct FatTree {
    /// Ports of a switch (of edge switches: those that would be there without oversubscription). Even, 2 to 64.
    pub k: u32,
    /// Hosts on an edge switch: k/2 at full bisection, `ratio · k/2` at an oversubscription of `ratio`. 1 to 250.
    pub hosts: u32,
    /// Links from hosts to edge switches: the interfaces' own queues.
    pub up: LinkSettings,
    /// Links from edge switches to hosts.
    pub down: LinkSettings,
    /// Links between switches, in both directions.
    pub fabric: LinkSettings,
}

impl FatTree {
    /// A fat-tree with the same links everywhere, oversubscribed at the edge by `ratio` : 1.
    pub fn new(k: u32, ratio: u32, link: &LinkSettings) -> Self {
        let hosts = (k / 2).saturating_mul(ratio);
        Self { k, hosts, up: link.clone(), down: link.clone(), fabric: link.clone() }
    }

    /// Nodes and links. Host h of edge switch e of pod p is interface `(p · k/2 + e) · hosts + h`, with the addresses 10.p.e.(h+2) and
    /// fd00::p:e:(h+2).
    ///
    /// # Errors
    ///
    /// A number is out of its range.
    pub fn graph(&self) -> Result<Graph, Error> {
        check(self.k >= 2 && self.k <= 64 && self.k.is_multiple_of(2), "k", "even, 2 to 64", self.k.into())?;
        check(
            self.hosts >= 1 && self.hosts <= 250,
            "hosts of an edge switch",
            "1 to 250",
            self.hosts.into(),
        )?;
        let half = self.k / 2;
        let mut graph = Graph::default();
        let cores: Vec<NodeId> = (0..half * half).map(|c| graph.switch(format!("core{c}"), 2)).collect();
        for pod in 0..self.k {
            let aggregation: Vec<NodeId> =
                (0..half).map(|a| graph.switch(format!("agg{pod}.{a}"), 1)).collect();
            // Aggregation switch a of every pod has the cores a·k/2 to (a+1)·k/2.
            for (&switch, group) in aggregation.iter().zip(cores.chunks(half as usize)) {
                for &core in group {
                    graph.cable(switch, core, &self.fabric);
                }
            }
            for e in 0..half {
                let edge = graph.switch(format!("edge{pod}.{e}"), 0);
                for &switch in &aggregation {
                    graph.cable(edge, switch, &self.fabric);
                }
                for h in 0..self.hosts {
                    let host = graph.host(format!("h{}", (pod * half + e) * self.hosts + h));
                    let v4 = Ipv4Addr::new(10, pod as u8, e as u8, h as u8 + 2);
                    let v6 = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, pod as u16, e as u16, h as u16 + 2);
                    graph.interface(host, edge, (self.up.clone(), self.down.clone()), (v4, v6));
                }
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
        LinkSettings::new(Rate::from_gbps(10), Duration::from_micros(1))
    }

    #[test]
    fn a_fat_tree_has_its_numbers() {
        for (k, hosts) in [(4, 16), (8, 128), (12, 432), (16, 1024)] {
            let graph = FatTree::new(k, 1, &link()).graph().expect("fits");
            assert_eq!(graph.hosts().count(), hosts);
            assert_eq!(graph.nodes().len(), hosts + (5 * k * k / 4) as usize);
            // Three layers of k³/4 cables, two directions each.
            assert_eq!(graph.edges().len() as u32, 3 * 2 * k * k * k / 4);
        }
        let graph = FatTree::new(8, 4, &link()).graph().expect("fits");
        assert_eq!(graph.hosts().count(), 512);
        assert_eq!(graph.interfaces()[513 - 2].v4, Ipv4Addr::new(10, 7, 3, 17));
    }

    #[test]
    fn equal_cost_paths_are_k_squared_over_four() {
        let mut net = Network::new(FatTree::new(8, 1, &link()).graph().expect("fits"), 0);
        let mut count = |to| {
            let paths = net.paths(InterfaceId(0), InterfaceId(to)).to_vec();
            let hops: Vec<usize> = paths.iter().map(|&path| net.path_links(path).count()).collect();
            assert!(hops.iter().all(|&h| h == hops[0]));
            let distinct: std::collections::BTreeSet<_> = paths.iter().collect();
            assert_eq!(distinct.len(), paths.len());
            (paths.len(), hops[0])
        };
        assert_eq!(count(1), (1, 2));
        assert_eq!(count(4), (4, 4));
        assert_eq!(count(16), (16, 6));
        assert_eq!(count(127), (16, 6));
    }

    #[test]
    fn sizes_out_of_range_are_refused() {
        assert!(FatTree::new(7, 1, &link()).graph().is_err());
        assert!(FatTree::new(0, 1, &link()).graph().is_err());
        let error = FatTree::new(8, 0, &link()).graph().expect_err("no hosts");
        assert_eq!(error.to_string(), "hosts of an edge switch must be 1 to 250, not 0");
    }
}
