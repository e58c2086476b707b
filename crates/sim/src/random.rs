//! Random streams: one for each purpose, so that two schemes can meet the same arrivals, losses and hashes.
//!
//! A stream is keyed by (seed, purpose, index) and depends on nothing else: what one part draws never shifts what another sees.
//! The generator is SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).

/// What a stream is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Who sends what to whom and when.
    Workload,
    /// Salts of switches, ports of subflows, path choices.
    Hashing,
    /// Random loss; the index is the link.
    Loss,
    /// Choices of congestion control, path managers and schedulers.
    Congestion,
    /// Choices of load balancers at hosts (FlowBender's V, PLB, spraying); the index is the flow.
    Balancing,
    /// Keys, tokens, nonces and initial sequence numbers.
    Keys,
    /// What middleboxes choose.
    Middlebox,
}

/// A stream of random numbers.
#[derive(Clone, Debug)]
pub struct Random {
    state: u64,
}

/// A 64-bit number from another, every bit depending on every bit: the finalizer of SplitMix64 ("variant 13" of Stafford).
pub const fn mix(z: u64) -> u64 {
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

impl Random {
    /// The stream of a purpose.
    pub const fn new(seed: u64, purpose: Purpose) -> Self {
        Self::indexed(seed, purpose, 0)
    }

    /// One stream of many for a purpose.
    pub const fn indexed(seed: u64, purpose: Purpose, index: u64) -> Self {
        let state = mix(mix(mix(seed.wrapping_add(GOLDEN)) ^ (purpose as u64 + 1)).wrapping_add(index));
        Self { state }
    }

    /// 64 random bits.
    pub const fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GOLDEN);
        mix(self.state)
    }

    /// 32 random bits.
    pub const fn next_u32(&mut self) -> u32 {
        (self.next_u64() >> 32) as u32
    }

    /// Uniform in `0..bound`, without bias (Lemire's method); 0 when the bound is 0.
    pub const fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 {
            return 0;
        }
        let mut product = self.next_u64() as u128 * bound as u128;
        if (product as u64) < bound {
            let threshold = bound.wrapping_neg() % bound;
            while (product as u64) < threshold {
                product = self.next_u64() as u128 * bound as u128;
            }
        }
        (product >> 64) as u64
    }

    /// Uniform in [0, 1), with 53 bits.
    pub const fn unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// True with a probability (never for 0, always for 1).
    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// Exponentially distributed with a mean.
    pub fn exponential(&mut self, mean: f64) -> f64 {
        -(1.0 - self.unit()).ln() * mean
    }

    /// Puts a slice in a uniformly random order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, slice: &mut [T]) {
        for i in (1..slice.len()).rev() {
            slice.swap(i, self.below(i as u64 + 1) as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_is_splitmix64() {
        // The first numbers of the reference code for the state 1234567.
        let mut random = Random { state: 1_234_567 };
        assert_eq!(random.next_u64(), 6_457_827_717_110_365_317);
        assert_eq!(random.next_u64(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn streams_are_apart() {
        let first = |purpose, index| Random::indexed(7, purpose, index).next_u64();
        assert_ne!(first(Purpose::Loss, 0), first(Purpose::Loss, 1));
        assert_ne!(first(Purpose::Loss, 0), first(Purpose::Hashing, 0));
        assert_eq!(first(Purpose::Loss, 3), first(Purpose::Loss, 3));
    }

    #[test]
    fn numbers_are_uniform() {
        let mut random = Random::new(1, Purpose::Workload);
        let mut counts = [0u32; 7];
        let mut sum = 0.0;
        let mut waits = 0.0;
        for _ in 0..70_000 {
            counts[random.below(7) as usize] += 1;
            sum += random.unit();
            waits += random.exponential(3.0);
        }
        // Six standard deviations of a binomial count are 556; of the means .0066 and .068.
        assert!(counts.iter().all(|&count| count.abs_diff(10_000) < 556), "{counts:?}");
        assert!((sum / 70_000.0 - 0.5).abs() < 0.0066);
        assert!((waits / 70_000.0 - 3.0).abs() < 0.068);
        assert_eq!(random.below(0), 0);
    }

    #[test]
    fn a_shuffle_is_a_permutation() {
        let mut numbers: Vec<u32> = (0..100).collect();
        Random::new(3, Purpose::Workload).shuffle(&mut numbers);
        assert_ne!(numbers, (0..100).collect::<Vec<_>>());
        numbers.sort_unstable();
        assert_eq!(numbers, (0..100).collect::<Vec<_>>());
    }
}
