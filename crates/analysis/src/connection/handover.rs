//! Handovers and unused subflows: what the subflows of a connection tell together once it has ended.

use super::{Connection, Subflow};
use crate::rows::{Direction, EventKind, State};

/// Data elsewhere must go on for at least this long after a subflow fell silent, in nanoseconds.
const SHORTEST_SILENCE: i64 = 200_000_000;
/// A reset this soon after the subflow's start makes it "reset" rather than idle.
const EARLY_RESET: i64 = 1_000_000_000;

impl Connection {
    /// Finds handovers: a subflow that carried data, was not closed by FIN, and was heard from for the last time at
    /// *t*, while another carries new data after *t* and is heard from for at least 200 ms longer (two subflows that
    /// take turns until the capture ends are none). Heard from means by both ends: repeats into the void do not count.
    pub(super) fn find_handovers(&mut self, subflows: &[Subflow]) -> u32 {
        let mut handovers = 0;
        for subflow in subflows.iter().filter(|subflow| subflow.used()) {
            let Some(silent) = subflow.heard() else { continue };
            if subflow.closed_by_fin() {
                continue;
            }
            let next = subflows.iter().filter(|other| other.id != subflow.id).find(|other| {
                let data = other.halves.iter().filter_map(|half| half.last_new).max();
                data.is_some_and(|time| time > silent)
                    && other.heard().is_some_and(|time| time - silent > SHORTEST_SILENCE)
            });
            if let Some(next) = next {
                handovers += 1;
                let quiet = if subflow.halves[0].last <= subflow.halves[1].last {
                    Direction::C2s
                } else {
                    Direction::S2c
                };
                let frame = subflow.halves[quiet.index()].last_frame;
                let why = if subflow.reset.is_some() { "was reset" } else { "fell silent" };
                let detail = format!("subflow {} {why}, data went on on subflow {}", subflow.id, next.id);
                self.event_at(subflow.id, quiet, silent, frame, EventKind::Handover, detail);
            }
        }
        handovers
    }

    /// Whether a subflow was a backup in the end.
    pub(super) fn is_backup(&self, subflow: &Subflow) -> bool {
        let said = self.holders.get(usize::from(subflow.id)).and_then(|holder| holder.backup);
        said.unwrap_or(subflow.backup)
    }

    /// Why an established subflow carried no data; `None` when it did.
    pub(super) fn unused(&self, subflow: &Subflow, subflows: &[Subflow]) -> Option<&'static str> {
        if subflow.state() != State::Established || subflow.used() {
            return None;
        }
        let last_data =
            subflows.iter().flat_map(|other| &other.halves).filter_map(|half| half.last_new).max();
        let rtt = |subflow: &Subflow| subflow.handshake_rtt;
        let slower = subflows
            .iter()
            .filter(|other| other.used())
            .all(|other| rtt(other).zip(rtt(subflow)).is_some_and(|(used, unused)| unused > used));
        Some(if self.is_backup(subflow) {
            "backup"
        } else if subflow.reset.is_some_and(|reset| reset.time - subflow.start < EARLY_RESET) {
            "reset"
        } else if last_data.is_none_or(|last| subflow.confirm_time.is_none_or(|at| at > last)) {
            "late"
        } else if slower {
            "slower"
        } else {
            "other"
        })
    }
}
