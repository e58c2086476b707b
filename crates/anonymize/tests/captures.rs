//! Every capture at hand, anonymised: the tables stay the same but for addresses and keys, and nothing of what was to go
//! is left.

use std::path::{Path, PathBuf};
use subflow_anonymize::{Error, Report, Secret, Settings, run};
use subflow_testdata::{files_below, folder};

fn settings(input: &Path, output: &Path) -> Settings {
    Settings {
        inputs: vec![input.to_owned()],
        output: output.to_owned(),
        secret: Secret::new(b"a secret for tests only").expect("long enough"),
        shift_ns: 0,
        drop_others: false,
        force: true,
        verify: true,
    }
}

fn anonymize(input: &Path, output: &Path) -> Result<Report, Error> {
    run(&settings(input, output), &mut |_| true)
}

/// Anonymises every capture below a folder; returns what went wrong, and how many captures there were.
fn all_below(folder: &Path) -> (Vec<String>, usize) {
    let dir = tempfile::tempdir().expect("a folder");
    let output = dir.path().join("out.pcapng");
    let (mut wrong, mut captures) = (Vec::new(), 0);
    for input in files_below(folder) {
        let name = input.strip_prefix(folder).expect("below").display().to_string();
        match anonymize(&input, &output) {
            Ok(report) => {
                captures += 1;
                let differences = report.differences.expect("verified");
                if !differences.is_empty() {
                    wrong.push(format!("{name}: {differences:#?}"));
                }
            }
            Err(Error::Input(_)) => {}
            Err(error) => wrong.push(format!("{name}: {error}")),
        }
    }
    (wrong, captures)
}

#[track_caller]
fn tables_stay_the_same(name: &str, at_least: usize) {
    let Some(folder) = folder(name) else { return };
    let (wrong, captures) = all_below(&folder);
    assert!(captures >= at_least, "{captures} captures");
    assert!(wrong.is_empty(), "{} of {captures}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn crafted() {
    tables_stay_the_same("crafted", 10);
}

#[test]
fn truth() {
    tables_stay_the_same("truth", 50);
}

#[test]
fn truth_of_packetdrill() {
    tables_stay_the_same("truth_pkt", 15);
}

#[test]
fn formats() {
    tables_stay_the_same("formats", 50);
}

#[test]
fn perf() {
    tables_stay_the_same("perf", 2);
}

#[test]
fn probe() {
    tables_stay_the_same("probe", 5);
}

/// Captures of other people, many malformed on purpose.
#[test]
fn real() {
    tables_stay_the_same("real", 300);
}

/// The captures that the repository holds.
#[test]
fn examples() {
    let (wrong, captures) = all_below(&PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples"));
    assert!(captures >= 4 && wrong.is_empty(), "{wrong:#?}");
}
