//! One connection in many containers and encapsulations: the rows must be those of the base, whatever holds the
//! packets; what is damaged or cut must give what is left of it.

mod damaged;
mod partial;

use crate::support::{
    compare::{EXACT, Tolerance, differences},
    findings::Findings,
    invariants::add_up,
    json::{Must, read},
    run::{Ask, run, tables},
};
use std::path::Path;
use subflow_analysis::rows::Tables;
use subflow_testdata::folder;

/// The base of all the others.
const BASE: &str = "pcap_le_us.pcap";
/// Packets of the base.
const PACKETS: u64 = 164;

/// Sizes from the IP header on, and what follows from them.
const EXTENDED: Tolerance = Tolerance {
    without: &[
        "bytes",
        "wire_bytes",
        "wire_bytes_c2s",
        "wire_bytes_s2c",
        "amplification_c2s",
        "amplification_s2c",
    ],
    ..EXACT
};

/// Files with the base's truth whose rows differ from the base's all the same, and why.
const TOLERANCES: [(&str, Tolerance); 8] = [
    // Times in milliseconds.
    ("ng_tsresol_ms.pcapng", Tolerance { seconds: 1.1e-3, ..EXACT }),
    // The fragments of a packet come a microsecond after each other, which adds up in sums of times; frames are numbered
    // as they stand in the file.
    ("ip_fragments.pcap", Tolerance { seconds: 5e-5, without: &["frame"], ..EXACT }),
    ("ip_fragments_reversed.pcap", Tolerance { seconds: 5e-5, without: &["frame"], ..EXACT }),
    // Every packet twice.
    ("dup_exact.pcap", Tolerance { frame: |frame| 2 * frame - 1, ..EXACT }),
    ("dup_ttl.pcap", Tolerance { frame: |frame| 2 * frame - 1, ..EXACT }),
    // Other packets stand between.
    ("other_traffic_mixed.pcap", Tolerance { without: &["frame"], ..EXACT }),
    // Frames 71 and 72 of the base have the same time and stand the other way round, which no sorting can undo.
    ("time_unordered.pcap", Tolerance { seconds: 2e-5, without: &["frame", "rtt_samples_s2c"], ..EXACT }),
    // Sizes are counted from the IP header on, extension headers included.
    ("ip6_ext_chain.pcap", EXTENDED),
];

fn base(folder: &Path) -> Tables {
    tables(&folder.join(BASE))
}

#[test]
fn the_base_is_the_servers_capture() {
    let (Some(formats), Some(truth)) = (folder("formats"), folder("truth")) else { return };
    let original = tables(&truth.join("90_base/server.pcap"));
    let base = base(&formats);
    assert_eq!(differences(&original, &base, EXACT), [""; 0]);
    let row = &base.connections[0];
    assert_eq!((row.packets, row.bytes_c2s, row.bytes_s2c), (PACKETS, 30_057, 60_000));
    assert_eq!((row.subflows_attempted, row.subflows_established), (2, 2));
    assert_eq!((base.announcements.len(), base.events.len(), base.issues.len()), (2, 2, 0));
}

#[test]
fn every_container_with_the_bases_truth_gives_its_rows() {
    let Some(folder) = folder("formats") else { return };
    let base = base(&folder);
    let truth = read(&folder.join("formats.json"));
    let mut findings = Findings::default();
    let same = truth["files"].list().iter().filter(|file| file["same_truth_as_base"] == true);
    for file in same {
        let name = file["file"].text();
        let tables = tables(&folder.join(name));
        add_up(&mut findings, name, &tables);
        let known = TOLERANCES.iter().find(|(tolerated, _)| *tolerated == name);
        let tolerance = known.map_or(EXACT, |&(_, tolerance)| tolerance);
        findings.equal(name, differences(&base, &tables, tolerance), [""; 0]);
        if known.is_some() {
            let needed = !differences(&base, &tables, EXACT).is_empty();
            findings.holds(name, needed, || "the rows are the base's; the tolerance can go".to_owned());
        }
        if !["dup_exact.pcap", "dup_ttl.pcap", "other_traffic_mixed.pcap"].contains(&name) {
            findings.equal(&format!("{name}: issues"), tables.issues.len(), 0);
        }
    }
    findings.settle(900);
}

#[test]
fn copies_are_left_out_and_counted() {
    let Some(folder) = folder("formats") else { return };
    for name in ["dup_exact.pcap", "dup_ttl.pcap"] {
        let issues = tables(&folder.join(name)).issues;
        assert_eq!(issues.len(), 1, "{name}: {issues:?}");
        assert_eq!((issues[0].count, issues[0].lost), (PACKETS, false), "{name}: {}", issues[0].reason);
        assert!(issues[0].reason.contains("twice"), "{name}: {}", issues[0].reason);
    }
}

#[test]
fn other_traffic_is_left_alone() {
    let Some(folder) = folder("formats") else { return };
    let (tables, packets) = run(&folder.join("other_traffic_mixed.pcap"), Tables::default());
    assert_eq!(tables.tcp_packets(), PACKETS);
    // ARP, UDP, ICMP, SCTP and spanning tree are no TCP; a stump of a TCP header is, and says so.
    assert_eq!(tables.issues.len(), 1, "{:?}", tables.issues);
    assert!(packets > PACKETS + tables.issues[0].count, "{packets} packets");
    assert!(tables.issues[0].reason.contains("TCP header"), "{}", tables.issues[0].reason);
}

#[test]
fn extension_headers_count_as_bytes() {
    let Some(folder) = folder("formats") else { return };
    let (base, tables) = (base(&folder), tables(&folder.join("ip6_ext_chain.pcap")));
    let v6 = base.traffic.iter().find(|row| row.family.as_str() == "ipv6").expect("IPv6");
    // Hop-by-hop, destination options twice and routing: 32 bytes on each IPv6 packet.
    let more = 32 * v6.packets;
    let bytes = |tables: &Tables| tables.traffic.iter().map(|row| row.bytes).sum::<u64>();
    assert_eq!(bytes(&tables), bytes(&base) + more);
    assert_eq!(tables.connections[0].wire_bytes, base.connections[0].wire_bytes + more);
}
