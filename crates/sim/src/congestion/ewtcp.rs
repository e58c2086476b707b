//! EWTCP, equally weighted TCP (Honda and others, "Multipath congestion control for shared bottleneck", PFLDNeT 2009).
//!
//! * ACK of one packet: w_r += a/w_r
//! * loss: w_r = w_r/2
//!
//! A window with this increase is √a times that of NewReno at the same loss, so a = 1/n² makes n subflows as strong as one TCP together.

/// Growth of a window of `w` packets, one of `n` subflows, for one packet acknowledged.
pub(super) fn increase(w: f64, n: usize) -> f64 {
    let n = n.max(1) as f64;
    (n * n * w).recip()
}
