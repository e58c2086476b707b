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

fn event(at: u64, item: u32) -> Event {
    Event { at, item, ..Event::default() }
}

#[test]
fn what_comes_is_shown_bucket_by_bucket_and_can_be_changed() {
    let mut queue = Queue::new();
    for n in 0..100u32 {
        queue.push(u64::from(n) * 10_000, n, 0);
    }
    assert!(queue.refill());
    let ready = queue.ready().len();
    let mut shown = Vec::new();
    for batch in queue.coming() {
        batch.prefetch();
        batch.for_each(|event| shown.push(event.item));
    }
    let expected: Vec<u32> = (ready as u32..100).collect();
    assert_eq!(shown, expected);

    queue.change(|event| event.place = event.item + 7);
    let places: Vec<u32> = std::iter::from_fn(|| queue.pop()).map(|event| event.place).collect();
    assert_eq!(places, (7..107).collect::<Vec<u32>>());
}

impl Model {
    fn push(&mut self, at: u64, item: u32) {
        self.arrivals += 1;
        self.heap.push(Reverse((at, self.arrivals, item)));
    }

    fn pop(&mut self) -> Option<Event> {
        self.heap.pop().map(|Reverse((at, _, item))| event(at, item))
    }
}

fn compare_with_model(seed: u64, spread: u64, most: usize, grain: u64) {
    let mut random = Random::new(seed, Purpose::Workload);
    let (mut queue, mut model) = (Queue::new(), Model::default());
    let mut now = 0;
    for item in 0..40_000 {
        let delta = random.below(spread) / grain * grain;
        queue.push(now + delta, item, 0);
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
    queue.push(5, 0, 0);
    queue.push(9, 1, 0);
    assert_eq!(queue.pop_until(4), None);
    assert_eq!(queue.next_at(), Some(5));
    assert_eq!(queue.pop_until(5), Some(event(5, 0)));
    queue.push(7, 2, 0);
    assert_eq!(queue.pop_until(8), Some(event(7, 2)));
    assert_eq!(queue.pop_until(8), None);
    assert_eq!(queue.len(), 1);
}

#[test]
fn the_end_of_time_is_a_time() {
    let mut queue = Queue::new();
    queue.push(u64::MAX, 1, 0);
    queue.push(u64::MAX, 2, 0);
    queue.push(0, 3, 0);
    let order: Vec<u32> = std::iter::from_fn(|| queue.pop()).map(|event| event.item).collect();
    assert_eq!(order, [3, 1, 2]);
}
