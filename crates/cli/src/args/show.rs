//! `subflow show`.

use super::TalkArgs;
use clap::Args;
use std::path::PathBuf;

/// One connection in full: timeline, paths, sequence plot
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// Captures
    #[arg(value_name = "CAPTURE", required = true)]
    pub(crate) captures: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) talk: TalkArgs,
}
