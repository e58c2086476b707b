//! What a receiver holds out of order: disjoint ranges of the sequence space, the most recently touched known.

/// One range that was received beyond a hole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Range {
    start: u64,
    end: u64,
    /// When it was touched last, for the order of SACK blocks.
    stamp: u32,
}

/// Disjoint, non-adjacent ranges in ascending order.
#[derive(Clone, Debug, Default)]
pub struct Ranges {
    ranges: Vec<Range>,
    stamp: u32,
}

impl Ranges {
    /// Whether nothing is held.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Adds `start..end` and merges what touches it. Returns how many of its bytes were new.
    pub fn insert(&mut self, start: u64, end: u64) -> u64 {
        self.stamp = self.stamp.wrapping_add(1);
        let stamp = self.stamp;
        // Most arrivals extend the last range.
        let first = self.ranges.partition_point(|r| r.end < start);
        let mut after = first;
        let (mut low, mut high, mut held) = (start, end, 0);
        while let Some(range) = self.ranges.get(after) {
            if range.start > end {
                break;
            }
            held += range.end.min(end).saturating_sub(range.start.max(start));
            low = low.min(range.start);
            high = high.max(range.end);
            after += 1;
        }
        let merged = Range { start: low, end: high, stamp };
        if after == first {
            self.ranges.insert(first, merged);
        } else {
            self.ranges[first] = merged;
            if after > first + 1 {
                self.ranges.drain(first + 1..after);
            }
        }
        (end - start) - held
    }

    /// Removes the range that `next` has reached, if there is one, and returns where it ends.
    #[inline]
    pub fn take_through(&mut self, next: u64) -> u64 {
        let mut reached = next;
        let mut count = 0;
        for range in &self.ranges {
            if range.start > reached {
                break;
            }
            reached = reached.max(range.end);
            count += 1;
        }
        if count > 0 {
            self.ranges.drain(..count);
        }
        reached
    }

    /// The SACK blocks (RFC 2018, section 4): the range touched last first, then by when they were touched. Fills `out` from
    /// its start and returns how many.
    pub fn blocks(&self, out: &mut [(u64, u64)]) -> usize {
        let age = |range: &Range| self.stamp.wrapping_sub(range.stamp);
        let mut count = 0;
        let mut floor: Option<u32> = None;
        while count < out.len() {
            let next = self.ranges.iter().filter(|r| floor.is_none_or(|f| age(r) > f)).min_by_key(|r| age(r));
            let Some(range) = next else { break };
            out[count] = (range.start, range.end);
            floor = Some(age(range));
            count += 1;
        }
        count
    }

    /// Forgets everything and gives the memory back.
    pub fn clear(&mut self) {
        self.ranges = Vec::new();
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
            let mut out = [(0, 0); 256];
            let count = ranges.blocks(&mut out);
            let mut seen = [false; 256];
            for &(start, end) in &out[..count] {
                (start..end).for_each(|i| seen[i as usize] = true);
            }
            prop_assert_eq!(seen, model);
            let reached = ranges.take_through(0);
            let expected = model.iter().position(|held| !held).unwrap_or(256) as u64;
            prop_assert_eq!(reached, expected);
        }
    }
}
