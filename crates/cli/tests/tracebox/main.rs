//! `subflow tracebox`: captures of probes, as text, rows and JSON, and what is refused.

#[path = "../support/mod.rs"]
mod support;

use serde_json::Value;
use support::{stdout, subflow};

/// A capture of probes: three routers and a server, with one box or none.
fn capture(name: &str) -> String {
    format!("{}/tests/tracebox/{name}.pcap", env!("CARGO_MANIFEST_DIR"))
}

fn run(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = subflow().args(arguments).output().expect("runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn captures_in_words() {
    for name in ["clean", "strip", "nat", "short_quote", "drop_mptcp"] {
        insta::assert_snapshot!(name, stdout(&["tracebox", "--read", &capture(name)]));
    }
}

#[test]
fn a_capture_as_rows() {
    let strip = capture("strip");
    let document: Value = serde_json::from_str(&stdout(&[
        "tracebox",
        "--read",
        &strip,
        "-f",
        "json",
        "-t",
        "targets,hops,modifications",
    ]))
    .expect("JSON");
    let targets = document["targets"].as_array().expect("rows");
    assert_eq!(targets.len(), 2);
    assert!(targets.iter().all(|row| row["category"] == "middlebox_affected" && row["behaviour"] == "strip"));
    assert!(document["hops"].as_array().is_some_and(|hops| hops.len() > 20));
    assert!(document["modifications"].as_array().is_some_and(|rows| !rows.is_empty()));
}
