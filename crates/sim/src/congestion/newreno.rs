//! NewReno (RFC 5681, RFC 6582): one packet more per round trip, half as much after a loss.
//!
//! * ACK of one packet: w += 1/w
//! * loss: w = max(w/2, 2)
//!
//! RFC 5681 halves the flight, not the window, so that a window that the application did not fill is not trusted. Here a window grows only while it
//! is the limit, which comes to the same (Linux does so, too).

/// Growth of a window of `w` packets for one packet acknowledged.
pub(super) fn increase(w: f64) -> f64 {
    w.recip()
}

/// What a loss leaves of a window of `w` packets, before the lower limit.
pub(super) fn decrease(w: f64) -> f64 {
    w / 2.0
}
