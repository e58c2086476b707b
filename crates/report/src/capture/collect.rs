//! The rows that the report shows one by one, and what it adds up beside the summary.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use subflow_analysis::rows::{
    Announcement, AnyRow, Connection, Direction, Event, Fallback, Reinjection, ReinjectionCause, State,
    Subflow,
};

/// Connections that can be looked at one by one; the rest is in the figures only.
pub const MOST_CONNECTIONS: usize = 10_000;
/// Events, and announcements, that are kept of one connection.
pub(super) const MOST_OF_ONE: usize = 200;
/// Connections whose times are kept for the timeline.
const MOST_SPANS: usize = 4_000_000;
/// Servers that are told apart where connections fell back.
const MOST_SERVERS: usize = 100_000;

/// Reinjections of one connection that are alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Way {
    pub(super) connection_id: u64,
    pub(super) direction: Direction,
    pub(super) from: Option<u32>,
    pub(super) to: u32,
    pub(super) cause: Option<ReinjectionCause>,
}

/// How much went that way.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Amount {
    pub(super) packets: u64,
    pub(super) bytes: u64,
    pub(super) useless_bytes: u64,
}

/// What boxes on the path leave behind, beyond what the summary counts.
#[derive(Clone, Debug, Default)]
pub(super) struct Traces {
    /// Joins and announcements whose HMAC is wrong.
    pub(super) wrong_hmac_joins: u64,
    pub(super) wrong_hmac_announcements: u64,
    /// Subflows whose peer said that a middlebox interferes.
    pub(super) accused: u64,
    /// Joins answered without MP_JOIN.
    pub(super) stripped: u64,
    /// Servers that spoke MPTCP with somebody.
    speaking: BTreeSet<(IpAddr, u16)>,
    /// Connections by server whose SYN/ACK came without MP_CAPABLE.
    refusing: BTreeMap<(IpAddr, u16), u64>,
}

impl Traces {
    /// Connections without MP_CAPABLE in the SYN/ACK of servers that spoke MPTCP in others.
    pub(super) fn refused_by_speakers(&self) -> u64 {
        let speaks = |server: &(IpAddr, u16)| self.speaking.contains(server);
        self.refusing.iter().filter(|(server, _)| speaks(server)).map(|(_, count)| count).sum()
    }
}

/// Rows and what was made of them.
#[derive(Debug, Default)]
pub(super) struct Collected {
    pub(super) connections: Vec<Connection>,
    pub(super) subflows: Vec<Subflow>,
    pub(super) announcements: Vec<Announcement>,
    pub(super) events: Vec<Event>,
    pub(super) reinjections: BTreeMap<Way, Amount>,
    /// Start and end of every connection, nanoseconds since 1970.
    pub(super) spans: Vec<(i64, i64)>,
    pub(super) traces: Traces,
    /// Rows of the connection whose rows come at present.
    of_this: (u64, usize),
}

impl Collected {
    pub(super) fn add(&mut self, row: AnyRow) {
        let kept = self.connections.len() < MOST_CONNECTIONS;
        match row {
            AnyRow::Connection(row) => self.add_connection(*row, kept),
            AnyRow::Subflow(row) => {
                self.traces.stripped += u64::from(row.state == State::Stripped);
                self.traces.wrong_hmac_joins += u64::from(row.hmac_ok == Some(false));
                let reason = row.reset_reason.unwrap_or_default();
                self.traces.accused += u64::from(reason.contains("middlebox"));
                if kept {
                    self.subflows.push(*row);
                }
            }
            AnyRow::Announcement(row) => {
                self.traces.wrong_hmac_announcements += u64::from(row.hmac_ok == Some(false));
                if kept && self.has_room(row.connection_id) {
                    self.announcements.push(row);
                }
            }
            AnyRow::Event(row) if kept && self.has_room(row.connection_id) => self.events.push(row),
            AnyRow::Reinjection(row) if kept => self.add_reinjection(&row),
            _ => {}
        }
    }

    /// Rows come in the order in which connections end; people look for them by number.
    pub(super) fn sort(&mut self) {
        self.connections.sort_by_key(|row| row.connection_id);
        self.subflows.sort_by_key(|row| (row.connection_id, row.subflow_id));
        self.announcements.sort_by_key(|row| (row.connection_id, row.time));
        self.events.sort_by_key(|row| (row.connection_id, row.time, row.frame));
        self.spans.sort_unstable();
    }

    fn has_room(&mut self, connection_id: u64) -> bool {
        if self.of_this.0 != connection_id {
            self.of_this = (connection_id, 0);
        }
        self.of_this.1 += 1;
        self.of_this.1 <= MOST_OF_ONE
    }

    fn add_connection(&mut self, row: Connection, kept: bool) {
        if self.spans.len() < MOST_SPANS {
            let end = row.start.0.saturating_add((row.duration * 1e9) as i64);
            self.spans.push((row.start.0, end));
        }
        let server = (row.server_addr, row.server_port);
        let traces = &mut self.traces;
        if row.fallback == Fallback::SynAck && traces.refusing.len() < MOST_SERVERS {
            *traces.refusing.entry(server).or_default() += 1;
        } else if row.fallback == Fallback::None
            && row.subflows_established > 0
            && traces.speaking.len() < MOST_SERVERS
        {
            traces.speaking.insert(server);
        }
        if kept {
            self.connections.push(row);
        }
    }

    fn add_reinjection(&mut self, row: &Reinjection) {
        let way = Way {
            connection_id: row.connection_id,
            direction: row.direction,
            from: row.from_subflow,
            to: row.to_subflow,
            cause: row.cause,
        };
        let amount = self.reinjections.entry(way).or_default();
        amount.packets += 1;
        amount.bytes += row.bytes;
        amount.useless_bytes += if row.useful == Some(false) { row.bytes } else { 0 };
    }
}
