//! The event queue: a calendar for what comes soon, a monotone radix heap for the rest, with stable ties.
//!
//! Time is divided into spans, and a span into slots of `2^shift` picoseconds. The calendar (Brown, "Calendar queues", CACM 1988) is a ring of
//! buckets, one a slot, that always reaches seven spans ahead: most events are put where they will be taken from. The slot that comes next is sorted and
//! becomes the front. The shift follows the density of events, so that a dozen or two are sorted at once, without a branch that could be mispredicted.
//!
//! An event beyond the ring is kept in the bucket of the highest digit in which its span differs from the last span of the ring (Ahuja, Mehlhorn,
//! Orlin and Tarjan, "Faster algorithms for the shortest path problem", JACM 1990, with 2048 buckets a digit instead of one). When time enters
//! a span, one more at the other end is poured into the ring, before anything else can be put there.
//!
//! Events of equal time always share a bucket and keep their order. Buckets are lists of chunks from one pool, in which the chunk freed last is
//! used next: memory follows the events that wait, stays in the cache while they are few, and is read in order when they are many.

mod coming;
mod full;
mod ranks;
#[cfg(test)]
mod tests;

pub use coming::{Batch, Coming};

use full::Full;

/// Buckets of the ring.
const RING: usize = 1 << 12;
/// Bits of the number of slots of a span.
const SPAN_BITS: u32 = 9;
/// Spans of the ring behind that of the front.
const AHEAD: u64 = (RING >> SPAN_BITS) as u64 - 1;
/// Bits of a digit.
const BITS: u32 = 11;
/// Buckets of a floor: of a digit of spans.
const WIDTH: usize = 1 << BITS;
/// Floors: digits of a span.
const FLOORS: usize = (64 - SPAN_BITS as usize).div_ceil(BITS as usize);
/// Buckets in all: those of the ring, then floor by floor.
const BUCKETS: usize = RING + FLOORS * WIDTH;
/// Events of a chunk, which is four cache lines.
const CHUNK: usize = 15;
/// Slots of a chunk as they are numbered: the next power of two.
const SLOTS: u32 = 16;
/// Events that a bucket of the ring holds on average, at least and at most, or else the shift is changed. More than a factor of two apart, so that
/// there is a shift that suits.
const FEW: usize = 12;
const MANY: usize = 30;
/// So many buckets are opened before their average counts.
const OPENED: usize = 256;
/// A single bucket as large as this counts at once.
const FLOOD: usize = 1024;
/// Sorted by rank up to this size, and so many chunks.
const RANKED: usize = 60;
const RANKED_CHUNKS: usize = RANKED / CHUNK;
/// Bits of the time within a bucket for which ranks are computed; so that a number below 64 fits beside them into 31.
const RANK_BITS: u32 = 25;
/// Largest shift: 1.1 s.
const MOST_SHIFT: u32 = 40;
/// No chunk.
const NIL: u32 = u32::MAX;

/// An event: when, and what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// When, in picoseconds.
    pub at: u64,
    /// What: whatever the user of the queue says.
    pub item: u32,
    /// Where, or whatever else the user of the queue wants to know at once.
    pub place: u32,
}

/// Some events of a bucket, in the order in which they came.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(256))]
struct Chunk {
    events: [Event; CHUNK],
    /// The chunk behind this one, in a bucket or among the free ones.
    next: u32,
}

const _: () = assert!(size_of::<Chunk>() == 256);

/// A list of chunks: the first chunk, and the slot to be filled next (counted over all chunks). When that is the last slot of a chunk, another chunk is
/// needed.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    head: u32,
    tail: u32,
}

const EMPTY: Bucket = Bucket { head: NIL, tail: CHUNK as u32 };

impl Bucket {
    /// The first events of each chunk that count.
    const fn filled(self, chunk: u32) -> usize {
        if self.tail / SLOTS == chunk { self.tail as usize % SLOTS as usize } else { CHUNK }
    }
}

/// Events in the order of their times, and those of equal time in the order in which they came.
#[derive(Clone, Debug)]
pub struct Queue {
    /// The events next to be taken, in order, from `taken` to `end`.
    front: Vec<Event>,
    taken: usize,
    end: usize,
    /// Events before this time belong to the front.
    front_end: u64,
    /// The start of the slot that became the front: no event comes before it.
    base: u64,
    /// Bits of a time below the number of its slot.
    shift: u32,
    /// The last span of the ring.
    poured: u64,
    chunks: Vec<Chunk>,
    /// The list of free chunks.
    free: u32,
    buckets: Box<[Bucket; BUCKETS]>,
    ring: Full<{ RING / 64 }>,
    full: [Full<{ WIDTH / 64 }>; FLOORS],
    /// Which floors hold something.
    floors: u32,
    len: usize,
    /// Buckets of the ring opened since the shift was last looked at, and events in them.
    opened: usize,
    found: usize,
    /// Events found since the shift was last changed.
    since: usize,
    /// A bucket before it is sorted.
    scratch: Vec<Event>,
}

impl Default for Queue {
    fn default() -> Self {
        Self::new()
    }
}

impl Queue {
    /// An empty queue at time zero.
    pub fn new() -> Self {
        Self {
            front: Vec::new(),
            taken: 0,
            end: 0,
            front_end: 0,
            base: 0,
            shift: 14,
            poured: 0,
            chunks: Vec::new(),
            free: NIL,
            buckets: Box::new([EMPTY; BUCKETS]),
            ring: Full::default(),
            full: [Full::default(); FLOORS],
            floors: 0,
            len: 0,
            opened: 0,
            found: 0,
            since: 0,
            scratch: Vec::new(),
        }
    }

    /// How many events wait.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether no event waits.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds an event. One that lies before the last event taken happens next.
    #[inline]
    pub fn push(&mut self, at: u64, item: u32, place: u32) {
        self.len += 1;
        if at < self.front_end {
            self.push_front(at.max(self.base), item, place);
        } else {
            self.push_bucket(at, item, place);
        }
    }

    /// The place of a time in the ring.
    #[inline]
    const fn slot(&self, at: u64) -> usize {
        (at >> self.shift) as usize & (RING - 1)
    }

    /// The number of the span of a time.
    #[inline]
    const fn span(&self, at: u64) -> u64 {
        at >> (self.shift + SPAN_BITS)
    }

    /// The bucket of a span beyond the ring.
    #[inline(never)]
    fn beyond(&self, span: u64) -> usize {
        let floor = (63 - (span ^ self.poured | 1).leading_zeros()) / BITS;
        let digit = (span >> (floor * BITS)) as usize & (WIDTH - 1);
        RING + floor as usize * WIDTH + digit
    }

    /// Puts an event at the end of its bucket.
    #[inline]
    fn push_bucket(&mut self, at: u64, item: u32, place: u32) {
        let slot = at >> self.shift;
        let span = slot >> SPAN_BITS;
        let mut index = slot as usize & (RING - 1);
        if span > self.poured {
            index = RING + (span as usize & (WIDTH - 1));
        }
        // Whether it is in the ring cannot be foretold: no branch but for what lies further off, which is rare.
        if span > self.poured | (WIDTH as u64 - 1) {
            index = self.beyond(span);
        }
        if self.buckets[index].tail % SLOTS == CHUNK as u32 {
            return self.push_chunk(index, at, item, place);
        }
        self.put(index, at, item, place);
    }

    /// The same with a new chunk.
    #[inline(never)]
    fn push_chunk(&mut self, index: usize, at: u64, item: u32, place: u32) {
        self.lengthen(index);
        self.put(index, at, item, place);
    }

    /// Writes an event to a bucket whose last chunk has room.
    #[inline]
    fn put(&mut self, index: usize, at: u64, item: u32, place: u32) {
        // What is in the chunk need not be read, so nobody waits for it.
        let tail = self.buckets[index].tail;
        self.buckets[index].tail = tail + 1;
        let slot = &mut self.chunks[(tail / SLOTS) as usize].events[(tail % SLOTS) as usize];
        slot.at = at;
        slot.item = item;
        slot.place = place;
    }

    /// Adds a chunk to a bucket.
    #[inline]
    fn lengthen(&mut self, index: usize) {
        let new = self.free;
        let new = if let Some(chunk) = self.chunks.get_mut(new as usize) {
            self.free = chunk.next;
            chunk.next = NIL;
            new
        } else {
            self.chunks.push(Chunk { events: [Event::default(); CHUNK], next: NIL });
            self.chunks.len() as u32 - 1
        };
        let bucket = &mut self.buckets[index];
        if bucket.head == NIL {
            bucket.head = new;
            match index.checked_sub(RING) {
                None => self.ring.set(index),
                Some(index) => {
                    let (floor, digit) = (index / WIDTH, index % WIDTH);
                    self.full[floor].set(digit);
                    self.floors |= 1 << floor;
                }
            }
        } else {
            self.chunks[(bucket.tail / SLOTS) as usize].next = new;
        }
        bucket.tail = new * SLOTS;
    }

    /// Puts an event into the front, behind all of the same time.
    #[inline(never)]
    fn push_front(&mut self, at: u64, item: u32, place: u32) {
        let event = Event { at, item, place };
        self.front.truncate(self.end);
        let mut before = self.end;
        while before > self.taken && self.front[before - 1].at > at {
            before -= 1;
        }
        self.front.insert(before, event);
        self.end += 1;
        // The front need not end as long as events come for its own time.
        if self.taken > 64 && self.taken > self.end / 2 {
            self.front.drain(..self.taken);
            self.end -= self.taken;
            self.taken = 0;
        }
    }

    /// Makes ready what comes next, when nothing is: all that [`ready`](Self::ready) then tells. False when there was something ready, or
    /// nothing waits.
    #[inline]
    pub fn refill(&mut self) -> bool {
        self.taken == self.end && self.fill_front()
    }

    /// The events that come next, in order; what is pushed may come between them.
    pub fn ready(&self) -> &[Event] {
        self.front.get(self.taken..self.end).unwrap_or_default()
    }

    /// The buckets that come after the events that are [`ready`](Self::ready), soonest first, as far as the ring has them. What is
    /// pushed may come between them.
    #[inline]
    pub fn coming(&self) -> Coming<'_> {
        Coming::new(self)
    }

    /// The time of the next event.
    pub fn next_at(&mut self) -> Option<u64> {
        self.refill();
        self.ready().first().map(|event| event.at)
    }

    /// Takes the next event.
    #[inline]
    pub fn pop(&mut self) -> Option<Event> {
        self.pop_until(u64::MAX)
    }

    /// Takes the next event if it is not later than `until`.
    #[inline]
    pub fn pop_until(&mut self, until: u64) -> Option<Event> {
        self.refill();
        self.take_until(until)
    }

    /// The same, of those that are [`ready`](Self::ready).
    #[inline]
    pub fn take_until(&mut self, until: u64) -> Option<Event> {
        if self.taken == self.end {
            return None;
        }
        let event = *self.front.get(self.taken)?;
        if event.at > until {
            return None;
        }
        self.taken += 1;
        self.len -= 1;
        Some(event)
    }

    /// Opens buckets until the front holds something; false when nothing waits.
    #[inline(never)]
    fn fill_front(&mut self) -> bool {
        self.taken = 0;
        self.end = 0;
        loop {
            let Some(slot) = self.ring.next(self.slot(self.base)) else {
                if self.floors == 0 {
                    return false;
                }
                self.jump();
                continue;
            };
            self.ring.clear(slot);
            let bucket = std::mem::replace(&mut self.buckets[slot], EMPTY);
            let Some(chunk) = self.chunks.get(bucket.head as usize) else { continue };
            self.base = chunk.events[0].at >> self.shift << self.shift;
            self.front_end = self.base;
            self.advance();
            if self.opened < OPENED && self.sort(bucket) {
                self.opened += 1;
                self.found += self.end;
                self.front_end = self.base.saturating_add(1 << self.shift);
                return true;
            }
            self.take_list(bucket);
            if !self.adapt() {
                self.front_end = self.base.saturating_add(1 << self.shift);
                self.front.clear();
                self.front.extend_from_slice(&self.scratch);
                self.front.sort_by_key(|event| event.at);
                self.end = self.front.len();
                return true;
            }
            self.pour();
        }
    }

    /// The last span that the ring has room for.
    #[inline]
    fn last(&self) -> u64 {
        (self.span(self.base) + AHEAD).min(self.span(u64::MAX))
    }

    /// Lets the ring reach as far as it can.
    #[inline]
    fn advance(&mut self) {
        let last = self.last();
        while self.poured < last {
            if self.floors == 0 {
                self.poured = last;
                return;
            }
            let index = self.beyond(self.poured + 1);
            self.poured += 1;
            if self.buckets[index].head != NIL {
                self.open_beyond(index);
            }
        }
    }

    /// Lets the ring begin where the first bucket beyond it does, when it is empty.
    #[cold]
    fn jump(&mut self) {
        let floor = self.floors.trailing_zeros() as usize % FLOORS;
        let Some(digit) = self.full[floor].next(0) else { return };
        let index = RING + floor * WIDTH + digit;
        let Some(chunk) = self.chunks.get(self.buckets[index].head as usize) else { return };
        let below = floor as u32 * BITS;
        self.poured = self.span(chunk.events[0].at) >> below << below;
        self.base = self.poured << (self.shift + SPAN_BITS);
        self.front_end = self.base;
        self.open_beyond(index);
    }

    /// Pours a bucket beyond the ring into the ring and the floors below.
    fn open_beyond(&mut self, index: usize) {
        let (floor, digit) = ((index - RING) / WIDTH, (index - RING) % WIDTH);
        if self.full[floor].clear(digit) {
            self.floors &= !(1 << floor);
        }
        let bucket = std::mem::replace(&mut self.buckets[index], EMPTY);
        self.take_list(bucket);
        self.pour();
    }

    /// Moves the events of a bucket into the scratch, and its chunks to the free ones.
    fn take_list(&mut self, bucket: Bucket) {
        self.scratch.clear();
        let (mut next, mut last) = (bucket.head, bucket.head);
        while let Some(chunk) = self.chunks.get(next as usize) {
            // A copy of fixed length costs less than one of the right length.
            let len = self.scratch.len() + bucket.filled(next);
            self.scratch.extend_from_slice(&chunk.events);
            self.scratch.truncate(len);
            last = std::mem::replace(&mut next, chunk.next);
        }
        if let Some(chunk) = self.chunks.get_mut(last as usize) {
            chunk.next = std::mem::replace(&mut self.free, bucket.head);
        }
    }

    /// Puts the scratch into buckets.
    fn pour(&mut self) {
        let mut scratch = std::mem::take(&mut self.scratch);
        for event in scratch.drain(..) {
            self.push_bucket(event.at, event.item, event.place);
        }
        self.scratch = scratch;
    }

    /// The events of a bucket, in order and stable, become the front, and its chunks are free; false when they are too many for that.
    #[inline]
    fn sort(&mut self, bucket: Bucket) -> bool {
        if self.shift > RANK_BITS {
            return false;
        }
        // The number of arrival is the last digits of a key, so that all are different.
        let mut keys = [i32::MAX; ranks::MOST + CHUNK];
        let mut list = [NIL; RANKED_CHUNKS];
        let (mut next, mut count, mut len) = (bucket.head, 0, 0);
        while let Some(chunk) = self.chunks.get(next as usize) {
            let Some(place) = list.get_mut(count) else { return false };
            *place = next;
            // A fixed number of them costs less than the right one, here and below.
            let first = count * CHUNK;
            for (i, (key, event)) in keys[first..].iter_mut().zip(&chunk.events).enumerate() {
                *key = ((event.at.wrapping_sub(self.base)) as i32) << 6 | (first + i) as i32;
            }
            len = first + bucket.filled(next);
            count += 1;
            next = chunk.next;
        }
        keys[len..].iter_mut().take(CHUNK).for_each(|key| *key = i32::MAX);
        let Some(keys) = keys.first_chunk() else { return false };
        let ranks = ranks::ranks(keys, len);
        if self.front.len() < ranks::MOST {
            self.front.resize(ranks::MOST, Event::default());
        }
        self.end = len;
        let Some(front) = self.front.first_chunk_mut::<{ ranks::MOST }>() else { return false };
        for (&number, ranks) in list.iter().take(count).zip(ranks.chunks(CHUNK)) {
            let chunk = &self.chunks[number as usize];
            for (event, &rank) in chunk.events.iter().zip(ranks) {
                front[rank as usize % ranks::MOST] = *event;
            }
        }
        if let Some(last) = count.checked_sub(1) {
            self.chunks[list[last] as usize].next = std::mem::replace(&mut self.free, bucket.head);
        }
        true
    }

    /// Looks whether buckets are too full or too empty; if so, puts all events (but those of the scratch) into others, and returns true.
    #[inline]
    fn adapt(&mut self) -> bool {
        self.opened += 1;
        self.found += self.scratch.len();
        (self.opened > OPENED || self.scratch.len() >= FLOOD) && self.rebuild()
    }

    #[cold]
    fn rebuild(&mut self) -> bool {
        self.since += self.found;
        let flood = self.scratch.len() >= FLOOD;
        let mean = if flood { self.scratch.len() } else { self.found / self.opened };
        (self.opened, self.found) = (0, 0);
        let shift = if mean > MANY {
            self.shift.saturating_sub(mean.div_ceil(MANY).next_power_of_two().ilog2())
        } else if mean < FEW {
            (self.shift + (MANY / mean.max(1)).ilog2()).min(MOST_SHIFT)
        } else {
            self.shift
        };
        // It takes as long as the taking of as many events as wait: not more often than that.
        let alike = self.scratch.iter().all(|event| event.at == self.scratch[0].at);
        if shift == self.shift || self.since < self.len || flood && alike {
            return false;
        }
        let all: Vec<Event> = self.iter().collect();
        self.chunks.clear();
        self.free = NIL;
        self.buckets.fill(EMPTY);
        self.ring = Full::default();
        self.full = [Full::default(); FLOORS];
        self.floors = 0;
        self.shift = shift;
        self.poured = self.last();
        self.since = 0;
        for event in all {
            self.push_bucket(event.at, event.item, event.place);
        }
        true
    }

    /// Lets all events that wait be changed, in no order; not their times.
    pub fn change(&mut self, mut change: impl FnMut(&mut Event)) {
        self.front.iter_mut().take(self.end).skip(self.taken).for_each(&mut change);
        for bucket in &self.buckets[..] {
            let mut next = bucket.head;
            while let Some(chunk) = self.chunks.get_mut(next as usize) {
                chunk.events.iter_mut().take(bucket.filled(next)).for_each(&mut change);
                next = chunk.next;
            }
        }
    }

    /// All events that wait, in no order that means anything.
    pub fn iter(&self) -> impl Iterator<Item = Event> {
        let lists = self.buckets.iter().flat_map(move |bucket| {
            let mut next = bucket.head;
            let chunks = std::iter::from_fn(move || {
                let chunk = self.chunks.get(next as usize)?;
                let filled = bucket.filled(std::mem::replace(&mut next, chunk.next));
                Some(chunk.events.iter().take(filled).copied())
            });
            chunks.flatten()
        });
        self.ready().iter().copied().chain(lists)
    }
}
