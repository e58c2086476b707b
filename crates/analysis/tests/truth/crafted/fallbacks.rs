//! `fallbacks`: options removed from the SYN or from the SYN/ACK, seen at the server.

use super::trace;
use crate::support::{json::Must, run::Ask};
use subflow_analysis::rows::{EventKind, Fallback};
use subflow_testdata::folder;

#[test]
fn stripped_before_the_capture_point_is_plain_tcp() {
    let Some(folder) = folder("crafted") else { return };
    let (truth, tables) = trace(&folder, "fallbacks");
    let stripped = |truth: &&serde_json::Value| truth["fallback"] == "SYN";
    let plain: Vec<_> = truth["connections"].list().iter().filter(stripped).collect();
    assert_eq!(plain.len(), 2, "one of each version");
    for truth in &plain {
        let (addr, port) = truth["subflows"][0]["client"].end();
        assert!(tables.connection_from(addr, port).is_none(), "{addr}:{port} never shows MPTCP");
    }
    let rows: Vec<_> = tables.traffic.iter().filter(|row| !row.mptcp).collect();
    assert_eq!(rows.len(), 1);
    let sum = |member: &str| plain.iter().map(|truth| truth[member].number()).sum::<u64>();
    assert_eq!((rows[0].packets, rows[0].bytes), (sum("packets"), sum("ip_bytes")));
    assert_eq!(rows[0].service_port, Some(80));
}

#[test]
fn stripped_from_the_answer_is_a_fallback() {
    let Some(folder) = folder("crafted") else { return };
    let (_, tables) = trace(&folder, "fallbacks");
    let fallbacks: Vec<_> = tables.connections.iter().map(|row| (row.version, row.fallback)).collect();
    assert_eq!(fallbacks, [(Some(0), Fallback::SynAck), (Some(1), Fallback::SynAck)]);
    let frames: Vec<_> = tables.events_of(EventKind::Fallback).iter().map(|event| event.frame).collect();
    assert_eq!(frames, [34, 50], "the SYN/ACKs");
}
