//! Many paths at once, on the wire.

use std::sync::Arc;

use super::path::Path;
use super::settings::Settings;
use crate::Error;
use crate::Stop;
use crate::network::{Channel, Driven, Watch, drive};
use crate::targets::Target;

/// Probes the paths to targets, at most `at_once` at a time, with at most `rate` packets a second (`None`: as fast as it goes).
///
/// `watch` is given each [`Path`] when all is known of it, in the order in which they end; [`Path::conclude`] has its rows. Memory
/// follows `at_once`. Targets on one address are probed one after the other.
pub fn run(
    channel: &mut Channel,
    targets: impl IntoIterator<Item = Target>,
    settings: &Settings,
    at_once: usize,
    rate: Option<f64>,
    stop: &Stop,
    watch: &mut impl Watch<Path>,
) -> Result<Driven, Error> {
    settings.check()?;
    let settings = Arc::new(settings.clone());
    let paths = targets.into_iter().map(|target| Path::new(target, Arc::clone(&settings)));
    drive(channel, paths, at_once, rate, stop, watch)
}
