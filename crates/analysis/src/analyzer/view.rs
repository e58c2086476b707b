//! A look at what is going on, for those who watch: the rows of open connections as they stand.

use super::{Analyzer, Role};
use crate::{
    connection::{Counters, Subflow},
    rows::{self, Announcement, Direction, Event, Issue, Sink},
};
use std::cmp::Reverse;
use subflow_capture::Live;
use subflow_rows::Time;

/// An open connection as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenConnection {
    /// Its row, were the capture to end now.
    pub connection: rows::Connection,
    /// Its subflows, closed ones included, in order of their ids.
    pub subflows: Vec<OpenSubflow>,
    /// Its last packet.
    pub last: Time,
    /// What was announced from the moment asked for on.
    pub announcements: Vec<Announcement>,
    /// What happened from that moment on; handovers so far included, which only the end makes final.
    pub events: Vec<Event>,
}

/// A subflow of an open connection.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenSubflow {
    /// Its row, were the capture to end now.
    pub subflow: rows::Subflow,
    /// Whether it has closed.
    pub closed: bool,
}

/// Open connections.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct View {
    /// How many are open: they have not ended, or so short a time ago that late packets may still come.
    pub open: u64,
    /// Those of them with the latest packets, in order of their ids.
    pub connections: Vec<OpenConnection>,
}

impl<S: Sink> Analyzer<S> {
    /// The open connections that the filter keeps: the rows of so many of them, and what happened from a moment on. It
    /// changes nothing; costs follow the number of connections.
    pub fn view(&mut self, most: usize, since: Time) -> View {
        let mut found: Vec<(i64, u32)> = Vec::new();
        for number in self.connections.numbers() {
            let Some(connection) = self.connections.get(number) else { continue };
            let filter = &self.options.filter;
            let kept = |&flow: &u32| {
                self.flows.get(flow).is_some_and(|flow| filter.takes_flow(flow.key.end(0), flow.key.end(1)))
            };
            if !connection.copy && filter.takes_connection(connection.id) && connection.flows.iter().any(kept)
            {
                found.push((connection.last, number));
            }
        }
        let open = found.len() as u64;
        if found.len() > most {
            found.select_nth_unstable_by_key(most, |&(last, number)| (Reverse(last), number));
            found.truncate(most);
        }
        let mut connections: Vec<_> =
            found.into_iter().filter_map(|(_, number)| self.open_connection(number, since)).collect();
        connections.sort_by_key(|open| open.connection.connection_id);
        View { open, connections }
    }

    /// Where the rows go.
    pub fn sink(&mut self) -> &mut S {
        &mut self.sink
    }

    /// Notes what a live capture lost or changed, under the names of its interfaces.
    pub fn live_issues(&mut self, live: &Live) {
        for issue in live.issues() {
            let interface = live.interfaces().get(issue.file as usize);
            self.issue(Issue {
                file: interface.map_or_else(String::new, |interface| interface.name.clone()),
                offset: None,
                reason: issue.reason.to_string(),
                count: issue.count,
                lost: issue.reason.loses_data(),
            });
        }
    }

    /// What the packets' only file is called in table `issues`.
    pub fn name_file(&mut self, name: String) {
        self.issues.name_files(std::iter::once(name));
    }

    fn open_connection(&mut self, number: u32, since: Time) -> Option<OpenConnection> {
        let Self { flows, connections, .. } = self;
        let connection = connections.get_mut(number)?;
        // The rows are made from all subflows at once, which lie with their flows: they are lent for the moment.
        let (mut subflows, mut counters) = (Vec::new(), Vec::new());
        for &flow in &connection.flows {
            let Some(flow) = flows.get_mut(flow) else { continue };
            let Role::Subflow { low, subflow, .. } = &mut flow.role else { continue };
            let Counters { packets, bytes } = flow.counters;
            counters.push(match low {
                Direction::C2s => flow.counters,
                Direction::S2c => Counters { packets: [packets[1], packets[0]], bytes: [bytes[1], bytes[0]] },
            });
            let nothing = Subflow::new(0, Direction::C2s, subflow.src, subflow.dst, 0);
            subflows.push(std::mem::replace(&mut **subflow, nothing));
        }
        let (row, subflow_rows, announcements, events) = connection.rows_so_far(&subflows, &counters, since);
        let rows = subflow_rows
            .into_iter()
            .zip(&subflows)
            .map(|(row, subflow)| OpenSubflow { subflow: row, closed: subflow.closed() })
            .collect();
        let last = Time(connection.last);
        let mut lent = subflows.into_iter();
        for &flow in &connection.flows {
            let Some(flow) = flows.get_mut(flow) else { continue };
            let Role::Subflow { subflow, .. } = &mut flow.role else { continue };
            if let Some(back) = lent.next() {
                **subflow = back;
            }
        }
        Some(OpenConnection { connection: row, subflows: rows, last, announcements, events })
    }
}
