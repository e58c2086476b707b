//! A connection as one of its ends sees it: what that end sends, when it sends it, and what it receives, when it arrives.

use std::net::{IpAddr, SocketAddr};

use subflow_wire::Key;
use subflow_wire::mptcp::{Capable, Join, Mptcp};

use super::data::{Again, DataBook};
use super::rows::{Direction, EventKind, NOWHERE};
use super::stream::Stream;
use crate::header::Header;
use crate::observe::{Close, End, Fallback, Handshake};
use crate::time::{Duration, Time};

/// A segment at an end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen<'a> {
    pub(super) now: Time,
    /// Who sent it.
    pub(super) from: End,
    /// Number of the subflow in the run.
    pub(super) subflow: u32,
    pub(super) header: &'a Header,
}

/// What a segment did at the end where it was seen.
#[derive(Clone, Debug, Default)]
pub(super) struct Effect {
    /// The subflow, as numbered at this end; none when it is no subflow here.
    pub(super) subflow: Option<usize>,
    /// Position of the payload on the subflow.
    pub(super) position: Option<i64>,
    /// Data-level bytes that are new, and those that were carried before.
    pub(super) new: u64,
    pub(super) again: Vec<Again>,
    /// Bytes repeated on the subflow.
    pub(super) repeated: u64,
    /// The round-trip sample that its ACK gives for data of the other direction.
    pub(super) rtt: Option<Duration>,
    /// Announcements: address id, address, port, echo.
    pub(super) announced: Vec<(u8, IpAddr, Option<u16>, bool)>,
    /// Events.
    pub(super) events: Vec<EventKind>,
}

/// A subflow as one end sees it.
#[derive(Clone, Debug)]
pub(super) struct SubflowSide {
    pub(super) subflow: u32,
    pub(super) opener: End,
    pub(super) src: SocketAddr,
    pub(super) dst: SocketAddr,
    pub(super) start: Time,
    pub(super) last: [Option<Time>; 2],
    pub(super) state: Option<Handshake>,
    pub(super) backup: bool,
    pub(super) address_id: u8,
    pub(super) packets: [u64; 2],
    pub(super) wire_bytes: [u64; 2],
    pub(super) bytes: [u64; 2],
    pub(super) unique: [u64; 2],
    pub(super) data_bytes: [u64; 2],
    pub(super) repeated: [u64; 2],
    pub(super) repeated_packets: [u64; 2],
    pub(super) reinjected: [u64; 2],
    pub(super) streams: [Stream; 2],
    pub(super) last_new: Option<Time>,
    /// When each direction's first FIN was seen.
    pub(super) fin: [Option<Time>; 2],
}

impl SubflowSide {
    /// Whether a FIN closed it: one that the other end was heard from after. A FIN into the void closes nothing.
    fn closed_by_fin(&self) -> bool {
        let heard = |fin: Option<Time>, other: Option<Time>| fin.is_some_and(|fin| other >= Some(fin));
        heard(self.fin[0], self.last[1]) || heard(self.fin[1], self.last[0])
    }
}

/// A connection as one end sees it.
#[derive(Clone, Debug, Default)]
pub(super) struct Side {
    pub(super) version: Option<u8>,
    /// Keys that segments at this end have carried, by whose they are.
    pub(super) keys: [Option<Key>; 2],
    pub(super) subflows: Vec<SubflowSide>,
    pub(super) data: [DataBook; 2],
    /// Absolute data sequence number of offset 0.
    pub(super) base: [Option<u64>; 2],
    pub(super) meta_repeated: [u64; 2],
    pub(super) blocks: [u64; 2],
    last_carrier: [Option<usize>; 2],
    data_fin: [bool; 2],
    pub(super) fallback: Option<Fallback>,
    pub(super) close: Option<Close>,
    /// Handshakes of subflows of which no SYN has been seen yet.
    early: Vec<(u32, Handshake)>,
}

impl Side {
    /// Whether this end takes part as one of Multipath TCP.
    pub(super) fn takes_part(&self) -> bool {
        !self.subflows.is_empty()
    }

    /// What the end knows of a handshake.
    pub(super) fn handshake(&mut self, subflow: u32, state: Handshake) {
        match self.subflows.iter_mut().find(|known| known.subflow == subflow) {
            Some(known) => known.state = Some(state),
            None => self.early.push((subflow, state)),
        }
    }

    /// Addresses of client and server, by the initial SYN.
    pub(super) fn addresses(&self) -> [SocketAddr; 2] {
        self.subflows.first().map_or([NOWHERE; 2], |initial| [initial.src, initial.dst])
    }

    /// Takes a segment.
    pub(super) fn see(&mut self, seen: Seen<'_>) -> Effect {
        let mut effect = Effect::default();
        let Some(index) = self.subflow(&seen) else { return effect };
        effect.subflow = Some(index);
        let direction = seen.from.index();
        let Some(subflow) = self.subflows.get_mut(index) else { return effect };
        let header = seen.header;
        subflow.last[direction] = Some(seen.now);
        subflow.packets[direction] += 1;
        subflow.wire_bytes[direction] += u64::from(header.wire_len());
        if header.flags.syn() {
            subflow.streams[direction].syn(header.seq);
        } else if header.flags.ack() && !header.flags.rst() {
            effect.rtt = subflow.streams[seen.from.other().index()].acked(header.ack, seen.now);
        }
        if header.flags.fin() {
            subflow.fin[direction].get_or_insert(seen.now);
        }
        self.options(index, &seen, &mut effect);
        if header.payload.len > 0 && !header.flags.syn() {
            self.payload(index, &seen, &mut effect);
        }
        effect
    }

    /// The subflow of a segment. A SYN with MP_CAPABLE or MP_JOIN begins one.
    fn subflow(&mut self, seen: &Seen<'_>) -> Option<usize> {
        let known = self.subflows.iter().position(|known| known.subflow == seen.subflow);
        if known.is_some() || !seen.header.flags.syn() || seen.header.flags.ack() {
            return known;
        }
        let initial = self.subflows.is_empty();
        let (backup, address_id) = seen.header.mptcp().find_map(|option| match option {
            Mptcp::Capable(_) if initial => Some((false, 0)),
            Mptcp::Join(Join::Syn { backup, address_id, .. }) if !initial => Some((backup, address_id)),
            _ => None,
        })?;
        let early = self.early.iter().rev().find(|early| early.0 == seen.subflow);
        self.subflows.push(SubflowSide {
            subflow: seen.subflow,
            opener: seen.from,
            src: SocketAddr::new(seen.header.src, seen.header.src_port),
            dst: SocketAddr::new(seen.header.dst, seen.header.dst_port),
            start: seen.now,
            last: [None; 2],
            state: early.map(|early| early.1),
            backup,
            address_id,
            packets: [0; 2],
            wire_bytes: [0; 2],
            bytes: [0; 2],
            unique: [0; 2],
            data_bytes: [0; 2],
            repeated: [0; 2],
            repeated_packets: [0; 2],
            reinjected: [0; 2],
            streams: Default::default(),
            last_new: None,
            fin: [None; 2],
        });
        Some(self.subflows.len() - 1)
    }

    fn options(&mut self, index: usize, seen: &Seen<'_>, effect: &mut Effect) {
        let direction = seen.from.index();
        for option in seen.header.mptcp() {
            match option {
                Mptcp::Capable(capable) if seen.header.flags.syn() => {
                    self.capable(seen.header.flags.ack(), capable);
                }
                Mptcp::Capable(capable) if seen.from == End::Client => {
                    for (known, key) in self.keys.iter_mut().zip([capable.sender_key, capable.receiver_key]) {
                        *known = known.or(key);
                    }
                }
                Mptcp::Join(Join::SynAck { backup: true, .. }) => {
                    if let Some(subflow) = self.subflows.get_mut(index) {
                        subflow.backup = true;
                    }
                }
                Mptcp::AddAddr(announced) => effect.announced.push((
                    announced.address_id,
                    announced.addr,
                    announced.port,
                    announced.echo,
                )),
                Mptcp::RemoveAddr(_) => effect.events.push(EventKind::RemoveAddr),
                Mptcp::Prio(_) => effect.events.push(EventKind::MpPrio),
                Mptcp::Fail(_) => effect.events.push(EventKind::MpFail),
                Mptcp::FastClose(_) => effect.events.push(EventKind::FastClose),
                Mptcp::TcpRst(_) => effect.events.push(EventKind::TcpRst),
                Mptcp::Dss(dss) => {
                    if dss.is_infinite() {
                        effect.events.push(EventKind::InfiniteMapping);
                    }
                    if dss.data_fin && !std::mem::replace(&mut self.data_fin[direction], true) {
                        effect.events.push(EventKind::DataFin);
                    }
                }
                _ => {}
            }
        }
    }

    /// MP_CAPABLE of a SYN or SYN/ACK. The client's own key (or none) in an answer is no answer.
    fn capable(&mut self, answer: bool, capable: Capable) {
        if !answer {
            self.version = self.version.or(Some(capable.version));
            self.keys[0] = self.keys[0].or(capable.sender_key);
        } else if capable.sender_key.is_some() && capable.sender_key != self.keys[0] {
            self.version = Some(capable.version);
            self.keys[1] = self.keys[1].or(capable.sender_key);
        }
    }

    fn payload(&mut self, index: usize, seen: &Seen<'_>, effect: &mut Effect) {
        let (direction, payload) = (seen.from.index(), &seen.header.payload);
        let Some(subflow) = self.subflows.get_mut(index) else { return };
        let Some(position) = subflow.streams[direction].position(seen.header.seq) else { return };
        effect.position = Some(position);
        let mut fresh = Vec::new();
        subflow.streams[direction].payload(position, payload.len, seen.now, &mut fresh);
        let unique: u64 = fresh.iter().map(|(from, to)| (to - from).unsigned_abs()).sum();
        effect.repeated = u64::from(payload.len) - unique;
        subflow.bytes[direction] += u64::from(payload.len);
        subflow.unique[direction] += unique;
        subflow.repeated[direction] += effect.repeated;
        subflow.repeated_packets[direction] += u64::from(effect.repeated > 0);
        if unique == 0 {
            return;
        }
        if self.last_carrier[direction].replace(index) != Some(index) {
            self.blocks[direction] += 1;
        }
        // Without a key, the first byte of the initial subflow is the first of the data level.
        let base = *self.base[direction].get_or_insert(payload.dsn.wrapping_sub(position as u64));
        let offset = payload.dsn.wrapping_sub(base) as i64 - position;
        for (from, to) in fresh {
            let range = (from + offset, to + offset);
            effect.new += self.data[direction].carry(range, index, seen.now, &mut effect.again);
        }
        subflow.data_bytes[direction] += effect.new;
        for part in &effect.again {
            if part.subflow == index {
                self.meta_repeated[direction] += part.bytes;
            } else {
                subflow.reinjected[direction] += part.bytes;
            }
        }
        if effect.new > 0 || subflow.last_new.is_none() {
            subflow.last_new = Some(seen.now);
        }
    }

    /// Handovers (see `handovers` of the table): subflow, when it fell silent, and the direction that fell silent first.
    ///
    /// Data elsewhere must go on for 200 ms after the silence, so that subflows that take turns until the end count as none; heard
    /// from means by both ends, so that repeats into the void do not count.
    pub(super) fn handovers(&self) -> Vec<(usize, Time, Direction)> {
        const SHORTEST_SILENCE: Duration = Duration::from_millis(200);
        let heard = |subflow: &SubflowSide| Some(subflow.last[0]?.min(subflow.last[1]?));
        let mut found = Vec::new();
        for (index, subflow) in self.subflows.iter().enumerate() {
            if subflow.closed_by_fin() || subflow.bytes == [0; 2] {
                continue;
            }
            let Some(silent) = heard(subflow) else { continue };
            let goes_on = self.subflows.iter().enumerate().any(|(other, next)| {
                other != index
                    && next.last_new.is_some_and(|time| time > silent)
                    && heard(next).is_some_and(|time| time > silent && time.since(silent) > SHORTEST_SILENCE)
            });
            if goes_on {
                let quiet = if subflow.last[0] <= subflow.last[1] { Direction::C2s } else { Direction::S2c };
                found.push((index, silent, quiet));
            }
        }
        found
    }

    /// First and last packet.
    pub(super) fn span(&self) -> Option<(Time, Time)> {
        let start = self.subflows.iter().map(|subflow| subflow.start).min()?;
        let last = self.subflows.iter().flat_map(|subflow| subflow.last).flatten().max()?;
        Some((start, last))
    }
}
