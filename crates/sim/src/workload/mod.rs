//! Who sends what to whom, and when: one file a workload.
//!
//! A workload is a list of [`Flow`]s made before the run from its own random stream, so that every scheme meets the same flows.

mod arrivals;
mod patterns;
mod replay;
mod sizes;

use crate::time::Time;
pub use arrivals::{Arrivals, poisson};
pub use patterns::{PartitionAggregate, all_to_all, derangement, incast, partition_aggregate, permutation};
pub use replay::replay;
pub use sizes::Sizes;

/// A size that no run reaches.
pub const ENDLESS: u64 = u64::MAX;

/// One transfer from one host to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    /// When it starts; after the completion of another flow when `after` names one.
    pub start: Time,
    /// Number of the host that sends.
    pub src: u32,
    /// Number of the host that receives.
    pub dst: u32,
    /// How many bytes; [`ENDLESS`] for one that lasts as long as the run.
    pub bytes: u64,
    /// Number (place in the list) of the flow whose completion this one waits for.
    pub after: Option<u32>,
    /// Number of the query that it belongs to (incast, partition-aggregate).
    pub group: Option<u32>,
}

impl Flow {
    /// A flow that waits for nothing.
    pub const fn new(start: Time, src: u32, dst: u32, bytes: u64) -> Self {
        Self { start, src, dst, bytes, after: None, group: None }
    }
}

/// What is wrong with a file of flows or sizes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct Error {
    /// Number of the line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub reason: String,
}

/// Fields of the lines of a text: separated by spaces, tabs or commas; `#` begins a comment; empty lines do not count.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = (usize, Vec<&str>)> {
    text.lines().enumerate().filter_map(|(n, line)| {
        let line = line.split('#').next().unwrap_or_default();
        let fields: Vec<_> =
            line.split(|c: char| c == ',' || c.is_whitespace()).filter(|field| !field.is_empty()).collect();
        (!fields.is_empty()).then_some((n + 1, fields))
    })
}
