//! Byte-literal files with one oddity each.

use std::io::Cursor;

use subflow_wire::LinkType;

use crate::{Input, Reason};

/// (time, length on the wire, frame number, captured bytes)
type Seen = (i64, u32, u64, Vec<u8>);

fn read(bytes: Vec<u8>) -> (Vec<Seen>, Vec<Reason>) {
    let mut input = Input::from_reader("test", Cursor::new(bytes)).unwrap();
    let mut seen = Vec::new();
    while let Some(packet) = input.next_packet() {
        assert_eq!((packet.interface, packet.file, packet.link), (0, 0, LinkType(1)));
        seen.push((packet.time_ns, packet.wire_len, packet.frame, packet.data.to_vec()));
    }
    (seen, input.issues().iter().map(|issue| issue.reason.clone()).collect())
}

const LITTLE: [u8; 24] = [0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0];

fn record(seconds: u32, fraction: u32, captured: u32, original: u32, data: &[u8]) -> Vec<u8> {
    let words = [seconds, fraction, captured, original];
    words.iter().flat_map(|word| word.to_le_bytes()).chain(data.iter().copied()).collect()
}

fn good(seconds: u32, byte: u8) -> Vec<u8> {
    record(seconds, 5, 4, 60, &[byte; 4])
}

fn file(parts: &[Vec<u8>]) -> Vec<u8> {
    LITTLE.iter().copied().chain(parts.concat()).collect()
}

#[test]
fn microseconds_little_endian() {
    let (seen, issues) = read(file(&[good(1000, 1), good(1001, 2)]));
    assert_eq!(seen, [(1_000_000_005_000, 60, 1, vec![1; 4]), (1_001_000_005_000, 60, 2, vec![2; 4])]);
    assert_eq!(issues, []);
}

#[test]
fn nanoseconds_big_endian() {
    let bytes = [
        0xa1, 0xb2, 0x3c, 0x4d, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 1, // header
        0, 0, 3, 0xe8, 0, 0, 0, 7, 0, 0, 0, 2, 0, 0, 0, 9, 0xaa, 0xbb,
    ];
    assert_eq!(read(bytes.to_vec()), (vec![(1_000_000_000_007, 9, 1, vec![0xaa, 0xbb])], vec![]));
}

#[test]
fn modified_format_has_longer_record_headers() {
    let mut bytes = file(&[]);
    bytes[..4].copy_from_slice(&[0x34, 0xcd, 0xb2, 0xa1]);
    for second in 1..=3 {
        bytes.extend(record(second, 0, 2, 2, &[0xee; 8]));
        bytes.extend([second as u8; 2]);
    }
    let (seen, issues) = read(bytes);
    assert_eq!(seen.iter().map(|seen| seen.3[0]).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(issues, []);
}

#[test]
fn frame_check_sequence_is_cut_off() {
    let mut bytes = file(&[
        record(1, 0, 10, 10, &[1, 1, 1, 1, 1, 1, 9, 9, 9, 9]),
        record(2, 0, 8, 10, &[2, 2, 2, 2, 2, 2, 9, 9]), // snapped inside the FCS
        record(3, 0, 5, 10, &[3; 5]),
    ]);
    bytes[23] = 0x24;
    let (seen, _) = read(bytes);
    let lengths: Vec<_> = seen.iter().map(|seen| (seen.1, seen.3.len())).collect();
    assert_eq!(lengths, [(6, 6), (6, 6), (6, 5)]);
}

#[test]
fn empty_and_cut_headers_are_issues() {
    assert_eq!(read(vec![]), (vec![], vec![Reason::Empty]));
    for len in 1..24 {
        assert_eq!(read(LITTLE[..len].to_vec()), (vec![], vec![Reason::CutInFileHeader]), "{len} bytes");
    }
    assert_eq!(read(LITTLE.to_vec()), (vec![], vec![]));
}

#[test]
fn captured_above_original_raises_the_original() {
    let (seen, issues) = read(file(&[record(1, 0, 4, 2, &[1; 4]), good(2, 2), record(3, 0, 4, 0, &[3; 4])]));
    assert_eq!(seen.iter().map(|seen| seen.1).collect::<Vec<_>>(), [4, 60, 4]);
    assert_eq!(issues, [Reason::CapturedAboveOriginal]);
}

#[test]
fn an_insane_length_is_searched_past() {
    let bad = record(1001, 0, 0x8000_0000, 0x8000_0000, &[0x55; 33]);
    let (seen, issues) = read(file(&[good(1000, 1), bad, good(1002, 3), good(1003, 4), good(1004, 5)]));
    assert_eq!(seen.iter().map(|seen| seen.3[0]).collect::<Vec<_>>(), [1, 3, 4, 5]);
    assert_eq!(issues, [Reason::Damaged { skipped: 49 }]);
}

#[test]
fn noise_at_the_end_is_lost_and_says_how_much() {
    let noise: Vec<u8> = (0..3000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8 | 1).collect();
    let mut input = Input::from_reader("test", Cursor::new(file(&[good(1000, 1), noise]))).unwrap();
    assert_eq!(input.next_packet().map(|packet| packet.frame), Some(1));
    assert_eq!(input.next_packet(), None);
    let [issue] = input.issues() else { panic!("{:?}", input.issues()) };
    assert_eq!((&issue.reason, issue.offset, issue.count), (&Reason::Lost { dropped: 3000 }, Some(44), 1));
}

#[test]
fn a_cut_record_names_its_place() {
    let mut bytes = file(&[good(1, 1), good(2, 2)]);
    bytes.pop();
    let mut input = Input::from_reader("test", Cursor::new(bytes)).unwrap();
    assert!(input.next_packet().is_some());
    assert_eq!(input.next_packet(), None);
    assert_eq!(input.issues()[0].offset, Some(44));
    assert_eq!(input.issues()[0].to_string(), "file ends inside a packet record at byte 44");
}

#[test]
fn a_packet_above_the_limit_is_skipped_by_its_length() {
    let large = record(1001, 0, 300_000, 300_000, &vec![7; 300_000]);
    let limit = record(1002, 0, 262_144, 262_144, &vec![8; 262_144]);
    let (seen, issues) = read(file(&[good(1000, 1), large, limit, good(1003, 4)]));
    let frames: Vec<_> = seen.iter().map(|seen| (seen.2, seen.3.len())).collect();
    assert_eq!(frames, [(1, 4), (3, 262_144), (4, 4)], "the skipped one keeps its number");
    assert_eq!(issues, [Reason::TooLarge { len: 300_000 }]);
}
