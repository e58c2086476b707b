//! The data level: mappings, payload, DATA_ACK and DATA_FIN (RFC 8684, section 3.3).

use super::{Connection, FARTHEST, Subflow, half::Unmapped};
use crate::{
    rows::{Direction, EventKind, Fallback, Reinjection, ReinjectionCause},
    segment::Segment,
    track::{
        dataspace::Again,
        mapping::{Mapping, Pending},
        seqspace::Arrival,
    },
};
use subflow_rows::Time;
use subflow_wire::mptcp::{self, Dsn, Dss};

impl Connection {
    /// A DSS option: what the segment acknowledges and maps.
    #[inline]
    pub(super) fn dss(
        &mut self,
        subflow: &mut Subflow,
        direction: Direction,
        segment: &Segment<'_>,
        dss: &Dss,
    ) {
        subflow.halves[direction.index()].dss_seen = true;
        if let Some(ack) = dss.data_ack {
            let reverse = direction.reverse();
            // Keys still to come will say where numbers begin; without a handshake the first one seen does.
            if (self.base[reverse.index()].is_some() || !self.capable[0])
                && let Some(offset) = self.offset(reverse, ack)
            {
                self.data[reverse.index()].ack(offset, segment.time);
            }
        }
        if let Some(mapping) = dss.mapping {
            self.mapping(subflow, direction, segment, dss, mapping);
        } else if dss.data_fin {
            self.event(subflow, direction, segment, EventKind::Violation, "DATA_FIN without a mapping");
        }
    }

    fn mapping(
        &mut self,
        subflow: &mut Subflow,
        direction: Direction,
        segment: &Segment<'_>,
        dss: &Dss,
        mapping: mptcp::Mapping,
    ) {
        let Some(data) = self.offset(direction, mapping.dsn) else {
            self.event(
                subflow,
                direction,
                segment,
                EventKind::Violation,
                "data sequence number far outside the window",
            );
            return;
        };
        if dss.is_infinite() {
            self.infinite_mapping(subflow, direction, segment, mapping, data);
            return;
        }
        let len = i64::from(mapping.len);
        if dss.data_fin {
            let fin = data + len - 1;
            if self.data_fin[direction.index()] != Some(fin) {
                if self.data_fin[direction.index()].is_none() {
                    let detail = format!("end of data at offset {fin}");
                    self.event(subflow, direction, segment, EventKind::DataFin, detail);
                }
                self.data_fin[direction.index()] = Some(fin);
            }
            if segment.len == 0 {
                return;
            }
        }
        let half = &mut subflow.halves[direction.index()];
        half.space(segment.seq);
        if half.alignment.is_none() {
            // The last number of a DATA_FIN's mapping stands for no byte.
            let len = len - i64::from(dss.data_fin);
            let start = half.position_of(mapping.subflow_seq);
            half.mappings.learn(Mapping { start, data, len });
            if !half.unmapped.is_empty() {
                self.map_late(subflow, direction);
            }
        }
    }

    /// The mapping that MP_CAPABLE with data implies: the connection's first bytes (RFC 8684, section 3.1).
    pub(super) fn first_mapping(
        &mut self,
        subflow: &mut Subflow,
        direction: Direction,
        segment: &Segment<'_>,
        len: u16,
    ) {
        let half = &mut subflow.halves[direction.index()];
        half.accept_fast_open(segment.seq);
        let start = half.space(segment.seq).position(segment.seq);
        if half.alignment.take().is_some() {
            half.shift = start;
        }
        // Repeated on every segment of that data, so it does not begin at this one.
        let (index, start) = (direction.index(), half.shift);
        // The first data byte is offset 0, unless later bytes came first, when the key was not known yet.
        let data = match (self.idsn[index], self.base[index]) {
            (Some(idsn), Some(base)) if base.full => {
                idsn.wrapping_add(1).wrapping_sub(base.dsn).cast_signed()
            }
            _ => 0,
        };
        if data.unsigned_abs() > FARTHEST {
            self.event(
                subflow,
                direction,
                segment,
                EventKind::Violation,
                "the key does not fit the data before it",
            );
            return;
        }
        subflow.halves[index].mappings.learn(Mapping { start, data, len: i64::from(len) });
    }

    /// Payload of an ordinary segment.
    pub(super) fn payload(&mut self, subflow: &mut Subflow, direction: Direction, segment: &Segment<'_>) {
        let half = &mut subflow.halves[direction.index()];
        half.accept_fast_open(segment.seq);
        let len = i64::from(segment.len);
        let space = half.space(segment.seq);
        let start = space.position(segment.seq);
        let end = start + len;
        let mapped = segment.dss.is_some_and(|dss| dss.mapping.is_some());
        if len == 1 && !mapped && end == space.next() && half.acked.is_some_and(|acked| acked >= end) {
            return; // A keepalive: one old byte that had been acknowledged, and no data, so without a mapping.
        }
        let Some(space) = &mut half.space else { return };
        let mut ranges = std::mem::take(&mut self.ranges);
        ranges.clear();
        let arrival = space.add(start, end, |from, to| ranges.push((from, to)));
        if arrival == Arrival::Outside {
            self.ranges = ranges;
            self.event(
                subflow,
                direction,
                segment,
                EventKind::Violation,
                "sequence number far outside the window",
            );
            return;
        }
        half.bytes += u64::from(segment.len);
        match arrival {
            Arrival::Behind { repeated } => {
                half.karn.repeated(start);
                if repeated > 0 {
                    half.repeated += repeated as u64;
                    half.repeated_packets += 1;
                    if let Some(holder) = self.holders.get_mut(usize::from(subflow.id)) {
                        holder.last_repeat[direction.index()] = Some(segment.time);
                    }
                }
            }
            _ => half.karn.sent(end, segment.time),
        }
        if self.fallback == Fallback::None {
            half.mapped += u64::from(segment.len);
        }
        half.unique += ranges.iter().map(|(from, to)| (to - from) as u64).sum::<u64>();
        for &(from, to) in &ranges {
            self.fresh(subflow, direction, segment, from, to);
        }
        self.ranges = ranges;
    }

    /// Subflow bytes seen for the first time.
    fn fresh(
        &mut self,
        subflow: &mut Subflow,
        direction: Direction,
        segment: &Segment<'_>,
        start: i64,
        end: i64,
    ) {
        let half = &mut subflow.halves[direction.index()];
        if let Some(alignment) = &mut half.alignment {
            let mapping = segment.dss.and_then(|dss| Some((dss, dss.mapping?)));
            let mapping = mapping.and_then(|(dss, mapping)| {
                let data = self.offset(direction, mapping.dsn)?;
                let len = i64::from(mapping.len) - i64::from(dss.data_fin);
                Some((i64::from(mapping.subflow_seq), data, len))
            });
            let pending = Pending { start, end, time: segment.time, frame: segment.frame, mapping };
            if let Some(shift) = alignment.narrow(pending) {
                self.align(subflow, direction, shift);
            }
            return;
        }
        self.translate(subflow, direction, segment.time, segment.frame, start, end, segment.options_cut);
    }

    /// It has become known where the subflow began: what was held back can be placed.
    fn align(&mut self, subflow: &mut Subflow, direction: Direction, shift: i64) {
        let half = &mut subflow.halves[direction.index()];
        let Some(alignment) = half.alignment.take() else { return };
        half.shift = shift;
        for pending in alignment.pending {
            if let Some((relative, data, len)) = pending.mapping {
                let start = shift + relative - 1;
                subflow.halves[direction.index()].mappings.learn(Mapping { start, data, len });
            }
            self.translate(subflow, direction, pending.time, pending.frame, pending.start, pending.end, true);
        }
    }

    /// The capture ends: place what is still held back as well as can be.
    pub(super) fn align_rest(&mut self, subflow: &mut Subflow) {
        for direction in [Direction::C2s, Direction::S2c] {
            let best =
                subflow.halves[direction.index()].alignment.as_ref().and_then(|alignment| alignment.best());
            if let Some(shift) = best {
                self.align(subflow, direction, shift);
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one segment's facts, some of them held back")]
    fn translate(
        &mut self,
        subflow: &mut Subflow,
        direction: Direction,
        time: i64,
        frame: u64,
        start: i64,
        end: i64,
        options_cut: bool,
    ) {
        let half = &mut subflow.halves[direction.index()];
        if half.mappings.is_empty() && self.fallback != Fallback::None {
            self.map_as_stream(subflow, direction);
        }
        let half = &mut subflow.halves[direction.index()];
        // Nearly always one range; a segment across more than a few mappings is cut short.
        let mut mapped = [(0, 0); 8];
        let mut count = 0;
        let unmapped = half.mappings.translate(start, end, |from, to| {
            if let Some(slot) = mapped.get_mut(count) {
                *slot = (from, to);
                count += 1;
            }
        });
        if self.fallback == Fallback::None {
            half.mapped = half.mapped.saturating_sub(unmapped.cast_unsigned());
        }
        if unmapped > 0 {
            half.unmapped.push(Unmapped { start, end, time, frame, excused: options_cut });
            self.judge_unmapped(subflow, direction);
        } else {
            for &(from, to) in &mapped[..count] {
                self.carry(subflow, direction, time, frame, from, to);
            }
        }
    }

    /// A mapping has come: does it cover payload that came before it?
    fn map_late(&mut self, subflow: &mut Subflow, direction: Direction) {
        let waiting = std::mem::take(&mut subflow.halves[direction.index()].unmapped);
        for segment in waiting {
            let mut ranges = Vec::new();
            let half = &mut subflow.halves[direction.index()];
            if half.mappings.translate(segment.start, segment.end, |from, to| ranges.push((from, to))) > 0 {
                half.unmapped.push(segment);
                continue;
            }
            if self.fallback == Fallback::None {
                half.mapped += ranges.iter().map(|(from, to)| (to - from).cast_unsigned()).sum::<u64>();
            }
            for (from, to) in ranges {
                self.carry(subflow, direction, segment.time, segment.frame, from, to);
            }
        }
    }

    /// Everything that waits for a mapping is mapped now (after a fallback).
    pub(super) fn map_waiting(&mut self, subflow: &mut Subflow, direction: Direction) {
        if !subflow.halves[direction.index()].unmapped.is_empty() {
            self.map_late(subflow, direction);
        }
    }

    /// A subflow carries the data-level bytes `start..end`.
    fn carry(
        &mut self,
        subflow: &mut Subflow,
        direction: Direction,
        time: i64,
        frame: u64,
        start: i64,
        end: i64,
    ) {
        let index = direction.index();
        let carrier = subflow.id;
        if self.last_carrier[index] != Some(carrier) {
            self.last_carrier[index] = Some(carrier);
            self.blocks[index] += 1;
        }
        let half = &mut subflow.halves[index];
        if half.last_new.is_none() {
            self.carriers += 1;
        }
        let before = self.data[index].unique;
        let mut again = [Again { start: 0, end: 0, first: None }; 8];
        let mut count = 0;
        let mut rest = 0;
        self.data[index].carry(start, end, carrier, time, |part| match again.get_mut(count) {
            Some(slot) => {
                *slot = part;
                count += 1;
            }
            // More than a handful of holders under one segment: count the bytes to the last of them.
            None => rest += part.end - part.start,
        });
        if self.data[index].unique > before || half.last_new.is_none() {
            half.last_new = Some(time);
        }
        if count > 0 {
            again[count - 1].end += rest;
            for part in &again[..count] {
                self.carried_again(subflow, direction, time, frame, *part);
            }
        }
    }

    fn carried_again(
        &mut self,
        subflow: &mut Subflow,
        direction: Direction,
        time: i64,
        frame: u64,
        part: Again,
    ) {
        let index = direction.index();
        let bytes = (part.end - part.start) as u64;
        let same = part.first.map_or(self.carriers < 2, |(first, _)| first == subflow.id);
        if same {
            self.meta_repeated[index] += bytes;
            return;
        }
        self.reinjected[index] += bytes;
        subflow.halves[index].reinjected += bytes;
        let covered = self.data[index].acked() >= part.end;
        self.reinjections.push(Reinjection {
            connection_id: self.id,
            direction,
            time: Time(time),
            frame,
            dsn: part.start,
            bytes,
            from_subflow: part.first.map(|(first, _)| u32::from(first)),
            to_subflow: u32::from(subflow.id),
            delay: part.first.map(|(_, sent)| (time - sent) as f64 / 1e9),
            useful: covered.then_some(false),
            cause: part.first.and_then(|(first, sent)| self.cause(direction, first, sent, time)),
        });
    }

    /// Why bytes that `first` carried at `sent` are sent elsewhere now.
    fn cause(&self, direction: Direction, first: u16, sent: i64, now: i64) -> Option<ReinjectionCause> {
        let holder = self.holders.get(usize::from(first))?;
        if holder.closed {
            return Some(ReinjectionCause::HolderClosed);
        }
        if holder.last_repeat[direction.index()].is_some_and(|time| time >= sent) {
            return Some(ReinjectionCause::HolderTimeout);
        }
        let rtt = holder.rtt?;
        Some(if now - sent < rtt { ReinjectionCause::Redundant } else { ReinjectionCause::Opportunistic })
    }

    /// How near the segment's data sequence numbers lie to this connection's, were the flow one of its subflows with
    /// the segment going in `direction`.
    pub(crate) fn affinity(&self, direction: Direction, dss: &Dss) -> Option<u64> {
        const NEAR: u64 = 1 << 27;
        let long = |dsn: Dsn| matches!(dsn, Dsn::Long(_));
        let ack = dss.data_ack.map(|ack| (direction.reverse(), ack));
        let data = dss.mapping.map(|mapping| (direction, mapping.dsn));
        let mut nearest = None;
        for (side, dsn) in [ack, data].into_iter().flatten() {
            let Some(distance) = self.distance(side, dsn) else { continue };
            let limit = if long(dsn) && self.knows_long(side) { NEAR } else { NEAR >> 4 };
            if distance > limit {
                return None;
            }
            nearest = Some(nearest.map_or(distance, |before: u64| before.min(distance)));
        }
        nearest
    }
}
