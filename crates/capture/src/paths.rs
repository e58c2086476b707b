//! From arguments to files.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Error;

/// One input that was asked for.
#[derive(Debug)]
pub(crate) enum Wanted {
    /// Standard input.
    Stdin,
    /// A file that was named, or that a pattern matched.
    File(PathBuf),
    /// A file of a folder: passed over when it is no capture.
    Member(PathBuf),
    /// Nothing to read, and why.
    Nothing(PathBuf, Error),
}

/// All inputs that the arguments stand for, in their order.
pub(crate) fn expand(paths: &[PathBuf]) -> Vec<Wanted> {
    let mut wanted = Vec::new();
    for path in paths {
        if path.as_os_str() == "-" {
            // What was read once is gone.
            if !wanted.iter().any(|wanted| matches!(wanted, Wanted::Stdin)) {
                wanted.push(Wanted::Stdin);
            }
            continue;
        }
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => folder(path, &mut wanted),
            Ok(_) => wanted.push(Wanted::File(path.clone())),
            Err(source) => match pattern(path) {
                Some(files) if files.is_empty() => {
                    wanted.push(Wanted::Nothing(path.clone(), Error::NoCapture { path: path.clone() }));
                }
                Some(files) => wanted.extend(files.into_iter().map(Wanted::File)),
                None => {
                    wanted.push(Wanted::Nothing(path.clone(), Error::Open { path: path.clone(), source }));
                }
            },
        }
    }
    wanted
}

/// Folders within folders are followed this deep.
const DEEPEST: u32 = 16;

/// The visible files of a folder and of the folders in it, sorted by path.
fn folder(path: &Path, wanted: &mut Vec<Wanted>) {
    let mut files = Vec::new();
    if let Err(source) = collect(path, DEEPEST, &mut files) {
        let error = Error::Open { path: path.to_owned(), source };
        wanted.push(Wanted::Nothing(path.to_owned(), error));
        return;
    }
    files.sort();
    if files.is_empty() {
        let error = Error::NoCapture { path: path.to_owned() };
        wanted.push(Wanted::Nothing(path.to_owned(), error));
    }
    wanted.extend(files.into_iter().map(Wanted::Member));
}

/// Links to files count as files, links to folders are not followed: they may lead in a circle.
fn collect(path: &Path, deeper: u32, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(path)?.filter_map(Result::ok) {
        let hidden = entry.file_name().as_encoded_bytes().first() == Some(&b'.');
        let file = entry.path();
        if hidden {
            continue;
        }
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            if deeper > 0 {
                // A folder that may not be read is no reason to leave out the others.
                let _ = collect(&file, deeper - 1, files);
            }
        } else if file.is_file() {
            files.push(file);
        }
    }
    Ok(())
}

/// The files that a pattern matches, sorted by name; `None` when the path is no pattern.
fn pattern(path: &Path) -> Option<Vec<PathBuf>> {
    let text = path.to_str().filter(|text| text.contains(['*', '?', '[']))?;
    let matches = glob::glob(text).ok()?;
    Some(matches.filter_map(Result::ok).filter(|file| file.is_file()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(wanted: &[Wanted]) -> Vec<String> {
        let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
        wanted
            .iter()
            .map(|wanted| match wanted {
                Wanted::Stdin => "-".to_owned(),
                Wanted::File(path) => name(path),
                Wanted::Member(path) => format!("in {}", name(path)),
                Wanted::Nothing(path, _) => format!("no {}", name(path)),
            })
            .collect()
    }

    #[test]
    fn folders_patterns_and_stdin_become_files() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.pcap", "a.pcap", ".hidden", "c[1].pcap", "readme"] {
            fs::write(folder.path().join(name), b"").unwrap();
        }
        fs::create_dir(folder.path().join("empty")).unwrap();
        fs::create_dir_all(folder.path().join("2026/01")).unwrap();
        fs::write(folder.path().join("2026/01/deep.pcap"), b"").unwrap();
        let paths = [
            folder.path().to_owned(),
            "-".into(),
            folder.path().join("?.pcap"),
            folder.path().join("c[1].pcap"),
            folder.path().join("x*"),
            folder.path().join("missing"),
            folder.path().join("empty"),
            "-".into(),
        ];
        assert_eq!(
            names(&expand(&paths)),
            [
                "in deep.pcap",
                "in a.pcap",
                "in b.pcap",
                "in c[1].pcap",
                "in readme",
                "-",
                "a.pcap",
                "b.pcap",
                "c[1].pcap",
                "no x*",
                "no missing",
                "no empty"
            ]
        );
    }
}
