//! Table `checks`.

use std::net::IpAddr;

use super::{Attempt, CheckVerdict, JoinResult, Passage, Sight};
use subflow_rows::{Time, table};

table! {
    /// One row per path that was checked: a local address and a port of the server, with what became of Multipath TCP there and back.
    pub struct Check: "checks" {
        /// When the check of this path began.
        pub time: Time,
        /// Local address.
        pub local_addr: IpAddr,
        /// Its interface; null when the system chose one.
        pub interface: Option<String>,
        /// Address of the server.
        pub server_addr: IpAddr,
        /// Port of the server.
        pub port: u16,
        /// What was found.
        pub verdict: CheckVerdict,
        /// What came of the connection with Multipath TCP.
        pub mptcp: Attempt,
        /// What came of the connection with plain TCP.
        pub tcp: Attempt,
        /// Attempts with Multipath TCP.
        pub mptcp_tries: u32,
        /// Attempts with plain TCP.
        pub tcp_tries: u32,
        /// Time to connect with Multipath TCP; null when it did not.
        pub mptcp_connect: Option<f64> => "s",
        /// Time to connect with plain TCP; null when it did not.
        pub tcp_connect: Option<f64> => "s",
        /// Whether this system says that Multipath TCP was agreed upon; null without a connection.
        pub negotiated: Option<bool>,
        /// Whether it was still in use after data had gone both ways; null when none had.
        pub kept: Option<bool>,
        /// Subflows at the end, the first one included; null without Multipath TCP.
        pub subflows: Option<u32>,
        /// What came of joining a second subflow from the same address; null when it was not tried (it needs CAP_NET_RAW).
        pub join: Option<JoinResult>,
        /// Whether it is one connection from end to end: both ends count the same bytes under the same data sequence numbers or, in plain TCP, saw
        /// the same SYN; null when that cannot be compared.
        pub end_to_end: Option<bool>,
        /// What became of the option of the SYN; null when it is not known.
        pub syn: Option<Passage>,
        /// What became of the option of the SYN/ACK; null when it is not known.
        pub syn_ack: Option<Passage>,
        /// What became of the option of our first packet with data; null when it is not known.
        pub data_c2s: Option<Passage>,
        /// What became of the option of the server's first packet with data; null when it is not known.
        pub data_s2c: Option<Passage>,
        /// From where this end knows its packets.
        pub local_sight: Sight,
        /// From where the server knows its packets; null when no report came (no `serve-check` there).
        pub server_sight: Option<Sight>,
        /// Whether the server listens with Multipath TCP; null without a report.
        pub server_mptcp: Option<bool>,
        /// Our address as the server saw it; null without a report.
        pub seen_addr: Option<IpAddr>,
        /// Our port as the server saw it; null without a report.
        pub seen_port: Option<u16>,
        /// Whether our address or port, or the server's, was translated; null without a report.
        pub nat: Option<bool>,
        /// Our port.
        pub local_port: Option<u16>,
        /// All options of our SYN as it left, in hexadecimal; null when it was not seen.
        pub syn_sent: Option<String>,
        /// All options of our SYN as it arrived.
        pub syn_arrived: Option<String>,
        /// All options of the SYN/ACK as it left the server.
        pub syn_ack_sent: Option<String>,
        /// All options of the SYN/ACK as it arrived.
        pub syn_ack_arrived: Option<String>,
        /// Maximum segment size in our SYN as it left.
        pub mss_sent: Option<u16> => "B",
        /// Maximum segment size in our SYN as it arrived.
        pub mss_arrived: Option<u16> => "B",
        /// Maximum segment size in the SYN/ACK as it left the server.
        pub mss_back_sent: Option<u16> => "B",
        /// Maximum segment size in the SYN/ACK as it arrived.
        pub mss_back_arrived: Option<u16> => "B",
        /// What else was changed in our SYN, in words separated by blanks: `mss`, `timestamps`, `sack`, `window_scale`, `order`, `window`,
        /// `sequence`, `added`; empty when nothing was, null when it is not known.
        pub syn_changes: Option<String>,
        /// What else was changed in the SYN/ACK, likewise.
        pub syn_ack_changes: Option<String>,
        /// By how much the time to live (hop limit) of our SYN fell on its way: routers between.
        pub hops: Option<u8>,
        /// By how much that of the SYN/ACK fell.
        pub hops_back: Option<u8>,
        /// By how much that of the reset fell from the next usual value (64, 128, 255); null when no reset was seen.
        pub reset_hops: Option<u8>,
        /// What the system said of a failed attempt; null when all went well.
        pub error: Option<String>,
    }
}
