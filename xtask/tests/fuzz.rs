//! A bounded run of every fuzz target: its seeds, then a fixed number of inputs made from them.

use subflow_fuzz::{TARGETS, bounded};

fn run(name: &str) {
    let target = TARGETS.iter().find(|target| target.name == name).expect("a target of this name");
    bounded::run(target).unwrap_or_else(|error| panic!("{name}: {error}"));
}

#[test]
fn packet() {
    run("packet");
}

#[test]
fn options() {
    run("options");
}

#[test]
fn pcap() {
    run("pcap");
}

#[test]
fn pcapng() {
    run("pcapng");
}

#[test]
fn compressed() {
    run("compressed");
}

#[test]
fn analyzer() {
    run("analyzer");
}

#[test]
fn anonymize() {
    run("anonymize");
}

#[test]
fn answers() {
    run("answers");
}

#[test]
fn nstat() {
    run("nstat");
}

#[test]
fn scenario() {
    run("scenario");
}

/// Every target has a program for cargo-fuzz, a description and a test here.
#[test]
fn no_target_is_forgotten() {
    let home = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
    let read = |path: &str| {
        std::fs::read_to_string(home.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    };
    let (manifest, about, here) = (read("Cargo.toml"), read("README.md"), include_str!("fuzz.rs"));
    let programs = std::fs::read_dir(home.join("fuzz_targets")).unwrap().count();
    assert_eq!(programs, TARGETS.len());
    for target in TARGETS {
        let name = target.name;
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")), "{name}");
        assert!(about.contains(&format!("| `{name}` |")), "{name}");
        assert!(here.contains(&format!("run(\"{name}\")")), "{name}");
    }
}
