//! Table `probes`.

use std::net::IpAddr;

use super::{AnswerKind, Finding};
use crate::probes::Kind;
use subflow_rows::{Hex64, Time, table};

table! {
    /// One row per answer to a probe, repeated ones included.
    pub struct Probe: "probes" {
        /// When it came.
        pub time: Time,
        /// Address that was probed.
        pub addr: IpAddr,
        /// Port that was probed.
        pub port: u16,
        /// Address the probe came from.
        pub src_addr: IpAddr,
        /// Port the probe came from.
        pub src_port: u16,
        /// What the probe asked.
        pub kind: Kind,
        /// What kind of packet the answer is.
        pub answer: AnswerKind,
        /// What it says about Multipath TCP.
        pub finding: Finding,
        /// Whether the same answer to the same probe had come before, as far as it is remembered (a million answers).
        pub repeat: bool,
        /// Who sent it, when it is not the target: the router of an ICMP error.
        pub from_addr: Option<IpAddr>,
        /// Time to live, or hop limit, with which it came.
        pub ttl: u8,
        /// From probe to answer, by the timestamp that the answer echoes or quotes; null when it does not.
        pub rtt: Option<f64> => "s",
        /// Receive window, not scaled; null in ICMP.
        pub window: Option<u16> => "B",
        /// Maximum segment size.
        pub mss: Option<u16> => "B",
        /// All options as they stood in the header, in hexadecimal, padding included; null in ICMP.
        pub options: Option<String>,
        /// Version of its MP_CAPABLE.
        pub mptcp_version: Option<u8>,
        /// Flag byte of its MP_CAPABLE.
        pub mptcp_flags: Option<u8>,
        /// Key of its MP_CAPABLE.
        pub mptcp_key: Option<Hex64>,
        /// Reason of its MP_TCPRST.
        pub reset_reason: Option<u8>,
        /// Whether it returned the canary; null when the probe had none.
        pub canary_returned: Option<bool>,
        /// ICMP or ICMPv6 type.
        pub icmp_type: Option<u8>,
        /// ICMP or ICMPv6 code.
        pub icmp_code: Option<u8>,
        /// The packet that an ICMP error quotes, in hexadecimal.
        pub quote: Option<String>,
    }
}
