//! One run of a scenario: builds network and flows, lets them happen, and makes rows of what came of it.

use super::ends::{Balance, BalanceKind};
use super::{Scenario, Scheme, tables};
use crate::balance::{self, Balancer, Ecmp, FlowTuple, Policy};
use crate::net::{Ended, InterfaceId, Network, NodeId, Overheads, PathId};
use crate::random::{Purpose, Random};
use crate::rows::Tables;
use crate::sweep::Job;
use crate::time::{Duration, Time};
use crate::workload::{self, ENDLESS};
use crate::world::{FlowSpec, Ways, World};

/// Why a run could not be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// The job names a scheme that the scenario does not have.
    #[error("there is no scheme number {0}")]
    NoScheme(usize),
    /// The network cannot be built.
    #[error(transparent)]
    Topology(#[from] crate::topology::Error),
    /// No path leads from one host to another.
    #[error("there is no path from {from} to {to}")]
    NoPath {
        /// The host that sends.
        from: String,
        /// The host that receives.
        to: String,
    },
}

/// The port that all servers listen on.
const SERVER_PORT: u16 = 80;
/// The first of the ports that clients use, chosen at random.
const FIRST_PORT: u16 = 1024;

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

impl Scenario {
    /// Does one run and makes its tables.
    ///
    /// # Errors
    /// [`RunError`]
    pub fn run(&self, job: &Job) -> Result<Tables, RunError> {
        let scheme = self.schemes.get(job.scheme).ok_or(RunError::NoScheme(job.scheme))?;
        let mut run = Run::new(self, scheme, job)?;
        let mut tables = Tables::default();
        run.go(&mut tables);
        tables::fill(&mut run, &mut tables);
        Ok(tables)
    }
}

impl<'a> Run<'a> {
    fn new(scenario: &'a Scenario, scheme: &'a Scheme, job: &'a Job) -> Result<Self, RunError> {
        let graph = scenario.topology.graph()?;
        let hosts: Vec<NodeId> = graph.hosts().collect();
        let flows = scenario.workload.flows(hosts.len() as u32, job.load, job.seed);
        let mut net = Network::new(graph, job.seed);
        net.set_overheads(Overheads::default());
        net.set_detection(scenario.detection);
        for failure in &scenario.failures {
            for link in failure.links {
                net.set_failure(failure.at, link);
                if let Some(repair) = failure.repair {
                    net.set_repair(repair, link);
                }
            }
        }
        let Balance { salted, ttl, .. } = scheme.balance;
        let ecmp = Ecmp::new(&net, job.seed, salted, ttl);
        let mut world = World::new(vec![scheme.transport.clone()]);
        if let Some(balance) = chooser(&scheme.balance.kind, &ecmp) {
            world.set_balance(balance, job.seed);
        }
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
        let mut source = match self.scheme.balance.kind {
            BalanceKind::Cflb => {
                let scheme = balance::Scheme::Cflb;
                Some(Balancer::new(&self.net, self.job.seed, scheme, self.ecmp.clone()))
            }
            _ => None,
        };
        for number in 0..self.flows.len() {
            let flow = self.flows[number];
            let pairs = self.pairs(flow.src, flow.dst);
            if pairs.is_empty() {
                let name = |host: u32| tables::host_name(&self.net, &self.hosts, host);
                return Err(RunError::NoPath { from: name(flow.src), to: name(flow.dst) });
            }
            // Ports depend on seed and flow alone, so that every scheme begins with the same hash.
            let mut random = Random::indexed(self.job.seed, Purpose::Hashing, 1 + number as u64);
            let tuples: Vec<FlowTuple> = (0..usize::from(subflows))
                .map(|n| {
                    let (from, to) = pairs[n % pairs.len()];
                    let from_port = FIRST_PORT + random.below(u64::from(u16::MAX - FIRST_PORT) + 1) as u16;
                    FlowTuple { from, to, from_port, to_port: SERVER_PORT }
                })
                .collect();
            let ways = match &mut source {
                None => Ways::Balanced(tuples.clone()),
                Some(source) => Ways::Fixed(routed(source, &mut self.net, &tuples)),
            };
            self.tuples.push(tuples);
            let (start, after, bytes) = (flow.start, flow.after, flow.bytes);
            self.world.add_flow(&mut self.net, FlowSpec { start, after, bytes, class: 0, ways });
        }
        Ok(())
    }

    /// The pairs of interfaces of two hosts between which there is a path: those that no earlier pair has first, so that subflows use
    /// every interface before they use one twice.
    fn pairs(&mut self, src: u32, dst: u32) -> Vec<(InterfaceId, InterfaceId)> {
        let interfaces = |net: &Network, host: u32| -> Vec<InterfaceId> {
            let node = self.hosts.get(host as usize).copied();
            node.map_or_else(Vec::new, |node| net.graph().interfaces_of(node).collect())
        };
        let (from, to) = (interfaces(&self.net, src), interfaces(&self.net, dst));
        let mut pairs = Vec::new();
        for &a in &from {
            for &b in &to {
                if !self.net.paths(a, b).is_empty() && !self.net.paths(b, a).is_empty() {
                    pairs.push((a, b));
                }
            }
        }
        pairs.sort_by_key(|pair| {
            let twice = |&(a, b): &(InterfaceId, InterfaceId)| {
                from.iter().position(|&x| x == a) != to.iter().position(|&x| x == b)
            };
            from.len() > 1 && to.len() > 1 && twice(pair)
        });
        pairs
    }

    /// Lets it happen, sampling links and queues on the way.
    fn go(&mut self, tables: &mut Tables) {
        let end = Time::ZERO + self.scenario.duration;
        let warm = Time::ZERO + self.scenario.warm_up;
        self.window = (warm, end);
        let mut sampler = self.scenario.sample.map(|every| {
            // An event at the very moment, so that queues are seen as they are then.
            self.net.set_sampling(every);
            tables::Sampler::new(&self.net, every)
        });
        let mut warmed = false;
        let mut now = Time::ZERO;
        while now < end {
            let sample = sampler.as_ref().map_or(end, tables::Sampler::next);
            let next = if warmed { sample.min(end) } else { sample.min(end).min(warm.max(Time(1))) };
            let ended = crate::net::run(&mut self.net, &mut self.world, next);
            now = next;
            if !warmed && now >= warm {
                warmed = true;
                for (number, before) in self.before.iter_mut().enumerate() {
                    *before = self.world.outcome(number as u32).map_or(0, |outcome| outcome.delivered);
                }
            }
            if let Some(sampler) = sampler.as_mut().filter(|sampler| sampler.next() == now) {
                sampler.sample(self.job.run_id, &self.net, now, tables);
            }
            if ended != Ended::Until {
                // Time stands still where nothing is left to happen.
                self.window.1 = self.net.now().max(Time(1));
                self.window.0 = warm.min(self.window.1);
                break;
            }
        }
    }

    /// The paths of a flow's subflows as the switches choose them for flows that do not move; none where they are not fixed.
    pub(super) fn fixed_paths(&mut self, number: usize) -> Option<Vec<PathId>> {
        match (&self.scheme.balance.kind, &self.world.spec(number as u32)?.ways) {
            (_, Ways::Fixed(paths)) => Some(paths.iter().map(|(there, _)| *there).collect()),
            (BalanceKind::Hash(Policy::Fixed), Ways::Balanced(tuples)) => {
                tuples.iter().map(|&tuple| self.ecmp.path(&mut self.net, tuple, 0)).collect()
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

/// How the world chooses paths; none where the sender has chosen before.
fn chooser(kind: &BalanceKind, ecmp: &Ecmp) -> Option<crate::world::Balance> {
    Some(match kind {
        BalanceKind::Hash(policy) => {
            crate::world::Balance::Hashed { ecmp: ecmp.clone(), policy: *policy }
        }
        BalanceKind::Spray => crate::world::Balance::Spray,
        BalanceKind::LeastLoaded => crate::world::Balance::LeastLoaded,
        BalanceKind::Cflb => return None,
    })
}

/// CFLB: subflow i takes path i after that of the first, in both directions.
fn routed(source: &mut Balancer, net: &mut Network, tuples: &[FlowTuple]) -> Vec<(PathId, PathId)> {
    let Some(&first) = tuples.first() else { return Vec::new() };
    tuples
        .iter()
        .zip(0..)
        .filter_map(|(tuple, number)| {
            // One hash for the first path, so that the others are different ones.
            let flow = FlowTuple { from_port: first.from_port, ..*tuple };
            Some((source.path(net, flow, number)?, source.path(net, flow.reversed(), number)?))
        })
        .collect()
}
