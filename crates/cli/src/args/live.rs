//! `subflow live`.

use super::TalkArgs;
use clap::Args;
use std::path::PathBuf;

/// The summary and the open connections of an interface as they happen
#[derive(Debug, Args)]
pub(crate) struct LiveArgs {
    /// Captures
    #[arg(value_name = "CAPTURE", required = true)]
    pub(crate) captures: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) talk: TalkArgs,
}
