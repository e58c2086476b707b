//! Table `targets` of the path prober.

use std::net::IpAddr;

use super::{Behaviour, Category, Confidence, Direction, Finding};
use subflow_rows::{Time, table};

table! {
    /// One row per target, an address and a port: what its path makes of Multipath TCP, where, and how that is known.
    pub struct Traced: "targets" {
        /// When the first probe was sent.
        pub time: Time,
        /// Address.
        pub addr: IpAddr,
        /// Port.
        pub port: u16,
        /// What the path makes of Multipath TCP.
        pub category: Category,
        /// What the boxes on it do; null when that cannot be told.
        pub behaviour: Option<Behaviour>,
        /// Which way the packets went that were affected; `return` alone is asymmetric: what was asked arrived, the answer was changed.
        pub direction: Option<Direction>,
        /// The last hop before the box, 0 for the sender itself.
        pub after_hop: Option<u8>,
        /// The first hop behind it, or itself.
        pub before_hop: Option<u8>,
        /// Address of the last hop before it.
        pub after_addr: Option<IpAddr>,
        /// Address of the first hop behind it.
        pub before_addr: Option<IpAddr>,
        /// How sure that is.
        pub confidence: Confidence,
        /// What it rests on.
        pub evidence: String,
        /// What came of the probe with version 1; null when it was not sent.
        pub v1: Option<Finding>,
        /// What came of the probe with version 0.
        pub v0: Option<Finding>,
        /// What came of the probe with both versions.
        pub both: Option<Finding>,
        /// What came of the SYN of plain TCP.
        pub plain: Option<Finding>,
        /// What came of the MP_JOIN.
        pub join: Option<Finding>,
        /// What came of the experimental option.
        pub canary: Option<Finding>,
        /// What came of the options that the user chose.
        pub custom: Option<Finding>,
        /// Whether the option passed on the open connection, too; null when that was not tried, or not quoted.
        pub data_passed: Option<bool>,
        /// Smallest hop limit with which a SYN was answered by SYN/ACK.
        pub syn_ack_hops: Option<u8>,
        /// Smallest hop limit with which a SYN to a closed port was answered by a reset.
        pub reset_hops: Option<u8>,
        /// Smallest hop limit with which an ICMP echo request was answered.
        pub echo_hops: Option<u8>,
        /// Hops before the target that never answered.
        pub silent_hops: u32,
        /// Shortest time from a SYN to its SYN/ACK or reset.
        pub rtt_min: Option<f64> => "s",
        /// Flows probed.
        pub flows: u32,
        /// Different paths that they took, as far as routers answered.
        pub paths: u32,
        /// Confirmed modifications.
        pub modifications: u32,
        /// Probes sent.
        pub probes: u32,
        /// Verified answers.
        pub answers: u32,
        /// Packets that seemed to be answers, and were to nothing that was sent: stale or forged.
        pub rejected: u32,
        /// From the first probe to the verdict.
        pub duration: f64 => "s",
    }
}
