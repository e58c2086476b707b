//! `stats_N.csv`: figures of the connection, `capture;connection;name;c2s;s2c` a line.

use super::flight::between;
use super::ordered::before;
use super::sequence::Sequence;
use crate::connection::One;
use std::fmt::{Display, Write};
use subflow_analysis::rows::Family;

/// Sums that grow with the packets.
#[derive(Debug, Default)]
pub(super) struct Totals {
    /// Initial data sequence number of each direction, and when it was known.
    pub(super) first: [Option<(u32, i64)>; 2],
    /// Highest DATA_ACK that each side *sent*, and when.
    pub(super) last_ack: [Option<(u32, i64)>; 2],
}

/// Writes lines of one connection.
struct Lines<'a> {
    text: String,
    capture: &'a str,
    id: u64,
}

impl Lines<'_> {
    fn add(&mut self, name: impl Display, c2s: impl Display, s2c: impl Display) {
        let _ = writeln!(self.text, "{};{};{name};{c2s};{s2c}", self.capture, self.id);
    }

    /// Fractions as C prints them.
    fn fraction(&mut self, name: impl Display, c2s: f64, s2c: f64) {
        self.add(name, format_args!("{c2s:.6}"), format_args!("{s2c:.6}"));
    }
}

/// The file; empty where a direction had no data sequence number or no DATA_ACK.
pub(super) fn text(one: &One<'_>, capture: &str, totals: &Totals, sequences: &[Sequence; 2]) -> String {
    let mut lines = Lines { text: String::new(), capture, id: one.connection.connection_id };
    let (Some(first_c2s), Some(first_s2c)) = (totals.first[0], totals.first[1]) else { return lines.text };
    let (Some(ack_c2s), Some(ack_s2c)) = (totals.last_ack[0], totals.last_ack[1]) else { return lines.text };
    lines.add("sfCount", one.subflows.len(), 0);
    lines.add("firstSeq", first_c2s.0, first_s2c.0);
    lines.add("lastAck", ack_c2s.0, ack_s2c.0);
    let duration = between(first_c2s.1, ack_s2c.1);
    lines.fraction("conTime", duration, duration);
    let distance = [ack_s2c.0.wrapping_sub(first_c2s.0), ack_c2s.0.wrapping_sub(first_s2c.0)];
    let acked = |ack: u32, first: u32| if before(ack, first) { 0 } else { ack.wrapping_sub(first) };
    lines.add("seqAcked", acked(ack_s2c.0, first_c2s.0), acked(ack_c2s.0, first_s2c.0));
    subflows(one, &mut lines);
    let [c2s, s2c] = sequences;
    lines.add("bytesReinjected", c2s.reinjected, s2c.reinjected);
    let share = |sequence: &Sequence, whole: u32| f64::from(sequence.reinjected) / f64::from(whole);
    lines.fraction("precentReinjected", share(c2s, distance[0]), share(s2c, distance[1]));
    for (times, (c2s, s2c)) in c2s.times.iter().zip(&s2c.times).enumerate() {
        lines.add(format_args!("reinject{times}"), c2s, s2c);
    }
    // Single precision, as there.
    let part = |part: u32, whole: u32| f64::from(part as f32 / whole.max(1) as f32);
    let sum = |sequence: &Sequence| sequence.times.iter().copied().fold(0, u32::wrapping_add);
    for (times, (one_c2s, one_s2c)) in c2s.times.iter().zip(&s2c.times).enumerate() {
        lines.fraction(
            format_args!("reinject_pc_{times}"),
            part(*one_c2s, sum(c2s)),
            part(*one_s2c, sum(s2c)),
        );
    }
    let caused = |sequence: &Sequence, id: u32| sequence.caused_by.get(&id).copied().unwrap_or(0);
    let all = |sequence: &Sequence| sequence.caused_by.values().sum::<u32>();
    for subflow in one.subflows.iter().rev() {
        let (id, port) = (subflow.subflow_id, subflow.src_port);
        lines.add(format_args!("reinjectCausedBy_{id}_{port}"), caused(c2s, id), caused(s2c, id));
        lines.fraction(
            format_args!("reinjectCausedByPc_{id}_{port}"),
            part(caused(c2s, id), all(c2s)),
            part(caused(s2c, id), all(s2c)),
        );
    }
    lines.text
}

/// Ends of the subflows, the youngest first, and a filter for tcpdump.
fn subflows(one: &One<'_>, lines: &mut Lines<'_>) {
    let mut filters = Vec::new();
    for subflow in one.subflows.iter().rev() {
        let id = subflow.subflow_id;
        let (version, host) = match subflow.family {
            Family::Ipv4 => (4, "ip host"),
            Family::Ipv6 => (6, "ip6 host"),
        };
        lines.add(format_args!("sf_{id}_ipVersion"), version, version);
        lines.add(format_args!("sf_{id}_ip"), subflow.src_addr, subflow.dst_addr);
        lines.add(format_args!("sf_{id}_port"), subflow.src_port, subflow.dst_port);
        filters.push(format!(" ( {host} {} && tcp port {}  ) ", subflow.src_addr, subflow.src_port));
    }
    lines.add("tcpDumpFilter", format_args!(" tcp && ( {} ) ", filters.join("|| ")), "");
}
