//! What must hold of any tables: sums that agree, references that lead somewhere.

use super::findings::Findings;
use super::run::BOTH;
use subflow_analysis::rows::{Connection, Direction, StallKind, Subflow, Tables};

/// The two columns of a pair, `c2s` first.
fn subflow_pair(row: &Subflow, direction: Direction) -> [u64; 4] {
    match direction {
        Direction::C2s => {
            [row.retransmitted_bytes_c2s, row.reinjected_bytes_c2s, row.bytes_c2s, row.unique_bytes_c2s]
        }
        Direction::S2c => {
            [row.retransmitted_bytes_s2c, row.reinjected_bytes_s2c, row.bytes_s2c, row.unique_bytes_s2c]
        }
    }
}

fn connection_pair(row: &Connection, direction: Direction) -> [u64; 2] {
    match direction {
        Direction::C2s => [row.retransmitted_bytes_c2s, row.reinjected_bytes_c2s],
        Direction::S2c => [row.retransmitted_bytes_s2c, row.reinjected_bytes_s2c],
    }
}

/// Checks that the tables of one capture add up.
pub(crate) fn add_up(findings: &mut Findings, place: &str, tables: &Tables) {
    let mptcp = tables.traffic.iter().filter(|row| row.mptcp);
    let traffic = mptcp.fold((0, 0), |sum, row| (sum.0 + row.packets, sum.1 + row.bytes));
    let rows = tables.connections.iter();
    let connections = rows.fold((0, 0), |sum, row| (sum.0 + row.packets, sum.1 + row.wire_bytes));
    findings.equal(&format!("{place}: traffic and connections"), traffic, connections);
    let hosts = tables.hosts.iter().fold((0, 0), |sum, row| (sum.0 + row.packets, sum.1 + row.bytes));
    let twice = (2 * traffic.0, 2 * traffic.1);
    findings.equal(&format!("{place}: hosts, each packet at both its ends"), hosts, twice);
    for row in &tables.connections {
        connection(findings, place, tables, row);
        measures(findings, place, tables, row);
    }
}

/// One direction of a connection's measures, and those of its subflows.
struct Measures {
    bytes: u64,
    queued: u64,
    reinjected: u64,
    retransmitted: u64,
    blocked: f64,
    limited: [Option<f64>; 3],
    flight: (Option<u64>, Option<f64>),
    choices: (Option<u64>, Option<u64>),
}

fn measures_of(row: &Connection, direction: Direction) -> Measures {
    match direction {
        Direction::C2s => Measures {
            bytes: row.bytes_c2s,
            queued: row.reorder_queued_bytes_c2s,
            reinjected: row.reinjected_bytes_c2s,
            retransmitted: row.retransmitted_bytes_c2s,
            blocked: row.head_of_line_time_c2s,
            limited: [row.receive_window_time_c2s, row.idle_time_c2s, row.application_time_c2s],
            flight: (row.data_flight_max_c2s, row.data_flight_mean_c2s),
            choices: (row.scheduled_c2s, row.lowest_rtt_c2s),
        },
        Direction::S2c => Measures {
            bytes: row.bytes_s2c,
            queued: row.reorder_queued_bytes_s2c,
            reinjected: row.reinjected_bytes_s2c,
            retransmitted: row.retransmitted_bytes_s2c,
            blocked: row.head_of_line_time_s2c,
            limited: [row.receive_window_time_s2c, row.idle_time_s2c, row.application_time_s2c],
            flight: (row.data_flight_max_s2c, row.data_flight_mean_s2c),
            choices: (row.scheduled_s2c, row.lowest_rtt_s2c),
        },
    }
}

/// Carried bytes, wire bytes, blocked time and payload amplification of a subflow.
fn subflow_measures(row: &Subflow, direction: Direction) -> (u64, u64, f64, Option<f64>) {
    match direction {
        Direction::C2s => {
            (row.data_bytes_c2s, row.wire_bytes_c2s, row.head_of_line_time_c2s, row.payload_amplification_c2s)
        }
        Direction::S2c => {
            (row.data_bytes_s2c, row.wire_bytes_s2c, row.head_of_line_time_s2c, row.payload_amplification_s2c)
        }
    }
}

/// A nanosecond for every sum of many.
const ROUNDING: f64 = 1e-6;

fn measures(findings: &mut Findings, place: &str, tables: &Tables, row: &Connection) {
    let mut wire = 0;
    for direction in BOTH {
        let at = |what: &str| format!("{place}: connection {}: {what} {direction}", row.connection_id);
        let measures = measures_of(row, direction);
        let subflows = tables.subflows.iter().filter(|subflow| subflow.connection_id == row.connection_id);
        let subflows: Vec<_> = subflows.map(|subflow| subflow_measures(subflow, direction)).collect();
        let carried: u64 = subflows.iter().map(|subflow| subflow.0).sum();
        wire += subflows.iter().map(|subflow| subflow.1).sum::<u64>();
        findings.equal(&at("data_bytes of the subflows"), carried, measures.bytes);
        let blocked: f64 = subflows.iter().map(|subflow| subflow.2).sum();
        findings.holds(&at("head_of_line_time"), (blocked - measures.blocked).abs() < ROUNDING, || {
            format!("{blocked} s of the subflows, {} s of the connection", measures.blocked)
        });
        findings.holds(&at("queued bytes"), measures.queued <= measures.bytes, || "more than all".to_owned());
        let amplified = subflows.iter().filter_map(|subflow| subflow.3);
        findings.holds(&at("amplification"), amplified.fold(1.0, f64::min) > 0.0, || "none".to_owned());
        let [window, idle, application] = measures.limited.map(Option::unwrap_or_default);
        let times = window >= 0.0 && application <= idle && window + idle <= row.duration + ROUNDING;
        findings.holds(&at("times"), times, || format!("{:?} of {} s", measures.limited, row.duration));
        let most = measures.flight.0.unwrap_or_default() as f64;
        let flight = measures.flight.1.is_none_or(|mean| mean <= most + ROUNDING && mean > 0.0);
        findings.holds(&at("data flight"), flight, || format!("{:?}", measures.flight));
        let (judged, lowest) = measures.choices;
        findings.holds(&at("choices"), lowest <= judged, || format!("{:?}", measures.choices));
        let rows = || {
            let rows = tables.series.iter();
            rows.filter(|bin| bin.connection_id == row.connection_id && bin.direction == direction)
        };
        for subflows in [false, true] {
            let level = if subflows { "subflows" } else { "data level" };
            let rows = || rows().filter(|bin| bin.subflow_id.is_some() == subflows);
            let at = |what: &str| at(&format!("series, {level}: {what}"));
            findings.equal(&at("data_bytes"), rows().map(|bin| bin.data_bytes).sum::<u64>(), measures.bytes);
            findings.equal(
                &at("reinjected"),
                rows().map(|bin| bin.reinjected_bytes).sum::<u64>(),
                measures.reinjected,
            );
            let again = rows().map(|bin| bin.retransmitted_bytes).sum::<u64>();
            findings.equal(&at("retransmitted"), again, measures.retransmitted);
            let mut starts: Vec<_> = rows().map(|bin| (bin.subflow_id, bin.start)).collect();
            let all = starts.len();
            starts.dedup();
            findings.equal(&at("intervals, each once"), starts.len(), all);
        }
        let stalls = tables.stalls.iter().filter(|stall| {
            stall.connection_id == row.connection_id
                && stall.direction == direction
                && stall.kind == StallKind::HeadOfLine
        });
        let stalled: f64 = stalls.map(|stall| stall.duration).sum();
        findings.holds(&at("stalls"), stalled <= measures.blocked + ROUNDING, || format!("{stalled} s"));
    }
    let at = |what: &str| format!("{place}: connection {}: {what}", row.connection_id);
    findings.equal(&at("wire_bytes of the subflows"), wire, row.wire_bytes);
    for subflows in [false, true] {
        let rows = tables
            .series
            .iter()
            .filter(|bin| bin.connection_id == row.connection_id && bin.subflow_id.is_some() == subflows);
        let sum = rows.fold((0, 0), |sum, bin| (sum.0 + bin.packets, sum.1 + bin.wire_bytes));
        // Packets before the first MPTCP option of a flow were of no subflow yet.
        let all = (row.packets, row.wire_bytes);
        let adds_up = if row.complete { sum == all } else { sum <= all };
        findings.holds(&at("series: packets and bytes"), adds_up, || format!("{sum:?} of {all:?}"));
    }
}

fn connection(findings: &mut Findings, place: &str, tables: &Tables, row: &Connection) {
    let at = |what: &str| format!("{place}: connection {}: {what}", row.connection_id);
    let subflows: Vec<_> =
        tables.subflows.iter().filter(|subflow| subflow.connection_id == row.connection_id).collect();
    findings.equal(&at("subflows"), subflows.len(), row.subflows_attempted as usize);
    let ids: Vec<_> = subflows.iter().map(|subflow| subflow.subflow_id as usize).collect();
    findings.equal(&at("subflow ids"), ids, (0..subflows.len()).collect::<Vec<_>>());
    let packets: u64 = subflows.iter().map(|subflow| subflow.packets_c2s + subflow.packets_s2c).sum();
    findings.equal(&at("packets"), packets, row.packets);
    for direction in BOTH {
        let [retransmitted, reinjected] = connection_pair(row, direction);
        let sum =
            |column: usize| subflows.iter().map(|row| subflow_pair(row, direction)[column]).sum::<u64>();
        findings.equal(&at(&format!("retransmitted_bytes {direction}")), sum(0), retransmitted);
        findings.equal(&at(&format!("reinjected_bytes {direction}")), sum(1), reinjected);
        let rows = tables.reinjections.iter().filter(|reinjection| {
            reinjection.connection_id == row.connection_id && reinjection.direction == direction
        });
        let rows: Vec<_> = rows.collect();
        let bytes: u64 = rows.iter().map(|reinjection| reinjection.bytes).sum();
        findings.equal(&at(&format!("table reinjections {direction}")), bytes, reinjected);
        for subflow in &subflows {
            let [again, carried, bytes, unique] = subflow_pair(subflow, direction);
            let at = |what: &str| at(&format!("subflow {}: {what} {direction}", subflow.subflow_id));
            findings.equal(&at("bytes"), bytes, unique + again);
            let here = rows.iter().filter(|reinjection| reinjection.to_subflow == subflow.subflow_id);
            findings.equal(&at("reinjections"), here.map(|row| row.bytes).sum::<u64>(), carried);
        }
        let within = rows.iter().all(|row| {
            row.from_subflow != Some(row.to_subflow) && (row.to_subflow as usize) < subflows.len()
        });
        findings.holds(&at("reinjections"), within, || "from a subflow to itself or to none".to_owned());
    }
}
