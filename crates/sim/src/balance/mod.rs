//! Which path a flow or a packet takes: ECMP, FlowBender, PLB, spraying, CFLB, least loaded.

mod balancer;
pub mod cflb;
mod ecmp;
pub mod flowbender;
mod mover;
pub mod plb;
pub mod rounds;

pub use balancer::{Balancer, Scheme};
pub use ecmp::{Ecmp, FlowTuple, INITIAL_TTL};
pub use mover::{Mover, Policy};
