//! Which path a flow or a packet takes: ECMP, FlowBender, PLB, spraying, CFLB, least loaded.

pub mod cflb;
pub mod flowbender;
pub mod plb;
pub mod rounds;
