//! Connections in every detail: handshakes, options, addresses, closes, with a header record for each segment.
//!
//! [`Peer`] is one end of one connection: a state machine that takes segments and the time, and yields segments, facts and wishes. It has
//! no engine inside. [`Hosts`] binds peers to the network, with middleboxes and observers. TCP itself (loss recovery, timers, ACKs), the
//! data level, congestion control and schedulers are those of [`transport`](crate::transport), [`mptcp`](crate::mptcp) and
//! [`congestion`](crate::congestion), as everywhere; the [`world`](crate::world) does without the rest, and is faster.

mod close;
mod control;
mod handshake;
mod hosts;
mod input;
mod output;
mod peer;
mod settings;
mod subflow;

pub use hosts::Hosts;
pub use peer::{Join, Peer};
pub use settings::{Action, PathManager, Settings, Spec};

#[cfg(test)]
mod tests;
