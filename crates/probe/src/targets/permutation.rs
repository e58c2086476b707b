//! A keyed random order of the numbers below n in constant memory, that can be entered anywhere and read backwards.
//!
//! A Feistel network over a rectangle a × b of barely more than n points, as Black and Rogaway propose ("Ciphers with
//! arbitrary finite domains", CT-RSA 2002, method 3), with cycle walking over the few points too many. Other than the walk
//! through a cyclic group that ZMap takes, it needs no state between two numbers: shards, threads and resuming are
//! arithmetic on positions, and an answer leads back to its position.

const ROUNDS: usize = 6;

/// An order of the numbers below [`len`](Self::len).
#[derive(Clone, Debug)]
pub struct Permutation {
    len: u64,
    a: u64,
    b: u64,
    keys: [u64; ROUNDS],
}

impl Permutation {
    /// Longest order.
    pub const MAX_LEN: u64 = 1 << 62;

    /// The order of the numbers below `len` that belongs to a seed. `len` is at most [`MAX_LEN`](Self::MAX_LEN).
    pub fn new(len: u64, seed: u64) -> Self {
        debug_assert!(len <= Self::MAX_LEN);
        let mut a = len.isqrt();
        if a * a < len {
            a += 1;
        }
        let a = a.max(1);
        let mut state = seed;
        let keys = std::array::from_fn(|_| {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            mix(state)
        });
        Self { len, a, b: len.div_ceil(a).max(1), keys }
    }

    /// How many numbers.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The number at a position, both below [`len`](Self::len).
    #[inline]
    pub fn at(&self, position: u64) -> u64 {
        let mut x = position;
        loop {
            let (mut l, mut r) = (x / self.b, x % self.b);
            for pair in self.keys.chunks_exact(2) {
                l = add(l, below(r ^ pair[0], self.a), self.a);
                r = add(r, below(l ^ pair[1], self.b), self.b);
            }
            x = l * self.b + r;
            if x < self.len {
                return x;
            }
        }
    }

    /// The position of a number, both below [`len`](Self::len).
    #[inline]
    pub fn position_of(&self, number: u64) -> u64 {
        let mut x = number;
        loop {
            let (mut l, mut r) = (x / self.b, x % self.b);
            for pair in self.keys.chunks_exact(2).rev() {
                r = subtract(r, below(l ^ pair[1], self.b), self.b);
                l = subtract(l, below(r ^ pair[0], self.a), self.a);
            }
            x = l * self.b + r;
            if x < self.len {
                return x;
            }
        }
    }
}

#[inline]
fn add(x: u64, y: u64, modulus: u64) -> u64 {
    let sum = x + y;
    if sum >= modulus { sum - modulus } else { sum }
}

#[inline]
fn subtract(x: u64, y: u64, modulus: u64) -> u64 {
    if x >= y { x - y } else { x + modulus - y }
}

/// A number below `limit` (at most 2^31) that depends on all bits of `x`.
#[inline]
fn below(x: u64, limit: u64) -> u64 {
    ((mix(x) >> 32) * limit) >> 32
}

/// The finalizer of splitmix64.
#[inline]
pub(crate) fn mix(mut x: u64) -> u64 {
    x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ x >> 31
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_number_once_for_every_length() {
        for len in (0..200).chain([256, 257, 65_535, 65_536, 65_537]) {
            let order = Permutation::new(len, len ^ 7);
            let mut seen = vec![false; len as usize];
            for position in 0..len {
                let number = order.at(position);
                assert!(!std::mem::replace(&mut seen[number as usize], true));
                assert_eq!(order.position_of(number), position);
            }
        }
    }

    #[test]
    fn the_first_part_is_spread_evenly() {
        // 100,000 of ten million into 100 bins: chi-square with 99 degrees of freedom is below 148.2 for 999 seeds in 1,000.
        let order = Permutation::new(10_000_000, 42);
        let mut bins = [0_u32; 100];
        let mut rising = 0_u32;
        let mut before = 0;
        for position in 0..100_000 {
            let number = order.at(position);
            bins[(number / 100_000) as usize] += 1;
            rising += u32::from(number > before);
            before = number;
        }
        let chi: f64 = bins.iter().map(|&n| (f64::from(n) - 1000.0).powi(2) / 1000.0).sum();
        assert!((50.0..148.2).contains(&chi), "{chi}");
        // Half of the steps go up; their number deviates by √(n/12).
        assert!((f64::from(rising) - 50_000.0).abs() < 5.0 * (100_000_f64 / 12.0).sqrt(), "{rising}");
    }

    #[test]
    fn seeds_give_different_orders() {
        let (a, b) = (Permutation::new(1 << 32, 1), Permutation::new(1 << 32, 2));
        let equal = (0..10_000).filter(|&position| a.at(position) == b.at(position)).count();
        assert!(equal <= 1);
    }

    proptest! {
        #[test]
        fn there_and_back(len in 1..=Permutation::MAX_LEN, at in any::<u64>(), seed in any::<u64>()) {
            let order = Permutation::new(len, seed);
            let number = order.at(at % len);
            prop_assert!(number < len);
            prop_assert_eq!(order.position_of(number), at % len);
        }
    }
}
