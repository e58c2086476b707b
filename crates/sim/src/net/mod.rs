//! Packets along paths of links, one event a hop.

mod link;
mod packet;

pub use link::{Counters, Ends, LinkSettings, Why};
pub use packet::{NONE, Packet, PacketId, PathId, flags};

use crate::queue::Queue;
use crate::time::Time;
use packet::Arena;

/// A host or switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

/// One direction of a cable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(pub u32);

/// An interface of a host: what has an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InterfaceId(pub u32);

/// What a middlebox does with a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It goes on (perhaps changed).
    Forward,
    /// It is dropped, and counted as such.
    Drop,
    /// The box keeps it: it may free it, or send it on another path.
    Taken,
}

/// The endpoints of all flows: one type, bound statically.
///
/// What it sends while it is called ([`Network::send`]) enters its first link right after it returns.
pub trait Endpoint {
    /// Whether [`entered`](Self::entered) and [`left`](Self::left) are to be called: where they are not, they cost nothing.
    const OBSERVES: bool = false;

    /// A flow begins ([`Network::set_start`]).
    fn start(&mut self, net: &mut Network, flow: u32);

    /// A packet is at the end of its path. Its slot is the endpoint's: to be freed, or used again for the ACK.
    fn arrive(&mut self, net: &mut Network, packet: PacketId);

    /// A timer went off ([`Network::set_timer`]).
    fn timer(&mut self, net: &mut Network, token: u32);

    /// A packet was lost on a link; its slot is freed after the call.
    fn dropped(&mut self, net: &mut Network, link: LinkId, packet: PacketId, why: Why) {
        let _ = (net, link, packet, why);
    }

    /// A packet is about to enter a link that was marked with [`Network::set_intercepted`].
    fn intercept(&mut self, net: &mut Network, link: LinkId, packet: PacketId) -> Verdict {
        let _ = (net, link, packet);
        Verdict::Forward
    }

    /// A packet was accepted by a link's queue, perhaps with a mark. The bytes leave at `departs` (the moment at which its last bit is sent).
    fn entered(&mut self, net: &Network, link: LinkId, packet: &Packet, departs: Time) {
        let _ = (net, link, packet, departs);
    }

    /// A packet left a link at its far end.
    fn left(&mut self, net: &Network, link: LinkId, packet: &Packet) {
        let _ = (net, link, packet);
    }

    /// Routing has learnt of failures and repairs: paths resolved from now on avoid what is down.
    fn rerouted(&mut self, net: &mut Network) {
        let _ = net;
    }
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Nothing is left to happen.
    Idle,
    /// The time was up.
    Until,
    /// The endpoint called [`Network::stop`].
    Stopped,
}

const KIND: u32 = 0xc000_0000;
const PACKET: u32 = 0x0000_0000;
const TIMER: u32 = 0x4000_0000;
const START: u32 = 0x8000_0000;

/// Links, paths, packets and what is to happen.
#[derive(Debug, Default)]
pub struct Network {
    now: Time,
    queue: Queue,
    packets: Arena,
    outbox: Vec<PacketId>,
    stopped: bool,
}

impl Network {
    /// The time.
    pub const fn now(&self) -> Time {
        self.now
    }

    /// A slot for a packet.
    pub fn alloc(&mut self, packet: Packet) -> PacketId {
        self.packets.alloc(packet)
    }

    /// Gives a slot back.
    pub fn free(&mut self, packet: PacketId) {
        self.packets.free(packet);
    }

    /// A packet.
    pub fn packet(&self, packet: PacketId) -> &Packet {
        self.packets.get(packet)
    }

    /// A packet, to be changed.
    pub fn packet_mut(&mut self, packet: PacketId) -> &mut Packet {
        self.packets.get_mut(packet)
    }

    /// Packets that exist now.
    pub const fn packets(&self) -> usize {
        self.packets.len()
    }

    /// Sends a packet along its path, from the link `hop` on (0 at the sender). It enters that link as soon as the endpoint returns.
    pub fn send(&mut self, packet: PacketId) {
        self.outbox.push(packet);
    }

    /// Calls [`Endpoint::timer`] at a time. A timer cannot be taken back: who no longer wants it ignores the call. Tokens are below 2^30.
    pub fn set_timer(&mut self, at: Time, token: u32) {
        self.queue.push(at.0, TIMER | token & !KIND);
    }

    /// Calls [`Endpoint::start`] at a time. Flows are below 2^30.
    pub fn set_start(&mut self, at: Time, flow: u32) {
        self.queue.push(at.0, START | flow & !KIND);
    }

    /// Ends the run after this event.
    pub const fn stop(&mut self) {
        self.stopped = true;
    }
}

/// Lets happen what is to happen, up to and including a time.
pub fn run<E: Endpoint>(net: &mut Network, endpoint: &mut E, until: Time) -> Ended {
    net.stopped = false;
    while let Some(event) = net.queue.pop_until(until.0) {
        net.now = Time(event.at);
        let index = event.item & !KIND;
        match event.item & KIND {
            PACKET => endpoint.arrive(net, PacketId(index)),
            TIMER => endpoint.timer(net, index),
            _ => endpoint.start(net, index),
        }
        if net.stopped {
            return Ended::Stopped;
        }
    }
    if net.queue.is_empty() { Ended::Idle } else { Ended::Until }
}
