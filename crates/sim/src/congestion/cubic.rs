//! CUBIC (RFC 9438).
//!
//! * W_cubic(t) = C (t − K)³ + W_max, K = ∛((W_max − w_epoch)/C), C = 0.4, β = 0.7 (4.2)
//! * ACK of one packet: w += (target − w)/w with target = W_cubic(t + rtt) held between w and 1.5 w (4.4, 4.5)
//! * Reno-friendly region: W_est += α·acked/w, α = 3(1 − β)/(1 + β), or 1 once W_est reaches the window before the last loss; where
//!   W_cubic(t) < W_est, the window is W_est (4.3)
//! * loss: w = 0.7 w; W_max = w before it, or w(1 + β)/2 when that is less than the last W_max (fast convergence, 4.6, 4.7)
//!
//! After a timeout, and when slow start ended without a loss, K = 0 and W_max is the window at the begin of the epoch (4.8, 4.10).

use super::Cause;
use super::subflow::{Own, Subflow};
use crate::time::Time;

const C: f64 = 0.4;
const BETA: f64 = 0.7;
/// α of the Reno-friendly region.
const FRIENDLY: f64 = 3.0 * (1.0 - BETA) / (1.0 + BETA);

/// What CUBIC keeps about a subflow.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    /// Window before the last loss, after fast convergence, packets.
    w_max: f64,
    /// Window before the last loss, packets.
    prior: f64,
    /// Seconds until the window is back at `w_max`.
    k: f64,
    /// The window that Reno would have, packets.
    estimate: f64,
    /// When this epoch of congestion avoidance began.
    epoch: Option<Time>,
    /// When the last ACK came.
    last: Time,
    /// Whether the next epoch follows a loss, and `w_max` holds.
    after_loss: bool,
}

impl State {
    /// The sender had nothing to send: that time does not count (RFC 9438, 4.2).
    pub(super) fn pause(&mut self, now: Time) {
        if let Some(epoch) = &mut self.epoch {
            *epoch += now.since(self.last);
        }
        self.last = now;
    }

    /// The next ACK begins an epoch.
    pub(super) fn forget_epoch(&mut self) {
        self.epoch = None;
        self.after_loss = false;
    }

    /// What is left of a window of `w` packets, before the lower limit.
    pub(super) fn decrease(&mut self, w: f64, now: Time, cause: Cause) -> f64 {
        self.w_max = if w < self.w_max { w * (1.0 + BETA) / 2.0 } else { w };
        self.prior = w;
        self.epoch = None;
        self.last = now;
        self.after_loss = cause != Cause::Timeout;
        w * BETA
    }

    fn begin(&mut self, w: f64, now: Time) {
        self.epoch = Some(now);
        self.estimate = w;
        if self.after_loss && w < self.w_max {
            self.k = ((self.w_max - w) / C).cbrt();
        } else {
            self.k = 0.0;
            self.w_max = w;
        }
        if !self.after_loss {
            self.prior = w;
        }
    }

    #[cfg(test)]
    pub(super) fn w_max(&self) -> f64 {
        self.w_max
    }

    /// W_cubic at `t` seconds after the begin of the epoch, packets.
    fn at(&self, t: f64) -> f64 {
        let d = t - self.k;
        C * d * d * d + self.w_max
    }
}

/// Congestion avoidance for `packets` acknowledged at `now`.
pub(super) fn increase(subflow: &mut Subflow, packets: f64, now: Time) {
    let Own::Cubic(state) = &mut subflow.own else { return };
    let w = subflow.window;
    let epoch = match state.epoch {
        Some(epoch) => epoch,
        None => {
            state.begin(w, now);
            now
        }
    };
    state.last = now;
    let t = now.since(epoch).as_secs_f64();
    let friendly = if state.estimate >= state.prior { 1.0 } else { FRIENDLY };
    state.estimate += friendly * packets / w;
    subflow.window = if state.at(t) < state.estimate {
        w.max(state.estimate)
    } else {
        let target = state.at(t + subflow.srtt).clamp(w, 1.5 * w);
        w + (target - w) / w * packets
    };
}
