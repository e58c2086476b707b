//! DSS mappings of one direction of a subflow: from positions in the subflow to data-level offsets.

use std::collections::VecDeque;

/// Mappings remembered a direction: enough for whatever a receive window can hold back.
const MOST_MAPPINGS: usize = 64;
/// Segments held back while the subflow's first sequence number is being worked out.
const MOST_PENDING: usize = 256;

/// One mapping (RFC 8684, section 3.3.1), in positions of the subflow and offsets of the data level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mapping {
    /// Position of its first byte on the subflow.
    pub(crate) start: i64,
    /// Data-level offset of its first byte.
    pub(crate) data: i64,
    /// Bytes mapped.
    pub(crate) len: i64,
}

/// The mappings seen of one direction, newest last.
#[derive(Debug, Default)]
pub(crate) struct Mappings {
    recent: VecDeque<Mapping>,
}

impl Mappings {
    /// Takes a mapping; the same one again is no news.
    pub(crate) fn learn(&mut self, mapping: Mapping) {
        if self.recent.back() == Some(&mapping) || mapping.len == 0 {
            return;
        }
        self.learn_other(mapping);
    }

    fn learn_other(&mut self, mapping: Mapping) {
        // A retransmission carries an old mapping: do not let it displace others.
        if self.recent.contains(&mapping) {
            return;
        }
        if self.recent.len() == MOST_MAPPINGS {
            self.recent.pop_front();
        }
        self.recent.push_back(mapping);
    }

    /// A mapping that gives bytes of this one other data-level offsets.
    pub(crate) fn contradicted_by(&self, mapping: &Mapping) -> Option<Mapping> {
        // The newest is the likeliest to be this one again.
        let other = |old: &&Mapping| {
            old.data - old.start != mapping.data - mapping.start
                && old.start < mapping.start + mapping.len
                && mapping.start < old.start + old.len
        };
        if self.recent.back() == Some(mapping) {
            return None;
        }
        self.recent.iter().rev().find(other).copied()
    }

    /// Whether any mapping is known.
    pub(crate) fn is_empty(&self) -> bool {
        self.recent.is_empty()
    }

    /// The newest mapping.
    pub(crate) fn newest(&self) -> Option<Mapping> {
        self.recent.back().copied()
    }

    /// Hands the data-level ranges of the subflow bytes `start..end` to `range`; returns how many bytes no mapping
    /// covers.
    pub(crate) fn translate(&self, start: i64, end: i64, mut range: impl FnMut(i64, i64)) -> i64 {
        let mut at = start;
        let mut unmapped = 0;
        while at < end {
            let inside = |mapping: &&Mapping| mapping.start <= at && at < mapping.start + mapping.len;
            if let Some(mapping) = self.recent.iter().rev().find(inside) {
                let to = end.min(mapping.start + mapping.len);
                range(mapping.data + (at - mapping.start), mapping.data + (to - mapping.start));
                at = to;
            } else {
                let next = self.recent.iter().map(|mapping| mapping.start).filter(|&from| from > at).min();
                let to = next.unwrap_or(end).min(end);
                unmapped += to - at;
                at = to;
            }
        }
        unmapped
    }
}

/// A segment with its mapping, held back until the alignment is known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pending {
    /// Position of the first byte.
    pub(crate) start: i64,
    /// Position after the last byte.
    pub(crate) end: i64,
    /// When it was seen.
    pub(crate) time: i64,
    /// Its frame number.
    pub(crate) frame: u64,
    /// The mapping that it carried: relative subflow sequence number, data offset, length.
    pub(crate) mapping: Option<(i64, i64, i64)>,
}

/// Works out where a subflow began whose SYN is not in the capture.
///
/// A mapping counts subflow bytes from 1 at the byte after the SYN. Every segment lies inside the mapping it
/// carries, which bounds the position of that byte from both sides; once the bounds meet it is known.
#[derive(Debug)]
pub(crate) struct Alignment {
    lowest: i64,
    highest: i64,
    /// The segments held back meanwhile.
    pub(crate) pending: Vec<Pending>,
}

impl Default for Alignment {
    fn default() -> Self {
        Self { lowest: i64::MIN, highest: i64::MAX, pending: Vec::new() }
    }
}

impl Alignment {
    /// Takes a segment; returns the position of relative sequence number 1 once it is known.
    pub(crate) fn narrow(&mut self, segment: Pending) -> Option<i64> {
        self.pending.push(segment);
        if let Some((relative, _, len)) = segment.mapping {
            let (lowest, highest) = (segment.end - (relative - 1 + len), segment.start - (relative - 1));
            // A segment that contradicts the others (a damaged one) does not move the bounds.
            if lowest <= self.highest && highest >= self.lowest && lowest <= highest {
                self.lowest = self.lowest.max(lowest);
                self.highest = self.highest.min(highest);
            }
        }
        (self.lowest == self.highest || self.pending.len() >= MOST_PENDING).then(|| self.best()).flatten()
    }

    /// The best guess so far: that the first segment of a mapping was seen.
    pub(crate) fn best(&self) -> Option<i64> {
        (self.highest != i64::MAX).then_some(self.highest)
    }
}

#[cfg(test)]
mod tests {
    use super::{Alignment, Mapping, Mappings, Pending};

    fn translate(mappings: &Mappings, start: i64, end: i64) -> (Vec<(i64, i64)>, i64) {
        let mut ranges = Vec::new();
        let unmapped = mappings.translate(start, end, |from, to| ranges.push((from, to)));
        (ranges, unmapped)
    }

    #[test]
    fn a_segment_may_span_mappings_and_gaps() {
        let mut mappings = Mappings::default();
        mappings.learn(Mapping { start: 0, data: 1000, len: 100 });
        mappings.learn(Mapping { start: 100, data: 5000, len: 50 });
        mappings.learn(Mapping { start: 200, data: 2000, len: 10 });
        assert_eq!(translate(&mappings, 90, 205), (vec![(1090, 1100), (5000, 5050), (2000, 2005)], 50));
        assert_eq!(translate(&mappings, 300, 310), (vec![], 10));
        assert_eq!(translate(&mappings, -5, 5), (vec![(1000, 1005)], 5));
    }

    #[test]
    fn alignment_is_known_when_first_and_last_segment_of_a_mapping_were_seen() {
        let mut alignment = Alignment::default();
        let segment = |start, end, mapping| Pending { start, end, time: 0, frame: 0, mapping: Some(mapping) };
        // The middle of a mapping of 300 bytes at relative 1001, whose true position is 0.
        assert_eq!(alignment.narrow(segment(100, 200, (1001, 0, 300))), None);
        assert_eq!(alignment.narrow(segment(200, 300, (1001, 0, 300))), None);
        // The first segment of the next mapping settles it.
        assert_eq!(alignment.narrow(segment(300, 400, (1301, 300, 400))), Some(-1000));
    }
}
