//! Two captures of the same traffic, two runs of the same test, or a capture and the kernel's counters, held against
//! each other.
//!
//! [`ends`] matches the connections, subflows and packets of two captures and measures what the path between them did.
//! [`runs`] compares the tables of two runs, or of two sets of repetitions. [`nstat`] holds what a capture shows against
//! the MPTCP counters of the kernel on one of its ends. All of them yield rows of the tables in [`rows`].

pub mod ends;
pub mod nstat;
pub mod rows;
pub mod runs;
