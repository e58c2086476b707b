//! wVegas, weighted Vegas (Cao, Xu, Fu, "Delay-based congestion control for multipath TCP", ICNP 2012; draft-xu-mptcp-congestion-control).
//!
//! Once per round trip, with the mean round-trip time of that round and the least ever seen (base):
//!
//! * diff = w (rtt − base)/rtt: the packets of this subflow that wait in queues
//! * slow start ends when diff > γ = 1: w = min(w, w·base/rtt + 1)
//! * when diff ≥ α_r: x_r = w/rtt, weight = x_r/Σx, α_r = max(2, weight · 10)
//! * diff < α_r: w += 1; diff > α_r: w −= 1
//! * rtt − base at least twice the least of it: w = w·base/(2 rtt), so that the queue drains and base can be measured again
//!
//! α_r is 2 at first. Loss: w = w/2. The least window is 2.

use super::Ack;
use super::subflow::{Own, Subflow};

/// Packets that all subflows together keep in queues.
const TOTAL_ALPHA: f64 = 10.0;
const FIRST_ALPHA: f64 = 2.0;
const GAMMA: f64 = 1.0;
const LEAST: f64 = 2.0;

/// What wVegas keeps about a subflow.
#[derive(Clone, Debug)]
pub(super) struct State {
    /// Least round-trip time, seconds; infinite before the first sample.
    base: f64,
    /// Sum and number of the samples of this round, seconds.
    sum: f64,
    samples: u32,
    /// The round ends when this many bytes are acknowledged.
    end: u64,
    /// α_r, packets.
    alpha: f64,
    /// x_r when α_r was last computed, packets per second; 0 before.
    rate: f64,
    /// Least queueing delay since the last backing off, seconds; 0 when unknown.
    queueing: f64,
}

impl Default for State {
    fn default() -> Self {
        Self {
            base: f64::INFINITY,
            sum: 0.0,
            samples: 0,
            end: 0,
            alpha: FIRST_ALPHA,
            rate: 0.0,
            queueing: 0.0,
        }
    }
}

impl State {
    /// The round that a loss fell into tells nothing.
    pub(super) fn restart(&mut self) {
        self.sum = 0.0;
        self.samples = 0;
    }
}

/// An ACK without a mark, outside of recovery. `per_byte` is 1/mss.
pub(super) fn on_ack(subflows: &mut [Subflow], i: usize, ack: &Ack, per_byte: f64) {
    let subflow = &mut subflows[i];
    let starting = subflow.in_slow_start();
    if starting && ack.cwnd_limited {
        subflow.slow_start(ack.acked as f64 * per_byte);
    }
    let delivered = subflow.delivered;
    let Own::WVegas(state) = &mut subflow.own else { return };
    if let Some(rtt) = ack.rtt {
        let rtt = rtt.as_secs_f64();
        state.base = state.base.min(rtt);
        state.sum += rtt;
        state.samples += 1;
    }
    if delivered <= state.end {
        return;
    }
    state.end = delivered + ack.in_flight;
    if state.samples > 0 {
        let rtt = state.sum / f64::from(state.samples);
        state.restart();
        round(subflows, i, rtt, starting, ack.cwnd_limited);
    }
}

/// A round with the mean round-trip time `rtt` has ended.
fn round(subflows: &mut [Subflow], i: usize, rtt: f64, starting: bool, limited: bool) {
    let rates: f64 =
        subflows.iter().enumerate().filter(|(j, subflow)| *j != i && subflow.live).map(rate).sum();
    let subflow = &mut subflows[i];
    let Own::WVegas(state) = &mut subflow.own else { return };
    let w = subflow.window;
    let diff = w * (rtt - state.base) / rtt;
    if starting {
        if diff > GAMMA {
            subflow.window = w.min(w * state.base / rtt + 1.0).max(LEAST);
            subflow.ssthresh = subflow.window;
        }
        return;
    }
    if diff >= state.alpha {
        state.rate = w / rtt;
        state.alpha = (state.rate / (state.rate + rates) * TOTAL_ALPHA).max(FIRST_ALPHA);
    }
    let mut window = w;
    if diff > state.alpha {
        window -= 1.0;
    } else if diff < state.alpha && limited {
        window += 1.0;
    }
    let queueing = rtt - state.base;
    if state.queueing == 0.0 || queueing < state.queueing {
        state.queueing = queueing;
    }
    if queueing > 0.0 && queueing >= 2.0 * state.queueing {
        window *= state.base / (2.0 * rtt);
        state.queueing = 0.0;
    }
    subflow.window = window.max(LEAST);
    // Vegas decides from here on, not the threshold.
    subflow.ssthresh = subflow.ssthresh.min(subflow.window);
}

fn rate((_, subflow): (usize, &Subflow)) -> f64 {
    match &subflow.own {
        Own::WVegas(state) => state.rate,
        _ => 0.0,
    }
}
