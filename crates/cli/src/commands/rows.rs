//! Where rows go that a command has at hand: to the screen as a report for people, to standard output, into a folder.

use crate::console;
use crate::failure::Failure;
use crate::settings::{Output, Stream};
use crate::text::counted;
use std::io::{BufWriter, Stdout};
use std::path::PathBuf;
use subflow_rows::Row;
use subflow_store::{DirectorySink, StreamSink};

/// Begins rows on standard output.
pub(super) fn open_stream(stream: &Stream) -> Result<StreamSink<BufWriter<Stdout>>, Failure> {
    let out = console::stdout();
    Ok(match stream {
        Stream::Json(selection) => StreamSink::json(selection, out)?,
        Stream::Jsonl(selection) => StreamSink::jsonl(selection, out),
        Stream::Csv(layout) => StreamSink::csv(layout.clone(), out)?,
    })
}

/// Takes rows; a report for people has been printed instead.
pub(super) enum Rows {
    Printed,
    Stream(Box<StreamSink<BufWriter<Stdout>>>),
    Directory { dir: PathBuf, sink: Box<DirectorySink> },
}

impl Rows {
    /// Opens the output, or prints the report.
    pub(super) fn open(output: Output, report: impl FnOnce() -> String) -> Result<Self, Failure> {
        Ok(match output {
            Output::Summary => {
                console::print(&report())?;
                Self::Printed
            }
            Output::Stream(stream) => Self::Stream(Box::new(open_stream(&stream)?)),
            Output::Directory { dir, format, selection } => {
                let sink = Box::new(DirectorySink::create(&dir, format, &selection)?);
                Self::Directory { dir, sink }
            }
        })
    }

    /// Whether nobody has read a report.
    pub(super) fn are_exported(&self) -> bool {
        !matches!(self, Self::Printed)
    }

    /// Takes the rows of a table.
    pub(super) fn put<R: Row>(&mut self, rows: &[R]) {
        match self {
            Self::Printed => {}
            Self::Stream(sink) => rows.iter().for_each(|row| sink.put(row)),
            Self::Directory { sink, .. } => rows.iter().for_each(|row| sink.put(row)),
        }
    }

    /// Writes what was held back.
    pub(super) fn finish(self) -> Result<(), Failure> {
        match self {
            Self::Printed => Ok(()),
            Self::Stream(sink) => Ok(sink.finish()?),
            Self::Directory { dir, sink } => {
                let written = sink.finish()?;
                let rows = written.iter().map(|table| table.rows).sum();
                let tables = u64::try_from(written.len()).unwrap_or(u64::MAX);
                let (tables, rows) = (counted(tables, "table"), counted(rows, "row"));
                console::note(format!("{tables} with {rows} in {}", dir.display()));
                Ok(())
            }
        }
    }
}
