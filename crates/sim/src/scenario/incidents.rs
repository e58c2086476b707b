//! What happens to subflows that are simulated in every detail, as rows of `changes`.

use std::collections::{BTreeMap, BTreeSet};

use crate::capture;
use crate::observe::{End, Fact, Handshake, Observer};
use crate::rows::{Change, ChangeKind};
use crate::time::Time;
use crate::truth::rows::{EventKind, Tables};

/// A subflow as its end names it: connection and number.
type Name = (u64, u32);

/// Takes note of subflows that come, go and fall silent.
pub(super) struct Incidents {
    run_id: u32,
    /// The end that sends the data, connection by connection.
    senders: Vec<End>,
    /// Subflows that have come in.
    up: BTreeSet<Name>,
    /// Subflows that have gone.
    down: BTreeSet<Name>,
    /// Rows; subflows with the numbers that their ends give them.
    changes: Vec<Change>,
}

impl Incidents {
    /// Of a run whose connections have their data sent by these ends.
    pub(super) fn new(run_id: u32, senders: &[End]) -> Self {
        let (up, down) = (BTreeSet::new(), BTreeSet::new());
        Self { run_id, senders: senders.to_vec(), up, down, changes: Vec::new() }
    }

    /// Whether this is the end that sends the data of a connection.
    fn is_sender(&self, connection: u64, end: End) -> bool {
        let index = usize::try_from(connection).ok();
        index.and_then(|index| self.senders.get(index)) == Some(&end)
    }

    /// The rows, with the handovers that the truth tells of; subflows as the truth numbers them at the end that sends the data, which is in the
    /// order of their first packets there.
    pub(super) fn finish(mut self, truth: &Tables, looks: capture::Settings) -> Vec<Change> {
        let of_senders = truth.subflows.iter().filter(|row| self.is_sender(row.connection_id, row.vantage));
        let numbers: BTreeMap<(u64, u64), u32> =
            of_senders.map(|row| ((row.connection_id, row.subflow), row.subflow_id)).collect();
        for change in &mut self.changes {
            let name = change.flow_id.zip(change.subflow_id.map(u64::from));
            // Plain TCP, of which the truth has no subflows, has only one.
            change.subflow_id = name.map(|name| numbers.get(&name).copied().unwrap_or(0));
        }
        let begin = looks.time_ns(Time::ZERO);
        for event in truth.events.iter().filter(|event| event.kind == EventKind::Handover) {
            // Both ends may tell of it; who sends knows.
            if self.is_sender(event.connection_id, event.vantage) {
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
        let (kind, subflow) = match fact {
            Fact::Handshake { subflow, state: Handshake::Established } => (ChangeKind::SubflowUp, subflow),
            Fact::TimedOut { subflow } => (ChangeKind::Timeout, subflow),
            Fact::Lost { subflow } => (ChangeKind::SubflowDown, subflow),
            _ => return,
        };
        let flow = u64::from(connection);
        // Both ends tell of it: the first one counts. A timeout is that of one end. What never came in cannot go.
        let is_news = match kind {
            ChangeKind::SubflowUp => self.up.insert((flow, subflow)),
            ChangeKind::SubflowDown => {
                self.up.contains(&(flow, subflow)) && self.down.insert((flow, subflow))
            }
            _ => true,
        };
        if is_news {
            self.changes.push(Change {
                run_id: self.run_id,
                time: now.as_secs_f64(),
                kind,
                link_id: None,
                flow_id: Some(flow),
                subflow_id: Some(subflow),
                detail: format!("told by the {end}"),
            });
        }
    }
}
