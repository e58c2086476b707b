//! The containers and encapsulations of one captured connection must all dissect to the same segments.

use std::fs;
use std::path::Path;

use subflow_testdata::folder;
use subflow_wire::tcp::Tcp;
use subflow_wire::{Dissection, LinkType, dissect};

/// Link type, length on the wire and bytes of every packet of a classic little-endian or big-endian pcap.
fn pcap(bytes: &[u8]) -> Vec<(LinkType, u32, &[u8])> {
    let big = bytes[0] == 0xa1;
    let word = |at: usize| {
        let word: [u8; 4] = bytes[at..at + 4].try_into().unwrap();
        if big { u32::from_be_bytes(word) } else { u32::from_le_bytes(word) }
    };
    let link = LinkType(word(20) as u16);
    let mut packets = Vec::new();
    let mut at = 24;
    while at + 16 <= bytes.len() {
        let (captured, wire) = (word(at + 8), word(at + 12));
        packets.push((link, wire, &bytes[at + 16..at + 16 + captured as usize]));
        at += 16 + captured as usize;
    }
    packets
}

type Segment = (String, u16, u16, u32, u32, u16, Vec<u8>, Vec<u8>, u32);

/// Everything about each whole TCP segment that an encapsulation must not change.
fn segments(path: &Path) -> Vec<Segment> {
    let bytes = fs::read(path).unwrap();
    let mut segments = Vec::new();
    for (link, wire_len, frame) in pcap(&bytes) {
        let ip = match dissect(link, frame, wire_len) {
            Dissection::Ip(ip) => ip,
            Dissection::NotIp => continue,
            other => panic!("{}: {other:?}", path.display()),
        };
        if ip.protocol != 6 || ip.is_later_fragment() {
            continue;
        }
        let Ok(tcp) = Tcp::parse(ip.payload) else { continue };
        let ends = format!("{} {}", ip.src, ip.dst);
        segments.push((
            ends,
            tcp.src_port(),
            tcp.dst_port(),
            tcp.seq(),
            tcp.ack(),
            tcp.flags().0,
            tcp.option_bytes().to_vec(),
            tcp.payload().to_vec(),
            ip.payload_len,
        ));
    }
    segments
}

#[test]
fn every_encapsulation_holds_the_same_segments() {
    let Some(data) = folder("formats") else { return };
    let base = segments(&data.join("pcap_le_us.pcap"));
    assert_eq!(base.len(), 164);
    for name in [
        "lt_raw14",
        "lt_null_le_af24",
        "lt_null_le_af30",
        "lt_null_be_af30",
        "lt_null_swapped",
        "lt_sll113_vlan",
        "lt_ppp9",
        "lt_chdlc104",
        "lt_80211_105",
        "lt_radiotap127",
        "en_vlan",
        "en_three_tags",
        "en_mpls1",
        "tun_gre",
        "tun_gretap",
        "tun_ipip_6in4",
        "tun_ip_in_ip6",
        "tun_vxlan",
        "ip6_ext_chain",
        "ip4_totlen0_tso",
        "other_traffic_mixed",
    ] {
        let found = segments(&data.join(name).with_extension("pcap"));
        assert_eq!(found.len(), base.len(), "{name}");
        for (index, (found, base)) in found.iter().zip(&base).enumerate() {
            assert_eq!(found, base, "{name}, segment {index}");
        }
    }
}

#[test]
fn one_family_each() {
    let Some(data) = folder("formats") else { return };
    let base = segments(&data.join("pcap_le_us.pcap"));
    for (name, mark) in [("lt_ipv4_228", '.'), ("lt_ipv6_229", ':')] {
        let found = segments(&data.join(name).with_extension("pcap"));
        let wanted: Vec<_> = base.iter().filter(|s| s.0.contains(mark)).cloned().collect();
        assert!(!wanted.is_empty());
        assert_eq!(found, wanted, "{name}");
    }
}

#[test]
fn fragments_cover_their_packets() {
    let Some(data) = folder("formats") else { return };
    let whole: u64 = segments(&data.join("pcap_le_us.pcap")).iter().map(|s| u64::from(s.8)).sum();
    for name in ["ip_fragments.pcap", "ip_fragments_reversed.pcap"] {
        let bytes = fs::read(data.join(name)).unwrap();
        let (mut sum, mut later) = (0, 0);
        for (link, wire_len, frame) in pcap(&bytes) {
            let Dissection::Ip(ip) = dissect(link, frame, wire_len) else { panic!("{name}") };
            sum += u64::from(ip.payload_len);
            later += u32::from(ip.is_later_fragment());
        }
        assert_eq!(sum, whole, "{name}");
        assert!(later > 0, "{name}");
    }
}
