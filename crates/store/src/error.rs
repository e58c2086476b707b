//! What can go wrong while tables are written.

use std::io;
use std::path::PathBuf;

/// Rows could not be stored.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder for the tables cannot be made.
    #[error("cannot create folder {}: {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A table's file cannot be created, written or renamed.
    #[error("cannot write {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The stream that takes the rows refused them.
    #[error("cannot write to the output: {0}")]
    Stream(#[source] io::Error),
}

impl Error {
    /// Whether the reader of the output went away, as `head` does: the end, not a failure.
    pub fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Stream(source) if source.kind() == io::ErrorKind::BrokenPipe)
    }
}
