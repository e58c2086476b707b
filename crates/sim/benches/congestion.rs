//! What one ACK costs congestion control: `cargo bench -p subflow-sim --bench congestion`.

#![allow(missing_docs)]

use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use subflow_sim::congestion::{Ack, Algorithm, Congestion};
use subflow_sim::{Duration, Time};

fn acks(criterion: &mut Criterion) {
    for algorithm in Algorithm::ALL.iter().copied() {
        for subflows in [1, 8, 16] {
            let mut congestion = Congestion::new(algorithm, 1460, 10);
            for i in 0..subflows {
                congestion.add();
                congestion.on_loss(i, Time::ZERO, 14_600);
            }
            let mut n = 0u64;
            criterion.bench_function(&format!("{algorithm}/{subflows}"), |bencher| {
                bencher.iter(|| {
                    n += 1;
                    let i = (n % subflows as u64) as usize;
                    let rtt = Duration::from_micros(200 + (n * 7919 + i as u64 * 31) % 40);
                    // A loss now and then keeps windows near 30 packets.
                    if n.is_multiple_of(1000) {
                        congestion.on_loss(i, Time(n * 1_000_000), 30_000);
                    }
                    congestion.on_ack(
                        i,
                        black_box(&Ack {
                            now: Time(n * 1_000_000),
                            acked: 1460,
                            marked: 0,
                            rtt: Some(rtt),
                            in_flight: 30_000,
                            cwnd_limited: true,
                        }),
                    );
                    congestion.window(i)
                });
            });
        }
    }
}

criterion_group!(benches, acks);
criterion_main!(benches);
