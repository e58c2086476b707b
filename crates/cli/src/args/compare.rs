//! `subflow compare`.

use super::TalkArgs;
use clap::Args;
use std::path::PathBuf;

/// Hold two captures of the same traffic, or two runs, against each other
#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    /// Captures
    #[arg(value_name = "CAPTURE", required = true)]
    pub(crate) captures: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) talk: TalkArgs,
}
