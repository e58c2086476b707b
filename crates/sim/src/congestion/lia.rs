//! LIA, the linked increases algorithm (RFC 6356, 3).
//!
//! * ACK of one packet: w_r += min(α/w_total, 1/w_r), α = w_total · max(w_i/rtt_i²)/(Σ w_i/rtt_i)²
//! * loss: w_r = w_r/2
//!
//! α/w_total is max(w_i/rtt_i²)/(Σ w_i/rtt_i)², without w_total.

use super::shared::Shared;

/// Growth of a window of `w` packets for one packet acknowledged.
pub(super) fn increase(w: f64, shared: &Shared) -> f64 {
    let alone = w.recip();
    // Without a round-trip time nothing is known about the others.
    if shared.per_rate2 == 0.0 { alone } else { (shared.best * shared.per_rate2).min(alone) }
}
