//! What was asked and what became of it, for the record: one line of JSON a run.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use subflow_probe::rows::Campaign;
use subflow_rows::Row;
use subflow_store::{Error, Layout, TableWriter, jsonl};

/// The file, and where the line of this run begins in it.
pub(super) struct Metadata {
    path: PathBuf,
    file: File,
    begin: u64,
}

impl Metadata {
    /// Opens the file: anew, or after the lines of earlier runs.
    pub(super) fn open(path: &Path, go_on: bool) -> Result<Self, Error> {
        let open = || {
            let file = OpenOptions::new().append(true).create(true).open(path)?;
            // Devices have no length.
            if !go_on && file.metadata()?.is_file() {
                file.set_len(0)?;
            }
            let begin = file.metadata()?.len();
            Ok((file, begin))
        };
        let (file, begin) = open().map_err(|source| Error::File { path: path.to_owned(), source })?;
        Ok(Self { path: path.to_owned(), file, begin })
    }

    /// Writes the line, in place of what was known before.
    pub(super) fn write(&mut self, row: &Campaign) -> Result<(), Error> {
        let put = || -> io::Result<()> {
            // The whole file is of one table, whose name need not stand in each line.
            let layout = Layout { table: "", ..Layout::new(&Campaign::SCHEMA) };
            let mut line = Vec::new();
            jsonl::Writer::new(layout, &mut line).row(row.cells().as_ref())?;
            if self.file.metadata()?.is_file() {
                self.file.set_len(self.begin)?;
            }
            (&self.file).write_all(&line)
        };
        put().map_err(|source| Error::File { path: self.path.clone(), source })
    }
}
