//! Copies on another subflow: why they were sent, and whether they helped.

use super::{Connection, Subflow, half::Piece};
use crate::{
    rows::{AnyRow, Direction, Reinjection, ReinjectionCause},
    segment::Segment,
    track::{
        dataspace::{Carrier, Part},
        recovery::SHORTEST_TIMEOUT,
    },
};
use std::collections::VecDeque;
use subflow_rows::Time;

/// Copies of a connection whose use is still open; of older ones it stays unknown.
const MOST_OPEN: usize = 256;
/// So long after a copy nothing is expected to be proven any more, in nanoseconds.
const LONGEST_OPEN: i64 = 10_000_000_000;
/// Rows of reinjections kept with a connection before they are written: what is still open about them may be settled.
const MOST_REINJECTIONS: usize = 4096;
/// Rows of stalls and intervals kept with a connection before they are written.
const MOST_ROWS: usize = 64;

/// A copy whose use is not known yet.
#[derive(Clone, Copy, Debug)]
struct Open {
    direction: Direction,
    /// When it was seen.
    time: i64,
    /// Number of its row among the rows of the connection.
    row: u64,
    /// Data-level offset after it.
    end: i64,
    /// The first carriage: its subflow, and its positions there.
    from: (u16, i64, i64),
    /// The copy.
    to: (u16, i64, i64),
    /// An ACK covers the first carriage, or the copy.
    acked: [bool; 2],
}

/// The copies whose use is still open.
#[derive(Debug, Default)]
pub(crate) struct Copies {
    open: VecDeque<Open>,
    /// Rows of the connection written so far.
    written: u64,
}

impl Connection {
    /// Data-level bytes that `first` had carried, or someone long ago, are carried again; the first of them stands at position
    /// `at` of this subflow.
    pub(super) fn carried_again(
        &mut self,
        subflow: &mut Subflow,
        direction: Direction,
        piece: Piece,
        (part, at): (Part, i64),
        first: Option<Carrier>,
    ) {
        let index = direction.index();
        let bytes = (part.end - part.start) as u64;
        if self.is_same_carrier(subflow.id, first) {
            self.meta_repeated[index] += bytes;
            return;
        }
        self.reinjected[index] += bytes;
        let half = &mut subflow.halves[index];
        half.reinjected += bytes;
        half.bin.reinjected += bytes;
        self.measures[index].bin.reinjected += bytes;
        let len = part.end - part.start;
        let cause = first.and_then(|first| self.cause(direction, first, len, piece));
        let arrived = first.is_some_and(|first| {
            let holder = self.holders.get(usize::from(first.subflow));
            holder.and_then(|holder| holder.paths[index].acked).is_some_and(|acked| acked >= first.at + len)
        });
        let late = self.data[index].acked() >= part.end || arrived;
        if let Some(first) = first.filter(|_| !late) {
            if self.copies.open.len() == MOST_OPEN {
                self.copies.open.pop_front();
            }
            self.copies.open.push_back(Open {
                direction,
                time: piece.time,
                row: self.copies.written + self.reinjections.len() as u64,
                end: part.end,
                from: (first.subflow, first.at, first.at + len),
                to: (subflow.id, at, at + len),
                acked: [false; 2],
            });
        }
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
            from_frame: first.map(|first| first.frame),
            useful: late.then_some(false),
            cause: cause.map(|cause| cause.0),
            cause_frame: cause.and_then(|cause| cause.1),
        });
    }

    /// Why `len` bytes that `first` carried are sent elsewhere now, and the frame that shows it.
    fn cause(
        &self,
        direction: Direction,
        first: Carrier,
        len: i64,
        piece: Piece,
    ) -> Option<(ReinjectionCause, Option<u64>)> {
        let holder = self.holders.get(usize::from(first.subflow))?;
        let path = &holder.paths[direction.index()];
        let (sent, now) = (first.time, piece.time);
        if holder.closed {
            return Some((ReinjectionCause::HolderClosed, holder.closed_frame));
        }
        if let Some((_, frame)) = path.recovery.timeout_since(sent) {
            return Some((ReinjectionCause::HolderTimeout, Some(frame)));
        }
        let outstanding = path.acked.is_none_or(|acked| acked < first.at + len);
        if outstanding && path.recovery.silent(now) {
            return Some((ReinjectionCause::HolderTimeout, None));
        }
        let waits = self.measures[direction.index()].sender.waits();
        if waits.is_some_and(|since| now - since >= SHORTEST_TIMEOUT) {
            return Some((ReinjectionCause::DataTimeout, None));
        }
        // The rest is a question of when they were sent, which shows at the sender only; and not when one of them is itself
        // the repeat of something that was lost before the capture point.
        if self.near != Some(direction) || first.filled || piece.filled {
            return None;
        }
        let rtt = path.shortest().max(holder.rtt)?;
        if now - sent < rtt {
            return Some((ReinjectionCause::Redundant, None));
        }
        let loss = path.recovery.loss_since(sent).filter(|_| outstanding);
        Some(match loss {
            Some((_, frame)) => (ReinjectionCause::HolderLoss, Some(frame)),
            None => (ReinjectionCause::Opportunistic, None),
        })
    }

    /// A segment acknowledges everything of this direction below `offset` at the data level, and less or more on its subflow:
    /// what does that prove of copies? Whoever lacks a byte of one carriage and has the data got it by the other.
    #[inline]
    pub(super) fn judge_copies(
        &mut self,
        subflow: &Subflow,
        direction: Direction,
        offset: i64,
        segment: &Segment<'_>,
    ) {
        if !self.copies.open.is_empty() && segment.flags.ack() {
            self.judge_open(subflow, direction, offset, segment);
        }
    }

    fn judge_open(&mut self, subflow: &Subflow, direction: Direction, offset: i64, segment: &Segment<'_>) {
        while self.copies.open.front().is_some_and(|copy| segment.time - copy.time > LONGEST_OPEN) {
            self.copies.open.pop_front();
        }
        let index = direction.index();
        let Some(space) = &subflow.halves[index].space else { return };
        let ack = space.position(segment.ack);
        let Self { copies, holders, reinjections, .. } = self;
        let written = copies.written;
        copies.open.retain_mut(|copy| {
            if copy.direction != direction || copy.end > offset {
                return true;
            }
            let lacks = |(_, start, end): (u16, i64, i64)| (start..end).contains(&ack);
            let mut proof = None;
            if copy.from.0 == subflow.id {
                let holder = holders.get(usize::from(copy.to.0));
                let come = holder.and_then(|holder| holder.paths[index].acked);
                if lacks(copy.from) && come.is_some_and(|acked| acked >= copy.to.2) {
                    proof = Some(true);
                }
                copy.acked[0] |= ack >= copy.from.2;
            } else if copy.to.0 == subflow.id {
                if lacks(copy.to) {
                    proof = Some(false);
                }
                copy.acked[1] |= ack >= copy.to.2;
            }
            if let Some(helped) = proof
                && let Some(row) = copy.row.checked_sub(written)
                && let Some(row) = usize::try_from(row).ok().and_then(|row| reinjections.get_mut(row))
            {
                row.useful = Some(helped);
            }
            proof.is_none() && copy.acked != [true; 2]
        });
    }

    /// Whether rows are to be taken before the connection ends.
    pub(crate) const fn has_many_rows(&self) -> bool {
        self.rows.len() >= MOST_ROWS || self.reinjections.len() >= MOST_REINJECTIONS
    }

    /// Takes the rows that are final, and those of reinjections when there are too many.
    pub(crate) fn take_rows(&mut self) -> impl Iterator<Item = AnyRow> + '_ {
        let due = if self.reinjections.len() >= MOST_REINJECTIONS { self.reinjections.len() } else { 0 };
        self.copies.written += due as u64;
        self.reinjections.drain(..due).map(AnyRow::Reinjection).chain(self.rows.drain(..))
    }
}
