//! Table `samples`.

use super::{Direction, Sampled};
use subflow_rows::{Time, table};

table! {
    /// One row per sample of a round-trip time, of the connections that were asked for in detail.
    pub struct Sample: "samples" {
        /// The connection.
        pub connection_id: u64,
        /// The subflow; null at the data level.
        pub subflow_id: Option<u32>,
        /// Direction of the data that was acknowledged.
        pub direction: Direction,
        /// When the acknowledgement was seen.
        pub time: Time,
        /// Frame number of the acknowledgement within its file.
        pub frame: u64,
        /// What was measured.
        pub sampled: Sampled,
        /// The sample.
        pub rtt: f64 => "s",
    }
}
