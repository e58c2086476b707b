//! What is written when files are asked for.

use crate::failure::Failure;
use crate::text::counted;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use subflow_analysis::rows::all_schemas;
use subflow_report::connection::One;
use subflow_report::{Output, mptcptrace};
use subflow_store::{DirectorySink, FileFormat, Selection};

/// Where which kind of file goes.
#[derive(Debug)]
pub(super) struct Files {
    csv: Option<PathBuf>,
    mptcptrace: Option<PathBuf>,
}
