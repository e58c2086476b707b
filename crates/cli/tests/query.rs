//! `subflow query` from end to end.

mod support;

use std::path::Path;
use support::{stdout, subflow};

fn example(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name);
    path.to_str().expect("UTF-8").to_owned()
}

#[test]
fn tables_are_listed() {
    let text = stdout(&["query", &example("handover.pcap.zst"), ".tables"]);
    assert!(text.contains("\npackets "), "{text}");
    assert!(!subflow().args(["query"]).output().expect("runs").status.success());
}
