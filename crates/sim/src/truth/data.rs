//! The data level of one direction as one end sees it: who carried which bytes first.

use std::collections::BTreeMap;

use crate::time::Time;

/// Bytes that were carried before: by whom and when first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Again {
    /// Offset of the first byte.
    pub(super) start: i64,
    /// How many.
    pub(super) bytes: u64,
    /// The subflow, as numbered at this end.
    pub(super) subflow: usize,
    /// When.
    pub(super) time: Time,
}

/// Ranges of offsets by their start; disjoint, never merged, never forgotten.
#[derive(Clone, Debug, Default)]
pub(super) struct DataBook {
    first: BTreeMap<i64, (i64, usize, Time)>,
    /// Bytes seen for the first time.
    pub(super) unique: u64,
}

impl DataBook {
    /// A subflow carries `start..end`. What had been carried goes to `again`; returns how many bytes are new.
    pub(super) fn carry(
        &mut self,
        (start, end): (i64, i64),
        subflow: usize,
        now: Time,
        again: &mut Vec<Again>,
    ) -> u64 {
        let (mut at, mut new) = (start, Vec::new());
        let before = self.first.range(..=start).next_back().map_or(start, |(&held, _)| held);
        for (&held, &(held_end, by, time)) in self.first.range(before..end) {
            if held_end <= at {
                continue;
            }
            if held > at {
                new.push((at, held));
                at = held;
            }
            let to = held_end.min(end);
            again.push(Again { start: at, bytes: (to - at).unsigned_abs(), subflow: by, time });
            at = to;
        }
        if at < end {
            new.push((at, end));
        }
        let bytes = new.iter().map(|(from, to)| (to - from).unsigned_abs()).sum();
        self.first.extend(new.into_iter().map(|(from, to)| (from, (to, subflow, now))));
        self.unique += bytes;
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn copies_are_charged_to_whom_carried_them_first() {
        let (mut book, mut again) = (DataBook::default(), Vec::new());
        assert_eq!(book.carry((0, 100), 0, Time(1), &mut again), 100);
        assert_eq!(book.carry((150, 200), 1, Time(2), &mut again), 50);
        assert!(again.is_empty());
        assert_eq!(book.carry((50, 175), 2, Time(3), &mut again), 50);
        let expected = [(50, 50, 0, Time(1)), (150, 25, 1, Time(2))];
        let expected = expected.map(|(start, bytes, subflow, time)| Again { start, bytes, subflow, time });
        assert_eq!(again, expected);
        assert_eq!(book.unique, 200);
    }

    proptest! {
        /// Against a book that keeps every byte.
        #[test]
        fn agrees_with_a_book_of_bytes(carriages in proptest::collection::vec((0i64..60, 1i64..30, 0usize..3), 1..40)) {
            let mut book = DataBook::default();
            let mut bytes: Vec<Option<usize>> = vec![None; 100];
            for (start, len, subflow) in carriages {
                let mut again = Vec::new();
                let new = book.carry((start, start + len), subflow, Time(0), &mut again);
                let mut expected_new = 0;
                let mut seen: Vec<Option<usize>> = vec![None; 100];
                for part in again {
                    for at in part.start..part.start + part.bytes as i64 {
                        seen[at as usize] = Some(part.subflow);
                    }
                }
                for at in start as usize..(start + len) as usize {
                    prop_assert_eq!(seen[at], bytes[at]);
                    if bytes[at].is_none() {
                        bytes[at] = Some(subflow);
                        expected_new += 1;
                    }
                }
                prop_assert_eq!(new, expected_new);
                prop_assert_eq!(book.unique, bytes.iter().flatten().count() as u64);
            }
        }
    }
}
