//! Carries verifications out.

use std::hash::{BuildHasher, RandomState};
use std::io;
use std::sync::Arc;

use super::settings::{Settings, Target};
use super::verifier::{Shared, Verifier};
use crate::Error;
use crate::Stop;
use crate::network::{Channel, Driven, Watch, drive};
use crate::rows::Verification;

/// Takes rows as they come. An error ends the run.
pub trait Sink {
    /// Takes what was found about one version of a target.
    fn verification(&mut self, row: Verification) -> io::Result<()>;
    /// Is told about ten times a second how far the run is, and how many targets there are.
    fn progress(&mut self, _so_far: &Driven, _targets: usize) {}
}

/// Keeps all rows.
#[derive(Clone, Debug, Default)]
pub struct Kept(pub Vec<Verification>);

impl Sink for Kept {
    fn verification(&mut self, row: Verification) -> io::Result<()> {
        self.0.push(row);
        Ok(())
    }
}

/// What became of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// Targets that were asked for.
    pub targets: usize,
    /// Counts.
    pub driven: Driven,
    /// Whether every target has its rows.
    pub complete: bool,
}

struct Passing<'a, S> {
    sink: &'a mut S,
    targets: usize,
}

impl<S: Sink> Watch<Verifier> for Passing<'_, S> {
    fn finished(&mut self, talk: Verifier) -> io::Result<()> {
        talk.rows().into_iter().try_for_each(|row| self.sink.verification(row))
    }

    fn tick<'a>(&mut self, so_far: &Driven, _active: impl Iterator<Item = &'a Verifier>) {
        self.sink.progress(so_far, self.targets);
    }
}

/// Verifies targets, many at a time, and hands a row for each target and version to the sink as soon as the target is done. When
/// `stop` is asked once, those that are begun are finished.
pub fn run(
    targets: &[Target],
    settings: &Settings,
    sink: &mut impl Sink,
    stop: &Stop,
) -> Result<Outcome, Error> {
    settings.check(targets)?;
    let seed = settings.seed.unwrap_or_else(|| RandomState::new().hash_one(std::process::id()));
    let shared = Arc::new(Shared::new(settings, seed));
    let mut channel = Channel::open(&settings.network)?;
    let talks = targets.iter().map(|&target| Verifier::new(target, Arc::clone(&shared)));
    let mut passing = Passing { sink, targets: targets.len() };
    let driven = drive(&mut channel, talks, settings.at_once, settings.rate, stop, &mut passing)?;
    Ok(Outcome { targets: targets.len(), driven, complete: driven.finished == targets.len() as u64 })
}
