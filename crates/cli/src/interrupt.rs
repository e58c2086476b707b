//! Ctrl-C: once to finish with what is there (or to cancel a query), twice to stop at once.

use crate::console;
use crate::exit::Exit;
use std::sync::atomic::{AtomicBool, Ordering};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// From now on Ctrl-C only asks the command to finish; a second one ends it.
pub(crate) fn watch() {
    watch_saying("\ninterrupted: finishing with what has been read (Ctrl-C again stops at once)");
}

/// The same with other words.
pub(crate) fn watch_saying(words: &'static str) {
    let handler = move || {
        if INTERRUPTED.swap(true, Ordering::Relaxed) {
            std::process::exit(Exit::Interrupted as i32);
        }
        console::note(words);
    };
    // Without a handler Ctrl-C ends the command at once, which is no reason to refuse the work.
    if ctrlc::set_handler(handler).is_err() {
        console::warning("Ctrl-C cannot be watched for: it will stop the command without a result");
    }
}

/// Forgets that Ctrl-C was pressed: what it ended has ended, and the next thing begins.
pub(crate) fn reset() {
    INTERRUPTED.store(false, Ordering::Relaxed);
}

/// Whether Ctrl-C was pressed.
pub(crate) fn is_pressed() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}
