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
        /// Frame that carried them first.
        pub from_frame: Option<u64>,
        /// Whether the copy helped. False when the bytes had been acknowledged before it was seen (by a DATA_ACK, or by an ACK
        /// of the first subflow), or when a packet of the copying subflow acknowledges the bytes at the data level and
        /// not yet the copy. True when a packet of the first subflow acknowledges them at the data level and lacks a byte of the
        /// first carriage itself. Null when one capture cannot tell.
        pub useful: Option<bool>,
        /// Why it was sent, as far as the capture shows.
        pub cause: Option<ReinjectionCause>,
        /// Frame that shows the cause: what closed the first subflow, its repeat after the timeout, its fast retransmission
        /// or duplicate ACK; null when it is silence, or that nothing showed.
        pub cause_frame: Option<u64>,
    }
}
