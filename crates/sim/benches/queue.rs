//! Nanoseconds per pop and push at a given number of events that wait (criterion). The times ahead are spread like those of packets: a
//! transmission, a delay and some queue.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use subflow_sim::queue::Queue;
use subflow_sim::random::{Purpose, Random};

/// Times ahead: 1.2 µs steps up to 12 µs and a delay of 1 µs, shifted a little.
fn ahead(random: &mut Random) -> u64 {
    1_000_000 + random.below(10) * 1_200_000 + random.below(1_200_000)
}

fn queues(c: &mut Criterion) {
    for pending in [10_000u32, 100_000, 1_000_000] {
        let mut random = Random::new(1, Purpose::Workload);
        let mut queue = Queue::new();
        for item in 0..pending {
            queue.push(ahead(&mut random), item, 0);
        }
        c.bench_function(&format!("radix/{pending}"), |b| {
            b.iter(|| {
                if let Some(event) = queue.pop() {
                    queue.push(event.at + ahead(&mut random), black_box(event.item), 0);
                }
            });
        });
        let mut heap = BinaryHeap::new();
        let mut arrivals = 0u64;
        for item in 0..pending {
            arrivals += 1;
            heap.push(Reverse((ahead(&mut random), arrivals, item)));
        }
        c.bench_function(&format!("std/{pending}"), |b| {
            b.iter(|| {
                if let Some(Reverse((at, _, item))) = heap.pop() {
                    arrivals += 1;
                    heap.push(Reverse((at + ahead(&mut random), arrivals, black_box(item))));
                }
            });
        });
    }
}

criterion_group!(benches, queues);
criterion_main!(benches);
