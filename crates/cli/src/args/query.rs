//! `subflow query`.

use super::TalkArgs;
use clap::Args;
use std::path::PathBuf;

/// SQL over the tables, straight from captures or from stored tables
#[derive(Debug, Args)]
pub(crate) struct QueryArgs {
    /// Captures
    #[arg(value_name = "CAPTURE", required = true)]
    pub(crate) captures: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) talk: TalkArgs,
}
