//! Terms that depend on all subflows of a connection, and when they are computed anew.

use super::Algorithm;
use super::olia;
use super::subflow::Subflow;

/// How far windows may move, in sum and relative to themselves, before terms are computed anew.
const SLACK: f64 = 1.0 / 64.0;

/// Sums and maxima over the subflows that take part and have a round-trip time; x is window/srtt.
#[derive(Clone, Debug)]
pub(super) struct Shared {
    /// Σ w, packets.
    pub(super) total: f64,
    /// Σ x, packets per second.
    pub(super) rate: f64,
    /// 1/(Σ x)²; 0 without a round-trip time.
    pub(super) per_rate2: f64,
    /// max x.
    pub(super) best_rate: f64,
    /// max w/srtt².
    pub(super) best: f64,
    /// How many subflows take part.
    pub(super) live: usize,
    /// Whether the terms must not be used before they are computed anew.
    pub(super) stale: bool,
    drift: f64,
    per_acked: f64,
}

impl Default for Shared {
    fn default() -> Self {
        Self {
            total: 0.0,
            rate: 0.0,
            per_rate2: 0.0,
            best_rate: 0.0,
            best: 0.0,
            live: 0,
            stale: true,
            drift: 0.0,
            per_acked: 0.0,
        }
    }
}

impl Shared {
    /// Computes the terms anew if they are stale.
    pub(super) fn refresh(&mut self, algorithm: Algorithm, subflows: &mut [Subflow]) {
        if self.stale {
            self.compute(algorithm, subflows);
        }
    }

    fn compute(&mut self, algorithm: Algorithm, subflows: &mut [Subflow]) {
        let (mut total, mut rate, mut best_rate, mut best, mut live) = (0.0, 0.0, 0.0f64, 0.0f64, 0);
        for subflow in subflows.iter_mut().filter(|subflow| subflow.live) {
            if subflow.srtt != subflow.srtt_then {
                subflow.srtt_then = subflow.srtt;
                subflow.per_rtt = subflow.srtt.recip();
            }
            let x = subflow.window * subflow.per_rtt;
            total += subflow.window;
            rate += x;
            best_rate = if x > best_rate { x } else { best_rate };
            let y = x * subflow.per_rtt;
            best = if y > best { y } else { best };
            live += 1;
        }
        self.total = total;
        self.rate = rate;
        self.per_rate2 = if rate > 0.0 { (rate * rate).recip() } else { 0.0 };
        self.best_rate = best_rate;
        self.best = best;
        self.live = live;
        self.stale = false;
        self.drift = 0.0;
        self.per_acked = if total > 0.0 { 16.0 * SLACK / total } else { 0.0 };
        if algorithm == Algorithm::Olia {
            olia::sort_out(subflows);
        }
    }

    /// Notes that a window of `before` packets has moved by `by` on an ACK of `packets`.
    pub(super) fn moved(&mut self, by: f64, before: f64, packets: f64) {
        self.drift += by.abs() / before + packets * self.per_acked;
        if self.drift > SLACK {
            self.stale = true;
        }
    }
}
