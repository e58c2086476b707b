//! One scheme for all flows of a run: which path a flow takes, or each packet of it.

use super::cflb::Coding;
use super::{Ecmp, FlowTuple};
use crate::net::{LinkId, Network, PathId, PathSet};
use crate::random::{Purpose, Random, mix};

/// Who chooses, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Switches hash; a V that endpoints change (FlowBender, PLB) is one of the fields.
    Hash,
    /// Every packet takes a path of its own, at random (random packet spraying; Dixit et al., "On the impact of packet spraying in data center
    /// networks", INFOCOM 2013).
    Spray,
    /// The source writes the path into its port, and switches decode it.
    Cflb,
    /// An oracle: a flow takes the path whose fullest link has the fewest flows, and among these the shortest queue.
    LeastLoaded,
}

/// Chooses paths.
#[derive(Clone, Debug)]
pub struct Balancer {
    scheme: Scheme,
    ecmp: Ecmp,
    random: Random,
    /// Flows on each link, for the oracle.
    flows: Vec<u32>,
}

impl Balancer {
    /// A scheme in a network, with the switches that hash as [`Ecmp`] says.
    pub fn new(net: &Network, seed: u64, scheme: Scheme, ecmp: Ecmp) -> Self {
        let flows = if scheme == Scheme::LeastLoaded { vec![0; net.link_count()] } else { Vec::new() };
        Self { scheme, ecmp, random: Random::new(seed, Purpose::Balancing), flows }
    }

    /// The path of a flow with a value of V. With CFLB, V is added to the number of the path, so that subflows with different V take
    /// different paths; with spraying it is the path of one packet. None when there is no way.
    pub fn path(&mut self, net: &mut Network, flow: FlowTuple, v: u32) -> Option<PathId> {
        match self.scheme {
            Scheme::Hash => self.ecmp.path(net, flow, v),
            Scheme::Spray => {
                let set = net.path_set(flow.from, flow.to);
                self.spray(net, set)
            }
            Scheme::Cflb => self.cflb(net, flow, v).map(|(path, _)| path),
            Scheme::LeastLoaded => self.least_loaded(net, flow),
        }
    }

    /// Whether every packet is to ask for a path: [`spray`](Self::spray).
    pub const fn sprays(&self) -> bool {
        matches!(self.scheme, Scheme::Spray)
    }

    /// The path of the next packet, of a set that is got once for a flow with [`Network::path_set`].
    #[inline]
    pub fn spray(&mut self, net: &Network, set: PathSet) -> Option<PathId> {
        net.path_of(set, self.random.below(u64::from(set.len)) as u32)
    }

    /// A flow no longer uses a path, so that the oracle does not count it.
    pub fn release(&mut self, net: &Network, path: PathId) {
        for LinkId(link) in net.path_links(path) {
            if let Some(flows) = self.flows.get_mut(link as usize) {
                *flows = flows.saturating_sub(1);
            }
        }
    }

    /// CFLB: the path, and the source port that leads along it.
    pub fn cflb(&mut self, net: &mut Network, flow: FlowTuple, v: u32) -> Option<(PathId, u16)> {
        // How many ways each switch has, as the source knows from the shape of the network: the same on all paths.
        let mut radices = Vec::new();
        net.walk(flow.from, flow.to, |fork| {
            radices.push(fork.ways);
            0
        })?;
        let key = mix(u64::from(flow.from.0) << 32 | u64::from(flow.to.0)) ^ u64::from(flow.to_port);
        let coding = Coding::new(key, &radices).ok()?;
        let number = (flow.hash() % u64::from(coding.paths())) as u32;
        let port = coding.encode((number + v % coding.paths()) % coding.paths(), &mut self.random);
        let path = net.walk(flow.from, flow.to, |fork| coding.digit(port, fork.passed.into()))?;
        Some((path, port))
    }

    fn least_loaded(&mut self, net: &mut Network, flow: FlowTuple) -> Option<PathId> {
        let paths = net.paths(flow.from, flow.to).to_vec();
        // Equal paths are tried from a place of the flow's own.
        let first = (flow.hash() % (paths.len() as u64).max(1)) as usize;
        let (before, after) = paths.split_at(first.min(paths.len()));
        let best = after.iter().chain(before).copied().min_by_key(|&path| {
            let flows = |link: LinkId| self.flows.get(link.0 as usize).copied().unwrap_or(0);
            let most = net.path_links(path).map(flows).max();
            (most, net.path_links(path).map(|link| net.queue_bytes(link)).max())
        })?;
        for link in net.path_links(best) {
            if let Some(flows) = self.flows.get_mut(link.0 as usize) {
                *flows += 1;
            }
        }
        Some(best)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maxmin::max_min;
    use crate::net::{InterfaceId, LinkSettings};
    use crate::time::{Duration, Rate};
    use crate::topology::{FatTree, LeafSpine};
    use std::collections::BTreeSet;

    fn link() -> LinkSettings {
        LinkSettings::new(Rate::from_gbps(10), Duration::from_micros(1))
    }

    fn fat_tree(k: u32) -> Network {
        Network::new(FatTree::new(k, 1, &link()).graph().expect("a size"), 1)
    }

    fn tuple(from: u32, to: u32, port: u16) -> FlowTuple {
        FlowTuple { from: InterfaceId(from), to: InterfaceId(to), from_port: port, to_port: 80 }
    }

    /// A permutation without fixed points: a random cycle.
    fn permutation(hosts: u32, seed: u64) -> Vec<(u32, u32)> {
        let mut order: Vec<u32> = (0..hosts).collect();
        Random::new(seed, Purpose::Workload).shuffle(&mut order);
        order.iter().copied().zip(order.iter().copied().cycle().skip(1)).collect()
    }

    /// Mean max-min throughput of a permutation in percent of the host links, over seeds.
    fn throughput(k: u32, seeds: u64, mut path: impl FnMut(&mut Network, u64, FlowTuple) -> PathId) -> f64 {
        let mut sum = 0.0;
        for seed in 0..seeds {
            let mut net = fat_tree(k);
            let hosts = net.graph().interfaces().len() as u32;
            let capacity = vec![1.0; net.link_count()];
            let ports = &mut Random::new(seed, Purpose::Hashing);
            let flows = permutation(hosts, seed).into_iter();
            let flows = flows.map(|(from, to)| tuple(from, to, ports.below(60_000) as u16));
            let paths: Vec<Vec<u32>> = flows
                .map(|flow| {
                    let path = path(&mut net, seed, flow);
                    net.path_links(path).map(|link| link.0).collect()
                })
                .collect();
            sum += max_min(&capacity, &paths).iter().sum::<f64>() / f64::from(hosts);
        }
        100.0 * sum / seeds as f64
    }

    fn hashed(k: u32, seeds: u64, salted: bool, ttl: bool) -> f64 {
        throughput(k, seeds, |net, seed, flow| {
            Ecmp::new(net, seed, salted, ttl).path(net, flow, 0).expect("a way")
        })
    }

    #[test]
    fn the_same_hash_everywhere_polarises() {
        // Known from another implementation: 29.0 % instead of 47.9 % for k = 8. A mean of 20 seeds has a standard error of 0.3.
        let [polarised, salted, ttl] =
            [(false, false), (true, false), (false, true)].map(|(s, t)| hashed(8, 20, s, t));
        assert!((polarised - 29.0).abs() < 1.5, "{polarised}");
        assert!((salted - 47.9).abs() < 1.5, "{salted}");
        assert!((ttl - 47.9).abs() < 1.5, "{ttl}");
    }

    #[test]
    fn polarisation_grows_with_the_fabric() {
        let [polarised, salted, ttl] =
            [(false, false), (true, false), (false, true)].map(|(s, t)| hashed(16, 3, s, t));
        assert!((polarised - 17.1).abs() < 1.5, "{polarised}");
        assert!((salted - 43.2).abs() < 1.5, "{salted}");
        assert!((ttl - 43.2).abs() < 1.5, "{ttl}");
    }

    #[test]
    fn flows_collide_as_balls_in_bins_do() {
        // n equal long flows on 8 paths: one of m on its path takes m / (n / 8) of the ideal time. A flow meets (n - 1) / 8 others on average,
        // so the mean is (1 + (n - 1) / 8) · 8 / n: 1.875, 1.4375, 1.2917.
        for (flows, mean) in [(8u32, 1.875), (16, 1.4375), (24, 31.0 / 24.0)] {
            let mut sum = 0.0;
            for seed in 0..300 {
                let fabric = LeafSpine {
                    leaves: 2,
                    spines: 8,
                    hosts: flows,
                    up: link(),
                    down: link(),
                    fabric: link(),
                };
                let mut net = Network::new(fabric.graph().expect("a size"), 1);
                let ecmp = Ecmp::new(&net, seed, true, false);
                let mut on = [0u32; 8];
                let mut chosen = Vec::new();
                let first = net.paths(InterfaceId(0), InterfaceId(flows)).to_vec();
                let spines: Vec<LinkId> =
                    first.iter().filter_map(|&path| net.path_links(path).nth(1)).collect();
                for host in 0..flows {
                    let path = ecmp.path(&mut net, tuple(host, flows + host, 1000), 0).expect("a way");
                    let up = net.path_links(path).nth(1).expect("up");
                    let spine = spines.iter().position(|&link| link == up).expect("a spine");
                    on[spine] += 1;
                    chosen.push(spine);
                }
                let ideal = f64::from(flows) / 8.0;
                sum +=
                    chosen.iter().map(|&spine| f64::from(on[spine]) / ideal).sum::<f64>() / f64::from(flows);
            }
            // A run has a standard deviation of about .33 for 8 flows (measured, and less for more): five standard errors are .095.
            assert!((sum / 300.0 - mean).abs() < 0.095, "{flows}: {}", sum / 300.0);
        }
    }

    #[test]
    fn every_value_of_v_may_lead_elsewhere() {
        let mut net = fat_tree(8);
        for (salted, ttl) in [(true, false), (true, true), (false, true)] {
            let ecmp = Ecmp::new(&net, 3, salted, ttl);
            let mut paths = BTreeSet::new();
            for v in 0..100 {
                paths.insert(ecmp.path(&mut net, tuple(0, 127, 5000), v));
            }
            // 16 paths, 100 draws: that fewer than 14 are met has a chance below one in ten thousand.
            assert!(paths.len() >= 14 && !paths.contains(&None), "{}", paths.len());
        }
    }

    #[test]
    fn v_in_the_ttl_falls_at_each_hop() {
        // Without salts, hop i with V sees what hop 0 sees with V - i.
        let mut net = fat_tree(8);
        let ecmp = Ecmp::new(&net, 3, false, true);
        let mut ways = |v| {
            let path = ecmp.path(&mut net, tuple(0, 127, 5000), v).expect("a way");
            let links: Vec<LinkId> = net.path_links(path).collect();
            let number = |link: LinkId| {
                let from = net.graph().edges()[link.0 as usize].from;
                let to_switch = |edge: &crate::net::Edge| {
                    matches!(net.graph().nodes()[edge.to.0 as usize].kind, crate::net::Kind::Switch { .. })
                };
                let outs = net
                    .graph()
                    .edges()
                    .iter()
                    .enumerate()
                    .filter(|(_, edge)| edge.from == from && to_switch(edge));
                outs.map(|(i, _)| i as u32).position(|i| i == link.0).expect("an out-link")
            };
            (number(links[1]), number(links[2]))
        };
        // Aggregation switches have their cables to the cores first, edge switches have only those upward: both count from 0.
        for v in 1..20 {
            assert_eq!(ways(v).1, ways(v - 1).0);
        }
    }

    #[test]
    fn cflb_reaches_every_path() {
        let mut net = fat_tree(8);
        let ecmp = Ecmp::new(&net, 1, true, false);
        let mut balancer = Balancer::new(&net, 1, Scheme::Cflb, ecmp);
        let all: BTreeSet<PathId> = net.paths(InterfaceId(0), InterfaceId(127)).iter().copied().collect();
        let got: BTreeSet<PathId> =
            (0..16).filter_map(|v| balancer.path(&mut net, tuple(0, 127, 5000), v)).collect();
        assert_eq!(got, all);
        assert_eq!(
            balancer.path(&mut net, tuple(0, 1, 5000), 3),
            net.paths(InterfaceId(0), InterfaceId(1)).first().copied()
        );
    }

    #[test]
    fn the_oracle_has_no_collisions() {
        let fabric = LeafSpine { leaves: 2, spines: 8, hosts: 8, up: link(), down: link(), fabric: link() };
        let mut net = Network::new(fabric.graph().expect("a size"), 1);
        let ecmp = Ecmp::new(&net, 1, true, false);
        let mut balancer = Balancer::new(&net, 1, Scheme::LeastLoaded, ecmp);
        let paths: Vec<PathId> =
            (0..8).filter_map(|host| balancer.path(&mut net, tuple(host, 8 + host, 1), 0)).collect();
        let ups: BTreeSet<LinkId> = paths.iter().filter_map(|&path| net.path_links(path).nth(1)).collect();
        assert_eq!(ups.len(), 8);
        // What is released is taken again.
        balancer.release(&net, paths[3]);
        let again = balancer.path(&mut net, tuple(3, 11, 2), 0).expect("a way");
        assert_eq!(net.path_links(again).nth(1), net.path_links(paths[3]).nth(1));
    }

    #[test]
    fn spraying_uses_all_paths_evenly() {
        let mut net = fat_tree(8);
        let ecmp = Ecmp::new(&net, 1, true, false);
        let mut balancer = Balancer::new(&net, 1, Scheme::Spray, ecmp);
        assert!(balancer.sprays());
        let set = net.path_set(InterfaceId(0), InterfaceId(127));
        let mut counts = std::collections::BTreeMap::new();
        for _ in 0..16_000 {
            *counts.entry(balancer.spray(&net, set)).or_insert(0u32) += 1;
        }
        // Binomial: standard deviation 30.6, six of them 184.
        assert!(counts.len() == 16 && counts.values().all(|&count| count.abs_diff(1000) < 184), "{counts:?}");
        assert_eq!(balancer.spray(&net, PathSet::default()), None);
    }
}
