//! Which path a flow or a packet takes: ECMP, FlowBender, PLB, spraying, CFLB, least loaded.

mod ecmp;

pub use ecmp::{Ecmp, FlowTuple, INITIAL_TTL};
