//! Where the captures are.

use std::fs;
use std::path::{Path, PathBuf};

/// What lies beside the captures without being one.
const OTHERS: [&str; 6] = ["SOURCE", "LICENSE", "COPYING", "index.json", "formats.json", "README.md"];

/// The folder `name` of the shared captures; says so loudly when there is none.
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

/// All captures below a folder, in a fixed order.
pub(crate) fn below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if !OTHERS.iter().any(|name| path.ends_with(name)) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}
