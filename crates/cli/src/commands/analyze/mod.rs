//! `subflow analyze`: captures in, a summary or tables out.

mod output;

use super::reading::{self, Outcome};
use crate::args::AnalyzeArgs;
use crate::console;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupt;
use crate::settings::{Analyze, Talk};
use crate::text::counted;
use output::{Finished, Rows, Seen};
use std::io::{self, IsTerminal};
use std::time::Instant;
use subflow_analysis::rows::all_schemas;
use subflow_store::dictionary;

pub(super) fn run(args: AnalyzeArgs) -> Result<Exit, Failure> {
    if args.output.list_fields {
        console::print(&dictionary::fields(&all_schemas()))?;
        return Ok(Exit::Done);
    }
    let settings = Analyze::new(args)?;
    interrupt::watch();
    let input = reading::open(&settings.captures)?;
    let rows = Rows::new(settings.output)?;
    let begin = Instant::now();
    let failed = rows.failed();
    let (outcome, rows) = reading::read(input, &settings.reading, rows, &failed);
    let (seen, finished) = rows.finish()?;
    tell(settings.reading.talk, &outcome, &seen, &finished, begin);
    if outcome.interrupted {
        return Ok(Exit::Interrupted);
    }
    if settings.strict && seen.losses > 0 {
        let things = counted(seen.losses, "thing");
        return Err(Failure::failed(format!("{things} in the input could not be read, and --strict is set"))
            .hint("the table `issues` lists them; without --strict this is a warning"));
    }
    Ok(Exit::Done)
}

/// Says what happened, on standard error.
fn tell(talk: Talk, outcome: &Outcome, seen: &Seen, finished: &Finished, begin: Instant) {
    if talk.quiet {
        return;
    }
    // Who looks at the summary has just read of the issues.
    if !(matches!(finished, Finished::Summarised) && io::stdout().is_terminal()) {
        reading::tell_issues(talk, &seen.first_issues, seen.issues);
    }
    if outcome.interrupted {
        console::warning(format!(
            "incomplete: only the first {} were analysed",
            counted(outcome.packets, "packet")
        ));
    }
    if let Finished::Stored { dir, tables } = finished {
        let rows: u64 = tables.iter().map(|table| table.rows).sum();
        let tables = u64::try_from(tables.len()).unwrap_or(u64::MAX);
        console::note(format!(
            "{} with {} in {}",
            counted(tables, "table"),
            counted(rows, "row"),
            dir.display()
        ));
    }
    if talk.verbose {
        let seconds = begin.elapsed().as_secs_f64();
        let (packets, files) = (counted(outcome.packets, "packet"), counted(outcome.files, "file"));
        console::note(format!("{packets} of {files} in {seconds:.2} s"));
    }
}
