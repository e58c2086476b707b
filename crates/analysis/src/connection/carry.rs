//! Who carries which data: payload to data-level bytes, and what was carried before.

use super::{Connection, Subflow, half::Piece};
use crate::{
    rows::{Direction, Fallback},
    track::dataspace::{Carrier, Known},
};

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
            let mut at = piece.start;
            for &range in &ranges {
                self.carry(subflow, direction, piece, range, at);
                at += range.1 - range.0;
            }
        }
        self.mapped = ranges;
        unmapped == 0
    }

    /// A subflow carries the data-level bytes of `range` from its position `at` on, in the segment that `piece` was part of.
    fn carry(
        &mut self,
        subflow: &mut Subflow,
        direction: Direction,
        piece: Piece,
        range: (i64, i64),
        at: i64,
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
        let mut parts = std::mem::take(&mut self.parts);
        parts.clear();
        let by = Carrier { subflow: carrier, time: piece.time, frame: piece.frame, at, filled: piece.filled };
        self.data[index].carry(range.0, range.1, by, |part| parts.push(part));
        if self.data[index].unique > before || half.last_new.is_none() {
            half.last_new = Some(piece.time);
        }
        let seen = (piece.time, piece.frame);
        let mut end = None;
        for &part in &parts {
            match part.known {
                Known::Again(first) => {
                    let at = at + (part.start - range.0);
                    self.carried_again(subflow, direction, piece, (part, at), first);
                }
                Known::New { .. } => {
                    self.carried_new(subflow, direction, (part.start, part.end), seen);
                    end = Some(part.end);
                }
            }
            if self.detail.is_some() {
                self.tell_carried(carrier, direction, piece, part);
            }
        }
        self.parts = parts;
        if let Some(end) = end {
            self.placed_new(subflow, direction, end, range.1 - range.0, seen);
        }
    }

    /// Whether the subflow repeats its own bytes. Bytes of long ago are its own while no other carries data.
    pub(super) fn is_same_carrier(&self, subflow: u16, first: Option<Carrier>) -> bool {
        first.map_or(self.carriers < 2, |first| first.subflow == subflow)
    }
}
