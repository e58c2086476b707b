//! Table `traffic`.

use super::Family;
use subflow_rows::table;

table! {
    /// One row per address family, kind (MPTCP or not) and service: all TCP packets of the capture fall into exactly
    /// one row. A packet is MPTCP when it belongs to a subflow of a connection of table `connections`, whether or not
    /// it carries the option itself; connections that fell back are in that table, too.
    pub struct Traffic: "traffic" {
        /// Address family of the packets: `ipv4` or `ipv6`.
        pub family: Family,
        /// Whether they belong to MPTCP connections.
        pub mptcp: bool,
        /// The port of the side that was connected to; without a SYN, the lower of the two ports. Null when the
        /// capture holds too little of the packets to tell.
        pub service_port: Option<u16>,
        /// Packets.
        pub packets: u64,
        /// Bytes on the wire from the IP header onward, whatever the snap length.
        pub bytes: u64 => "B",
    }
}
