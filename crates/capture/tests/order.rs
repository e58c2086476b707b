//! Time order within files and across them.

mod common;

use std::io::Cursor;
use std::path::PathBuf;

use common::{Dribble, Owned, drain, pcap_at, pcapng_at, read};
use proptest::collection::vec;
use proptest::prelude::*;
use subflow_capture::{Input, Reason, pcap};
use subflow_wire::LinkType;

const SECOND: i64 = 1_000_000_000;

fn frames(packets: &[Owned]) -> Vec<u64> {
    packets.iter().map(|packet| packet.frame).collect()
}

/// Writes files into a folder and opens the folder.
fn folder(files: &[Vec<u8>]) -> (tempfile::TempDir, Vec<PathBuf>) {
    let folder = tempfile::tempdir().unwrap();
    let write = |(number, bytes): (usize, &Vec<u8>)| {
        let path = folder.path().join(format!("{number:04}.pcap"));
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let paths = files.iter().enumerate().map(write).collect();
    (folder, paths)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn up_to_a_second_late_is_sorted_and_stable(
        steps in vec((0..SECOND / 4, 0..SECOND / 2), 1..300),
        ng in any::<bool>(),
        piece in 1..5000_usize,
    ) {
        let mut now = 1000 * SECOND;
        let times: Vec<i64> = steps.iter().map(|(step, late)| { now += step / 1000 * 1000; now - late / 1000 * 1000 }).collect();
        let bytes = if ng { pcapng_at(&times) } else { pcap_at(&times) };
        let mut expected: Vec<usize> = (0..times.len()).collect();
        expected.sort_by_key(|&number| times[number]);
        let (seen, issues) = read(bytes.clone());
        prop_assert!(issues.is_empty(), "{issues:?}");
        prop_assert_eq!(frames(&seen), expected.iter().map(|&number| number as u64 + 1).collect::<Vec<_>>());
        let mut slowly = Input::from_reader("slow", Dribble(Cursor::new(bytes), piece)).unwrap();
        prop_assert_eq!(drain(&mut slowly), seen);
    }

    #[test]
    fn files_are_merged_by_time_then_by_file(times in vec(vec(0..40_i64, 0..30), 1..6)) {
        let sorted: Vec<Vec<i64>> = times
            .iter()
            .map(|times| {
                let mut times: Vec<i64> = times.iter().map(|time| time * SECOND / 3).collect();
                times.sort_unstable();
                times
            })
            .collect();
        let files: Vec<Vec<u8>> = sorted.iter().map(|times| pcap_at(times)).collect();
        let (_folder, paths) = folder(&files);
        let mut input = Input::open(&paths).unwrap();
        let seen: Vec<_> = drain(&mut input).iter().map(|packet| (packet.time_ns, packet.file, packet.frame)).collect();
        let mut expected: Vec<_> = sorted
            .iter()
            .enumerate()
            .flat_map(|(file, times)| {
                times.iter().enumerate().map(move |(n, &time)| (time, file as u32, n as u64 + 1))
            })
            .collect();
        expected.sort_unstable();
        prop_assert_eq!(seen, expected);
        prop_assert!(input.issues().is_empty());
        prop_assert_eq!(Some(input.bytes_read()), input.bytes_total());
    }
}

#[test]
fn a_clock_set_back_is_passed_on_and_told() {
    let (seen, issues) =
        read(pcap_at(&[100 * SECOND, 101 * SECOND, 50 * SECOND, 50 * SECOND + 2, 50 * SECOND + 1]));
    assert_eq!(frames(&seen), [1, 2, 3, 5, 4], "sorted again behind the step");
    assert_eq!(issues.len(), 1);
    assert_eq!((&issues[0].reason, issues[0].count), (&Reason::ClockStepsBack { back_ns: 51 * SECOND }, 1));
    assert!(!issues[0].reason.loses_data());
}

#[test]
fn one_wild_time_disturbs_only_itself() {
    let (seen, issues) = read(pcap_at(&[SECOND, 900 * SECOND, 2 * SECOND, 3 * SECOND]));
    assert_eq!(frames(&seen), [1, 2, 3, 4]);
    assert_eq!(issues[0].count, 1);
}

/// Large packets within a second, one of them late by many megabytes.
#[test]
fn what_is_too_late_for_the_window_is_told() {
    let mut writer = pcap::Writer::new(Vec::new(), LinkType(1), pcap::Resolution::Nanos).unwrap();
    for time in 1..100 {
        writer.write(time * 1000, 100_000, &[0; 100_000]).unwrap();
    }
    writer.write(1500, 4, &[1; 4]).unwrap();
    writer.write(98_500, 4, &[2; 4]).unwrap();
    let (seen, issues) = read(writer.finish().unwrap());
    assert_eq!(seen.len(), 101);
    assert_eq!(issues.len(), 1);
    assert_eq!((&issues[0].reason, issues[0].count), (&Reason::OutOfOrder, 1));
    let place = seen.iter().position(|packet| packet.frame == 101).unwrap();
    assert_eq!((seen[place - 1].time_ns, seen[place + 1].time_ns), (98_000, 99_000));
}

#[test]
fn records_across_buffers_and_large_ones_keep_their_bytes() {
    let mut writer = pcap::Writer::new(Vec::new(), LinkType(1), pcap::Resolution::Nanos).unwrap();
    let lengths: Vec<usize> = (0..400).map(|n| if n % 50 == 49 { 262_144 } else { n * 37 % 9000 }).collect();
    for (n, &len) in lengths.iter().enumerate() {
        // Neighbours are swapped.
        writer.write((n ^ 1) as i64 * 1_000_000, len as u32, &vec![n as u8; len]).unwrap();
    }
    let (seen, issues) = read(writer.finish().unwrap());
    assert!(issues.is_empty());
    for (place, packet) in seen.iter().enumerate() {
        let n = place ^ 1;
        assert_eq!(packet.frame, n as u64 + 1);
        assert!(packet.data.len() == lengths[n] && packet.data.iter().all(|&byte| byte == n as u8));
    }
}

#[test]
fn rotated_files_are_opened_one_after_the_other() {
    let files: Vec<Vec<u8>> = (0..30)
        .map(|hour| pcap_at(&(0..50).map(|n| hour * 3600 * SECOND + n * SECOND).collect::<Vec<_>>()))
        .collect();
    let total: usize = files.iter().map(Vec::len).sum();
    let (_folder, mut paths) = folder(&files);
    paths.reverse();
    let mut input = Input::open(&paths).unwrap();
    let first = input.next_packet().map(|packet| (packet.file, packet.time_ns));
    assert_eq!(first, Some((29, 0)));
    assert!(input.bytes_read() < total as u64 / 10, "later files are not read yet");
    let rest = drain(&mut input);
    assert!(rest.is_sorted_by_key(|packet| packet.time_ns));
    assert_eq!((rest.len(), input.bytes_read()), (30 * 50 - 1, total as u64));
}

#[test]
fn many_files_at_once_are_merged() {
    let files: Vec<Vec<u8>> = (0..200)
        .map(|file| pcap_at(&(0..200).map(|n| n * SECOND / 10 + file * 1000).collect::<Vec<_>>()))
        .collect();
    let (_folder, paths) = folder(&files);
    let seen = drain(&mut Input::open(&paths).unwrap());
    assert_eq!(seen.len(), 200 * 200);
    assert!(seen.is_sorted_by_key(|packet| (packet.time_ns, packet.file)));
}
