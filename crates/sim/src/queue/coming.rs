//! A look at the events that come soon, bucket by bucket, for their memory to be asked for.

use super::{Bucket, Chunk, Event, Queue, RING, SLOTS};
use crate::prefetch::prefetch;

/// Buckets of the ring from the first one on.
#[derive(Debug)]
pub struct Coming<'a> {
    queue: &'a Queue,
    /// Where to look next, and where not to come again.
    from: usize,
    first: Option<usize>,
}

impl<'a> Coming<'a> {
    #[inline]
    pub(super) fn new(queue: &'a Queue) -> Self {
        Self { queue, from: queue.slot(queue.base), first: None }
    }
}

impl<'a> Iterator for Coming<'a> {
    type Item = Batch<'a>;

    #[inline]
    fn next(&mut self) -> Option<Batch<'a>> {
        let slot = self.queue.ring.next(self.from)?;
        if self.first == Some(slot) {
            return None;
        }
        self.first.get_or_insert(slot);
        self.from = (slot + 1) % RING;
        Some(Batch { chunks: &self.queue.chunks, bucket: self.queue.buckets[slot] })
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
