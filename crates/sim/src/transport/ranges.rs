//! What a receiver holds out of order: disjoint ranges of the sequence space, the most recently touched known.

use std::collections::VecDeque;

use crate::prefetch::prefetch;

/// SACK blocks that are remembered in the order in which they were touched, as Linux does.
const RECENT: usize = 4;

/// Disjoint, non-adjacent ranges in ascending order.
#[derive(Clone, Debug, Default)]
pub struct Ranges {
    ranges: VecDeque<(u64, u64)>,
    /// A number within each of the ranges that were touched last, latest first.
    recent: [u64; RECENT],
    known: u8,
}

impl Ranges {
    /// Whether nothing is held.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Asks for the memory that most arrivals need: the last range.
    #[inline]
    pub fn prefetch(&self) {
        if let Some(last) = self.ranges.back() {
            prefetch(last);
        }
    }

    /// Adds `start..end` and merges what touches it. Returns how many of its bytes were new.
    pub fn insert(&mut self, start: u64, end: u64) -> u64 {
        // Most arrivals extend the last range.
        let first = match self.ranges.back() {
            Some(&(low, _)) if low <= start => self.ranges.len() - 1,
            _ => self.ranges.partition_point(|&(_, high)| high < start),
        };
        let first =
            if self.ranges.get(first).is_some_and(|&(_, high)| high < start) { first + 1 } else { first };
        let mut after = first;
        let (mut low, mut high, mut held) = (start, end, 0);
        while let Some(&(from, to)) = self.ranges.get(after) {
            if from > end {
                break;
            }
            held += to.min(end).saturating_sub(from.max(start));
            low = low.min(from);
            high = high.max(to);
            after += 1;
        }
        if after == first {
            self.ranges.insert(first, (low, high));
        } else {
            self.ranges[first] = (low, high);
            if after > first + 1 {
                self.ranges.drain(first + 1..after);
            }
        }
        self.touch(low, high);
        (end - start) - held
    }

    /// Puts the range `low..high` first among the recent ones.
    fn touch(&mut self, low: u64, high: u64) {
        let mut kept = [low; RECENT];
        let mut count = 1;
        for &at in &self.recent[..usize::from(self.known)] {
            if !(low..high).contains(&at) && count < RECENT {
                kept[count] = at;
                count += 1;
            }
        }
        self.recent = kept;
        self.known = count as u8;
    }

    /// Removes the range that `next` has reached, if there is one, and returns where it ends.
    #[inline]
    pub fn take_through(&mut self, next: u64) -> u64 {
        let mut reached = next;
        while let Some(&(from, to)) = self.ranges.front() {
            if from > reached {
                break;
            }
            reached = reached.max(to);
            self.ranges.pop_front();
        }
        reached
    }

    /// The SACK blocks (RFC 2018, section 4): the range touched last first, then by when they were touched, at most four. Fills
    /// `out` from its start and returns how many.
    pub fn blocks(&self, out: &mut [(u64, u64)]) -> usize {
        let mut count = 0;
        for &at in &self.recent[..usize::from(self.known)] {
            let place = self.ranges.partition_point(|&(_, high)| high <= at);
            let Some(&range) = self.ranges.get(place).filter(|&&(low, _)| low <= at) else { continue };
            let Some(to) = out.get_mut(count) else { break };
            *to = range;
            count += 1;
        }
        count
    }

    /// All ranges in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = (u64, u64)> {
        self.ranges.iter().copied()
    }

    /// Forgets everything and gives the memory back.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn blocks_come_most_recent_first() {
        let mut ranges = Ranges::default();
        assert_eq!(ranges.insert(10, 20), 10);
        assert_eq!(ranges.insert(30, 40), 10);
        assert_eq!(ranges.insert(50, 60), 10);
        assert_eq!(ranges.insert(20, 25), 5);
        let mut out = [(0, 0); 3];
        assert_eq!(ranges.blocks(&mut out), 3);
        assert_eq!(out, [(10, 25), (50, 60), (30, 40)]);
        let mut two = [(0, 0); 2];
        assert_eq!(ranges.blocks(&mut two), 2);
        assert_eq!(two, [(10, 25), (50, 60)]);
        // A segment that closes a hole merges both neighbours.
        assert_eq!(ranges.insert(24, 30), 5);
        assert_eq!(ranges.blocks(&mut out), 2);
        assert_eq!(out[0], (10, 40));
        assert_eq!(ranges.take_through(9), 9);
        assert_eq!(ranges.take_through(10), 40);
        assert!(!ranges.is_empty());
    }

    proptest! {
        #[test]
        fn as_a_set_of_bytes(parts in proptest::collection::vec((0u64..200, 1u64..20), 1..60)) {
            let mut ranges = Ranges::default();
            let mut model = [false; 256];
            for (start, len) in parts {
                let fresh = (start..start + len).filter(|&i| !model[i as usize]).count() as u64;
                prop_assert_eq!(ranges.insert(start, start + len), fresh);
                (start..start + len).for_each(|i| model[i as usize] = true);
            }
            let mut out = [(0, 0); 4];
            let count = ranges.blocks(&mut out);
            let mut seen = [false; 256];
            for (start, end) in ranges.iter() {
                (start..end).for_each(|i| seen[i as usize] = true);
            }
            prop_assert!(out[..count].iter().all(|block| ranges.iter().any(|range| range == *block)));
            prop_assert!(count > 0);
            prop_assert_eq!(seen, model);
            let reached = ranges.take_through(0);
            let expected = model.iter().position(|held| !held).unwrap_or(256) as u64;
            prop_assert_eq!(reached, expected);
        }
    }
}
