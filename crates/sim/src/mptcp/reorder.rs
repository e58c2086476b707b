//! What has arrived of one direction of a connection, by data sequence number.
//!
//! With several subflows data arrives out of order all the time, so that this is made for it: as long as chunks begin at multiples
//! of one size (which they do when the application always has enough to send), arrivals beyond the first hole are bits, and one
//! more arrival costs the same however many holes there are. The first chunk that begins elsewhere turns bits into ranges.

use std::collections::VecDeque;

use crate::prefetch::prefetch;
use crate::transport::Ranges;

/// The receiving side of one direction's data. Numbers are offsets: 0 is the first byte.
#[derive(Clone, Debug)]
pub struct DataReceiver {
    nxt: u64,
    chunk: u64,
    beyond: Beyond,
    /// Bytes held beyond the first hole.
    held: u64,
    /// The most bytes that were held.
    pub most_held: u64,
    /// Bytes that came again.
    pub duplicate_bytes: u64,
    /// Chunks that came when an earlier one was missing.
    pub out_of_order: u64,
}

#[derive(Clone, Debug)]
enum Beyond {
    /// Bit n of word w: chunk number `(base + w) · 64 + n` is here. `last` is the length of a shorter chunk at the very end.
    Bits {
        words: VecDeque<u64>,
        base: u64,
        last: Option<(u64, u64)>,
    },
    Ranges(Ranges),
}

impl DataReceiver {
    /// Nothing has arrived; chunks are expected to begin at multiples of `chunk`.
    pub fn new(chunk: u32) -> Self {
        let beyond = Beyond::Bits { words: VecDeque::new(), base: 0, last: None };
        Self {
            nxt: 0,
            chunk: u64::from(chunk.max(1)),
            beyond,
            held: 0,
            most_held: 0,
            duplicate_bytes: 0,
            out_of_order: 0,
        }
    }

    /// The first byte that is missing: the data acknowledgment.
    #[inline]
    pub fn nxt(&self) -> u64 {
        self.nxt
    }

    /// Asks for the memory that the arrival of a chunk needs.
    #[inline]
    pub fn prefetch(&self, dsn: u64) {
        if let Beyond::Bits { words, base, .. } = &self.beyond
            && let Some(word) = words.get((dsn / self.chunk / 64).wrapping_sub(*base) as usize)
        {
            prefetch(word);
        }
    }

    /// Bytes held beyond the first hole.
    #[inline]
    pub fn held(&self) -> u64 {
        self.held
    }

    /// The DATA_FIN was taken: it has a number of its own.
    pub fn skip_fin(&mut self) {
        self.nxt += 1;
    }

    /// Bytes `dsn..dsn + len` have arrived. Returns how many were new.
    #[inline]
    pub fn on_data(&mut self, dsn: u64, len: u64) -> u64 {
        if dsn == self.nxt && self.held == 0 {
            self.nxt += len;
            return len;
        }
        self.out_of_line(dsn, len)
    }

    fn out_of_line(&mut self, dsn: u64, len: u64) -> u64 {
        let end = dsn + len;
        if end <= self.nxt {
            self.duplicate_bytes += len;
            return 0;
        }
        let start = dsn.max(self.nxt);
        if start > self.nxt {
            self.out_of_order += 1;
        }
        let fresh = match &mut self.beyond {
            Beyond::Bits { words, base, last } => {
                let index = dsn / self.chunk;
                let aligned = index * self.chunk == dsn && start == dsn;
                let fits = len == self.chunk || (len < self.chunk && last.is_none_or(|l| l == (index, len)));
                let no_later_end = last.is_none_or(|(at, _)| index <= at);
                if !(aligned
                    && fits
                    && no_later_end
                    && (len == self.chunk || last.is_some() || is_last(words, *base, index)))
                {
                    self.turn_into_ranges();
                    return self.out_of_line(dsn, len);
                }
                if words.is_empty() {
                    *base = (self.nxt / self.chunk) / 64;
                }
                let word = (index / 64 - *base) as usize;
                while words.len() <= word {
                    words.push_back(0);
                }
                let bit = 1 << (index % 64);
                if words[word] & bit != 0 {
                    0
                } else {
                    words[word] |= bit;
                    if len < self.chunk {
                        *last = Some((index, len));
                    }
                    len
                }
            }
            Beyond::Ranges(ranges) => ranges.insert(start, end),
        };
        self.duplicate_bytes += len - fresh;
        self.held += fresh;
        self.most_held = self.most_held.max(self.held);
        if start == self.nxt {
            self.deliver();
        }
        fresh
    }

    /// Moves on through what is held.
    fn deliver(&mut self) {
        let before = self.nxt;
        match &mut self.beyond {
            Beyond::Bits { words, base, last } => {
                let mut index = self.nxt / self.chunk;
                loop {
                    let word = index / 64;
                    while *base < word && words.pop_front().is_some() {
                        *base += 1;
                    }
                    let Some(front) = words.front() else { break };
                    let run = (front >> (index % 64)).trailing_ones().min(64 - (index % 64) as u32);
                    if run == 0 {
                        break;
                    }
                    index += u64::from(run);
                    self.nxt += u64::from(run) * self.chunk;
                    if let Some((at, len)) = *last
                        && index == at + 1
                    {
                        self.nxt = self.nxt - self.chunk + len;
                        *last = None;
                        words.clear();
                        break;
                    }
                    if !index.is_multiple_of(64) {
                        break;
                    }
                }
            }
            Beyond::Ranges(ranges) => self.nxt = ranges.take_through(self.nxt),
        }
        self.held -= self.nxt - before;
        if self.held == 0
            && let Beyond::Bits { words, .. } = &mut self.beyond
        {
            words.clear();
        }
    }

    #[cold]
    fn turn_into_ranges(&mut self) {
        let mut ranges = Ranges::default();
        if let Beyond::Bits { words, base, last } = &self.beyond {
            for (w, word) in words.iter().enumerate() {
                for bit in (0..64).filter(|bit| word >> bit & 1 == 1) {
                    let index = (base + w as u64) * 64 + bit;
                    let len = last.filter(|l| l.0 == index).map_or(self.chunk, |l| l.1);
                    if index * self.chunk >= self.nxt {
                        ranges.insert(index * self.chunk, index * self.chunk + len);
                    }
                }
            }
        }
        self.beyond = Beyond::Ranges(ranges);
    }

    /// Gives memory back.
    pub fn stop(&mut self) {
        self.beyond = Beyond::Ranges(Ranges::default());
        self.held = 0;
    }
}

/// Whether no bit beyond chunk `index` is set, so that it may be the last one.
fn is_last(words: &VecDeque<u64>, base: u64, index: u64) -> bool {
    words.iter().enumerate().all(|(w, word)| {
        let first = (base + w as u64) * 64;
        if first > index {
            *word == 0
        } else if first + 63 <= index {
            true
        } else {
            *word >> (index - first) >> 1 == 0
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_hole_holds_back_and_then_lets_go() {
        let mut data = DataReceiver::new(1000);
        assert_eq!(data.on_data(0, 1000), 1000);
        assert_eq!(data.on_data(2000, 1000), 1000);
        assert_eq!(data.on_data(3000, 1000), 1000);
        assert_eq!(data.on_data(5000, 400), 400);
        assert_eq!((data.nxt(), data.held(), data.out_of_order), (1000, 2400, 3));
        assert_eq!(data.on_data(3000, 1000), 0);
        assert_eq!(data.on_data(1000, 1000), 1000);
        assert_eq!((data.nxt(), data.held()), (4000, 400));
        assert_eq!(data.on_data(4000, 1000), 1000);
        assert_eq!((data.nxt(), data.held(), data.most_held), (5400, 0, 3400));
        assert_eq!(data.duplicate_bytes, 1000);
        assert_eq!(data.on_data(0, 1000), 0);
    }

    /// Chunks of 10 bytes, the last of `tail`, in any order, some twice.
    fn check(order: Vec<usize>, count: usize, tail: u64, odd: Option<usize>) {
        let mut data = DataReceiver::new(10);
        let total = (count as u64 - 1) * 10 + tail;
        let mut model = vec![false; total as usize];
        let pieces = order.into_iter().map(|i| i % count).chain(0..count);
        for (n, i) in pieces.enumerate() {
            let mut start = i as u64 * 10;
            let end = (start + 10).min(total);
            if odd == Some(n) {
                start = (start + 3).min(end - 1);
            }
            let fresh = (start..end).filter(|&b| !model[b as usize]).count() as u64;
            (start..end).for_each(|b| model[b as usize] = true);
            assert_eq!(data.on_data(start, end - start), fresh, "chunk {i}");
            let nxt = model.iter().position(|here| !here).unwrap_or(model.len());
            assert_eq!(data.nxt(), nxt as u64);
            assert_eq!(data.held(), (model.iter().filter(|here| **here).count() - nxt) as u64);
        }
    }

    proptest! {
        #[test]
        fn as_a_byte_map(order in proptest::collection::vec(0usize..400, 0..500), count in 1usize..400, tail in 1u64..=10) {
            check(order, count, tail, None);
        }

        #[test]
        fn as_a_byte_map_with_an_odd_chunk(order in proptest::collection::vec(0usize..90, 0..200), count in 1usize..90, tail in 1u64..=10, odd in 0usize..200) {
            check(order, count, tail, Some(odd));
        }
    }
}
