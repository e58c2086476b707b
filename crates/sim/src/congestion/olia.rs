//! OLIA, the opportunistic linked increases algorithm (Khalili, Gast, Popovic, Le Boudec, "MPTCP is not Pareto-optimal", CoNEXT
//! 2012; draft-khalili-mptcp-congestion-control-05).
//!
//! * ACK of one packet: w_r += (w_r/rtt_r²)/(Σ w/rtt)² + a_r/w_r
//! * loss: w_r = w_r/2
//!
//! l_r is the larger of the bytes acknowledged since the last loss and those between the last two. B holds the paths with the largest l/rtt², M those
//! with the largest window, C = B∖M. a_r = 1/(n|C|) on C, −1/(n|M|) on M, 0 elsewhere and everywhere when C is empty.
//! Values within a billionth of the largest count as equal to it.

use super::shared::Shared;
use super::subflow::{Own, Subflow};

const TIE: f64 = 1.0 - 1e-9;

/// What OLIA keeps about a subflow.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    /// Bytes acknowledged since the last loss.
    since: u64,
    /// Bytes acknowledged between the last two losses.
    between: u64,
    /// a_r.
    shift: f64,
}

impl State {
    pub(super) fn acked(&mut self, bytes: u64) {
        self.since += bytes;
    }

    pub(super) fn lost(&mut self) {
        self.between = self.since;
        self.since = 0;
    }

    #[cfg(test)]
    pub(super) fn set(&mut self, bytes: u64) {
        self.between = bytes;
        self.since = 0;
    }

    fn longest(&self) -> f64 {
        self.since.max(self.between) as f64
    }
}

/// l/rtt², 0 without a round-trip time.
fn quality(subflow: &Subflow) -> f64 {
    match &subflow.own {
        Own::Olia(state) => state.longest() * subflow.per_rtt * subflow.per_rtt,
        _ => 0.0,
    }
}

/// Sets a_r of all subflows.
pub(super) fn sort_out(subflows: &mut [Subflow]) {
    let (mut n, mut largest, mut best) = (0usize, 0.0f64, 0.0f64);
    for subflow in subflows.iter().filter(|subflow| subflow.live) {
        n += 1;
        largest = largest.max(subflow.window);
        best = best.max(quality(subflow));
    }
    let in_m = |subflow: &Subflow| subflow.window >= largest * TIE;
    let in_c = |subflow: &Subflow| best > 0.0 && quality(subflow) >= best * TIE && !in_m(subflow);
    let (mut m, mut c) = (0usize, 0usize);
    for subflow in subflows.iter().filter(|subflow| subflow.live) {
        m += usize::from(in_m(subflow));
        c += usize::from(in_c(subflow));
    }
    for subflow in subflows.iter_mut().filter(|subflow| subflow.live) {
        let shift = if c == 0 {
            0.0
        } else if in_c(subflow) {
            ((n * c) as f64).recip()
        } else if in_m(subflow) {
            -((n * m) as f64).recip()
        } else {
            0.0
        };
        if let Own::Olia(state) = &mut subflow.own {
            state.shift = shift;
        }
    }
}

/// Growth for one packet acknowledged; negative where the window gives way.
pub(super) fn increase(subflow: &Subflow, shared: &Shared) -> f64 {
    if shared.per_rate2 == 0.0 || subflow.per_rtt == 0.0 {
        return subflow.window.recip();
    }
    let shift = match &subflow.own {
        Own::Olia(state) => state.shift,
        _ => 0.0,
    };
    subflow.window * subflow.per_rtt * subflow.per_rtt * shared.per_rate2 + shift / subflow.window
}
