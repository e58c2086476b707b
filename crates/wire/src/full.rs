//! The one way in which building fails.

use core::fmt;

/// What was to be written does not fit: into the buffer, or into the field that counts it
/// (40 bytes of TCP options, 65,535 bytes of an IP packet).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full {
    /// Bytes that were to be written.
    pub needed: usize,
    /// Bytes there are.
    pub room: usize,
}

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes do not fit into {}", self.needed, self.room)
    }
}

impl core::error::Error for Full {}
