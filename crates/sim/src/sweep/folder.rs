//! The folder of a sweep: what is planned, and what is done.
//!
//! `plan.toml` is the scenario as it was given. `runs/00007/` is for the tables of run 7; `runs/00007.done` says that they are complete. So a
//! run that is done is not done again, and one that was cut off is.

use super::Job;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A folder with a plan.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
}

/// Why a folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Reading or writing failed.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What happened.
        source: io::Error,
    },
    /// It has results of another plan.
    #[error("{}: the folder holds runs of another plan; use another folder, or remove it", path.display())]
    OtherPlan {
        /// The plan that is there.
        path: PathBuf,
    },
}

impl Folder {
    /// Takes a folder for a plan: makes it, or goes on with it when it holds the same plan (the text of the scenario, to the byte).
    ///
    /// # Errors
    /// [`FolderError`]: it cannot be written, or holds another plan.
    pub fn open(path: &Path, scenario: &str) -> Result<Self, FolderError> {
        let runs = path.join("runs");
        fs::create_dir_all(&runs).map_err(|source| FolderError::Io { path: runs, source })?;
        let plan = path.join("plan.toml");
        match fs::read_to_string(&plan) {
            Ok(known) if known == scenario => {}
            Ok(_) => return Err(FolderError::OtherPlan { path: plan }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => write(&plan, scenario)?,
            Err(source) => return Err(FolderError::Io { path: plan, source }),
        }
        Ok(Self { path: path.to_owned() })
    }

    /// Whether a run is done.
    pub fn is_done(&self, job: &Job) -> bool {
        self.marker(job).exists()
    }

    /// The jobs that are not done.
    pub fn pending(&self, jobs: &[Job]) -> Vec<Job> {
        jobs.iter().filter(|job| !self.is_done(job)).copied().collect()
    }

    /// Where the tables of a run belong.
    pub fn run(&self, job: &Job) -> PathBuf {
        self.path.join("runs").join(format!("{:05}", job.run_id))
    }

    /// Says that the tables of a run are complete.
    ///
    /// # Errors
    /// [`FolderError::Io`]
    pub fn mark_done(&self, job: &Job) -> Result<(), FolderError> {
        let load = job.load.map_or(String::new(), |load| format!("load = {load}\n"));
        write(&self.marker(job), &format!("scheme = {}\n{load}seed = {}\n", job.scheme, job.seed))
    }

    fn marker(&self, job: &Job) -> PathBuf {
        self.run(job).with_extension("done")
    }
}

/// Writes a file that has its name only when it is complete.
fn write(path: &Path, text: &str) -> Result<(), FolderError> {
    let part = path.with_extension("part");
    fs::write(&part, text)
        .and_then(|()| fs::rename(&part, path))
        .map_err(|source| FolderError::Io { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_is_done_is_not_done_again() {
        let temporary = tempfile::tempdir().unwrap();
        let path = temporary.path().join("sweep");
        let jobs: Vec<Job> =
            (0..4).map(|run_id| Job { run_id, scheme: 1, load: Some(0.5), seed: 7 }).collect();
        let folder = Folder::open(&path, "name = 'a'").unwrap();
        assert_eq!(folder.pending(&jobs), jobs);
        folder.mark_done(&jobs[2]).unwrap();
        assert_eq!(folder.run(&jobs[2]), path.join("runs/00002"));

        let again = Folder::open(&path, "name = 'a'").unwrap();
        assert_eq!(again.pending(&jobs).iter().map(|job| job.run_id).collect::<Vec<_>>(), [0, 1, 3]);
        let other = Folder::open(&path, "name = 'b'").unwrap_err().to_string();
        assert!(
            other.ends_with(
                "plan.toml: the folder holds runs of another plan; use another folder, or remove it"
            )
        );
        let file = temporary.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(matches!(Folder::open(&file, ""), Err(FolderError::Io { .. })));
    }
}
