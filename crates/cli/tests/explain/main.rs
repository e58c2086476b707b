//! `subflow explain` names the right frames: tshark's fields, put together by a reference of its own, say which these are.

#[path = "../support/mod.rs"]
mod support;

mod reference;

use reference::{Reference, is_there};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use subflow_testdata::folder;
use support::{stdout, subflow};

/// The claims about the only connection of a capture on one subject.
fn claims(path: &Path, subject: &str) -> Vec<Value> {
    let path = path.to_str().expect("UTF-8");
    let text = stdout(&["explain", "-q", path, "-c", "0", "--all", "-f", "jsonl", "--what", subject]);
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn frames(claim: &Value) -> Vec<u64> {
    claim["frames"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|frame| frame.as_u64().expect("a number"))
        .collect()
}

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name)
}

/// Captures of one connection, with how many reinjections each shows.
const REINJECTIONS: [(&str, usize); 16] = [
    ("crafted/v0_reinjection.pcap", 8),
    ("crafted/v1_reinjection.pcap", 8),
    ("crafted/v0_ndiffports.pcap", 0),
    ("crafted/v0_dsn_wrap.pcap", 0),
    ("truth/02_fullmesh/server.pcap", 54),
    ("truth/04_handover_blackhole/client.pcap", 20),
    ("truth/04_handover_blackhole/server.pcap", 24),
    ("truth/04_path_flap/client.pcap", 8),
    ("truth/04_path_flap/server.pcap", 8),
    ("truth/09_remove_addr/client.pcap", 630),
    ("truth/15_ndiffports_server_ports/client.pcap", 36),
    ("truth/15_ndiffports_server_ports/server.pcap", 36),
    ("truth/27_subflow_reset/client.pcap", 207),
    ("truth/30_full_payload/client.pcap", 47),
    ("truth/32_rtt_steps/client.pcap", 110),
    ("truth/01_tiny/client.pcap", 0),
];

#[test]
fn every_reinjection_names_its_frames() {
    let Some(root) = folder("truth").and_then(|folder| folder.parent().map(Path::to_owned)) else { return };
    if !is_there() {
        return;
    }
    let mut compared = 0;
    for (name, count) in REINJECTIONS {
        let path = root.join(name);
        let expected = Reference::of(&path).reinjections();
        let told: BTreeSet<_> = claims(&path, "reinjections")
            .iter()
            .map(|claim| {
                let frames = frames(claim);
                (frames[0], frames[1], claim["bytes"].as_u64().expect("bytes"))
            })
            .collect();
        assert_eq!(told, expected, "{name}: frame, frame that carried the bytes first, bytes");
        assert_eq!(told.len(), count, "{name}");
        compared += told.len();
    }
    assert!(compared >= 1100, "only {compared} reinjections");
}

/// Captures that fell back, with the claim and the frame where it shows, found in tshark by hand.
const FALLBACKS: [(&str, &str, u64); 13] = [
    ("truth/08_strip_synack/client.pcap", "fallback_synack", 2),
    ("truth/08_syn_blackhole/client.pcap", "fallback_syn", 5),
    ("truth/08_mirror/client.pcap", "fallback_mirror", 2),
    ("truth/08_payload_csum_paced/server.pcap", "fallback_checksum", 49),
    ("truth/08_strip_data_mid/client.pcap", "fallback_later", 184),
    ("truth/08_strip_syn/client.pcap", "fallback_synack", 2),
    ("truth/21_server_off/client.pcap", "fallback_synack", 2),
    ("truth/08_strip_synack/server.pcap", "fallback_first_data", 4),
    ("truth/08_mirror/server.pcap", "fallback_synack", 2),
    ("truth/08_payload_csum_paced/client.pcap", "fallback_checksum", 49),
    ("truth/08_strip_data_mid/server.pcap", "fallback_later", 128),
    ("truth/08_strip_syn_nft/client.pcap", "fallback_synack", 2),
    ("truth/08_strip_syn_nft/server.pcap", "fallback_synack", 2),
];

#[test]
fn every_fallback_names_its_frame() {
    let Some(root) = folder("truth").and_then(|folder| folder.parent().map(Path::to_owned)) else { return };
    for (name, claim, frame) in FALLBACKS {
        let told = claims(&root.join(name), "fallback");
        assert_eq!(told.len(), 1, "{name}");
        assert_eq!((told[0]["claim"].as_str(), frames(&told[0])[0]), (Some(claim), frame), "{name}");
    }
}

/// In captures of many connections: the SYN/ACK without the option, by tshark, of every connection that fell back there, and the
/// frames of every failed join's handshake.
#[test]
fn many_connections_name_their_frames() {
    let Some(root) = folder("truth").and_then(|folder| folder.parent().map(Path::to_owned)) else { return };
    if !is_there() {
        return;
    }
    let (mut fallbacks, mut joins) = (0, 0);
    for name in [
        "crafted/fallbacks.pcap",
        "crafted/synth_server_trace.pcap",
        "truth/10_many_short/client.pcap",
        "truth/21_server_off/server.pcap",
    ] {
        let path = root.join(name);
        let reference = Reference::of(&path);
        let file = path.to_str().expect("UTF-8");
        let rows = |sql: &str| -> Vec<Value> {
            let text = stdout(&["query", "-q", "-f", "jsonl", file, sql]);
            text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
        };
        let told = |id: &Value, subject: &str| -> Vec<Value> {
            let id = id.to_string();
            let text = stdout(&["explain", "-q", file, "-c", &id, "--all", "-f", "jsonl", "--what", subject]);
            text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
        };
        let number = |row: &Value, column: &str| row[column].as_u64().expect("a number");
        for row in rows("SELECT connection_id, client_port FROM connections WHERE fallback = 'synack'") {
            let claims = told(&row["connection_id"], "fallback");
            assert_eq!(claims.len(), 1, "{name}: {row}");
            let syn_acks = reference.syn_acks_without_option(number(&row, "client_port"));
            assert!(syn_acks.contains(&frames(&claims[0])[0]), "{name}: {row}: {syn_acks:?}");
            fallbacks += 1;
        }
        let failed = rows(
            "SELECT DISTINCT connection_id FROM subflows WHERE subflow_id > 0 AND state NOT IN ('established', 'midstream') \
             ORDER BY 1",
        );
        for row in failed {
            for claim in told(&row["connection_id"], "joins") {
                let named: BTreeSet<_> = frames(&claim).into_iter().collect();
                assert!(reference.joins().contains(&named), "{name}: {claim}");
                joins += 1;
            }
        }
    }
    assert!(fallbacks == 36 && joins >= 132, "{fallbacks} fallbacks, {joins} joins");
}

/// Every reinjection and handover of the synthetic trace: of each connection that has one, by tshark's fields of its packets.
#[test]
fn reinjections_and_handovers_among_other_connections() {
    let Some(path) = folder("crafted").map(|folder| folder.join("synth_server_trace.pcap")) else { return };
    if !is_there() {
        return;
    }
    let file = path.to_str().expect("UTF-8");
    let rows = |sql: &str| -> Vec<Value> {
        let text = stdout(&["query", "-q", "-f", "jsonl", file, sql]);
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    };
    let (mut reinjections, mut handovers) = (0, 0);
    for row in rows(
        "SELECT connection_id, handovers FROM connections \
         WHERE reinjected_bytes_c2s + reinjected_bytes_s2c > 0 OR handovers > 0",
    ) {
        let id = row["connection_id"].to_string();
        let ports =
            rows(&format!("SELECT src_port FROM subflows WHERE connection_id = {id} ORDER BY subflow_id"));
        let ports: Vec<u64> = ports.iter().map(|row| row["src_port"].as_u64().expect("a port")).collect();
        let reference = Reference::of_ports(&path, &ports);
        let told = |subject: &str| -> Vec<Value> {
            let text = stdout(&["explain", "-q", file, "-c", &id, "--all", "-f", "jsonl", "--what", subject]);
            text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
        };
        let copies: BTreeSet<_> = told("reinjections")
            .iter()
            .map(|claim| {
                let frames = frames(claim);
                (frames[0], frames[1], claim["bytes"].as_u64().expect("bytes"))
            })
            .collect();
        assert_eq!(copies, reference.reinjections(), "connection {id}");
        reinjections += copies.len();
        if row["handovers"].as_u64() == Some(1) {
            let claims = told("handover");
            let (last, next) = reference.handover(reference.first_stream());
            let named = frames(&claims[0]);
            assert_eq!(
                (claims.len(), named[0], named.contains(&next)),
                (1, last, true),
                "connection {id}: {claims:?}"
            );
            handovers += 1;
        }
    }
    assert_eq!((reinjections, handovers), (61, 2));
}

#[test]
fn healthy_connections_have_no_fallback_to_explain() {
    let Some(root) = folder("truth") else { return };
    for name in ["01_tiny", "02_dual_client", "16_checksum", "30_full_payload"] {
        let path = root.join(name).join("client.pcap");
        assert_eq!(claims(&path, "fallback"), Vec::<Value>::new(), "{name}");
        assert_eq!(claims(&path, "middlebox")[0]["claim"], "middlebox_none", "{name}");
    }
}

/// Captures with joins that failed, and what each should be called.
const JOINS: [(&str, &[&str]); 10] = [
    ("truth/07_join_syn_dropped/client.pcap", &["join_syn_lost"]),
    ("truth/07_join_synack_dropped/client.pcap", &["join_syn_lost"]),
    ("truth/07_join_bad_hmac_ack/server.pcap", &["join_hmac_wrong"]),
    ("truth/07_join_bad_token/client.pcap", &["join_refused"]),
    ("truth/07_join_rst_limit/client.pcap", &["join_reset"]),
    ("truth/07_join_syn_dropped/server.pcap", &["join_syn_lost"]),
    ("truth/07_join_synack_dropped/server.pcap", &["join_unconfirmed"]),
    ("truth/07_join_bad_hmac_ack/client.pcap", &["join_reset"]),
    ("truth/07_join_rst_limit/server.pcap", &["join_reset"]),
    (
        "crafted/v0_failed_joins.pcap",
        &["join_syn_lost", "join_refused", "join_hmac_wrong", "join_unconfirmed", "join_established"],
    ),
];

#[test]
fn every_join_names_its_handshake() {
    let Some(root) = folder("truth").and_then(|folder| folder.parent().map(Path::to_owned)) else { return };
    if !is_there() {
        return;
    }
    for (name, names) in JOINS {
        let path = root.join(name);
        let told = claims(&path, "joins");
        let said: Vec<_> = told.iter().map(|claim| claim["claim"].as_str().expect("a name")).collect();
        assert_eq!(said, names, "{name}");
        let joins = Reference::of(&path).joins();
        assert_eq!(joins.len(), told.len(), "{name}");
        for (claim, join) in told.iter().zip(&joins) {
            let named: BTreeSet<_> = frames(claim).into_iter().collect();
            assert_eq!(named, *join, "{name}: {claim}");
        }
    }
}

#[test]
fn a_handover_names_the_last_frame_heard_and_the_first_new_data() {
    let Some(root) = folder("truth") else { return };
    if !is_there() {
        return;
    }
    for (path, old) in [
        (root.join("04_handover_blackhole/client.pcap"), 0),
        (root.join("04_handover_blackhole/server.pcap"), 0),
    ] {
        let told = claims(&path, "handover");
        assert_eq!(told.len(), 1, "{}", path.display());
        let (last, next) = Reference::of(&path).handover(old);
        let named = frames(&told[0]);
        assert_eq!(
            (named[0], named.contains(&next)),
            (last, true),
            "{}: {}, {next}",
            path.display(),
            told[0]
        );
    }
}

#[test]
fn the_bundled_handover_in_words() {
    let path = example("handover.pcap.zst");
    let text = stdout(&["explain", "-q", path.to_str().expect("UTF-8")]);
    insta::assert_snapshot!("handover", text);
}

#[test]
fn the_bundled_middlebox_in_words() {
    let path = example("stripped.pcap.zst");
    let text =
        stdout(&["explain", "-q", path.to_str().expect("UTF-8"), "--what", "middlebox,fallback,conformance"]);
    insta::assert_snapshot!("stripped", text);
}

#[test]
fn without_a_number_the_connections_are_listed() {
    let Some(root) = folder("crafted") else { return };
    let path = root.join("fallbacks.pcap");
    let path = path.to_str().expect("UTF-8");
    let text = stdout(&["explain", "-q", path]);
    assert!(text.contains("fallback (synack)"), "{text}");
    assert!(text.contains("Explain one of them: subflow explain "), "{text}");
    let output = subflow().args(["explain", "-q", path, "-c", "999"]).output().expect("runs");
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        stderr.contains("there is no connection 999") && stderr.contains("lists the connections"),
        "{stderr}"
    );
}
