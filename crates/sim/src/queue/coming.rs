//! A look at the events that come soon, bucket by bucket, for their memory to be asked for.

use super::{Bucket, Chunk, Event, Queue, SLOTS, WORDS};
use crate::prefetch::prefetch;

/// Buckets of the lowest floor from the first one on.
#[derive(Debug)]
pub struct Coming<'a> {
    queue: &'a Queue,
    /// The word that is looked at, what is left of it, and which words come after it.
    word: usize,
    bits: u64,
    rest: u32,
}

impl<'a> Coming<'a> {
    #[inline]
    pub(super) fn new(queue: &'a Queue) -> Self {
        let full = &queue.full[0];
        let word = full.summary.trailing_zeros() as usize % WORDS;
        Self { queue, word, bits: full.words[word], rest: full.summary & full.summary.wrapping_sub(1) }
    }
}

impl<'a> Iterator for Coming<'a> {
    type Item = Batch<'a>;

    #[inline]
    fn next(&mut self) -> Option<Batch<'a>> {
        if self.bits == 0 {
            if self.rest == 0 {
                return None;
            }
            self.word = self.rest.trailing_zeros() as usize % WORDS;
            self.rest &= self.rest.wrapping_sub(1);
            self.bits = self.queue.full[0].words[self.word];
        }
        let digit = self.word * 64 + self.bits.trailing_zeros() as usize % 64;
        self.bits &= self.bits.wrapping_sub(1);
        Some(Batch { chunks: &self.queue.chunks, bucket: self.queue.buckets[digit] })
    }
}

/// The events of a bucket, in the order in which they came.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    chunks: &'a [Chunk],
    bucket: Bucket,
}

impl<'a> Batch<'a> {
    /// Asks for the memory of the first events and the last ones.
    #[inline]
    pub fn prefetch(self) {
        for chunk in [self.bucket.head, self.bucket.tail / SLOTS] {
            if let Some(chunk) = self.chunks.get(chunk as usize) {
                prefetch(&chunk.events[0]);
                prefetch(&chunk.next);
            }
        }
    }

    /// Shows all events.
    #[inline]
    pub fn for_each(self, mut show: impl FnMut(&Event)) {
        let mut next = self.bucket.head;
        while let Some(chunk) = self.chunks.get(next as usize) {
            chunk.events.iter().take(self.bucket.filled(next)).for_each(&mut show);
            next = chunk.next;
        }
    }
}
