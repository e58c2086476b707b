//! Sets of addresses as sorted ranges that do not touch: prefixes by the million, united, cut and decided by the longest match.

/// Addresses of one family as numbers.
pub trait Bits: Copy + Ord + std::fmt::Debug + Send + Sync + 'static {
    /// The highest address.
    const MAX: Self;
    /// Bits of an address.
    const WIDTH: u8;
    /// The address after this one; none after the highest.
    fn next(self) -> Option<Self>;
    /// The address before this one; none before the lowest.
    fn previous(self) -> Option<Self>;
    /// As a number.
    fn number(self) -> u128;
    /// From a number, of which the low bits count.
    fn from_number(number: u128) -> Self;
}

macro_rules! bits {
    ($ty:ty, $width:literal) => {
        impl Bits for $ty {
            const MAX: Self = <$ty>::MAX;
            const WIDTH: u8 = $width;
            fn next(self) -> Option<Self> {
                self.checked_add(1)
            }
            fn previous(self) -> Option<Self> {
                self.checked_sub(1)
            }
            fn number(self) -> u128 {
                self as u128
            }
            fn from_number(number: u128) -> Self {
                number as $ty
            }
        }
    };
}

bits!(u32, 32);
bits!(u128, 128);

/// First and last address of a range, both included.
pub type Range<B> = (B, B);

/// A set of addresses: ranges in order, none touching the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ranges<B>(Vec<Range<B>>);

impl<B> Default for Ranges<B> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<B: Bits> Ranges<B> {
    /// The union of ranges in any order.
    pub fn union(mut ranges: Vec<Range<B>>) -> Self {
        ranges.sort_unstable();
        let mut kept = 0_usize;
        for k in 0..ranges.len() {
            let (first, last) = ranges[k];
            match kept.checked_sub(1).map(|at| &mut ranges[at]) {
                // Touching ranges become one.
                Some(before) if before.1.next().is_none_or(|next| next >= first) => {
                    before.1 = before.1.max(last);
                }
                _ => {
                    ranges[kept] = (first, last);
                    kept += 1;
                }
            }
        }
        ranges.truncate(kept);
        ranges.shrink_to_fit();
        Self(ranges)
    }

    /// Every address.
    pub fn all() -> Self {
        Self(vec![(B::from_number(0), B::MAX)])
    }

    /// The ranges in order.
    pub fn as_slice(&self) -> &[Range<B>] {
        &self.0
    }

    /// How many addresses; `None` for all of IPv6, the one set whose size does not fit.
    pub fn size(&self) -> Option<u128> {
        self.0.iter().try_fold(0_u128, |sum, &(first, last)| {
            sum.checked_add((last.number() - first.number()).checked_add(1)?)
        })
    }

    /// Whether an address is in it.
    pub fn contains(&self, address: B) -> bool {
        let after = self.0.partition_point(|range| range.0 <= address);
        after.checked_sub(1).is_some_and(|at| address <= self.0[at].1)
    }

    /// What is in both.
    pub fn intersection(&self, other: &Self) -> Self {
        let (mut out, mut a, mut b) = (Vec::new(), 0, 0);
        while let (Some(&left), Some(&right)) = (self.0.get(a), other.0.get(b)) {
            let (first, last) = (left.0.max(right.0), left.1.min(right.1));
            if first <= last {
                out.push((first, last));
            }
            if left.1 < right.1 { a += 1 } else { b += 1 }
        }
        Self(out)
    }

    /// What is not in it.
    pub fn complement(&self) -> Self {
        let mut out = Vec::with_capacity(self.0.len() + 1);
        let mut from = Some(B::from_number(0));
        for &(first, last) in &self.0 {
            if let (Some(from), Some(to)) = (from, first.previous())
                && from <= to
            {
                out.push((from, to));
            }
            from = last.next();
        }
        out.extend(from.map(|from| (from, B::MAX)));
        Self(out)
    }

    /// What is in this one and not in the other.
    pub fn difference(&self, other: &Self) -> Self {
        self.intersection(&other.complement())
    }

    /// What the longest matching prefix allows. Where an allowed and a blocked prefix are equal, the block counts. Addresses
    /// that nothing matches are allowed when there is no allowed prefix at all. Ranges that are no prefixes count as
    /// the prefixes that they are made of.
    pub fn decide(allow: &[Range<B>], block: &[Range<B>]) -> Self {
        let mut rules = Vec::with_capacity(allow.len() + block.len());
        for (ranges, allowed) in [(allow, true), (block, false)] {
            for &range in ranges {
                prefixes(range, |(first, last)| rules.push((first, last, allowed)));
            }
        }
        // Longer prefixes after the shorter ones around them, a block after an equal permission: the later rule wins.
        rules.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| b.1.cmp(&a.1)).then_with(|| b.2.cmp(&a.2)));
        let mut sweep = Sweep { out: Vec::new(), from: Some(B::from_number(0)) };
        let otherwise = allow.is_empty();
        let mut around: Vec<(B, bool)> = Vec::new();
        for (first, last, allowed) in rules {
            while let Some(&(end, verdict)) = around.last()
                && end < first
            {
                sweep.up_to(Some(end), verdict);
                around.pop();
            }
            sweep.up_to(first.previous(), around.last().map_or(otherwise, |rule| rule.1));
            around.push((last, allowed));
        }
        while let Some((end, verdict)) = around.pop() {
            sweep.up_to(Some(end), verdict);
        }
        sweep.up_to(Some(B::MAX), otherwise);
        Self(sweep.out)
    }
}

/// Goes through all addresses once, with a verdict for each stretch.
struct Sweep<B> {
    out: Vec<Range<B>>,
    from: Option<B>,
}

impl<B: Bits> Sweep<B> {
    fn up_to(&mut self, last: Option<B>, allowed: bool) {
        let (Some(from), Some(last)) = (self.from, last) else { return };
        if from > last {
            return;
        }
        if allowed {
            match self.out.last_mut() {
                Some(before) if before.1.next() == Some(from) => before.1 = last,
                _ => self.out.push((from, last)),
            }
        }
        self.from = last.next();
    }
}

/// The prefixes that a range is made of, in order.
fn prefixes<B: Bits>((first, last): Range<B>, mut each: impl FnMut(Range<B>)) {
    let mut from = first.number();
    let last = last.number();
    loop {
        // As many low bits as are zero at the start, and as fit.
        let zeros = from.trailing_zeros().min(u32::from(B::WIDTH));
        let mut end = from | low_bits(zeros);
        if end > last {
            let room = 127 - (last - from + 1).leading_zeros();
            end = from | low_bits(room);
        }
        each((B::from_number(from), B::from_number(end)));
        if end >= last {
            return;
        }
        from = end + 1;
    }
}

/// A number whose low bits are ones.
pub(super) fn low_bits(count: u32) -> u128 {
    1_u128.checked_shl(count).map_or(u128::MAX, |bit| bit - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn touching_and_nested_ranges_become_one() {
        let set = Ranges::union(vec![(5_u32, 9), (0, 1), (2, 3), (7, 8), (u32::MAX, u32::MAX)]);
        assert_eq!(set.as_slice(), [(0, 3), (5, 9), (u32::MAX, u32::MAX)]);
        assert_eq!(set.size(), Some(10));
        assert_eq!(set.complement().as_slice(), [(4, 4), (10, u32::MAX - 1)]);
        assert_eq!(Ranges::<u128>::all().size(), None);
        assert_eq!(Ranges::<u32>::all().complement().size(), Some(0));
    }

    #[test]
    fn a_range_is_made_of_its_largest_prefixes() {
        let mut found = Vec::new();
        prefixes((3_u32, 12), |prefix| found.push(prefix));
        assert_eq!(found, [(3, 3), (4, 7), (8, 11), (12, 12)]);
        found.clear();
        prefixes((0, u32::MAX), |prefix| found.push(prefix));
        assert_eq!(found, [(0, u32::MAX)]);
        let mut whole = Vec::new();
        prefixes((0_u128, u128::MAX), |prefix| whole.push(prefix));
        assert_eq!(whole, [(0, u128::MAX)]);
        prefixes((1_u128, u128::MAX), |prefix| whole.push(prefix));
        assert_eq!(whole.len(), 129);
    }

    #[test]
    fn the_longest_match_decides_and_blocks_win_ties() {
        // 10/8 blocked, 10.1/16 allowed in it, 10.1.2/24 blocked in that, 10.1.3/24 named in both.
        let block = [(0x0a00_0000_u32, 0x0aff_ffff), (0x0a01_0200, 0x0a01_02ff), (0x0a01_0300, 0x0a01_03ff)];
        let allow = [(0x0a01_0000, 0x0a01_ffff), (0x0a01_0300, 0x0a01_03ff)];
        let set = Ranges::decide(&allow, &block);
        assert_eq!(set.as_slice(), [(0x0a01_0000, 0x0a01_01ff), (0x0a01_0400, 0x0a01_ffff)]);
        let set = Ranges::decide(&[], &block[..1]);
        assert_eq!(set.as_slice(), [(0, 0x09ff_ffff), (0x0b00_0000, u32::MAX)]);
        assert_eq!(Ranges::<u32>::decide(&[], &[]), Ranges::all());
    }

    /// A prefix of a space of 32-bit numbers of which only 256 are looked at.
    fn prefix() -> impl Strategy<Value = Range<u32>> {
        (any::<u8>(), 0_u32..9).prop_map(|(at, bits)| {
            let mask = (1_u32 << bits) - 1;
            (u32::from(at) & !mask, u32::from(at) | mask)
        })
    }

    proptest! {
        #[test]
        fn deciding_equals_asking_each_prefix(
            allow in proptest::collection::vec(prefix(), 0..6), block in proptest::collection::vec(prefix(), 0..6),
        ) {
            let set = Ranges::decide(&allow, &block);
            for address in 0_u32..600 {
                let longest = |rules: &[Range<u32>]| {
                    rules.iter().filter(|r| r.0 <= address && address <= r.1).map(|r| r.1 - r.0).min()
                };
                let allowed = match (longest(&allow), longest(&block)) {
                    (Some(a), Some(b)) => a < b,
                    (None, None) => allow.is_empty(),
                    (a, _) => a.is_some(),
                };
                prop_assert_eq!(set.contains(address), allowed, "{}", address);
            }
        }

        #[test]
        fn sets_behave_as_sets(
            a in proptest::collection::vec((0_u32..300, 0_u32..40), 0..8),
            b in proptest::collection::vec((0_u32..300, 0_u32..40), 0..8),
        ) {
            let set = |ranges: &[(u32, u32)]| Ranges::union(ranges.iter().map(|&(at, n)| (at, at + n)).collect());
            let holds = |ranges: &[(u32, u32)], x| ranges.iter().any(|&(at, n)| at <= x && x <= at + n);
            let (sa, sb) = (set(&a), set(&b));
            let (both, only) = (sa.intersection(&sb), sa.difference(&sb));
            for x in 0..400 {
                prop_assert_eq!(sa.contains(x), holds(&a, x));
                prop_assert_eq!(both.contains(x), holds(&a, x) && holds(&b, x));
                prop_assert_eq!(only.contains(x), holds(&a, x) && !holds(&b, x));
            }
            prop_assert_eq!(both.size().unwrap() + only.size().unwrap(), sa.size().unwrap());
        }
    }
}
