//! Which files are captures.

use std::path::{Path, PathBuf};

/// What lies beside the captures without being one.
const OTHERS: [&str; 4] = ["SOURCE", "LICENSE", "index.json", "formats.json"];

/// All captures below a folder, in a fixed order.
pub(crate) fn below(folder: &Path) -> Vec<PathBuf> {
    let mut files = subflow_testdata::files_below(folder);
    files.retain(|file| !OTHERS.iter().any(|name| file.ends_with(name)));
    files
}
