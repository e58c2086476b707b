//! What is told packet by packet adds up to what is told of connections and subflows.

use crate::support::{findings::Findings, run::BOTH};
use std::path::Path;
use subflow_analysis::{
    Analyzer, Options,
    rows::{Carried, Direction, Fallback, Sampled, Tables},
};
use subflow_capture::Input;
use subflow_testdata::{files_below, folder};

#[test]
fn details_add_up() {
    let mut findings = Findings::default();
    for name in ["crafted", "truth", "truth_pkt", "perf", "formats"] {
        let Some(folder) = folder(name) else { return };
        for path in files_below(&folder) {
            if is_capture(&path) {
                details(&mut findings, &path);
            }
        }
    }
    findings.settle(20_000);
}

fn is_capture(path: &Path) -> bool {
    let name = path.to_string_lossy();
    [".pcap", ".pcapng", ".pcap.zst", ".pcap.gz"].iter().any(|ending| name.ends_with(ending))
}

fn details(findings: &mut Findings, path: &Path) {
    let Ok(mut input) = Input::open(&[path.to_owned()]) else { return };
    let options = Options { detail: true, ..Options::default() };
    let mut analyzer = Analyzer::new(options, Tables::default());
    while let Some(packet) = input.next_packet() {
        analyzer.packet(&packet);
    }
    let mut tables = analyzer.finish();
    tables.sort();
    let name = path.display();
    for connection in &tables.connections {
        let id = connection.connection_id;
        let at = |what: &str| format!("{name}, connection {id}: {what}");
        let packets = tables.packets.iter().filter(|row| row.connection_id == id);
        // Without a handshake, packets before a flow's first MPTCP option are only counted.
        let told = packets.clone().count() as u64;
        let all = if connection.complete { told == connection.packets } else { told <= connection.packets };
        findings.holds(&at("packets"), all, || format!("{told} of {}", connection.packets));
        for direction in BOTH {
            let pair = |c2s, s2c| if direction == Direction::C2s { c2s } else { s2c };
            let here = || {
                tables.carriages.iter().filter(|row| row.connection_id == id && row.direction == direction)
            };
            let bytes = |kind| here().filter(|row| row.carried == kind).map(|row| row.bytes).sum::<u64>();
            let at = |what: &str| at(&format!("{direction}: {what}"));
            let unique = pair(connection.bytes_c2s, connection.bytes_s2c);
            findings.equal(&at("new bytes"), bytes(Carried::New), unique);
            let reinjected = pair(connection.reinjected_bytes_c2s, connection.reinjected_bytes_s2c);
            findings.equal(&at("reinjected"), bytes(Carried::Reinjection), reinjected);
            let meta = pair(connection.meta_retransmitted_bytes_c2s, connection.meta_retransmitted_bytes_s2c);
            findings.equal(&at("repeated at the data level"), bytes(Carried::MetaRetransmission), meta);
            let repeated: u64 = packets
                .clone()
                .filter(|row| row.direction == direction)
                .map(|row| row.retransmitted_bytes)
                .sum();
            let expected = pair(connection.retransmitted_bytes_c2s, connection.retransmitted_bytes_s2c);
            findings.equal(&at("retransmitted"), repeated, expected);
            if connection.fallback == Fallback::None {
                let mapped = bytes(Carried::Retransmission);
                findings.equal(
                    &at("retransmitted data is no more than what TCP repeated"),
                    mapped <= repeated,
                    true,
                );
            }
            let late: u64 = here().filter(|row| row.late).map(|row| row.bytes).sum();
            let out_of_order = pair(connection.out_of_order_bytes_c2s, connection.out_of_order_bytes_s2c);
            findings.equal(&at("late bytes"), late, out_of_order);
            for subflow in tables.subflows.iter().filter(|row| row.connection_id == id) {
                let samples: Vec<f64> = tables
                    .samples
                    .iter()
                    .filter(|row| {
                        row.connection_id == id
                            && row.subflow_id == Some(subflow.subflow_id)
                            && row.direction == direction
                            && row.sampled == Sampled::Ack
                    })
                    .map(|row| row.rtt)
                    .collect();
                let count = pair(subflow.rtt_samples_c2s, subflow.rtt_samples_s2c);
                findings.equal(&at("round-trip samples"), samples.len() as u64, count);
                let mean =
                    if direction == Direction::C2s { subflow.rtt_mean_c2s } else { subflow.rtt_mean_s2c };
                let told = samples.iter().sum::<f64>() / samples.len() as f64;
                let close = mean.is_none_or(|mean| (mean - told).abs() <= 1e-9);
                findings.equal(&at("mean round trip"), close, true);
            }
        }
    }
}
