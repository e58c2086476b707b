//! What the inputs of a query are: captures, or tables that were stored as Parquet. Told by their first bytes.

use super::Error;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// First bytes of every Parquet file.
const MAGIC: [u8; 4] = *b"PAR1";
/// Folders within folders are followed this deep, as far as the search for captures goes.
const DEEPEST: u32 = 16;
/// Kinds of file that are told of a folder that holds neither captures nor tables.
const KINDS_TOLD: usize = 4;

/// The inputs of a query, sorted out.
#[derive(Debug, Default)]
pub struct Inputs {
    /// Files, folders, patterns and `-` that are left to whoever reads captures.
    pub captures: Vec<PathBuf>,
    /// Parquet files.
    pub stored: Vec<StoredFile>,
    /// Folders with Parquet files in which there are other files as well, which may be captures: they are passed over.
    pub mixed: Vec<PathBuf>,
}

/// A Parquet file and where it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredFile {
    /// The file.
    pub(super) path: PathBuf,
    /// The folder that was asked for, or the one that the file lies in.
    pub(super) root: PathBuf,
}

impl Inputs {
    /// Looks at every input.
    ///
    /// # Errors
    /// A folder cannot be read; stored tables and captures were named together.
    pub fn find(paths: &[PathBuf]) -> Result<Self, Error> {
        let mut inputs = Self::default();
        for path in paths {
            if path.is_dir() {
                inputs.folder(path)?;
            } else if is_parquet(path) {
                let root = path.parent().unwrap_or(Path::new("")).to_owned();
                inputs.stored.push(StoredFile { path: path.clone(), root });
            } else {
                inputs.captures.push(path.clone());
            }
        }
        match (inputs.captures.first(), inputs.stored.first()) {
            (Some(capture), Some(stored)) => {
                Err(Error::Mixed { capture: capture.clone(), stored: stored.root.clone() })
            }
            _ => Ok(inputs),
        }
    }

    fn folder(&mut self, root: &Path) -> Result<(), Error> {
        let mut files = Vec::new();
        collect(root, DEEPEST, &mut files).map_err(|source| Error::Read { path: root.to_owned(), source })?;
        files.sort();
        let (parquet, others): (Vec<_>, Vec<_>) = files.into_iter().partition(|path| is_parquet(path));
        if parquet.is_empty() {
            self.captures.push(root.to_owned());
            return Ok(());
        }
        if !others.is_empty() {
            self.mixed.push(root.to_owned());
        }
        self.stored.extend(parquet.into_iter().map(|path| StoredFile { path, root: root.to_owned() }));
        Ok(())
    }
}

/// What a folder holds, for whoever looked for captures or tables in vain: `3 .csv files, 1 .txt file`; with the next step
/// where the files tell one.
pub fn describe(folder: &Path) -> (String, Option<&'static str>) {
    let mut files = Vec::new();
    if collect(folder, DEEPEST, &mut files).is_err() || files.is_empty() {
        return ("it holds no file".to_owned(), None);
    }
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for file in &files {
        let extension = file.extension().map(|text| format!(".{}", text.to_string_lossy()));
        *kinds.entry(extension.unwrap_or_default()).or_default() += 1;
    }
    let hint = [".csv", ".json", ".jsonl"]
        .iter()
        .any(|kind| kinds.contains_key(*kind))
        .then_some("queries read tables that are stored as Parquet: subflow analyze CAPTURE -o DIR");
    let mut kinds: Vec<_> = kinds.into_iter().collect();
    kinds.sort_by_key(|(kind, count)| (std::cmp::Reverse(*count), kind.clone()));
    let rest: usize = kinds.iter().skip(KINDS_TOLD).map(|(_, count)| count).sum();
    let mut told: Vec<_> = kinds
        .iter()
        .take(KINDS_TOLD)
        .map(|(kind, count)| {
            let space = if kind.is_empty() { "" } else { " " };
            format!("{count}{space}{kind} file{}", if *count == 1 { "" } else { "s" })
        })
        .collect();
    if rest > 0 {
        told.push(format!("{rest} other{}", if rest == 1 { "" } else { "s" }));
    }
    (format!("it holds {}", told.join(", ")), hint)
}

/// Whether the first bytes are those of Parquet.
fn is_parquet(path: &Path) -> bool {
    // A pipe is not read: what was read of it does not come again.
    let mut first = [0; MAGIC.len()];
    path.is_file()
        && File::open(path).and_then(|mut file| file.read_exact(&mut first)).is_ok()
        && first == MAGIC
}

/// The files of a folder and of the folders in it. Hidden ones are left out, and those that begin with `_`: they are being
/// written, or are notes of other programs.
fn collect(folder: &Path, deeper: u32, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)?.filter_map(Result::ok) {
        if matches!(entry.file_name().as_encoded_bytes().first(), Some(b'.' | b'_')) {
            continue;
        }
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            if deeper > 0 {
                // A folder that may not be read is no reason to leave out the others.
                let _ = collect(&path, deeper - 1, files);
            }
        } else if path.is_file() {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().expect("a folder");
        for (name, bytes) in files {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("makes");
            fs::write(path, bytes).expect("writes");
        }
        dir
    }

    #[test]
    fn first_bytes_tell_the_kind_whatever_the_name() {
        let dir = folder(&[("a.pcap", b"PAR1...."), ("b.parquet", &[0xd4, 0xc3, 0xb2, 0xa1])]);
        let inputs = Inputs::find(&[dir.path().join("a.pcap")]).expect("found");
        assert_eq!((inputs.captures.len(), inputs.stored.len()), (0, 1));
        let inputs = Inputs::find(&[dir.path().join("b.parquet")]).expect("found");
        assert_eq!((inputs.captures.len(), inputs.stored.len()), (1, 0));
    }

    #[test]
    fn a_folder_with_both_gives_its_tables_and_says_so() {
        let dir = folder(&[("x/events.parquet", b"PAR1"), ("a.pcap", b"?"), ("_b.parquet", b"PAR1")]);
        let inputs = Inputs::find(&[dir.path().to_owned()]).expect("found");
        assert!(inputs.captures.is_empty());
        let files: Vec<_> = inputs.stored.iter().map(|file| file.path.clone()).collect();
        assert_eq!(files, [dir.path().join("x/events.parquet")]);
        assert_eq!(inputs.mixed, [dir.path().to_owned()]);
    }

    #[test]
    fn captures_and_tables_are_not_one_input() {
        let dir = folder(&[("t/events.parquet", b"PAR1"), ("a.pcap", b"?")]);
        let error = Inputs::find(&[dir.path().join("a.pcap"), dir.path().join("t")]).unwrap_err();
        assert!(error.to_string().contains("a.pcap"), "{error}");
    }

    #[test]
    fn a_folder_of_something_else_is_described() {
        let dir = folder(&[("a.csv", b""), ("b.csv", b""), ("README", b"")]);
        let (text, hint) = describe(dir.path());
        assert_eq!(text, "it holds 2 .csv files, 1 file");
        assert!(hint.is_some());
        assert_eq!(describe(folder(&[]).path()), ("it holds no file".to_owned(), None));
    }
}
