//! Table `hops`.

use std::net::IpAddr;

use super::{Asks, Finding, HopAnswer, QuoteKind};
use subflow_rows::{Time, table};

table! {
    /// One row per hop of a path, kind of probe and flow: who answered, how, and what the quote shows.
    pub struct Hop: "hops" {
        /// When the probe was sent that was answered, else the last one.
        pub time: Time,
        /// Address of the target.
        pub addr: IpAddr,
        /// Port of the target.
        pub port: u16,
        /// Number of the flow, from 0: flows differ in the source port, so they may take different branches.
        pub flow: u32,
        /// What the probe asked.
        pub probe: Asks,
        /// Number of the run, from 1: findings are confirmed by a second one.
        pub round: u32,
        /// Port that the probe came from.
        pub src_port: u16,
        /// Hop limit with which it was sent.
        pub hop: u8,
        /// What came back.
        pub answer: HopAnswer,
        /// Who sent it; null when nothing came.
        pub from_addr: Option<IpAddr>,
        /// From this very probe to its answer; null when nothing came, or when it cannot be told which probe was answered.
        pub rtt: Option<f64> => "s",
        /// Probes sent for this hop.
        pub probes: u32,
        /// Time to live, or hop limit, with which the answer came.
        pub ttl: Option<u8>,
        /// Hops on the way back, if the answer began at the usual 64, 128 or 255.
        pub return_hops: Option<u8>,
        /// ICMP or ICMPv6 type.
        pub icmp_type: Option<u8>,
        /// ICMP or ICMPv6 code.
        pub icmp_code: Option<u8>,
        /// How much of the probe is quoted.
        pub quote: Option<QuoteKind>,
        /// Bytes of the probe that are quoted, from its IP header on.
        pub quote_bytes: Option<u32> => "B",
        /// Time to live of the quoted packet: 1, or 0; more behind some MPLS tunnels.
        pub quoted_ttl: Option<u8>,
        /// Whether extensions follow the quote (RFC 4884).
        pub extensions: Option<bool>,
        /// MPLS labels with which the probe came (RFC 4950), outermost first: label/traffic class/time to live, separated by blanks.
        pub mpls: Option<String>,
        /// What a SYN/ACK or reset says about Multipath TCP.
        pub finding: Option<Finding>,
        /// How many fields of the quoted packet differ from what was sent; null without a quote.
        pub changes: Option<u32>,
        /// Which, in short; null when there are none.
        pub changed: Option<String>,
    }
}
