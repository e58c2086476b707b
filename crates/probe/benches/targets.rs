//! Orders and lookups: what one more target costs before it is sent.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use subflow_probe::targets::{List, Permutation, Places, Plan, Ranges, Wanted};

/// The walk of ZMap through the multiplicative group modulo the prime next above 2^32.
fn cyclic(c: &mut Criterion) {
    let mut current = 3_u64;
    c.bench_function("order/cyclic group", |b| {
        b.iter(|| {
            loop {
                current = (current * black_box(3_u64)) % 4_294_967_311;
                if current <= 1 << 32 {
                    break current;
                }
            }
        });
    });
}

fn order(c: &mut Criterion) {
    let order = Permutation::new(1 << 32, 7);
    let mut position = 0;
    c.bench_function("order/feistel", |b| {
        b.iter(|| {
            position = (position + 1) & 0xffff_ffff;
            order.at(position)
        });
    });
    c.bench_function("order/feistel backwards", |b| {
        b.iter(|| {
            position = (position + 1) & 0xffff_ffff;
            order.position_of(position)
        });
    });
}

fn lookups(c: &mut Criterion) {
    let site = 0x2a00_1234_u128 << 96;
    let blocked: Vec<_> =
        (0..1_000_000_u128).map(|k| (site + ((2 * k) << 64), site + ((2 * k) << 64) + 9)).collect();
    let list: Vec<_> = (0..1_000_000_u128).map(|k| site + ((k * 17) << 60)).map(|a| (a, a)).collect();
    let set = Ranges::union(list.clone()).difference(&Ranges::union(blocked.clone()));
    let places = Places::new(&set).expect("a small set");
    let len = places.len();
    let mut number = 0_u64;
    c.bench_function("address/by number, a million ranges", |b| {
        b.iter(|| {
            number = (number + 982_451_653) % len;
            places.at(number)
        });
    });
    c.bench_function("address/to number, a million ranges", |b| {
        b.iter(|| {
            number = (number + 982_451_653) % len;
            places.number_of(places.at(number).expect("in the set"))
        });
    });
    c.bench_function("lists/a million addresses less a million prefixes", |b| {
        b.iter(|| {
            let wanted = Wanted {
                targets: List { v6: list.clone(), ..List::default() },
                block: List { v6: blocked.clone(), ..List::default() },
                ports: [80, 443].into_iter().collect(),
                shards: 1,
                ..Wanted::default()
            };
            Plan::new(wanted).expect("a plan")
        });
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10);
    targets = cyclic, order, lookups
}
criterion_main!(benches);
