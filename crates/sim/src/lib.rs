//! A discrete-event, packet-level simulator.

pub mod congestion;
pub mod random;
pub mod time;
