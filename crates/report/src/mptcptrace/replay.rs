//! The packets in order, each to all instruments in mptcptrace's order.

use super::flight::Flight;
use super::goodput::Goodput;
use super::ordered::before;
use super::sequence::Sequence;
use super::stats::{self, Totals};
use super::step::{Mapping, Step, bases};
use crate::Output;
use crate::connection::One;
use std::collections::BTreeMap;
use std::fmt::Write;
use subflow_analysis::rows::{Direction, EventKind, Packet};

/// What is kept while packets go by; pairs are `c2s`, `s2c` by the direction of the *data*.
struct Replay {
    bases: [u32; 2],
    initial: [u32; 2],
    sequences: [Sequence; 2],
    flights: [Flight; 2],
    goodputs: [Goodput; 2],
    totals: Totals,
    /// Mapped bytes of each subflow by direction, repeats included.
    mapped: BTreeMap<u32, [u32; 2]>,
    /// The last mapping with a DATA_FIN of each direction.
    fins: [Option<Mapping>; 2],
    /// Subflows whose reset was seen: nothing after it counts.
    reset: Vec<u32>,
}

/// Runs through the connection's packets and returns all files.
pub(super) fn replay(one: &One<'_>, capture: &str) -> Vec<Output> {
    let bases = bases(one);
    let idsn = [one.connection.client_idsn, one.connection.server_idsn];
    let mut initial = bases.map(|base| base.wrapping_sub(1));
    for (initial, idsn) in initial.iter_mut().zip(idsn) {
        *initial = idsn.map_or(*initial, |idsn| idsn.0 as u32);
    }
    let mut replay = Replay {
        bases,
        initial,
        sequences: Default::default(),
        flights: Default::default(),
        goodputs: Default::default(),
        totals: Totals::default(),
        mapped: one.subflows.iter().map(|subflow| (subflow.subflow_id, [0; 2])).collect(),
        fins: [None; 2],
        reset: Vec::new(),
    };
    let mut end = None;
    for packet in one.packets {
        if replay.packet(packet) {
            end = Some((packet.time, packet.frame));
            break;
        }
    }
    replay.files(one, capture, |time, frame| end.is_none_or(|end| (time, frame) < end))
}

impl Replay {
    /// Takes a packet; true when the connection is over for mptcptrace.
    fn packet(&mut self, packet: &Packet) -> bool {
        if self.reset.contains(&packet.subflow_id) {
            return false;
        }
        let handshake = packet.options.split(' ').any(|option| option == "MP_CAPABLE");
        if handshake && !packet.flags.contains('S') && packet.direction == Direction::C2s {
            self.initial_numbers(packet.time.0.div_euclid(1000));
        }
        let over = Step::of(packet, self.bases).is_some_and(|step| self.step(&step))
            || packet.options.split(' ').any(|option| option == "MP_FASTCLOSE");
        if packet.flags.contains('R') {
            self.reset.push(packet.subflow_id);
        }
        over
    }

    /// The third ACK, or the first mapping where that was not seen, tells the initial data sequence numbers.
    fn initial_numbers(&mut self, time: i64) {
        for side in 0..2 {
            self.totals.first[side] = Some((self.initial[side], time));
            self.totals.last_ack[1 - side] = Some((self.initial[side].wrapping_sub(1), time));
        }
    }

    fn step(&mut self, step: &Step) -> bool {
        let (own, other) = (step.direction.index(), step.direction.reverse().index());
        self.flights[own].segment(step);
        self.flights[other].segment_ack(step);
        if let Some(mapping) = step.mapping {
            if self.totals.first[own].is_none() {
                self.initial_numbers(step.time);
            }
            self.flights[own].mapping(step, mapping, self.totals.last_ack[other].map(|ack| ack.0));
            self.sequences[own].mapping(step, mapping);
            self.flights[own].tell_mapping(step);
            let sums = self.mapped.entry(step.subflow).or_default();
            sums[own] = sums[own].wrapping_add(mapping.bytes);
            if mapping.fin {
                self.fins[own] = Some(mapping);
            }
        }
        let Some(ack) = step.data_ack else { return false };
        self.flights[other].data_ack(step, ack);
        if self.totals.last_ack[own].is_none_or(|last| !before(ack, last.0)) {
            self.totals.last_ack[own] = Some((ack, step.time));
        }
        self.sequences[other].ack(step, ack);
        let highest = self.totals.last_ack[own].map_or(ack, |last| last.0);
        self.flights[other].window(step, ack, highest);
        self.flights[own].tell_sum(step);
        self.flights[own].tell_per_flow(step);
        self.goodputs[other].ack(step, ack);
        let done = |side: usize| {
            let acked = self.totals.last_ack[1 - side].map(|ack| ack.0);
            self.fins[side].is_some_and(|fin| Some(fin.end()) == acked)
        };
        done(0) && done(1)
    }

    /// The files, announcements up to the end of the connection.
    fn files(
        self,
        one: &One<'_>,
        capture: &str,
        counts: impl Fn(subflow_rows::Time, u64) -> bool,
    ) -> Vec<Output> {
        let id = one.connection.connection_id;
        let mut files = Vec::new();
        let mut file = |name: String, text: String| files.push(Output { name, text });
        let mut series = String::new();
        for (subflow, [c2s, s2c]) in &self.mapped {
            let _ = writeln!(series, "{subflow},{c2s},{s2c}");
        }
        file(format!("stats_{id}.csv"), stats::text(one, capture, &self.totals, &self.sequences));
        file(format!("c2s_map_reinject_{id}.csv"), self.sequences[0].map_reinject());
        let sides = self.sequences.into_iter().zip(self.flights).zip(self.goodputs);
        for (direction, ((sequence, flight), goodput)) in ["c2s", "s2c"].into_iter().zip(sides) {
            for (name, text) in [
                ("seq", sequence.text),
                ("flight", flight.flight),
                ("flight_per_flow", flight.per_flow),
                ("rightEdge", String::new()),
                ("gput", goodput.text),
                ("acksize", flight.ack_size),
                ("sf", series.clone()),
                ("rtt_ack_ts", flight.rtt_by_ack),
                ("rtt_seq_ts", flight.rtt_by_departure),
                ("rtt_seq_num", flight.rtt_by_number),
            ] {
                file(format!("{direction}_{name}_{id}.csv"), text);
            }
        }
        file(format!("add_addr_{id}.csv"), announced(one, &counts));
        file(format!("rm_addr_{id}.csv"), withdrawn(one, &counts));
        files
    }
}

/// The number that stands for a direction: 1 for `c2s`.
const fn way(direction: Direction) -> u8 {
    match direction {
        Direction::C2s => 1,
        Direction::S2c => 0,
    }
}

fn announced(one: &One<'_>, counts: &impl Fn(subflow_rows::Time, u64) -> bool) -> String {
    let mut text = String::new();
    let mut last_frame = None;
    for row in one.announcements.iter().filter(|row| counts(row.time, row.frame)) {
        // Of several in one packet mptcptrace sees the first.
        if last_frame.replace(row.frame) != Some(row.frame) {
            let _ = writeln!(text, "{},{}", way(row.direction), row.addr);
        }
    }
    text
}

fn withdrawn(one: &One<'_>, counts: &impl Fn(subflow_rows::Time, u64) -> bool) -> String {
    let mut text = String::new();
    for row in
        one.events.iter().filter(|row| row.kind == EventKind::RemoveAddr && counts(row.time, row.frame))
    {
        let ids = row.detail.split(|c: char| !c.is_ascii_digit()).filter(|id| !id.is_empty());
        for id in ids {
            let _ = writeln!(text, "{},{id}", way(row.direction));
        }
    }
    text
}
