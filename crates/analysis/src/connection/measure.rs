//! What is measured over time: flights, windows, the receiver's reorder queue, who waits for whom, intervals.

use super::{Connection, Subflow, half::Half};
use crate::{
    rows::{AnyRow, Direction, Fallback, Sampled, Series, Stall, StallKind},
    segment::Segment,
    track::{
        path::Choices,
        reorder::{Blocked, Reorder},
        sender::{Held, Pause, Sender},
        series::Bin,
    },
};
use subflow_rows::Time;

/// Connections with more subflows than this have no choices judged: each packet would look at all of them.
const MOST_JUDGED: usize = 64;
/// The segment size of a receiver that announced none, in bytes (RFC 9293, section 3.7.1).
const DEFAULT_SEGMENT: u16 = 536;

/// What is to be measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measuring {
    /// Width of the intervals of `series` in nanoseconds; `None` for no such rows.
    pub(crate) series: Option<i64>,
    /// The shortest stall that is a row, in nanoseconds.
    pub(crate) stall: i64,
}

/// What is measured of one direction at the data level.
#[derive(Debug, Default)]
pub(crate) struct Measure {
    pub(super) reorder: Reorder,
    pub(super) sender: Sender,
    pub(super) choices: Choices,
    pub(super) bin: Bin,
    /// The last DATA_ACK, the window with it as it stood in the header, and the subflow that carried them.
    last_ack: Option<(i64, u16, u16)>,
}

impl Connection {
    /// The stream of this direction begins at offset 0: its handshake was seen.
    pub(super) fn begin_measuring(&mut self, direction: Direction) {
        let measure = &mut self.measures[direction.index()];
        measure.reorder.begin(0);
        measure.sender.begin();
    }

    /// Nothing may move for so long, in nanoseconds, before it is a stall: no round trip takes as long.
    fn patience(&self) -> Option<i64> {
        self.longest_rtt.map(|rtt| self.measuring.stall.max(2 * rtt))
    }

    /// A packet of this direction.
    #[inline]
    pub(super) fn count(&mut self, subflow: &mut Subflow, direction: Direction, segment: &Segment<'_>) {
        let half = &mut subflow.halves[direction.index()];
        self.turn(half, subflow.id, direction, segment.time);
        for bin in [&mut half.bin, &mut self.measures[direction.index()].bin] {
            bin.packets += 1;
            bin.wire_bytes += u64::from(segment.wire_len);
            bin.bytes += u64::from(segment.len);
        }
    }

    /// Takes the intervals of a direction to this time.
    #[inline]
    fn turn(&mut self, half: &mut Half, subflow: u16, direction: Direction, time: i64) {
        if half.bin.holds(time) && self.measures[direction.index()].bin.holds(time) {
            return;
        }
        self.turn_over(half, subflow, direction, time);
    }

    #[cold]
    fn turn_over(&mut self, half: &mut Half, subflow: u16, direction: Direction, time: i64) {
        let Some(width) = self.measuring.series else { return };
        if let Some(bin) = half.bin.turn(time, self.start, width) {
            self.tell_interval(direction, Some(subflow), &bin, width);
        }
        if let Some(bin) = self.measures[direction.index()].bin.turn(time, self.start, width) {
            self.tell_interval(direction, None, &bin, width);
        }
    }

    /// The ACK of a segment: what it says of the data the other way.
    pub(super) fn acknowledge(&mut self, subflow: &mut Subflow, direction: Direction, segment: &Segment<'_>) {
        let reverse = direction.reverse();
        let half = &mut subflow.halves[reverse.index()];
        let before = half.acked;
        let sample = half.acknowledged(segment.ack, segment.time);
        self.tell_sample(Some(subflow.id), reverse, segment, Sampled::Ack, sample);
        let (Some(space), Some(acked)) = (&half.space, half.acked) else { return };
        let (moved, flight) = (before.is_none_or(|before| acked > before), space.next() - acked);
        if !moved && segment.len > 0 && !segment.selective && self.fallback == Fallback::None {
            return;
        }
        // Of ACKs without a SACK only a plain one is a duplicate: one with a DSS may be for the data level.
        let duplicate = segment.selective
            || !moved
                && segment.len == 0
                && flight > 0
                && !segment.has_mptcp()
                && space.position(segment.ack) == acked;
        if let Some(holder) = self.holders.get_mut(usize::from(subflow.id)) {
            let path = &mut holder.paths[reverse.index()];
            if moved || duplicate {
                path.recovery.acked(moved, duplicate, (segment.time, segment.frame));
                path.acked = Some(acked);
                path.in_flight(flight);
            }
            if let Some(sample) = sample {
                path.sample(sample);
            }
        }
        if moved {
            half.flight.set(flight, segment.time);
            self.turn(half, subflow.id, reverse, segment.time);
            half.bin.in_flight(half.flight.bytes());
            if let Some(sample) = sample {
                half.bin.rtt.add(sample);
            }
        }
        if self.fallback != Fallback::None
            && let Some(offset) = subflow.halves[reverse.index()].streamed()
        {
            // Without mappings the ACK of TCP is that of the data.
            self.data_acked(subflow, reverse, offset, None, None, segment);
        }
    }

    /// Payload of a segment was taken; `repeats` is the position of its first byte and how many bytes had been seen before,
    /// when it does not go on from the highest byte seen.
    pub(super) fn sent(
        &mut self,
        subflow: &mut Subflow,
        direction: Direction,
        repeats: Option<(i64, u64)>,
        segment: &Segment<'_>,
    ) {
        let half = &mut subflow.halves[direction.index()];
        let Some(space) = &half.space else { return };
        let next = space.next();
        if let Some(holder) = self.holders.get_mut(usize::from(subflow.id)) {
            let path = &mut holder.paths[direction.index()];
            path.recovery.sent(repeats.map(|(start, _)| start), next, (segment.time, segment.frame));
            if repeats.is_some_and(|(_, bytes)| bytes > 0) {
                path.repeated();
            }
            if let Some(acked) = half.acked {
                path.in_flight(next - acked);
            }
        }
        let repeated = repeats.map_or(0, |(_, bytes)| bytes);
        half.bin.retransmitted += repeated;
        self.measures[direction.index()].bin.retransmitted += repeated;
        if let Some(acked) = half.acked {
            half.flight.set(next - acked, segment.time);
            half.bin.in_flight(half.flight.bytes());
        }
    }

    /// A subflow carries the bytes `start..end` of the data level for the first time.
    pub(super) fn carried_new(
        &mut self,
        subflow: &mut Subflow,
        direction: Direction,
        (start, end): (i64, i64),
        at: (i64, u64),
    ) {
        let index = direction.index();
        let half = &mut subflow.halves[index];
        let bytes = (end - start) as u64;
        half.data_bytes += bytes;
        half.bin.data_bytes += bytes;
        self.measures[index].bin.data_bytes += bytes;
        let Some(blocked) = self.measures[index].reorder.arrive(start, end, at.0, at.1) else { return };
        half.blocked += blocked.time;
        half.blocked_byte_ns += blocked.byte_ns;
        self.tell_blocked(direction, subflow.id, blocked, at.1);
    }

    /// The new bytes of a segment have been placed, up to the offset `end`.
    pub(super) fn placed_new(
        &mut self,
        subflow: &Subflow,
        direction: Direction,
        end: i64,
        bytes: i64,
        at: (i64, u64),
    ) {
        let receiver = &subflow.halves[direction.reverse().index()];
        let segment = bytes.min(i64::from(receiver.max_segment.unwrap_or(DEFAULT_SEGMENT)));
        let patience = self.patience();
        let oldest = self.data[direction.index()].oldest();
        let told = Telling { id: self.id, direction, oldest, shortest: self.measuring.stall };
        let measure = &mut self.measures[direction.index()];
        let rows = &mut self.rows;
        measure.sender.sent(end, segment, at, patience, |pause| told.pause(rows, pause, Some(at.1)));
        measure.bin.in_flight(measure.sender.flight.bytes());
        self.judge_choice(subflow, direction, bytes);
    }

    /// Everything of this direction below `offset` was acknowledged at the data level; `oldest` had carried the lowest byte
    /// that was not.
    pub(super) fn data_acked(
        &mut self,
        subflow: &mut Subflow,
        direction: Direction,
        offset: i64,
        oldest: Option<u16>,
        sample: Option<i64>,
        segment: &Segment<'_>,
    ) {
        let index = direction.index();
        let at = (segment.time, segment.frame);
        // Every packet repeats the last DATA_ACK: most say nothing new.
        let news = (offset, segment.window, subflow.id);
        let measure = &self.measures[index];
        let seen = self.data[index].next().is_none_or(|next| offset <= next);
        if measure.last_ack == Some(news) && seen && measure.bin.holds(segment.time) {
            return;
        }
        self.measures[index].last_ack = Some(news);
        let window = subflow.window(direction.reverse(), segment);
        let patience = self.patience();
        let told = Telling { id: self.id, direction, oldest, shortest: self.measuring.stall };
        let rows = &mut self.rows;
        let measure = &mut self.measures[index];
        measure.sender.acked(offset, window, at, patience, |pause| told.pause(rows, pause, Some(at.1)));
        if let Some(next) = self.data[index].next() {
            measure.reorder.acked(offset.min(next), at.0, at.1);
        }
        let half = &mut subflow.halves[index];
        self.turn(half, subflow.id, direction, segment.time);
        let measure = &mut self.measures[index];
        measure.bin.in_flight(measure.sender.flight.bytes());
        if let Some(window) = window {
            measure.bin.advertised(window);
        }
        if let Some(sample) = sample {
            measure.bin.rtt.add(sample);
        }
    }

    /// Whether the scheduler took the subflow with the lowest round-trip time, where that can be judged: at the sender, and
    /// between subflows of one priority.
    fn judge_choice(&mut self, subflow: &Subflow, direction: Direction, bytes: i64) {
        if self.near != Some(direction) || self.holders.len() < 2 || self.holders.len() > MOST_JUDGED {
            return;
        }
        let taken = usize::from(subflow.id);
        let Some(holder) = self.holders.get(taken) else { return };
        let backup = holder.is_backup();
        let usable = |other: &super::Holder| other.confirmed && !other.closed;
        // A backup is taken while a regular one is usable, or the other way round: that is no question of round trips.
        let mut others = self.holders.iter().enumerate().filter(|&(id, other)| id != taken && usable(other));
        if backup && others.any(|(_, other)| !other.is_backup()) {
            return;
        }
        let rivals = self.holders.iter().enumerate();
        let rivals =
            rivals.filter(|&(id, other)| id != taken && usable(other) && other.is_backup() == backup);
        let index = direction.index();
        self.measures[index].choices.judge(
            &holder.paths[index],
            rivals.map(|(_, other)| &other.paths[index]),
            bytes,
        );
    }

    /// The connection has ended: what was going on ends with it.
    pub(super) fn end_measuring(&mut self, subflows: &mut [Subflow]) {
        let last = self.last;
        let patience = self.patience();
        for direction in [Direction::C2s, Direction::S2c] {
            let index = direction.index();
            let oldest = self.data[index].oldest();
            let told = Telling { id: self.id, direction, oldest, shortest: self.measuring.stall };
            let (rows, measure) = (&mut self.rows, &mut self.measures[index]);
            measure.reorder.count(last);
            measure.sender.end(last, patience, |pause| told.pause(rows, pause, None));
            for subflow in subflows.iter_mut() {
                let half = &mut subflow.halves[index];
                half.flight.set(half.flight.bytes(), subflow.last);
                if let (Some(bin), Some(width)) = (half.bin.take(), self.measuring.series) {
                    self.tell_interval(direction, Some(subflow.id), &bin, width);
                }
            }
            if let (Some(bin), Some(width)) = (self.measures[index].bin.take(), self.measuring.series) {
                self.tell_interval(direction, None, &bin, width);
            }
        }
    }

    fn tell_blocked(&mut self, direction: Direction, subflow: u16, blocked: Blocked, frame: u64) {
        if blocked.time < self.measuring.stall {
            return;
        }
        self.rows.push(AnyRow::Stall(Stall {
            connection_id: self.id,
            direction,
            kind: StallKind::HeadOfLine,
            start: Time(blocked.since.0),
            duration: blocked.time as f64 / 1e9,
            subflow_id: Some(u32::from(subflow)),
            bytes_waiting: blocked.bytes,
            start_frame: blocked.since.1,
            end_frame: Some(frame),
        }));
    }

    fn tell_interval(&mut self, direction: Direction, subflow: Option<u16>, bin: &Bin, width: i64) {
        self.rows.push(AnyRow::Series(Box::new(Series {
            connection_id: self.id,
            direction,
            subflow_id: subflow.map(u32::from),
            start: Time(self.start.saturating_add(bin.index.saturating_mul(width))),
            duration: width as f64 / 1e9,
            packets: bin.packets,
            wire_bytes: bin.wire_bytes,
            bytes: bin.bytes,
            data_bytes: bin.data_bytes,
            retransmitted_bytes: bin.retransmitted,
            reinjected_bytes: bin.reinjected,
            rtt_min: bin.rtt.min(),
            rtt_mean: bin.rtt.mean(),
            rtt_max: bin.rtt.max(),
            rtt_samples: bin.rtt.count(),
            flight_max: bin.flight.map(|bytes| bytes as u64),
            window_min: bin.window,
        })));
    }
}

/// What turns a pause of a sender into a row.
#[derive(Clone, Copy)]
struct Telling {
    id: u64,
    direction: Direction,
    oldest: Option<u16>,
    shortest: i64,
}

impl Telling {
    fn pause(self, rows: &mut Vec<AnyRow>, pause: Pause, end: Option<u64>) {
        if pause.time < self.shortest {
            return;
        }
        let (kind, blamed) = match pause.held {
            Held::Window => (StallKind::ReceiveWindow, self.oldest),
            Held::Application => (StallKind::Application, None),
            Held::NoProgress => (StallKind::NoProgress, self.oldest),
        };
        rows.push(AnyRow::Stall(Stall {
            connection_id: self.id,
            direction: self.direction,
            kind,
            start: Time(pause.since.0),
            duration: pause.time as f64 / 1e9,
            subflow_id: blamed.map(u32::from),
            bytes_waiting: pause.bytes,
            start_frame: pause.since.1,
            end_frame: end,
        }));
    }
}
