//! The rows that the page plots, as columns.

use super::One;
use super::packed::packed;
use serde_json::{Value, json};
use subflow_analysis::rows::{Carried, Direction, Sampled};
use subflow_rows::Time;

/// Stands for the data level where a subflow's number is expected.
const DATA_LEVEL: i64 = -1;
/// Times are in microseconds.
const MICROS: f64 = 1e-6;

/// Everything of one direction: carriages, DATA_ACKs with the window's edge, samples, bytes in flight.
pub(super) fn plotted(one: &One<'_>, direction: Direction) -> Value {
    let micros = |time: Time| (time.0 - one.connection.start.0).div_euclid(1000);
    let carriages: Vec<_> = one.carriages.iter().filter(|row| row.direction == direction).collect();
    let acks: Vec<_> = one
        .packets
        .iter()
        .filter(|packet| packet.direction == direction.reverse())
        .filter_map(|packet| Some((packet, packet.data_ack?)))
        .collect();
    let samples: Vec<_> = one
        .samples
        .iter()
        .filter(|row| row.direction == direction && row.sampled != Sampled::Timestamp)
        .collect();
    let sent: Vec<_> = one.packets.iter().filter(|packet| packet.direction == direction).collect();
    let column = |numbers: Vec<i64>| packed(&numbers, 1.0);
    let times = |numbers: Vec<i64>| packed(&numbers, MICROS);
    let known = |number: Option<u64>| number.map_or(-1, |number| i64::try_from(number).unwrap_or(i64::MAX));
    json!({
        "carriages": {
            "time": times(carriages.iter().map(|row| micros(row.time)).collect()),
            "dsn": column(carriages.iter().map(|row| row.dsn).collect()),
            "bytes": column(carriages.iter().map(|row| known(Some(row.bytes))).collect()),
            "subflow": column(carriages.iter().map(|row| i64::from(row.subflow_id)).collect()),
            "carried": column(carriages.iter().map(|row| code(row.carried)).collect()),
            "frame": column(carriages.iter().map(|row| known(Some(row.frame))).collect()),
        },
        "acks": {
            "time": times(acks.iter().map(|(packet, _)| micros(packet.time)).collect()),
            "ack": column(acks.iter().map(|(_, ack)| *ack).collect()),
            "window": column(acks.iter().map(|(packet, _)| known(packet.window)).collect()),
        },
        "samples": {
            "time": times(samples.iter().map(|row| micros(row.time)).collect()),
            "rtt": times(samples.iter().map(|row| (row.rtt * 1e6).round() as i64).collect()),
            "subflow": column(samples.iter().map(|row| row.subflow_id.map_or(DATA_LEVEL, i64::from)).collect()),
        },
        "sent": {
            "time": times(sent.iter().map(|row| micros(row.time)).collect()),
            "flight": column(sent.iter().map(|row| known(row.flight)).collect()),
            "data_flight": column(sent.iter().map(|row| known(row.data_flight)).collect()),
            "subflow": column(sent.iter().map(|row| i64::from(row.subflow_id)).collect()),
        },
    })
}

/// Numbers of the page's script.
const fn code(carried: Carried) -> i64 {
    match carried {
        Carried::New => 0,
        Carried::Reinjection => 1,
        Carried::MetaRetransmission => 2,
        Carried::Retransmission => 3,
    }
}
