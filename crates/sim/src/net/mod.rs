//! Packets along paths of links, one event a hop.
//!
//! [`Graph`] says which links there are, [`Network`] moves packets over them, and an [`Endpoint`] sends and receives. Paths are chosen
//! at the sender ([`crate::balance`]) by the very decisions that switches would make, and interned; a hop is then one look into a table.

mod endpoint;
mod engine;
mod freight;
mod graph;
mod link;
mod packet;
mod paths;
mod routes;
#[cfg(test)]
mod tests;
mod trace;

pub use endpoint::{Ended, Endpoint, Verdict};
pub use engine::run;
pub use graph::{Edge, Graph, Interface, InterfaceId, Kind, LinkId, Node, NodeId};
pub use link::{Counters, LinkSettings, Why};
pub use packet::{NONE, Packet, PacketId, PathId, flags};
pub use routes::Fork;
pub use trace::{Step, Trace};

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use crate::queue::Queue;
use crate::random::{Purpose, Random};
use crate::time::{Duration, Rate, Time};
use engine::{CONTROL, Control, KIND, START, TIMER};
use freight::{Freight, Freights};
use link::{Cold, INTERCEPTED, Link};
use packet::Arena;
use paths::Paths;
use routes::Routes;

/// Equal-cost paths between two interfaces that are listed at most; where there are more, the list is a deterministic choice of them.
pub const MOST_PATHS: usize = 1024;

/// The equal-cost paths of a pair of interfaces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PathSet {
    start: u32,
    /// How many they are; 0 when there is no way.
    pub len: u32,
}

/// What is added to the payload of a packet to give its length on the wire, in bytes (IP header onward, or with framing: as the user of
/// the network says, the same for all).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overheads {
    /// Packets with payload.
    pub data: u16,
    /// Pure ACKs.
    pub ack: u16,
    /// Packets with payload and a DSS option.
    pub data_mptcp: u16,
    /// Pure ACKs with a DSS option.
    pub ack_mptcp: u16,
}

impl Default for Overheads {
    /// IPv4 and TCP with timestamps: 52; with a mapping and a DATA_ACK of 8 bytes each: 80; with a DATA_ACK alone: 64.
    fn default() -> Self {
        Self { data: 52, ack: 52, data_mptcp: 80, ack_mptcp: 64 }
    }
}

/// Links, paths, packets and what is to happen.
#[derive(Debug)]
pub struct Network {
    now: Time,
    queue: Queue,
    packets: Arena,
    links: Vec<Link>,
    cold: Vec<Cold>,
    paths: Paths,
    freights: Freights,
    outbox: Vec<PacketId>,
    /// Packets that are about to arrive, batch by batch: their memory has been asked for.
    ahead: [Vec<PacketId>; engine::BATCHES],
    turn: usize,
    /// Packets to which the middlebox before their next link has said yes.
    past: Vec<PacketId>,
    overheads: [u16; 4],
    /// By header record; 0: the usual length.
    wire_lengths: Vec<u32>,
    controls: Vec<Control>,
    sampling: Option<Duration>,
    detection: Duration,
    stopped: bool,
    hops: u64,
    graph: Graph,
    routes: Routes,
    /// Equal-cost paths of pairs of interfaces.
    sets: HashMap<(u32, u32), PathSet, FixedState>,
    set_paths: Vec<PathId>,
    scratch: Vec<u32>,
}

impl Network {
    /// A network at time zero, everything up. The seed is that of random loss.
    pub fn new(graph: Graph, seed: u64) -> Self {
        let made = (0..).zip(graph.edges());
        let made = made.map(|(i, edge)| Link::new(&edge.settings, Random::indexed(seed, Purpose::Loss, i)));
        let (links, cold) = made.unzip();
        let mut net = Self {
            now: Time::ZERO,
            queue: Queue::new(),
            packets: Arena::default(),
            links,
            cold,
            paths: Paths::default(),
            freights: Freights::default(),
            outbox: Vec::new(),
            ahead: Default::default(),
            turn: 0,
            past: Vec::new(),
            overheads: [0; 4],
            wire_lengths: Vec::new(),
            controls: Vec::new(),
            sampling: None,
            detection: Duration::from_millis(10),
            stopped: false,
            hops: 0,
            routes: Routes::new(&graph),
            graph,
            sets: HashMap::with_hasher(FixedState::with_seed(0)),
            set_paths: Vec::new(),
            scratch: Vec::new(),
        };
        net.set_overheads(Overheads::default());
        net
    }

    /// The time.
    pub const fn now(&self) -> Time {
        self.now
    }

    /// Nodes, links and interfaces.
    pub const fn graph(&self) -> &Graph {
        &self.graph
    }

    /// An interface.
    pub fn interface(&self, interface: InterfaceId) -> Option<&Interface> {
        self.graph.interfaces().get(interface.0 as usize)
    }

    /// Packet hops so far: packets that entered a link.
    pub const fn hops(&self) -> u64 {
        self.hops
    }

    // Packets.

    /// A slot for a packet.
    #[inline]
    pub fn alloc(&mut self, packet: Packet) -> PacketId {
        self.packets.alloc(packet)
    }

    /// Gives a slot back.
    #[inline]
    pub fn free(&mut self, packet: PacketId) {
        self.packets.free(packet);
    }

    /// A packet.
    #[inline]
    pub fn packet(&self, packet: PacketId) -> &Packet {
        self.packets.get(packet)
    }

    /// A packet, to be changed.
    #[inline]
    pub fn packet_mut(&mut self, packet: PacketId) -> &mut Packet {
        self.packets.get_mut(packet)
    }

    /// Packets that exist now.
    pub const fn packets(&self) -> usize {
        self.packets.len()
    }

    /// Sends a packet along its path, from the link `hop` on (0 at the sender). It enters that link as soon as the endpoint returns.
    #[inline]
    pub fn send(&mut self, packet: PacketId) {
        self.outbox.push(packet);
    }

    /// The same for a packet that a middlebox had kept: the box is not asked again.
    pub fn send_past(&mut self, packet: PacketId) {
        self.past.push(packet);
        self.outbox.push(packet);
    }

    /// What is added to payloads on the wire.
    pub const fn set_overheads(&mut self, overheads: Overheads) {
        let Overheads { data, ack, data_mptcp, ack_mptcp } = overheads;
        self.overheads = [data, ack, data_mptcp, ack_mptcp];
    }

    /// Gives all packets with this header record a length on the wire of their own, in bytes; 0 gives it back to the overheads.
    pub fn set_wire_length(&mut self, header: u32, bytes: u32) {
        let index = header as usize;
        if index >= self.wire_lengths.len() && bytes > 0 && header != NONE {
            self.wire_lengths.resize(index + 1, 0);
        }
        if let Some(length) = self.wire_lengths.get_mut(index) {
            *length = bytes;
        }
    }

    /// The length of a packet on the wire, in bytes.
    #[inline]
    pub fn wire_length(&self, packet: &Packet) -> u32 {
        if packet.header != NONE
            && let Some(&length) = self.wire_lengths.get(packet.header as usize)
            && length > 0
        {
            return length;
        }
        let ack = packet.flags & flags::ACK;
        let class = ack | (packet.flags & flags::MPTCP) >> 6;
        let payload = if ack != 0 { 0 } else { packet.len };
        u32::from(payload) + u32::from(self.overheads[class as usize & 3])
    }

    // Time.

    /// Calls [`Endpoint::timer`] at a time. A timer cannot be taken back: who no longer wants it ignores the call. Tokens are below 2^30.
    #[inline]
    pub fn set_timer(&mut self, at: Time, token: u32) {
        self.queue.push(at.max(self.now).0, TIMER | token & !KIND, 0);
    }

    /// Calls [`Endpoint::start`] at a time. Flows are below 2^30.
    pub fn set_start(&mut self, at: Time, flow: u32) {
        self.queue.push(at.max(self.now).0, START | flow & !KIND, 0);
    }

    /// Calls [`Endpoint::sample`] every so often, for as long as something else is to happen; the first time after one interval.
    pub fn set_sampling(&mut self, every: Duration) {
        if every > Duration::ZERO && self.sampling.replace(every).is_none() {
            self.control(self.now + every, Control::Sample);
        }
    }

    /// Ends the run after this event.
    pub const fn stop(&mut self) {
        self.stopped = true;
    }

    fn control(&mut self, at: Time, control: Control) {
        self.controls.push(control);
        self.queue.push(at.max(self.now).0, CONTROL | (self.controls.len() as u32 - 1), 0);
    }

    // Failures.

    /// A link goes down at a time: what is on it is lost, and what comes to it, until it is repaired. Routing learns of it after the
    /// detection delay set when it happens.
    pub fn set_failure(&mut self, at: Time, link: LinkId) {
        self.control(at, Control::Fail(link));
    }

    /// A link comes up again at a time; routing learns of it after the detection delay.
    pub fn set_repair(&mut self, at: Time, link: LinkId) {
        self.control(at, Control::Repair(link));
    }

    /// How long routing takes to learn of a failure or a repair; 10 ms at first.
    pub const fn set_detection(&mut self, delay: Duration) {
        self.detection = delay;
    }

    /// Whether a link is down now, whether routing knows or not.
    pub fn is_down(&self, link: LinkId) -> bool {
        self.links.get(link.0 as usize).is_none_or(|link| link.status & link::DOWN != 0)
    }

    /// Asks [`Endpoint::intercept`] before each packet that is about to enter a link.
    pub fn set_intercepted(&mut self, link: LinkId) {
        if let Some(link) = self.links.get_mut(link.0 as usize) {
            link.status |= INTERCEPTED;
        }
    }

    // Paths.

    /// A shortest path between two interfaces; `choose` is asked at each switch which of its ways to take, counted from 0 (taken modulo their
    /// number). None when routing knows no way.
    pub fn walk(
        &mut self,
        from: InterfaceId,
        to: InterfaceId,
        choose: impl FnMut(Fork) -> u32,
    ) -> Option<PathId> {
        self.routes.walk(&self.graph, from, to, &mut self.scratch, choose)?;
        self.paths.intern(&self.scratch)
    }

    /// The path over these links, whatever routing thinks of it. None if it is too long.
    pub fn path_over(&mut self, links: &[LinkId]) -> Option<PathId> {
        self.scratch.clear();
        self.scratch.extend(links.iter().map(|link| link.0));
        let known = self.scratch.iter().all(|&link| (link as usize) < self.links.len());
        known.then(|| self.paths.intern(&self.scratch)).flatten()
    }

    /// All shortest paths between two interfaces (at most [`MOST_PATHS`]), in the order of the switches' ways.
    pub fn paths(&mut self, from: InterfaceId, to: InterfaceId) -> &[PathId] {
        let PathSet { start, len } = self.path_set(from, to);
        self.set_paths.get(start as usize..(start + len) as usize).unwrap_or_default()
    }

    /// The same as a handle, which holds until routes change ([`Endpoint::rerouted`]).
    pub fn path_set(&mut self, from: InterfaceId, to: InterfaceId) -> PathSet {
        let key = (from.0, to.0);
        if let Some(&set) = self.sets.get(&key) {
            return set;
        }
        let set = self.list_paths(from, to);
        self.sets.insert(key, set);
        set
    }

    /// One path of a set, by number (modulo their count).
    #[inline]
    pub fn path_of(&self, set: PathSet, number: u32) -> Option<PathId> {
        let number = number.checked_rem(set.len)?;
        self.set_paths.get((set.start + number) as usize).copied()
    }

    /// Walks again and again, with the choices counted up like the digits of a number.
    fn list_paths(&mut self, from: InterfaceId, to: InterfaceId) -> PathSet {
        let start = self.set_paths.len() as u32;
        let mut digits: Vec<(u32, u32)> = Vec::new();
        loop {
            let mut depth = 0;
            let path = self.walk(from, to, |fork| {
                match digits.get_mut(depth) {
                    Some(digit) => digit.1 = fork.ways,
                    None => digits.push((0, fork.ways)),
                }
                depth += 1;
                digits.get(depth - 1).map_or(0, |digit| digit.0)
            });
            let Some(path) = path else { break };
            self.set_paths.push(path);
            while digits.last().is_some_and(|&(choice, ways)| choice + 1 >= ways) {
                digits.pop();
            }
            let Some(last) = digits.last_mut() else { break };
            last.0 += 1;
            if self.set_paths.len() - start as usize == MOST_PATHS {
                break;
            }
        }
        PathSet { start, len: self.set_paths.len() as u32 - start }
    }

    /// The links of a path.
    pub fn path_links(&self, path: PathId) -> impl Iterator<Item = LinkId> {
        self.paths.links(path)
    }

    /// Whether a link of a path is down now, whether routing knows or not.
    pub fn path_is_down(&self, path: PathId) -> bool {
        self.path_links(path).any(|link| self.is_down(link))
    }

    /// The lowest rate on a path (on links with a trace, their highest), and the sum of its delays.
    pub fn path_rate(&self, path: PathId) -> Option<(Rate, Duration)> {
        let settings = self.path_links(path).filter_map(|link| self.settings(link));
        settings.fold(None, |sum, settings| {
            let (rate, delay) = match &settings.trace {
                Some(trace) => (Rate::from_bps(trace.most()), trace.steps()[0].delay),
                None => (settings.rate, settings.delay),
            };
            Some(
                sum.map_or((rate, delay), |(least, total): (Rate, Duration)| {
                    (least.min(rate), total + delay)
                }),
            )
        })
    }

    /// What a packet of so many bytes on the wire takes from end to end of a path on which nothing else is, after its first moment.
    /// None on a path with traces.
    pub fn path_latency(&self, path: PathId, bytes: u64) -> Option<Duration> {
        let mut settings = self.path_links(path).filter_map(|link| self.settings(link));
        settings.try_fold(Duration::ZERO, |sum, settings| {
            let hop = settings.rate.serialization(bytes) + settings.delay;
            settings.trace.is_none().then_some(sum + hop)
        })
    }

    // Links.

    /// How many links there are.
    pub fn link_count(&self) -> usize {
        self.links.len()
    }

    /// What a link is made of.
    pub fn settings(&self, link: LinkId) -> Option<&LinkSettings> {
        self.cold.get(link.0 as usize).map(Cold::settings)
    }

    /// Bytes in the queue of a link, now.
    pub fn queue_bytes(&self, link: LinkId) -> u64 {
        let index = link.0 as usize;
        self.links.get(index).zip(self.cold.get(index)).map_or(0, |(link, cold)| link.queue(cold, self.now.0))
    }

    /// The counters of all links, by number. Takes time in proportion to all that is under way.
    pub fn snapshot(&self) -> Vec<Counters> {
        let links = self.links.iter().zip(&self.cold);
        let mut all: Vec<Counters> = links.map(|(link, cold)| link.counters(cold, self.now)).collect();
        for (at, _, index) in self.under_way() {
            let departed = self.links[index].departed(&self.cold[index], at);
            let counters = &mut all[index];
            if departed > self.now.0 {
                counters.queued += 1;
            } else {
                counters.in_flight += 1;
            }
        }
        for counters in &mut all {
            let gone = counters.dropped + counters.lost + counters.failed;
            counters.packets_out = counters.packets_in - gone - counters.queued - counters.in_flight;
        }
        all
    }

    /// Packets on links: when they arrive, which they are, on which link.
    fn under_way(&self) -> impl Iterator<Item = (u64, PacketId, usize)> {
        let packets = self.queue.iter().filter(|event| event.item & KIND == engine::PACKET);
        packets.filter_map(|event| {
            Some((event.at, PacketId(event.item), self.paths.link_before(event.place)? as usize))
        })
    }

    /// What a link has to know of a packet.
    #[inline]
    fn freight(&self, id: PacketId) -> Freight {
        let packet = self.packets.get(id);
        Freight { bytes: self.wire_length(packet), capable: packet.flags & flags::ECT != 0 }
    }

    /// Where a packet is in the table of paths, with the number of its freight above.
    #[inline]
    fn place(&mut self, id: PacketId) -> u32 {
        let number = self.freights.number(self.freight(id));
        let packet = self.packets.get(id);
        (packet.path.0 + u32::from(packet.hop)) | (number << paths::PLACE_BITS)
    }

    /// Writes into a packet how far it has come on its path, which its event knows. False for one that is on no path.
    #[inline]
    fn set_hop(&mut self, id: PacketId, place: u32) -> bool {
        let place = place & paths::PLACE;
        if place <= PathId::LOST.0 {
            return false;
        }
        let packet = self.packets.get_mut(id);
        packet.hop = (place - packet.path.0) as u8;
        true
    }
}
