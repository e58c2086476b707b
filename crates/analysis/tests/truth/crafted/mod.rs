//! Hand-made traces with every byte known; the truth lies in the `.json` beside each.

mod fallbacks;
mod options;
mod scan;
mod synth;

use crate::support::{
    findings::Findings,
    json::{Must, read},
    run::{Ask, BOTH, tables},
};
use serde_json::Value;
use std::{net::IpAddr, path::Path};
use subflow_analysis::rows::{
    Close, Connection, Direction, EventKind, Fallback, Opener, State, Subflow, Tables,
};
use subflow_testdata::folder;

/// Every trace of the folder; a new one joins the tests by its name here.
const NAMES: [&str; 14] = [
    "fallbacks",
    "scan_answers",
    "synth_server_trace",
    "v0_dsn_wrap",
    "v0_failed_joins",
    "v0_fastclose_client",
    "v0_ndiffports",
    "v0_options",
    "v0_options_csum",
    "v0_reinjection",
    "v0_seq_wrap",
    "v1_fastclose_server",
    "v1_options",
    "v1_reinjection",
];

/// The traces know microseconds.
const MICROSECOND: f64 = 1.5e-6;

/// A trace with its truth and what the analysis makes of it.
fn trace(folder: &Path, name: &str) -> (Value, Tables) {
    (read(&folder.join(name).with_extension("json")), tables(&folder.join(name).with_extension("pcap")))
}

/// Who sent it, as the truth says it.
fn direction(by: &str) -> Direction {
    if by == "client" { Direction::C2s } else { Direction::S2c }
}

#[test]
fn no_trace_is_left_out() {
    let Some(folder) = folder("crafted") else { return };
    let mut found: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "pcap"))
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    found.sort();
    assert_eq!(found, NAMES);
}

#[test]
fn every_count_of_every_trace() {
    let Some(folder) = folder("crafted") else { return };
    let mut findings = Findings::default();
    for name in NAMES {
        let (truth, tables) = trace(&folder, name);
        findings.equal(&format!("{name}: packets"), tables.tcp_packets(), truth["packets"].number());
        findings.equal(&format!("{name}: issues"), &tables.issues, &vec![]);
        if name == "scan_answers" {
            continue;
        }
        // A connection whose SYN lost the option before the capture point is plain TCP there.
        let seen = truth["connections"].list().iter().filter(|truth| truth["fallback"] != "SYN");
        let seen: Vec<_> = seen.collect();
        findings.equal(&format!("{name}: connections"), tables.connections.len(), seen.len());
        for truth in seen {
            let (addr, port) = truth["subflows"][0]["client"].end();
            let place = format!("{name}: {addr}:{port}");
            match tables.connection_from(addr, port) {
                Some(row) => connection(&mut findings, &place, &tables, row, truth),
                None => findings.holds(&place, false, || "no such connection".to_owned()),
            }
        }
    }
    findings.settle(18_000);
}

fn connection(findings: &mut Findings, place: &str, tables: &Tables, row: &Connection, truth: &Value) {
    let at = |column: &str| format!("{place}: {column}");
    let subflows = truth["subflows"].list();
    let established = subflows.iter().filter(|subflow| subflow["established"] == true).count();
    findings.equal(&at("version"), row.version.map(u64::from), truth["version"].as_u64());
    // Without MP_CAPABLE in an answer nothing is negotiated.
    let answered = truth["packets"].number() > 1;
    let negotiated = truth["checksum"].as_bool().filter(|_| answered && truth["fallback"].is_null());
    findings.equal(&at("checksum"), row.checksum, negotiated);
    findings.equal(&at("complete"), row.complete, answered);
    findings.equal(&at("server"), (row.server_addr, row.server_port), subflows[0]["server"].end());
    findings.equal(&at("bytes"), [row.bytes_c2s, row.bytes_s2c], truth["data"].pair());
    findings.equal(&at("fast_open_bytes"), row.fast_open_bytes, 0);
    let reinjected = [row.reinjected_bytes_c2s, row.reinjected_bytes_s2c];
    findings.equal(&at("reinjected_bytes"), reinjected, truth["reinjected"].pair());
    let mut retransmitted = [0; 2];
    for subflow in subflows {
        let pair = subflow["retransmitted"].pair();
        retransmitted = [retransmitted[0] + pair[0], retransmitted[1] + pair[1]];
    }
    let counted = [row.retransmitted_bytes_c2s, row.retransmitted_bytes_s2c];
    findings.equal(&at("retransmitted_bytes"), counted, retransmitted);
    findings.equal(
        &at("meta_retransmitted_bytes"),
        [row.meta_retransmitted_bytes_c2s, row.meta_retransmitted_bytes_s2c],
        [0; 2],
    );
    findings.equal(&at("subflows_attempted"), row.subflows_attempted as usize, subflows.len());
    // After a fallback the one subflow is established all the same.
    findings.equal(&at("subflows_established"), row.subflows_established as usize, established);
    findings.equal(&at("packets"), row.packets, truth["packets"].number());
    findings.equal(&at("wire_bytes"), row.wire_bytes, truth["ip_bytes"].number());
    let fallback = if truth["fallback"].is_null() { Fallback::None } else { Fallback::SynAck };
    findings.equal(&at("fallback"), row.fallback, fallback);
    findings.equal(&at("close"), row.close, close(truth));
    let (first, last) = (truth["first"].as_f64().unwrap(), truth["last"].as_f64().unwrap());
    let start = row.start.0 as f64 / 1e9;
    let near =
        (start - first).abs() < MICROSECOND && (row.duration - (last - first)).abs() < 2.0 * MICROSECOND;
    findings
        .holds(&at("start, duration"), near, || format!("{start} {} for {first} to {last}", row.duration));
    if truth["mptcp_established"] == true {
        keys(findings, place, row, truth);
    }
    announcements(findings, place, tables, row, truth);
    events(findings, place, tables, row, truth);
    let rows = tables.subflows_of(row.connection_id);
    for truth in subflows {
        let (addr, port) = truth["client"].end();
        let place = format!("{place}: subflow of {addr}:{port}");
        let mine = |row: &&&Subflow| {
            [(row.src_addr, row.src_port), (row.dst_addr, row.dst_port)].contains(&(addr, port))
        };
        let found: Vec<_> = rows.iter().filter(mine).collect();
        findings.equal(&format!("{place}: rows"), found.len(), 1);
        if let Some(row) = found.first() {
            subflow(findings, &place, row, truth);
            round_trip(findings, &place, row, truth["rtt"].as_f64().unwrap());
        }
    }
}

/// How a hand-made connection ends: by fast close, never (no answer), by FIN (after a fallback), or by DATA_FIN.
fn close(truth: &Value) -> Close {
    if !truth["fastclose"].is_null() {
        Close::FastClose
    } else if truth.get("tcp_established").is_none() {
        Close::Open
    } else if truth["fallback"].is_null() {
        Close::DataFin
    } else {
        Close::Fin
    }
}

fn keys(findings: &mut Findings, place: &str, row: &Connection, truth: &Value) {
    let hex = |member: &str| u64::from_str_radix(truth[member].text(), 16).ok();
    let at = |column: &str| format!("{place}: {column}");
    findings.equal(&at("client_key"), row.client_key.map(|key| key.0), hex("client_key"));
    findings.equal(&at("server_key"), row.server_key.map(|key| key.0), hex("server_key"));
    findings.equal(
        &at("client_token"),
        row.client_token.map(|token| u64::from(token.0)),
        hex("client_token"),
    );
    findings.equal(
        &at("server_token"),
        row.server_token.map(|token| u64::from(token.0)),
        hex("server_token"),
    );
    let number = |member: &str| truth[member].as_u64();
    findings.equal(&at("client_idsn"), row.client_idsn.map(|idsn| idsn.0), number("client_idsn"));
    findings.equal(&at("server_idsn"), row.server_idsn.map(|idsn| idsn.0), number("server_idsn"));
    let next = |member: &str| number(member).map(|idsn| idsn.wrapping_add(1));
    findings.equal(&at("client_first_dsn"), row.client_first_dsn.map(|dsn| dsn.0), next("client_idsn"));
    findings.equal(&at("server_first_dsn"), row.server_first_dsn.map(|dsn| dsn.0), next("server_idsn"));
}

fn announcements(findings: &mut Findings, place: &str, tables: &Tables, row: &Connection, truth: &Value) {
    type Announced = (Direction, IpAddr, u64, Option<u64>);
    let mut told: Vec<Announced> = truth["add_addr"]
        .list()
        .iter()
        .map(|truth| {
            let addr = truth["addr"].text().parse().unwrap();
            (direction(truth["by"].text()), addr, truth["id"].number(), truth["port"].as_u64())
        })
        .collect();
    let mut seen: Vec<Announced> = tables
        .announced_on(row.connection_id)
        .iter()
        .map(|row| (row.direction, row.addr, u64::from(row.address_id), row.port.map(u64::from)))
        .collect();
    told.sort();
    seen.sort();
    findings.equal(&format!("{place}: announcements"), &seen, &told);
    let mut distinct: Vec<_> = told.iter().map(|&(by, addr, _, port)| (by, addr, port)).collect();
    distinct.dedup();
    let announced = row.addresses_announced as usize;
    findings.equal(&format!("{place}: addresses_announced"), announced, distinct.len());
    let joined = tables.announced_on(row.connection_id);
    for announced in joined {
        let other = direction_end(announced.direction, announced.addr, tables, row.connection_id);
        findings.equal(&format!("{place}: {} joined", announced.addr), announced.joined, other);
    }
}

/// Whether a subflow goes *to* an announced address (one from it is no answer to the announcement).
fn direction_end(by: Direction, addr: IpAddr, tables: &Tables, connection: u64) -> bool {
    let answers = if by == Direction::C2s { Opener::Server } else { Opener::Client };
    let rows = tables.subflows_of(connection);
    rows.iter().any(|row| row.subflow_id != 0 && row.opener == answers && row.dst_addr == addr)
}

fn events(findings: &mut Findings, place: &str, tables: &Tables, row: &Connection, truth: &Value) {
    let mine = |kind: EventKind| {
        let events = tables.events_of(kind).into_iter();
        events.filter(|event| event.connection_id == row.connection_id).collect::<Vec<_>>()
    };
    let at = |what: &str| format!("{place}: {what} events");
    let withdrawn: Vec<_> = truth["remove_addr"]
        .list()
        .iter()
        .map(|truth| {
            let ids: Vec<_> = truth["ids"].list().iter().map(ToString::to_string).collect();
            (direction(truth["by"].text()), format!("withdraws address id {}", ids.join(", ")))
        })
        .collect();
    let seen: Vec<_> =
        mine(EventKind::RemoveAddr).iter().map(|event| (event.direction, event.detail.clone())).collect();
    findings.equal(&at("remove_addr"), seen, withdrawn);
    findings.equal(&at("mp_prio"), mine(EventKind::MpPrio).len(), truth["prio"].list().len());
    findings.equal(&at("mp_fail"), mine(EventKind::MpFail).len() as u64, truth["mp_fail"].number());
    let aborts: Vec<_> = mine(EventKind::FastClose).iter().map(|event| event.direction).collect();
    let told: Vec<_> = truth["fastclose"].as_str().map(direction).into_iter().collect();
    findings.equal(&at("fastclose"), aborts, told);
    let fallbacks = usize::from(!truth["fallback"].is_null());
    findings.equal(&at("fallback"), mine(EventKind::Fallback).len(), fallbacks);
    let ends = if close(truth) == Close::DataFin { BOTH.to_vec() } else { vec![] };
    let mut seen: Vec<_> = mine(EventKind::DataFin).iter().map(|event| event.direction).collect();
    seen.sort();
    findings.equal(&at("data_fin"), seen, ends);
}

fn subflow(findings: &mut Findings, place: &str, row: &Subflow, truth: &Value) {
    let at = |column: &str| format!("{place}: {column}");
    let (opener, src, dst) = match truth["initiator"].text() {
        "client" => (Opener::Client, truth["client"].end(), truth["server"].end()),
        _ => (Opener::Server, truth["server"].end(), truth["client"].end()),
    };
    findings.equal(&at("opener"), row.opener, opener);
    findings.equal(&at("src"), (row.src_addr, row.src_port), src);
    findings.equal(&at("dst"), (row.dst_addr, row.dst_port), dst);
    findings.equal(&at("state"), row.state, state(truth));
    findings.equal(&at("backup"), row.backup, truth["backup"] == true);
    findings.equal(&at("address_id"), row.address_id.map(u64::from), truth["addr_id"].as_u64());
    findings.equal(&at("packets"), row.packets_c2s + row.packets_s2c, truth["packets"].number());
    findings.equal(
        &at("unique_bytes"),
        [row.unique_bytes_c2s, row.unique_bytes_s2c],
        truth["payload"].pair(),
    );
    let again = [row.retransmitted_bytes_c2s, row.retransmitted_bytes_s2c];
    findings.equal(&at("retransmitted_bytes"), again, truth["retransmitted"].pair());
    let all = [row.unique_bytes_c2s + again[0], row.unique_bytes_s2c + again[1]];
    findings.equal(&at("bytes"), [row.bytes_c2s, row.bytes_s2c], all);
    if row.subflow_id != 0 && row.state == State::Established {
        findings.equal(&at("hmac_ok"), row.hmac_ok, Some(true));
    }
    if let Some(syn) = truth["syn"].as_f64() {
        let start = row.start.0 as f64 / 1e9;
        findings.holds(&at("start"), (start - syn).abs() < MICROSECOND, || format!("{start}, not {syn}"));
    }
}

/// The truth's round trip lies between the two ends; a capture at one of them sees it in full on one side. What closes
/// a connection goes out 100 ms after the last data, whatever the path, and may acknowledge that data first.
fn round_trip(findings: &mut Findings, place: &str, row: &Subflow, rtt: f64) {
    if let (Some(c2s), Some(s2c)) = (row.rtt_min_c2s, row.rtt_min_s2c) {
        let seen = c2s.max(s2c);
        let near = seen < rtt + 1e-3 && (seen > rtt - 1e-3 || seen > 0.1);
        findings.holds(place, near, || format!("rtt_min {c2s} and {s2c}, but {rtt} lies between the ends"));
    }
}

/// What became of a subflow. Joins that failed say how; an initial SYN without success was answered or not.
fn state(truth: &Value) -> State {
    match truth["failed"].as_str() {
        Some("silent") => State::SynLost,
        Some("rst") => State::Refused,
        Some("hmac") => State::Reset,
        Some("noack") => State::Unconfirmed,
        Some(other) => panic!("unknown failure of a join: {other}"),
        None if truth["established"] == true => State::Established,
        None if truth["packets"] == 1 => State::SynLost,
        None => State::Unconfirmed,
    }
}
