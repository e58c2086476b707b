//! A discrete-event, packet-level simulator of links, queues, switches, load balancers, TCP, DCTCP and MPTCP.
//!
//! Time is an integer number of picoseconds, every random choice comes from a stream of its own, and events of the same time
//! happen in the order in which they were scheduled: the same seed gives the same bytes.
//!
//! The floors, from the ground up (a module uses those above it in this list, never those below):
//!
//! 1. [`time`], [`random`], [`queue`], [`header`]: when, by what chance, in which order; a segment's exact header.
//! 2. [`net`], [`topology`], [`balance`]: packets along paths of links; which links there are; which path is taken.
//! 3. [`congestion`]: the windows of all subflows of a connection.
//! 4. [`transport`], [`mptcp`]: state machines of one subflow, and of the connection above them.
//! 5. [`world`]: binds network and transport; [`observe`]: who watches it.
//! 6. [`wire_image`], [`capture`], [`truth`], [`middlebox`]: what a packet looks like on the wire, and what happens to it there.
//! 7. [`workload`], [`maxmin`], [`ideal`], [`statistics`], [`rows`]: who sends what, what would be best, and what came of it.
//! 8. [`scenario`], [`sweep`]: a description of all of it, validated; many runs of it.

pub mod balance;
pub mod capture;
pub mod congestion;
pub mod header;
pub mod ideal;
pub mod maxmin;
pub mod middlebox;
pub mod mptcp;
pub mod net;
pub mod observe;
mod prefetch;
pub mod queue;
pub mod random;
pub mod rows;
pub mod scenario;
pub mod session;
pub mod statistics;
pub mod sweep;
pub mod time;
pub mod topology;
pub mod transport;
pub mod truth;
pub mod wire_image;
pub mod workload;
pub mod world;

pub use net::{Ended, Endpoint, Network, run};
pub use time::{Duration, Rate, Time};
