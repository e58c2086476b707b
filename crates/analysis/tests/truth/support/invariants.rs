//! What must hold of any tables: sums that agree, references that lead somewhere.

use super::findings::Findings;
use super::run::BOTH;
use subflow_analysis::rows::{Connection, Direction, Subflow, Tables};

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
