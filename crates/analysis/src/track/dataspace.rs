//! The data level of one direction: who carried which bytes first, what was carried again, what was acknowledged.

use super::rtt::Stats;
use std::collections::VecDeque;

/// Acknowledged carriages kept, so that a late copy still finds who carried its bytes first.
const MOST_ACKED: usize = 16_384;
/// Carriages kept in all, for captures without the acknowledging direction.
const MOST_CARRIED: usize = 65_536;

/// A range of data-level bytes and the subflow that carried it first.
#[derive(Clone, Copy, Debug)]
struct Carried {
    start: i64,
    time: i64,
    frame: u64,
    len: u32,
    subflow: u16,
    repeated: bool,
}

impl Carried {
    const fn end(&self) -> i64 {
        self.start + self.len as i64
    }

    const fn by(&self) -> Carrier {
        Carrier { subflow: self.subflow, time: self.time, frame: self.frame }
    }
}

/// Who carried a range of bytes first, when, and in which frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Carrier {
    /// The subflow.
    pub(crate) subflow: u16,
    /// When, in nanoseconds.
    pub(crate) time: i64,
    /// The frame.
    pub(crate) frame: u64,
}

/// What is known of the bytes of a part of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// They are new.
    New {
        /// Bytes with higher offsets came before.
        late: bool,
    },
    /// They were carried before; by whom is `None` when that is no longer remembered.
    Again(Option<Carrier>),
}

/// A part of a segment all of whose bytes are new, or were carried by the same packet before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// First data-level offset.
    pub(crate) start: i64,
    /// Offset after the last byte.
    pub(crate) end: i64,
    /// What is known of them.
    pub(crate) known: Known,
}

/// The data level of one direction. Offsets count from the first data byte.
#[derive(Debug)]
pub(crate) struct DataSpace {
    carried: VecDeque<Carried>,
    /// How many of `carried`, from the front, are acknowledged.
    acked_count: usize,
    /// Bytes below this were carried, by whom is forgotten.
    floor: i64,
    /// Offset after the highest byte seen.
    next: i64,
    /// Time of the last carriage, and `next` as it was before that time: packets with one time stamp have no order.
    last: i64,
    next_before: i64,
    acked: i64,
    /// Bytes seen for the first time.
    pub(crate) unique: u64,
    /// Those of them that came later than bytes with higher offsets.
    pub(crate) out_of_order: u64,
    /// Time from carriage to DATA_ACK.
    pub(crate) rtt: Stats,
}

impl Default for DataSpace {
    fn default() -> Self {
        Self {
            carried: VecDeque::new(),
            acked_count: 0,
            floor: i64::MIN,
            next: i64::MIN,
            last: i64::MIN,
            next_before: i64::MIN,
            acked: i64::MIN,
            unique: 0,
            out_of_order: 0,
            rtt: Stats::default(),
        }
    }
}

impl DataSpace {
    /// The highest DATA_ACK, as an offset.
    pub(crate) const fn acked(&self) -> i64 {
        self.acked
    }

    /// Offset after the highest byte seen; `None` before any.
    pub(crate) fn next(&self) -> Option<i64> {
        (self.next != i64::MIN).then_some(self.next)
    }

    /// The bytes `start..end` are carried by `by`: they go to `part` in pieces, lowest first.
    pub(crate) fn carry(&mut self, start: i64, end: i64, by: Carrier, mut part: impl FnMut(Part)) {
        if by.time != self.last {
            (self.last, self.next_before) = (by.time, self.next);
        }
        if start >= self.next {
            self.next = end;
            self.unique += (end - start) as u64;
            self.push(start, end, by);
            part(Part { start, end, known: Known::New { late: false } });
            return;
        }
        let highest = self.next;
        let mut at = start;
        if at < self.floor {
            part(Part { start: at, end: end.min(self.floor), known: Known::Again(None) });
            at = end.min(self.floor);
        }
        let mut index = self.carried.partition_point(|held| held.end() <= at);
        while at < end {
            match self.carried.get_mut(index) {
                Some(held) if held.start <= at => {
                    let to = end.min(held.end());
                    held.repeated = true;
                    part(Part { start: at, end: to, known: Known::Again(Some(held.by())) });
                    at = to;
                    index += 1;
                }
                other => {
                    let to = other.map_or(end, |held| held.start.min(end));
                    self.next = highest.max(to);
                    self.unique += (to - at) as u64;
                    let late = (to.min(self.next_before) - at).max(0) as u64;
                    self.out_of_order += late;
                    self.insert(index, at, to, by);
                    part(Part { start: at, end: to, known: Known::New { late: late > 0 } });
                    at = to;
                    index += 1;
                }
            }
        }
    }

    /// Who carried a byte first, if that is remembered.
    pub(crate) fn carrier(&self, offset: i64) -> Option<Carrier> {
        let index = self.carried.partition_point(|held| held.end() <= offset);
        self.carried.get(index).filter(|held| held.start <= offset).map(Carried::by)
    }

    fn push(&mut self, start: i64, end: i64, by: Carrier) {
        self.carried.push_back(carried(start, end, by));
        if self.carried.len() > MOST_CARRIED {
            self.forget();
        }
    }

    fn insert(&mut self, index: usize, start: i64, end: i64, by: Carrier) {
        self.carried.insert(index, carried(start, end, by));
        if index < self.acked_count {
            self.acked_count += 1;
        }
        if self.carried.len() > MOST_CARRIED {
            self.forget();
        }
    }

    fn forget(&mut self) {
        if let Some(oldest) = self.carried.pop_front() {
            self.floor = self.floor.max(oldest.end());
            self.acked_count = self.acked_count.saturating_sub(1);
        }
    }

    /// A DATA_ACK for everything below `offset` was seen; returns the round-trip sample that it gives, in nanoseconds.
    pub(crate) fn ack(&mut self, offset: i64, time: i64) -> Option<i64> {
        if offset <= self.acked {
            return None;
        }
        self.acked = offset;
        let mut newest = None;
        let mut clean = true;
        while let Some(held) = self.carried.get(self.acked_count).filter(|held| held.end() <= offset) {
            newest = Some(held.time);
            clean &= !held.repeated;
            self.acked_count += 1;
        }
        while self.acked_count > MOST_ACKED {
            self.forget();
        }
        let sample = time - newest.filter(|_| clean)?;
        self.rtt.add(sample);
        (sample >= 0).then_some(sample)
    }
}

fn carried(start: i64, end: i64, by: Carrier) -> Carried {
    let Carrier { subflow, time, frame } = by;
    let len = u32::try_from(end - start).unwrap_or(u32::MAX);
    Carried { start, time, frame, len, subflow, repeated: false }
}

#[cfg(test)]
mod tests {
    use super::{Carrier, DataSpace, Known, Part};
    use proptest::prelude::*;

    /// A part that had been carried before, by which subflow and when.
    #[derive(Debug, PartialEq)]
    struct Again {
        start: i64,
        end: i64,
        first: Option<(u16, i64)>,
    }

    fn carry(space: &mut DataSpace, start: i64, end: i64, subflow: u16, time: i64) -> Vec<Again> {
        let mut parts = Vec::new();
        space.carry(
            start,
            end,
            Carrier { subflow, time, frame: time as u64 },
            |Part { start, end, known }| {
                if let Known::Again(first) = known {
                    parts.push(Again { start, end, first: first.map(|first| (first.subflow, first.time)) });
                }
            },
        );
        parts
    }

    #[test]
    fn copies_are_told_by_range_not_by_start() {
        let mut space = DataSpace::default();
        assert_eq!(carry(&mut space, 0, 100, 0, 1), []);
        assert_eq!(carry(&mut space, 100, 200, 1, 2), []);
        assert_eq!(
            carry(&mut space, 50, 250, 2, 3),
            [
                Again { start: 50, end: 100, first: Some((0, 1)) },
                Again { start: 100, end: 200, first: Some((1, 2)) },
            ]
        );
        assert_eq!(space.unique, 250);
        assert_eq!(space.out_of_order, 0);
        assert_eq!(carry(&mut space, 200, 250, 0, 4), [Again { start: 200, end: 250, first: Some((2, 3)) }]);
    }

    #[test]
    fn late_bytes_are_out_of_order_once() {
        let mut space = DataSpace::default();
        carry(&mut space, 0, 100, 0, 1);
        carry(&mut space, 300, 400, 0, 2);
        carry(&mut space, 100, 200, 1, 3);
        assert_eq!((space.unique, space.out_of_order), (300, 100));
        carry(&mut space, 100, 300, 0, 4);
        assert_eq!((space.unique, space.out_of_order), (400, 200));
        carry(&mut space, 500, 600, 0, 5);
        carry(&mut space, 400, 500, 0, 5);
        assert_eq!((space.unique, space.out_of_order), (600, 200), "at the same time is not late");
    }

    #[test]
    fn data_acks_sample_clean_carriages_only() {
        let mut space = DataSpace::default();
        carry(&mut space, 0, 100, 0, 10);
        carry(&mut space, 100, 200, 0, 20);
        space.ack(200, 70);
        assert_eq!((space.rtt.count(), space.rtt.min()), (1, Some(50e-9)));
        carry(&mut space, 200, 300, 0, 80);
        carry(&mut space, 200, 300, 1, 90);
        space.ack(300, 100);
        assert_eq!(space.rtt.count(), 1);
        assert_eq!(space.acked(), 300);
    }

    #[test]
    fn what_is_forgotten_is_still_known_to_be_old() {
        let mut space = DataSpace::default();
        for k in 0..20_000 {
            carry(&mut space, k * 10, k * 10 + 10, 0, k);
        }
        space.ack(200_000, 1);
        assert_eq!(carry(&mut space, 0, 10, 1, 2), [Again { start: 0, end: 10, first: None }]);
        assert_eq!(space.unique, 200_000);
    }

    proptest! {
        /// Against a byte-by-byte model: unique, out of order and carried-again bytes agree.
        #[test]
        fn agrees_with_a_byte_model(
            segments in prop::collection::vec((0i64..300, 1i64..50, 0u16..3), 1..60),
        ) {
            let mut space = DataSpace::default();
            let mut holder = [None::<u16>; 400];
            let (mut unique, mut late, mut highest) = (0u64, 0u64, 0i64);
            for (k, (start, len, subflow)) in segments.into_iter().enumerate() {
                let mut expected = Vec::new();
                let before = highest;
                for byte in start..start + len {
                    match holder[byte as usize] {
                        Some(first) => expected.push((byte, first)),
                        None => {
                            unique += 1;
                            late += u64::from(byte < before);
                            holder[byte as usize] = Some(subflow);
                            highest = highest.max(byte + 1);
                        }
                    }
                }
                let mut found = Vec::new();
                let mut fresh = 0;
                let by = Carrier { subflow, time: k as i64, frame: k as u64 };
                space.carry(start, start + len, by, |part| match part.known {
                    Known::Again(first) => {
                        found.extend((part.start..part.end).map(|byte| (byte, first.unwrap().subflow)));
                    }
                    Known::New { .. } => fresh += part.end - part.start,
                });
                prop_assert_eq!(fresh, len - expected.len() as i64);
                prop_assert_eq!(found, expected);
            }
            prop_assert_eq!(space.unique, unique);
            prop_assert_eq!(space.out_of_order, late);
        }
    }
}
