//! Capture files: whatever the bytes, reading ends, yields no more than the file can hold, and says what was wrong.

use std::io::Cursor;

use subflow_capture::{Input, MAX_CAPTURED, Reason, pcap as pcap_format, pcapng as pcapng_format};
use subflow_wire::LinkType;

/// Packets after which a compressed input is left alone: a few bytes may stand for gigabytes.
const ENOUGH: usize = 1 << 16;

/// A packet that was kept.
#[derive(Debug, PartialEq, Eq)]
struct Kept {
    time_ns: i64,
    wire_len: u32,
    link: LinkType,
    data: Vec<u8>,
}

/// A pcap file, or its records only (then a file header is put before them).
pub fn pcap(data: &[u8]) {
    let file = with_header(data, [0xa1b2_c3d4, 0xa1b2_3c4d, 0xa1b2_cd34], || {
        pcap_format::Writer::new(Vec::new(), LinkType(1), pcap_format::Resolution::Micros)
            .and_then(pcap_format::Writer::finish)
    });
    let Some(kept) = read_plain(file) else { return };
    let link = kept.first().map_or(LinkType(1), |packet| packet.link);
    let mut writer = pcap_format::Writer::new(Vec::new(), link, pcap_format::Resolution::Nanos)
        .expect("writing to memory");
    let written: Vec<Kept> = kept
        .into_iter()
        .filter(|packet| packet.link == link)
        .filter(|packet| writer.write(packet.time_ns, packet.wire_len, &packet.data).is_ok())
        .collect();
    read_back(writer.finish().expect("writing to memory"), &written);
}

/// A pcapng file, or its blocks after the first interface (then the beginning is put before them).
pub fn pcapng(data: &[u8]) {
    let file = with_header(data, [0x0a0d_0d0a; 3], || {
        let mut writer = pcapng_format::Writer::new(Vec::new())?;
        writer.add_interface(pcapng_format::Interface::new(LinkType(1)))?;
        writer.finish()
    });
    let Some(kept) = read_plain(file) else { return };
    let mut writer = pcapng_format::Writer::new(Vec::new()).expect("writing to memory");
    let mut links: Vec<LinkType> = Vec::new();
    let mut written = Vec::new();
    for packet in kept {
        let known = links.iter().position(|&link| link == packet.link);
        let interface = known.unwrap_or_else(|| {
            links.push(packet.link);
            writer.add_interface(pcapng_format::Interface::new(packet.link)).expect("writing to memory");
            links.len() - 1
        });
        if writer.write(interface as u32, packet.time_ns, packet.wire_len, &packet.data, None).is_ok() {
            written.push(packet);
        }
    }
    read_back(writer.finish().expect("writing to memory"), &written);
}

/// A compressed capture.
pub fn compressed(data: &[u8]) {
    let Ok(mut input) = Input::from_reader("fuzz", Cursor::new(data.to_vec())) else { return };
    let mut packets = 0;
    while let Some(packet) = input.next_packet().filter(|_| packets < ENOUGH) {
        assert!(packet.data.len() <= MAX_CAPTURED as usize);
        assert!(packet.wire_len as usize >= packet.data.len());
        packets += 1;
    }
    assert!(input.issues().iter().all(|issue| issue.count > 0 && !issue.to_string().is_empty()));
}

/// The input as a file: with a header before it if it has none of its own.
fn with_header(data: &[u8], magic: [u32; 3], header: impl Fn() -> std::io::Result<Vec<u8>>) -> Vec<u8> {
    let begins = data.first_chunk().is_some_and(|first| {
        magic.contains(&u32::from_le_bytes(*first)) || magic.contains(&u32::from_be_bytes(*first))
    });
    if begins {
        return data.to_vec();
    }
    let mut file = header().expect("writing to memory");
    file.extend_from_slice(data);
    file
}

/// Reads a file that is not compressed.
fn read_plain(file: Vec<u8>) -> Option<Vec<Kept>> {
    let size = file.len();
    let mut input = Input::from_reader("fuzz", Cursor::new(file)).ok()?;
    let mut kept: Vec<Kept> = Vec::new();
    let (mut captured, mut steps) = (0, 0);
    while let Some(packet) = input.next_packet() {
        assert_eq!(packet.file, 0);
        assert!(packet.frame > 0);
        assert!(packet.data.len() <= MAX_CAPTURED as usize);
        assert!(packet.wire_len as usize >= packet.data.len());
        captured += packet.data.len();
        steps += u32::from(kept.last().is_some_and(|last| last.time_ns > packet.time_ns));
        kept.push(Kept {
            time_ns: packet.time_ns,
            wire_len: packet.wire_len,
            link: packet.link,
            data: packet.data.to_vec(),
        });
        assert!(kept.len() * 16 + captured <= size, "more packets than the file can hold");
    }
    let issues = input.issues();
    let disorder = |reason: &Reason| matches!(reason, Reason::ClockStepsBack { .. } | Reason::OutOfOrder);
    assert!(
        steps == 0 || issues.iter().any(|issue| disorder(&issue.reason)),
        "disorder that nobody tells of"
    );
    assert!(issues.iter().all(|issue| issue.count > 0 && !issue.to_string().is_empty()));
    Some(kept)
}

/// What our own writer wrote reads the same again, without complaints but about its time order.
fn read_back(file: Vec<u8>, written: &[Kept]) {
    let again = read_plain(file).expect("our own file");
    let ordered = written.is_sorted_by_key(|packet| packet.time_ns);
    if ordered {
        assert_eq!(again, written);
    } else {
        assert_eq!(again.len(), written.len());
    }
}
