//! What happens to subflows that are simulated in every detail, as rows of `changes`.

use crate::capture;
use crate::observe::{End, Fact, Handshake, Observer};
use crate::rows::{Change, ChangeKind};
use crate::time::Time;
use crate::truth::rows::{EventKind, Tables};

/// Takes note of subflows that come, go and fall silent.
pub(super) struct Incidents {
    run_id: u32,
    /// The end that sends the data, connection by connection.
    senders: Vec<End>,
    /// The subflows of each connection in the order in which something was told of them, and whether they have come in and gone.
    subflows: Vec<Vec<Seen>>,
    changes: Vec<Change>,
}

struct Seen {
    subflow: u32,
    up: bool,
    down: bool,
}

impl Incidents {
    /// Of a run whose connections have their data sent by these ends.
    pub(super) fn new(run_id: u32, senders: &[End]) -> Self {
        let subflows = senders.iter().map(|_| Vec::new()).collect();
        Self { run_id, senders: senders.to_vec(), subflows, changes: Vec::new() }
    }

    /// The rows, with the handovers that the truth tells of.
    pub(super) fn finish(mut self, truth: &Tables, looks: capture::Settings) -> Vec<Change> {
        let begin = looks.time_ns(Time::ZERO);
        for event in truth.events.iter().filter(|event| event.kind == EventKind::Handover) {
            let sender = usize::try_from(event.connection_id).ok().and_then(|flow| self.senders.get(flow));
            // Both ends may tell of it; who sends knows.
            if sender == Some(&event.vantage) {
                self.changes.push(Change {
                    run_id: self.run_id,
                    time: event.time.0.saturating_sub(begin) as f64 * 1e-9,
                    kind: ChangeKind::Handover,
                    link_id: None,
                    flow_id: Some(event.connection_id),
                    subflow_id: Some(event.subflow_id),
                    detail: "fell silent, data went on elsewhere".to_owned(),
                });
            }
        }
        self.changes
    }
}

impl Observer for Incidents {
    fn fact(&mut self, now: Time, connection: u32, end: End, fact: Fact) {
        let Some(subflows) = self.subflows.get_mut(connection as usize) else { return };
        let (kind, subflow) = match fact {
            Fact::Handshake { subflow, state: Handshake::Established } => (ChangeKind::SubflowUp, subflow),
            Fact::TimedOut { subflow } => (ChangeKind::Timeout, subflow),
            Fact::Lost { subflow } => (ChangeKind::SubflowDown, subflow),
            _ => return,
        };
        let number = subflows.iter().position(|seen| seen.subflow == subflow).unwrap_or_else(|| {
            subflows.push(Seen { subflow, up: false, down: false });
            subflows.len() - 1
        });
        let seen = &mut subflows[number];
        // Both ends tell of it: the first one counts. A timeout is that of one end.
        let told = match kind {
            ChangeKind::SubflowUp => std::mem::replace(&mut seen.up, true),
            ChangeKind::SubflowDown => !seen.up || std::mem::replace(&mut seen.down, true),
            _ => false,
        };
        if !told {
            self.changes.push(Change {
                run_id: self.run_id,
                time: now.as_secs_f64(),
                kind,
                link_id: None,
                flow_id: Some(u64::from(connection)),
                subflow_id: Some(number as u32),
                detail: format!("told by the {end}"),
            });
        }
    }
}
