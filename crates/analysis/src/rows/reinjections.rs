//! Table `reinjections`.

use super::{Direction, ReinjectionCause};
use subflow_rows::{Time, table};

table! {
    /// One row per packet and earlier holder whose data-level bytes overlap: bytes that one subflow had carried and
    /// another carries again.
    pub struct Reinjection: "reinjections" {
        /// The connection.
        pub connection_id: u64,
        /// Direction of the data.
        pub direction: Direction,
        /// When the copy was seen.
        pub time: Time,
        /// Frame number of the copy within its file.
        pub frame: u64,
        /// Data sequence number of the first byte, as an offset from the first data byte of this direction.
        pub dsn: i64,
        /// How many bytes.
        pub bytes: u64 => "B",
        /// The subflow that carried them first; null when that lies too far back to be remembered.
        pub from_subflow: Option<u32>,
        /// The subflow that carried the copy.
        pub to_subflow: u32,
        /// Time from the first carriage to this copy.
        pub delay: Option<f64> => "s",
        /// Whether the copy helped; false when a DATA_ACK seen before it already covered it, null when one capture
        /// cannot tell.
        pub useful: Option<bool>,
        /// Why it was sent, as far as the capture shows.
        pub cause: Option<ReinjectionCause>,
    }
}
