//! What can go wrong with a page.

use std::io;
use std::path::PathBuf;

/// Why a page could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The writer failed.
    #[error("cannot write the page: {0}")]
    Page(#[source] io::Error),
    /// The drawing failed.
    #[error("cannot draw: {0}")]
    Drawing(String),
    /// The file could not be written.
    #[error("{}: cannot write the page: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}
