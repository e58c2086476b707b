//! Containers and options that are damaged, and a clock that is set back.

use super::{BASE, PACKETS, base};
use crate::support::{
    compare::{EXACT, Tolerance, differences},
    findings::Findings,
    invariants::add_up,
    run::{Ask, run, tables},
};
use std::path::Path;
use subflow_analysis::rows::{Event, EventKind, Tables};
use subflow_testdata::folder;

/// Every ninth packet with MPTCP options has a damaged one.
const DAMAGED: usize = 18;

/// What a lost option cannot tell: which data an ACK acknowledges, so when it did.
const WITHOUT_ACKS: Tolerance = Tolerance {
    without: &[
        "data_rtt_mean_c2s",
        "data_rtt_mean_s2c",
        "data_rtt_max_c2s",
        "data_rtt_max_s2c",
        "data_rtt_dev_c2s",
        "data_rtt_dev_s2c",
        "data_rtt_samples_c2s",
        "data_rtt_samples_s2c",
        "data_flight_mean_c2s",
        "data_flight_mean_s2c",
        "idle_time_c2s",
        "application_time_c2s",
    ],
    ..EXACT
};

#[test]
fn wrong_lengths_and_noise_lose_nothing() {
    let Some(folder) = folder("formats") else { return };
    let base = base(&folder);
    // Every fifth packet claims to be longer than it was.
    let lengths = tables(&folder.join("caplen_gt_len.pcap"));
    assert_eq!(differences(&base, &lengths, EXACT), [""; 0]);
    assert_eq!(lengths.issues.len(), 1, "{:?}", lengths.issues);
    assert_eq!((lengths.issues[0].count, lengths.issues[0].lost), (33, false));
    // 3 kB behind the last packet.
    let noise = tables(&folder.join("garbage_tail.pcap"));
    assert_eq!(differences(&base, &noise, EXACT), [""; 0]);
    assert_eq!(noise.issues.len(), 1, "{:?}", noise.issues);
    assert!(noise.issues[0].lost && noise.issues[0].reason.contains("3000 bytes"), "{:?}", noise.issues);
    assert_eq!(noise.issues[0].offset, Some(109_813));
}

/// The tables without violations, and the violations.
fn violations(path: &Path) -> (Tables, Vec<Event>) {
    let mut tables = tables(path);
    let (violations, events) =
        tables.events.into_iter().partition(|event| event.kind == EventKind::Violation);
    tables.events = events;
    (tables, violations)
}

#[test]
fn options_that_mean_nothing_are_violations() {
    let Some(folder) = folder("formats") else { return };
    for (name, detail) in [
        ("bad_len2.pcap", "damaged MPTCP option: option without a subtype"),
        ("bad_subtype15.pcap", "unknown MPTCP subtype 15"),
    ] {
        let (tables, violations) = violations(&folder.join(name));
        // A mapping that is lost stands on the next packets, too, so no data is.
        assert_eq!(differences(&base(&folder), &tables, WITHOUT_ACKS), [""; 0], "{name}");
        assert_eq!(violations.len(), DAMAGED, "{name}");
        assert!(violations.iter().all(|event| event.detail == detail), "{name}: {violations:?}");
    }
}

#[test]
fn an_option_of_length_0_hides_no_data() {
    let Some(folder) = folder("formats") else { return };
    let (tables, _) = violations(&folder.join("bad_len0.pcap"));
    assert_eq!(differences(&base(&folder), &tables, WITHOUT_ACKS), [""; 0]);
}

#[test]
fn the_first_of_two_options_counts() {
    let Some(folder) = folder("formats") else { return };
    let (tables, _) = violations(&folder.join("bad_twice.pcap"));
    assert_eq!(differences(&base(&folder), &tables, EXACT), [""; 0]);
}

#[test]
fn damaged_option_lists_are_told() {
    let Some(folder) = folder("formats") else { return };
    // On five packets the option fills the header, so that its second copy was cut off whole.
    for (name, damaged) in [("bad_len0.pcap", DAMAGED), ("bad_twice.pcap", DAMAGED - 5)] {
        let (tables, violations) = violations(&folder.join(name));
        let issues: u64 = tables.issues.iter().map(|issue| issue.count).sum();
        let told = violations.len() as u64 + issues;
        assert_eq!(told, damaged as u64, "{name}: packets with damaged options, by event or issue");
    }
}

#[test]
fn a_clock_set_back_changes_times_only() {
    let Some(folder) = folder("formats") else { return };
    let tables = tables(&folder.join("time_backward_step.pcap"));
    assert_eq!(tables.issues.len(), 1, "{:?}", tables.issues);
    assert!(tables.issues[0].reason.contains("clock") && !tables.issues[0].lost);
    // An hour, and every sample that spans it.
    let hour = Tolerance { seconds: 3_600.5, ..EXACT };
    let samples = ["rtt_samples_c2s", "rtt_samples_s2c"];
    let differences = differences(&base(&folder), &tables, hour);
    let others = differences.iter().filter(|told| !samples.iter().any(|column| told.contains(column)));
    assert_eq!(others.collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn a_round_trip_across_a_clock_step_is_no_sample() {
    let Some(folder) = folder("formats") else { return };
    let (base, tables) = (base(&folder), tables(&folder.join("time_backward_step.pcap")));
    for (was, is) in base.subflows.iter().zip(&tables.subflows) {
        let within = |is: Option<f64>, least: Option<f64>, most: Option<f64>| {
            is.is_none() || (is >= least && is <= most)
        };
        assert!(within(is.rtt_min_s2c, was.rtt_min_s2c, was.rtt_max_s2c), "{:?}", is.rtt_min_s2c);
        assert!(within(is.rtt_max_s2c, was.rtt_min_s2c, was.rtt_max_s2c), "{:?}", is.rtt_max_s2c);
    }
}

#[test]
fn flipped_bits_leave_every_packet_accounted_for() {
    let Some(folder) = folder("formats") else { return };
    let (tables, packets) = run(&folder.join("bitflips.pcap"), Tables::default());
    assert_eq!(packets, PACKETS);
    let mut findings = Findings::default();
    add_up(&mut findings, "bitflips.pcap", &tables);
    findings.settle(100);
    // A flipped protocol or EtherType makes a packet something else; a damaged header is an issue. Issues with the
    // TCP header of a packet leave it TCP traffic.
    let lower = tables.issues.iter().filter(|issue| !issue.reason.contains("TCP"));
    let damaged: u64 = lower.map(|issue| issue.count).sum();
    assert!(damaged > 0 && tables.tcp_packets() + damaged <= PACKETS, "{:?}", tables.issues);
    assert!(tables.tcp_packets() > PACKETS / 2, "{} packets", tables.tcp_packets());
    // Flows that a flipped bit has made of one are put together or not by what else was flipped, and bytes that a connection has
    // twice count once: payload is counted by subflow.
    let payload = |tables: &Tables| -> u64 {
        tables.subflows.iter().map(|row| row.unique_bytes_c2s + row.unique_bytes_s2c).sum()
    };
    let most = payload(&run(&folder.join(BASE), Tables::default()).0);
    assert!(payload(&tables) > most / 2, "{} of {most} bytes", payload(&tables));
}
