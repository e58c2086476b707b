//! Who carries which data: payload to data-level bytes, and what was carried before.

use super::{Connection, Subflow, half::Piece};
use crate::{
    rows::{Direction, Fallback, Reinjection, ReinjectionCause},
    track::dataspace::{Carrier, Known, Part},
};
use subflow_rows::Time;

impl Connection {
    /// Subflow bytes seen for the first time go where the mappings say.
    pub(super) fn place(&mut self, subflow: &mut Subflow, direction: Direction, piece: Piece) {
        if self.fallback != Fallback::None && subflow.halves[direction.index()].mappings.is_empty() {
            self.map_as_stream(subflow, direction);
        }
        if !self.try_place(subflow, direction, piece) {
            subflow.halves[direction.index()].unmapped.push(piece);
            self.judge_unmapped(subflow, direction);
        }
    }

    /// A mapping has come, or after a fallback there is one for all: does it cover payload that came before it?
    pub(super) fn place_waiting(&mut self, subflow: &mut Subflow, direction: Direction) {
        for piece in std::mem::take(&mut subflow.halves[direction.index()].unmapped) {
            if !self.try_place(subflow, direction, piece) {
                subflow.halves[direction.index()].unmapped.push(piece);
            }
        }
    }

    /// Places payload if mappings cover all of it.
    fn try_place(&mut self, subflow: &mut Subflow, direction: Direction, piece: Piece) -> bool {
        let in_force = self.mapping_in_force(subflow, direction);
        let half = &mut subflow.halves[direction.index()];
        let mut ranges = std::mem::take(&mut self.mapped);
        ranges.clear();
        let unmapped = half.mappings.translate(piece.start, piece.end, |from, to| ranges.push((from, to)));
        if unmapped == 0 {
            if in_force {
                half.mapped += (piece.end - piece.start).cast_unsigned();
            }
            for &range in &ranges {
                self.carry(subflow, direction, piece, range);
            }
        }
        self.mapped = ranges;
        unmapped == 0
    }

    /// A subflow carries the data-level bytes of `range`, in the segment that `piece` was part of.
    fn carry(&mut self, subflow: &mut Subflow, direction: Direction, piece: Piece, range: (i64, i64)) {
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
        let mut parts = std::mem::take(&mut self.parts);
        parts.clear();
        let by = Carrier { subflow: carrier, time: piece.time, frame: piece.frame };
        self.data[index].carry(range.0, range.1, by, |part| parts.push(part));
        if self.data[index].unique > before || half.last_new.is_none() {
            half.last_new = Some(piece.time);
        }
        for &part in &parts {
            if let Known::Again(first) = part.known {
                self.carried_again(subflow, direction, piece, part, first);
            }
            if self.detail.is_some() {
                self.tell_carried(carrier, direction, piece, part);
            }
        }
        self.parts = parts;
    }

    /// Whether the subflow repeats its own bytes. Bytes of long ago are its own while no other carries data.
    pub(super) fn is_same_carrier(&self, subflow: u16, first: Option<Carrier>) -> bool {
        first.map_or(self.carriers < 2, |first| first.subflow == subflow)
    }

    fn carried_again(
        &mut self,
        subflow: &mut Subflow,
        direction: Direction,
        piece: Piece,
        part: Part,
        first: Option<Carrier>,
    ) {
        let index = direction.index();
        let bytes = (part.end - part.start) as u64;
        if self.is_same_carrier(subflow.id, first) {
            self.meta_repeated[index] += bytes;
            return;
        }
        self.reinjected[index] += bytes;
        subflow.halves[index].reinjected += bytes;
        let covered = self.data[index].acked() >= part.end;
        self.reinjections.push(Reinjection {
            connection_id: self.id,
            direction,
            time: Time(piece.time),
            frame: piece.frame,
            dsn: part.start,
            bytes,
            from_subflow: first.map(|first| u32::from(first.subflow)),
            to_subflow: u32::from(subflow.id),
            delay: first.map(|first| (piece.time - first.time) as f64 / 1e9),
            useful: covered.then_some(false),
            cause: first.and_then(|first| self.cause(direction, first, piece.time)),
        });
    }

    /// Why bytes that `first` carried are sent elsewhere now.
    fn cause(&self, direction: Direction, first: Carrier, now: i64) -> Option<ReinjectionCause> {
        let sent = first.time;
        let holder = self.holders.get(usize::from(first.subflow))?;
        if holder.closed {
            return Some(ReinjectionCause::HolderClosed);
        }
        if holder.last_repeat[direction.index()].is_some_and(|time| time >= sent) {
            return Some(ReinjectionCause::HolderTimeout);
        }
        let rtt = holder.rtt?;
        Some(if now - sent < rtt { ReinjectionCause::Redundant } else { ReinjectionCause::Opportunistic })
    }
}
