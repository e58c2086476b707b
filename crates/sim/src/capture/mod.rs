//! Taps at hosts and links that write captures.
