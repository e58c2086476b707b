//! Where rows go that a command has at hand: to the screen as a report for people, to standard output, into a folder.

use crate::console;
use crate::failure::Failure;
use crate::settings::{Output, Stream, Talk};
use crate::text::counted;
use std::io::{self, BufWriter, Stdout};
use std::path::{Path, PathBuf};
use subflow_rows::Row;
use subflow_store::{DirectorySink, Error, GrowingSink, StreamSink, Written};

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
                tell(&sink.finish()?, &dir);
                Ok(())
            }
        }
    }
}

fn tell(written: &[Written], dir: &Path) {
    let rows = written.iter().map(|table| table.rows).sum();
    let tables = counted(written.len() as u64, "table");
    console::note(format!("{tables} with {} in {}", counted(rows, "row"), dir.display()));
}

/// What to do when rows cannot be put beneath those that are there.
const SAME: &str = "give the same --format, --table and --fields as before";

/// Takes rows of what may go on for hours, as they come, and keeps them whenever it ends.
pub(super) struct Growing {
    to: To,
    /// The tables that are wanted.
    tables: Vec<&'static str>,
    /// Why the output takes no more.
    failure: Option<Error>,
}

enum To {
    /// A report comes at the end.
    Nowhere,
    Stream(Box<StreamSink<BufWriter<Stdout>>>),
    Folder {
        dir: PathBuf,
        sink: GrowingSink,
    },
}

impl Growing {
    /// Opens the output: anew, or to `go_on` with what is there.
    pub(super) fn open(output: &Output, go_on: bool) -> Result<Self, Failure> {
        let to = match output {
            Output::Summary => To::Nowhere,
            Output::Directory { dir, format, selection } => {
                let sink = GrowingSink::open(dir, *format, selection, go_on).map_err(|error| {
                    match kind(&error) {
                        Some(io::ErrorKind::NotFound) if go_on => Failure::usage(format!(
                            "{error}: what is there has other tables or another format"
                        ))
                        .hint(SAME),
                        Some(io::ErrorKind::InvalidData) if go_on => Failure::usage(error).hint(SAME),
                        _ => error.into(),
                    }
                })?;
                To::Folder { dir: dir.clone(), sink }
            }
            Output::Stream(stream) => To::Stream(Box::new(open_stream(stream)?)),
        };
        Ok(Self { to, tables: output.tables(), failure: None })
    }

    /// Whether rows of a table go anywhere: others need not be made.
    pub(super) fn takes(&self, table: &str) -> bool {
        self.tables.contains(&table)
    }

    /// Takes a row. The error only says that no more are taken; [`finish`](Self::finish) says why.
    pub(super) fn put<R: Row>(&mut self, row: &R) -> io::Result<()> {
        let result = match &mut self.to {
            To::Nowhere => Ok(()),
            To::Stream(sink) => {
                sink.put(row);
                return if sink.failure().is_some() { Err(refused()) } else { Ok(()) };
            }
            To::Folder { sink, .. } => sink.put(row),
        };
        self.keep(result)
    }

    /// Takes a row that the next of these replaces. A stream cannot take back what it was told: it gets the `last` one alone.
    pub(super) fn put_for_now<R: Row>(&mut self, row: &R, last: bool) -> io::Result<()> {
        let result = match &mut self.to {
            To::Folder { sink, .. } => sink.put_for_now(row),
            To::Stream(_) if last => return self.put(row),
            To::Stream(_) | To::Nowhere => Ok(()),
        };
        self.keep(result)
    }

    /// Puts the rows so far where they belong.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        let result = match &mut self.to {
            To::Nowhere => Ok(()),
            To::Stream(sink) => return sink.flush().map_err(|_| refused()),
            To::Folder { sink, .. } => sink.flush(),
        };
        self.keep(result)
    }

    /// Keeps the first failure of the output, whose words are better than those of an I/O error.
    pub(super) fn keep(&mut self, result: Result<(), Error>) -> io::Result<()> {
        if let Err(error) = result {
            self.failure.get_or_insert(error);
        }
        if self.failure.is_some() { Err(refused()) } else { Ok(()) }
    }

    /// Ends the output, after all that can be saved is, and says why it took no more if it did not.
    pub(super) fn finish(self, complete: bool, talk: Talk) -> Result<(), Failure> {
        let Self { to, failure, .. } = self;
        match to {
            To::Nowhere => {}
            To::Stream(mut sink) => {
                if failure.is_none() {
                    sink.flush().err();
                    sink.finish()?;
                }
            }
            To::Folder { dir, sink } => {
                let written = sink.finish(complete);
                if let Some(failure) = failure {
                    return Err(failure.into());
                }
                let written = written?;
                if !talk.quiet {
                    tell(&written, &dir);
                }
                return Ok(());
            }
        }
        failure.map_or(Ok(()), |failure| Err(failure.into()))
    }
}

fn kind(error: &Error) -> Option<io::ErrorKind> {
    match error {
        Error::File { source, .. } => Some(source.kind()),
        _ => None,
    }
}

fn refused() -> io::Error {
    io::Error::other("the output takes no more rows")
}
