//! A capture against the kernel's counters.

use super::whole;
use crate::commands::rows::Rows;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::settings::{Reading, Wanted};
use crate::summary::compare as summary;
use std::path::{Path, PathBuf};
use subflow_compare::nstat::{self, Counters, Host};
use subflow_compare::rows::{NSTAT_SCHEMAS, Verdict};

/// The counters, and whose they are.
pub(super) struct Files {
    pub(super) nstat: PathBuf,
    pub(super) before: Option<PathBuf>,
    pub(super) host: Option<Host>,
}

pub(super) fn run(capture: &Path, files: &Files, reading: &Reading, wanted: Wanted) -> Result<Exit, Failure> {
    let sets = counters(files)?;
    let Some(tables) = whole(capture, reading)? else { return Ok(Exit::Interrupted) };
    let mut found = Vec::new();
    for (host, counted) in &sets {
        found.extend(nstat::counters(&tables, counted, *host, nstat::is_far(&tables, *host)));
    }
    let name = files.nstat.display().to_string();
    let report = || summary::kernel(&found, &capture.display().to_string(), &name);
    let mut rows = Rows::open(wanted.output(&NSTAT_SCHEMAS, "counters")?, report)?;
    rows.put(&found);
    rows.finish()?;
    let unexplained = found.iter().any(|row| row.verdict == Verdict::Unexplained);
    Ok(if unexplained { Exit::Failed } else { Exit::Done })
}

/// The counters of each host that the file has, or of the one that was asked for.
fn counters(files: &Files) -> Result<Vec<(Host, Counters)>, Failure> {
    let after = read(&files.nstat)?;
    let before = files.before.as_deref().map(read).transpose()?.unwrap_or_default();
    let mut sets = Vec::new();
    for (host, counters) in after {
        let same = before.iter().find(|(other, _)| *other == host).or(before.first());
        let counters = same.map_or_else(|| counters.clone(), |(_, before)| counters.since(before));
        let told = match (host, files.host) {
            (Some(host), Some(wanted)) if host != wanted => continue,
            (host, wanted) => host.or(wanted).or_else(|| nstat::guess(&counters)),
        };
        let Some(host) = told else {
            return Err(Failure::usage(format!(
                "{} does not tell whether it is the client's or the server's",
                files.nstat.display()
            ))
            .hint("say so with --side client or --side server"));
        };
        sets.push((host, counters));
    }
    if sets.is_empty() {
        return Err(Failure::usage(format!("{} has no counters of that side", files.nstat.display())));
    }
    Ok(sets)
}

fn read(path: &Path) -> Result<Vec<(Option<Host>, Counters)>, Failure> {
    let text = std::fs::read(path)
        .map_err(|error| Failure::failed(format!("cannot read {}: {error}", path.display())))?;
    nstat::parse(&String::from_utf8_lossy(&text)).map_err(|error| {
        Failure::failed(format!("{}: {error}", path.display()))
            .hint("make it with nstat -asz, or nstat -j, or copy /proc/net/netstat")
    })
}
