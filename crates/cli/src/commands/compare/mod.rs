//! `subflow compare`: two captures, two runs, or a capture and the kernel's counters.

mod kernel;
mod runs;

use super::reading;
use crate::args::CompareArgs;
use crate::commands::rows::Rows;
use crate::console;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupt;
use crate::settings::{Compare, Reading, Wanted, With};
use crate::summary::compare as summary;
use std::path::{Path, PathBuf};
use std::slice;
use subflow_analysis::rows::Tables;
use subflow_compare::ends::{self, Capture, Report};
use subflow_compare::rows::{ENDS_SCHEMAS, SERIES_SCHEMA};
use subflow_compare::runs::FIGURES;

pub(super) fn run(args: CompareArgs) -> Result<Exit, Failure> {
    if args.list_figures {
        console::print(&summary::figures(FIGURES))?;
        return Ok(Exit::Done);
    }
    let Compare { a, with, reading, wanted } = Compare::new(args)?;
    interrupt::watch();
    match with {
        With::Kernel { nstat, before, host } => {
            kernel::run(&a, &kernel::Files { nstat, before, host }, &reading, wanted)
        }
        With::Capture { b, ends, runs, thresholds } => {
            if runs {
                return runs::run(&a, &b, &reading, &thresholds, wanted);
            }
            let Some(tables_a) = whole(&a, &reading)? else { return Ok(Exit::Interrupted) };
            let Some(tables_b) = whole(&b, &reading)? else { return Ok(Exit::Interrupted) };
            let [capture_a, capture_b] = [(&a, &tables_a), (&b, &tables_b)]
                .map(|(path, tables): (&PathBuf, _)| Capture { paths: slice::from_ref(path), tables });
            let report = ends::compare(capture_a, capture_b, ends, &mut || !interrupt::is_pressed())
                .map_err(|error| Failure::failed(format!("cannot read {error} again")))?;
            if interrupt::is_pressed() {
                return Ok(Exit::Interrupted);
            }
            if report.shares_connections() {
                return two_ends(&report, ends.series, [&a, &b], wanted);
            }
            if ends.series {
                return Err(Failure::failed(
                    "the captures share no connection, so there are no delays between them",
                )
                .hint("leave out --series to compare them as two runs"));
            }
            if !reading.talk.quiet {
                console::note("the captures share no connection: comparing them as two runs");
            }
            runs::run(&a, &b, &reading, &thresholds, wanted)
        }
    }
}

/// The tables of all files of one argument; nothing after Ctrl-C.
fn whole(path: &Path, reading: &Reading) -> Result<Option<Tables>, Failure> {
    let (outcome, tables) = reading::tables(slice::from_ref(&path.to_owned()), reading)?;
    Ok((!outcome.interrupted).then_some(tables))
}

fn two_ends(report: &Report, series: bool, names: [&PathBuf; 2], wanted: Wanted) -> Result<Exit, Failure> {
    let mut schemas = ENDS_SCHEMAS.to_vec();
    if series {
        schemas.push(SERIES_SCHEMA);
    }
    let names = names.map(|name| name.display().to_string());
    let mut rows = Rows::open(wanted.output(&schemas, "paths")?, || summary::ends(report, &names))?;
    rows.put(slice::from_ref(&report.clock));
    rows.put(&report.matches);
    rows.put(&report.paths);
    rows.put(&report.changes);
    rows.put(&report.reinjections);
    rows.put(&report.delays);
    if rows.are_exported() {
        report.remarks.iter().for_each(console::warning);
    }
    rows.finish()?;
    Ok(Exit::Done)
}
