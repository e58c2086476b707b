//! What is written is read back, in both containers; what is cut is read up to the cut; any bytes are survived.

mod common;

use std::io::Cursor;

use common::{Dribble, drain, read};
use proptest::collection::vec;
use proptest::prelude::*;
use subflow_capture::{Input, Reason, pcap, pcapng};
use subflow_wire::LinkType;

/// (seconds, nanoseconds, bytes on the wire beyond the captured, data, interface, comment)
type Written = (u32, u32, u32, Vec<u8>, usize, Option<String>);

fn written() -> impl Strategy<Value = Vec<Written>> {
    let packet = (
        any::<u32>(),
        0..1_000_000_000_u32,
        0..100_000_u32,
        vec(any::<u8>(), 0..200),
        0..3_usize,
        proptest::option::of("[a-zA-Zäö ]{0,20}"),
    );
    vec(packet, 0..40).prop_map(|mut packets| {
        packets.sort_by_key(|packet| (packet.0, packet.1));
        packets
    })
}

const LINKS: [u16; 3] = [1, 101, 276];

fn time(packet: &Written) -> i64 {
    i64::from(packet.0) * 1_000_000_000 + i64::from(packet.1)
}

fn as_pcap(packets: &[Written], resolution: pcap::Resolution) -> Vec<u8> {
    let mut writer = pcap::Writer::new(Vec::new(), LinkType(113), resolution).unwrap();
    for packet in packets {
        writer.write(time(packet), packet.2 + packet.3.len() as u32, &packet.3).unwrap();
    }
    writer.finish().unwrap()
}

fn as_pcapng(packets: &[Written]) -> Vec<u8> {
    let mut writer = pcapng::Writer::new(Vec::new()).unwrap();
    for (number, link) in LINKS.into_iter().enumerate() {
        let name = (number > 0).then_some("eth0");
        let interface = pcapng::Interface { link: LinkType(link), name, description: None };
        assert_eq!(writer.add_interface(interface).unwrap(), number as u32);
    }
    for packet in packets {
        let wire = packet.2 + packet.3.len() as u32;
        writer.write(packet.4 as u32, time(packet), wire, &packet.3, packet.5.as_deref()).unwrap();
    }
    writer.finish().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn pcap_is_read_as_written(packets in written(), nanos in any::<bool>()) {
        let resolution = if nanos { pcap::Resolution::Nanos } else { pcap::Resolution::Micros };
        let (seen, issues) = read(as_pcap(&packets, resolution));
        prop_assert!(issues.is_empty(), "{issues:?}");
        prop_assert_eq!(seen.len(), packets.len());
        for (number, (seen, packet)) in seen.iter().zip(&packets).enumerate() {
            let unit = if nanos { 1 } else { 1000 };
            prop_assert_eq!(seen.time_ns, time(packet) / unit * unit);
            prop_assert_eq!(seen.wire_len, packet.2 + packet.3.len() as u32);
            prop_assert_eq!((seen.link, seen.interface, seen.frame), (113, 0, number as u64 + 1));
            prop_assert_eq!(&seen.data, &packet.3);
        }
    }

    #[test]
    fn pcapng_is_read_as_written(packets in written(), piece in 1..100_usize) {
        let bytes = as_pcapng(&packets);
        let (seen, issues) = read(bytes.clone());
        prop_assert!(issues.is_empty(), "{issues:?}");
        prop_assert_eq!(seen.len(), packets.len());
        for (seen, packet) in seen.iter().zip(&packets) {
            prop_assert_eq!((seen.time_ns, seen.link), (time(packet), LINKS[packet.4]));
            prop_assert_eq!((seen.wire_len, seen.interface), (packet.2 + packet.3.len() as u32, packet.4 as u32));
            prop_assert_eq!(&seen.data, &packet.3);
        }
        let mut slowly = Input::from_reader("slow", Dribble(Cursor::new(bytes), piece)).unwrap();
        prop_assert_eq!(drain(&mut slowly), seen);
    }

    #[test]
    fn any_bytes_behind_a_magic_number_are_survived(
        magic in 0..5_usize,
        mut bytes in vec(any::<u8>(), 0..3000),
        calm in any::<bool>(),
    ) {
        if calm {
            // Small numbers look more like records than random ones do.
            bytes.iter_mut().for_each(|byte| *byte &= 0x07);
        }
        let section = [0x0a, 0x0d, 0x0d, 0x0a, 28, 0, 0, 0, 0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0];
        let begin: &[u8] = match magic {
            0 => &[0xd4, 0xc3, 0xb2, 0xa1],
            1 => &[0xa1, 0xb2, 0x3c, 0x4d],
            2 => &[0x34, 0xcd, 0xb2, 0xa1],
            3 => &section,
            _ => &[],
        };
        if let Ok(mut input) = Input::from_reader("any", Cursor::new([begin, &bytes].concat())) {
            for packet in drain(&mut input) {
                prop_assert!(packet.wire_len as usize >= packet.data.len());
                prop_assert!(packet.data.len() <= bytes.len());
            }
        }
    }

    #[test]
    fn damage_costs_what_it_hits(packets in written(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        for mut bytes in [as_pcap(&packets, pcap::Resolution::Nanos), as_pcapng(&packets)] {
            let begin = 120.min(bytes.len() - 1);
            let place = begin + at.index(bytes.len() - begin);
            bytes[place] = byte;
            if let Ok(mut input) = Input::from_reader("damaged", Cursor::new(bytes)) {
                prop_assert!(drain(&mut input).len() <= packets.len() + 2);
            }
        }
    }
}

#[test]
fn cut_at_every_byte_yields_the_packets_before() {
    let packets: Vec<Written> =
        (0..12).map(|n| (1000 + n, n, 9, vec![n as u8; n as usize * 3], 0, None)).collect();
    for bytes in [as_pcap(&packets, pcap::Resolution::Micros), as_pcapng(&packets)] {
        let (whole, _) = read(bytes.clone());
        let mut counts = vec![0; whole.len() + 1];
        for len in 0..bytes.len() {
            let (seen, issues) = read(bytes[..len].to_vec());
            assert_eq!(seen, whole[..seen.len()], "cut at {len}");
            assert!(seen.len() < whole.len(), "cut at {len}");
            // Every cut is told, unless it falls between two records.
            counts[seen.len()] += usize::from(issues.is_empty());
            assert!(issues.iter().all(|issue| matches!(
                issue.reason,
                Reason::CutInRecord | Reason::CutInFileHeader | Reason::Empty
            )));
        }
        assert!(counts.iter().skip(1).all(|&silent| silent <= 1), "{counts:?}");
    }
}

#[test]
fn writers_refuse_what_the_formats_cannot_hold() {
    let mut writer = pcap::Writer::new(Vec::new(), LinkType(1), pcap::Resolution::Micros).unwrap();
    assert!(writer.write(-1, 0, &[]).is_err());
    assert!(writer.write(i64::MAX, 0, &[]).is_err());
    assert!(writer.write(0, 0, &vec![0; 262_145]).is_err());
    assert!(writer.write(0, 0, &[1, 2]).is_ok());
    let (seen, _) = read(writer.finish().unwrap());
    assert_eq!((seen.len(), seen[0].wire_len), (1, 2));

    let mut writer = pcapng::Writer::new(Vec::new()).unwrap();
    assert!(writer.write(0, 0, 0, &[], None).is_err(), "no interface yet");
    writer.add_interface(pcapng::Interface::new(LinkType(1))).unwrap();
    assert!(writer.write(0, -1, 0, &[], None).is_err());
    assert!(writer.write(0, i64::MAX, 0, &vec![0; 262_144], None).is_ok());
    let (seen, _) = read(writer.finish().unwrap());
    assert_eq!((seen.len(), seen[0].time_ns, seen[0].data.len()), (1, i64::MAX, 262_144));
}
