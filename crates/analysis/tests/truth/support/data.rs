//! The one place that knows where the shared captures are.

use std::path::PathBuf;

/// The folder `name` of the shared captures; says so loudly when there is none, and the test has nothing to test.
///
/// `SUBFLOW_DATA` names the folder that holds `truth`, `crafted`, `formats`, `truth_pkt` and `perf`; without it, it is
/// looked for beside the workspace.
pub(crate) fn folder(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("SUBFLOW_DATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let folder = root.join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!(
        "skipped: {} is not there (shared/data is missing; set SUBFLOW_DATA to its place)",
        folder.display()
    );
    None
}
