//! EWTCP, equally weighted TCP (Honda and others, "Multipath congestion control for shared bottleneck", PFLDNeT 2009).
//!
//! * ACK of one packet: w_r += a/w_r
//! * loss: w_r = w_r/2
//!
//! At the same loss such a window is √a times that of NewReno. Each of n subflows is to have the weight 1/n, so that together they are as
//! strong as one TCP where they share a bottleneck: a = 1/n².

/// Growth of a window of `w` packets, one of `n` subflows, for one packet acknowledged.
pub(super) fn increase(w: f64, n: usize) -> f64 {
    let n = n.max(1) as f64;
    (n * n * w).recip()
}
