//! Cost of the analysis alone, a packet: the bundled captures, read into memory first.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use std::{hint::black_box, path::Path};
use subflow_analysis::{Analyzer, Options, summary::Summary};
use subflow_capture::{Input, Packet};
use subflow_wire::LinkType;

struct Stored {
    time_ns: i64,
    wire_len: u32,
    link: LinkType,
    data: Vec<u8>,
}

fn load(name: &str) -> Vec<Stored> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name);
    let mut input = Input::open(&[path]).expect("a bundled capture");
    let mut packets = Vec::new();
    while let Some(Packet { time_ns, wire_len, link, data, .. }) = input.next_packet() {
        packets.push(Stored { time_ns, wire_len, link, data: data.to_vec() });
    }
    packets
}

fn analyze(packets: &[Stored]) -> Summary {
    let mut analyzer = Analyzer::new(Options::default(), Summary::default());
    for (number, packet) in (1..).zip(packets) {
        analyzer.packet(&Packet {
            time_ns: packet.time_ns,
            wire_len: packet.wire_len,
            link: packet.link,
            interface: 0,
            file: 0,
            frame: number,
            data: &packet.data,
        });
    }
    analyzer.finish()
}

fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("analyze");
    for name in ["handover", "dualstack"] {
        let packets = load(&format!("{name}.pcap.zst"));
        group.throughput(Throughput::Elements(packets.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter_batched(|| (), |()| black_box(analyze(&packets)), BatchSize::LargeInput);
        });
    }
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
