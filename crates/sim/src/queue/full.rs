//! Which of some buckets hold something.

/// A bit a bucket, and a bit for each word of these that is not zero: `64 * WORDS` buckets, at most 4096.
#[derive(Clone, Copy, Debug)]
pub(super) struct Full<const WORDS: usize> {
    words: [u64; WORDS],
    summary: u64,
}

impl<const WORDS: usize> Default for Full<WORDS> {
    fn default() -> Self {
        Self { words: [0; WORDS], summary: 0 }
    }
}

impl<const WORDS: usize> Full<WORDS> {
    #[inline]
    pub(super) fn set(&mut self, index: usize) {
        let word = index / 64 % WORDS;
        self.words[word] |= 1 << (index % 64);
        self.summary |= 1 << word;
    }

    /// Whether nothing is left.
    #[inline]
    pub(super) fn clear(&mut self, index: usize) -> bool {
        let word = index / 64 % WORDS;
        self.words[word] &= !(1 << (index % 64));
        if self.words[word] == 0 {
            self.summary &= !(1 << word);
        }
        self.summary == 0
    }

    /// The first from an index on, going round.
    #[inline]
    pub(super) fn next(&self, from: usize) -> Option<usize> {
        let word = from / 64 % WORDS;
        let here = self.words[word] >> (from % 64);
        if here != 0 {
            return Some(from + here.trailing_zeros() as usize);
        }
        if self.summary == 0 {
            return None;
        }
        // The word itself comes last: what is left of it lies before the index.
        let later = self.summary >> word >> 1 << word << 1;
        let word = if later == 0 { self.summary } else { later }.trailing_zeros() as usize % WORDS;
        Some(word * 64 + self.words[word].trailing_zeros() as usize % 64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_one_is_found_all_around() {
        let mut full = Full::<64>::default();
        assert_eq!(full.next(7), None);
        for index in [3, 64, 100, 4095] {
            full.set(index);
        }
        let next = |full: &Full<64>, from| full.next(from).expect("some");
        assert_eq!(
            [0, 3, 4, 64, 65, 101, 4095].map(|from| next(&full, from)),
            [3, 3, 64, 64, 100, 4095, 4095]
        );
        assert!(!full.clear(4095));
        assert_eq!([101, 4095, 100].map(|from| next(&full, from)), [3, 3, 100]);
        assert!(!full.clear(3) && !full.clear(64));
        assert_eq!([101, 100, 0].map(|from| next(&full, from)), [100, 100, 100]);
        assert!(full.clear(100));
        assert_eq!(full.next(0), None);
    }
}
