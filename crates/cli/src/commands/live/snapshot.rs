//! What the analysis shows to the screen: made by one thread when the other asks for it.

use crate::commands::ends::Ends;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use subflow_analysis::View;
use subflow_analysis::rows::Connection;
use subflow_capture::live::Status;

/// How things stand.
#[derive(Debug, Default)]
pub(super) struct Snapshot {
    /// Since the capture began.
    pub(super) elapsed: Duration,
    /// Time of the last packet, nanoseconds since the epoch.
    pub(super) now_ns: i64,
    /// Packets analysed.
    pub(super) packets: u64,
    /// Their bytes on the wire.
    pub(super) bytes: u64,
    /// Connections begun.
    pub(super) connections: u64,
    /// The kernel's counters.
    pub(super) status: Status,
    /// Open connections.
    pub(super) view: View,
    /// Connections that have ended since the snapshot before.
    pub(super) ended: Vec<Connection>,
    /// What happened to the interfaces since then.
    pub(super) notices: Vec<String>,
    /// The summary so far, open connections included, if it was asked for.
    pub(super) summary: Option<String>,
}

/// What the two threads share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    wanted: AtomicBool,
    summary: AtomicBool,
    pub(super) ends: Ends,
    snapshot: Mutex<Option<Box<Snapshot>>>,
}

impl Shared {
    /// Asks for a snapshot, with or without the summary.
    pub(super) fn ask(&self, summary: bool) {
        self.summary.store(summary, Ordering::Relaxed);
        self.wanted.store(true, Ordering::Relaxed);
    }

    /// Whether one is wanted, and whether with the summary.
    pub(super) fn wanted(&self) -> Option<bool> {
        self.wanted.swap(false, Ordering::Relaxed).then(|| self.summary.load(Ordering::Relaxed))
    }

    /// Hands one over.
    pub(super) fn put(&self, snapshot: Snapshot) {
        if let Ok(mut place) = self.snapshot.lock() {
            *place = Some(Box::new(snapshot));
        }
    }

    /// Takes one, if there is a new one.
    pub(super) fn take(&self) -> Option<Box<Snapshot>> {
        self.snapshot.lock().ok()?.take()
    }
}
