//! Who carries which data: payload to data-level bytes, and what was carried before.

use super::{Connection, Subflow, half::Piece};
use crate::{
    rows::{Direction, Fallback, Reinjection, ReinjectionCause},
    track::dataspace::Again,
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
        let mut again = std::mem::take(&mut self.again);
        again.clear();
        self.data[index].carry(range.0, range.1, carrier, piece.time, |part| again.push(part));
        if self.data[index].unique > before || half.last_new.is_none() {
            half.last_new = Some(piece.time);
        }
        for &part in &again {
            self.carried_again(subflow, direction, piece, part);
        }
        self.again = again;
    }

    fn carried_again(&mut self, subflow: &mut Subflow, direction: Direction, piece: Piece, part: Again) {
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
            time: Time(piece.time),
            frame: piece.frame,
            dsn: part.start,
            bytes,
            from_subflow: part.first.map(|(first, _)| u32::from(first)),
            to_subflow: u32::from(subflow.id),
            delay: part.first.map(|(_, sent)| (piece.time - sent) as f64 / 1e9),
            useful: covered.then_some(false),
            cause: part.first.and_then(|(first, sent)| self.cause(direction, first, sent, piece.time)),
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
}
