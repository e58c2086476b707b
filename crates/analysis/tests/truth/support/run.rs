//! From a capture to its tables.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    path::{Path, PathBuf},
};
use subflow_analysis::{
    Analyzer, Options,
    rows::{Announcement, Connection, Direction, Event, EventKind, Sink, State, Subflow, Tables},
};
use subflow_capture::{Input, Packet};

/// Both directions, in the order in which pairs list them.
pub(crate) const BOTH: [Direction; 2] = [Direction::C2s, Direction::S2c];

/// Analyses one capture; also says how many packets the input held.
pub(crate) fn run<S: Sink>(path: &Path, sink: S) -> (S, u64) {
    run_all(&[path.to_owned()], sink, |_| true)
}

/// Analyses those packets of captures of the same traffic that `takes` says yes to.
fn run_all<S: Sink>(paths: &[PathBuf], sink: S, takes: impl Fn(&Packet<'_>) -> bool) -> (S, u64) {
    let mut input = Input::open(paths).unwrap_or_else(|error| panic!("{paths:?}: {error}"));
    let mut analyzer = Analyzer::new(Options::default(), sink);
    while let Some(packet) = input.next_packet() {
        if takes(&packet) {
            analyzer.packet(&packet);
        }
    }
    analyzer.input_issues(&input);
    let packets = analyzer.packets();
    (analyzer.finish(), packets)
}

/// The tables of one capture, in order.
pub(crate) fn tables(path: &Path) -> Tables {
    sorted(run(path, Tables::default()).0)
}

/// The tables of several captures of the same traffic, in order.
pub(crate) fn tables_of(paths: &[PathBuf]) -> Tables {
    sorted(run_all(paths, Tables::default(), |_| true).0)
}

/// The tables of a part of a capture, in order.
pub(crate) fn tables_where(path: &Path, takes: impl Fn(&Packet<'_>) -> bool) -> Tables {
    sorted(run_all(&[path.to_owned()], Tables::default(), takes).0)
}

fn sorted(mut tables: Tables) -> Tables {
    tables.sort();
    tables
}

/// Questions that tests ask of tables.
pub(crate) trait Ask {
    /// TCP packets of the capture, MPTCP or not, copies left out.
    fn tcp_packets(&self) -> u64;
    /// Subflows of a connection.
    fn subflows_of(&self, connection: u64) -> Vec<&Subflow>;
    /// Announcements of a connection, echoes left out.
    fn announced_on(&self, connection: u64) -> Vec<&Announcement>;
    /// Events of one kind.
    fn events_of(&self, kind: EventKind) -> Vec<&Event>;
    /// How often each kind of event is there.
    fn event_counts(&self) -> BTreeMap<EventKind, u64>;
    /// How many subflows are in each state.
    fn states(&self) -> BTreeMap<State, u64>;
    /// The connection opened from this end; the latest, if the 4-tuple was used again.
    fn connection_from(&self, addr: IpAddr, port: u16) -> Option<&Connection>;
}

impl Ask for Tables {
    fn tcp_packets(&self) -> u64 {
        self.traffic.iter().map(|row| row.packets).sum()
    }

    fn subflows_of(&self, connection: u64) -> Vec<&Subflow> {
        self.subflows.iter().filter(|row| row.connection_id == connection).collect()
    }

    fn announced_on(&self, connection: u64) -> Vec<&Announcement> {
        self.announcements.iter().filter(|row| row.connection_id == connection && !row.echo).collect()
    }

    fn events_of(&self, kind: EventKind) -> Vec<&Event> {
        self.events.iter().filter(|row| row.kind == kind).collect()
    }

    fn event_counts(&self) -> BTreeMap<EventKind, u64> {
        let mut counts = BTreeMap::new();
        for event in &self.events {
            *counts.entry(event.kind).or_default() += 1;
        }
        counts
    }

    fn states(&self) -> BTreeMap<State, u64> {
        let mut counts = BTreeMap::new();
        for subflow in &self.subflows {
            *counts.entry(subflow.state).or_default() += 1;
        }
        counts
    }

    fn connection_from(&self, addr: IpAddr, port: u16) -> Option<&Connection> {
        self.connections.iter().rfind(|row| row.client_addr == addr && row.client_port == port)
    }
}
