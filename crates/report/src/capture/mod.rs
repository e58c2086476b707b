//! The report on a capture: the tables and figures of the server-trace studies, for one's own traffic.
//!
//! [`CaptureReport`] takes the rows of an analysis as they become final, and writes a page. Every number on it comes
//! from these rows, most of them by way of the [`Summary`] that the terminal shows.
//!
//! Figures are drawn over all connections. The list of connections, with all columns of their rows and those of their
//! subflows, holds the first [`MOST_CONNECTIONS`] to end; memory follows these, and 16 bytes for every connection.

mod affected;
mod answers;
mod browser;
mod collect;
mod ends;
mod held;
mod measures;
mod timeline;
mod traffic;

use crate::error::Error;
use crate::page::{Page, Section};
use crate::text::counted;
use collect::Collected;
use std::io::Write;
use std::path::Path;
use subflow_analysis::rows::{AnyRow, Sink};
use subflow_analysis::summary::Summary;

pub use collect::MOST_CONNECTIONS;

/// What was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// The captures as they were named.
    pub captures: Vec<String>,
    /// Files that packets came from.
    pub files: u64,
    /// Packets, TCP or not.
    pub packets: u64,
    /// Times of the first and the last of them, nanoseconds since 1970; `None` without packets.
    pub span_ns: Option<(i64, i64)>,
    /// Whether reading was ended before the end of the input.
    pub interrupted: bool,
}

/// A report that takes rows and becomes a page.
#[derive(Debug, Default)]
pub struct CaptureReport {
    summary: Summary,
    collected: Collected,
}

impl CaptureReport {
    /// Writes the page.
    ///
    /// # Errors
    /// Where the writer fails.
    pub fn write<W: Write>(mut self, source: &Source, out: &mut W) -> Result<(), Error> {
        self.collected.sort();
        self.page(source).write(out)
    }

    fn page(&self, source: &Source) -> Page {
        let (summary, rows) = (&self.summary, &self.collected);
        let title = match source.captures.as_slice() {
            [] => "nothing".to_owned(),
            [one] => one.clone(),
            [first, rest @ ..] => {
                format!(
                    "{first} and {}",
                    counted(u64::try_from(rest.len()).unwrap_or(u64::MAX), "more capture")
                )
            }
        };
        let mut page = Page::new("Multipath TCP in this capture", &title);
        let sections: [Section; 13] = [
            answers::section(summary, source),
            affected::section(summary, rows),
            traffic::section(summary),
            measures::subflows(summary),
            measures::addresses(summary),
            measures::delays(summary),
            measures::sizes(summary),
            measures::repeats(summary),
            measures::switching(summary),
            held::section(summary),
            ends::section(summary),
            timeline::section(rows),
            browser::section(rows, summary),
        ];
        for section in sections {
            page = page.section(section);
        }
        page = page.section(traffic::read(summary, source));
        browser::add_data(page, rows)
    }
}

impl Sink for CaptureReport {
    fn row(&mut self, row: AnyRow) {
        self.summary.add(&row);
        self.collected.add(row);
    }
}

/// Writes the report to a file, which appears under its name only when it is whole.
///
/// # Errors
/// Where the file cannot be written.
pub fn capture_report(report: CaptureReport, source: &Source, path: &Path) -> Result<(), Error> {
    crate::file::whole(path, |out| report.write(source, out))
}
