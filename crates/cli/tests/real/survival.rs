//! Whatever a file holds, the command ends well or says what is wrong, soon and in little memory.

use crate::{
    bounded::{self, Run},
    captures,
};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

const TABLES: [&str; 8] =
    ["traffic", "connections", "subflows", "announcements", "reinjections", "events", "hosts", "issues"];

/// So many runs at a time.
const RUNNERS: usize = 2;

#[test]
fn every_capture_is_read_or_refused_with_a_reason() {
    let files: Vec<PathBuf> = ["formats", "real"]
        .into_iter()
        .filter_map(subflow_testdata::folder)
        .flat_map(|dir| captures::below(&dir))
        .collect();
    if files.is_empty() {
        return;
    }
    let queue = Mutex::new(files.iter());
    let next = || queue.lock().expect("no runner panics").next();
    let wrong = Mutex::new(Vec::new());
    let refused = Mutex::new(BTreeSet::new());
    std::thread::scope(|scope| {
        for _ in 0..RUNNERS {
            scope.spawn(|| {
                let dir = tempfile::tempdir().expect("a folder");
                while let Some(file) = next() {
                    match (json(file, dir.path()), parquet(file, dir.path())) {
                        (Ok(true), Ok(true)) => {}
                        (Ok(false), Ok(false)) => {
                            refused.lock().expect("no runner panics").insert(file.clone());
                        }
                        (Ok(_), Ok(_)) => wrong
                            .lock()
                            .expect("no runner panics")
                            .push(format!("{}: refused in one form only", file.display())),
                        (json, parquet) => {
                            let reasons = [json, parquet].into_iter().filter_map(Result::err);
                            wrong.lock().expect("no runner panics").extend(reasons);
                        }
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().expect("no runner panics");
    assert!(wrong.is_empty(), "{} of {} files:\n{}", wrong.len(), files.len(), wrong.join("\n"));
    for file in refused.into_inner().expect("no runner panics") {
        assert!(!is_capture(&file), "{} is a capture and was refused", file.display());
    }
}

/// Analyses to JSON; whether the file was taken.
fn json(file: &Path, dir: &Path) -> Result<bool, String> {
    let out = dir.join("out.json");
    let run = analyze(file, &["-f", "json"], &out)?;
    if !taken(file, &run)? {
        return Ok(false);
    }
    let text = fs::read(&out).map_err(|error| format!("{}: {error}", file.display()))?;
    let document: Value =
        serde_json::from_slice(&text).map_err(|error| format!("{}: no JSON: {error}", file.display()))?;
    let whole = TABLES.iter().all(|table| document[table].is_array());
    if whole { Ok(true) } else { Err(format!("{}: a table is missing", file.display())) }
}

/// Analyses to Parquet; whether the file was taken.
fn parquet(file: &Path, dir: &Path) -> Result<bool, String> {
    let tables = dir.join("tables");
    let run = analyze(file, &["-o", tables.to_str().expect("UTF-8")], &dir.join("out"))?;
    if !taken(file, &run)? {
        return Ok(false);
    }
    for table in TABLES {
        let bytes = fs::read(tables.join(format!("{table}.parquet")))
            .map_err(|error| format!("{}: {table}: {error}", file.display()))?;
        if !(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1")) {
            return Err(format!("{}: {table} is no Parquet file", file.display()));
        }
    }
    fs::remove_dir_all(&tables).map_err(|error| error.to_string())?;
    Ok(true)
}

fn analyze(file: &Path, arguments: &[&str], out: &Path) -> Result<Run, String> {
    let name = file.to_str().expect("UTF-8");
    bounded::run(&[&["analyze", name][..], arguments].concat(), out)
        .ok_or_else(|| format!("{name}: took too long"))
}

/// Whether the file was taken; an error when the run did not end as it should.
fn taken(file: &Path, run: &Run) -> Result<bool, String> {
    let name = file.display().to_string();
    let Run { code, stderr } = run;
    let wrong = |what: &str| Err(format!("{name}: {what} (exit {code:?}): {stderr}"));
    let lower = stderr.to_lowercase();
    if ["panicked", "unknown error", "memory allocation", "backtrace"].iter().any(|word| lower.contains(word))
    {
        return wrong("not for users");
    }
    let failed = stderr.lines().filter(|line| line.starts_with("error: ")).count();
    match code {
        Some(0) if failed == 0 => Ok(true),
        Some(1) if failed == 1 => {
            let error = stderr.lines().find(|line| line.starts_with("error: ")).unwrap_or_default();
            if !(error.contains(&name) && error.contains(" at byte ")) {
                return wrong("an error that does not say where");
            }
            if !stderr.lines().any(|line| line.starts_with("hint: ")) {
                return wrong("an error without a hint");
            }
            Ok(false)
        }
        _ => wrong("did not end well"),
    }
}

/// Whether a plain file begins like a pcap or pcapng file of any kind.
fn is_capture(file: &Path) -> bool {
    let head = fs::read(file).unwrap_or_default();
    let magic = head.first_chunk::<4>().copied().unwrap_or_default();
    let pcap = [[0xa1, 0xb2, 0xc3, 0xd4], [0xa1, 0xb2, 0x3c, 0x4d], [0xa1, 0xb2, 0xcd, 0x34]];
    magic == [0x0a, 0x0d, 0x0d, 0x0a]
        || pcap.iter().any(|&order| magic == order || magic == [order[3], order[2], order[1], order[0]])
}
