//! Binds network and transport: the endpoints of all flows.
//!
//! A connection has two streams (directions) and some subflows; each subflow has two lanes (directions). A packet names its lane,
//! `subflow << 1 | direction`; a pure ACK without a header record names the lane whose data it acknowledges, and travels the
//! other way.

mod ack;
mod blocks;
mod flow;
mod route;
mod send;
mod settings;
mod state;
mod timer;

pub use flow::{FlowSpec, Outcome};
pub use route::{Cause, Incident, Ways, What};
pub use settings::{Multipath, Transport};

use std::collections::VecDeque;

use crate::balance::{Balancer, Policy};
use crate::congestion::Congestion;
use crate::mptcp::{DataReceiver, DataSender};
use crate::net::{Endpoint, LinkId, NONE, Network, Packet, PacketId, PathId, Why, flags};
use crate::prefetch::prefetch;
use crate::time::{Duration, Time};
use blocks::Slab;
use route::Routes;
use state::{Connection, Lane, LaneId, Stream};

/// How long after a connection has ended its number may be used again: no packet of it is under way then.
const QUARANTINE: Duration = Duration::from_millis(200);

/// On data: the sender has reduced its window (CWR of RFC 3168). Flows that begin established have no FIN, so that its flag is free.
const REDUCED: u8 = flags::FIN;

/// All flows and their ends.
#[derive(Debug)]
pub struct World {
    classes: Vec<Transport>,
    flows: Vec<Flow>,
    connections: Vec<Connection>,
    streams: Vec<Stream>,
    lanes: Vec<Lane>,
    /// Connections that ended, to be used again from a time on, by number of subflows.
    retired: VecDeque<(Time, u32)>,
    blocks: Slab,
    routes: Routes,
    keep_incidents: bool,
    incidents: Vec<Incident>,
    completed: u64,
    stop_when_complete: bool,
}

/// A flow and what is known of it.
#[derive(Debug)]
struct Flow {
    spec: FlowSpec,
    connection: u32,
    outcome: Outcome,
    /// Flows that begin when this one is complete.
    then: Vec<u32>,
}

impl World {
    /// A world without flows; these are the transport settings of each class of flows.
    pub fn new(classes: Vec<Transport>) -> Self {
        Self {
            classes,
            flows: Vec::new(),
            connections: Vec::new(),
            streams: Vec::new(),
            lanes: Vec::new(),
            retired: VecDeque::new(),
            blocks: Slab::default(),
            routes: Routes::default(),
            keep_incidents: false,
            incidents: Vec::new(),
            completed: 0,
            stop_when_complete: false,
        }
    }

    /// How paths of balanced flows are chosen, and when senders move them, by the streams of this seed. To be said before the
    /// first flow begins.
    pub fn set_balance(&mut self, balancer: Balancer, policy: Policy, seed: u64) {
        self.routes = Routes::new(balancer, policy, seed);
    }

    /// Remembers what happens to senders, see [`World::incidents`].
    pub fn keep_incidents(&mut self) {
        self.keep_incidents = true;
    }

    /// Moves to other paths and timeouts so far, of data from client to server.
    pub fn incidents(&self) -> &[Incident] {
        &self.incidents
    }

    /// Ends the run as soon as every flow is complete.
    pub fn stop_when_complete(&mut self) {
        self.stop_when_complete = true;
    }

    /// A flow more, which begins at its time. Returns its number.
    pub fn add_flow(&mut self, net: &mut Network, spec: FlowSpec) -> u32 {
        let number = self.flows.len() as u32;
        match spec.after.and_then(|after| self.flows.get_mut(after as usize)) {
            Some(before) => before.then.push(number),
            None => net.set_start(spec.start, number),
        }
        let outcome = Outcome::default();
        self.flows.push(Flow { spec, connection: NONE, outcome, then: Vec::new() });
        number
    }

    /// Flows so far.
    pub fn flows(&self) -> usize {
        self.flows.len()
    }

    /// Flows that are complete.
    pub fn completed(&self) -> u64 {
        self.completed
    }

    /// What a flow was to be.
    pub fn spec(&self, flow: u32) -> Option<&FlowSpec> {
        self.flows.get(flow as usize).map(|flow| &flow.spec)
    }

    /// What became of a flow so far.
    pub fn outcome(&self, flow: u32) -> Option<Outcome> {
        let flow = self.flows.get(flow as usize)?;
        let mut outcome = flow.outcome;
        if flow.connection != NONE {
            self.count(flow.connection, &mut outcome);
        }
        Some(outcome)
    }

    /// Windows in packets of a flow's subflows, from client to server.
    pub fn windows(&self, flow: u32) -> Vec<f64> {
        let Some(connection) = self.flows.get(flow as usize).map(|f| f.connection) else { return Vec::new() };
        let Some(stream) = self.streams.get(2 * connection as usize) else { return Vec::new() };
        (0..stream.lanes.len()).map(|i| stream.congestion.window_packets(i)).collect()
    }

    /// Bytes that the subflows of a flow have delivered, from client to server.
    pub fn delivered_by_subflow(&self, flow: u32) -> Vec<u64> {
        let Some(connection) = self.flows.get(flow as usize).map(|f| f.connection) else { return Vec::new() };
        let Some(stream) = self.streams.get(2 * connection as usize) else { return Vec::new() };
        stream.lanes.iter().map(|&lane| self.lanes[lane as usize].receiver.nxt()).collect()
    }

    /// Adds up the counters of a live connection.
    fn count(&self, connection: u32, outcome: &mut Outcome) {
        let first = 2 * connection as usize;
        for stream in &self.streams[first..first + 2] {
            outcome.reinjected_bytes += stream.data.reinjected_bytes;
            outcome.most_held = outcome.most_held.max(stream.received.most_held);
            for &lane in &stream.lanes {
                let lane = &self.lanes[lane as usize];
                outcome.segments += lane.sender.counts.segments;
                outcome.retransmits += lane.sender.counts.retransmits;
                outcome.timeouts += u64::from(lane.sender.counts.timeouts);
                outcome.recoveries += u64::from(lane.sender.counts.recoveries);
                outcome.duplicates += lane.receiver.counts.duplicates;
                outcome.marked += lane.receiver.counts.marked;
                outcome.out_of_order += lane.receiver.counts.out_of_order;
                outcome.reroutes += u64::from(lane.reroutes);
            }
        }
        let stream = &self.streams[first];
        outcome.delivered = match stream.multipath {
            true => stream.received.nxt(),
            false => self.lanes[stream.lanes[0] as usize].receiver.nxt(),
        };
        outcome.subflows = stream.lanes.len() as u32;
    }

    /// Begins a flow as an established connection.
    fn establish(&mut self, net: &mut Network, number: u32) {
        let now = net.now();
        let (class, ways, bytes) = {
            let spec = &self.flows[number as usize].spec;
            (spec.class, spec.ways.clone(), spec.bytes)
        };
        let subflows = ways.len();
        let settings = &self.classes[usize::from(class)];
        let multipath = settings.multipath.is_some();
        let connection = match self.retired.front() {
            Some(&(free, connection))
                if free <= now && self.connections[connection as usize].subflows.len() == subflows =>
            {
                self.retired.pop_front();
                connection
            }
            _ => {
                let connection = self.connections.len() as u32;
                let first = self.lanes.len() as u32 / 2;
                let subflows = (first..first + subflows as u32).collect();
                self.connections.push(Connection { flow: number, subflows, class });
                connection
            }
        };
        self.connections[connection as usize].flow = number;
        self.connections[connection as usize].class = class;
        for direction in 0..2 {
            let size = if direction == 0 { bytes } else { 0 };
            let mut stream = Stream {
                congestion: Congestion::new(
                    settings.algorithm,
                    u32::from(settings.mss),
                    settings.initial_window,
                ),
                data: DataSender::new(settings.receive_window),
                received: DataReceiver::new(u32::from(settings.mss)),
                lanes: Vec::with_capacity(subflows),
                size,
                class,
                multipath,
                slack: true,
                last: 0,
            };
            stream.data.write(size);
            for &subflow in &self.connections[connection as usize].subflows {
                stream.lanes.push(subflow << 1 | direction);
                if direction == 0 {
                    stream.congestion.add();
                }
            }
            place(&mut self.streams, 2 * connection + direction, stream);
        }
        for subflow in 0..subflows {
            let lane = self.connections[connection as usize].subflows[subflow] << 1;
            let fixed = match &ways {
                Ways::Fixed(paths) => paths.get(subflow).map(|&(there, back)| [there, back]),
                Ways::Balanced(_) => None,
            };
            let tuple = match &ways {
                Ways::Fixed(_) => None,
                Ways::Balanced(tuples) => tuples.get(subflow).copied(),
            };
            let mut paths = [PathId::NOWHERE; 2];
            for direction in [0, 1] {
                let id = lane + direction;
                let tuple = tuple.map(|tuple| if direction == 0 { tuple } else { tuple.reversed() });
                self.routes.begin(id, number, subflow as u16, tuple);
                paths[direction as usize] = match fixed {
                    Some(paths) => paths[direction as usize],
                    None => self.routes.resolve(net, id).unwrap_or(PathId::NOWHERE),
                };
            }
            for direction in [0, 1] {
                let ways = if direction == 0 { paths } else { [paths[1], paths[0]] };
                let mut new =
                    Lane::new(2 * connection + direction, class, subflow as u16, ways, direction == 0);
                new.multipath = multipath;
                if !multipath && direction == 0 {
                    new.complete_at = bytes;
                }
                place(&mut self.lanes, lane + direction, new);
            }
        }
        let flow = &mut self.flows[number as usize];
        flow.connection = connection;
        flow.outcome.started = Some(now);
        if bytes == 0 {
            self.complete(net, number);
        }
        self.schedule(net, 2 * connection);
    }

    /// The last byte of a flow has arrived.
    fn complete(&mut self, net: &mut Network, number: u32) {
        let flow = &mut self.flows[number as usize];
        if flow.outcome.completed.is_some() {
            return;
        }
        let now = net.now();
        flow.outcome.completed = Some(now);
        self.completed += 1;
        for then in std::mem::take(&mut flow.then) {
            let gap = self.flows[then as usize].spec.start - Time::ZERO;
            net.set_start(now + gap, then);
        }
        if self.stop_when_complete && self.completed == self.flows.len() as u64 {
            net.stop();
        }
    }

    /// Nothing of a connection is under way any more, as far as its sender knows: its counters go to the flow, its memory back.
    fn retire(&mut self, net: &Network, connection: u32) {
        let flow = self.connections[connection as usize].flow as usize;
        if self.flows[flow].connection != connection {
            return;
        }
        let mut outcome = self.flows[flow].outcome;
        self.count(connection, &mut outcome);
        self.flows[flow].outcome = outcome;
        self.flows[flow].connection = NONE;
        for i in 0..self.connections[connection as usize].subflows.len() {
            let first = 2 * self.connections[connection as usize].subflows[i];
            for id in [first, first + 1] {
                let lane = &mut self.lanes[id as usize];
                self.routes.end(net, id, lane.path);
                lane.sender.stop();
                lane.receiver.stop();
                lane.usable = false;
            }
        }
        for stream in &mut self.streams[2 * connection as usize..2 * connection as usize + 2] {
            stream.data.stop();
            stream.received.stop();
        }
        self.retired.push_back((net.now() + QUARANTINE, connection));
    }
}

/// Puts an item at its number, which is at most the next new one.
fn place<T>(items: &mut Vec<T>, number: u32, item: T) {
    match items.get_mut(number as usize) {
        Some(old) => *old = item,
        None => items.push(item),
    }
}

impl Endpoint for World {
    fn start(&mut self, net: &mut Network, flow: u32) {
        self.establish(net, flow);
    }

    // One in some hops: not for the loop that moves packets to be blown up by it.
    #[inline(never)]
    fn arrive(&mut self, net: &mut Network, id: PacketId) {
        let packet = *net.packet(id);
        if packet.flags & flags::ACK != 0 {
            self.ack_arrives(net, id, &packet);
        } else {
            self.data_arrives(net, id, &packet);
        }
    }

    #[inline]
    fn prefetch(&self, packet: &Packet, ahead: usize) {
        let is_ack = packet.flags & flags::ACK != 0;
        let Some(lane) = self.lanes.get(packet.subflow as usize) else { return };
        if ahead == 2 {
            prefetch(&lane.stream);
            match is_ack {
                true => lane.sender.prefetch(),
                false => lane.receiver.prefetch(),
            }
            self.blocks.prefetch(packet.header);
            return;
        }
        if !is_ack {
            match ahead {
                1 => lane.receiver.prefetch_hole(),
                _ => lane.receiver.prefetch_held(),
            }
            // Of plain TCP the stream learns nothing.
            if lane.multipath
                && let Some(stream) = self.streams.get(lane.stream as usize)
            {
                match ahead {
                    1 => prefetch(&stream.received),
                    _ => stream.received.prefetch(packet.dsn),
                }
            }
            return;
        }
        let Some(stream) = self.streams.get(lane.stream as usize) else { return };
        if ahead == 1 {
            lane.sender.prefetch_segments();
            prefetch(&stream.congestion);
            prefetch(&stream.data);
        } else {
            stream.congestion.prefetch(usize::from(lane.number));
        }
    }

    fn timer(&mut self, net: &mut Network, token: u32) {
        self.timer_fired(net, token);
    }

    fn dropped(&mut self, net: &mut Network, link: LinkId, id: PacketId, why: Why) {
        let _ = (link, why);
        let packet = net.packet_mut(id);
        self.blocks.remove(packet.header);
        packet.header = NONE;
    }

    fn rerouted(&mut self, net: &mut Network) {
        self.reroute_all(net);
    }
}
