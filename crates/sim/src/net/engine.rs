//! The loop: takes the next event, moves the packet, asks the endpoint.

use super::endpoint::{Ended, Endpoint, Verdict};
use super::link::{DOWN, Entry, INTERCEPTED};
use super::packet::{NONE, Packet, PacketId, PathId, flags};
use super::{LinkId, Network, Why, paths};
use crate::time::Time;

/// The bits of an event's item that say what it is; the others say which.
pub(super) const KIND: u32 = 0xc000_0000;
pub(super) const PACKET: u32 = 0x0000_0000;
pub(super) const TIMER: u32 = 0x4000_0000;
pub(super) const START: u32 = 0x8000_0000;
pub(super) const CONTROL: u32 = 0xc000_0000;

/// Packets looked at ahead; of more, the first would be forgotten again.
const MOST_TOUCHED: usize = 64;

/// What happens to the network itself.
#[derive(Clone, Copy, Debug)]
pub(super) enum Control {
    Fail(LinkId),
    Repair(LinkId),
    /// Routing learns that a link is down (true) or up.
    Learn(LinkId, bool),
    Sample,
}

/// Lets happen what is to happen, up to and including a time.
pub fn run<E: Endpoint>(net: &mut Network, endpoint: &mut E, until: Time) -> Ended {
    net.stopped = false;
    flush(net, endpoint);
    loop {
        if net.queue.refill() {
            touch(net, endpoint);
        }
        let Some(event) = net.queue.pop_until(until.0) else { break };
        net.now = Time(event.at);
        let index = event.item & !KIND;
        match event.item & KIND {
            PACKET => step(net, endpoint, PacketId(index), event.place),
            TIMER => endpoint.timer(net, index),
            START => endpoint.start(net, index),
            _ => control(net, endpoint, index),
        }
        if !net.outbox.is_empty() {
            flush(net, endpoint);
        }
        if net.stopped {
            return Ended::Stopped;
        }
    }
    if net.queue.is_empty() { Ended::Idle } else { Ended::Until }
}

/// Looks at the packets and links that come next: all at once, so that the waits for memory run side by side rather than one after another.
#[inline]
fn touch<E: Endpoint>(net: &Network, endpoint: &E) {
    let mut seen = net.queue.look();
    for event in net.queue.ready().iter().take(MOST_TOUCHED) {
        if event.item & KIND == PACKET {
            let packet = net.packets.get(PacketId(event.item));
            seen ^= match net.links.get(event.place as usize) {
                Some(link) => link.busy_until ^ u64::from(packet.len),
                None => endpoint.look(packet),
            };
        }
    }
    std::hint::black_box(seen);
}

/// What was sent enters its links, in the order in which it was sent.
fn flush<E: Endpoint>(net: &mut Network, endpoint: &mut E) {
    let mut next = 0;
    while let Some(&packet) = net.outbox.get(next) {
        next += 1;
        let state = net.packets.get(packet);
        let link = net.paths.hop(state.path, state.hop);
        forward(net, endpoint, packet, link);
    }
    net.outbox.clear();
}

#[inline]
pub(super) fn wire_length(packet: &Packet, overheads: [u16; 4], lengths: &[u32]) -> u32 {
    if packet.header != NONE
        && let Some(&length) = lengths.get(packet.header as usize)
        && length > 0
    {
        return length;
    }
    let ack = packet.flags & flags::ACK;
    let class = ack | (packet.flags & flags::MPTCP) >> 6;
    let payload = if ack != 0 { 0 } else { packet.len };
    u32::from(payload) + u32::from(overheads[class as usize & 3])
}

/// A packet is at the far end of a link, and before the next.
#[inline]
fn step<E: Endpoint>(net: &mut Network, endpoint: &mut E, id: PacketId, next: u32) {
    if E::OBSERVES {
        let packet = net.packets.get(id);
        if let Some(hop) = packet.hop.checked_sub(1) {
            let link = net.paths.hop(packet.path, hop);
            endpoint.left(net, LinkId(link), net.packets.get(id));
        }
    }
    forward(net, endpoint, id, next);
}

/// A packet enters the next link of its path, or has arrived.
#[inline]
fn forward<E: Endpoint>(net: &mut Network, endpoint: &mut E, id: PacketId, link: u32) {
    if net.packets.get(id).path <= PathId::LOST {
        nowhere(net, endpoint, id);
        return;
    }
    if link == paths::END {
        endpoint.arrive(net, id);
        return;
    }
    let index = link as usize;
    if net.links[index].status & (DOWN | INTERCEPTED) != 0 && !admitted(net, endpoint, id, LinkId(link)) {
        return;
    }
    let packet = net.packets.get_mut(id);
    let bytes = wire_length(packet, net.overheads, &net.wire_lengths);
    let capable = packet.flags & flags::ECT != 0;
    net.hops += 1;
    match net.links[index].enter(&mut net.cold, index, net.now.0, bytes, capable) {
        Entry::Accepted { departs, arrives, marked } => {
            packet.hop += 1;
            packet.flags |= if marked { flags::CE } else { 0 };
            let next = net.paths.hop(packet.path, packet.hop);
            net.queue.push(arrives, id.0, next);
            if E::OBSERVES {
                endpoint.entered(net, LinkId(link), net.packets.get(id), Time(departs));
            }
        }
        Entry::Lost(why) => lose(net, endpoint, id, LinkId(link), why),
    }
}

#[cold]
fn lose<E: Endpoint>(net: &mut Network, endpoint: &mut E, id: PacketId, link: LinkId, why: Why) {
    endpoint.dropped(net, link, id, why);
    net.free(id);
}

/// The end of a packet that was on a link when it failed and has been told of, or that never had a path.
#[cold]
fn nowhere<E: Endpoint>(net: &mut Network, endpoint: &mut E, id: PacketId) {
    if net.packets.get(id).path == PathId::NOWHERE {
        endpoint.dropped(net, LinkId::NONE, id, Why::NoRoute);
    }
    net.free(id);
}

/// Whether a packet may enter a link that is down or has a middlebox.
#[cold]
fn admitted<E: Endpoint>(net: &mut Network, endpoint: &mut E, id: PacketId, link: LinkId) -> bool {
    let index = link.0 as usize;
    if net.links[index].status & INTERCEPTED != 0 {
        if let Some(place) = net.past.iter().position(|&past| past == id) {
            net.past.swap_remove(place);
        } else {
            match endpoint.intercept(net, link, id) {
                Verdict::Forward => {}
                Verdict::Drop => {
                    lose(net, endpoint, id, link, Why::Middlebox);
                    return false;
                }
                Verdict::Taken => return false,
            }
        }
    }
    if net.links[index].status & DOWN != 0 {
        let bytes = net.wire_length(net.packets.get(id));
        net.cold[index].refuse(bytes);
        lose(net, endpoint, id, link, Why::Down);
        return false;
    }
    true
}

#[cold]
fn control<E: Endpoint>(net: &mut Network, endpoint: &mut E, index: u32) {
    match net.controls[index as usize] {
        Control::Fail(link) => fail(net, endpoint, link),
        Control::Repair(link) => {
            if let Some(state) = net.links.get_mut(link.0 as usize) {
                state.status &= !DOWN;
                let at = net.now + net.detection;
                net.control(at, Control::Learn(link, false));
            }
        }
        Control::Learn(link, down) => {
            // A failure that was repaired before it was noticed is not acted on, nor the other way round.
            if net.is_down(link) == down {
                net.routes.learn(link, down);
                net.sets.clear();
                net.set_paths.clear();
                endpoint.rerouted(net);
            }
        }
        Control::Sample => {
            endpoint.sample(net);
            if let Some(every) = net.sampling.filter(|_| !net.queue.is_empty()) {
                net.queue.push((net.now + every).0, CONTROL | index, 0);
            }
        }
    }
}

/// What is on the link is lost now; the events of these packets stay, and only give their slots back.
fn fail<E: Endpoint>(net: &mut Network, endpoint: &mut E, link: LinkId) {
    let index = link.0 as usize;
    if net.is_down(link) {
        return;
    }
    let on_it = net.under_way().filter(|&(.., on)| on == index).map(|(at, id, _)| (at, id));
    let mut on_it: Vec<(u64, PacketId)> = on_it.collect();
    on_it.sort_by_key(|&(at, _)| at);
    net.links[index].fail(&mut net.cold[index], net.now.0, on_it.len() as u64);
    for (_, id) in on_it {
        endpoint.dropped(net, link, id, Why::Down);
        let packet = net.packets.get_mut(id);
        (packet.path, packet.hop) = (PathId::LOST, 0);
    }
    let at = net.now + net.detection;
    net.control(at, Control::Learn(link, true));
}
