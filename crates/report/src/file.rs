//! Files that appear under their names only when they are whole.

use crate::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

/// Writes a file by way of one beside it, which takes the name when all is there.
///
/// # Errors
/// Where the file cannot be written; then nothing is left of it.
pub(crate) fn whole(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<(), Error>,
) -> Result<(), Error> {
    let failed = |source| Error::File { path: path.to_owned(), source };
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part = path.with_file_name(name);
    let written = File::create(&part).map_err(failed).and_then(|file| {
        let mut out = BufWriter::new(file);
        write(&mut out)?;
        out.flush().map_err(failed)?;
        std::fs::rename(&part, path).map_err(failed)
    });
    if written.is_err() {
        // What is half written is of no use to anybody; that it cannot be removed changes nothing.
        let _ = std::fs::remove_file(&part);
    }
    written.map_err(|error| match error {
        Error::Page(source) => failed(source),
        other => other,
    })
}
