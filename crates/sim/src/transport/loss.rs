//! When a segment counts as lost: by duplicate acknowledgments (RFC 6675) or by time (RACK, RFC 8985).

use std::collections::VecDeque;

use super::rtt::Rtt;
use super::segment::Segment;
use crate::time::{Duration, Time};

/// How losses are detected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LossDetection {
    /// This many SACKed segments (or duplicate ACKs) beyond it: 3 in RFC 5681; more tolerates more reordering.
    Dupthresh(u32),
    /// A segment sent later has arrived, and a reordering window (a quarter of the smallest round-trip time, growing when
    /// retransmissions prove needless) has passed (RFC 8985). Without tail loss probes.
    Rack,
}

/// State of RACK (RFC 8985, section 5.3).
#[derive(Clone, Debug)]
#[repr(C)]
pub(super) struct Rack {
    /// When to look again.
    pub(super) deadline: Time,
    /// When the latest-sent delivered segment was sent.
    sent: Time,
    /// Its end.
    end: u64,
    rtt: Duration,
    /// Quarters of the smallest round-trip time that the reordering window has.
    quarters: u32,
    reordered: bool,
    widened: Time,
    /// All below that was sent only once has arrived or is lost.
    pub(super) originals: u64,
    /// Retransmissions in the order in which they were sent, by sequence number; some have arrived, are lost or were sent once more.
    pub(super) again: VecDeque<(u64, Time)>,
}

impl Default for Rack {
    fn default() -> Self {
        Self {
            sent: Time::ZERO,
            end: 0,
            rtt: Duration::ZERO,
            quarters: 1,
            reordered: false,
            widened: Time::ZERO,
            deadline: Time::MAX,
            originals: 0,
            again: VecDeque::new(),
        }
    }
}

impl Rack {
    /// A segment arrived in order and nothing was ever out of order.
    #[inline]
    pub(super) fn in_order(&mut self, sent: Time, end: u64) {
        self.sent = sent;
        self.end = end;
    }

    /// A segment that ends at `end` is known to have arrived; `highest` is the end of the highest SACKed one.
    pub(super) fn delivered(&mut self, now: Time, segment: &Segment, end: u64, highest: u64, rtt: &Rtt) {
        let took = now - segment.sent;
        if segment.sent_times > 1 {
            if took < rtt.min() {
                return; // It is the original that arrived, not what was sent last.
            }
        } else if end < highest {
            self.reordered = true;
        }
        if (segment.sent, end) > (self.sent, self.end) || self.rtt == Duration::ZERO {
            self.sent = segment.sent;
            self.end = end;
            self.rtt = took;
        }
    }

    /// A duplicate SACK: the window was too small. Widened at most once a round trip.
    pub(super) fn duplicate_reported(&mut self, now: Time) {
        if now >= self.widened + self.rtt {
            self.widened = now;
            self.quarters = (self.quarters + 1).min(255);
        }
    }

    /// Whether a segment beyond `una` has arrived.
    #[inline]
    pub(super) fn seen_beyond(&self, una: u64) -> bool {
        self.end > una
    }

    /// Whether a segment sent at `sent` with this end was sent before the latest one that arrived.
    #[inline]
    pub(super) fn sent_before(&self, sent: Time, end: u64) -> bool {
        (sent, end) < (self.sent, self.end)
    }

    /// Round-trip time of the latest-sent segment that arrived.
    #[inline]
    pub(super) fn rtt(&self) -> Duration {
        self.rtt
    }

    /// The reordering window (RFC 8985, section 6.2, step 4).
    pub(super) fn window(&self, recovering: bool, sacked: u64, rtt: &Rtt) -> Duration {
        if !self.reordered && (recovering || sacked >= 3 * 1448) {
            return Duration::ZERO;
        }
        (rtt.min() / 4 * u64::from(self.quarters)).min(rtt.smoothed_or_zero())
    }
}
