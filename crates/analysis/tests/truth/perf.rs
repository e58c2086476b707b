//! A long kernel trace, and the same traffic rewritten to version 0: the figures of the catalogue, the same for both.

use crate::support::{
    compare::columns,
    findings::Findings,
    invariants::add_up,
    run::{run, tables},
};
use std::{collections::BTreeSet, ops::RangeInclusive, path::Path};
use subflow_analysis::{
    rows::{Connection, EventKind, Fallback, Subflow, Tables},
    summary::Summary,
};
use subflow_capture::Input;
use subflow_testdata::folder;
use subflow_wire::{
    Dissection, dissect,
    mptcp::Mptcp,
    tcp::{Tcp, TcpOption},
};

/// Packets of either trace.
const PACKETS: u64 = 410_000;
/// Data-level bytes by the catalogue: payload, repeats included, that a mapping in force covers.
const CATALOGUE: u64 = 320_668_857;
/// Frames of one connection without a mapping in force: five segments that came before its MP_CAPABLE with the keys and
/// before its first data byte, and one that repeats, without an option, the bytes that MP_CAPABLE mapped.
const LEFT_OUT: [u64; 6] = [327_396, 327_398, 327_400, 327_402, 327_404, 327_777];
/// The client's port on that connection.
const REORDERED: u16 = 56_722;

#[test]
fn both_versions_have_the_catalogues_figures() {
    let Some(folder) = folder("perf") else { return };
    let [v0, v1] = ["kernel-v0.pcap.zst", "kernel-v1.pcap.zst"].map(|name| tables(&folder.join(name)));
    let mut findings = Findings::default();
    for (name, version, tables) in [("v0", 0, &v0), ("v1", 1, &v1)] {
        add_up(&mut findings, name, tables);
        figures(&mut findings, name, version, tables);
    }
    same(&mut findings, &v0, &v1);
    findings.settle(5_500);
}

/// Whether the server ever answered with MPTCP.
fn answered(row: &Connection) -> bool {
    row.fallback != Fallback::SynAck
}

fn figures(findings: &mut Findings, name: &str, version: u8, tables: &Tables) {
    let at = |what: &str| format!("{name}: {what}");
    let packets: u64 = tables.traffic.iter().map(|row| row.packets).sum();
    findings.equal(&at("packets"), packets, PACKETS);
    findings.equal(&at("issues"), tables.issues.len(), 0);
    findings.equal(&at("connections with SYN"), tables.connections.len(), 132);
    let mptcp = tables.connections.iter().filter(|row| answered(row));
    let mptcp: BTreeSet<_> = mptcp.map(|row| row.connection_id).collect();
    findings.equal(&at("connections"), mptcp.len(), 125);
    let versions: BTreeSet<_> = tables.connections.iter().map(|row| row.version).collect();
    findings.equal(&at("version"), versions, BTreeSet::from([Some(version)]));
    let subflows: Vec<_> = tables.subflows.iter().filter(|row| mptcp.contains(&row.connection_id)).collect();
    findings.equal(&at("joins"), subflows.iter().filter(|row| row.subflow_id != 0).count(), 223);
    let sum = |column: fn(&Subflow) -> u64| subflows.iter().map(|row| column(row)).sum::<u64>();
    let mapped = sum(|row| row.mapped_bytes_c2s + row.mapped_bytes_s2c);
    findings.equal(&at("mapped_bytes"), mapped, CATALOGUE);
    let again = sum(|row| row.retransmitted_packets_c2s + row.retransmitted_packets_s2c);
    findings.equal(&at("retransmitted_packets"), again, 1_282);
    let frames: BTreeSet<_> = tables.reinjections.iter().map(|row| row.frame).collect();
    findings.equal(&at("reinjected packets"), frames.len(), 356);
    let bytes: u64 = tables.reinjections.iter().map(|row| row.bytes).sum();
    findings.equal(&at("reinjected bytes"), bytes, 480_764);
}

/// Row by row, nothing may differ but what the versions themselves do: keys, and what follows from them; the sizes of
/// options; HMACs and echoes of announcements, reasons of resets, which only version 1 has.
fn same(findings: &mut Findings, v0: &Tables, v1: &Tables) {
    let mut v1 = v1.clone();
    findings.holds("echoes", v0.announcements.iter().all(|row| !row.echo), || "in version 0".to_owned());
    v1.announcements.retain(|row| !row.echo);
    v1.events.retain(|row| row.kind != EventKind::TcpRst);
    let connections = [
        "amplification_c2s",
        "amplification_s2c",
        // Of one connection the first data overtook the third ACK, which shows the client's key in version 1: its stream
        // begins at the first byte seen.
        "data_flight_max_c2s",
        "data_flight_mean_c2s",
        "head_of_line_time_c2s",
        "reorder_byte_seconds_c2s",
        "reorder_queue_max_c2s",
        "reorder_queued_bytes_c2s",
        "reorder_wait_max_c2s",
        "reorder_wait_mean_c2s",
        "client_first_dsn",
        "client_idsn",
        "client_key",
        "client_token",
        "server_first_dsn",
        "server_idsn",
        "server_token",
        "version",
        "wire_bytes",
    ];
    let differing = [
        ("traffic", columns(&v0.traffic, &v1.traffic), &["bytes"][..]),
        ("connections", columns(&v0.connections, &v1.connections), &connections),
        (
            "subflows",
            columns(&v0.subflows, &v1.subflows),
            &[
                "reset_reason",
                "head_of_line_time_c2s",
                "head_of_line_byte_seconds_c2s",
                "wire_bytes_c2s",
                "wire_bytes_s2c",
                "amplification_c2s",
                "amplification_s2c",
            ],
        ),
        ("announcements", columns(&v0.announcements, &v1.announcements), &["echoed", "hmac_ok"]),
        ("reinjections", columns(&v0.reinjections, &v1.reinjections), &[]),
        ("events", columns(&v0.events, &v1.events), &[]),
        ("hosts", columns(&v0.hosts, &v1.hosts), &["bytes"]),
    ];
    for (table, differing, may) in differing {
        findings.equal(&format!("columns of {table} that differ"), differing, may.iter().copied().collect());
    }
    let checked = v1.announcements.iter().all(|row| row.hmac_ok == Some(true));
    findings.holds("announcements", checked, || "an HMAC is wrong or cannot be checked".to_owned());
}

/// What matters of a segment here.
struct Segment {
    frame: u64,
    payload: u32,
    /// Whether it carries MP_CAPABLE with both keys, and whether any MPTCP option.
    keys: bool,
    mptcp: bool,
}

/// The segments that come from a port, of some frames.
fn segments(path: &Path, port: u16, frames: RangeInclusive<u64>) -> Vec<Segment> {
    let mut input = Input::open(&[path.to_owned()]).expect("a capture");
    let mut segments = Vec::new();
    while let Some(packet) = input.next_packet() {
        if packet.frame > *frames.end() {
            break;
        }
        if frames.contains(&packet.frame)
            && let Dissection::Ip(ip) = dissect(packet.link, packet.data, packet.wire_len)
            && let Ok(tcp) = Tcp::parse(ip.payload)
            && tcp.src_port() == port
        {
            let with = |wanted: fn(&TcpOption<'_>) -> bool| tcp.options().any(|option| wanted(&option));
            segments.push(Segment {
                frame: packet.frame,
                payload: ip.payload_len - tcp.header_len() as u32,
                keys: with(|option| {
                    matches!(option, TcpOption::Mptcp(Mptcp::Capable(keys)) if keys.receiver_key.is_some())
                }),
                mptcp: with(|option| matches!(option, TcpOption::Mptcp(_))),
            });
        }
    }
    segments
}

#[test]
fn six_segments_of_one_connection_have_no_mapping_in_force() {
    let Some(folder) = folder("perf") else { return };
    let path = folder.join("kernel-v1.pcap.zst");
    let segments = segments(&path, REORDERED, 326_000..=LEFT_OUT[5]);
    let keys = segments.iter().find(|segment| segment.keys).expect("the third ACK");
    assert_eq!((keys.frame, keys.payload), (327_550, 0));
    let early = segments.iter().filter(|segment| segment.frame < keys.frame && segment.payload > 0);
    let early: Vec<_> = early.map(|segment| (segment.frame, segment.payload, segment.mptcp)).collect();
    assert_eq!(early, LEFT_OUT[..5].iter().map(|&frame| (frame, 1424, true)).collect::<Vec<_>>());
    let last = segments.last().expect("the repeat");
    assert_eq!((last.frame, last.payload, last.mptcp), (LEFT_OUT[5], 16, false));
}

#[test]
fn the_summary_agrees_with_the_rows() {
    let Some(folder) = folder("perf") else { return };
    let path = folder.join("kernel-v1.pcap.zst");
    let (tables, (summary, packets)) = (tables(&path), run(&path, Summary::default()));
    let rows = tables.connections.iter().filter(|row| answered(row));
    let data = rows.fold([0, 0], |sum, row| [sum[0] + row.bytes_c2s, sum[1] + row.bytes_s2c]);
    assert_eq!((packets, summary.established, summary.data_bytes), (PACKETS, 125, data));
    assert_eq!(summary.reinjected_bytes.iter().sum::<u64>(), 480_764);
    let joins: u64 =
        summary.attempted.iter().map(|(&subflows, &count)| u64::from(subflows - 1) * count).sum();
    assert_eq!(joins, 223);
}
