//! Why there is no output.

use std::{io, path::PathBuf};

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The input could not be opened.
    #[error(transparent)]
    Input(#[from] subflow_capture::Error),
    /// The input has to be read twice, and standard input cannot be.
    #[error("standard input can be read only once, and the capture has to be read twice")]
    OnlyOnce,
    /// There is a file of the output's name.
    #[error("{}: there is a file of this name", path.display())]
    Exists {
        /// The output.
        path: PathBuf,
    },
    /// The output is one of the inputs.
    #[error("{}: the output is one of the inputs", path.display())]
    IsInput {
        /// The output.
        path: PathBuf,
    },
    /// The output could not be written.
    #[error("{}: {source}", path.display())]
    Output {
        /// The output.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A pcap file holds one link type only.
    #[error("{}: a pcap file holds one link type, not {}: {}", path.display(), links.len(), links.join(", "))]
    ManyLinks {
        /// The output.
        path: PathBuf,
        /// Names of the link types.
        links: Vec<String>,
    },
    /// The check of the output found something that should not be there. It was deleted.
    #[error("the check found {what} in frame {frame} of the output")]
    Leak {
        /// What it is.
        what: &'static str,
        /// In which frame of the output.
        frame: u64,
    },
    /// It was asked to stop.
    #[error("interrupted")]
    Interrupted,
}
