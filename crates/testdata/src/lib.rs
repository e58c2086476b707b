//! The one place that knows where the shared captures are: traffic with known truth, and captures of other people, which
//! are not part of the repository.
//!
//! `SUBFLOW_DATA` names the folder that holds them (`truth`, `crafted`, `formats`, `truth_pkt`, `perf`, `probe`, `real`);
//! without it, `../shared/data` beside the repository is looked at.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

/// The folder of the shared captures, whether it is there or not.
pub fn root() -> PathBuf {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let root = std::env::var_os("SUBFLOW_DATA").map_or_else(beside, PathBuf::from);
    fs::canonicalize(&root).unwrap_or(root)
}

/// A folder of the shared captures; where it is missing, says so past the test harness's capture of output, and the
/// test has nothing to test.
pub fn folder(name: &str) -> Option<PathBuf> {
    let folder = root().join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    let place = folder.display();
    // Nothing can be done where standard error is closed.
    let _ = writeln!(
        io::stderr(),
        "skipped: {place} is missing (SUBFLOW_DATA names the folder of shared captures)"
    );
    None
}

/// All files below a folder, sorted by path.
///
/// # Panics
/// Where a folder cannot be read.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a readable folder").flatten() {
            let path = entry.path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    files
}
