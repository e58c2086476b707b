//! Shortest paths over the links that routing believes to be up. Distances to a switch are found when they are first asked for.

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::graph::{Graph, InterfaceId, Kind, LinkId, NodeId};

/// Farther than everything.
const FAR: u16 = u16::MAX;

/// A switch that has several equally short ways on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fork {
    /// The switch.
    pub switch: NodeId,
    /// How many switches the packet has passed before this one.
    pub passed: u8,
    /// How many ways there are: at least 1.
    pub ways: u32,
}

/// What switches know.
#[derive(Clone, Debug, Default)]
pub(super) struct Routes {
    /// Out-links of each switch to other switches: `outs[first[n]..first[n + 1]]`.
    first: Vec<u32>,
    outs: Vec<(LinkId, NodeId)>,
    /// The same backwards.
    first_in: Vec<u32>,
    ins: Vec<(LinkId, NodeId)>,
    /// Links that routing believes to be down.
    down: Vec<bool>,
    /// Hops of every node to a switch.
    distances: HashMap<u32, Box<[u16]>, FixedState>,
}

/// Links of each node in the order of their numbers.
fn grouped(nodes: usize, links: &[(NodeId, LinkId, NodeId)]) -> (Vec<u32>, Vec<(LinkId, NodeId)>) {
    let mut sorted = links.to_vec();
    sorted.sort_by_key(|&(node, ..)| node);
    let first = (0..=nodes as u32).map(|n| sorted.partition_point(|&(node, ..)| node.0 < n) as u32).collect();
    (first, sorted.into_iter().map(|(_, link, other)| (link, other)).collect())
}

impl Routes {
    pub(super) fn new(graph: &Graph) -> Self {
        let is_switch =
            |node: NodeId| graph.nodes().get(node.0 as usize).is_some_and(|node| node.kind != Kind::Host);
        let between = || {
            let links = (0..).map(LinkId).zip(graph.edges());
            links.filter(|(_, edge)| is_switch(edge.from) && is_switch(edge.to))
        };
        let nodes = graph.nodes().len();
        let forward: Vec<_> = between().map(|(link, edge)| (edge.from, link, edge.to)).collect();
        let backward: Vec<_> = between().map(|(link, edge)| (edge.to, link, edge.from)).collect();
        let (first, outs) = grouped(nodes, &forward);
        let (first_in, ins) = grouped(nodes, &backward);
        Self { first, outs, first_in, ins, down: vec![false; graph.edges().len()], ..Self::default() }
    }

    /// Routing learns that a link is down or up again.
    pub(super) fn learn(&mut self, link: LinkId, down: bool) {
        if let Some(known) = self.down.get_mut(link.0 as usize) {
            *known = down;
            self.distances.clear();
        }
    }

    fn usable(&self, link: LinkId) -> bool {
        !self.down.get(link.0 as usize).copied().unwrap_or(true)
    }

    fn group<'a>(first: &[u32], links: &'a [(LinkId, NodeId)], node: NodeId) -> &'a [(LinkId, NodeId)] {
        let n = node.0 as usize;
        let (Some(&from), Some(&to)) = (first.get(n), first.get(n + 1)) else { return &[] };
        links.get(from as usize..to as usize).unwrap_or_default()
    }

    /// Finds the distances to a switch, if they are not known.
    fn measure(&mut self, to: NodeId) {
        if self.distances.contains_key(&to.0) {
            return;
        }
        let mut distances = vec![FAR; self.first.len()].into_boxed_slice();
        let mut reached = vec![to];
        distances[to.0 as usize] = 0;
        let mut next = 0;
        while let Some(&node) = reached.get(next) {
            next += 1;
            let distance = distances[node.0 as usize] + 1;
            for &(link, before) in Self::group(&self.first_in, &self.ins, node) {
                if self.usable(link) && distances[before.0 as usize] == FAR {
                    distances[before.0 as usize] = distance;
                    reached.push(before);
                }
            }
        }
        self.distances.insert(to.0, distances);
    }

    /// The links of one shortest path; `choose` says at each switch which of its ways to take (taken modulo their number). None when
    /// routing knows no way.
    pub(super) fn walk(
        &mut self,
        graph: &Graph,
        from: InterfaceId,
        to: InterfaceId,
        links: &mut Vec<u32>,
        mut choose: impl FnMut(Fork) -> u32,
    ) -> Option<()> {
        links.clear();
        let from = graph.interfaces().get(from.0 as usize)?;
        let to = graph.interfaces().get(to.0 as usize)?;
        if !self.usable(from.up) || !self.usable(to.down) || from.host == to.host {
            return None;
        }
        self.measure(to.attached);
        let distances = self.distances.get(&to.attached.0)?;
        links.push(from.up.0);
        let mut node = from.attached;
        let mut passed = 0u8;
        while node != to.attached {
            let distance = *distances.get(node.0 as usize).filter(|&&distance| distance != FAR)?;
            let nearer = |&&(link, next): &&(LinkId, NodeId)| {
                distances[next.0 as usize] == distance - 1 && self.usable(link)
            };
            let outs = Self::group(&self.first, &self.outs, node);
            let ways = outs.iter().filter(nearer).count() as u32;
            let choice = choose(Fork { switch: node, passed, ways }).checked_rem(ways)?;
            let &(link, next) = outs.iter().filter(nearer).nth(choice as usize)?;
            links.push(link.0);
            node = next;
            passed = passed.saturating_add(1);
        }
        links.push(to.down.0);
        Some(())
    }
}
