//! How whoever runs something asks it to end.

use std::sync::atomic::{AtomicU8, Ordering};

/// Asks a run to end. The first time no target is begun any more and what was begun is finished, the second time all
/// ends at once.
#[derive(Debug, Default)]
pub struct Stop(AtomicU8);

impl Stop {
    /// Asks.
    pub fn ask(&self) {
        let _ =
            self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |times| Some(times.saturating_add(1)));
    }

    /// How often it was asked.
    pub fn times(&self) -> u8 {
        self.0.load(Ordering::Relaxed)
    }
}
