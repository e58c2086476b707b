//! Tables of the simulator. The field comments are the data dictionary.
//!
//! Times are seconds since the run began, as there is no calendar in a simulation.

mod changes;
mod flows;
mod links;
mod queues;
mod runs;

pub use changes::{Change, ChangeKind};
pub use flows::Flow;
pub use links::Link;
pub use queues::Queue;
pub use runs::Run;
use subflow_rows::{Row, Schema};

/// The schemas of the tables that a simulation yields, in the order in which they are shown.
pub const SCHEMAS: [Schema; 5] = [Run::SCHEMA, Flow::SCHEMA, Link::SCHEMA, Queue::SCHEMA, Change::SCHEMA];

/// A row of any table of the simulator.
#[derive(Clone, Debug, PartialEq)]
pub enum AnyRow {
    /// `runs`
    Run(Box<Run>),
    /// `flows`
    Flow(Box<Flow>),
    /// `links`
    Link(Link),
    /// `queues`
    Queue(Queue),
    /// `changes`
    Change(Change),
}

/// All rows of one run, or of several.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tables {
    /// `runs`
    pub runs: Vec<Run>,
    /// `flows`
    pub flows: Vec<Flow>,
    /// `links`
    pub links: Vec<Link>,
    /// `queues`
    pub queues: Vec<Queue>,
    /// `changes`
    pub changes: Vec<Change>,
    /// The truth about connections, of runs with handshakes.
    pub truth: Option<Box<crate::truth::rows::Tables>>,
}

impl Tables {
    /// Takes one row.
    pub fn row(&mut self, row: AnyRow) {
        match row {
            AnyRow::Run(row) => self.runs.push(*row),
            AnyRow::Flow(row) => self.flows.push(*row),
            AnyRow::Link(row) => self.links.push(row),
            AnyRow::Queue(row) => self.queues.push(row),
            AnyRow::Change(row) => self.changes.push(row),
        }
    }

    /// All rows, table by table, in the order of [`SCHEMAS`]; without the truth.
    pub fn into_rows(self) -> impl Iterator<Item = AnyRow> {
        let runs = self.runs.into_iter().map(|row| AnyRow::Run(Box::new(row)));
        let flows = self.flows.into_iter().map(|row| AnyRow::Flow(Box::new(row)));
        let links = self.links.into_iter().map(AnyRow::Link);
        let queues = self.queues.into_iter().map(AnyRow::Queue);
        runs.chain(flows).chain(links).chain(queues).chain(self.changes.into_iter().map(AnyRow::Change))
    }
}
