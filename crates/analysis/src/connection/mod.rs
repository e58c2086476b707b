//! A Multipath TCP connection as it is rebuilt packet by packet.

mod carry;
mod conformance;
mod control;
mod data;
mod detail;
mod fallback;
mod finish;
mod half;
mod handover;
mod handshake;
mod kinship;
mod measure;
mod reinject;
mod subflow;

use crate::{
    flow::End,
    rows::{Announcement, AnyRow, Direction, Event, EventKind, Fallback, Finding, Reinjection, Sampled},
    segment::Segment,
    sight::Sight,
    track::{
        dataspace::{DataSpace, Part},
        path::Path,
    },
};
use conformance::Watch;
pub(crate) use finish::{Counters, Ending};
pub(crate) use measure::Measuring;
pub(crate) use subflow::Subflow;
use subflow_rows::Time;
use subflow_wire::{
    keys::{Key, Version},
    mptcp::Dsn,
};

/// A data sequence number further than this from everything seen is not believed, in bytes.
const FARTHEST: u64 = 1 << 32;
/// Events kept a connection; more are counted only.
const MOST_EVENTS: usize = 4096;
/// Announcements kept a connection.
const MOST_ANNOUNCEMENTS: usize = 4096;

/// Where data-level offsets count from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Base {
    /// Data sequence number of offset 0.
    dsn: u64,
    /// Whether all 64 bits are known, or only the lower 32.
    full: bool,
}

/// What the connection knows of each of its subflows.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Holder {
    /// Address ids of the subflow's ends, by the side that gave them.
    address_ids: [Option<u8>; 2],
    /// What MP_PRIO made of its priority last.
    backup: Option<bool>,
    /// Whether its handshake completed, and whether it asked for a backup.
    confirmed: bool,
    asked_backup: bool,
    closed: bool,
    closed_frame: Option<u64>,
    rtt: Option<i64>,
    paths: [Path; 2],
}

impl Holder {
    /// Whether it is a backup by now.
    fn is_backup(&self) -> bool {
        self.backup.unwrap_or(self.asked_backup)
    }
}

/// A connection under reconstruction. Pairs are indexed by [`Direction`].
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) id: u64,
    pub(crate) version: Option<Version>,
    pub(crate) client: End,
    pub(crate) server: End,
    pub(crate) keys: [Option<Key>; 2],
    /// Token of the client and of the server.
    pub(crate) tokens: [Option<u32>; 2],
    /// Set when a token has become known that is not yet in the table of tokens.
    pub(crate) new_tokens: bool,
    idsn: [Option<u64>; 2],
    base: [Option<Base>; 2],
    data: [DataSpace; 2],
    reinjected: [u64; 2],
    meta_repeated: [u64; 2],
    blocks: [u64; 2],
    last_carrier: [Option<u16>; 2],
    data_fin: [Option<i64>; 2],
    /// Set when it turned out to be another connection captured twice, on both sides of a NAT.
    pub(crate) copy: bool,
    /// Nonces of the MP_JOIN SYNs seen, to know a copy of one when it comes.
    pub(crate) join_nonces: Vec<(u32, u8, Sight)>,
    /// The packet that began it.
    pub(crate) sight: Sight,
    /// Numbers of the flows that are its subflows, in order of subflow id.
    pub(crate) flows: Vec<u32>,
    holders: Vec<Holder>,
    carriers: usize,
    open_subflows: u32,
    pub(crate) start: i64,
    pub(crate) last: i64,
    /// MP_CAPABLE was seen in the SYN, in the SYN/ACK, in an ACK.
    capable: [bool; 3],
    answered: bool,
    /// A mapping of the first data byte was seen.
    first_mapped: bool,
    /// Versions that the SYN offered, a bit each.
    offered: u16,
    /// The initial SYN was repeated without MP_CAPABLE.
    plain_syn: bool,
    fallback: Fallback,
    mp_fail: bool,
    checksum: Option<bool>,
    fastclose: bool,
    announcements: Vec<Announcement>,
    events: Vec<Event>,
    events_lost: u64,
    reinjections: Vec<Reinjection>,
    copies: reinject::Copies,
    measuring: Measuring,
    measures: [measure::Measure; 2],
    /// What the end sends that the capture was made near to.
    near: Option<Direction>,
    /// The longest round trip of a handshake, in nanoseconds.
    longest_rtt: Option<i64>,
    /// Rows of `stalls` and `series` that are final.
    rows: Vec<AnyRow>,
    watch: Watch,
    /// Present when everything is to be told.
    pub(crate) detail: Option<Box<detail::Detail>>,
    /// Scratch space, so that no packet allocates: new subflow bytes, mapped bytes, the parts of them.
    ranges: Vec<(i64, i64)>,
    mapped: Vec<(i64, i64)>,
    parts: Vec<Part>,
}

impl Connection {
    /// A connection whose first packet is now.
    pub(crate) fn new(id: u64, client: End, server: End, sight: Sight, measuring: Measuring) -> Self {
        Self {
            id,
            version: None,
            client,
            server,
            keys: [None; 2],
            tokens: [None; 2],
            new_tokens: false,
            idsn: [None; 2],
            base: [None; 2],
            data: [DataSpace::default(), DataSpace::default()],
            reinjected: [0; 2],
            meta_repeated: [0; 2],
            blocks: [0; 2],
            last_carrier: [None; 2],
            data_fin: [None; 2],
            copy: false,
            join_nonces: Vec::new(),
            sight,
            flows: Vec::new(),
            holders: Vec::new(),
            carriers: 0,
            open_subflows: 0,
            start: sight.time(),
            last: sight.time(),
            capable: [false; 3],
            answered: false,
            first_mapped: false,
            offered: 0,
            plain_syn: false,
            fallback: Fallback::None,
            mp_fail: false,
            checksum: None,
            fastclose: false,
            announcements: Vec::new(),
            events: Vec::new(),
            events_lost: 0,
            reinjections: Vec::new(),
            copies: reinject::Copies::default(),
            measuring,
            measures: Default::default(),
            near: None,
            longest_rtt: None,
            rows: Vec::new(),
            watch: Watch::default(),
            ranges: Vec::new(),
            mapped: Vec::new(),
            parts: Vec::new(),
            detail: None,
        }
    }

    /// Adds a subflow opened in this direction; the caller stores it under the number `flow`.
    pub(crate) fn add_subflow(
        &mut self,
        flow: u32,
        opener: Direction,
        src: End,
        dst: End,
        time: i64,
    ) -> Subflow {
        let id = u16::try_from(self.flows.len()).unwrap_or(u16::MAX);
        self.flows.push(flow);
        self.holders.push(Holder::default());
        self.open_subflows += 1;
        self.mark_joined(dst);
        Subflow::new(id, opener, src, dst, time)
    }

    /// Whether all subflows are closed and nothing more is due.
    pub(crate) fn closed(&self) -> bool {
        self.open_subflows == 0
    }

    /// Whether any subflow got an answer to its SYN, or was seen without a handshake.
    pub(crate) fn answered(&self) -> bool {
        self.answered
    }

    /// Whether mappings of this direction count: the client has confirmed MPTCP, by MP_CAPABLE in an ACK or by the mapping of
    /// the first data byte (RFC 6824, section 3.1), or the receiver has by a DSS; and there was no fallback.
    fn mapping_in_force(&self, subflow: &Subflow, direction: Direction) -> bool {
        let confirmed = self.capable[2] || self.first_mapped || !self.capable[0];
        let receiver = &subflow.halves[direction.reverse().index()];
        (confirmed || receiver.dss_seen) && self.fallback == Fallback::None
    }

    /// The key of one side has become known: its token and first data sequence number follow from it.
    fn learn_key(&mut self, side: Direction, key: Key) {
        let index = side.index();
        let Some(version) = self.version.filter(|_| self.keys[index].is_none()) else { return };
        self.keys[index] = Some(key);
        let (token, idsn) = key.token_and_idsn(version);
        if self.tokens[index] != Some(token) {
            self.tokens[index] = Some(token);
            self.new_tokens = true;
        }
        self.idsn[index] = Some(idsn);
        // With data already seen, offsets go on counting from there.
        if self.base[index].is_none() {
            self.base[index] = Some(Base { dsn: idsn.wrapping_add(1), full: true });
            self.begin_measuring(side);
        }
    }

    /// The answer speaks another version than the one under which this side's key was understood.
    fn forget_key(&mut self, side: Direction) {
        let index = side.index();
        self.keys[index] = None;
        self.tokens[index] = None;
        self.idsn[index] = None;
        self.base[index] = None;
    }

    /// The offset of a data sequence number; `None` when it is too far from everything seen to be believed.
    fn offset(&mut self, direction: Direction, dsn: Dsn) -> Option<i64> {
        let index = direction.index();
        let base = *self.base[index].get_or_insert(match dsn {
            Dsn::Short(low) => Base { dsn: u64::from(low), full: false },
            Dsn::Long(dsn) => Base { dsn, full: true },
        });
        let offset = self.known_offset(direction, dsn);
        if let (Dsn::Long(dsn), Some(offset), false) = (dsn, offset, base.full) {
            self.base[index] = Some(Base { dsn: dsn.wrapping_sub(offset as u64), full: true });
        }
        offset
    }

    /// The same, where it is known from what offsets count.
    fn known_offset(&self, direction: Direction, dsn: Dsn) -> Option<i64> {
        let index = direction.index();
        let base = self.base[index]?;
        let near = self.data[index].next().unwrap_or(0).max(self.data[index].acked().max(0));
        let low = |dsn: u32| {
            near + i64::from(dsn.wrapping_sub((base.dsn as u32).wrapping_add(near as u32)).cast_signed())
        };
        match dsn {
            Dsn::Short(dsn) => Some(low(dsn)),
            Dsn::Long(dsn) if base.full => {
                let offset = dsn.wrapping_sub(base.dsn).cast_signed();
                (near.abs_diff(offset) < FARTHEST).then_some(offset)
            }
            Dsn::Long(dsn) => Some(low(dsn as u32)),
        }
    }

    /// Takes a segment of one of its subflows.
    pub(crate) fn segment(&mut self, subflow: &mut Subflow, direction: Direction, segment: &Segment<'_>) {
        let repeated = subflow.halves[direction.index()].repeated;
        self.follow(subflow, direction, segment);
        if self.detail.is_some() {
            self.tell_packet(subflow, direction, segment, repeated);
        }
    }

    fn follow(&mut self, subflow: &mut Subflow, direction: Direction, segment: &Segment<'_>) {
        let (this, other) = (direction.index(), direction.reverse().index());
        self.last = self.last.max(segment.time);
        subflow.last = subflow.last.max(segment.time);
        subflow.halves[this].last = Some(segment.time);
        subflow.halves[this].last_frame = segment.frame;
        if subflow.ttl.is_none() && direction == subflow.opener {
            subflow.ttl = Some(segment.hop_limit);
        }
        self.count(subflow, direction, segment);
        if segment.others {
            self.control(subflow, direction, segment);
        }
        if let Some(damage) = segment.damage {
            let detail = format!("damaged TCP options: {damage}");
            self.finding(subflow, direction, segment, Finding::OptionsDamaged, detail);
        }
        if segment.flags.syn() {
            self.syn(subflow, direction, segment);
            return;
        }
        if segment.flags.rst() {
            self.reset(subflow, direction, segment);
            return;
        }
        self.answered = true;
        self.confirm(subflow, direction, segment);
        subflow.halves[this].packets += 1;
        if segment.flags.ack() {
            self.acknowledge(subflow, direction, segment);
        }
        if let Some((value, echo)) = segment.timestamps {
            subflow.halves[this].stamps.sent(value, segment.time);
            let sample = subflow.halves[other].stamps.echoed(echo, segment.time);
            self.tell_sample(Some(subflow.id), direction.reverse(), segment, Sampled::Timestamp, sample);
        }
        self.observe(subflow, direction, segment);
        if let Some(dss) = &segment.dss {
            self.dss(subflow, direction, segment, dss);
        }
        if segment.len > 0 {
            self.payload(subflow, direction, segment);
        }
        if segment.flags.fin() {
            self.fin(subflow, direction, segment);
        }
    }

    fn fin(&mut self, subflow: &mut Subflow, direction: Direction, segment: &Segment<'_>) {
        let was_closed = subflow.closed();
        let half = &mut subflow.halves[direction.index()];
        let start = half.space(segment.seq).position(segment.seq);
        half.fin.get_or_insert(start + i64::from(segment.len) + 1);
        half.fin_time.get_or_insert(segment.time);
        self.note_closed(subflow, was_closed, Some(segment.frame));
    }

    /// Keeps count of open subflows.
    fn note_closed(&mut self, subflow: &Subflow, was_closed: bool, frame: Option<u64>) {
        if !was_closed && subflow.closed() {
            self.open_subflows = self.open_subflows.saturating_sub(1);
            if let Some(holder) = self.holders.get_mut(usize::from(subflow.id)) {
                holder.closed = true;
                holder.closed_frame = frame;
            }
        }
    }

    /// Another connection has taken over the 4-tuple of a subflow.
    pub(crate) fn displaced(&mut self, subflow: &mut Subflow, time: i64) {
        let was_closed = subflow.closed();
        if !was_closed {
            subflow.reset =
                Some(subflow::Reset { time, reason: Some("4-tuple used again"), in_handshake: false });
            self.note_closed(subflow, false, None);
        }
    }

    /// Notes an event.
    fn event(
        &mut self,
        subflow: &Subflow,
        direction: Direction,
        segment: &Segment<'_>,
        kind: EventKind,
        detail: impl Into<String>,
    ) {
        self.event_at(subflow.id, direction, segment.time, segment.frame, kind, detail);
    }

    fn event_at(
        &mut self,
        subflow: u16,
        direction: Direction,
        time: i64,
        frame: u64,
        kind: EventKind,
        detail: impl Into<String>,
    ) {
        self.push_event(Event {
            connection_id: self.id,
            subflow_id: u32::from(subflow),
            time: Time(time),
            frame,
            direction,
            kind,
            detail: detail.into(),
            finding: None,
            rule: kind.rule(self.version),
        });
    }

    fn push_event(&mut self, event: Event) {
        if self.events.len() >= MOST_EVENTS {
            self.events_lost += 1;
            return;
        }
        self.events.push(event);
    }
}
