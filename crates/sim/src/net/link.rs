//! A link: a drop-tail queue with ECN marking, a line of some rate, and a delay.
//!
//! The queue has a virtual clock: `busy_until` is when the last accepted packet will have left. What waits at time t is what the line
//! can carry in `busy_until - t`, so drop, mark and arrival are all known when a packet enters, and a packet costs one event a hop. For a
//! FIFO queue this is exact.

use super::NodeId;
use crate::time::{Duration, Rate};

/// What a link is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkSettings {
    /// Rate of the line.
    pub rate: Rate,
    /// Propagation delay.
    pub delay: Duration,
    /// Bytes that fit in its queue, those of the packet on the line included. A packet that would not fit is dropped.
    pub buffer: u64,
    /// ECN threshold K in bytes: a packet that finds more than this in the queue (itself not counted, the rest of the packet on the line
    /// counted) is marked if it is ECN-capable. None: never.
    pub mark: Option<u64>,
    /// Probability of random loss on the line, after the queue.
    pub loss: f64,
}

impl LinkSettings {
    /// A line with a rate and a delay, without limit, marks or loss.
    pub const fn new(rate: Rate, delay: Duration) -> Self {
        Self { rate, delay, buffer: u64::MAX, mark: None, loss: 0.0 }
    }

    /// The same with a buffer in bytes.
    #[must_use]
    pub const fn buffer(mut self, bytes: u64) -> Self {
        self.buffer = bytes;
        self
    }

    /// The same with an ECN threshold in bytes.
    #[must_use]
    pub const fn mark(mut self, bytes: u64) -> Self {
        self.mark = Some(bytes);
        self
    }

    /// The same with random loss.
    #[must_use]
    pub const fn loss(mut self, probability: f64) -> Self {
        self.loss = probability;
        self
    }
}

/// Why a packet was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Why {
    /// The queue was full.
    Full,
    /// Random loss on the line.
    Loss,
    /// The link had failed, or failed while the packet was on it.
    Down,
    /// A middlebox dropped it.
    Middlebox,
}

/// Counters of a link since the beginning. At every moment `packets_in = packets_out + dropped + lost + failed + queued + in flight`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Counters {
    /// Packets that came to the link.
    pub packets_in: u64,
    /// Their bytes.
    pub bytes_in: u64,
    /// Packets that left at the other end.
    pub packets_out: u64,
    /// Packets dropped because the queue was full.
    pub dropped: u64,
    /// Their bytes.
    pub bytes_dropped: u64,
    /// Packets lost at random.
    pub lost: u64,
    /// Packets lost because the link was down or went down.
    pub failed: u64,
    /// Packets marked.
    pub marked: u64,
    /// Longest queue in bytes, right after a packet entered.
    pub longest: u64,
}

/// From where to where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends {
    /// The node that sends.
    pub from: NodeId,
    /// The node that receives.
    pub to: NodeId,
}
