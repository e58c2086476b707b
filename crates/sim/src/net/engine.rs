//! The loop: takes the next event, moves the packet, asks the endpoint.

use super::endpoint::{Ended, Endpoint, Verdict};
use super::freight::Freight;
use super::link::{DOWN, Entry, INTERCEPTED};
use super::packet::{PacketId, PathId, flags};
use super::paths::{PLACE, PLACE_BITS};
use super::{LinkId, Network, Why, paths};
use crate::prefetch::prefetch_index;
use crate::time::Time;

/// The bits of an event's item that say what it is; the others say which.
pub(super) const KIND: u32 = 0xc000_0000;
pub(super) const PACKET: u32 = 0x0000_0000;
pub(super) const TIMER: u32 = 0x4000_0000;
pub(super) const START: u32 = 0x8000_0000;
pub(super) const CONTROL: u32 = 0xc000_0000;

/// While no more events than this wait, what they touch stays in the cache by itself.
const FEW: usize = 8_000;
/// Batches of events from the one whose packets are asked for to the one that happens.
pub(super) const BATCHES: usize = 3;

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
        if net.queue.refill() && net.queue.len() > FEW {
            fetch_ahead(net, endpoint);
        }
        let Some(event) = net.queue.take_until(until.0) else { break };
        net.now = Time(event.at);
        if event.item & KIND == PACKET {
            if pass::<E>(net, PacketId(event.item), event.place) {
                continue;
            }
            step(net, endpoint, PacketId(event.item), event.place);
        } else {
            happen(net, endpoint, event.item);
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

/// Anything else than the way of a packet.
#[cold]
fn happen<E: Endpoint>(net: &mut Network, endpoint: &mut E, item: u32) {
    let index = item & !KIND;
    match item & KIND {
        TIMER => endpoint.timer(net, index),
        START => endpoint.start(net, index),
        _ => control(net, endpoint, index),
    }
}

/// Asks for the memory that the next events will touch. Each thing leads to the next: an event to its packet, a packet to the ends it is
/// for, an end to its lists; so each is asked for one batch of events before the next can be found through it.
#[inline]
fn fetch_ahead<E: Endpoint>(net: &mut Network, endpoint: &E) {
    let Network { queue, packets, links, paths, ahead, turn, .. } = net;
    for batches in 0..BATCHES {
        for &id in &ahead[(*turn + batches) % BATCHES] {
            endpoint.prefetch(packets.get(id), batches);
        }
    }
    // What happens now makes room for what happens last.
    let list = &mut ahead[*turn];
    *turn = (*turn + 1) % BATCHES;
    list.clear();
    let mut coming = queue.coming().skip(BATCHES - 1);
    if let Some(batch) = coming.next() {
        batch.for_each(|event| {
            if event.item & KIND == PACKET {
                match paths.link(event.place) {
                    paths::END => {
                        packets.prefetch(PacketId(event.item));
                        list.push(PacketId(event.item));
                    }
                    link => prefetch_index(&links[..], link as usize),
                }
            }
        });
    }
    if let Some(batch) = coming.next() {
        batch.prefetch();
    }
}

/// What was sent enters its links, in the order in which it was sent.
#[inline(never)]
fn flush<E: Endpoint>(net: &mut Network, endpoint: &mut E) {
    let mut next = 0;
    while let Some(&packet) = net.outbox.get(next) {
        next += 1;
        let place = net.place(packet);
        if !pass::<E>(net, packet, place) {
            forward(net, endpoint, packet, place);
        }
    }
    net.outbox.clear();
}

/// What nearly all events are: a packet passes from one ordinary link to the next. False, and nothing has happened, when it is anything else.
#[inline(always)]
fn pass<E: Endpoint>(net: &mut Network, id: PacketId, place: u32) -> bool {
    let number = place >> PLACE_BITS;
    // The end of a path is not in the table.
    let Some(link) = net.links.get_mut(net.paths.link(place) as usize) else { return false };
    if E::OBSERVES || number == 0 || !link.is_plain() {
        return false;
    }
    let Freight { bytes, capable } = net.freights.get(number);
    let Some((departs, marked)) = link.pass(net.now.0, bytes, capable) else { return false };
    let arrives = departs + link.delay();
    net.hops += 1;
    set_off(net, id, place, arrives, marked);
    true
}

/// A link has taken a packet, perhaps with a mark: it will be at the next place then.
#[inline(always)]
fn set_off(net: &mut Network, id: PacketId, place: u32, arrives: u64, marked: bool) {
    if marked {
        net.packets.get_mut(id).flags |= flags::CE;
    }
    net.queue.push(arrives, id.0, place + 1);
}

/// A packet is at the far end of a link, and before the next.
#[inline(never)]
fn step<E: Endpoint>(net: &mut Network, endpoint: &mut E, id: PacketId, place: u32) {
    if E::OBSERVES
        && let Some(link) = net.paths.link_before(place)
    {
        net.set_hop(id, place);
        endpoint.left(net, LinkId(link), net.packets.get(id));
    }
    forward(net, endpoint, id, place);
}

/// A packet enters the next link of its path, or has arrived. Its place is that in the table of paths, with the number of its freight above.
fn forward<E: Endpoint>(net: &mut Network, endpoint: &mut E, id: PacketId, mut place: u32) {
    let link = net.paths.link(place);
    if link == paths::END {
        if net.set_hop(id, place) {
            endpoint.arrive(net, id);
        } else {
            nowhere(net, endpoint, id, place);
        }
        return;
    }
    let index = link as usize;
    if net.links[index].status & (DOWN | INTERCEPTED) != 0 {
        match admitted(net, endpoint, id, LinkId(link), place) {
            Some(now) => place = now,
            None => return,
        }
    }
    let Freight { bytes, capable } = match place >> PLACE_BITS {
        0 => net.freight(id),
        number => net.freights.get(number),
    };
    net.hops += 1;
    match net.links[index].enter(&mut net.cold, index, net.now.0, bytes, capable) {
        Entry::Accepted { departs, arrives, marked } => {
            set_off(net, id, place, arrives, marked);
            if E::OBSERVES {
                net.set_hop(id, place + 1);
                endpoint.entered(net, LinkId(link), net.packets.get(id), Time(departs));
            }
        }
        Entry::Lost(why) => lose(net, endpoint, id, LinkId(link), why, place),
    }
}

#[cold]
fn lose<E: Endpoint>(net: &mut Network, endpoint: &mut E, id: PacketId, link: LinkId, why: Why, place: u32) {
    net.set_hop(id, place);
    endpoint.dropped(net, link, id, why);
    net.free(id);
}

/// The end of a packet that was on a link when it failed and has been told of, or that never had a path.
#[cold]
fn nowhere<E: Endpoint>(net: &mut Network, endpoint: &mut E, id: PacketId, place: u32) {
    if place & PLACE == PathId::NOWHERE.0 {
        endpoint.dropped(net, LinkId::NONE, id, Why::NoRoute);
    }
    net.free(id);
}

/// Whether a packet may enter a link that is down or has a middlebox; its place and its freight, which the box may have changed.
#[cold]
fn admitted<E: Endpoint>(
    net: &mut Network,
    endpoint: &mut E,
    id: PacketId,
    link: LinkId,
    mut place: u32,
) -> Option<u32> {
    net.set_hop(id, place);
    let index = link.0 as usize;
    if net.links[index].status & INTERCEPTED != 0 {
        if let Some(at) = net.past.iter().position(|&past| past == id) {
            net.past.swap_remove(at);
        } else {
            match endpoint.intercept(net, link, id) {
                Verdict::Forward => place = net.place(id),
                Verdict::Drop => {
                    lose(net, endpoint, id, link, Why::Middlebox, place);
                    return None;
                }
                Verdict::Taken => return None,
            }
        }
    }
    if net.links[index].status & DOWN != 0 {
        let bytes = net.freight(id).bytes;
        net.cold[index].refuse(bytes);
        lose(net, endpoint, id, link, Why::Down, place);
        return None;
    }
    Some(place)
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
    let mut on_it: Vec<(u64, PacketId, u32)> = Vec::new();
    let paths = &net.paths;
    net.queue.change(|event| {
        if event.item & KIND == PACKET && paths.link_before(event.place) == Some(link.0) {
            on_it.push((event.at, PacketId(event.item), event.place));
            event.place = PathId::LOST.0;
        }
    });
    on_it.sort_by_key(|&(at, ..)| at);
    net.links[index].fail(&mut net.cold[index], net.now.0, on_it.len() as u64);
    for (_, id, place) in on_it {
        net.set_hop(id, place);
        endpoint.dropped(net, link, id, Why::Down);
    }
    let at = net.now + net.detection;
    net.control(at, Control::Learn(link, true));
}
