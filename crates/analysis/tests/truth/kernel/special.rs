//! Scenarios that show one thing each.

use super::{Capture, Vantage, scenario};
use crate::support::{
    findings::Findings,
    json::Must,
    run::{Ask, tables, tables_of},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};
use subflow_analysis::rows::{Direction, EventKind, Fallback, Family, State, Subflow, Tables};
use subflow_rows::Time;
use subflow_testdata::folder;

#[test]
fn handover_comes_after_the_path_went_black() {
    let Some(root) = folder("truth") else { return };
    let scenario = scenario(root.join("04_handover_blackhole"));
    let black = scenario.truth["actions"].list().iter().find(|action| action["what"].text().contains("loss"));
    let black = black.and_then(|action| action["t"].as_f64()).expect("when the path went black");
    for capture in scenario.captures() {
        let events = capture.tables.events_of(EventKind::Handover);
        assert_eq!(events.len(), 1, "{}", capture.name);
        assert_eq!(events[0].subflow_id, 0, "{}", capture.name);
        assert!(events[0].detail.ends_with("data went on on subflow 1"), "{}", events[0].detail);
        // What was under way arrived, and was heard, for a moment longer.
        let after = events[0].time.0 as f64 / 1e9 - black;
        assert!((0.0..0.2).contains(&after), "{}: {after} s after", capture.name);
        let backup: Vec<_> = capture.tables.subflows.iter().map(|row| (row.backup, row.unused)).collect();
        assert_eq!(backup, [(false, None), (true, None)], "{}: the backup was used", capture.name);
        for row in &capture.tables.reinjections {
            let from_the_dead = row.direction == Direction::S2c || row.from_subflow == Some(0);
            assert!(from_the_dead && row.to_subflow == 1, "{}: {row:?}", capture.name);
        }
    }
}

#[test]
fn a_damaged_hmac_is_seen_behind_the_box() {
    let Some(root) = folder("truth") else { return };
    let scenario = scenario(root.join("07_join_bad_hmac_ack"));
    for capture in scenario.captures() {
        let behind = capture.vantage == Vantage::Server;
        let join = &capture.tables.subflows[1];
        assert_eq!(join.hmac_ok, Some(!behind), "{}", capture.name);
        let violations = capture.tables.events_of(EventKind::Violation);
        assert_eq!(violations.len(), usize::from(behind), "{}", capture.name);
        assert!(violations.iter().all(|event| event.detail.contains("HMAC")), "{violations:?}");
    }
}

#[test]
fn priorities_change_and_change_back() {
    let Some(root) = folder("truth") else { return };
    for capture in scenario(root.join("09_mp_prio")).captures() {
        let events = capture.tables.events_of(EventKind::MpPrio);
        let told: Vec<_> = events.iter().map(|event| (event.subflow_id, event.detail.as_str())).collect();
        let want = [(1, "subflow 1 becomes backup"), (1, "subflow 1 becomes regular")];
        assert_eq!(told, want, "{}", capture.name);
        let backup: Vec<_> =
            capture.tables.subflows.iter().map(|row| (row.backup, row.backup_at_end)).collect();
        assert_eq!(backup, [(false, false), (false, false)], "{}", capture.name);
    }
}

#[test]
fn withdrawn_addresses_are_those_deleted() {
    let Some(root) = folder("truth") else { return };
    let scenario = scenario(root.join("09_remove_addr"));
    let mut told: Vec<_> = scenario.truth["expected"]["remove_addr"]
        .list()
        .iter()
        .map(|truth| {
            let by = if truth["by"] == "client" { Direction::C2s } else { Direction::S2c };
            (by, format!("withdraws address id {}", truth["id"]))
        })
        .collect();
    told.sort();
    for capture in scenario.captures() {
        let events = capture.tables.events_of(EventKind::RemoveAddr);
        let mut seen: Vec<_> = events.iter().map(|event| (event.direction, event.detail.clone())).collect();
        seen.sort();
        assert_eq!(seen, told, "{}", capture.name);
    }
}

#[test]
fn announced_addresses_have_their_classes() {
    let Some(root) = folder("truth") else { return };
    let v4 = [
        ("10.99.0.7", "v4 private"),
        ("192.168.44.5", "v4 private"),
        ("172.20.1.1", "v4 private"),
        ("169.254.10.20", "v4 link-local"),
        ("100.64.3.3", "v4 shared"),
        ("192.0.2.77", "v4 documentation"),
        ("198.51.100.9", "v4 documentation"),
        ("11.22.33.44", "v4 global"),
    ];
    let mixed = [
        ("192.168.1.33", "v4 private"),
        ("2a02:1234::1", "v6 global"),
        ("10.0.0.9", "v4 private"),
        ("fe80::9", "v6 link-local"),
    ];
    for (name, by, told) in
        [("03_addaddr_zoo_v4", Direction::S2c, &v4[..]), ("03_addaddr_zoo_mixed", Direction::C2s, &mixed[..])]
    {
        for capture in scenario(root.join(name)).captures() {
            let rows = capture.tables.announced_on(0);
            let mut seen: Vec<_> = rows.iter().map(|row| (row.addr.to_string(), row.class)).collect();
            let mut told: Vec<_> = told.iter().map(|&(addr, class)| (addr.to_owned(), class)).collect();
            seen.sort();
            told.sort();
            assert_eq!(seen, told, "{}", capture.name);
            assert!(rows.iter().all(|row| row.direction == by && row.echoed == Some(true) && !row.joined));
            assert_eq!(capture.tables.connections[0].addresses_announced as usize, told.len());
        }
    }
}

#[test]
fn data_in_the_syn_is_counted_apart() {
    let Some(root) = folder("truth") else { return };
    let scenario = scenario(root.join("17_tfo"));
    let with_data = scenario.truth["expected"]["tfo_data_in_syn"].number();
    for capture in scenario.captures() {
        let fast: Vec<_> = capture.tables.connections.iter().map(|row| row.fast_open_bytes).collect();
        let with = fast.iter().filter(|&&bytes| bytes > 0).count() as u64;
        assert_eq!(with, with_data, "{}: {fast:?}", capture.name);
        assert_eq!(fast[0], 0, "the first connection only gets the cookie");
        // The fourth sends nothing more: its request lies in the SYN as a whole.
        assert_eq!((fast[3], capture.tables.connections[3].bytes_c2s), (25, 0), "{}", capture.name);
    }
}

#[test]
fn a_capture_of_each_interface_together_shows_everything() {
    let Some(root) = folder("truth") else { return };
    let scenario = scenario(root.join("12_one_interface"));
    let paths = ["client_c1.pcap", "client_c2.pcap"].map(|file| scenario.folder.join(file));
    let tables = tables_of(&paths);
    let (_, truth) = scenario.connections().next().unwrap();
    assert_eq!(tables.connections.len(), 1);
    let row = &tables.connections[0];
    assert_eq!((row.subflows_attempted, row.subflows_established, row.complete), (2, 2, true));
    assert_eq!(row.bytes_c2s, truth["app_bytes_client_to_server"].number());
    assert_eq!(row.bytes_s2c, truth["app_bytes_server_to_client"].number());
    assert_eq!(row.client_first_dsn.map(|dsn| dsn.0), truth["client_first_dsn"].as_u64());
    assert_eq!(tables.subflows[1].hmac_ok, Some(true));
    let retransmitted: u64 = tables.subflows.iter().map(|row| row.retransmitted_packets_c2s).sum();
    assert_eq!(retransmitted, scenario.counter(Direction::C2s, "TcpRetransSegs"));
}

#[test]
fn a_late_capture_keeps_subflows_together() {
    let Some(root) = folder("truth") else { return };
    for capture in scenario(root.join("12_midstream")).captures() {
        let late = &capture.tables.connections[0];
        let states: Vec<_> =
            capture.tables.subflows_of(late.connection_id).iter().map(|row| row.state).collect();
        assert_eq!(states, [State::Midstream, State::Midstream], "{}", capture.name);
        assert_eq!((late.complete, late.close.as_str()), (false, "data_fin"), "{}", capture.name);
        let whole = &capture.tables.connections[1];
        assert_eq!((whole.complete, whole.subflows_established), (true, 2), "{}", capture.name);
    }
}

#[test]
fn both_sides_of_a_nat_give_the_inside() {
    let Some(root) = folder("truth") else { return };
    let folder = root.join("13_nat");
    let (inside, both) =
        (tables(&folder.join("client_inside.pcap")), tables(&folder.join("nat_both_sides.pcap")));
    // Another clock, so all but times.
    let sizes = |tables: &Tables| {
        let rows = tables.subflows.iter();
        let sizes = |row: &Subflow| {
            let ends = (row.src_addr, row.src_port, row.dst_addr, row.dst_port, row.state, row.address_id);
            let bytes = [row.bytes_c2s, row.bytes_s2c, row.retransmitted_bytes_c2s, row.unique_bytes_s2c];
            (ends, bytes, row.packets_c2s, row.packets_s2c)
        };
        rows.map(sizes).collect::<Vec<_>>()
    };
    assert_eq!(sizes(&both), sizes(&inside));
    assert_eq!(both.traffic, inside.traffic);
    assert_eq!(both.issues.len(), 1);
    assert_eq!(both.issues[0].count, inside.traffic.iter().map(|row| row.packets).sum::<u64>());
}

#[test]
fn families_may_differ_within_a_connection() {
    let Some(root) = folder("truth") else { return };
    let (v4, v6) = (Family::Ipv4, Family::Ipv6);
    for (name, families) in [("06_dualstack_v4first", [v4, v6]), ("90_base", [v6, v4])] {
        for capture in scenario(root.join(name)).captures() {
            let seen: Vec<_> = capture.tables.subflows.iter().map(|row| row.family).collect();
            assert_eq!(seen, families, "{}", capture.name);
            let traffic: BTreeSet<_> = capture.tables.traffic.iter().map(|row| row.family).collect();
            assert_eq!(traffic.len(), 2, "{}", capture.name);
        }
    }
}

#[test]
fn every_one_of_many_short_connections() {
    let Some(root) = folder("truth") else { return };
    let scenario = scenario(root.join("10_many_short"));
    let mut findings = Findings::default();
    for capture in scenario.captures() {
        short_connections(&mut findings, &capture);
    }
    findings.settle(2 * 1_500);
}

fn short_connections(findings: &mut Findings, capture: &Capture<'_>) {
    let truth = &capture.scenario.truth;
    let tokens = truth["server_tokens"].list().iter().map(|told| (told["peer"].end(), told));
    let tokens: BTreeMap<_, _> = tokens.collect();
    for told in truth["connections"].list() {
        let (addr, port) = told["local"].end();
        let at = |column: &str| format!("{}: {addr}:{port}: {column}", capture.name);
        let row = capture.tables.connection_from(addr, port);
        findings.equal(&at("row"), row.is_some(), told["mptcp"] == true);
        let Some(row) = row else { continue };
        findings.equal(&at("server"), (row.server_addr, row.server_port), told["dst"].end());
        findings.equal(&at("bytes_s2c"), row.bytes_s2c, told["received"].number() + told.count("banner"));
        if let Some(sent) = told["sent"].as_u64() {
            findings.equal(&at("bytes_c2s"), row.bytes_c2s, sent);
        }
        // Only a connection that stayed MPTCP has a token.
        let fallback = if told["token"].is_null() { Fallback::SynAck } else { Fallback::None };
        findings.equal(&at("fallback"), row.fallback, fallback);
        if fallback == Fallback::None {
            let text = |token: Option<subflow_rows::Hex32>| token.map(|token| format!("{:08x}", token.0));
            findings.equal(&at("client_token"), text(row.client_token).as_deref(), told["token"].as_str());
            let server = tokens.get(&(addr, port)).and_then(|told| told["token"].as_str());
            findings.equal(&at("server_token"), text(row.server_token).as_deref(), server);
        }
    }
}

#[test]
fn another_clock_changes_nothing_but_times() {
    let Some(root) = folder("truth") else { return };
    let folder = root.join("14_two_sided");
    let (plain, skewed) = (tables(&folder.join("server.pcap")), tables(&folder.join("server_skewed.pcap")));
    // 37.5 ms ahead, and 50 ppm fast from the first packet on.
    let origin = plain.connections[0].start.0;
    let moved = |time: Time| origin + 37_500_000 + ((time.0 - origin) as f64 * (1.0 + 50e-6)).round() as i64;
    let near = |seen: Time, time: Time| (seen.0 - moved(time)).abs() < 2_000;
    assert_eq!(plain.traffic, skewed.traffic);
    let [was, is] = [&plain, &skewed].map(|tables| tables.connections[0].clone());
    assert!(near(is.start, was.start) && (is.duration - was.duration * (1.0 + 50e-6)).abs() < 1e-5);
    assert_eq!(without_times(&plain), without_times(&skewed));
    for (was, is) in plain.events.iter().zip(&skewed.events) {
        assert!(near(is.time, was.time), "{was:?} {is:?}");
        assert_eq!((was.frame, was.kind, &was.detail), (is.frame, is.kind, &is.detail));
    }
    for (was, is) in plain.subflows.iter().zip(&skewed.subflows) {
        assert!(near(is.start, was.start));
        let (was, is) = (was.rtt_mean_s2c.unwrap(), is.rtt_mean_s2c.unwrap());
        assert!((is / was - 1.0 - 50e-6).abs() < 1e-4, "{was} {is}");
    }
}

/// Counts of connections and subflows that no clock touches.
fn without_times(tables: &Tables) -> Vec<String> {
    let connections = tables.connections.iter().map(|row| {
        let bytes = [row.bytes_c2s, row.bytes_s2c, row.reinjected_bytes_c2s, row.reinjected_bytes_s2c];
        let again = [row.retransmitted_bytes_c2s, row.retransmitted_bytes_s2c, row.packets, row.wire_bytes];
        let order = [row.out_of_order_bytes_c2s, row.out_of_order_bytes_s2c, row.blocks_c2s, row.blocks_s2c];
        format!("{bytes:?} {again:?} {order:?} {:?} {} {}", row.server_token, row.close, row.fallback)
    });
    let subflows = tables.subflows.iter().map(|row| {
        let samples = (row.rtt_samples_c2s, row.rtt_samples_s2c);
        format!("{} {:?} {} {} {samples:?}", row.state, row.hmac_ok, row.packets_c2s, row.packets_s2c)
    });
    connections.chain(subflows).collect()
}

#[test]
fn several_interfaces_in_one_file_are_one_capture() {
    let Some(root) = folder("truth") else { return };
    let folder = root.join("02_fullmesh");
    let packets = |path: &Path| tables(path).tcp_packets();
    // Each interface saw its own packets; the truth has no count of them, the catalogue has.
    assert_eq!(packets(&folder.join("client.pcapng")), 5147);
}
