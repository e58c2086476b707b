//! Table `targets`.

use std::net::IpAddr;

use super::{Finding, Verdict};
use subflow_rows::{Hex64, table};

table! {
    /// One row per target, an address and a port, with the verdict and what it rests on. Silent targets are left out of
    /// large scans.
    pub struct Target: "targets" {
        /// Address.
        pub addr: IpAddr,
        /// Port.
        pub port: u16,
        /// What all answers together say.
        pub verdict: Verdict,
        /// What came of the probe with version 1; null when it was not sent.
        pub v1: Option<Finding>,
        /// What came of the probe with version 0; null when it was not sent.
        pub v0: Option<Finding>,
        /// What came of the probe with both versions; null when it was not sent.
        pub both: Option<Finding>,
        /// What came of the SYN of plain TCP; null when it was not sent.
        pub plain: Option<Finding>,
        /// What came of the MP_JOIN; null when it was not sent.
        pub join: Option<Finding>,
        /// The target's key of version 1.
        pub v1_key: Option<Hex64>,
        /// The flag byte of its MP_CAPABLE of version 1.
        pub v1_flags: Option<u8>,
        /// The target's key of version 0.
        pub v0_key: Option<Hex64>,
        /// The flag byte of its MP_CAPABLE of version 0.
        pub v0_flags: Option<u8>,
        /// Answers, without repeated ones; 65535 for more.
        pub answers: u32,
        /// Repeated answers; 65535 for more.
        pub repeats: u32,
        /// Shortest time from probe to answer.
        pub rtt_min: Option<f64> => "s",
        /// Time to live of the first SYN/ACK, else of the first answer from the target itself.
        pub ttl: Option<u8>,
        /// Maximum segment size in the first SYN/ACK.
        pub mss: Option<u16> => "B",
        /// Receive window of the first SYN/ACK, not scaled.
        pub window: Option<u16> => "B",
        /// ICMP or ICMPv6 type of the first error.
        pub icmp_type: Option<u8>,
        /// ICMP or ICMPv6 code of the first error.
        pub icmp_code: Option<u8>,
        /// Who sent the first ICMP error.
        pub icmp_from: Option<IpAddr>,
    }
}
