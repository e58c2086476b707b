//! Reading captures: every command that starts from captures reads them here.

mod kept;
mod progress;
mod run;
mod stdin;

use crate::console;
use crate::failure::Failure;
use crate::settings::{Reading, Talk};
use crate::text::grouped;
use kept::Kept;
pub(crate) use progress::Progress;
pub(crate) use run::{Outcome, read};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use stdin::Stdin;
use subflow_analysis::rows::{Issue, Tables};
use subflow_capture::Input;

/// Issues that are told one by one unless more is asked for.
const ISSUES_TOLD: usize = 10;

/// Opens the captures. Standard input, where it is the only one, ends at Ctrl-C.
pub(crate) fn open(captures: &[PathBuf]) -> Result<Input, Failure> {
    let input = match captures {
        [path] if path == Path::new("-") => Input::from_reader("-", Stdin::new()),
        paths => Input::open(paths),
    };
    input.map_err(input_failure)
}

/// All tables of captures in memory, in order of connection and time; issues are told unless the command is quiet. Details,
/// if they are wanted, are those of the connections that were asked for, or of the only connection.
pub(crate) fn tables(captures: &[PathBuf], reading: &Reading) -> Result<(Outcome, Tables), Failure> {
    let input = open(captures)?;
    let asked = !reading.options.filter.connections.is_empty();
    let (outcome, Kept { mut tables, .. }) = read(input, reading, Kept::new(asked), &AtomicBool::new(false));
    tables.sort();
    if !reading.talk.quiet {
        tell_issues(reading.talk, &tables.issues, tables.issues.len());
    }
    Ok((outcome, tables))
}

/// Tells the first issues of so many, on standard error.
pub(crate) fn tell_issues(talk: Talk, first: &[Issue], of: usize) {
    let told = if talk.verbose { usize::MAX } else { ISSUES_TOLD };
    first.iter().take(told).for_each(|issue| console::warning(issue_line(issue)));
    let untold = of.saturating_sub(first.len().min(told));
    if untold > 0 {
        console::warning(format!(
            "{} more; the table `issues` lists them all",
            grouped(u64::try_from(untold).unwrap_or(u64::MAX))
        ));
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

pub(crate) fn input_failure(error: subflow_capture::Error) -> Failure {
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
