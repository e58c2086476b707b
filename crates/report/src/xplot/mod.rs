//! Graphs for xplot.org, the viewer that tcptrace and mptcptrace write for.
//!
//! A direction has a graph each of data sequence numbers (every mapping in its subflow's colour, reinjections and retransmissions
//! marked, the line of DATA_ACKs and the edge of the receive window), round-trip times, bytes in flight, and goodput. Times are seconds
//! since 1970, data sequence numbers offsets from the first byte.

mod graph;
mod series;

use crate::Output;
use crate::connection::One;
use subflow_analysis::rows::Direction;

/// All graphs of one connection, `c2s_seq_7.xpl` and so on; `capture` is the name of the input. The detail tables must be there.
pub fn files(one: &One<'_>, capture: &str) -> Vec<Output> {
    let id = one.connection.connection_id;
    let mut files = Vec::new();
    for direction in [Direction::C2s, Direction::S2c] {
        for (name, text) in [
            ("seq", series::sequence(one, direction, capture)),
            ("rtt", series::round_trips(one, direction, capture)),
            ("flight", series::flight(one, direction, capture)),
            ("goodput", series::goodput(one, direction, capture)),
        ] {
            files.push(Output { name: format!("{direction}_{name}_{id}.xpl"), text });
        }
    }
    files
}
