//! What `subflow analyze` says of the bundled captures, word for word.

mod support;

use std::path::Path;
use support::{stdout, subflow};

fn example(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name);
    path.to_str().expect("UTF-8").to_owned()
}

#[test]
fn summaries() {
    for name in ["handover", "dualstack", "stripped", "checksum"] {
        let text = stdout(&["analyze", &example(&format!("{name}.pcap.zst"))]);
        insta::assert_snapshot!(format!("summary_{name}"), text);
    }
}

#[test]
fn tables_of_a_handover() {
    let file = example("handover.pcap.zst");
    for (table, format) in [
        ("connections", "json"),
        ("subflows", "jsonl"),
        ("reinjections", "csv"),
        ("events", "csv"),
        ("traffic", "json"),
        ("hosts", "csv"),
    ] {
        let text = stdout(&["analyze", &file, "-f", format, "-t", table]);
        insta::assert_snapshot!(format!("handover_{table}_{format}"), text);
    }
}

#[test]
fn threads_do_not_change_a_byte() {
    for name in ["handover", "dualstack"] {
        let file = example(&format!("{name}.pcap.zst"));
        let run = |threads: &str| stdout(&["analyze", &file, "-f", "json", "--threads", threads]);
        assert!(run("1") == run("2"));
    }
}

#[test]
fn several_captures_are_one_in_order_of_time() {
    let files = ["dualstack", "handover"].map(|name| example(&format!("{name}.pcap.zst")));
    let rows = |files: &[&str]| {
        let text = stdout(&[&["analyze", "-f", "json", "-t", "connections"], files].concat());
        let document: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        document["connections"].as_array().expect("rows").clone()
    };
    let apart: Vec<_> = files.iter().flat_map(|file| rows(&[file])).collect();
    let together = rows(&[&files[1], &files[0]]);
    assert_eq!(together.len(), 2);
    let starts: Vec<_> = together.iter().map(|row| row["start_ns"].as_i64()).collect();
    assert!(starts.is_sorted());
    for row in &apart {
        let same = |other: &&serde_json::Value| other["client_token"] == row["client_token"];
        let other = together.iter().find(same).expect("the same connection");
        for column in
            ["bytes_c2s", "bytes_s2c", "reinjected_bytes_c2s", "handovers", "start_ns", "rtt_spread"]
        {
            assert_eq!(other[column], row[column], "{column}");
        }
    }
}

#[test]
fn a_folder_of_captures_is_read_whole() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let output = subflow()
        .args(["analyze", "-f", "csv", "--fields", "client_token"])
        .arg(folder)
        .output()
        .expect("runs");
    assert!(output.status.success());
    assert_eq!(String::from_utf8(output.stdout).expect("UTF-8").lines().count(), 1 + 4);
}
