//! What ends the reading before it begins.

use std::io;
use std::path::PathBuf;

/// Why an input could not be opened. With several inputs only the case that none of them can be read is an error
/// (the first one's); otherwise the unreadable ones become [`Issue`](crate::Issue)s and the rest is read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file does not exist or may not be read.
    #[error("{}: {source}", path.display())]
    Open {
        /// As it was given.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A folder without captures, or a pattern that no file matches.
    #[error("{}: no capture found here", path.display())]
    NoCapture {
        /// As it was given.
        path: PathBuf,
    },
    /// The first bytes are those of no known capture format.
    #[error("{}: not a capture at byte 0 (first bytes {}): {hint}", path.display(), hex(first_bytes))]
    NotACapture {
        /// As it was given.
        path: PathBuf,
        /// Up to eight bytes from the start, after decompression.
        first_bytes: Vec<u8>,
        /// What they look like, and what is read instead.
        hint: String,
    },
    /// No path was given.
    #[error("no input given")]
    NoInput,
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_names_file_place_and_reason() {
        let error =
            Error::NotACapture { path: "a.txt".into(), first_bytes: vec![0x41, 0x0a], hint: "text".into() };
        assert_eq!(error.to_string(), "a.txt: not a capture at byte 0 (first bytes 41 0a): text");
    }
}
