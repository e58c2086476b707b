//! Addresses by number: which is the n-th of a set, and the how many-th is an address.

use super::ranges::{Bits, Ranges};

/// A set of addresses in the order of their numbers, with a table that leads close to the right range.
#[derive(Clone, Debug)]
pub struct Places<B> {
    /// Where each range begins and how many addresses come before it, side by side, for each look is a miss in the
    /// cache; at the end, how many addresses there are.
    ranges: Vec<(B, u64)>,
    /// For each stretch of numbers the range that its first one lies in.
    hints: Vec<u32>,
    shift: u32,
}

/// More hints than this make the table larger than caches.
const MOST_HINTS: u64 = 1 << 20;

impl<B: Bits> Places<B> {
    /// Numbers the addresses of a set; `None` when there are 2^62 or more, or more than 2^32 ranges.
    pub fn new(set: &Ranges<B>) -> Option<Self> {
        let size = u64::try_from(set.size()?).ok().filter(|&size| size < 1 << 62)?;
        let ranges = set.as_slice();
        u32::try_from(ranges.len()).ok()?;
        let mut before = Vec::with_capacity(ranges.len() + 1);
        let mut count = 0;
        for &(first, last) in ranges {
            before.push((first, count));
            count += (last.number() - first.number()) as u64 + 1;
        }
        before.push((B::MAX, count));
        let wanted = (2 * ranges.len() as u64).clamp(1, MOST_HINTS);
        let shift = (size / wanted).max(1).ilog2();
        let mut hints = Vec::new();
        let mut range = 0;
        for stretch in 0..=size >> shift {
            let number = stretch << shift;
            while range + 1 < ranges.len() && before[range + 1].1 <= number {
                range += 1;
            }
            hints.push(range as u32);
        }
        Some(Self { ranges: before, hints, shift })
    }

    /// How many addresses.
    pub fn len(&self) -> u64 {
        self.ranges.last().map_or(0, |last| last.1)
    }

    /// Whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Calls with the first address and the size of each range, in order.
    pub(super) fn each_range(&self, mut each: impl FnMut(B, u64)) {
        for pair in self.ranges.windows(2) {
            each(pair[0].0, pair[1].1 - pair[0].1);
        }
    }

    /// The address of a number below [`len`](Self::len).
    #[inline]
    pub fn at(&self, number: u64) -> Option<B> {
        self.at_from(self.hint(number)?, number)
    }

    /// A range that the one of a number is not before.
    #[inline]
    pub(super) fn hint(&self, number: u64) -> Option<u32> {
        self.hints.get((number >> self.shift) as usize).copied()
    }

    /// The address of a number, sought from its hint on.
    #[inline]
    pub(super) fn at_from(&self, hint: u32, number: u64) -> Option<B> {
        let mut range = hint as usize;
        while self.ranges.get(range + 1)?.1 <= number {
            range += 1;
        }
        let (start, before) = self.ranges[range];
        Some(B::from_number(start.number() + u128::from(number - before)))
    }

    /// The number of an address; `None` when it is not in the set.
    #[inline]
    pub fn number_of(&self, address: B) -> Option<u64> {
        let (_, ranges) = self.ranges.split_last()?;
        let range = ranges.partition_point(|&(start, _)| start <= address).checked_sub(1)?;
        let (start, before) = ranges[range];
        let into = u64::try_from(address.number() - start.number()).ok()?;
        let number = before.checked_add(into)?;
        (number < self.ranges[range + 1].1).then_some(number)
    }

    /// The largest number of addresses that share their first `bits` bits.
    pub fn densest(&self, bits: u8) -> u64 {
        let host = u32::from(B::WIDTH - bits.min(B::WIDTH));
        let prefix = |address: u128| address.checked_shr(host).unwrap_or(0);
        let (mut most, mut current, mut count) = (0, None, 0_u64);
        for pair in self.ranges.windows(2) {
            let (first, size) = (pair[0].0.number(), pair[1].1 - pair[0].1);
            let last = first + u128::from(size - 1);
            if current != Some(prefix(first)) {
                (current, count) = (Some(prefix(first)), 0);
            }
            if prefix(first) == prefix(last) {
                count += size;
            } else {
                let whole = u64::try_from(1_u128.checked_shl(host).unwrap_or(u128::MAX)).unwrap_or(u64::MAX);
                let head = ((prefix(first) + 1) << host) - first;
                let head = u64::try_from(head).unwrap_or(u64::MAX);
                let tail = u64::try_from(last - (prefix(last) << host)).unwrap_or(u64::MAX).saturating_add(1);
                most = most.max(count.saturating_add(head));
                if prefix(last) - prefix(first) > 1 {
                    most = most.max(whole);
                }
                (current, count) = (Some(prefix(last)), tail);
            }
            most = most.max(count);
        }
        most
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_whole_of_ipv4() {
        let places = Places::new(&Ranges::<u32>::all()).unwrap();
        assert_eq!(places.len(), 1 << 32);
        assert_eq!((places.at(7), places.at(u64::from(u32::MAX))), (Some(7), Some(u32::MAX)));
        assert_eq!(places.at(1 << 32), None);
        assert_eq!(places.number_of(u32::MAX), Some(u64::from(u32::MAX)));
        assert_eq!((places.densest(24), places.densest(0)), (256, 1 << 32));
    }

    #[test]
    fn sets_that_are_empty_or_too_large() {
        let none = Places::new(&Ranges::<u32>::default()).unwrap();
        assert_eq!((none.len(), none.at(0), none.number_of(5), none.densest(24)), (0, None, None, 0));
        assert!(Places::new(&Ranges::union(vec![(0_u128, 1 << 62)])).is_none());
        assert!(Places::new(&Ranges::<u128>::all()).is_none());
    }

    #[test]
    fn the_densest_prefix() {
        let set = Ranges::union(vec![(10_u32, 20), (30, 40), (250, 260), (600, 600), (700, 800)]);
        let places = Places::new(&set).unwrap();
        // 10–20, 30–40, 250–255 in the first, 256–260 in the second, 600 and 700–767 in the third, 768–800 in the fourth.
        assert_eq!(places.densest(24), 69);
        assert_eq!(places.densest(32), 1);
        let long = Places::new(&Ranges::union(vec![(250_u32, 1000)])).unwrap();
        assert_eq!(long.densest(24), 256);
    }

    proptest! {
        #[test]
        fn numbers_and_addresses_belong_together(
            ranges in proptest::collection::vec((0_u32..10_000, 0_u32..50), 1..40),
        ) {
            let set = Ranges::union(ranges.iter().map(|&(at, n)| (at, at + n)).collect());
            let places = Places::new(&set).unwrap();
            let all: Vec<u32> = set.as_slice().iter().flat_map(|&(first, last)| first..=last).collect();
            prop_assert_eq!(places.len(), all.len() as u64);
            for (number, &address) in all.iter().enumerate() {
                prop_assert_eq!(places.at(number as u64), Some(address));
                prop_assert_eq!(places.number_of(address), Some(number as u64));
            }
            prop_assert_eq!(places.at(all.len() as u64), None);
            for address in 0..10_100 {
                prop_assert_eq!(places.number_of(address).is_some(), set.contains(address));
            }
            let mut counts = std::collections::HashMap::new();
            for address in &all {
                *counts.entry(address >> 6).or_insert(0_u64) += 1;
            }
            prop_assert_eq!(places.densest(26), *counts.values().max().unwrap());
        }
    }
}
