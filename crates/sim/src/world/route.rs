//! Which paths lanes take, and when they change.

use crate::balance::{Ecmp, FlowTuple, Mover, Policy};
use crate::net::{Network, PathId};
use crate::random::{Purpose, Random};
use crate::time::Time;

use super::{LaneId, World};
use crate::observe::Observer;

/// The ways of a flow's subflows, there and back.
#[derive(Clone, Debug)]
pub enum Ways {
    /// These paths, whatever happens.
    Fixed(Vec<(PathId, PathId)>),
    /// What the load balancer chooses for these addresses and ports of the direction from client to server, one for each subflow.
    Balanced(Vec<FlowTuple>),
}

impl Ways {
    /// How many subflows.
    pub fn len(&self) -> usize {
        match self {
            Self::Fixed(paths) => paths.len(),
            Self::Balanced(tuples) => tuples.len(),
        }
    }

    /// Whether there is no subflow.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// How the paths of [`Ways::Balanced`] are chosen.
#[derive(Clone, Debug)]
pub enum Balance {
    /// By hashes at the switches; the policy says when the sender of a lane changes what is hashed.
    Hashed {
        /// The hashes.
        ecmp: Ecmp,
        /// Fixed, FlowBender or PLB.
        policy: Policy,
    },
    /// Every packet takes one of the shortest paths at random.
    Spray,
    /// Every lane takes one of the shortest paths at random and keeps it: source routing, as with CFLB.
    Random,
    /// Every lane takes the shortest path whose fullest link carries the fewest lanes when it begins: an oracle.
    LeastLoaded,
}

/// The load balancer of a world.
#[derive(Debug)]
pub(super) struct Balancer {
    pub(super) balance: Balance,
    pub(super) seed: u64,
    random: Random,
    /// By lane.
    tuples: Vec<Option<FlowTuple>>,
    movers: Vec<Mover>,
    /// By link: lanes that go over it (least loaded only).
    loads: Vec<u32>,
}

/// A lane was moved to another path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    /// When.
    pub time: Time,
    /// The flow.
    pub flow: u32,
    /// Its subflow, from 0.
    pub subflow: u16,
    /// Why.
    pub cause: Cause,
}

/// Why a lane was moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Marks: FlowBender, PLB.
    Congestion,
    /// The retransmission timer expired.
    Timeout,
    /// Routing learnt of a failure or repair.
    Routing,
}

impl Balancer {
    pub(super) fn new(balance: Balance, seed: u64) -> Self {
        Self {
            balance,
            seed,
            random: Random::new(seed, Purpose::Balancing),
            tuples: Vec::new(),
            movers: Vec::new(),
            loads: Vec::new(),
        }
    }

    /// Whether senders have to be asked at every acknowledgment.
    #[inline]
    pub(super) fn moves(&self) -> bool {
        matches!(self.balance, Balance::Hashed { policy: Policy::FlowBender(_) | Policy::Plb(_), .. })
    }

    /// Whether every packet takes a path of its own.
    #[inline]
    pub(super) fn sprays(&self) -> bool {
        matches!(self.balance, Balance::Spray)
    }

    /// A lane begins: its tuple is remembered, its mover made.
    pub(super) fn begin(&mut self, lane: LaneId, stream: u64, tuple: Option<FlowTuple>) {
        let index = lane as usize;
        if self.tuples.len() <= index {
            self.tuples.resize(index + 1, None);
        }
        self.tuples[index] = tuple;
        if let Balance::Hashed { policy, .. } = &self.balance
            && self.moves()
        {
            while self.movers.len() <= index {
                self.movers.push(Mover::new(&Policy::Fixed, 0, 0));
            }
            self.movers[index] = Mover::new(policy, self.seed, stream);
        }
    }

    /// The path of a lane as things are now; `None` for a lane whose path is fixed, or when routing knows no way.
    pub(super) fn resolve(&mut self, net: &mut Network, lane: LaneId) -> Option<PathId> {
        let tuple = self.tuples.get(lane as usize).copied().flatten()?;
        match &self.balance {
            Balance::Hashed { ecmp, .. } => {
                let v = self.movers.get(lane as usize).map_or(0, Mover::value);
                ecmp.path(net, tuple, v)
            }
            Balance::Spray | Balance::Random => {
                let paths = net.paths(tuple.from, tuple.to);
                paths.get(self.random.below(paths.len() as u64) as usize).copied()
            }
            Balance::LeastLoaded => self.least_loaded(net, tuple),
        }
    }

    fn least_loaded(&mut self, net: &mut Network, tuple: FlowTuple) -> Option<PathId> {
        self.loads.resize(net.link_count(), 0);
        let paths = net.paths(tuple.from, tuple.to).to_vec();
        let offset = self.random.below(paths.len() as u64) as usize;
        let turned = (0..paths.len()).map(|i| paths[(i + offset) % paths.len()]);
        let load = |path: PathId| net.path_links(path).map(|l| self.loads[l.0 as usize]).max().unwrap_or(0);
        let best = turned.min_by_key(|&path| load(path))?;
        for link in net.path_links(best) {
            self.loads[link.0 as usize] += 1;
        }
        Some(best)
    }

    /// A lane has ended.
    pub(super) fn end(&mut self, net: &Network, lane: LaneId, path: PathId) {
        let had = self.tuples.get_mut(lane as usize).and_then(Option::take);
        if had.is_some() && matches!(self.balance, Balance::LeastLoaded) && !self.loads.is_empty() {
            for link in net.path_links(path) {
                let load = &mut self.loads[link.0 as usize];
                *load = load.saturating_sub(1);
            }
        }
    }

    /// An acknowledgment: true when the sender changes what is hashed.
    #[inline]
    pub(super) fn on_ack(&mut self, now: Time, lane: LaneId, window: (u64, u64), bytes: (u64, u64)) -> bool {
        let Balance::Hashed { policy, .. } = &self.balance else { return false };
        self.movers.get_mut(lane as usize).is_some_and(|mover| mover.on_ack(policy, now, window, bytes))
    }

    /// An expiry of the retransmission timer, likewise.
    pub(super) fn on_timeout(&mut self, now: Time, lane: LaneId, nxt: u64) -> bool {
        let Balance::Hashed { policy, .. } = &self.balance else { return false };
        self.movers.get_mut(lane as usize).is_some_and(|mover| mover.on_timeout(policy, now, nxt))
    }
}

impl<O: Observer> World<O> {
    /// Looks again which path a lane takes.
    pub(super) fn reroute(&mut self, net: &mut Network, lane_id: LaneId, cause: Cause) {
        let Some(path) = self.balancer.resolve(net, lane_id) else { return };
        let lane = &mut self.lanes[lane_id as usize];
        if path == lane.path {
            return;
        }
        lane.path = path;
        lane.reroutes += 1;
        let (connection, subflow) = (lane.stream >> 1, lane.number);
        if self.keep_moves && lane_id & 1 == 0 {
            let flow = self.connections[connection as usize].flow;
            self.moves.push(Move { time: net.now(), flow, subflow, cause });
        }
    }

    /// Routing has learnt something: every live lane whose path is not fixed looks again.
    pub(super) fn reroute_all(&mut self, net: &mut Network) {
        for lane in 0..self.lanes.len() as u32 {
            if self.balancer.sprays()
                || net.path_is_down(self.lanes[lane as usize].path)
                || self.balancer.hashed()
            {
                self.reroute(net, lane, Cause::Routing);
            }
        }
    }
}

impl Balancer {
    /// Whether paths follow from hashes, so that a repair moves lanes as well as a failure.
    fn hashed(&self) -> bool {
        matches!(self.balance, Balance::Hashed { .. })
    }
}
