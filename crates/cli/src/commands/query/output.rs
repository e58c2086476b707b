//! Where a result goes: standard output, or a file that has its name only when it is whole.

use crate::args::Format;
use crate::console;
use crate::failure::Failure;
use std::fs::{self, File};
use std::io::{self, BufWriter, IsTerminal, Stdout};
use std::path::{Path, PathBuf};
use subflow_store::sql::{Error, Form};

/// An output that takes one result.
pub(super) enum Output {
    Stdout(BufWriter<Stdout>),
    File { out: BufWriter<File>, partial: Option<PathBuf>, path: PathBuf },
}

impl Output {
    /// Opens the file, or standard output. What is no regular file, as a pipe, is written in place.
    pub(super) fn open(file: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = file else { return Ok(Self::Stdout(console::stdout())) };
        let special = fs::metadata(path).is_ok_and(|about| !about.is_file());
        let partial = (!special).then(|| partial(path));
        let opened =
            File::create(partial.as_deref().unwrap_or(path)).map_err(|error| cannot(path, &error))?;
        Ok(Self::File { out: BufWriter::with_capacity(1 << 16, opened), partial, path: path.to_owned() })
    }

    /// The form of a result here.
    pub(super) fn form(&self, format: Format) -> Form {
        match format {
            Format::Table => Form::Table { width: self.width() },
            Format::Json => Form::Json,
            Format::Jsonl => Form::Jsonl,
            Format::Csv => Form::Csv,
            Format::Parquet => Form::Parquet,
        }
    }

    /// Columns of the terminal.
    fn width(&self) -> Option<usize> {
        if !matches!(self, Self::Stdout(_)) || !io::stdout().is_terminal() {
            return None;
        }
        ratatui::crossterm::terminal::size()
            .ok()
            .map(|(columns, _)| usize::from(columns))
            .filter(|columns| *columns > 0)
    }

    /// Lets `write` fill it; gives the file its name when all went well, and takes it away otherwise.
    pub(super) fn write(self, write: impl FnOnce(Writer) -> Result<(), Error>) -> Result<(), Failure> {
        match self {
            Self::Stdout(out) => Ok(write(Writer::Stdout(out))?),
            Self::File { out, partial, path } => {
                let written = write(Writer::File(out)).map_err(|error| match error {
                    Error::Stream(error) => cannot(&path, &error),
                    error => Failure::from(error),
                });
                let Some(partial) = partial else { return written };
                let named =
                    written.and_then(|()| fs::rename(&partial, &path).map_err(|error| cannot(&path, &error)));
                if named.is_err() {
                    // The error that is told is the first one.
                    let _ = fs::remove_file(&partial);
                }
                named
            }
        }
    }
}

/// Takes the bytes.
pub(super) enum Writer {
    Stdout(BufWriter<Stdout>),
    File(BufWriter<File>),
}

impl io::Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout(out) => out.write(bytes),
            Self::File(out) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(out) => out.flush(),
            Self::File(out) => out.flush(),
        }
    }
}

/// `DIR/_FILE.partial`, which readers of folders pass over.
fn partial(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("_{name}.partial"))
}

fn cannot(path: &Path, error: &io::Error) -> Failure {
    Failure::failed(format!("cannot write {}: {error}", path.display()))
        .hint("name a file that you may write to, on a disk with room, with -o")
}
