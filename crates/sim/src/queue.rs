//! The event queue: a monotone radix heap with wide digits and stable ties.
//!
//! Events never lie before the last one taken. So an event is kept in the bucket of the highest byte in which its time differs from
//! the base of the queue; when the buckets below run out, the first bucket of the lowest floor is opened. A small one is sorted and becomes
//! the front, a large one is poured into the floors below (Ahuja, Mehlhorn, Orlin and Tarjan, "Faster algorithms for the shortest path
//! problem", JACM 1990, with 256 buckets a digit instead of one). Events of equal time always share a bucket and keep their order.

/// Bits of a digit.
const BITS: u32 = 8;
/// Buckets of a floor.
const WIDTH: usize = 1 << BITS;
/// Floors: digits of a time.
const FLOORS: usize = 64 / BITS as usize;
/// Buckets up to this size are sorted rather than poured out.
const SORTED: usize = 24;
/// A front longer than this is poured back: insertion into it would cost too much.
const LONGEST_FRONT: usize = 256;

/// An event: when, and what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// When, in picoseconds.
    pub at: u64,
    /// What: whatever the user of the queue says.
    pub item: u32,
}

/// Events in the order of their times, and those of equal time in the order in which they came.
#[derive(Clone, Debug)]
pub struct Queue {
    /// The events next to be taken, in descending order: the next is the last.
    front: Vec<Event>,
    /// Events before this time belong to the front.
    front_end: u64,
    /// What floors are counted from: never after the next event, and not after `front_end`.
    base: u64,
    /// Floor by floor, bucket by bucket.
    buckets: Vec<Vec<Event>>,
    /// Which buckets of a floor hold something.
    full: [[u64; WIDTH / 64]; FLOORS],
    /// Which floors hold something.
    floors: u32,
    len: usize,
    /// A bucket's memory, while the bucket is poured out.
    spare: Vec<Event>,
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
            front_end: 0,
            base: 0,
            buckets: vec![Vec::new(); WIDTH * FLOORS],
            full: [[0; WIDTH / 64]; FLOORS],
            floors: 0,
            len: 0,
            spare: Vec::new(),
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
    pub fn push(&mut self, at: u64, item: u32) {
        self.len += 1;
        let at = at.max(self.base);
        let event = Event { at, item };
        if at < self.front_end {
            self.push_front(event);
        } else {
            self.push_bucket(event);
        }
    }

    #[inline]
    fn push_bucket(&mut self, event: Event) {
        // A time equal to the base differs in no byte; its bucket is one of the lowest floor.
        let differing = (event.at ^ self.base) | 1;
        let floor = ((63 - differing.leading_zeros()) / BITS) as usize;
        let digit = (event.at >> (floor as u32 * BITS)) as usize & (WIDTH - 1);
        self.full[floor][digit / 64] |= 1 << (digit % 64);
        self.floors |= 1 << floor;
        self.buckets[floor * WIDTH + digit].push(event);
    }

    fn push_front(&mut self, event: Event) {
        // Behind all of the same time: in descending order, before the first that is not later.
        let mut place = self.front.len();
        while place > 0 && self.front[place - 1].at <= event.at {
            place -= 1;
        }
        self.front.insert(place, event);
        if self.front.len() > LONGEST_FRONT {
            self.pour_front();
        }
    }

    /// Puts the front back into buckets, counted from its first event.
    #[cold]
    fn pour_front(&mut self) {
        let Some(first) = self.front.last() else { return };
        // Everything in buckets lies at or after `front_end`, so its place does not change: the base moves within the range that
        // was opened last, above whose digits nothing differs.
        self.base = first.at;
        self.front_end = first.at;
        let mut front = std::mem::take(&mut self.front);
        for event in front.drain(..).rev() {
            self.push_bucket(event);
        }
        self.front = front;
    }

    /// The time of the next event.
    pub fn next_at(&mut self) -> Option<u64> {
        if self.front.is_empty() && !self.fill_front() {
            return None;
        }
        self.front.last().map(|event| event.at)
    }

    /// Takes the next event.
    #[inline]
    pub fn pop(&mut self) -> Option<Event> {
        self.pop_until(u64::MAX)
    }

    /// Takes the next event if it is not later than `until`.
    #[inline]
    pub fn pop_until(&mut self, until: u64) -> Option<Event> {
        if self.front.is_empty() && !self.fill_front() {
            return None;
        }
        let event = *self.front.last()?;
        if event.at > until {
            return None;
        }
        self.front.pop();
        self.len -= 1;
        Some(event)
    }

    /// Opens buckets until the front holds something; false when nothing waits.
    fn fill_front(&mut self) -> bool {
        loop {
            if self.floors == 0 {
                return false;
            }
            let floor = self.floors.trailing_zeros() as usize;
            let words = &mut self.full[floor];
            let Some(word) = words.iter().position(|&word| word != 0) else {
                self.floors &= !(1 << floor);
                continue;
            };
            let digit = word * 64 + words[word].trailing_zeros() as usize;
            words[word] &= words[word] - 1;
            if words.iter().all(|&word| word == 0) {
                self.floors &= !(1 << floor);
            }
            let index = floor * WIDTH + digit;
            let bucket = &mut self.buckets[index];
            let shift = floor as u32 * BITS;
            let Some(first) = bucket.first() else { continue };
            let start = first.at >> shift << shift;
            if floor == 0 || bucket.len() <= SORTED {
                self.base = start;
                // On the lowest floor all times are equal, and more of them may come in any number: they go behind, into the bucket.
                self.front_end = if floor == 0 { start } else { start.saturating_add(1 << shift) };
                self.front.extend(bucket.drain(..).rev());
                if floor > 0 {
                    sort_descending(&mut self.front);
                }
                return true;
            }
            self.base = start;
            self.front_end = start;
            std::mem::swap(bucket, &mut self.spare);
            let mut spare = std::mem::take(&mut self.spare);
            for event in spare.drain(..) {
                self.push_bucket(event);
            }
            self.spare = spare;
        }
    }

    /// All events that wait, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Event> {
        self.front.iter().chain(self.buckets.iter().flatten())
    }
}

/// Insertion sort: short, nearly sorted, and stable (what comes in reversed order of arrival stays so).
fn sort_descending(events: &mut [Event]) {
    for i in 1..events.len() {
        let event = events[i];
        let mut place = i;
        while place > 0 && events[place - 1].at < event.at {
            events[place] = events[place - 1];
            place -= 1;
        }
        events[place] = event;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Random};
    use std::cmp::Reverse;
    use std::collections::BinaryHeap;

    /// A heap ordered by time and by number of arrival: slow and certain.
    #[derive(Default)]
    struct Model {
        heap: BinaryHeap<Reverse<(u64, u64, u32)>>,
        arrivals: u64,
    }

    impl Model {
        fn push(&mut self, at: u64, item: u32) {
            self.arrivals += 1;
            self.heap.push(Reverse((at, self.arrivals, item)));
        }

        fn pop(&mut self) -> Option<Event> {
            self.heap.pop().map(|Reverse((at, _, item))| Event { at, item })
        }
    }

    fn compare_with_model(seed: u64, spread: u64, most: usize, grain: u64) {
        let mut random = Random::new(seed, Purpose::Workload);
        let (mut queue, mut model) = (Queue::new(), Model::default());
        let mut now = 0;
        for item in 0..40_000 {
            let delta = random.below(spread) / grain * grain;
            queue.push(now + delta, item);
            model.push(now + delta, item);
            assert_eq!(queue.len(), model.heap.len());
            while queue.len() > most || random.below(4) == 0 && !queue.is_empty() {
                let event = queue.pop().expect("an event");
                assert_eq!(Some(event), model.pop());
                now = event.at;
            }
        }
        assert_eq!(queue.iter().count(), queue.len());
        while let Some(event) = queue.pop() {
            assert_eq!(Some(event), model.pop());
        }
        assert!(model.heap.is_empty() && queue.is_empty());
    }

    #[test]
    fn order_is_that_of_a_stable_heap() {
        compare_with_model(1, 1, 10, 1);
        compare_with_model(2, 3, 1000, 1);
        compare_with_model(3, 300, 5, 1);
        compare_with_model(4, 5_000_000, 10_000, 1);
        compare_with_model(5, 5_000_000, 300, 100_000);
        compare_with_model(6, 1 << 40, 20_000, 1 << 20);
        compare_with_model(7, 2_000, 20_000, 1);
        compare_with_model(8, 70_000, 2_000, 7);
    }

    #[test]
    fn nothing_is_taken_after_the_limit() {
        let mut queue = Queue::new();
        queue.push(5, 0);
        queue.push(9, 1);
        assert_eq!(queue.pop_until(4), None);
        assert_eq!(queue.next_at(), Some(5));
        assert_eq!(queue.pop_until(5), Some(Event { at: 5, item: 0 }));
        queue.push(7, 2);
        assert_eq!(queue.pop_until(8), Some(Event { at: 7, item: 2 }));
        assert_eq!(queue.pop_until(8), None);
        assert_eq!(queue.len(), 1);
    }

    #[test]
    fn the_end_of_time_is_a_time() {
        let mut queue = Queue::new();
        queue.push(u64::MAX, 1);
        queue.push(u64::MAX, 2);
        queue.push(0, 3);
        let order: Vec<u32> = std::iter::from_fn(|| queue.pop()).map(|event| event.item).collect();
        assert_eq!(order, [3, 1, 2]);
    }
}
