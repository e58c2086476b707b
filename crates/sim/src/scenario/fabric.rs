//! A run over the fast world: established connections without headers, for fabrics and sweeps.

use std::collections::BTreeMap;

use super::ends::{Balance, BalanceKind};
use super::run::{Pauses, RunError};
use super::{Scenario, Scheme, tables};
use crate::balance::{self, Balancer, Ecmp, FlowTuple, Policy};
use crate::net::{Ended, InterfaceId, Network, NodeId, Overheads, PathId};
use crate::random::{Purpose, Random};
use crate::rows::Tables;
use crate::sweep::Job;
use crate::time::{Rate, Time};
use crate::workload::{self, ENDLESS};
use crate::world::{FlowSpec, Ways, World};

/// The port that all servers listen on.
pub(super) const SERVER_PORT: u16 = 80;
/// The first of the ports that clients use, chosen at random.
pub(super) const FIRST_PORT: u16 = 1024;

/// A run under way.
pub(super) struct Run<'a> {
    pub(super) frame: Frame<'a>,
    pub(super) world: World,
    /// The hashes of the switches.
    ecmp: Ecmp,
}

/// What every run is made of.
pub(super) struct Frame<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) scheme: &'a Scheme,
    pub(super) job: &'a Job,
    pub(super) net: Network,
    pub(super) flows: Vec<workload::Flow>,
    /// The hosts, by number.
    pub(super) hosts: Vec<NodeId>,
    /// Addresses and ports of the subflows of each flow.
    pub(super) tuples: Vec<Vec<FlowTuple>>,
    /// What each flow had delivered when throughput began to count.
    pub(super) before: Vec<u64>,
    /// When it began to count, and when the run ended.
    pub(super) window: (Time, Time),
    /// What each host that sends could send at most, by each of its links what the path behind it carries, bit/s; 0 for others.
    pub(super) rates: Vec<f64>,
    /// A path between each pair of interfaces of two hosts that have a flow.
    pub(super) ways: BTreeMap<(u32, u32), Vec<PathId>>,
}

impl<'a> Frame<'a> {
    pub(super) fn new(scenario: &'a Scenario, scheme: &'a Scheme, job: &'a Job) -> Result<Self, RunError> {
        let graph = scenario.topology.graph()?;
        let hosts: Vec<NodeId> = graph.hosts().collect();
        let flows = scenario.workload.flows(hosts.len() as u32, job.load, job.seed);
        let mut net = Network::new(graph, job.seed);
        net.set_detection(scenario.detection);
        for failure in &scenario.failures {
            for link in failure.links {
                net.set_failure(failure.at, link);
                if let Some(repair) = failure.repair {
                    net.set_repair(repair, link);
                }
            }
        }
        let before = vec![0; flows.len()];
        let window = (Time::ZERO + scenario.warm_up, Time::ZERO + scenario.duration);
        let tuples = Vec::with_capacity(flows.len());
        let (rates, ways) = (vec![0.0; hosts.len()], BTreeMap::new());
        let mut frame =
            Self { scenario, scheme, job, net, flows, hosts, tuples, before, window, rates, ways };
        frame.address()?;
        Ok(frame)
    }

    /// Learns the ways between two hosts, as long as all links are up, and what the first of them could send on these.
    fn explore(&mut self, src: u32, dst: u32, pairs: &[(InterfaceId, InterfaceId)]) {
        let walks = pairs.iter().filter_map(|&(from, to)| Some((from, self.net.walk(from, to, |_| 0)?)));
        let ways: Vec<(InterfaceId, PathId)> = walks.collect();
        if let Some(rate) = self.rates.get_mut(src as usize).filter(|rate| **rate == 0.0) {
            let mut most: BTreeMap<InterfaceId, Rate> = BTreeMap::new();
            for &(from, path) in &ways {
                let through = self.net.path_rate(path).map_or(Rate::from_bps(1), |(rate, _)| rate);
                most.entry(from).and_modify(|most| *most = through.max(*most)).or_insert(through);
            }
            *rate = most.values().map(|rate| rate.bps() as f64).sum();
        }
        self.ways.insert((src, dst), ways.into_iter().map(|(_, path)| path).collect());
    }

    /// Gives each subflow addresses and ports of its own.
    fn address(&mut self) -> Result<(), RunError> {
        let subflows =
            self.scheme.transport.multipath.as_ref().map_or(1, |multipath| multipath.subflows.max(1));
        let coded = self.scheme.balance.kind == BalanceKind::Cflb;
        let mut ends = BTreeMap::new();
        for (number, flow) in self.flows.iter().enumerate() {
            let pairs = pairs(&mut self.net, &self.hosts, flow.src, flow.dst);
            if pairs.is_empty() {
                let name = |host: u32| tables::host_name(&self.net, &self.hosts, host);
                return Err(RunError::NoPath { from: name(flow.src), to: name(flow.dst) });
            }
            ends.entry((flow.src, flow.dst)).or_insert_with(|| pairs.clone());
            let mut tuples: Vec<FlowTuple> = (0..usize::from(subflows))
                .zip(ports(self.job.seed, number))
                .map(|(n, from_port)| {
                    let (from, to) = pairs[n % pairs.len()];
                    FlowTuple { from, to, from_port, to_port: SERVER_PORT }
                })
                .collect();
            // With CFLB the ports code the paths: those of the first one stand for all, so that no two subflows take the same path.
            if coded && let Some(first) = tuples.first().map(|tuple| tuple.from_port) {
                tuples.iter_mut().for_each(|tuple| tuple.from_port = first);
            }
            self.tuples.push(tuples);
        }
        for ((src, dst), pairs) in ends {
            self.explore(src, dst, &pairs);
        }
        Ok(())
    }

    /// Whether the run may end when all flows are complete.
    pub(super) fn may_end(&self) -> bool {
        self.scenario.stop_when_complete && self.flows.iter().all(|flow| flow.bytes != ENDLESS)
    }

    /// Nothing is left to happen: the run ends now.
    pub(super) fn end(&mut self) {
        self.window.1 = self.net.now().max(Time(1));
        self.window.0 = self.window.0.min(self.window.1);
    }
}

impl<'a> Run<'a> {
    pub(super) fn new(scenario: &'a Scenario, scheme: &'a Scheme, job: &'a Job) -> Result<Self, RunError> {
        let mut frame = Frame::new(scenario, scheme, job)?;
        frame.net.set_overheads(Overheads::default());
        let Balance { salted, ttl, .. } = scheme.balance;
        let ecmp = Ecmp::new(&frame.net, job.seed, salted, ttl);
        let mut world = World::new(vec![scheme.transport.clone()]);
        let (balancer, policy) = chooser(&scheme.balance.kind, &frame.net, job.seed, &ecmp);
        world.set_balance(balancer, policy, job.seed);
        world.keep_incidents();
        if frame.may_end() {
            world.stop_when_complete();
        }
        for (flow, tuples) in frame.flows.iter().zip(&frame.tuples) {
            let workload::Flow { start, after, bytes, .. } = *flow;
            let ways = Ways::Balanced(tuples.clone());
            world.add_flow(&mut frame.net, FlowSpec { start, after, bytes, class: 0, ways });
        }
        Ok(Self { frame, world, ecmp })
    }

    /// Lets it happen, sampling links and queues on the way.
    pub(super) fn go(
        &mut self,
        tables: &mut Tables,
        progress: &dyn Fn(Time) -> bool,
    ) -> Result<(), RunError> {
        let Frame { scenario, job, net, before, window, .. } = &mut self.frame;
        let mut sampler = tables::Sampler::new(net, scenario.sample);
        let mut pauses = Pauses::new(scenario);
        while let Some(now) = pauses.next(sampler.next()) {
            let ended = crate::net::run(net, &mut self.world, now);
            if now == window.0 {
                for (before, flow) in before.iter_mut().zip(0..) {
                    *before = self.world.outcome(flow).map_or(0, |outcome| outcome.delivered);
                }
            }
            if sampler.next() == Some(now) {
                sampler.sample(job.run_id, net, now, tables);
            }
            if ended != Ended::Until {
                self.frame.end();
                break;
            }
            if !progress(now) {
                return Err(RunError::Stopped);
            }
        }
        Ok(())
    }

    /// The paths of a flow's subflows as they are for flows that do not move; none where they do, or where they depend on other flows.
    pub(super) fn fixed_paths(&mut self, number: usize) -> Option<Vec<PathId>> {
        let Frame { job, net, tuples, scheme, .. } = &mut self.frame;
        let tuples = tuples.get(number)?.iter().copied().zip(0..);
        match &scheme.balance.kind {
            BalanceKind::Hash(Policy::Fixed) => {
                tuples.map(|(tuple, v)| self.ecmp.path(net, tuple, v)).collect()
            }
            BalanceKind::Cflb => {
                let scheme = balance::Scheme::Cflb;
                let mut source = Balancer::new(net, job.seed, scheme, self.ecmp.clone());
                tuples.map(|(tuple, v)| source.path(net, tuple, v)).collect()
            }
            _ => None,
        }
    }
}

/// The client's ports of the subflows of a flow. They depend on seed and flow alone, so that every scheme begins with the same hash.
pub(super) fn ports(seed: u64, flow: usize) -> impl Iterator<Item = u16> {
    let mut random = Random::indexed(seed, Purpose::Hashing, 1 + flow as u64);
    std::iter::repeat_with(move || FIRST_PORT + random.below(u64::from(u16::MAX - FIRST_PORT) + 1) as u16)
}

/// The interfaces of a host.
pub(super) fn interfaces(net: &Network, hosts: &[NodeId], host: u32) -> Vec<InterfaceId> {
    let node = hosts.get(host as usize).copied();
    node.map_or_else(Vec::new, |node| net.graph().interfaces_of(node).collect())
}

/// The pairs of interfaces of two hosts between which there is a path: those of the same number at both ends first, so that subflows use
/// every interface before they use one twice.
fn pairs(net: &mut Network, hosts: &[NodeId], src: u32, dst: u32) -> Vec<(InterfaceId, InterfaceId)> {
    let (from, to) = (interfaces(net, hosts, src), interfaces(net, hosts, dst));
    let mut pairs = Vec::new();
    for (i, &a) in from.iter().enumerate() {
        for (j, &b) in to.iter().enumerate() {
            if !net.paths(a, b).is_empty() && !net.paths(b, a).is_empty() {
                let crossed = from.len() > 1 && to.len() > 1 && i != j;
                pairs.push((crossed, a, b));
            }
        }
    }
    pairs.sort_by_key(|&(crossed, ..)| crossed);
    pairs.into_iter().map(|(_, a, b)| (a, b)).collect()
}

/// How the world chooses paths, and when senders change what is hashed.
fn chooser(kind: &BalanceKind, net: &Network, seed: u64, ecmp: &Ecmp) -> (Balancer, Policy) {
    let (scheme, policy) = match kind {
        BalanceKind::Hash(policy) => (balance::Scheme::Hash, *policy),
        BalanceKind::Spray => (balance::Scheme::Spray, Policy::Fixed),
        BalanceKind::Cflb => (balance::Scheme::Cflb, Policy::Fixed),
        BalanceKind::LeastLoaded => (balance::Scheme::LeastLoaded, Policy::Fixed),
    };
    (Balancer::new(net, seed, scheme, ecmp.clone()), policy)
}
