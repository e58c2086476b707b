//! What the settings change: times, other frames, several inputs.

use std::fs;
use std::path::{Path, PathBuf};
use subflow_analysis::{Analyzer, Options, rows::Tables};
use subflow_anonymize::{Report, Secret, Settings, run};
use subflow_capture::{
    Input,
    pcap::{self, Resolution},
};

/// A datagram from 10.0.0.1:53 to 10.0.0.2:53 in Ethernet, without payload.
const DATAGRAM: [u8; 42] = [
    2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, // Ethernet
    0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0x66, 0xcf, 10, 0, 0, 1, 10, 0, 0, 2, // IPv4
    0, 53, 0, 53, 0, 8, 0, 0, // UDP
];

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name)
}

fn settings(inputs: Vec<PathBuf>, output: &Path) -> Settings {
    Settings {
        inputs,
        output: output.to_owned(),
        secret: Secret::new(b"a secret for tests only").expect("long enough"),
        shift_ns: 0,
        drop_others: false,
        force: false,
        verify: true,
    }
}

/// Runs, and makes sure that the tables stayed what they were.
fn checked(settings: &Settings) -> Report {
    let report = run(settings, &mut |_| true).expect("runs");
    assert_eq!(report.differences, Some(Vec::new()));
    report
}

fn tables(path: &Path) -> Tables {
    let mut analyzer = Analyzer::new(Options::default(), Tables::default());
    let mut input = Input::open(&[path.to_owned()]).expect("opens");
    while let Some(packet) = input.next_packet() {
        analyzer.packet(&packet);
    }
    let mut tables = analyzer.finish();
    tables.sort();
    tables
}

#[test]
fn times_are_shifted_and_durations_stay() {
    const DAY: i64 = 86_400_000_000_000;
    let dir = tempfile::tempdir().expect("a folder");
    let output = dir.path().join("shifted.pcap");
    let input = example("checksum.pcap.zst");
    checked(&Settings { shift_ns: -DAY, ..settings(vec![input.clone()], &output) });
    let (before, after) = (tables(&input), tables(&output));
    assert!(!before.subflows.is_empty());
    for (was, is) in before.connections.iter().zip(&after.connections) {
        assert_eq!((is.start.0, is.duration), (was.start.0 - DAY, was.duration));
    }
    for (was, is) in before.events.iter().zip(&after.events) {
        assert_eq!((is.time.0, is.frame, is.kind), (was.time.0 - DAY, was.frame, was.kind));
    }
}

#[test]
fn frames_without_tcp_are_emptied_or_left_out() {
    let dir = tempfile::tempdir().expect("a folder");
    let mixed = dir.path().join("mixed.pcap");
    let mut input = Input::open(&[example("checksum.pcap.zst")]).expect("opens");
    let first = input.next_packet().expect("a packet");
    let file = fs::File::create(&mixed).expect("writes");
    let mut writer = pcap::Writer::new(file, first.link, Resolution::Nanos).expect("writes");
    writer.write_packet(&first).expect("writes");
    let mut packets = 1;
    while let Some(packet) = input.next_packet() {
        writer.write(packet.time_ns, DATAGRAM.len() as u32, &DATAGRAM).expect("writes");
        writer.write_packet(&packet).expect("writes");
        packets += 1;
    }
    writer.finish().expect("writes");

    let kept = checked(&settings(vec![mixed.clone()], &dir.path().join("kept.pcap")));
    assert_eq!((kept.packets, kept.rewritten, kept.others), (2 * packets - 1, packets, packets - 1));
    assert_eq!((kept.written, kept.renumbered), (2 * packets - 1, false));

    let output = dir.path().join("dropped.pcap");
    let dropped = checked(&Settings { drop_others: true, ..settings(vec![mixed], &output) });
    assert_eq!((dropped.others, dropped.written, dropped.renumbered), (packets - 1, packets, true));
    let bytes = fs::read(output).expect("reads");
    assert!(!bytes.windows(8).any(|window| window == &DATAGRAM[26..34]), "addresses of a datagram are left");
}

#[test]
fn several_captures_become_one() {
    let dir = tempfile::tempdir().expect("a folder");
    let output = dir.path().join("both.pcapng.gz");
    let inputs = vec![example("handover.pcap.zst"), example("dualstack.pcap.zst")];
    let report = checked(&settings(inputs.clone(), &output));
    let (one, other, both) = (tables(&inputs[0]), tables(&inputs[1]), tables(&output));
    assert_eq!(both.connections.len(), one.connections.len() + other.connections.len());
    assert_eq!(report.connections, both.connections.len() as u64);
    let bytes =
        |tables: &Tables| tables.connections.iter().map(|row| row.bytes_c2s + row.bytes_s2c).sum::<u64>();
    assert_eq!(bytes(&both), bytes(&one) + bytes(&other));
    assert!(bytes(&both) > 0);
}

#[test]
fn an_output_that_is_there_stays() {
    let dir = tempfile::tempdir().expect("a folder");
    let output = dir.path().join("out.pcap");
    fs::write(&output, "mine").expect("writes");
    let error =
        run(&settings(vec![example("checksum.pcap.zst")], &output), &mut |_| true).expect_err("refuses");
    assert!(error.to_string().contains("out.pcap"), "{error}");
    assert_eq!(fs::read(&output).expect("reads"), b"mine");
}
