//! Two hosts with two interfaces each, and a path of its own between each pair of them.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::Error;
use crate::net::{Graph, LinkId, LinkSettings, NodeId};

/// Two disjoint paths. The client has the interfaces 0 and 1, the server 2 and 3; 0 reaches 2 alone, and 1 reaches 3 alone.
#[derive(Clone, Debug, PartialEq)]
pub struct TwoPath {
    /// Links of the hosts, in both directions: fast, so that they do not matter.
    pub access: LinkSettings,
    /// The middle of each path: from the client to the server, and back.
    pub paths: [(LinkSettings, LinkSettings); 2],
}

impl TwoPath {
    /// The middle of path 0 or 1 in [`graph`](Self::graph), from the client to the server; the way back is the next.
    pub const fn middle(path: u32) -> LinkId {
        LinkId(path * 2)
    }

    /// Nodes and links. The client has 10.0.1.2 and 10.0.2.2 (fd00:1::2, fd00:2::2), the server 10.1.1.2 and 10.1.2.2 (fd00:101::2,
    /// fd00:102::2).
    ///
    /// # Errors
    ///
    /// None as yet.
    pub fn graph(&self) -> Result<Graph, Error> {
        let mut graph = Graph::default();
        let mut ends: Vec<(NodeId, NodeId)> = Vec::new();
        for (i, (forward, back)) in self.paths.iter().enumerate() {
            let (near, far) = (graph.switch(format!("near{i}"), 0), graph.switch(format!("far{i}"), 0));
            graph.link(near, far, forward.clone());
            graph.link(far, near, back.clone());
            ends.push((near, far));
        }
        let (client, server) = (graph.host("client"), graph.host("server"));
        let access = || (self.access.clone(), self.access.clone());
        for (n, &(near, _)) in (1..).zip(&ends) {
            let v6 = Ipv6Addr::new(0xfd00, n, 0, 0, 0, 0, 0, 2);
            graph.interface(client, near, access(), (Ipv4Addr::new(10, 0, n as u8, 2), v6));
        }
        for (n, &(_, far)) in (1..).zip(&ends) {
            let v6 = Ipv6Addr::new(0xfd00, 0x100 + n, 0, 0, 0, 0, 0, 2);
            graph.interface(server, far, access(), (Ipv4Addr::new(10, 1, n as u8, 2), v6));
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
    fn paths_do_not_meet() {
        let link = LinkSettings::new(Rate::from_mbps(10), Duration::from_millis(5));
        let pair = || (link.clone(), link.clone());
        let two = TwoPath { access: link.clone(), paths: [pair(), pair()] };
        let mut net = Network::new(two.graph().expect("fits"), 0);
        let mut paths = |from, to| net.paths(InterfaceId(from), InterfaceId(to)).len();
        assert_eq!([paths(0, 2), paths(1, 3), paths(2, 0), paths(0, 3), paths(1, 2)], [1, 1, 1, 0, 0]);
        assert_eq!(net.graph().link_name(TwoPath::middle(1)), "near1 -> far1");
    }
}
