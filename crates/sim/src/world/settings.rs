//! How the ends of a flow behave: one set for each class of flows.

use crate::congestion::Algorithm;
use crate::mptcp::Scheduler;
use crate::time::Duration;
use crate::transport::{AckSettings, EcnEcho, LossDetection, RtoSettings, SenderSettings};

/// Transport of one class of flows.
#[derive(Clone, Debug)]
pub struct Transport {
    /// Congestion control.
    pub algorithm: Algorithm,
    /// Payload of a full segment, in bytes.
    pub mss: u16,
    /// Initial window, in segments (RFC 6928: 10).
    pub initial_window: u32,
    /// Receive buffer, in bytes; with Multipath TCP shared by all subflows.
    pub receive_window: u64,
    /// Loss detection and timers.
    pub sender: SenderSettings,
    /// Acknowledgments.
    pub ack: AckSettings,
    /// Whether data packets are ECN-capable.
    pub ecn: bool,
    /// Multipath TCP; `None` for plain TCP.
    pub multipath: Option<Multipath>,
}

/// What Multipath TCP adds.
#[derive(Clone, Debug)]
pub struct Multipath {
    /// Which subflow carries what comes next.
    pub scheduler: Scheduler,
    /// Subflows of a connection that begins established.
    pub subflows: u16,
    /// Whether a subflow with room sends again what blocks the receive window (opportunistic reinjection).
    pub opportunistic: bool,
    /// Whether a slow subflow that blocks the receive window has its window halved.
    pub penalise: bool,
}

impl Default for Multipath {
    fn default() -> Self {
        Self { scheduler: Scheduler::LowestRtt, subflows: 2, opportunistic: true, penalise: true }
    }
}

impl Default for Transport {
    /// TCP as Linux has it, in segments of 1460 bytes.
    fn default() -> Self {
        Self {
            algorithm: Algorithm::Cubic,
            mss: 1460,
            initial_window: 10,
            receive_window: 6 << 20,
            sender: SenderSettings::default(),
            ack: AckSettings::default(),
            ecn: false,
            multipath: None,
        }
    }
}

impl Transport {
    /// TCP as datacenter studies have it: an acknowledgment for every segment, a small minimum RTO, a large receive window.
    pub fn datacenter(algorithm: Algorithm) -> Self {
        let rto = RtoSettings {
            initial: Duration::from_millis(10),
            min: Duration::from_millis(10),
            max: Duration::from_secs(1),
            backoff: true,
        };
        let ecn = if algorithm == Algorithm::Dctcp { EcnEcho::Exact } else { EcnEcho::None };
        Self {
            algorithm,
            receive_window: 64 << 20,
            sender: SenderSettings {
                detection: LossDetection::Dupthresh(3),
                rto,
                ..SenderSettings::default()
            },
            ack: AckSettings { every: 1, timeout: Duration::from_millis(1), quick: 0, ecn },
            ecn: algorithm.needs_ecn(),
            ..Self::default()
        }
    }

    /// The same with Multipath TCP over so many subflows.
    #[must_use]
    pub fn multipath(mut self, subflows: u16) -> Self {
        self.multipath = Some(Multipath { subflows, ..Multipath::default() });
        self
    }
}
