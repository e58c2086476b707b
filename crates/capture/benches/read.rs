//! How long reading takes: pcap and pcapng, in order and with neighbours swapped.

use std::hint::black_box;
use std::io::Cursor;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use subflow_capture::{Input, pcap, pcapng};
use subflow_wire::LinkType;

const PACKETS: usize = 200_000;
const CAPTURED: usize = 106;

/// Times 8 µs apart, the packet at `n` exchanged with that at `n ^ swap`.
fn times(swap: usize) -> impl Iterator<Item = i64> {
    (0..PACKETS).map(move |n| 1_700_000_000_000_000_000 + (n ^ swap) as i64 * 8000)
}

fn pcap_file(swap: usize) -> Vec<u8> {
    let mut writer = pcap::Writer::new(Vec::new(), LinkType(1), pcap::Resolution::Nanos).expect("a header");
    for time in times(swap) {
        writer.write(time, 1500, &[0x5a; CAPTURED]).expect("a packet");
    }
    writer.finish().expect("a file")
}

fn pcapng_file() -> Vec<u8> {
    let mut writer = pcapng::Writer::new(Vec::new()).expect("a section");
    let interface = writer.add_interface(pcapng::Interface::new(LinkType(1))).expect("an interface");
    for time in times(0) {
        writer.write(interface, time, 1500, &[0x5a; CAPTURED], None).expect("a packet");
    }
    writer.finish().expect("a file")
}

fn read(bytes: Vec<u8>) -> usize {
    let mut input = Input::from_reader("bench", Cursor::new(bytes)).expect("a capture");
    let mut sum = 0;
    while let Some(packet) = input.next_packet() {
        sum += black_box(packet.data).len();
    }
    assert_eq!(sum, PACKETS * CAPTURED);
    sum
}

fn reading(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("read");
    group.throughput(Throughput::Elements(PACKETS as u64));
    for (name, bytes) in [
        ("pcap", pcap_file(0)),
        ("pcapng", pcapng_file()),
        ("pcap_neighbours_swapped", pcap_file(1)),
        ("pcap_runs_of_64_swapped", pcap_file(64)),
    ] {
        group.bench_function(name, |bencher| {
            bencher.iter_batched(|| bytes.clone(), read, BatchSize::LargeInput);
        });
    }
    group.finish();
}

criterion_group!(benches, reading);
criterion_main!(benches);
