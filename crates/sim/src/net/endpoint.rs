//! What the network asks of those at its ends.

use super::{LinkId, Network, Packet, PacketId, Why};
use crate::time::Time;

/// What a middlebox does with a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It goes on (perhaps changed).
    Forward,
    /// It is dropped, and counted as such.
    Drop,
    /// The box keeps it: it frees it, or sends it on, now or later.
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

    /// A packet will soon be at the end of its path (or would have been): memory that will be needed then is to be asked for, but not waited
    /// for. Called some batches of events ahead: 2, 1 and 0, so that what was asked for in one call can be read in the next.
    #[inline]
    fn prefetch(&self, packet: &Packet, ahead: usize) {
        let _ = (packet, ahead);
    }

    /// A timer went off ([`Network::set_timer`]).
    fn timer(&mut self, net: &mut Network, token: u32);

    /// A packet was lost on a link ([`LinkId::NONE`] when it had no path). Its slot is freed by the network. What was on a link when it
    /// failed is told at that moment; random loss when the packet enters the queue before the lossy line.
    fn dropped(&mut self, net: &mut Network, link: LinkId, packet: PacketId, why: Why) {
        let _ = (net, link, packet, why);
    }

    /// A packet is about to enter a link that was marked with [`Network::set_intercepted`]. To let it on later, send it then with
    /// [`Network::send_past`].
    fn intercept(&mut self, net: &mut Network, link: LinkId, packet: PacketId) -> Verdict {
        let _ = (net, link, packet);
        Verdict::Forward
    }

    /// A packet was accepted by a link's queue, perhaps with a mark. Its last bit leaves at `departs`.
    fn entered(&mut self, net: &Network, link: LinkId, packet: &Packet, departs: Time) {
        let _ = (net, link, packet, departs);
    }

    /// A packet left a link at its far end, now.
    fn left(&mut self, net: &Network, link: LinkId, packet: &Packet) {
        let _ = (net, link, packet);
    }

    /// Routing has learnt of failures and repairs: paths resolved from now on avoid what is down.
    fn rerouted(&mut self, net: &mut Network) {
        let _ = net;
    }

    /// It is time to look at links ([`Network::set_sampling`]).
    fn sample(&mut self, net: &mut Network) {
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
