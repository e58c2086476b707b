//! The data level: mappings, payload, DATA_ACK and DATA_FIN (RFC 8684, section 3.3).

use super::{Connection, Subflow, half::Piece};
use crate::{
    rows::{Direction, EventKind, Sampled},
    segment::Segment,
    track::{
        mapping::{Mapping, Pending},
        seqspace::Arrival,
    },
};
use subflow_wire::mptcp::{self, Dsn, Dss, Mptcp};

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
                let sample = self.data[reverse.index()].ack(offset, segment.time);
                self.tell_sample(None, reverse, segment, Sampled::DataAck, sample);
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
        self.first_mapped |= data == 0 && self.idsn[direction.index()].is_some();
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
                self.place_waiting(subflow, direction);
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
        let first = self.idsn[index].map(|idsn| Dsn::Long(idsn.wrapping_add(1)));
        let Some(data) = first.map_or(Some(0), |first| self.offset(direction, first)) else {
            let detail = "the key does not fit the data before it";
            self.event(subflow, direction, segment, EventKind::Violation, detail);
            return;
        };
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
        let mapped = segment.dss.is_some_and(|dss| dss.mapping.is_some())
            || matches!(segment.handshake(), Some(Mptcp::Capable(option)) if option.data_len.is_some());
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
        half.unique += ranges.iter().map(|(from, to)| (to - from) as u64).sum::<u64>();
        // Without a mapping of its own a repeat proves nothing; new bytes may have one of an earlier segment (`place`).
        if let Arrival::Behind { repeated } = arrival
            && mapped
            && self.mapping_in_force(subflow, direction)
        {
            subflow.halves[direction.index()].mapped += repeated.cast_unsigned();
        }
        for &(from, to) in &ranges {
            self.fresh(subflow, direction, segment, from, to);
        }
        if self.detail.is_some() && matches!(arrival, Arrival::Behind { .. }) {
            self.repeated(subflow, direction, segment, (start, end), &ranges);
        }
        self.ranges = ranges;
    }

    /// Tells which data-level bytes a segment repeated: all of `all` but those that were `fresh`.
    fn repeated(
        &mut self,
        subflow: &Subflow,
        direction: Direction,
        segment: &Segment<'_>,
        all: (i64, i64),
        fresh: &[(i64, i64)],
    ) {
        let mappings = &subflow.halves[direction.index()].mappings;
        let mut data = Vec::new();
        let mut at = all.0;
        for &(from, to) in fresh.iter().chain([&(all.1, all.1)]) {
            mappings.translate(at, from, |start, end| data.push((start, end)));
            at = to;
        }
        let piece =
            Piece { start: all.0, end: all.1, time: segment.time, frame: segment.frame, excused: true };
        self.tell_repeated(subflow.id, direction, piece, &data);
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
        let piece =
            Piece { start, end, time: segment.time, frame: segment.frame, excused: segment.options_cut };
        self.place(subflow, direction, piece);
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
            let Pending { start, end, time, frame, .. } = pending;
            self.place(subflow, direction, Piece { start, end, time, frame, excused: true });
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
}
