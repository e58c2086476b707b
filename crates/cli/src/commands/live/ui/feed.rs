//! What happened lately, a line each, out of the snapshots.

use super::super::snapshot::Snapshot;
use super::words::{end, short, span};
use std::collections::{HashSet, VecDeque};
use subflow_analysis::OpenConnection;
use subflow_analysis::rows::{Connection, Event, EventKind, Fallback, State};

/// Lines that are kept.
const MOST: usize = 500;
/// Lines are known again for this long, in nanoseconds.
const MEMORY_NS: i64 = 90_000_000_000;

/// A subflow that is silent for less than this may well go on, so that its handover is not told yet, in nanoseconds.
const SURE_NS: i64 = 2_000_000_000;

/// How a line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Good,
    Notable,
    Bad,
    Plain,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// When, nanoseconds since the epoch.
    pub(super) time_ns: i64,
    /// The connection, if it is about one.
    pub(super) connection: Option<u64>,
    pub(super) text: String,
    pub(super) tone: Tone,
}

/// The lines, the latest last.
#[derive(Debug, Default)]
pub(super) struct Feed {
    lines: VecDeque<Line>,
    known: HashSet<(i64, Option<u64>, String)>,
}

impl Feed {
    /// Takes what is new in a snapshot.
    pub(super) fn take(&mut self, snapshot: &Snapshot) {
        let mut new = Vec::new();
        let since = snapshot.now_ns.saturating_sub(MEMORY_NS / 3);
        for open in &snapshot.view.connections {
            of_connection(open, since, snapshot.now_ns, &mut new);
        }
        new.extend(snapshot.ended.iter().map(of_end));
        new.extend(snapshot.notices.iter().map(|text| Line {
            time_ns: snapshot.now_ns,
            connection: None,
            text: text.clone(),
            tone: Tone::Bad,
        }));
        self.known.retain(|(time, ..)| *time >= snapshot.now_ns.saturating_sub(MEMORY_NS));
        new.retain(|line| self.known.insert((line.time_ns, line.connection, line.text.clone())));
        new.sort_by_key(|line| line.time_ns);
        self.lines.extend(new);
        self.lines.drain(..self.lines.len().saturating_sub(MOST));
    }

    /// The last lines, the latest last.
    pub(super) fn last(&self, count: usize) -> impl Iterator<Item = &Line> {
        self.lines.iter().skip(self.lines.len().saturating_sub(count))
    }

    /// The latest line about a connection.
    pub(super) fn latest_of(&self, connection: u64) -> Option<&Line> {
        self.lines.iter().rev().find(|line| line.connection == Some(connection))
    }
}

fn of_connection(open: &OpenConnection, since: i64, now: i64, new: &mut Vec<Line>) {
    let row = &open.connection;
    let mut add = |time_ns: i64, text: String, tone: Tone| {
        if time_ns >= since {
            new.push(Line { time_ns, connection: Some(row.connection_id), text, tone });
        }
    };
    let (client, server) = (end(row.client_addr, row.client_port), end(row.server_addr, row.server_port));
    add(row.start.0, format!("opened {client} → {server}"), Tone::Good);
    for joined in open.subflows.iter().map(|open| &open.subflow).filter(|row| row.subflow_id != 0) {
        let backup = if joined.backup { " as backup" } else { "" };
        let (from, to) = (joined.src_addr, end(joined.dst_addr, joined.dst_port));
        let (what, tone) = match joined.state {
            State::Established => ("joined", Tone::Good),
            State::Midstream => ("seen", Tone::Good),
            State::SynLost | State::Unconfirmed => ("asked to join", Tone::Plain),
            State::Refused => ("refused", Tone::Bad),
            State::Reset => ("reset while joining", Tone::Bad),
            State::Stripped => ("answered without MP_JOIN", Tone::Bad),
        };
        add(joined.start.0, format!("subflow {} {what}{backup} {from} → {to}", joined.subflow_id), tone);
    }
    for announced in open.announcements.iter().filter(|row| !row.echo) {
        let port = announced.port.map_or_else(String::new, |port| format!(" port {port}"));
        let text = format!("{}{port} announced, id {}", announced.addr, announced.address_id);
        add(announced.time.0, text, Tone::Plain);
    }
    let sure = |event: &&Event| event.kind != EventKind::Handover || now - event.time.0 >= SURE_NS;
    for event in open.events.iter().filter(sure) {
        let tone = match event.kind {
            EventKind::Handover | EventKind::MpPrio => Tone::Notable,
            EventKind::RemoveAddr | EventKind::DataFin => Tone::Plain,
            _ => Tone::Bad,
        };
        add(event.time.0, format!("{}: {}", event.kind.as_str(), event.detail), tone);
    }
}

fn of_end(row: &Connection) -> Line {
    let fallback = match row.fallback {
        Fallback::None => String::new(),
        fallback => format!(", fell back ({})", fallback.as_str()),
    };
    let text = format!(
        "ended ({}) after {}, {} of {} subflows, {}B up, {}B down{fallback}",
        row.close.as_str(),
        span(row.duration),
        row.subflows_established,
        row.subflows_attempted,
        short(row.bytes_c2s as f64),
        short(row.bytes_s2c as f64)
    );
    Line {
        time_ns: row.start.0.saturating_add((row.duration * 1e9) as i64),
        connection: Some(row.connection_id),
        text,
        tone: Tone::Plain,
    }
}
