//! One run of a scenario: over the fast world, or, where handshakes are asked for, over connections in every detail.

use super::fabric::Run;
use super::{Scenario, full, tables};
use crate::rows::Tables;
use crate::sweep::Job;
use crate::time::{Duration, Time};
use std::io;

/// Why a run could not be made.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The job names a scheme that the scenario does not have.
    #[error("there is no scheme number {0}")]
    NoScheme(usize),
    /// The network cannot be built.
    #[error(transparent)]
    Topology(#[from] crate::topology::Error),
    /// No path leads from one host to another.
    #[error("there is no path from {from} to {to}")]
    NoPath {
        /// The host that sends.
        from: String,
        /// The host that receives.
        to: String,
    },
    /// A file of a capture could not be written.
    #[error("{file}: {source}")]
    Capture {
        /// The file.
        file: String,
        /// What happened.
        source: io::Error,
    },
    /// It was told to stop.
    #[error("stopped")]
    Stopped,
}

/// Opens the file of a capture by its name.
pub type Open<'a> = dyn FnMut(&str) -> io::Result<Box<dyn io::Write>> + 'a;

/// How often progress is told at least.
const SLICES: u64 = 200;

/// Does one run of a scenario and makes its tables. `captures` opens the files of captures; without it, none are made. `progress` is told the
/// simulated time now and then, and stops the run by answering false.
///
/// # Errors
/// [`RunError`]
pub fn run(
    scenario: &Scenario,
    job: &Job,
    captures: Option<&mut Open<'_>>,
    progress: &dyn Fn(Time) -> bool,
) -> Result<Tables, RunError> {
    let scheme = scenario.schemes.get(job.scheme).ok_or(RunError::NoScheme(job.scheme))?;
    if scheme.handshake {
        return full::run(scenario, scheme, job, captures, progress);
    }
    let mut run = Run::new(scenario, scheme, job)?;
    let mut tables = Tables::default();
    run.go(&mut tables, progress)?;
    tables::fill(&mut run, &mut tables);
    Ok(tables)
}

impl Scenario {
    /// One run, without captures.
    ///
    /// # Errors
    /// [`RunError`]
    pub fn run(&self, job: &Job) -> Result<Tables, RunError> {
        run(self, job, None, &|_| true)
    }
}

/// The moments at which a run pauses: to take samples, to begin counting, to tell of its progress.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pauses {
    end: Time,
    warm: Time,
    slice: Duration,
    now: Time,
}

impl Pauses {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let slice = Duration((scenario.duration.0 / SLICES).max(1));
        let end = Time::ZERO + scenario.duration;
        Self { end, warm: Time::ZERO + scenario.warm_up, slice, now: Time::ZERO }
    }

    /// The next one, not after `sample`; none at the end.
    pub(super) fn next(&mut self, sample: Option<Time>) -> Option<Time> {
        if self.now >= self.end {
            return None;
        }
        let mut next = (self.now + self.slice).min(self.end).min(sample.unwrap_or(self.end));
        if self.warm > self.now {
            next = next.min(self.warm);
        }
        self.now = next;
        Some(next)
    }
}
