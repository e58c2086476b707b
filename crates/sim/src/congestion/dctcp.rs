//! DCTCP (RFC 8257).
//!
//! * once per window of data: M = bytes marked/bytes acknowledged, α = α(1 − g) + g·M (3.3)
//! * marks: w = w(1 − α/2), once per window of data (3.3, step 8)
//! * ACK without a mark: as NewReno (3.4); loss: w = w/2 (3.5)
//!
//! g is 1/16; α starts at 1, so that the first mark halves the window (3.3, 4.1).

use super::{Ack, Cause};

/// Gain of the estimate of marked bytes (RFC 8257, 4.2).
pub const GAIN: f64 = 1.0 / 16.0;

/// What DCTCP keeps about a subflow.
#[derive(Clone, Debug)]
pub(super) struct State {
    alpha: f64,
    acked: u64,
    marked: u64,
    /// The observation window ends when this many bytes are acknowledged.
    end: u64,
}

impl Default for State {
    fn default() -> Self {
        Self { alpha: 1.0, acked: 0, marked: 0, end: 0 }
    }
}

impl State {
    pub(super) fn alpha(&self) -> f64 {
        self.alpha
    }

    /// Books an ACK; `delivered` is all that is acknowledged, this ACK included.
    pub(super) fn observe(&mut self, ack: &Ack, delivered: u64) {
        self.acked += ack.acked;
        self.marked += ack.marked.min(ack.acked);
        // RFC 8257, 3.3 step 4: the window ends with the first ACK beyond what was sent when it began.
        if delivered > self.end {
            if self.acked > 0 {
                let fraction = self.marked as f64 / self.acked as f64;
                self.alpha += (fraction - self.alpha) * GAIN;
            }
            self.acked = 0;
            self.marked = 0;
            self.end = delivered + ack.in_flight;
        }
    }

    /// What is left of a window of `w` packets, before the lower limit.
    pub(super) fn decrease(&self, w: f64, cause: Cause) -> f64 {
        match cause {
            Cause::Mark => w * (1.0 - self.alpha / 2.0),
            Cause::Loss | Cause::Timeout => w / 2.0,
        }
    }
}
