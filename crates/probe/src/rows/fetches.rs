//! Table `fetches`.

use std::net::IpAddr;

use super::{FetchOutcome, Negotiated, Passage};
use subflow_rows::{Time, table};

table! {
    /// One row per download of `check --fetch`, by plain TCP and by Multipath TCP in alternation.
    pub struct Fetch: "fetches" {
        /// When it began.
        pub time: Time,
        /// What was asked for, after redirects.
        pub url: String,
        /// Address of the server, the same in all rows of a run.
        pub server_addr: IpAddr,
        /// Its port.
        pub port: u16,
        /// Local address; null without a connection.
        pub local_addr: Option<IpAddr>,
        /// Number of the pair of downloads, from 0: one by plain TCP, one by Multipath TCP.
        pub pair: u32,
        /// Whether it was the first of its pair: every second time it is Multipath TCP.
        pub first: bool,
        /// Whether Multipath TCP was asked for.
        pub mptcp: bool,
        /// What came of it.
        pub outcome: FetchOutcome,
        /// Status code of the answer; null when none came.
        pub status: Option<u16>,
        /// From the call to the end of the TCP handshake.
        pub connect: Option<f64> => "s",
        /// From there to the end of the TLS handshake; null without TLS.
        pub tls: Option<f64> => "s",
        /// From the call to the first byte of the answer.
        pub first_byte: Option<f64> => "s",
        /// From the call to the last byte of the answer; null when it is not complete.
        pub complete: Option<f64> => "s",
        /// Bytes of the body, without framing.
        pub bytes: u64 => "B",
        /// Bits of the body a second, from the first byte of the answer to its last; null when there was no time between.
        pub throughput: Option<f64> => "bit/s",
        /// What became of Multipath TCP; null where it was not asked for, and without a connection.
        pub negotiated: Option<Negotiated>,
        /// Subflows at the end, the first one included; null without Multipath TCP.
        pub subflows: Option<u32>,
        /// Bytes that this system received at the level of the connection; null without Multipath TCP.
        pub mptcp_received: Option<u64> => "B",
        /// Segments of the first subflow that this system sent again; null when it does not say.
        pub retransmits: Option<u32>,
        /// Smoothed round-trip time of the first subflow at the end; null when the system does not say.
        pub rtt: Option<f64> => "s",
        /// What the SYN/ACK shows of the option; null when packets were not seen (it needs CAP_NET_RAW).
        pub syn_ack: Option<Passage>,
        /// All options of the SYN/ACK as it arrived, in hexadecimal; null when it was not seen.
        pub syn_ack_options: Option<String>,
        /// What went wrong, in words; null when nothing did.
        pub error: Option<String>,
    }
}
