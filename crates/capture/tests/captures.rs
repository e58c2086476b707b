//! Captures of others: what another reader sees in them, and that none of them is too much.

mod common;

use std::path::{Path, PathBuf};

use common::{Owned, drain};
use pcap_parser::{Block, PcapBlockOwned, PcapError, create_reader};
use subflow_capture::{Error, Input, Reason};
use subflow_testdata::{files_below, folder as data};

fn captures(folder: &Path) -> Vec<PathBuf> {
    let known = |path: &PathBuf| path.extension().is_some_and(|end| end == "pcap" || end == "pcapng");
    files_below(folder).into_iter().filter(known).collect()
}

/// (frame, original length, captured bytes) of all packets as pcap-parser reads them; `None` where it gives up.
fn other_reader(path: &Path) -> Option<Vec<(u64, u32, Vec<u8>)>> {
    let mut packets = Vec::new();
    let mut reader = create_reader(1 << 20, std::fs::File::open(path).ok()?).ok()?;
    loop {
        match reader.next() {
            Ok((used, block)) => {
                let frame = packets.len() as u64 + 1;
                match block {
                    PcapBlockOwned::Legacy(packet) => {
                        packets.push((frame, packet.origlen, packet.data.to_vec()));
                    }
                    PcapBlockOwned::NG(Block::EnhancedPacket(packet)) => {
                        let data = packet.data.get(..packet.caplen as usize)?;
                        packets.push((frame, packet.origlen, data.to_vec()));
                    }
                    // It has no obsolete packets, and simple ones with their padding.
                    PcapBlockOwned::NG(Block::SimplePacket(_) | Block::Unknown(_) | Block::Custom(_)) => {
                        return None;
                    }
                    _ => {}
                }
                reader.consume(used);
            }
            Err(PcapError::Eof) => return Some(packets),
            Err(PcapError::Incomplete(_)) => reader.refill().ok()?,
            Err(_) => return None,
        }
    }
}

fn read(path: &Path) -> (Vec<Owned>, Vec<Reason>) {
    let mut input = Input::open(&[path.to_owned()]).expect("a capture");
    let packets = drain(&mut input);
    (packets, input.issues().iter().map(|issue| issue.reason.clone()).collect())
}

#[test]
fn packets_are_those_of_pcap_parser() {
    let mut compared = 0;
    for folder in ["formats", "crafted", "truth", "real"] {
        let Some(folder) = data(folder) else { return };
        for path in captures(&folder) {
            let Some(expected) = other_reader(&path) else { continue };
            let (mut seen, reasons) = read(&path);
            // It knows nothing of these.
            let special = reasons.iter().any(Reason::loses_data) || path.ends_with("pcap_fcs_bits.pcap");
            if special || reasons.contains(&Reason::CapturedAboveOriginal) {
                continue;
            }
            seen.sort_by_key(|packet| packet.frame);
            let seen: Vec<_> =
                seen.into_iter().map(|packet| (packet.frame, packet.wire_len, packet.data)).collect();
            assert!(seen == expected, "{}: {} packets, not {}", path.display(), seen.len(), expected.len());
            compared += 1;
        }
    }
    assert!(compared > 500, "only {compared} files compared");
}

#[test]
fn every_container_yields_the_packets_of_the_base() {
    let Some(folder) = data("formats") else { return };
    let (base, reasons) = read(&folder.join("pcap_le_us.pcap"));
    assert_eq!((base.len(), reasons.len()), (164, 0));
    let bytes = |packets: &[Owned]| packets.iter().map(|packet| packet.data.clone()).collect::<Vec<_>>();
    let times = |packets: &[Owned]| packets.iter().map(|packet| packet.time_ns / 1000).collect::<Vec<_>>();
    for name in [
        "pcap_be_ns.pcap",
        "pcap_fcs_bits.pcap",
        "pcap_gzip.pcap.gz",
        "ng_le_us.pcapng",
        "ng_le_ns.pcapng",
        "ng_be_us.pcapng",
        "ng_be_ns.pcapng",
        "ng_tsoffset.pcapng",
        "ng_obsolete_pb.pcapng",
        "ng_forty_ifaces.pcapng",
    ] {
        let (seen, reasons) = read(&folder.join(name));
        assert_eq!(reasons, [], "{name}");
        assert_eq!(times(&seen), times(&base), "{name}");
        assert!(bytes(&seen) == bytes(&base), "{name}");
        assert!(seen.iter().zip(&base).all(|(seen, base)| seen.wire_len == base.wire_len), "{name}");
    }
    // Packets of equal times stand in another order there.
    let (mut seen, reasons) = read(&folder.join("time_unordered.pcap"));
    assert_eq!((times(&seen), reasons), (times(&base), vec![]));
    let mut sorted = base.clone();
    for packets in [&mut seen, &mut sorted] {
        packets.sort_by(|a, b| (a.time_ns, &a.data).cmp(&(b.time_ns, &b.data)));
    }
    assert!(bytes(&seen) == bytes(&sorted));
    for (name, packets, links) in [
        ("ng_tsresol_ms.pcapng", 164, 1),
        ("ng_three_ifaces.pcapng", 164, 3),
        ("ng_two_sections_endian.pcapng", 164, 2),
    ] {
        let (seen, reasons) = read(&folder.join(name));
        let mut kinds: Vec<_> = seen.iter().map(|packet| packet.link).collect();
        kinds.sort_unstable();
        kinds.dedup();
        assert_eq!((seen.len(), kinds.len(), reasons.len()), (packets, links, 0), "{name}");
    }
}

#[test]
fn damaged_captures_yield_what_they_hold_and_say_what_is_wrong() {
    let Some(folder) = data("formats") else { return };
    for (name, packets, reasons) in [
        ("cut_in_header.pcap", 0, vec![Reason::CutInFileHeader]),
        ("cut_after_header.pcap", 0, vec![]),
        ("cut_in_packet.pcap", 106, vec![Reason::CutInRecord]),
        ("garbage_tail.pcap", 164, vec![Reason::Lost { dropped: 3000 }]),
        ("caplen_gt_len.pcap", 164, vec![Reason::CapturedAboveOriginal]),
        ("ng_epb_bad_iface.pcapng", 33, vec![Reason::UnknownInterface { interface: 1 }]),
        ("time_backward_step.pcap", 164, vec![Reason::ClockStepsBack { back_ns: 3_599_988_436_000 }]),
    ] {
        let (seen, found) = read(&folder.join(name));
        assert_eq!((seen.len(), found), (packets, reasons), "{name}");
    }
}

#[test]
fn every_real_capture_is_read_to_its_end() {
    let Some(folder) = data("real") else { return };
    let files = files_below(&folder);
    let (mut captures, mut packets, mut refused) = (0, 0, 0);
    for path in &files {
        match Input::open(std::slice::from_ref(path)) {
            Ok(mut input) => {
                captures += 1;
                packets += drain(&mut input).len();
                if path.extension().is_none_or(|end| end != "gz") {
                    assert_eq!(Some(input.bytes_read()), input.bytes_total(), "{}", path.display());
                }
            }
            Err(Error::NotACapture { .. }) => refused += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert!(captures > 700 && packets > 100_000, "{captures} captures, {packets} packets, {refused} refused");
}

#[test]
fn all_real_captures_at_once_are_merged() {
    let Some(folder) = data("real/_general/the-tcpdump-group__tcpdump") else { return };
    let paths = captures(&folder);
    let mut input = Input::open(&paths).expect("captures");
    let together = drain(&mut input).len();
    let alone: usize = paths.iter().map(|path| read(path).0.len()).sum();
    assert_eq!(together, alone, "of {} files", paths.len());
}
