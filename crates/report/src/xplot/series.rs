//! What is drawn in each graph.

use super::graph::{Colour, Graph};
use crate::connection::One;
use std::collections::BTreeMap;
use subflow_analysis::rows::{Carried, Direction};
use subflow_rows::Time;

/// Data bytes over which goodput is averaged: as many mappings as tcptrace averages segments.
const WINDOW: usize = 10;

fn title(one: &One<'_>, direction: Direction, capture: &str, what: &str) -> String {
    let capture = capture.replace(['\n', '\r'], " ");
    format!("{capture} connection {} {direction}: {what}", one.connection.connection_id)
}

/// Mappings as vertical lines, DATA_ACKs as a staircase (white), the edge of the receive window above it (yellow). Reinjections are marked
/// by an R in red, data again on the same subflow by an r in its colour.
pub(super) fn sequence(one: &One<'_>, direction: Direction, capture: &str) -> String {
    let mut graph = Graph::new(
        &title(one, direction, capture, "data sequence numbers"),
        "signed",
        "data sequence offset",
    );
    for row in one.carriages.iter().filter(|row| row.direction == direction) {
        let end = row.dsn.saturating_add_unsigned(row.bytes);
        let own = Colour::subflow(row.subflow_id);
        graph.line(own, (row.time, &row.dsn), (row.time, &end));
        match row.carried {
            Carried::New => {}
            Carried::Reinjection => graph.text(Colour::Red, (row.time, &end), "R"),
            Carried::MetaRetransmission | Carried::Retransmission => graph.text(own, (row.time, &end), "r"),
        }
    }
    let mut acks = Stairs::new(Colour::White);
    let mut edges = Stairs::new(Colour::Yellow);
    for packet in one.packets.iter().filter(|packet| packet.direction == direction.reverse()) {
        let Some(ack) = packet.data_ack else { continue };
        acks.rise(&mut graph, packet.time, ack);
        if let Some(window) = packet.window {
            edges.rise(&mut graph, packet.time, ack.saturating_add_unsigned(window));
        }
    }
    graph.finish()
}

/// A line that only rises: an acknowledgement or a window edge of before counts no more.
struct Stairs {
    colour: Colour,
    last: Option<(Time, i64)>,
}

impl Stairs {
    const fn new(colour: Colour) -> Self {
        Self { colour, last: None }
    }

    fn rise(&mut self, graph: &mut Graph, time: Time, to: i64) {
        let Some((before, from)) = self.last else {
            self.last = Some((time, to));
            return;
        };
        if to > from {
            graph.line(self.colour, (before, &from), (time, &from));
            graph.line(self.colour, (time, &from), (time, &to));
            self.last = Some((time, to));
        }
    }
}

/// Samples in milliseconds: dots in the subflow's colour, the data level in white diamonds.
pub(super) fn round_trips(one: &One<'_>, direction: Direction, capture: &str) -> String {
    let mut graph = Graph::new(&title(one, direction, capture, "round-trip times"), "double", "ms");
    for row in one.samples.iter().filter(|row| row.direction == direction) {
        let rtt = format!("{:.6}", row.rtt * 1e3);
        let at: (Time, &dyn std::fmt::Display) = (row.time, &rtt);
        match row.subflow_id {
            Some(id) => graph.mark(Colour::subflow(id), "dot", at),
            None => graph.mark(Colour::White, "diamond", at),
        }
    }
    graph.finish()
}

/// Bytes on their way: each subflow in its colour, the data level in white.
pub(super) fn flight(one: &One<'_>, direction: Direction, capture: &str) -> String {
    let mut graph = Graph::new(&title(one, direction, capture, "bytes in flight"), "unsigned", "bytes");
    let mut last: BTreeMap<Option<u32>, (Time, u64)> = BTreeMap::new();
    for packet in one.packets.iter().filter(|packet| packet.direction == direction) {
        let own = packet.flight.map(|bytes| (Some(packet.subflow_id), bytes));
        let data = packet.data_flight.map(|bytes| (None, bytes));
        for (whose, bytes) in own.into_iter().chain(data) {
            let colour = whose.map_or(Colour::White, Colour::subflow);
            if let Some(before) = last.insert(whose, (packet.time, bytes)) {
                graph.line(colour, (before.0, &before.1), (packet.time, &bytes));
            }
        }
    }
    graph.finish()
}

/// Goodput in bit/s: of new data over the last ten runs of it, each subflow in its colour, all of them in white.
pub(super) fn goodput(one: &One<'_>, direction: Direction, capture: &str) -> String {
    let mut graph = Graph::new(&title(one, direction, capture, "goodput"), "double", "bit/s");
    let mut windows: BTreeMap<Option<u32>, Vec<(Time, u64)>> = BTreeMap::new();
    let new =
        |row: &&subflow_analysis::rows::Carriage| row.direction == direction && row.carried == Carried::New;
    for row in one.carriages.iter().filter(new) {
        for whose in [Some(row.subflow_id), None] {
            let window = windows.entry(whose).or_default();
            window.push((row.time, row.bytes));
            if window.len() <= WINDOW {
                continue;
            }
            let (began, _) = window.remove(0);
            let seconds = (row.time.0 - began.0) as f64 / 1e9;
            let bytes: u64 = window.iter().map(|(_, bytes)| bytes).sum();
            if seconds > 0.0 {
                let rate = bytes as f64 * 8.0 / seconds;
                graph.mark(
                    whose.map_or(Colour::White, Colour::subflow),
                    "dot",
                    (row.time, &format_args!("{rate:.0}")),
                );
            }
        }
    }
    graph.finish()
}
