//! `subflow explain`.

use super::TalkArgs;
use clap::Args;
use std::path::PathBuf;

/// Explain why each thing was counted as it was, by frame number
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// Captures
    #[arg(value_name = "CAPTURE", required = true)]
    pub(crate) captures: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) talk: TalkArgs,
}
