//! One connection in full: what `subflow show` prints and draws. Everything here is a view of the tables' rows.

mod axis;
mod condense;
mod header;
mod lanes;
mod list;
mod packed;
mod page;
mod paths;
mod picture;
mod plotted;
mod style;
mod svg;
mod terminal;
mod text;
mod thinned;
mod timeline;

pub use condense::condense;
pub use lanes::{Lane, Lanes, Mark};
pub use list::{list, notable};
pub use page::page;
pub use style::Style;
pub use svg::svg;
pub use terminal::{Terminal, render};
pub use timeline::{Entry, Kind, timeline};

use subflow_analysis::rows::{
    Announcement, AnyRow, Carriage, Connection, Event, Packet, Reinjection, Sample, Stall, Subflow, Tables,
};
use subflow_rows::Time;

/// The rows of one connection, each table in order of time. The last three are empty unless the analysis was asked for detail.
#[derive(Clone, Copy, Debug)]
pub struct One<'a> {
    /// The connection itself.
    pub connection: &'a Connection,
    /// Its subflows by their numbers.
    pub subflows: &'a [Subflow],
    /// ADD_ADDR options.
    pub announcements: &'a [Announcement],
    /// Data carried again on another subflow.
    pub reinjections: &'a [Reinjection],
    /// What else happened.
    pub events: &'a [Event],
    /// Times in which a direction stood still.
    pub stalls: &'a [Stall],
    /// Every packet.
    pub packets: &'a [Packet],
    /// Every run of data-level bytes that a packet carried.
    pub carriages: &'a [Carriage],
    /// Every sample of a round-trip time.
    pub samples: &'a [Sample],
}

/// The part of rows, which are in order of connections, that belongs to one.
fn part<R>(rows: &[R], id: u64, of: impl Fn(&R) -> u64) -> &[R] {
    let from = rows.partition_point(|row| of(row) < id);
    let to = rows.partition_point(|row| of(row) <= id);
    rows.get(from..to).unwrap_or_default()
}

impl<'a> One<'a> {
    /// The connection with this number in tables that are sorted ([`Tables::sort`]); nothing when it is not there.
    pub fn of(tables: &'a Tables, id: u64) -> Option<Self> {
        Some(Self {
            connection: part(&tables.connections, id, |row| row.connection_id).first()?,
            subflows: part(&tables.subflows, id, |row| row.connection_id),
            announcements: part(&tables.announcements, id, |row| row.connection_id),
            reinjections: part(&tables.reinjections, id, |row| row.connection_id),
            events: part(&tables.events, id, |row| row.connection_id),
            stalls: part(&tables.stalls, id, |row| row.connection_id),
            packets: part(&tables.packets, id, |row| row.connection_id),
            carriages: part(&tables.carriages, id, |row| row.connection_id),
            samples: part(&tables.samples, id, |row| row.connection_id),
        })
    }

    /// Hands over all rows, table by table.
    pub fn rows(&self, mut take: impl FnMut(AnyRow)) {
        take(AnyRow::Connection(Box::new(self.connection.clone())));
        self.subflows.iter().for_each(|row| take(AnyRow::Subflow(Box::new(row.clone()))));
        self.announcements.iter().for_each(|row| take(AnyRow::Announcement(row.clone())));
        self.reinjections.iter().for_each(|row| take(AnyRow::Reinjection(row.clone())));
        self.events.iter().for_each(|row| take(AnyRow::Event(row.clone())));
        self.stalls.iter().for_each(|row| take(AnyRow::Stall(row.clone())));
        self.packets.iter().for_each(|row| take(AnyRow::Packet(Box::new(row.clone()))));
        self.carriages.iter().for_each(|row| take(AnyRow::Carriage(row.clone())));
        self.samples.iter().for_each(|row| take(AnyRow::Sample(row.clone())));
    }

    /// Seconds from the connection's first packet to a moment.
    pub fn seconds(&self, time: Time) -> f64 {
        (time.0 - self.connection.start.0) as f64 / 1e9
    }
}
