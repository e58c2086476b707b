//! The tables of a session, and the captures that they come from.

use super::super::reading;
use crate::console;
use crate::failure::Failure;
use crate::interrupt;
use crate::settings::Reading;
use crate::text::counted;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use subflow_analysis::rows::{AnyRow, DETAIL_SCHEMAS, Issue, SCHEMAS, Sink};
use subflow_rows::Schema;
use subflow_store::sql::{Inputs, MemorySink, Session, Statement, describe};

/// Issues that are kept to be told on standard error.
const ISSUES_KEPT: usize = 1000;

/// A session and what it reads.
pub(super) struct Tables {
    pub(super) session: Session,
    /// None when the tables are stored ones.
    captures: Option<(Vec<PathBuf>, Reading)>,
}

impl Tables {
    /// Sorts the inputs out. Captures are opened to see that they are some, and read when a query needs them.
    pub(super) fn find(paths: &[PathBuf], reading: Reading) -> Result<Self, Failure> {
        let inputs = Inputs::find(paths)?;
        if inputs.stored.is_empty() {
            if inputs.captures.iter().all(|path| path != Path::new("-")) {
                reading::open(&inputs.captures).map_err(|failure| named(failure, &inputs.captures))?;
            }
            let session = Session::of_captures()?;
            return Ok(Self { session, captures: Some((inputs.captures, reading)) });
        }
        let (session, notes) = Session::of_stored(&inputs.stored)?;
        if !reading.talk.quiet {
            for folder in &inputs.mixed {
                if let Ok(input) = reading::open(std::slice::from_ref(folder)) {
                    let captures = counted(u64::try_from(input.files().len()).unwrap_or(u64::MAX), "capture");
                    console::warning(format!(
                        "{} holds stored tables and {captures}: the tables are queried (name captures to query those)",
                        folder.display()
                    ));
                }
            }
            notes.iter().for_each(console::warning);
        }
        let filter = &reading.options.filter;
        if !(filter.ports.is_empty() && filter.hosts.is_empty() && filter.connections.is_empty())
            || filter.since_ns.or(filter.until_ns).is_some()
        {
            return Err(Failure::usage("filters choose packets of captures, and these are stored tables")
                .hint("write the condition into the SQL, as in: WHERE connection_id = 7"));
        }
        Ok(Self { session, captures: None })
    }

    /// Reads the captures for the tables that these statements ask for; returns whether Ctrl-C cut that short.
    pub(super) fn load_for(&mut self, statements: &[Statement]) -> Result<bool, Failure> {
        let missing = self.session.missing(statements);
        self.load(&missing)
    }

    /// The same for a session that goes on: all tables but those of single connections come at once, and nothing is kept of
    /// a reading that was cut short.
    pub(super) fn load_all_for(&mut self, statements: &[Statement]) -> Result<(), Failure> {
        let mut missing = self.session.missing(statements);
        if !missing.is_empty() && self.session.is_empty() {
            missing.retain(is_detail);
            missing.extend(SCHEMAS);
        }
        self.load(&missing).map(drop)
    }

    fn load(&mut self, missing: &[Schema]) -> Result<bool, Failure> {
        let Some((captures, reading)) = self.captures.as_ref().filter(|_| !missing.is_empty()) else {
            return Ok(false);
        };
        let mut reading = reading.clone();
        reading.options.detail = missing.iter().any(is_detail);
        let input = reading::open(captures)?;
        let rows = Rows { memory: MemorySink::new(missing), issues: Vec::new(), count: 0 };
        let (outcome, rows) = reading::read(input, &reading, rows, &AtomicBool::new(false));
        if !reading.talk.quiet {
            reading::tell_issues(reading.talk, &rows.issues, rows.count);
        }
        if outcome.interrupted {
            // The queries that follow are not what was interrupted.
            interrupt::reset();
            if !reading.talk.quiet {
                let packets = counted(outcome.packets, "packet");
                console::warning(format!("incomplete: only the first {packets} were analysed"));
            }
        }
        self.session.load(rows.memory)?;
        Ok(outcome.interrupted)
    }
}

/// Whether a table is only made for those who ask for it.
fn is_detail(schema: &Schema) -> bool {
    DETAIL_SCHEMAS.iter().any(|detail| detail.table == schema.table)
}

/// A folder that holds no captures is told with what it holds.
fn named(failure: Failure, paths: &[PathBuf]) -> Failure {
    let [folder] = paths else { return failure };
    if !folder.is_dir() {
        return failure;
    }
    let (holds, hint) = describe(folder);
    let failure =
        Failure::failed(format!("{} holds neither captures nor stored tables: {holds}", folder.display()));
    failure.hint(
        hint.unwrap_or("name a folder of pcap or pcapng files, or one that subflow analyze -o DIR wrote"),
    )
}

/// Keeps rows, and issues to tell.
struct Rows {
    memory: MemorySink,
    issues: Vec<Issue>,
    count: usize,
}

impl Sink for Rows {
    fn row(&mut self, row: AnyRow) {
        if let AnyRow::Issue(issue) = &row {
            self.count += 1;
            if self.issues.len() < ISSUES_KEPT {
                self.issues.push(issue.clone());
            }
        }
        self.memory.row(row);
    }
}
