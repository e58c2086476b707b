//! Which bytes of one direction of a subflow have been seen: TCP sequence numbers made linear, holes and repeats.

/// A segment further than this beyond what was seen is doubted until the next one continues it.
const LONGEST_LEAP: i64 = 1 << 26;
/// More holes than this and the oldest is given up (its bytes then count as seen).
const MOST_HOLES: usize = 512;

/// The sequence space of one direction. Position 0 is the first data byte when the SYN was seen, else the first byte
/// seen.
#[derive(Debug)]
pub(crate) struct SeqSpace {
    origin: u32,
    /// Position after the highest byte seen.
    next: i64,
    /// Sorted, disjoint ranges below `next` that were not seen.
    holes: Vec<(i64, i64)>,
    /// End of the last segment that leapt too far, to be believed if continued.
    doubted: Option<i64>,
}

/// What a segment was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// All new, right after the highest byte seen.
    InOrder,
    /// New bytes with some left out before them.
    Ahead,
    /// It fills holes or repeats bytes.
    Behind {
        /// Bytes that had been seen before.
        repeated: i64,
    },
    /// Too far off to be believed.
    Outside,
}

impl SeqSpace {
    /// A space whose SYN was seen: position 0 is the byte after it.
    pub(crate) const fn after_syn(isn: u32) -> Self {
        Self { origin: isn.wrapping_add(1), next: 0, holes: Vec::new(), doubted: None }
    }

    /// A space whose SYN was not seen. Bytes before the first one seen count as not yet seen.
    pub(crate) fn midstream(seq: u32) -> Self {
        Self { origin: seq, next: 0, holes: vec![(-LONGEST_LEAP, 0)], doubted: None }
    }

    /// Position of a sequence number, taken as the nearest to the highest byte seen.
    pub(crate) const fn position(&self, seq: u32) -> i64 {
        let next = self.origin.wrapping_add(self.next as u32);
        self.next + seq.wrapping_sub(next).cast_signed() as i64
    }

    /// Position after the highest byte seen.
    pub(crate) const fn next(&self) -> i64 {
        self.next
    }

    /// Takes the bytes `start..end` and hands every range among them that is seen for the first time to `new`.
    pub(crate) fn add(&mut self, start: i64, end: i64, mut new: impl FnMut(i64, i64)) -> Arrival {
        if start == self.next {
            self.next = end;
            new(start, end);
            return Arrival::InOrder;
        }
        if start > self.next {
            if start - self.next > LONGEST_LEAP && self.doubted != Some(start) {
                self.doubted = Some(end);
                return Arrival::Outside;
            }
            self.doubted = None;
            if self.holes.len() == MOST_HOLES {
                self.holes.remove(0);
            }
            self.holes.push((self.next, start));
            self.next = end;
            new(start, end);
            return Arrival::Ahead;
        }
        if self.next - start > LONGEST_LEAP {
            return Arrival::Outside;
        }
        let mut fresh = self.fill(start, end.min(self.next), &mut new);
        if end > self.next {
            new(self.next, end);
            fresh += end - self.next;
            self.next = end;
        }
        Arrival::Behind { repeated: end - start - fresh }
    }

    /// Takes `start..end` (below `next`) out of the holes; returns how many bytes that were.
    fn fill(&mut self, start: i64, end: i64, new: &mut impl FnMut(i64, i64)) -> i64 {
        let mut filled = 0;
        let mut index = self.holes.partition_point(|hole| hole.1 <= start);
        while let Some(&(from, to)) = self.holes.get(index).filter(|hole| hole.0 < end) {
            let (left, right) = (from.max(start), to.min(end));
            new(left, right);
            filled += right - left;
            match (from < left, right < to) {
                (false, false) => {
                    self.holes.remove(index);
                }
                (true, false) => {
                    self.holes[index].1 = left;
                    index += 1;
                }
                (false, true) => {
                    self.holes[index].0 = right;
                    index += 1;
                }
                (true, true) => {
                    self.holes[index].1 = left;
                    self.holes.insert(index + 1, (right, to));
                    index += 2;
                }
            }
        }
        filled
    }
}

#[cfg(test)]
mod tests {
    use super::{Arrival, SeqSpace};
    use proptest::prelude::*;

    fn add(space: &mut SeqSpace, start: i64, end: i64) -> (Arrival, Vec<(i64, i64)>) {
        let mut new = Vec::new();
        let arrival = space.add(start, end, |from, to| new.push((from, to)));
        (arrival, new)
    }

    #[test]
    fn holes_are_filled_and_repeats_counted() {
        let mut space = SeqSpace::after_syn(u32::MAX - 10);
        assert_eq!(space.position(u32::MAX - 9), 0);
        assert_eq!(add(&mut space, 0, 100), (Arrival::InOrder, vec![(0, 100)]));
        assert_eq!(space.position(95), 105, "positions go on over the wrap");
        assert_eq!(add(&mut space, 200, 300), (Arrival::Ahead, vec![(200, 300)]));
        assert_eq!(add(&mut space, 150, 250), (Arrival::Behind { repeated: 50 }, vec![(150, 200)]));
        assert_eq!(
            add(&mut space, 90, 320),
            (Arrival::Behind { repeated: 160 }, vec![(100, 150), (300, 320)])
        );
        assert_eq!(space.next(), 320);
    }

    #[test]
    fn midstream_takes_older_bytes_as_new() {
        let mut space = SeqSpace::midstream(1000);
        assert_eq!(add(&mut space, 0, 10).0, Arrival::InOrder);
        assert_eq!(add(&mut space, -20, 5), (Arrival::Behind { repeated: 5 }, vec![(-20, 0)]));
        assert_eq!(add(&mut space, -20, 0).0, Arrival::Behind { repeated: 20 });
    }

    #[test]
    fn a_leap_is_believed_when_continued() {
        let mut space = SeqSpace::after_syn(0);
        add(&mut space, 0, 10);
        assert_eq!(add(&mut space, 1 << 30, (1 << 30) + 10).0, Arrival::Outside);
        assert_eq!(add(&mut space, 10, 20).0, Arrival::InOrder);
        assert_eq!(add(&mut space, 1 << 30, (1 << 30) + 10).0, Arrival::Outside);
        assert_eq!(add(&mut space, (1 << 30) + 10, (1 << 30) + 20).0, Arrival::Ahead);
    }

    proptest! {
        /// Every byte is new exactly once, whatever the order of segments.
        #[test]
        fn each_byte_is_new_once(segments in prop::collection::vec((0i64..400, 1i64..60), 1..60)) {
            let mut space = SeqSpace::after_syn(77);
            let mut seen = [0u32; 512];
            for (start, len) in segments {
                let before = seen;
                let mut fresh = 0;
                let arrival = space.add(start, start + len, |from, to| {
                    for byte in from..to {
                        seen[byte as usize] += 1;
                    }
                    fresh += to - from;
                });
                if let Arrival::Behind { repeated } = arrival {
                    let known = before[start as usize..(start + len) as usize].iter().filter(|&&n| n > 0).count();
                    prop_assert_eq!(repeated, known as i64);
                } else {
                    prop_assert_eq!(fresh, len);
                }
            }
            prop_assert!(seen.iter().all(|&n| n <= 1));
        }
    }
}
