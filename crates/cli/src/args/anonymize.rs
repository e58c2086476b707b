//! `subflow anonymize`.

use super::TalkArgs;
use clap::Args;
use std::path::PathBuf;

/// Write a capture without addresses, keys and payload that still analyses to the same tables
#[derive(Debug, Args)]
pub(crate) struct AnonymizeArgs {
    /// Captures
    #[arg(value_name = "CAPTURE", required = true)]
    pub(crate) captures: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) talk: TalkArgs,
}
