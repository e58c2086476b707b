//! Table `series`.

use super::Direction;
use subflow_rows::{Time, table};

table! {
    /// One row per connection, direction, subflow and interval with anything in it; the rows without a subflow are of the
    /// data level, all subflows together. Intervals count from the start of the connection and are a second long unless
    /// asked for otherwise.
    pub struct Series: "series" {
        /// The connection.
        pub connection_id: u64,
        /// Direction of the data.
        pub direction: Direction,
        /// The subflow; null at the data level.
        pub subflow_id: Option<u32>,
        /// Start of the interval.
        pub start: Time,
        /// Its width.
        pub duration: f64 => "s",
        /// Packets in this direction.
        pub packets: u64,
        /// Their bytes from the IP header onward.
        pub wire_bytes: u64 => "B",
        /// Their payload bytes, repeats included.
        pub bytes: u64 => "B",
        /// Data-level bytes that were carried for the first time: goodput times the width.
        pub data_bytes: u64 => "B",
        /// Payload bytes whose subflow sequence numbers had been seen before.
        pub retransmitted_bytes: u64 => "B",
        /// Data-level bytes that another subflow had carried first.
        pub reinjected_bytes: u64 => "B",
        /// Shortest round-trip time sampled for data of this direction: to the ACK, at the data level to the DATA_ACK.
        pub rtt_min: Option<f64> => "s",
        /// Mean of these samples.
        pub rtt_mean: Option<f64> => "s",
        /// Longest of these samples.
        pub rtt_max: Option<f64> => "s",
        /// Number of these samples.
        pub rtt_samples: u64,
        /// The most in flight; null when nothing was sent or acknowledged, or the acknowledging direction was not seen.
        pub flight_max: Option<u64> => "B",
        /// The narrowest receive window that the other side advertised; null when none was, when its scale is not known,
        /// and on rows of a subflow: the window is the connection's.
        pub window_min: Option<u64> => "B",
    }
}
