//! How a screen and the work behind it, two threads, end one another.

use std::sync::atomic::{AtomicBool, Ordering};

/// What each of them has said about its end.
#[derive(Debug, Default)]
pub(super) struct Ends {
    stop: AtomicBool,
    over: AtomicBool,
}

impl Ends {
    /// The screen asks for the end of the work.
    pub(super) fn ask_to_stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Whether it has.
    pub(super) fn is_to_stop(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// The work is over when this is dropped.
    pub(super) fn over_when_dropped(&self) -> Over<'_> {
        Over(self)
    }

    /// Whether it is.
    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }
}

/// Tells the screen that the work is over, by going away.
pub(super) struct Over<'a>(&'a Ends);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.over.store(true, Ordering::Relaxed);
    }
}
