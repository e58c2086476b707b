//! Two runs, or two folders of repetitions.

use super::whole;
use crate::commands::rows::Rows;
use crate::console;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::settings::{Reading, Wanted};
use crate::summary::compare as summary;
use std::path::{Path, PathBuf};
use subflow_compare::rows::RUNS_SCHEMAS;
use subflow_compare::runs::{Run, Thresholds, differences};

pub(super) fn run(
    a: &Path,
    b: &Path,
    reading: &Reading,
    thresholds: &Thresholds,
    wanted: Wanted,
) -> Result<Exit, Failure> {
    let Some(runs_a) = repetitions(a, reading)? else { return Ok(Exit::Interrupted) };
    let Some(runs_b) = repetitions(b, reading)? else { return Ok(Exit::Interrupted) };
    let found = differences(&runs_a, &runs_b, thresholds);
    let names = [a, b].map(|path| path.display().to_string());
    let report = || summary::runs(&found, &names, [runs_a.len(), runs_b.len()], !thresholds.is_empty());
    let mut rows = Rows::open(wanted.output(&RUNS_SCHEMAS, "differences")?, report)?;
    rows.put(&found);
    rows.finish()?;
    Ok(if found.iter().any(|row| row.beyond) { Exit::Failed } else { Exit::Done })
}

/// The runs of one argument: a capture, or what lies in a folder, each file and each folder a run. Files that are no
/// captures are passed over. Nothing after Ctrl-C.
fn repetitions(path: &Path, reading: &Reading) -> Result<Option<Vec<Run>>, Failure> {
    let mut runs = Vec::new();
    if !path.is_dir() {
        let Some(tables) = whole(path, reading)? else { return Ok(None) };
        return Ok(Some(vec![Run::of(&tables)]));
    }
    let mut last = None;
    for member in members(path)? {
        match whole(&member, reading) {
            Ok(Some(tables)) => runs.push(Run::of(&tables)),
            Ok(None) => return Ok(None),
            Err(failure) => {
                if !reading.talk.quiet {
                    console::warning(format!("passed over: {failure}"));
                }
                last = Some(failure);
            }
        }
    }
    match last {
        Some(failure) if runs.is_empty() => Err(failure),
        None if runs.is_empty() => Err(Failure::failed(format!("there is no capture in {}", path.display()))
            .hint("every file in the folder is one repetition: put captures there")),
        _ => Ok(Some(runs)),
    }
}

/// What lies in a folder, by name, hidden files left out.
fn members(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let unreadable =
        |error: std::io::Error| Failure::failed(format!("cannot read folder {}: {error}", folder.display()));
    let mut members = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        if !entry.file_name().to_string_lossy().starts_with('.') {
            members.push(entry.path());
        }
    }
    members.sort();
    Ok(members)
}
