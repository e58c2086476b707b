//! Handovers and unused subflows: what the subflows of a connection tell together once it has ended.

use super::{Connection, Subflow};
use crate::rows::{Direction, EventKind, State};

/// Data elsewhere must go on for at least this long after a subflow fell silent, in nanoseconds.
const SHORTEST_SILENCE: i64 = 200_000_000;
/// A reset this soon after the subflow's start makes it "reset" rather than idle.
const EARLY_RESET: i64 = 1_000_000_000;

impl Connection {
    /// Finds handovers: a subflow that carried data, was never closed by FIN and was heard from for the last time at
    /// *t*, while another carries new data after *t* (and goes on for at least 200 ms, so that two subflows that take
    /// turns until the capture ends are none). Heard from means by both ends: repeats into the void do not count.
    pub(super) fn find_handovers(&mut self, subflows: &[Subflow]) -> u32 {
        let mut handovers = 0;
        for subflow in subflows {
            if !subflow.used() || subflow.halves.iter().any(|half| half.fin.is_some()) {
                continue;
            }
            let [c2s, s2c] = &subflow.halves;
            let (Some(from_client), Some(from_server)) = (c2s.last, s2c.last) else { continue };
            let (direction, half) =
                if from_client < from_server { (Direction::C2s, c2s) } else { (Direction::S2c, s2c) };
            let silent = from_client.min(from_server);
            let next = subflows.iter().filter(|other| other.id != subflow.id).find(|other| {
                other
                    .halves
                    .iter()
                    .filter_map(|half| half.last_new)
                    .any(|time| time - silent > SHORTEST_SILENCE)
            });
            if let Some(next) = next {
                handovers += 1;
                let why = if subflow.reset.is_some() { "was reset" } else { "fell silent" };
                let detail = format!("subflow {} {why}, data went on on subflow {}", subflow.id, next.id);
                self.event_at(subflow.id, direction, silent, half.last_frame, EventKind::Handover, detail);
            }
        }
        handovers
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
        Some(if subflow.backup_now {
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
