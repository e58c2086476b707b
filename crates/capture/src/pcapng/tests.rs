//! Byte-literal files with one oddity each.

use std::io::Cursor;

use crate::{Input, Reason};

/// (time, link, interface, frame number, captured bytes)
type Seen = (i64, u16, u32, u64, Vec<u8>);

fn read(bytes: Vec<u8>) -> (Vec<Seen>, Vec<Reason>) {
    let mut input = Input::from_reader("test", Cursor::new(bytes)).unwrap();
    let mut seen = Vec::new();
    while let Some(packet) = input.next_packet() {
        assert!(packet.wire_len as usize >= packet.data.len());
        seen.push((packet.time_ns, packet.link.0, packet.interface, packet.frame, packet.data.to_vec()));
    }
    (seen, input.issues().iter().map(|issue| issue.reason.clone()).collect())
}

fn block(big: bool, kind: u32, body: &[u8]) -> Vec<u8> {
    let word = |value: u32| if big { value.to_be_bytes() } else { value.to_le_bytes() };
    let len = word(body.len() as u32 + 12);
    [&word(kind), &len, body, &len].concat()
}

fn section(big: bool) -> Vec<u8> {
    let body: [u8; 16] = if big {
        [0x1a, 0x2b, 0x3c, 0x4d, 0, 1, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255]
    } else {
        [0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255]
    };
    block(big, 0x0a0d_0d0a, &body)
}

/// An interface of link type 1, with options.
fn interface(options: &[u8]) -> Vec<u8> {
    block(false, 1, &[&[1, 0, 0, 0, 0, 0, 0, 0], options].concat())
}

fn enhanced(interface: u8, ticks: u32, data: [u8; 4], options: &[u8]) -> Vec<u8> {
    let fields = [u32::from(interface), 0, ticks, 4, 60].map(u32::to_le_bytes).concat();
    block(false, 6, &[&fields, data.as_slice(), options].concat())
}

fn file(parts: &[Vec<u8>]) -> Vec<u8> {
    [section(false), parts.concat()].concat()
}

#[test]
fn the_default_resolution_is_a_microsecond() {
    let bytes = file(&[interface(&[]), enhanced(0, 5, [1; 4], &[])]);
    assert_eq!(read(bytes), (vec![(5000, 1, 0, 1, vec![1; 4])], vec![]));
}

#[test]
fn resolution_offset_and_fcs_come_from_options() {
    let options = [
        9, 0, 1, 0, 3, 0, 0, 0, // if_tsresol 10^-3
        14, 0, 8, 0, 100, 0, 0, 0, 0, 0, 0, 0, // if_tsoffset 100 s
        13, 0, 1, 0, 2, 0, 0, 0, // if_fcslen 2
        0, 0, 0, 0,
    ];
    let mut fields = [0_u32, 0, 7, 4, 4].map(u32::to_le_bytes).concat();
    fields.extend([1, 1, 9, 9]);
    // The flags of a packet may say another FCS length: 4.
    let flags = [2, 0, 4, 0, 0x80, 0, 0, 0, 0, 0, 0, 0];
    let bytes = file(&[interface(&options), block(false, 6, &fields), enhanced(0, 8, [2; 4], &flags)]);
    let (seen, issues) = read(bytes);
    assert_eq!(seen, [(100_007_000_000, 1, 0, 1, vec![1, 1]), (100_008_000_000, 1, 0, 2, vec![2; 4])]);
    assert_eq!(issues, []);
}

#[test]
fn sections_have_their_own_byte_order_and_interfaces() {
    let second = block(true, 1, &[0, 101, 0, 0, 0, 0, 0, 0]);
    let packet = [0_u32, 0, 9, 2, 2].map(u32::to_be_bytes).concat();
    let packet = block(true, 6, &[packet.as_slice(), &[0xab, 0xcd, 0, 0]].concat());
    let bytes =
        [file(&[interface(&[]), enhanced(0, 5, [1; 4], &[])]), section(true), second, packet].concat();
    let (seen, issues) = read(bytes);
    assert_eq!(seen, [(5000, 1, 0, 1, vec![1; 4]), (9000, 101, 1, 2, vec![0xab, 0xcd])]);
    assert_eq!(issues, []);
}

#[test]
fn simple_and_obsolete_packet_blocks() {
    let obsolete =
        [&[0, 0, 0xff, 0xff][..], &[0_u32, 6, 4, 60].map(u32::to_le_bytes).concat(), &[2; 4]].concat();
    let simple = [&60_u32.to_le_bytes()[..], &[3; 8]].concat();
    let bytes = file(&[interface(&[]), block(false, 2, &obsolete), block(false, 3, &simple)]);
    let (seen, issues) = read(bytes);
    assert_eq!(
        seen,
        [(6000, 1, 0, 1, vec![2; 4]), (6000, 1, 0, 2, vec![3; 8])],
        "the time of the one before"
    );
    assert_eq!(issues, [Reason::NoTime]);
}

#[test]
fn simple_packets_end_at_the_snapshot_length() {
    let mut short = interface(&[]);
    short[12] = 5;
    let bytes = file(&[short, block(false, 3, &[&60_u32.to_le_bytes()[..], &[3; 8]].concat())]);
    assert_eq!(read(bytes).0, [(0, 1, 0, 1, vec![3; 5])]);
}

#[test]
fn packets_of_unknown_interfaces_are_skipped_and_counted() {
    let bytes = file(&[interface(&[]), enhanced(7, 5, [1; 4], &[]), enhanced(0, 6, [2; 4], &[])]);
    let (seen, issues) = read(bytes);
    assert_eq!(seen, [(6000, 1, 0, 2, vec![2; 4])]);
    assert_eq!(issues, [Reason::UnknownInterface { interface: 7 }]);
}

#[test]
fn unknown_blocks_are_skipped_however_long() {
    let long = block(false, 0x1234, &vec![0; 2 << 20]);
    let bytes = file(&[interface(&[]), long, enhanced(0, 6, [2; 4], &[])]);
    assert_eq!(read(bytes), (vec![(6000, 1, 0, 1, vec![2; 4])], vec![]));
}

#[test]
fn a_bad_length_is_searched_past() {
    let mut bad = enhanced(0, 6, [2; 4], &[]);
    bad[4] = 0x33;
    let bytes = file(&[interface(&[]), enhanced(0, 5, [1; 4], &[]), bad, enhanced(0, 7, [3; 4], &[])]);
    let (seen, issues) = read(bytes);
    assert_eq!(seen.iter().map(|seen| seen.4[0]).collect::<Vec<_>>(), [1, 3]);
    assert_eq!(issues, [Reason::BadBlockLength { kind: 6, len: 0x33 }, Reason::Damaged { skipped: 36 }]);
}

#[test]
fn a_wrong_length_at_the_end_of_a_block_costs_nothing() {
    let mut bad = enhanced(0, 6, [2; 4], &[]);
    let place = bad.len() - 1;
    bad[place] = 1;
    let (seen, issues) = read(file(&[interface(&[]), bad, enhanced(0, 7, [3; 4], &[])]));
    assert_eq!(seen.len(), 2);
    assert_eq!(issues, [Reason::BadBlockLength { kind: 6, len: 36 }]);
}

#[test]
fn a_captured_length_beyond_the_block_is_malformed() {
    let mut bad = enhanced(0, 6, [2; 4], &[]);
    bad[20..24].copy_from_slice(&u32::MAX.to_le_bytes());
    let (seen, issues) = read(file(&[interface(&[]), bad, enhanced(0, 7, [3; 4], &[])]));
    assert_eq!(seen.len(), 1);
    assert_eq!(issues, [Reason::BadBlock { kind: 6 }]);
}

#[test]
fn a_file_cut_inside_its_first_block_has_no_packets() {
    assert_eq!(read(section(false)[..10].to_vec()), (vec![], vec![Reason::CutInFileHeader]));
    assert_eq!(read(section(false)[..20].to_vec()), (vec![], vec![Reason::CutInRecord]));
}
