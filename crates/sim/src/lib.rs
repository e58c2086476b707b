//! A discrete-event, packet-level simulator.

pub mod congestion;
pub mod maxmin;
pub mod random;
pub mod time;
pub mod workload;
