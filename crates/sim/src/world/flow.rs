//! A flow: what is to be carried, and what became of it.

use super::Ways;
use crate::time::{Duration, Time};

/// What is to be carried.
#[derive(Clone, Debug)]
pub struct FlowSpec {
    /// When it begins; with `after`, how long after that flow is complete.
    pub start: Time,
    /// The flow that has to be complete before this one begins.
    pub after: Option<u32>,
    /// Payload bytes; `u64::MAX` for a flow that does not end.
    pub bytes: u64,
    /// Index of its transport settings.
    pub class: u8,
    /// The ways of its subflows: there and back.
    pub ways: Ways,
}

/// What became of a flow so far.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Outcome {
    /// When its first packet was sent.
    pub started: Option<Time>,
    /// When its last byte had arrived.
    pub completed: Option<Time>,
    /// Bytes delivered to the receiving application, in order.
    pub delivered: u64,
    /// Segments sent, retransmissions included.
    pub segments: u64,
    /// Segments sent again on their subflow.
    pub retransmits: u64,
    /// Segments that arrived although they had arrived before.
    pub duplicates: u64,
    /// Expiries of retransmission timers.
    pub timeouts: u64,
    /// Fast recoveries.
    pub recoveries: u64,
    /// Path changes by the load balancer.
    pub reroutes: u64,
    /// Segments that arrived before an earlier one of their subflow.
    pub out_of_order: u64,
    /// Segments that arrived with an ECN mark.
    pub marked: u64,
    /// Data-level bytes sent again on another subflow.
    pub reinjected_bytes: u64,
    /// The most bytes that waited in the receive buffer for an earlier one (Multipath TCP).
    pub most_held: u64,
    /// Subflows.
    pub subflows: u32,
}

impl Outcome {
    /// Completion time: from the start to the last byte at the receiver.
    pub fn fct(&self) -> Option<Duration> {
        Some(self.completed? - self.started?)
    }
}
