//! Table `packets`.

use super::Direction;
use subflow_rows::{Time, table};

table! {
    /// One row per packet of the connections that were asked for in detail. Positions count the bytes of one direction
    /// of a subflow from 0, the byte after its SYN (the first one seen where the SYN is not in the capture); offsets count
    /// data-level bytes from the first one. Where the handshake is not in the capture, packets before the first MPTCP
    /// option of their flow are not here.
    pub struct Packet: "packets" {
        /// The connection.
        pub connection_id: u64,
        /// The subflow.
        pub subflow_id: u32,
        /// When.
        pub time: Time,
        /// Frame number within its file.
        pub frame: u64,
        /// Who sent it.
        pub direction: Direction,
        /// TCP flags by their letters: `S` SYN, `F` FIN, `R` RST, `P` PSH, `.` ACK, `U` URG, `E` ECE, `W` CWR.
        pub flags: String,
        /// Sequence number as it stands in the packet.
        pub seq: u32,
        /// Acknowledgement number as it stands in the packet; null without ACK.
        pub ack: Option<u32>,
        /// Position of its first byte.
        pub position: Option<i64>,
        /// Position in the other direction up to which it acknowledges; null when not known.
        pub acked: Option<i64>,
        /// Payload bytes.
        pub bytes: u64 => "B",
        /// Those of them that had been seen on this subflow before.
        pub retransmitted_bytes: u64 => "B",
        /// Receive window that it advertises, scaled; null when the scale is not known.
        pub window: Option<u64> => "B",
        /// Its MPTCP options by name, separated by spaces.
        pub options: String,
        /// Offset of the first byte of the DSS mapping that it carries.
        pub dsn: Option<i64>,
        /// Position of the first byte of that mapping.
        pub mapping_position: Option<i64>,
        /// Length of that mapping, as it stands in the option.
        pub mapping_bytes: Option<u64> => "B",
        /// Offset in the other direction up to which its DATA_ACK acknowledges.
        pub data_ack: Option<i64>,
        /// Whether it carries DATA_FIN.
        pub data_fin: bool,
        /// Bytes of this direction of the subflow that were sent and not yet acknowledged after this packet, as seen at
        /// the capture point.
        pub flight: Option<u64> => "B",
        /// The same at the data level: sent on any subflow and not yet acknowledged by a DATA_ACK.
        pub data_flight: Option<u64> => "B",
    }
}
