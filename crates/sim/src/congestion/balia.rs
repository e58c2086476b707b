//! BALIA, the balanced linked adaptation (Peng, Walid, Hwang, Low, "Multipath TCP: analysis, design, and implementation", IEEE/ACM
//! ToN 2016; draft-walid-mptcp-congestion-control).
//!
//! * ACK of one packet: w_r += x_r/(rtt_r (Σ x)²) · (1 + α_r)/2 · (4 + α_r)/5, x = w/rtt, α_r = max x/x_r
//! * loss: w_r −= w_r/2 · min(α_r, 1.5)

use super::shared::Shared;
use super::subflow::Subflow;

/// α_r: how many times faster the fastest subflow is.
fn alpha(subflow: &Subflow, shared: &Shared) -> f64 {
    let x = subflow.window * subflow.per_rtt;
    if x > 0.0 { (shared.best_rate / x).max(1.0) } else { 1.0 }
}

/// Growth for one packet acknowledged.
pub(super) fn increase(subflow: &Subflow, shared: &Shared) -> f64 {
    if shared.per_rate2 == 0.0 || subflow.per_rtt == 0.0 {
        return subflow.window.recip();
    }
    let alpha = alpha(subflow, shared);
    let own = subflow.window * subflow.per_rtt * subflow.per_rtt * shared.per_rate2;
    own * ((1.0 + alpha) * 0.5) * ((4.0 + alpha) * 0.2)
}

/// What a loss leaves of the window, before the lower limit.
pub(super) fn decrease(subflow: &Subflow, shared: &Shared) -> f64 {
    subflow.window - subflow.window / 2.0 * alpha(subflow, shared).min(1.5)
}
