//! Time in picoseconds.

/// A moment: picoseconds since the start of the run.
pub type Time = u64;
/// A span of time: picoseconds.
pub type Duration = u64;
