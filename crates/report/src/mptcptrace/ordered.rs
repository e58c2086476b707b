//! A list of ranges in order of their starts, one a start, in a 32-bit sequence space that wraps.

use std::collections::VecDeque;

/// Whether `a` comes before `b`, less than half the space away.
pub(super) const fn before(a: u32, b: u32) -> bool {
    (a.wrapping_sub(b) as i32) < 0
}

/// Bytes `start..end` with what is known of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Range<T> {
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) what: T,
}

/// Ranges in order of their starts. A second range with the same start is not taken, whatever its length.
#[derive(Clone, Debug)]
pub(super) struct Ordered<T> {
    ranges: VecDeque<Range<T>>,
}

impl<T> Default for Ordered<T> {
    fn default() -> Self {
        Self { ranges: VecDeque::new() }
    }
}

impl<T> Ordered<T> {
    /// Takes a range unless one with this start is there; says whether it did, and where it stands.
    pub(super) fn insert(&mut self, start: u32, end: u32, what: T) -> (bool, usize) {
        // Nearly all ranges come in order, so the search begins at the end.
        let mut place = self.ranges.len();
        while let Some(range) = place.checked_sub(1).and_then(|last| self.ranges.get(last)) {
            if range.start == start {
                return (false, place - 1);
            }
            if before(range.start, start) {
                break;
            }
            place -= 1;
        }
        self.ranges.insert(place, Range { start, end, what });
        (true, place)
    }

    /// Takes out the ranges at the front that end at or before `ack`, handing each to `each`.
    pub(super) fn acknowledge(&mut self, ack: u32, mut each: impl FnMut(&Range<T>)) {
        while let Some(first) = self.ranges.front()
            && !before(ack, first.end)
        {
            each(first);
            self.ranges.pop_front();
        }
    }

    /// From the start of the first range to the end of the last one; nothing when there is none.
    pub(super) fn span(&self) -> Option<u32> {
        Some(self.ranges.back()?.end.wrapping_sub(self.ranges.front()?.start))
    }

    /// The range at a place.
    pub(super) fn get_mut(&mut self, place: usize) -> Option<&mut Range<T>> {
        self.ranges.get_mut(place)
    }

    /// All of them in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Range<T>> {
        self.ranges.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_are_unique_and_in_order_across_the_wrap() {
        let mut list = Ordered::default();
        assert_eq!(list.insert(u32::MAX - 9, 10, 'b'), (true, 0));
        assert_eq!(list.insert(10, 30, 'c'), (true, 1));
        assert_eq!(list.insert(u32::MAX - 19, u32::MAX - 9, 'a'), (true, 0));
        assert_eq!(list.insert(10, 99, 'x'), (false, 2));
        assert_eq!(list.iter().map(|range| range.what).collect::<String>(), "abc");
        assert_eq!(list.span(), Some(50));
    }

    #[test]
    fn acknowledged_ranges_go_when_they_are_whole() {
        let mut list = Ordered::default();
        list.insert(0, 10, ());
        list.insert(10, 30, ());
        let mut bytes = 0;
        list.acknowledge(20, |range| bytes += range.end - range.start);
        assert_eq!((bytes, list.span()), (10, Some(20)));
        list.acknowledge(30, |range| bytes += range.end - range.start);
        assert_eq!((bytes, list.span()), (30, None));
    }
}
