//! The passive tables: what `analyze` yields. The field comments are the data dictionary.

mod announcements;
mod carriages;
mod connections;
mod events;
mod hosts;
mod issues;
mod names;
mod packets;
mod reinjections;
mod samples;
mod subflows;
mod traffic;

pub use announcements::Announcement;
pub use carriages::Carriage;
pub use connections::Connection;
pub use events::Event;
pub use hosts::Host;
pub use issues::Issue;
pub use names::{
    Carried, Close, Direction, EventKind, Fallback, Family, Opener, ReinjectionCause, Sampled, State,
};
pub use packets::Packet;
pub use reinjections::Reinjection;
pub use samples::Sample;
use subflow_rows::{Row, Schema};
pub use subflows::Subflow;
pub use traffic::Traffic;

/// A row of any passive table.
#[derive(Clone, Debug, PartialEq)]
pub enum AnyRow {
    /// `traffic`
    Traffic(Traffic),
    /// `connections`
    Connection(Box<Connection>),
    /// `subflows`
    Subflow(Box<Subflow>),
    /// `announcements`
    Announcement(Announcement),
    /// `reinjections`
    Reinjection(Reinjection),
    /// `events`
    Event(Event),
    /// `hosts`
    Host(Host),
    /// `issues`
    Issue(Issue),
    /// `packets`
    Packet(Box<Packet>),
    /// `carriages`
    Carriage(Carriage),
    /// `samples`
    Sample(Sample),
}

/// The schemas of the passive tables that every analysis yields, in the order in which they are shown.
pub const SCHEMAS: [Schema; 8] = [
    Traffic::SCHEMA,
    Connection::SCHEMA,
    Subflow::SCHEMA,
    Announcement::SCHEMA,
    Reinjection::SCHEMA,
    Event::SCHEMA,
    Host::SCHEMA,
    Issue::SCHEMA,
];

/// The schemas of the tables that only [`Options::detail`](crate::Options::detail) yields.
pub const DETAIL_SCHEMAS: [Schema; 3] = [Packet::SCHEMA, Carriage::SCHEMA, Sample::SCHEMA];

/// The schemas of all tables: [`SCHEMAS`], then [`DETAIL_SCHEMAS`].
pub fn all_schemas() -> Vec<Schema> {
    SCHEMAS.into_iter().chain(DETAIL_SCHEMAS).collect()
}

/// Takes rows as they become final. A connection's rows come when it ends, `traffic` and `hosts` at the end.
pub trait Sink {
    /// Takes one row.
    fn row(&mut self, row: AnyRow);
}

/// Keeps every row in memory, for small captures and tests.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tables {
    /// `traffic`
    pub traffic: Vec<Traffic>,
    /// `connections`
    pub connections: Vec<Connection>,
    /// `subflows`
    pub subflows: Vec<Subflow>,
    /// `announcements`
    pub announcements: Vec<Announcement>,
    /// `reinjections`
    pub reinjections: Vec<Reinjection>,
    /// `events`
    pub events: Vec<Event>,
    /// `hosts`
    pub hosts: Vec<Host>,
    /// `issues`
    pub issues: Vec<Issue>,
    /// `packets`, empty unless asked for
    pub packets: Vec<Packet>,
    /// `carriages`, empty unless asked for
    pub carriages: Vec<Carriage>,
    /// `samples`, empty unless asked for
    pub samples: Vec<Sample>,
}

impl Sink for Tables {
    fn row(&mut self, row: AnyRow) {
        match row {
            AnyRow::Traffic(row) => self.traffic.push(row),
            AnyRow::Connection(row) => self.connections.push(*row),
            AnyRow::Subflow(row) => self.subflows.push(*row),
            AnyRow::Announcement(row) => self.announcements.push(row),
            AnyRow::Reinjection(row) => self.reinjections.push(row),
            AnyRow::Event(row) => self.events.push(row),
            AnyRow::Host(row) => self.hosts.push(row),
            AnyRow::Issue(row) => self.issues.push(row),
            AnyRow::Packet(row) => self.packets.push(*row),
            AnyRow::Carriage(row) => self.carriages.push(row),
            AnyRow::Sample(row) => self.samples.push(row),
        }
    }
}

impl Tables {
    /// Puts rows in order of connection and time, whatever the order in which connections ended.
    pub fn sort(&mut self) {
        self.connections.sort_by_key(|row| row.connection_id);
        self.subflows.sort_by_key(|row| (row.connection_id, row.subflow_id));
        self.announcements.sort_by_key(|row| (row.connection_id, row.time));
        self.reinjections.sort_by_key(|row| (row.connection_id, row.time));
        self.events.sort_by_key(|row| (row.connection_id, row.time, row.frame));
        self.packets.sort_by_key(|row| (row.connection_id, row.time));
        self.carriages.sort_by_key(|row| (row.connection_id, row.time));
        self.samples.sort_by_key(|row| (row.connection_id, row.time));
    }
}
