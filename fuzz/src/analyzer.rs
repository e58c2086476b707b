//! The whole analysis: rows never contradict one another, and the same packets give the same rows.

use std::collections::BTreeMap;
use std::io::Cursor;

use subflow_analysis::rows::{Connection, Subflow, Tables};
use subflow_analysis::{Analyzer, Options};
use subflow_capture::{Input, pcap};
use subflow_wire::LinkType;

/// A capture, or the records of one with raw IP packets (then a file header is put before them).
pub fn analyzer(data: &[u8]) {
    let Some((tables, packets)) = analyze(data) else { return };
    let again = analyze(data);
    assert!(again.is_some_and(|(again, _)| again == tables), "the same packets gave other rows");

    let in_traffic: u64 = tables.traffic.iter().map(|row| row.packets).sum();
    assert!(in_traffic <= packets, "{in_traffic} packets in `traffic`, {packets} in the capture");
    let mut subflows: BTreeMap<u64, Vec<&Subflow>> = BTreeMap::new();
    for row in &tables.subflows {
        subflow(row);
        subflows.entry(row.connection_id).or_default().push(row);
    }
    for row in &tables.connections {
        connection(row, subflows.remove(&row.connection_id).as_deref().unwrap_or_default());
    }
    assert!(subflows.is_empty(), "subflows without a connection");
    for row in &tables.reinjections {
        assert!(row.bytes > 0);
        assert_ne!(row.from_subflow, Some(row.to_subflow), "a repeat on one subflow is no reinjection");
        assert!(row.delay.is_none_or(|delay| delay.is_finite()));
    }
    assert!(tables.events.iter().all(|row| row.frame > 0 && !row.detail.is_empty()));
    assert!(tables.issues.iter().all(|row| row.count > 0 && !row.reason.is_empty()));
}

fn analyze(data: &[u8]) -> Option<(Tables, u64)> {
    let mut file = data.to_vec();
    if !data.starts_with(&[0xd4, 0xc3, 0xb2, 0xa1]) {
        let writer = pcap::Writer::new(Vec::new(), LinkType::RAW, pcap::Resolution::Micros);
        file = writer.and_then(pcap::Writer::finish).expect("writing to memory");
        file.extend_from_slice(data);
    }
    let mut input = Input::from_reader("fuzz", Cursor::new(file)).ok()?;
    let mut analyzer = Analyzer::new(Options::default(), Tables::default());
    let mut packets = 0;
    while let Some(packet) = input.next_packet() {
        analyzer.packet(&packet);
        packets += 1;
    }
    Some((analyzer.finish(), packets))
}

fn connection(row: &Connection, subflows: &[&Subflow]) {
    let id = row.connection_id;
    assert_eq!(subflows.len(), row.subflows_attempted as usize, "connection {id}");
    assert!(row.subflows_established <= row.subflows_attempted, "connection {id}");
    assert!(row.duration.is_finite() && row.duration >= 0.0, "connection {id}: {}", row.duration);
    let rates = [row.switching_rate_c2s, row.switching_rate_s2c];
    assert!(rates.into_iter().flatten().all(|rate| rate.is_finite() && rate >= 0.0), "connection {id}");
    assert!(row.out_of_order_bytes_c2s <= row.bytes_c2s && row.out_of_order_bytes_s2c <= row.bytes_s2c);
    assert!(
        row.fallback.as_str() != "none" || row.bytes_c2s <= subflows.iter().map(|s| s.unique_bytes_c2s).sum()
    );
    let c2s: u64 = subflows.iter().map(|subflow| subflow.reinjected_bytes_c2s).sum();
    let s2c: u64 = subflows.iter().map(|subflow| subflow.reinjected_bytes_s2c).sum();
    assert_eq!((c2s, s2c), (row.reinjected_bytes_c2s, row.reinjected_bytes_s2c), "connection {id}");
    let packets: u64 = subflows.iter().map(|subflow| subflow.packets_c2s + subflow.packets_s2c).sum();
    assert_eq!(packets, row.packets, "connection {id}");
}

fn subflow(row: &Subflow) {
    let which = (row.connection_id, row.subflow_id);
    assert!(row.duration.is_finite() && row.duration >= 0.0, "subflow {which:?}");
    for (bytes, unique, repeated) in [
        (row.bytes_c2s, row.unique_bytes_c2s, row.retransmitted_bytes_c2s),
        (row.bytes_s2c, row.unique_bytes_s2c, row.retransmitted_bytes_s2c),
    ] {
        assert_eq!(unique + repeated, bytes, "subflow {which:?}: every byte is new or repeated");
    }
    for (min, mean, max, samples) in [
        (row.rtt_min_c2s, row.rtt_mean_c2s, row.rtt_max_c2s, row.rtt_samples_c2s),
        (row.rtt_min_s2c, row.rtt_mean_s2c, row.rtt_max_s2c, row.rtt_samples_s2c),
    ] {
        assert_eq!(samples > 0, mean.is_some(), "subflow {which:?}");
        if let (Some(min), Some(mean), Some(max)) = (min, mean, max) {
            // Means are floating-point sums: equal samples may differ in the last digits.
            let slack = 1e-9 * max.abs().max(1e-9);
            assert!(min <= mean + slack && mean <= max + slack, "subflow {which:?}: {min} {mean} {max}");
        }
    }
    assert!(row.hmac_ok.is_none() || row.subflow_id > 0, "subflow {which:?}: only joins have an HMAC");
}
