//! The talks that are on, what they want done, and to which of them a packet belongs.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::net::IpAddr;

use subflow_wire::ip::{IpPacket, protocol};
use subflow_wire::{Dissection, LinkType, dissect, tcp};

use super::ways::{Found, Hop};
use super::{Channel, Driven, Local, Nanos, Out, Received, Talk, Watch, Way, What};
use crate::Error;

/// How many ports on a talk begins to count, compared with the one before.
const STRIDE: u16 = 7;

/// A talk that is on.
pub(super) struct Slot<T> {
    pub(super) talk: T,
    remote: IpAddr,
    local: Local,
    way: Option<Way>,
    timer: Option<Nanos>,
    /// Tells it from others that have had its place.
    serial: u64,
    /// Packets that wait to be sent.
    queued: u32,
    /// Further addresses that it has sent to, with the port or identifier.
    others: Vec<(IpAddr, u16)>,
    /// Sequence numbers that it has sent.
    seqs: Vec<u32>,
}

/// A packet that waits to be sent.
pub(super) struct Queued {
    place: usize,
    id: u32,
    packet: Vec<u8>,
}

/// All talks that are on, and where what comes belongs.
pub(super) struct Table<T> {
    pub(super) at_once: usize,
    ports: (u16, u16),
    pub(super) slots: Vec<Option<Slot<T>>>,
    free: Vec<usize>,
    by_remote: HashMap<IpAddr, usize>,
    by_other: HashMap<(IpAddr, u16), usize>,
    by_seq: HashMap<u32, usize>,
    /// Those whose address another talk is on with.
    pub(super) waiting: VecDeque<T>,
    /// Those whose next hop is being asked for.
    pub(super) asking: Vec<(usize, Hop)>,
    timers: BinaryHeap<Reverse<(Nanos, usize, u64)>>,
    pub(super) queue: VecDeque<Queued>,
    spare: Vec<Vec<u8>>,
    over: Vec<usize>,
    done: Vec<T>,
    serial: u64,
    out: Out,
    pub(super) so_far: Driven,
}

impl<T: Talk> Table<T> {
    pub(super) fn new(ports: (u16, u16), at_once: usize) -> Self {
        Self {
            at_once,
            ports,
            slots: Vec::new(),
            free: Vec::new(),
            by_remote: HashMap::new(),
            by_other: HashMap::new(),
            by_seq: HashMap::new(),
            waiting: VecDeque::new(),
            asking: Vec::new(),
            timers: BinaryHeap::new(),
            queue: VecDeque::new(),
            spare: Vec::new(),
            over: Vec::new(),
            done: Vec::new(),
            serial: 0,
            out: Out::new(Local::new(IpAddr::from([0, 0, 0, 0]), 1, 1, 0)),
            so_far: Driven::default(),
        }
    }

    pub(super) fn has_room(&self) -> bool {
        (self.so_far.active as usize) < self.at_once
    }

    /// One that waited for its address, which is free now.
    pub(super) fn waiting_and_free(&mut self) -> Option<T> {
        let at = self.waiting.iter().position(|talk| !self.by_remote.contains_key(&talk.remote()))?;
        self.waiting.remove(at)
    }

    /// Begins a talk, or puts it where it waits for its way or its address.
    pub(super) fn begin(&mut self, mut talk: T, channel: &mut Channel, now: Nanos) -> Result<(), Error> {
        let remote = talk.remote();
        if self.by_remote.contains_key(&remote) {
            self.waiting.push_back(talk);
            return Ok(());
        }
        let (way, hop) = match channel.find(remote) {
            Ok(Found::Way(way)) => (Some(way), None),
            Ok(Found::Asking(hop)) => (None, Some(hop)),
            Err(Error::Net(error)) => return Err(error.into()),
            Err(why) => {
                talk.no_way(now, &why);
                self.done.push(talk);
                return Ok(());
            }
        };
        let place = self.enter(talk);
        match (way, hop) {
            (Some(way), _) => self.set_out(place, way, now),
            (None, Some(hop)) => self.asking.push((place, hop)),
            (None, None) => {}
        }
        Ok(())
    }

    /// Gives a talk a place, and its address to it.
    fn enter(&mut self, talk: T) -> usize {
        let remote = talk.remote();
        self.serial += 1;
        let local = Local::new(remote, 1, 1, 0);
        let slot = Slot {
            talk,
            remote,
            local,
            way: None,
            timer: None,
            serial: self.serial,
            queued: 0,
            others: Vec::new(),
            seqs: Vec::new(),
        };
        let place = self.free.pop().unwrap_or(self.slots.len());
        if place == self.slots.len() {
            self.slots.push(None);
        }
        self.slots[place] = Some(slot);
        self.by_remote.insert(remote, place);
        self.so_far.active += 1;
        place
    }

    /// Begins a talk whose way is known.
    fn set_out(&mut self, place: usize, way: Way, now: Nanos) {
        let (first, last) = self.ports;
        let count = last - first + 1;
        if let Some(slot) = self.slots.get_mut(place).and_then(Option::as_mut) {
            slot.way = Some(way);
            let from = (slot.serial % u64::from(count)) as u16;
            slot.local = Local::new(
                way.source,
                first,
                count,
                (u32::from(from) * u32::from(STRIDE) % u32::from(count)) as u16,
            );
        }
        self.call(place, |talk, out| talk.begin(now, out));
    }

    /// Looks whether next hops have answered.
    pub(super) fn ask_again(&mut self, channel: &Channel, now: Nanos) {
        if self.asking.is_empty() {
            return;
        }
        for (place, hop) in std::mem::take(&mut self.asking) {
            match channel.neighbor(&hop) {
                Ok(None) => self.asking.push((place, hop)),
                Ok(Some(way)) => self.set_out(place, way, now),
                Err(why) => {
                    if let Some(slot) = self.slots.get_mut(place).and_then(Option::as_mut) {
                        slot.talk.no_way(now, &why);
                        self.over.push(place);
                    }
                }
            }
        }
    }

    /// Lets a talk do something, and takes what it wants done.
    fn call(&mut self, place: usize, act: impl FnOnce(&mut T, &mut Out)) {
        let Some(slot) = self.slots.get_mut(place).and_then(Option::as_mut) else { return };
        self.out.reset(slot.local);
        act(&mut slot.talk, &mut self.out);
        if let Some(timer) = self.out.timer() {
            slot.timer = timer;
            if let Some(at) = timer {
                self.timers.push(Reverse((at, place, slot.serial)));
            }
        }
        for (id, bytes) in self.out.packets() {
            let mut packet = self.spare.pop().unwrap_or_default();
            packet.clear();
            packet.extend_from_slice(bytes);
            self.queue.push_back(Queued { place, id, packet });
            slot.queued += 1;
            let Some(Mark { to, port, seq }) = Mark::of(bytes) else { continue };
            if to != slot.remote && !slot.others.contains(&(to, port)) {
                slot.others.push((to, port));
                self.by_other.insert((to, port), place);
            }
            if let Some(seq) = seq.filter(|seq| !slot.seqs.contains(seq)) {
                slot.seqs.push(seq);
                self.by_seq.insert(seq, place);
            }
        }
        if slot.queued == 0 && (slot.timer.is_none() || slot.talk.is_over()) {
            self.over.push(place);
        }
    }

    /// Calls those whose time has come.
    pub(super) fn wake(&mut self, now: Nanos) {
        while let Some(&Reverse((at, place, serial))) = self.timers.peek()
            && at <= now
        {
            self.timers.pop();
            if let Some(slot) = self.slots.get_mut(place).and_then(Option::as_mut)
                && slot.serial == serial
                && slot.timer == Some(at)
            {
                slot.timer = None;
                self.call(place, |talk, out| talk.timer(now, out));
            }
        }
    }

    /// When the next talk is to be called, or a bit earlier.
    pub(super) fn next_timer(&self) -> Option<Nanos> {
        self.timers.peek().map(|Reverse((at, ..))| *at)
    }

    /// Sends the packet that has waited longest. Returns whether the system took it.
    pub(super) fn send(&mut self, channel: &mut Channel) -> Result<bool, Error> {
        let Some(next) = self.queue.front() else { return Ok(true) };
        let (place, id) = (next.place, next.id);
        let Some(slot) = self.slots.get_mut(place).and_then(Option::as_mut) else {
            self.queue.pop_front();
            return Ok(true);
        };
        let to = Mark::of(&next.packet).map_or(slot.remote, |mark| mark.to);
        let at = match &slot.way {
            Some(way) => match channel.send(way, to, &next.packet)? {
                Some(at) => at,
                None => return Ok(false),
            },
            None => channel.now(),
        };
        slot.queued -= 1;
        if let Some(sent) = self.queue.pop_front() {
            self.spare.push(sent.packet);
        }
        self.so_far.sent += 1;
        self.call(place, |talk, out| talk.sent(id, at, out));
        Ok(true)
    }

    /// Hands a packet to the talk that it may belong to.
    pub(super) fn receive(&mut self, time: Nanos, bytes: &[u8]) {
        let Some(packet) = Received::parse(time, bytes) else { return };
        self.so_far.received += 1;
        let place = self.owner(&packet);
        let place = place.filter(|&place| {
            self.slots
                .get(place)
                .and_then(Option::as_ref)
                .is_some_and(|slot| slot.way.is_some() && slot.local.addr == packet.ip.dst)
        });
        match place {
            Some(place) => self.call(place, |talk, out| talk.packet(time, &packet, out)),
            None => self.so_far.strays += 1,
        }
    }

    fn owner(&self, packet: &Received<'_>) -> Option<usize> {
        let at = |addr: IpAddr, port: u16| {
            let main = self.by_remote.get(&addr);
            main.or_else(|| self.by_other.get(&(addr, port))).copied()
        };
        match &packet.what {
            What::Tcp(tcp) => at(packet.ip.src, tcp.dst_port()),
            What::Icmp(message) if message.is_error() => {
                let quote = message.quote()?;
                let head = quote.payload.get(..4).and_then(tcp::ports);
                let seq = quote
                    .payload
                    .get(4..8)
                    .and_then(|bytes| bytes.first_chunk())
                    .map(|&seq| u32::from_be_bytes(seq));
                // Boxes that rewrite the address of the target leave the sequence number, mostly.
                at(quote.dst, head.map_or(0, |(src, _)| src)).or_else(|| self.by_seq.get(&seq?).copied())
            }
            What::Icmp(message) => at(packet.ip.src, message.echo()?.0),
        }
    }

    /// Takes talks that are over out of the table, and hands them over.
    pub(super) fn hand_over(&mut self, watch: &mut impl Watch<T>) -> Result<(), Error> {
        for place in std::mem::take(&mut self.over) {
            // What came since may have made it say more.
            let ended = self.slots.get_mut(place).and_then(|slot| slot.take_if(|slot| slot.queued == 0));
            let Some(slot) = ended else { continue };
            self.free.push(place);
            self.by_remote.remove(&slot.remote);
            for other in &slot.others {
                if self.by_other.get(other) == Some(&place) {
                    self.by_other.remove(other);
                }
            }
            for seq in &slot.seqs {
                if self.by_seq.get(seq) == Some(&place) {
                    self.by_seq.remove(seq);
                }
            }
            self.so_far.active -= 1;
            self.done.push(slot.talk);
        }
        for talk in self.done.drain(..) {
            self.so_far.finished += 1;
            watch.finished(talk).map_err(|source| Error::Rows { source })?;
        }
        Ok(())
    }
}

/// Where a packet of ours goes, and by what others may name it.
struct Mark {
    to: IpAddr,
    /// Our port, or the identifier of an echo.
    port: u16,
    /// Sequence number of a segment.
    seq: Option<u32>,
}

impl Mark {
    fn of(bytes: &[u8]) -> Option<Self> {
        let ip = ip_of(bytes)?;
        let (src, _) = ip.payload.get(..4).and_then(tcp::ports)?;
        if ip.protocol == protocol::TCP {
            let seq = u32::from_be_bytes(*ip.payload.get(4..)?.first_chunk()?);
            return Some(Self { to: ip.dst, port: src, seq: Some(seq) });
        }
        let port = ip.payload.get(4..6).map_or(0, |id| u16::from_be_bytes([id[0], id[1]]));
        Some(Self { to: ip.dst, port, seq: None })
    }
}

fn ip_of(bytes: &[u8]) -> Option<IpPacket<'_>> {
    match dissect(LinkType::RAW, bytes, u32::try_from(bytes.len()).ok()?) {
        Dissection::Ip(ip) => Some(ip),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
