//! The CSV files that mptcptrace (Hesmans and Bonaventure, "Tracing Multipath TCP Connections", SIGCOMM 2014) writes with
//! `-s -S -a -A -R -F 7 -r 7 -G 20 -w 2`, under its names and with its columns, so that scripts made for them run on.
//!
//! Its rules are kept where they are rules: a reinjection is told by the low 32 bits of a mapping's *start* alone, lengths are
//! ignored; only packets with a DSS option count; a connection ends with the DATA_ACK of both DATA_FINs or with the first
//! MP_FASTCLOSE. Where it misreads the bytes of a packet (8-byte sequence numbers, IPv6 lengths, subflows that the server
//! opened) the values are the right ones; the guide says where that shows.

mod flight;
mod goodput;
mod ordered;
mod replay;
mod sequence;
mod stats;
mod step;

use crate::Output;
use crate::connection::One;

/// All files of one connection; `capture` is the name that stands in `stats_N.csv`. The detail tables must be there.
pub fn files(one: &One<'_>, capture: &str) -> Vec<Output> {
    replay::replay(one, capture)
}
