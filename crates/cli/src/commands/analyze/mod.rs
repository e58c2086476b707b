//! `subflow analyze`: captures in, a summary or tables out.

mod output;
mod progress;
mod run;
mod stdin;

use crate::args::AnalyzeArgs;
use crate::console;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupt;
use crate::settings::{Analyze, Talk};
use crate::text::{counted, grouped};
use output::{Finished, Rows, Seen};
use run::Outcome;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::time::Instant;
use stdin::Stdin;
use subflow_analysis::rows::{Issue, SCHEMAS};
use subflow_capture::Input;
use subflow_store::dictionary;

/// Issues that are told one by one unless more is asked for.
const ISSUES_TOLD: usize = 10;

pub(super) fn run(args: AnalyzeArgs) -> Result<Exit, Failure> {
    if args.output.list_fields {
        console::print(&dictionary::fields(&SCHEMAS))?;
        return Ok(Exit::Done);
    }
    let settings = Analyze::new(args)?;
    interrupt::watch();
    let input = open(&settings.captures).map_err(input_failure)?;
    let rows = Rows::new(settings.output)?;
    let begin = Instant::now();
    let (outcome, rows) = run::analyze(input, settings.options, rows, settings.threads, settings.talk);
    let (seen, finished) = rows.finish()?;
    tell(settings.talk, &outcome, &seen, &finished, begin);
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

/// Opens the captures. Standard input, where it is the only one, ends at Ctrl-C.
fn open(captures: &[PathBuf]) -> Result<Input, subflow_capture::Error> {
    match captures {
        [path] if path == Path::new("-") => Input::from_reader("-", Stdin::new()),
        paths => Input::open(paths),
    }
}

/// Says what happened, on standard error.
fn tell(talk: Talk, outcome: &Outcome, seen: &Seen, finished: &Finished, begin: Instant) {
    if talk.quiet {
        return;
    }
    // Who looks at the summary has just read of the issues.
    if !(matches!(finished, Finished::Summarised) && io::stdout().is_terminal()) {
        tell_issues(talk, seen);
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

fn tell_issues(talk: Talk, seen: &Seen) {
    let told = if talk.verbose { usize::MAX } else { ISSUES_TOLD };
    seen.first_issues.iter().take(told).for_each(|issue| console::warning(issue_line(issue)));
    let lines = u64::try_from(seen.first_issues.len().min(told)).unwrap_or(u64::MAX);
    let untold = seen.issues.saturating_sub(lines);
    if untold > 0 {
        console::warning(format!("{} more; the table `issues` lists them all", grouped(untold)));
    }
}

/// `FILE: reason at byte N (3 times)`
fn issue_line(issue: &Issue) -> String {
    let mut line = String::new();
    if !issue.file.is_empty() {
        line.push_str(&format!("{}: ", issue.file));
    }
    line.push_str(&issue.reason);
    if let Some(offset) = issue.offset {
        line.push_str(&format!(" at byte {offset}"));
    }
    if issue.count > 1 {
        line.push_str(&format!(" ({} times)", grouped(issue.count)));
    }
    line
}

fn input_failure(error: subflow_capture::Error) -> Failure {
    use io::ErrorKind;
    use subflow_capture::Error;
    let text = error.to_string();
    match error {
        Error::Open { source, .. } => {
            let failure = Failure::failed(format!("cannot read {text}"));
            match source.kind() {
                ErrorKind::NotFound => failure.hint("check the path; - reads standard input"),
                ErrorKind::PermissionDenied => {
                    failure.hint("ask the owner of the file for the right to read it")
                }
                _ => failure,
            }
        }
        Error::NoCapture { .. } => Failure::failed(text)
            .hint("name files, or a folder or glob pattern that holds pcap or pcapng files"),
        Error::NotACapture { hint, .. } => {
            let what = text.strip_suffix(&format!(": {hint}")).unwrap_or(&text);
            Failure::failed(what).hint(hint)
        }
        _ => Failure::failed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issues_name_file_place_and_count() {
        let issue = |file: &str, offset, count| Issue {
            file: file.to_owned(),
            offset,
            reason: "cut".to_owned(),
            count,
            lost: true,
        };
        assert_eq!(issue_line(&issue("a.pcap", Some(24), 1)), "a.pcap: cut at byte 24");
        assert_eq!(issue_line(&issue("a.pcap", None, 2000)), "a.pcap: cut (2,000 times)");
        assert_eq!(issue_line(&issue("", None, 1)), "cut");
    }

    #[test]
    fn what_is_no_capture_comes_with_its_hint() {
        let failure = input_failure(subflow_capture::Error::NotACapture {
            path: "a.txt".into(),
            first_bytes: vec![0x41],
            hint: "this is text".to_owned(),
        });
        assert_eq!(failure.to_string(), "a.txt: not a capture at byte 0 (first bytes 41)");
        assert_eq!(failure.next_step(), Some("this is text"));
    }
}
