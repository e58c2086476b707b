//! The dumbbell: n senders, one bottleneck, n receivers.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{Error, check};
use crate::net::{Graph, LinkId, LinkSettings};

/// A dumbbell. Sender i is interface `2i`, its receiver `2i + 1`.
#[derive(Clone, Debug, PartialEq)]
pub struct Dumbbell {
    /// Pairs of hosts, 1 to 60,000.
    pub pairs: u32,
    /// Links of hosts, in both directions.
    pub access: LinkSettings,
    /// The link in the middle, from senders to receivers.
    pub forward: LinkSettings,
    /// The link in the middle, back.
    pub back: LinkSettings,
}

impl Dumbbell {
    /// The number of the bottleneck in [`graph`](Self::graph), from senders to receivers; the way back is the next.
    pub const BOTTLENECK: LinkId = LinkId(0);

    /// Nodes and links. Senders have the addresses 10.1.x.y and fd00:1::i, receivers 10.2.x.y and fd00:2::i.
    ///
    /// # Errors
    ///
    /// The number of pairs is out of its range.
    pub fn graph(&self) -> Result<Graph, Error> {
        check((1..=60_000).contains(&self.pairs), "pairs", "1 to 60000", self.pairs.into())?;
        let mut graph = Graph::default();
        let (left, right) = (graph.switch("left", 0), graph.switch("right", 0));
        graph.link(left, right, self.forward.clone());
        graph.link(right, left, self.back.clone());
        for i in 0..self.pairs {
            for (name, side, switch) in [("s", 1, left), ("r", 2, right)] {
                let host = graph.host(format!("{name}{i}"));
                let n = i as u16 + 2;
                let v4 = Ipv4Addr::new(10, side, (n / 250) as u8, (n % 250) as u8 + 1);
                let v6 = Ipv6Addr::new(0xfd00, u16::from(side), 0, 0, 0, 0, 0, n);
                graph.interface(host, switch, (self.access.clone(), self.access.clone()), (v4, v6));
            }
        }
        Ok(graph)
    }
}
