//! Table `stalls`.

use super::{Direction, StallKind};
use subflow_rows::{Time, table};

table! {
    /// One row per time in which one direction of a connection stood still for at least the shortest stall asked for, 100 ms
    /// by default. Stalls of different kinds may overlap: what the receiver lacks can fill its window.
    pub struct Stall: "stalls" {
        /// The connection.
        pub connection_id: u64,
        /// Direction of the data.
        pub direction: Direction,
        /// What held it up.
        pub kind: StallKind,
        /// When it began.
        pub start: Time,
        /// How long it lasted.
        pub duration: f64 => "s",
        /// The subflow that held it up: for `head_of_line` the one that brought the missing byte in the end, for
        /// `receive_window` and `no_progress` the one that had carried the oldest unacknowledged byte first; null for
        /// `application`, and when that is not known.
        pub subflow_id: Option<u32>,
        /// Bytes that waited: for `head_of_line` in the receiver's reorder queue when the missing byte came, else in flight
        /// at the data level.
        pub bytes_waiting: u64 => "B",
        /// Frame number, within its file, of the packet that began it.
        pub start_frame: u64,
        /// Frame number of the packet that ended it; null when the connection ended first.
        pub end_frame: Option<u64>,
    }
}
