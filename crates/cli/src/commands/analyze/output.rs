//! Where the rows of the analysis go.

use crate::commands::rows::open_stream;
use crate::console;
use crate::failure::Failure;
use crate::settings::Output;
use std::io::{BufWriter, Stdout};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use subflow_analysis::rows::{AnyRow, Issue, Sink};
use subflow_analysis::summary::Summary;
use subflow_report::capture::CaptureReport;
use subflow_store::{DirectorySink, StreamSink, Written};

/// Issues that are kept to be told on standard error.
const ISSUES_KEPT: usize = 1000;

/// Takes every row, passes it on, and remembers what is told at the end.
pub(in crate::commands) struct Rows {
    to: To,
    report: Option<Box<CaptureReport>>,
    seen: Seen,
    failed: Arc<AtomicBool>,
}

enum To {
    Summary(Box<Summary>),
    Stream(Box<StreamSink<BufWriter<Stdout>>>),
    Directory { dir: PathBuf, sink: DirectorySink },
}

/// What is remembered of the rows.
#[derive(Debug, Default)]
pub(in crate::commands) struct Seen {
    /// Rows of `issues`.
    pub(in crate::commands) issues: usize,
    /// Those of them because of which something of the input is missing.
    pub(in crate::commands) losses: u64,
    /// The first of them.
    pub(in crate::commands) first_issues: Vec<Issue>,
}

/// What became of the rows.
pub(in crate::commands) enum Finished {
    /// Their summary, which also tells the issues, is on standard output.
    Summarised,
    /// They are on standard output.
    Printed,
    /// They are in files.
    Stored {
        /// The folder.
        dir: PathBuf,
        /// The files.
        tables: Vec<Written>,
    },
}

impl Rows {
    /// Opens the output; the rows go into a report, too, if one is wanted.
    pub(in crate::commands) fn new(output: Output, report: bool) -> Result<Self, Failure> {
        let to = match output {
            Output::Summary => To::Summary(Box::default()),
            Output::Stream(stream) => To::Stream(Box::new(open_stream(&stream)?)),
            Output::Directory { dir, format, selection } => {
                let sink = DirectorySink::create(&dir, format, &selection)?;
                To::Directory { dir, sink }
            }
        };
        let report = report.then(Box::default);
        Ok(Self { to, report, seen: Seen::default(), failed: Arc::default() })
    }

    /// A flag that rises when the output takes no more rows.
    pub(in crate::commands) fn failed(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.failed)
    }

    /// The report, if one is wanted.
    pub(super) fn take_report(&mut self) -> Option<CaptureReport> {
        self.report.take().map(|report| *report)
    }

    /// Lets the reader of standard output have the rows so far, where it gets rows as they become final.
    pub(in crate::commands) fn flush(&mut self) {
        if let To::Stream(sink) = &mut self.to
            && sink.flush().is_err()
        {
            self.failed.store(true, Ordering::Relaxed);
        }
    }

    /// The summary so far, where that is what the rows become.
    pub(in crate::commands) fn summary(&self) -> Option<&Summary> {
        match &self.to {
            To::Summary(summary) => Some(summary),
            To::Stream(_) | To::Directory { .. } => None,
        }
    }

    /// Writes what was held back.
    pub(in crate::commands) fn finish(self) -> Result<(Seen, Finished), Failure> {
        let finished = match self.to {
            To::Summary(summary) => {
                console::print(&crate::summary::render(&summary))?;
                Finished::Summarised
            }
            To::Stream(sink) => {
                sink.finish()?;
                Finished::Printed
            }
            To::Directory { dir, sink } => Finished::Stored { tables: sink.finish()?, dir },
        };
        Ok((self.seen, finished))
    }
}

impl Sink for Rows {
    fn row(&mut self, row: AnyRow) {
        if let AnyRow::Issue(issue) = &row {
            self.seen.issues += 1;
            self.seen.losses += u64::from(issue.lost);
            if self.seen.first_issues.len() < ISSUES_KEPT {
                self.seen.first_issues.push(issue.clone());
            }
        }
        if let Some(report) = &mut self.report {
            report.row(row.clone());
        }
        let failed = match &mut self.to {
            To::Summary(summary) => {
                summary.row(row);
                false
            }
            To::Stream(sink) => {
                sink.row(row);
                sink.failure().is_some()
            }
            To::Directory { sink, .. } => {
                sink.row(row);
                sink.failure().is_some()
            }
        };
        if failed {
            self.failed.store(true, Ordering::Relaxed);
        }
    }
}
