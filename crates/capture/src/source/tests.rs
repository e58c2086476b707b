//! Every compression, in several pieces, cut, damaged, and what is no capture.

use std::io::{Cursor, Read, Write};

use super::*;
use crate::{Error, Input};

fn capture() -> Vec<u8> {
    let mut writer =
        pcap::Writer::new(Vec::new(), subflow_wire::LinkType(1), pcap::Resolution::Nanos).unwrap();
    for n in 0..200_u32 {
        let data: Vec<u8> =
            (0..100_u32).map(|i| (n.wrapping_mul(i + 7).wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        writer.write(i64::from(n) * 1000, 1500, &data).unwrap();
    }
    writer.finish().unwrap()
}

const ALL: [Compression; 5] =
    [Compression::Gzip, Compression::Zstd, Compression::Xz, Compression::Lz4, Compression::Bzip2];

fn compress(compression: Compression, bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    match compression {
        Compression::Gzip => {
            flate2::bufread::GzEncoder::new(bytes, flate2::Compression::fast())
                .read_to_end(&mut out)
                .unwrap();
        }
        Compression::Zstd => {
            let mut encoder = zstd::stream::write::Encoder::new(&mut out, 1).unwrap();
            encoder.include_checksum(true).unwrap();
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap();
        }
        Compression::Xz => {
            liblzma::read::XzEncoder::new(bytes, 1).read_to_end(&mut out).unwrap();
        }
        Compression::Lz4 => {
            let mut encoder = lz4_flex::frame::FrameEncoder::with_frame_info(
                lz4_flex::frame::FrameInfo::new().content_checksum(true),
                &mut out,
            );
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap();
        }
        Compression::Bzip2 => {
            bzip2::read::BzEncoder::new(bytes, bzip2::Compression::fast()).read_to_end(&mut out).unwrap();
        }
    }
    out
}

fn read(bytes: Vec<u8>) -> (usize, Vec<Reason>, Option<Compression>) {
    let mut input = Input::from_reader("test", Cursor::new(bytes)).unwrap();
    let mut packets = 0;
    while input.next_packet().is_some() {
        packets += 1;
    }
    let reasons = input.issues().iter().map(|issue| issue.reason.clone()).collect();
    (packets, reasons, input.files()[0].compression)
}

#[test]
fn every_compression_in_one_or_more_pieces() {
    let plain = capture();
    let (front, back) = plain.split_at(plain.len() / 3);
    for compression in ALL {
        let whole = compress(compression, &plain);
        assert_eq!(read(whole), (200, vec![], Some(compression)), "{compression}");
        let pieces = [compress(compression, front), compress(compression, back)].concat();
        assert_eq!(read(pieces), (200, vec![], Some(compression)), "{compression} in two pieces");
    }
}

#[test]
fn a_skippable_zstd_frame_may_come_first() {
    let skippable = [0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];
    let bytes = [&skippable[..], &compress(Compression::Zstd, &capture())].concat();
    assert_eq!(read(bytes), (200, vec![], Some(Compression::Zstd)));
}

#[test]
fn cut_anywhere_every_compression_says_so() {
    for compression in ALL {
        let whole = compress(compression, &capture());
        let mut most = 0;
        for len in (1..whole.len()).step_by(37).chain([whole.len() - 1]) {
            let (packets, reasons, _) = read(whole[..len].to_vec());
            assert!(!reasons.is_empty(), "{compression} cut at {len} of {} says nothing", whole.len());
            assert!(packets >= most, "{compression} cut at {len}");
            most = packets;
        }
        let early = reasons_of(&whole[..whole.len() / 2]);
        assert!(early.contains(&Reason::CompressedCut), "{compression}: {early:?}");
    }
}

fn reasons_of(bytes: &[u8]) -> Vec<Reason> {
    read(bytes.to_vec()).1
}

#[test]
fn lz4_cut_between_blocks_is_cut() {
    // Without the end mark and the checksum behind it.
    let mut plain = capture();
    plain.resize(128 << 10, 0);
    let whole = compress(Compression::Lz4, &plain);
    let without_end = whole[..whole.len() - 8].to_vec();
    assert!(reasons_of(&without_end).contains(&Reason::CompressedCut));
}

#[test]
fn damage_ends_the_file_but_not_the_packets_before() {
    for compression in ALL {
        let mut bytes = compress(compression, &capture());
        let middle = bytes.len() / 2;
        bytes[middle..middle + 20].fill(0xa5);
        let (packets, reasons, _) = read(bytes);
        assert!(packets <= 200);
        assert!(!reasons.is_empty(), "{compression}");
    }
}

#[test]
fn other_files_are_refused_with_a_hint() {
    for (bytes, hint) in [
        (&b"snoop\0\0\0\0\0\0\x02"[..], "snoop"),
        (b"PK\x03\x04rest", "zip"),
        (b"{\"tables\": []}", "text"),
        (b"\x01\x02\x03\x04\x05\x06\x07\x08", "subflow reads"),
        (&compress(Compression::Gzip, &compress(Compression::Zstd, &capture())), "twice"),
    ] {
        let error = Input::from_reader("test", Cursor::new(bytes.to_vec())).err().expect("an error");
        assert!(matches!(error, Error::NotACapture { .. }));
        assert!(error.to_string().contains(hint), "{error}");
    }
}
