//! A run over the fast world: established connections without headers, for fabrics and sweeps.

use super::ends::{Balance, BalanceKind};
use super::run::{Pauses, RunError};
use super::{Scenario, Scheme, tables};
use crate::balance::{self, Balancer, Ecmp, FlowTuple, Policy};
use crate::net::{Ended, InterfaceId, Network, NodeId, Overheads, PathId};
use crate::random::{Purpose, Random};
use crate::rows::Tables;
use crate::sweep::Job;
use crate::time::{Duration, Time};
use crate::workload::{self, ENDLESS};
use crate::world::{FlowSpec, Ways, World};

/// The port that all servers listen on.
pub(super) const SERVER_PORT: u16 = 80;
/// The first of the ports that clients use, chosen at random.
pub(super) const FIRST_PORT: u16 = 1024;

/// A run under way, and what it is made of.
pub(super) struct Run<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) scheme: &'a Scheme,
    pub(super) job: &'a Job,
    pub(super) net: Network,
    pub(super) world: World,
    pub(super) flows: Vec<workload::Flow>,
    /// The hosts, by number.
    pub(super) hosts: Vec<NodeId>,
    /// Pairs of interfaces over which each flow may go, and its subflows' addresses and ports.
    pub(super) tuples: Vec<Vec<FlowTuple>>,
    /// The hashes of the switches.
    pub(super) ecmp: Ecmp,
    /// What each flow had delivered when throughput began to count.
    pub(super) before: Vec<u64>,
    /// When it began to count, and when the run ended.
    pub(super) window: (Time, Time),
}

impl<'a> Run<'a> {
    pub(super) fn new(scenario: &'a Scenario, scheme: &'a Scheme, job: &'a Job) -> Result<Self, RunError> {
        let graph = scenario.topology.graph()?;
        let hosts: Vec<NodeId> = graph.hosts().collect();
        let flows = scenario.workload.flows(hosts.len() as u32, job.load, job.seed);
        let mut net = network(scenario, graph, job.seed);
        net.set_overheads(Overheads::default());
        let Balance { salted, ttl, .. } = scheme.balance;
        let ecmp = Ecmp::new(&net, job.seed, salted, ttl);
        let mut world = World::new(vec![scheme.transport.clone()]);
        let (balancer, policy) = chooser(&scheme.balance.kind, &net, job.seed, &ecmp);
        world.set_balance(balancer, policy, job.seed);
        world.keep_moves();
        let finite = flows.iter().all(|flow| flow.bytes != ENDLESS);
        if scenario.stop_when_complete && finite {
            world.stop_when_complete();
        }
        let before = vec![0; flows.len()];
        let (window, tuples) = ((Time::ZERO, Time::ZERO), Vec::with_capacity(flows.len()));
        let mut run = Self { scenario, scheme, job, net, world, flows, hosts, tuples, ecmp, before, window };
        run.add_flows()?;
        Ok(run)
    }

    /// Hands the flows to the world, each subflow with addresses and ports of its own.
    fn add_flows(&mut self) -> Result<(), RunError> {
        let subflows = self.scheme.transport.multipath.as_ref().map_or(1, |multipath| multipath.subflows.max(1));
        let coded = self.scheme.balance.kind == BalanceKind::Cflb;
        for number in 0..self.flows.len() {
            let flow = self.flows[number];
            let pairs = pairs(&mut self.net, &self.hosts, flow.src, flow.dst);
            if pairs.is_empty() {
                let name = |host: u32| tables::host_name(&self.net, &self.hosts, host);
                return Err(RunError::NoPath { from: name(flow.src), to: name(flow.dst) });
            }
            let ports = ports(self.job.seed, number);
            let mut tuples: Vec<FlowTuple> = (0..usize::from(subflows))
                .zip(ports)
                .map(|(n, from_port)| {
                    let (from, to) = pairs[n % pairs.len()];
                    FlowTuple { from, to, from_port, to_port: SERVER_PORT }
                })
                .collect();
            // With CFLB the ports code the paths: those of the first one stand for all, so that no two subflows take the same path.
            if coded && let Some(first) = tuples.first().map(|tuple| tuple.from_port) {
                tuples.iter_mut().for_each(|tuple| tuple.from_port = first);
            }
            let ways = Ways::Balanced(tuples.clone());
            self.tuples.push(tuples);
            let (start, after, bytes) = (flow.start, flow.after, flow.bytes);
            self.world.add_flow(&mut self.net, FlowSpec { start, after, bytes, class: 0, ways });
        }
        Ok(())
    }

    /// Lets it happen, sampling links and queues on the way.
    pub(super) fn go(&mut self, tables: &mut Tables, progress: &dyn Fn(Time) -> bool) -> Result<(), RunError> {
        let warm = Time::ZERO + self.scenario.warm_up;
        self.window = (warm, Time::ZERO + self.scenario.duration);
        let mut sampler = tables::Sampler::new(&mut self.net, self.scenario.sample);
        let mut pauses = Pauses::new(self.scenario);
        while let Some(now) = pauses.next(sampler.next()) {
            let ended = crate::net::run(&mut self.net, &mut self.world, now);
            if now == warm {
                for (number, before) in self.before.iter_mut().enumerate() {
                    *before = self.world.outcome(number as u32).map_or(0, |outcome| outcome.delivered);
                }
            }
            if sampler.next() == Some(now) {
                sampler.sample(self.job.run_id, &self.net, now, tables);
            }
            if ended != Ended::Until {
                // Time stands still where nothing is left to happen.
                self.window.1 = self.net.now().max(Time(1));
                self.window.0 = warm.min(self.window.1);
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
        let tuples = self.tuples.get(number)?.iter().copied().zip(0..);
        match &self.scheme.balance.kind {
            BalanceKind::Hash(Policy::Fixed) => {
                tuples.map(|(tuple, v)| self.ecmp.path(&mut self.net, tuple, v)).collect()
            }
            BalanceKind::Cflb => {
                let scheme = balance::Scheme::Cflb;
                let mut source = Balancer::new(&self.net, self.job.seed, scheme, self.ecmp.clone());
                tuples.map(|(tuple, v)| source.path(&mut self.net, tuple, v)).collect()
            }
            _ => None,
        }
    }

    /// How long throughput counted, in seconds.
    pub(super) fn counted(&self) -> f64 {
        (self.window.1 - self.window.0).as_secs_f64()
    }

    /// The end of the run, in simulated time.
    pub(super) fn length(&self) -> Duration {
        self.window.1 - Time::ZERO
    }
}

/// The network of a scenario, with its failures to come.
pub(super) fn network(scenario: &Scenario, graph: crate::net::Graph, seed: u64) -> Network {
    let mut net = Network::new(graph, seed);
    net.set_detection(scenario.detection);
    for failure in &scenario.failures {
        for link in failure.links {
            net.set_failure(failure.at, link);
            if let Some(repair) = failure.repair {
                net.set_repair(repair, link);
            }
        }
    }
    net
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
