//! The progress bar of reading.

use crate::commands::bar::bar;
use crate::text::{counted, grouped};
use indicatif::ProgressBar;
use std::time::{Duration, Instant};

/// How often the bar changes, so that a terminal far away keeps up.
const INTERVAL: Duration = Duration::from_millis(100);

/// A bar of bytes where their number is known, a counter otherwise.
pub(crate) struct Progress {
    bar: ProgressBar,
    begin: Instant,
    last: Instant,
}

impl Progress {
    /// A bar that appears with the first news; none when it is not wanted.
    pub(crate) fn new(wanted: bool, bytes: Option<u64>) -> Self {
        let template = match bytes {
            Some(_) => "{wide_bar} {percent:>3}%  {binary_bytes}  {msg}  {eta} left",
            None => "{spinner} {binary_bytes}  {msg}  {elapsed}",
        };
        let bar = bar(wanted, bytes, template);
        let now = Instant::now();
        Self { bar, begin: now, last: now }
    }

    /// Shows how far the work came.
    pub(super) fn show(&mut self, bytes: u64, packets: u64, connections: u64) {
        self.show_with(bytes, packets, || counted(connections, "connection"));
    }

    /// Shows how far the work came, with a word on what is being done.
    pub(crate) fn show_with(&mut self, bytes: u64, packets: u64, what: impl Fn() -> String) {
        if self.bar.is_hidden() || self.last.elapsed() < INTERVAL {
            return;
        }
        self.last = Instant::now();
        let rate = packets as f64 / self.begin.elapsed().as_secs_f64();
        self.bar.set_message(format!("{} packets/s  {}", grouped(rate as u64), what()));
        self.bar.set_position(bytes);
    }

    /// Takes the bar away.
    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}
