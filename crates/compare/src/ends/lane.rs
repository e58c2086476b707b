//! One direction of one subflow: its packets of both captures, and what became of them.

use super::changes::{Changes, Sight};
use super::clock::Points;
use super::record::{End, Record};
use super::settle::{Keeps, Mate, Shift, settle};
use crate::rows::{Fate, Side};
use std::collections::BTreeMap;
use subflow_analysis::rows::Direction;

/// Packets of a lane that wait before they are matched for the first time.
pub(crate) const BATCH: usize = 1 << 16;

/// What all lanes share.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    /// First and last packet of A, and of B.
    pub(crate) spans: [Option<(i64, i64)>; 2],
    /// Packets further apart than this are not one, in nanoseconds.
    pub(crate) window: i64,
    /// Whether every packet's fate is kept.
    pub(crate) series: bool,
}

impl Frame {
    /// The origin of times.
    pub(crate) fn origin(&self) -> i64 {
        self.spans[0].map_or(0, |span| span.0)
    }
}

/// What became of a watched packet, and in which frame it arrived.
pub(crate) type Arrival = (Fate, Option<u64>);

/// The fate of one packet, its delay still as the clocks give it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    /// On the clock of A.
    pub(crate) time: i64,
    pub(crate) frames: [Option<u64>; 2],
    pub(crate) bytes: u32,
    pub(crate) fate: Fate,
    pub(crate) delay: Option<i64>,
}

/// One direction of one subflow.
#[derive(Debug)]
pub(crate) struct Lane {
    pub(crate) match_id: u64,
    /// The subflow in A and in B.
    pub(crate) subflows: [Option<u32>; 2],
    pub(crate) direction: Direction,
    pub(crate) sender: Side,
    /// Source and destination in A and in B; nothing where the subflow was not seen.
    pub(crate) ends: [Option<[End; 2]>; 2],
    pub(crate) shift: Shift,
    /// The other direction was seen, too, so what is in one capture only did get through.
    pub(crate) answered: bool,
    pub(crate) waiting: [Vec<Record>; 2],
    pub(crate) next_batch: usize,
    keeps: Keeps,
    pub(crate) points: Points,
    pub(crate) changes: Changes,
    pub(crate) counts: Counts,
    latest_sent: i64,
    pub(crate) steps: Vec<Step>,
    /// Packets (time and frame at the sender's end) whose fate somebody wants to know, and the frame they arrived in.
    pub(crate) watched: BTreeMap<(i64, u64), Option<Arrival>>,
}

/// Packets by fate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) sent: u64,
    pub(crate) received: u64,
    pub(crate) matched: u64,
    pub(crate) lost: u64,
    pub(crate) lost_bytes: u64,
    pub(crate) unjudged: u64,
    pub(crate) appeared: u64,
    pub(crate) reordered: u64,
    pub(crate) duplicated: u64,
    pub(crate) resegmented: u64,
    pub(crate) by_order: u64,
    /// Packets that matched one to one or as pieces, seen from A and from B.
    pub(crate) seen: [u64; 2],
}

impl Lane {
    pub(crate) fn new(
        match_id: u64,
        direction: Direction,
        sender: Side,
        subflows: [Option<u32>; 2],
        ends: [Option<[End; 2]>; 2],
        shift: Shift,
    ) -> Self {
        Self {
            match_id,
            subflows,
            direction,
            sender,
            ends,
            shift,
            answered: false,
            waiting: [Vec::new(), Vec::new()],
            next_batch: BATCH,
            keeps: Keeps::default(),
            points: Points::default(),
            changes: Changes::default(),
            counts: Counts::default(),
            latest_sent: i64::MIN,
            steps: Vec::new(),
            watched: BTreeMap::new(),
        }
    }

    /// Packets that wait.
    pub(crate) fn held(&self) -> usize {
        self.waiting[0].len() + self.waiting[1].len()
    }

    /// Matches what waits, and is done with what is older than `cut` (on the clock of A).
    pub(crate) fn settle(&mut self, cut: i64, frame: &Frame) {
        let [a, b] = std::mem::take(&mut self.waiting);
        let mates = settle(&a, &b, self.shift, frame.window, &mut self.keeps);
        let clock = self.shift.clock;
        // A packet of A is done with by its own time, one of B by that of its mate, or by its own.
        let old = |time: i64| time < cut;
        let old_b = |index: usize| match mates.b[index] {
            Mate::Packet { index, .. } => old(a[index].time),
            _ => old(b[index].time - clock),
        };
        let mut arrivals = Vec::new();
        for (x, record) in a.iter().enumerate().filter(|(_, record)| old(record.time)) {
            self.take(Side::A, record, mates.a[x], &b, frame, &mut arrivals);
        }
        for (y, record) in b.iter().enumerate().filter(|&(y, _)| old_b(y)) {
            self.take(Side::B, record, mates.b[y], &a, frame, &mut arrivals);
        }
        self.lone(&a, &mates.a, Side::A, frame, &|index| old(a[index].time));
        self.lone(&b, &mates.b, Side::B, frame, &old_b);
        // RFC 4737: a packet is reordered when one sent after it came before it.
        arrivals.sort_unstable();
        for (_, sent) in arrivals {
            self.counts.reordered += u64::from(sent < self.latest_sent);
            self.latest_sent = self.latest_sent.max(sent);
        }
        let keep_a: Vec<bool> = a.iter().map(|record| !old(record.time)).collect();
        let keep_b: Vec<bool> = (0..b.len()).map(|index| !old_b(index)).collect();
        let kept = |records: Vec<Record>, keep: Vec<bool>| {
            records.into_iter().zip(keep).filter(|(_, keep)| *keep).map(|(record, _)| record).collect()
        };
        self.waiting = [kept(a, keep_a), kept(b, keep_b)];
        self.next_batch = BATCH.max(2 * self.held());
    }

    /// Takes a packet that has something at the other end, seen from `side`.
    fn take(
        &mut self,
        side: Side,
        record: &Record,
        mate: Mate,
        others: &[Record],
        frame: &Frame,
        arrivals: &mut Vec<(i64, i64)>,
    ) {
        let is_sender = side == self.sender;
        match mate {
            Mate::None => return,
            Mate::Copy => {
                self.counts.duplicated += u64::from(!is_sender);
                if frame.series && !is_sender {
                    self.step(side, record, Fate::Copy);
                }
                return;
            }
            Mate::Packet { .. } | Mate::Pieces { .. } => {}
        }
        self.counts.seen[side as usize] += 1;
        if is_sender {
            self.counts.sent += 1;
            self.counts.matched += 1;
        } else {
            self.counts.received += 1;
        }
        // Pairs are measured once, in the order of A; pieces know their measure in A.
        let (index, pieces) = match mate {
            Mate::Packet { index, by_order } => {
                self.counts.by_order += u64::from(by_order && is_sender);
                (Some(index), false)
            }
            Mate::Pieces { bytes, index } => {
                if is_sender {
                    self.counts.resegmented += 1;
                    self.counts.lost_bytes += u64::from(record.len.saturating_sub(bytes));
                    if self.sender == Side::B {
                        self.fate(record, Fate::Resegmented, None);
                        if frame.series {
                            self.step(side, record, Fate::Resegmented);
                        }
                    }
                }
                (index, true)
            }
            Mate::None | Mate::Copy => return,
        };
        if side == Side::B {
            return;
        }
        let Some(other) = index.and_then(|index| others.get(index)) else {
            if is_sender {
                self.fate(record, Fate::Resegmented, None);
                if frame.series {
                    self.step(side, record, Fate::Resegmented);
                }
            }
            return;
        };
        let gap = other.time - record.time - self.shift.clock;
        let (sent, came, delay) = match self.sender {
            Side::A => (record, other, gap),
            Side::B => (other, record, -gap),
        };
        self.points.push(record.time - frame.origin(), delay);
        let fate = if pieces { Fate::Resegmented } else { Fate::Arrived };
        if !pieces {
            arrivals.push((came.time, sent.time));
        }
        if let [Some(ends_a), Some(ends_b)] = self.ends {
            let (sent_ends, came_ends) =
                if self.sender == Side::A { (ends_a, ends_b) } else { (ends_b, ends_a) };
            let sight = Sight { sent, sent_ends, came, came_ends, sender: self.sender };
            if pieces {
                self.changes.resegmented(sight);
            } else {
                self.changes.compare(sight, self.shift);
            }
        }
        self.fate(sent, fate, Some(came.frame));
        if frame.series && (is_sender || !pieces) {
            let time = if self.sender == Side::A { sent.time } else { sent.time - self.shift.clock };
            let frames = [Some(record.frame), Some(other.frame)];
            self.steps.push(Step { time, frames, bytes: sent.len, fate, delay: Some(delay) });
        }
    }

    /// Judges the packets of one side that have nothing at the other.
    fn lone(
        &mut self,
        records: &[Record],
        mates: &[Mate],
        side: Side,
        frame: &Frame,
        old: &dyn Fn(usize) -> bool,
    ) {
        let least = self.points.lowest();
        let other = frame.spans[side.other() as usize];
        for (index, record) in records.iter().enumerate() {
            if mates[index] != Mate::None || !old(index) {
                continue;
            }
            let is_sender = side == self.sender;
            let to_other = if side == Side::A { self.shift.clock } else { -self.shift.clock };
            let there = record.time + to_other + if is_sender { least } else { -least };
            let covered = other.is_some_and(|(first, last)| (first..=last).contains(&there));
            let both = self.ends[0].is_some() && self.ends[1].is_some();
            let judged = covered && (both || !self.answered);
            let fate = match (judged, is_sender) {
                (false, _) => Fate::Unjudged,
                (true, true) => Fate::Lost,
                (true, false) => Fate::Appeared,
            };
            if is_sender {
                self.counts.sent += 1;
                self.fate(record, fate, None);
            } else {
                self.counts.received += 1;
            }
            match fate {
                Fate::Lost => {
                    self.counts.lost += 1;
                    self.counts.lost_bytes += u64::from(record.len);
                }
                Fate::Appeared => self.counts.appeared += 1,
                _ => self.counts.unjudged += 1,
            }
            if frame.series {
                self.step(side, record, fate);
            }
        }
    }

    fn fate(&mut self, sent: &Record, fate: Fate, came: Option<u64>) {
        if let Some(watched) = self.watched.get_mut(&(sent.time, sent.frame)) {
            *watched = Some((fate, came));
        }
    }

    fn step(&mut self, side: Side, record: &Record, fate: Fate) {
        let (time, frames) = match side {
            Side::A => (record.time, [Some(record.frame), None]),
            Side::B => (record.time - self.shift.clock, [None, Some(record.frame)]),
        };
        self.steps.push(Step { time, frames, bytes: record.len, fate, delay: None });
    }
}
