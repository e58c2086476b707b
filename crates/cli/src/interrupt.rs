//! Ctrl-C: once to finish with what is there, twice to stop at once.

use crate::console;
use crate::exit::Exit;
use std::sync::atomic::{AtomicBool, Ordering};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// From now on Ctrl-C only asks the command to finish; a second one ends it.
pub(crate) fn watch() {
    let handler = || {
        if INTERRUPTED.swap(true, Ordering::Relaxed) {
            std::process::exit(Exit::Interrupted as i32);
        }
        console::note("\ninterrupted: finishing with what has been read (Ctrl-C again stops at once)");
    };
    // Without a handler Ctrl-C ends the command at once, which is no reason to refuse the work.
    if ctrlc::set_handler(handler).is_err() {
        console::warning("Ctrl-C cannot be watched for: it will stop the command without a result");
    }
}

/// Whether Ctrl-C was pressed.
pub(crate) fn is_pressed() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}
