//! Both ends of real traffic against what the path boxes and the kernels counted.

use serde_json::Value;
use std::path::{Path, PathBuf};
use subflow_analysis::rows::{Direction, Tables};
use subflow_analysis::{Analyzer, Options};
use subflow_compare::ends::{self, Capture, Report, Settings, Sharing};
use subflow_compare::nstat::{self, Host};
use subflow_compare::rows::{Basis, Change, Outcome, Verdict};

fn tables(path: &Path) -> Tables {
    let mut input = subflow_capture::Input::open(&[path.to_owned()]).expect("a capture");
    let mut analyzer = Analyzer::new(Options::default(), Tables::default());
    while let Some(packet) = input.next_packet() {
        analyzer.packet(&packet);
    }
    let mut tables = analyzer.finish();
    tables.sort();
    tables
}

fn compared(a: &Path, b: &Path, sharing: Sharing) -> Report {
    let (tables_a, tables_b) = (tables(a), tables(b));
    let (a, b): ([PathBuf; 1], [PathBuf; 1]) = ([a.to_owned()], [b.to_owned()]);
    let settings = Settings { sharing, ..Settings::default() };
    let captures = [Capture { paths: &a, tables: &tables_a }, Capture { paths: &b, tables: &tables_b }];
    ends::compare(captures[0], captures[1], settings, &mut || true).expect("readable")
}

fn truth(folder: &Path) -> Value {
    let text = std::fs::read_to_string(folder.join("truth.json")).expect("truth");
    serde_json::from_str(&text).expect("JSON")
}

/// Scenarios whose two captures hold all packets of the path, and whose path box counts all that it drops.
const WHOLE: [&str; 23] = [
    "01_single_v4",
    "01_tiny",
    "02_dual_client",
    "02_fullmesh",
    "03_addaddr_zoo_mixed",
    "03_addaddr_zoo_v4",
    "03_signal",
    "04_handover_blackhole",
    "04_path_flap",
    "05_hetero_down",
    "06_dualstack_v4first",
    "07_join_bad_hmac_ack",
    "07_join_bad_token",
    "07_join_rst_limit",
    "08_isn_rewrite",
    "08_mirror",
    "08_payload_csum_single",
    "08_reorder",
    "08_strip_data_mid",
    "08_strip_syn",
    "08_strip_synack",
    "14_two_sided",
    "16_checksum",
];

#[test]
fn losses_are_those_of_the_path_box() {
    let Some(root) = subflow_testdata::folder("truth") else { return };
    for name in WHOLE {
        let folder = root.join(name);
        let client = ["client.pcap", "client.pcapng"].map(|name| folder.join(name));
        let client = client.iter().find(|path| path.is_file()).expect("the client's capture");
        let report = compared(client, &folder.join("server.pcap"), Sharing::Same);
        let truth = truth(&folder);
        for (direction, end) in [(Direction::C2s, ".ab"), (Direction::S2c, ".ba")] {
            let boxes = truth["pathbox"]["stats"].as_object().expect("path boxes").iter();
            let count = |counts: &Value, key: &str| counts[key].as_u64().unwrap_or_default();
            let dropped: u64 = boxes
                .filter(|(path, _)| path.ends_with(end))
                .map(|(_, counts)| count(counts, "lost") + count(counts, "qdrop"))
                .sum();
            let rows = || report.paths.iter().filter(|row| row.direction == direction);
            let lost: u64 = rows().map(|row| row.packets_lost).sum();
            let unjudged: u64 = rows().map(|row| row.packets_unjudged).sum();
            // The box also drops frames that are no TCP, at most one in these scenarios.
            assert!(
                lost <= dropped && dropped <= lost + unjudged + 1,
                "{name} {direction}: {lost}, the box {dropped}"
            );
            assert_eq!(rows().map(|row| row.packets_appeared).sum::<u64>(), 0, "{name} {direction}");
            assert_eq!(rows().map(|row| row.packets_by_order).sum::<u64>(), 0, "{name} {direction}");
        }
        assert!(report.remarks.is_empty(), "{name}: {:?}", report.remarks);
    }
}

#[test]
fn delays_are_those_of_the_path_box() {
    let Some(root) = subflow_testdata::folder("truth/14_two_sided") else { return };
    // Set delays in seconds by subflow, there and back.
    let set = [[0.005, 0.040], [0.060, 0.015]];
    let report = compared(&root.join("client.pcap"), &root.join("server.pcap"), Sharing::Same);
    assert_eq!(report.paths.len(), 4);
    for row in &report.paths {
        let subflow = row.subflow_a.expect("in both") as usize;
        let min = row.delay_min.expect("matched packets");
        let wanted = set[subflow][row.direction.index()];
        // The box delays by at least as much, and is a process that has to be scheduled.
        assert!((wanted..wanted + 0.001).contains(&min), "{subflow} {}: {min}", row.direction);
        assert_eq!(row.delay_error, Some(0.0));
    }
    // The server's clock 37.5 ms ahead and 50 ppm fast: nothing is known of that.
    let report = compared(&root.join("client.pcap"), &root.join("server_skewed.pcap"), Sharing::Unknown);
    let (offset, error) = (report.clock.offset.expect("known"), report.clock.offset_error.expect("bounded"));
    assert_eq!(report.clock.basis, Basis::Symmetry);
    assert!((offset - 0.0375).abs() <= error && error < 0.012, "{offset} within {error}");
    let (skew, skew_error) =
        (report.clock.skew_ppm.expect("known"), report.clock.skew_error_ppm.expect("bounded"));
    assert!((skew - 50.0).abs() <= skew_error, "{skew} within {skew_error}");
    for row in &report.paths {
        let subflow = row.subflow_a.expect("in both") as usize;
        let (min, error) = (row.delay_min.expect("matched"), row.delay_error.expect("bounded"));
        let wanted = set[subflow][row.direction.index()];
        assert!((min - wanted).abs() <= error + 0.001, "{subflow} {}: {min} within {error}", row.direction);
    }
}

#[test]
fn a_nat_and_a_rewriting_box_are_seen_through() {
    let Some(root) = subflow_testdata::folder("truth") else { return };
    let folder = root.join("13_nat");
    let report =
        compared(&folder.join("client_inside.pcap"), &folder.join("server_outside.pcap"), Sharing::Same);
    let [one] = &report.matches[..] else { panic!("{:?}", report.matches) };
    assert!(one.translated && !one.sequence_shifted);
    assert_eq!((one.subflows_a, one.subflows_b, one.subflows_matched), (2, 2, 2));
    assert!(one.packets_matched > 1_700, "{one:?}");
    let fields = |field: &str| report.changes.iter().filter(|row| row.field == field).count();
    assert!(fields("src_addr") >= 2 && fields("dst_port") >= 2 && fields("ttl") == 4);

    let folder = root.join("08_isn_rewrite");
    let report = compared(&folder.join("client.pcap"), &folder.join("server.pcap"), Sharing::Same);
    assert!(report.matches[0].sequence_shifted && !report.matches[0].translated);
    assert!(
        report.changes.iter().all(|row| row.field == "seq" || row.field == "ack"),
        "{:?}",
        report.changes
    );
}

#[test]
fn what_boxes_did_to_options_is_told() {
    let Some(root) = subflow_testdata::folder("truth") else { return };
    for (name, field, change) in [
        ("07_join_bad_hmac_ack", "MP_JOIN", Change::Changed),
        ("07_join_bad_token", "MP_JOIN", Change::Changed),
        ("08_mirror", "MP_CAPABLE", Change::Added),
        ("08_strip_syn", "MP_CAPABLE", Change::Removed),
        ("08_strip_synack", "MP_CAPABLE", Change::Removed),
        ("08_strip_data_mid", "DSS", Change::Removed),
    ] {
        let folder = root.join(name);
        let report = compared(&folder.join("client.pcap"), &folder.join("server.pcap"), Sharing::Same);
        let told: Vec<_> = report.changes.iter().map(|row| (row.field.as_str(), row.change)).collect();
        assert_eq!(told, [(field, change)], "{name}");
    }
}

#[test]
fn reinjections_have_their_outcomes() {
    let Some(root) = subflow_testdata::folder("truth/04_handover_blackhole") else { return };
    let report = compared(&root.join("client.pcap"), &root.join("server.pcap"), Sharing::Same);
    let bytes = |direction, outcome| -> u64 {
        let rows =
            report.reinjections.iter().filter(|row| (row.direction, row.outcome) == (direction, outcome));
        rows.map(|row| row.bytes).sum()
    };
    // The analysis of the server's capture alone finds 17,392 bytes that came twice; the other copies came once.
    assert_eq!(bytes(Direction::C2s, Outcome::Wasted), 17_392);
    assert_eq!(bytes(Direction::C2s, Outcome::Useful), 27_360 - 17_392);
    assert_eq!(bytes(Direction::S2c, Outcome::Useful), 15_620);
}

/// Differences that nothing in the capture explains: one interface of two was captured.
const UNEXPLAINED: [(&str, &str); 8] = [
    ("12_one_interface/client_c1.pcap", "MPTcpExtMPJoinSynAckRx"),
    ("12_one_interface/client_c1.pcap", "MPTcpExtMPJoinSynTx"),
    ("12_one_interface/client_c2.pcap", "MPTcpExtMPJoinSynAckRx"),
    ("12_one_interface/client_c2.pcap", "MPTcpExtMPJoinSynTx"),
    ("12_one_interface/server_s2.pcap", "MPTcpExtMPJoinAckRx"),
    ("12_one_interface/server_s2.pcap", "MPTcpExtMPJoinSynRx"),
    ("30_full_payload/server.pcap", "MPTcpExtMPJoinAckRx"),
    ("30_full_payload/server.pcap", "MPTcpExtMPJoinSynRx"),
];

#[test]
fn every_counter_of_every_scenario_is_explained() {
    let Some(root) = subflow_testdata::folder("truth") else { return };
    let mut unexplained = Vec::new();
    let (mut equal, mut explained) = (0, 0);
    for path in subflow_testdata::files_below(&root) {
        let (Some(folder), Some(file)) = (path.parent(), path.file_name().map(|name| name.to_string_lossy()))
        else {
            continue;
        };
        let host = match &*file {
            name if !name.contains(".pcap") => continue,
            name if name.starts_with("client") => Host::Client,
            name if name.starts_with("server") => Host::Server,
            _ => continue,
        };
        let text = std::fs::read_to_string(folder.join("truth.json")).expect("truth");
        // Plain TCP has no counters of MPTCP.
        let Ok(sets) = nstat::parse(&text) else { continue };
        let Some((_, counters)) = sets.iter().find(|(whose, _)| *whose == Some(host)) else { continue };
        let tables = tables(&path);
        let name = format!("{}/{file}", folder.file_name().expect("a name").to_string_lossy());
        for row in nstat::counters(&tables, counters, host, nstat::is_far(&tables, host)) {
            match row.verdict {
                Verdict::Equal => equal += 1,
                Verdict::Explained => explained += 1,
                Verdict::Unexplained => unexplained.push((name.clone(), row.counter)),
                Verdict::Invisible => {}
            }
        }
    }
    unexplained.sort();
    let known: Vec<_> =
        UNEXPLAINED.iter().map(|(file, name)| ((*file).to_owned(), (*name).to_owned())).collect();
    assert_eq!(unexplained, known);
    assert!(equal > 350 && explained < 40, "{equal} equal, {explained} explained");
}
