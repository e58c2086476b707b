//! Which paths lanes take, and when they change.

use super::{LaneId, World};
use crate::balance::{Balancer, FlowTuple, Mover, Policy};
use crate::net::{Network, PathId, PathSet};
use crate::time::Time;

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

/// Which way each lane takes.
#[derive(Debug, Default)]
pub(super) struct Routes {
    balancer: Option<Balancer>,
    policy: Policy,
    seed: u64,
    sprays: bool,
    moves: bool,
    /// By lane.
    routes: Vec<Route>,
    /// By lane, where a policy moves them.
    movers: Vec<Mover>,
}

/// What is known of the way of one lane.
#[derive(Clone, Copy, Debug, Default)]
struct Route {
    /// None: its path is fixed.
    tuple: Option<FlowTuple>,
    /// Number of its subflow.
    subflow: u16,
    /// All its shortest paths, where packets are sprayed.
    set: Option<PathSet>,
}

/// Something that happened to a sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Incident {
    /// When.
    pub time: Time,
    /// The flow.
    pub flow: u32,
    /// Its subflow, from 0.
    pub subflow: u16,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// It was moved to another path.
    Moved(Cause),
    /// Its retransmission timer expired.
    TimedOut,
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

impl Routes {
    pub(super) fn new(balancer: Balancer, policy: Policy, seed: u64) -> Self {
        let moves = !matches!(policy, Policy::Fixed);
        let sprays = balancer.sprays();
        Self { balancer: Some(balancer), policy, seed, sprays, moves, ..Self::default() }
    }

    /// Whether senders have to be asked at every acknowledgment.
    #[inline]
    pub(super) fn moves(&self) -> bool {
        self.moves
    }

    /// Whether every packet takes a path of its own.
    #[inline]
    pub(super) fn sprays(&self) -> bool {
        self.sprays
    }

    /// A lane begins: its tuple is remembered, its mover made. Choices follow from the number of the flow alone, so that schemes
    /// can be compared.
    pub(super) fn begin(&mut self, lane: LaneId, flow: u32, subflow: u16, tuple: Option<FlowTuple>) {
        let index = lane as usize;
        if self.routes.len() <= index {
            self.routes.resize(index + 1, Route::default());
        }
        self.routes[index] = Route { tuple, subflow, set: None };
        if self.moves {
            while self.movers.len() <= index {
                self.movers.push(Mover::new(&Policy::Fixed, 0, 0));
            }
            let stream = u64::from(flow) << 17 | u64::from(subflow) << 1 | u64::from(lane & 1);
            self.movers[index] = Mover::new(&self.policy, self.seed, stream);
        }
    }

    /// The path of a lane as things are now; `None` for a lane whose path is fixed, or when routing knows no way.
    pub(super) fn resolve(&mut self, net: &mut Network, lane: LaneId) -> Option<PathId> {
        let route = self.routes.get_mut(lane as usize)?;
        let tuple = route.tuple?;
        let balancer = self.balancer.as_mut()?;
        if self.sprays {
            let set = net.path_set(tuple.from, tuple.to);
            route.set = Some(set);
            return balancer.spray(net, set);
        }
        // Ports differ between subflows already; where the path is coded into them, the number says which.
        let v = self.movers.get(lane as usize).map_or(0, Mover::value);
        balancer.path(net, tuple, v + u32::from(route.subflow))
    }

    /// The path of the next packet of a lane whose packets are sprayed.
    #[inline]
    pub(super) fn spray(&mut self, net: &Network, lane: LaneId) -> Option<PathId> {
        let set = self.routes.get(lane as usize)?.set?;
        self.balancer.as_mut()?.spray(net, set)
    }

    /// A lane no longer uses a path.
    pub(super) fn release(&mut self, net: &Network, lane: LaneId, path: PathId) {
        let balanced = self.routes.get(lane as usize).is_some_and(|route| route.tuple.is_some());
        if let Some(balancer) = self.balancer.as_mut().filter(|_| balanced) {
            balancer.release(net, path);
        }
    }

    /// A lane has ended.
    pub(super) fn end(&mut self, net: &Network, lane: LaneId, path: PathId) {
        self.release(net, lane, path);
        if let Some(route) = self.routes.get_mut(lane as usize) {
            *route = Route::default();
        }
    }

    /// An acknowledgment: true when the sender changes what is hashed.
    #[inline]
    pub(super) fn on_ack(&mut self, now: Time, lane: LaneId, window: (u64, u64), bytes: (u64, u64)) -> bool {
        let mover = self.movers.get_mut(lane as usize);
        mover.is_some_and(|mover| mover.on_ack(&self.policy, now, window, bytes))
    }

    /// An expiry of the retransmission timer, likewise.
    pub(super) fn on_timeout(&mut self, now: Time, lane: LaneId, nxt: u64) -> bool {
        let mover = self.movers.get_mut(lane as usize);
        mover.is_some_and(|mover| mover.on_timeout(&self.policy, now, nxt))
    }
}

impl World {
    /// Looks again which path a lane takes.
    pub(super) fn reroute(&mut self, net: &mut Network, lane_id: LaneId, cause: Cause) {
        self.routes.release(net, lane_id, self.lanes[lane_id as usize].path);
        let Some(path) = self.routes.resolve(net, lane_id) else { return };
        let lane = &mut self.lanes[lane_id as usize];
        if path == lane.path {
            return;
        }
        lane.path = path;
        lane.reroutes += 1;
        self.lanes[lane_id as usize ^ 1].back = path;
        self.note(net.now(), lane_id, What::Moved(cause));
    }

    /// Remembers what happened to a sender of data from client to server.
    pub(super) fn note(&mut self, time: Time, lane_id: LaneId, what: What) {
        if self.keep_incidents && lane_id & 1 == 0 {
            let lane = &self.lanes[lane_id as usize];
            let flow = self.connections[lane.stream as usize >> 1].flow;
            self.incidents.push(Incident { time, flow, subflow: lane.number, what });
        }
    }

    /// Routing has learnt something: every live lane whose path is not fixed looks again.
    pub(super) fn reroute_all(&mut self, net: &mut Network) {
        for lane in 0..self.lanes.len() as u32 {
            self.reroute(net, lane, Cause::Routing);
        }
    }
}
