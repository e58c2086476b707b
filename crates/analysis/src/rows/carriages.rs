//! Table `carriages`.

use super::{Carried, Direction};
use subflow_rows::{Time, table};

table! {
    /// One row per run of data-level bytes that a packet carried, of the connections that were asked for in detail: the
    /// data sequence plot.
    pub struct Carriage: "carriages" {
        /// The connection.
        pub connection_id: u64,
        /// Direction of the data.
        pub direction: Direction,
        /// When.
        pub time: Time,
        /// Frame number within its file.
        pub frame: u64,
        /// The subflow that carried it.
        pub subflow_id: u32,
        /// Data sequence number of the first byte, as an offset from the first data byte of this direction.
        pub dsn: i64,
        /// How many bytes.
        pub bytes: u64 => "B",
        /// Whether they were new, or why they came again.
        pub carried: Carried,
        /// Of bytes that came again: the subflow that carried them first; null when that is no longer remembered.
        pub first_subflow: Option<u32>,
        /// The frame that carried them first.
        pub first_frame: Option<u64>,
        /// When that was.
        pub first_time: Option<Time>,
        /// Whether they came after bytes with a higher data sequence number.
        pub late: bool,
    }
}
