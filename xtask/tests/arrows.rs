//! What each crate may know. The floors, from the ground up:
//!
//! wire, rows < netio < capture < analysis, probe, sim < compare, anonymize < store < report < cli. Analysis, probe and sim do not know one
//! another.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Each crate with the crates of this workspace that it may use, tests and examples included.
const MAY_USE: &[(&str, &[&str])] = &[
    ("subflow-testdata", &[]),
    ("subflow-wire", &[]),
    ("subflow-rows", &[]),
    ("subflow-netio", &["subflow-wire"]),
    ("subflow-capture", &["subflow-wire", "subflow-netio"]),
    ("subflow-analysis", &["subflow-wire", "subflow-rows", "subflow-capture"]),
    ("subflow-sim", &["subflow-wire", "subflow-rows", "subflow-capture"]),
    ("subflow-probe", &["subflow-wire", "subflow-rows", "subflow-netio", "subflow-capture"]),
    ("subflow-compare", &["subflow-wire", "subflow-rows", "subflow-capture", "subflow-analysis"]),
    ("subflow-anonymize", &["subflow-wire", "subflow-capture", "subflow-analysis"]),
    ("subflow-store", &["subflow-rows", "subflow-capture", "subflow-analysis", "subflow-compare"]),
    (
        "subflow-report",
        &[
            "subflow-rows",
            "subflow-capture",
            "subflow-analysis",
            "subflow-compare",
            "subflow-sim",
            "subflow-probe",
            "subflow-store",
        ],
    ),
    (
        "subflow",
        &[
            "subflow-wire",
            "subflow-rows",
            "subflow-capture",
            "subflow-analysis",
            "subflow-compare",
            "subflow-anonymize",
            "subflow-probe",
            "subflow-sim",
            "subflow-store",
            "subflow-report",
        ],
    ),
];

/// Crates that only the named floors (and those above) may use: heavy ones, and ones with a place of their own.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("arrow", &["subflow-store"]),
    ("parquet", &["subflow-store"]),
    ("clap", &["subflow", "xtask"]),
    ("anyhow", &["xtask"]),
    ("datafusion", &["subflow-store"]),
    ("plotly", &["subflow-report"]),
    ("plotters", &["subflow-report"]),
    ("askama", &["subflow-report"]),
    ("ratatui", &["subflow"]),
    ("libc", &["subflow-netio"]),
    ("rustls", &["subflow-probe"]),
];

#[test]
fn imports_go_down_only() {
    let packages = packages();
    for (name, dependencies) in &packages {
        if name == "xtask" {
            continue;
        }
        let (_, allowed) = MAY_USE
            .iter()
            .find(|(known, _)| known == name)
            .unwrap_or_else(|| panic!("{name} has no floor yet: say in this test what it may use"));
        for (dependency, kind) in
            dependencies.iter().filter(|(dependency, _)| packages.contains_key(dependency))
        {
            // Where the tests find captures is for all tests to know, and for nothing else.
            // The command's tests build laboratories, whose routers need packet sockets.
            let for_laboratories = name == "subflow" && dependency == "subflow-netio";
            if kind == "dev" && (dependency == "subflow-testdata" || for_laboratories) {
                continue;
            }
            assert!(allowed.contains(&dependency.as_str()), "{name} must not know {dependency}");
        }
    }
}

#[test]
fn heavy_crates_stay_where_they_belong() {
    for (name, dependencies) in packages() {
        for (dependency, kind) in dependencies {
            let rule = ONLY_IN.iter().find(|(prefix, _)| {
                dependency.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
            });
            if let Some((_, crates)) = rule.filter(|_| kind != "dev") {
                assert!(crates.contains(&name.as_str()), "{name} must not use {dependency}");
            }
        }
    }
}

#[test]
fn rows_depends_on_nothing() {
    assert_eq!(packages()["subflow-rows"], []);
}

/// The crates of the workspace, each with its dependencies and their kind (`normal`, `dev`, `build`).
fn packages() -> BTreeMap<String, Vec<(String, String)>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root)
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let packages = metadata["packages"].as_array().expect("packages");
    packages
        .iter()
        .map(|package| {
            let dependencies = package["dependencies"].as_array().expect("dependencies");
            let dependencies = dependencies.iter().map(|dependency| {
                let kind = text(&dependency["kind"]).unwrap_or_else(|| "normal".to_owned());
                (text(&dependency["name"]).expect("a name"), kind)
            });
            (text(&package["name"]).expect("a name"), dependencies.collect())
        })
        .collect()
}
