//! Table `subflows`.

use super::{Family, Opener, State};
use std::net::IpAddr;
use subflow_rows::{Time, table};

table! {
    /// One row per attempted subflow of a connection. Directions are those of the *connection*, even where the server
    /// opened the subflow.
    pub struct Subflow: "subflows" {
        /// The connection.
        pub connection_id: u64,
        /// 0 is the initial subflow; the others in order of their first packet.
        pub subflow_id: u32,
        /// Which end of the connection sent the SYN.
        pub opener: Opener,
        /// Address of the sender of the SYN.
        pub src_addr: IpAddr,
        /// Its port.
        pub src_port: u16,
        /// Address that the SYN was sent to.
        pub dst_addr: IpAddr,
        /// Its port.
        pub dst_port: u16,
        /// `ipv4` or `ipv6`.
        pub family: Family,
        /// First packet.
        pub start: Time,
        /// From its first packet to its last.
        pub duration: f64 => "s",
        /// Its start minus the start of the initial subflow; null for the initial one, and where either SYN is not in
        /// the capture.
        pub join_delay: Option<f64> => "s",
        /// How far it came.
        pub state: State,
        /// Whether the join asked for a backup, from either side.
        pub backup: bool,
        /// Whether it was a backup in the end: MP_PRIO may change that.
        pub backup_at_end: bool,
        /// Address id that the opener gave in MP_JOIN; 0 on the initial subflow.
        pub address_id: Option<u8>,
        /// Whether the HMACs of the join are right; null when keys or nonces are not known.
        pub hmac_ok: Option<bool>,
        /// Packets from the connection's client.
        pub packets_c2s: u64,
        /// Packets from the connection's server.
        pub packets_s2c: u64,
        /// Bytes of its packets from the IP header onward.
        pub wire_bytes_c2s: u64 => "B",
        /// The same from server to client.
        pub wire_bytes_s2c: u64 => "B",
        /// Payload bytes on the wire, repeats included.
        pub bytes_c2s: u64 => "B",
        /// The same from server to client.
        pub bytes_s2c: u64 => "B",
        /// Payload bytes on the wire that a data-level mapping in force covers: MPTCP was confirmed (by MP_CAPABLE in an
        /// ACK, a mapping of the first data byte, or a DSS of the receiver), no fallback came before, and a repeat
        /// carries its own mapping.
        pub mapped_bytes_c2s: u64 => "B",
        /// The same from server to client.
        pub mapped_bytes_s2c: u64 => "B",
        /// Data-level bytes that this subflow carried before any other.
        pub data_bytes_c2s: u64 => "B",
        /// The same from server to client.
        pub data_bytes_s2c: u64 => "B",
        /// Bytes from the IP header onward over `data_bytes_…` of the direction: what a useful byte cost on this path; null without any.
        pub amplification_c2s: Option<f64>,
        /// The same from server to client.
        pub amplification_s2c: Option<f64>,
        /// The same of payload bytes alone.
        pub payload_amplification_c2s: Option<f64>,
        /// The same from server to client.
        pub payload_amplification_s2c: Option<f64>,
        /// Payload bytes, each subflow sequence number once.
        pub unique_bytes_c2s: u64 => "B",
        /// The same from server to client.
        pub unique_bytes_s2c: u64 => "B",
        /// Payload bytes whose subflow sequence numbers had been seen before.
        pub retransmitted_bytes_c2s: u64 => "B",
        /// The same from server to client.
        pub retransmitted_bytes_s2c: u64 => "B",
        /// Packets that repeat at least one subflow sequence number with payload.
        pub retransmitted_packets_c2s: u64,
        /// The same from server to client.
        pub retransmitted_packets_s2c: u64,
        /// Data-level bytes carried here that another subflow had carried first.
        pub reinjected_bytes_c2s: u64 => "B",
        /// The same from server to client.
        pub reinjected_bytes_s2c: u64 => "B",
        /// Time in which data waited at the receiver for a byte that this subflow brought in the end: its share of
        /// `head_of_line_time_…` of the connection.
        pub head_of_line_time_c2s: f64 => "s",
        /// The same from server to client.
        pub head_of_line_time_s2c: f64 => "s",
        /// Bytes that waited in that time, times the time.
        pub head_of_line_byte_seconds_c2s: f64 => "B·s",
        /// The same from server to client.
        pub head_of_line_byte_seconds_s2c: f64 => "B·s",
        /// The most payload bytes in flight: sent and not acknowledged by TCP; null when no ACK was seen.
        pub flight_max_c2s: Option<u64> => "B",
        /// The same from server to client.
        pub flight_max_s2c: Option<u64> => "B",
        /// Mean of the payload bytes in flight, over the time in which there were any.
        pub flight_mean_c2s: Option<f64> => "B",
        /// The same from server to client.
        pub flight_mean_s2c: Option<f64> => "B",
        /// Shortest time from data of the client to the ACK that covers it, by Karn's rule: the part of the round
        /// trip between the capture point and the server.
        pub rtt_min_c2s: Option<f64> => "s",
        /// Mean of these samples.
        pub rtt_mean_c2s: Option<f64> => "s",
        /// Longest of these samples.
        pub rtt_max_c2s: Option<f64> => "s",
        /// Standard deviation of these samples.
        pub rtt_dev_c2s: Option<f64> => "s",
        /// Number of these samples.
        pub rtt_samples_c2s: u64,
        /// As `rtt_min_c2s`, data of the server: the part between the capture point and the client.
        pub rtt_min_s2c: Option<f64> => "s",
        /// Mean of these samples.
        pub rtt_mean_s2c: Option<f64> => "s",
        /// Longest of these samples.
        pub rtt_max_s2c: Option<f64> => "s",
        /// Standard deviation of these samples.
        pub rtt_dev_s2c: Option<f64> => "s",
        /// Number of these samples.
        pub rtt_samples_s2c: u64,
        /// Mean time from a TCP timestamp of the client to its first echo (RFC 7323); includes delayed ACKs.
        pub rtt_timestamp_c2s: Option<f64> => "s",
        /// The same for timestamps of the server.
        pub rtt_timestamp_s2c: Option<f64> => "s",
        /// Time from the SYN to its SYN/ACK, when neither was repeated.
        pub rtt_handshake: Option<f64> => "s",
        /// TTL or hop limit of the opener's first packet.
        pub ttl: Option<u8>,
        /// Reason of MP_TCPRST (RFC 8684, section 3.6), or `rst` for a reset without one; null without a reset.
        pub reset_reason: Option<&'static str>,
        /// Why it carried no data though established: `backup`, `reset`, `late`, `slower` or `other`; null if used.
        pub unused: Option<&'static str>,
    }
}
