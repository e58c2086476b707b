//! Table `connections`.

use super::{Close, Fallback};
use std::net::IpAddr;
use subflow_rows::{Hex32, Hex64, Time, table};

table! {
    /// One row per MPTCP connection: every initial SYN with MP_CAPABLE starts one, and so does the first MPTCP option
    /// of traffic whose handshake is not in the capture.
    pub struct Connection: "connections" {
        /// Number of the connection in this run, from 0 in order of first sight.
        pub connection_id: u64,
        /// Protocol version: 0 (RFC 6824) or 1 (RFC 8684); null when no option tells.
        pub version: Option<u8>,
        /// Address of the sender of the initial SYN; without a SYN, the side with the higher port.
        pub client_addr: IpAddr,
        /// Its port on the initial subflow.
        pub client_port: u16,
        /// Address of the receiver of the initial SYN.
        pub server_addr: IpAddr,
        /// Its port on the initial subflow.
        pub server_port: u16,
        /// The client's 64-bit key.
        pub client_key: Option<Hex64>,
        /// The server's 64-bit key.
        pub server_key: Option<Hex64>,
        /// Token of the client: what a join *to the client* carries. From the key, or from such a join.
        pub client_token: Option<Hex32>,
        /// Token of the server: what a join *to the server* carries.
        pub server_token: Option<Hex32>,
        /// Initial data sequence number of the client, from its key.
        pub client_idsn: Option<Hex64>,
        /// Initial data sequence number of the server, from its key.
        pub server_idsn: Option<Hex64>,
        /// Data sequence number of the client's byte 0, to which the offsets of other tables refer: IDSN + 1, or the
        /// first one seen when the key is unknown (then perhaps only its low 32 bits).
        pub client_first_dsn: Option<Hex64>,
        /// The same of the server.
        pub server_first_dsn: Option<Hex64>,
        /// First packet.
        pub start: Time,
        /// From the first packet to the last, over all subflows.
        pub duration: f64 => "s",
        /// Subflows for which a SYN was seen, the initial one included (traffic without its SYN counts, too).
        pub subflows_attempted: u32,
        /// Subflows whose handshake completed.
        pub subflows_established: u32,
        /// Packets of all subflows, both directions.
        pub packets: u64,
        /// Bytes of all subflows from the IP header onward.
        pub wire_bytes: u64 => "B",
        /// Unique data-level bytes from client to server; after a fallback, unique bytes of the TCP stream.
        pub bytes_c2s: u64 => "B",
        /// Unique data-level bytes from server to client.
        pub bytes_s2c: u64 => "B",
        /// Bytes in SYNs (TCP Fast Open), which lie before the data sequence space and are not in `bytes_…`.
        pub fast_open_bytes: u64 => "B",
        /// Bytes of all packets of this direction from the IP header onward over the data-level bytes that they brought: what a byte
        /// costs on the wire; null without data.
        pub amplification_c2s: Option<f64>,
        /// The same from server to client.
        pub amplification_s2c: Option<f64>,
        /// The same of payload bytes alone: 1 means that nothing was sent twice.
        pub payload_amplification_c2s: Option<f64>,
        /// The same from server to client.
        pub payload_amplification_s2c: Option<f64>,
        /// Data-level bytes carried again on another subflow than the first; every copy counts.
        pub reinjected_bytes_c2s: u64 => "B",
        /// The same from server to client.
        pub reinjected_bytes_s2c: u64 => "B",
        /// Data-level bytes sent again on the *same* subflow under a new subflow sequence number.
        pub meta_retransmitted_bytes_c2s: u64 => "B",
        /// The same from server to client.
        pub meta_retransmitted_bytes_s2c: u64 => "B",
        /// Bytes that TCP sent again on its subflow (the same subflow sequence numbers).
        pub retransmitted_bytes_c2s: u64 => "B",
        /// The same from server to client.
        pub retransmitted_bytes_s2c: u64 => "B",
        /// Data-level bytes seen after bytes with a higher data sequence number, first sight only.
        pub out_of_order_bytes_c2s: u64 => "B",
        /// The same from server to client.
        pub out_of_order_bytes_s2c: u64 => "B",
        /// Mean distance of the out-of-order bytes from the highest data-level byte seen before them (how far back in the stream
        /// they lie, bytes not seen yet included; the byte offset of RFC 4737, section 4.4, leaves those out).
        pub reorder_distance_mean_c2s: Option<f64> => "B",
        /// The same from server to client.
        pub reorder_distance_mean_s2c: Option<f64> => "B",
        /// The greatest of these distances.
        pub reorder_distance_max_c2s: Option<u64> => "B",
        /// The same from server to client.
        pub reorder_distance_max_s2c: Option<u64> => "B",
        /// Mean time that a data-level byte waited for lower ones, from when it was seen until all of them were; bytes that did not
        /// wait count as 0. Exact when captured at the receiver, else the same as seen at the capture point.
        pub reorder_wait_mean_c2s: Option<f64> => "s",
        /// The same from server to client.
        pub reorder_wait_mean_s2c: Option<f64> => "s",
        /// The longest that a byte waited.
        pub reorder_wait_max_c2s: Option<f64> => "s",
        /// The same from server to client.
        pub reorder_wait_max_s2c: Option<f64> => "s",
        /// Bytes that had to wait.
        pub reorder_queued_bytes_c2s: u64 => "B",
        /// The same from server to client.
        pub reorder_queued_bytes_s2c: u64 => "B",
        /// Waiting bytes times time, over all bytes whose wait ended. Bytes that never got in order, or whose missing bytes only a
        /// DATA_ACK shows, are left out.
        pub reorder_byte_seconds_c2s: f64 => "B·s",
        /// The same from server to client.
        pub reorder_byte_seconds_s2c: f64 => "B·s",
        /// The most bytes that waited at a time.
        pub reorder_queue_max_c2s: u64 => "B",
        /// The same from server to client.
        pub reorder_queue_max_s2c: u64 => "B",
        /// Time in which bytes waited for a lower one that came: head-of-line blocking.
        pub head_of_line_time_c2s: f64 => "s",
        /// The same from server to client.
        pub head_of_line_time_s2c: f64 => "s",
        /// Time in which data in flight left less than a segment of the receive window, or the window was closed. Exact when
        /// captured at the sender. Null when the window is not known (its scale is in the SYNs), or no DATA_ACK was seen.
        pub receive_window_time_c2s: Option<f64> => "s",
        /// The same from server to client.
        pub receive_window_time_s2c: Option<f64> => "s",
        /// Time from the first data of this direction to the last packet of the connection with everything acknowledged; null when no
        /// DATA_ACK was seen.
        pub idle_time_c2s: Option<f64> => "s",
        /// The same from server to client.
        pub idle_time_s2c: Option<f64> => "s",
        /// The part of the idle time that ended with more data: the application had none to send.
        pub application_time_c2s: Option<f64> => "s",
        /// The same from server to client.
        pub application_time_s2c: Option<f64> => "s",
        /// Time of the stalls `no_progress`: data in flight, the window open, and nothing new sent or acknowledged for long.
        pub no_progress_time_c2s: Option<f64> => "s",
        /// The same from server to client.
        pub no_progress_time_s2c: Option<f64> => "s",
        /// The most data-level bytes in flight: sent and not DATA_ACKed; null when no DATA_ACK was seen.
        pub data_flight_max_c2s: Option<u64> => "B",
        /// The same from server to client.
        pub data_flight_max_s2c: Option<u64> => "B",
        /// Mean of the data-level bytes in flight, over the time in which there were any.
        pub data_flight_mean_c2s: Option<f64> => "B",
        /// The same from server to client.
        pub data_flight_mean_s2c: Option<f64> => "B",
        /// The narrowest receive window advertised for this direction; null when its scale is not known.
        pub receive_window_min_c2s: Option<u64> => "B",
        /// The same from server to client.
        pub receive_window_min_s2c: Option<u64> => "B",
        /// The widest.
        pub receive_window_max_c2s: Option<u64> => "B",
        /// The same from server to client.
        pub receive_window_max_s2c: Option<u64> => "B",
        /// Runs of consecutive mappings on one subflow.
        pub blocks_c2s: u64,
        /// The same from server to client.
        pub blocks_s2c: u64,
        /// (blocks − 1) / duration; null without data or duration.
        pub switching_rate_c2s: Option<f64> => "1/s",
        /// The same from server to client.
        pub switching_rate_s2c: Option<f64> => "1/s",
        /// Highest minus lowest mean round-trip time over subflows with at least 3 samples, in the direction with more
        /// samples; null with fewer than two such subflows.
        pub rtt_spread: Option<f64> => "s",
        /// Smallest positive join delay of a subflow that was not reset in its handshake.
        pub second_subflow_delay: Option<f64> => "s",
        /// Mean time from a mapping to the DATA_ACK that covers it, client to server.
        pub data_rtt_mean_c2s: Option<f64> => "s",
        /// The same from server to client.
        pub data_rtt_mean_s2c: Option<f64> => "s",
        /// Shortest of these times.
        pub data_rtt_min_c2s: Option<f64> => "s",
        /// The same from server to client.
        pub data_rtt_min_s2c: Option<f64> => "s",
        /// Longest of these times.
        pub data_rtt_max_c2s: Option<f64> => "s",
        /// The same from server to client.
        pub data_rtt_max_s2c: Option<f64> => "s",
        /// Standard deviation of these times.
        pub data_rtt_dev_c2s: Option<f64> => "s",
        /// The same from server to client.
        pub data_rtt_dev_s2c: Option<f64> => "s",
        /// Number of these times.
        pub data_rtt_samples_c2s: u64,
        /// The same from server to client.
        pub data_rtt_samples_s2c: u64,
        /// Packets with new data whose subflow was chosen among several that could take it; null when not captured near the sender, or
        /// the handshake was not seen.
        pub scheduled_c2s: Option<u64>,
        /// The same from server to client.
        pub scheduled_s2c: Option<u64>,
        /// Those of them that took the subflow with the lowest smoothed round-trip time.
        pub lowest_rtt_c2s: Option<u64>,
        /// The same from server to client.
        pub lowest_rtt_s2c: Option<u64>,
        /// How often data went on elsewhere after a subflow fell silent without closing.
        pub handovers: u32,
        /// Where it fell back to plain TCP, or `none`.
        pub fallback: Fallback,
        /// Whether DSS checksums were negotiated; null when the handshake does not tell.
        pub checksum: Option<bool>,
        /// Distinct addresses (with port) announced by either side; echoes do not count.
        pub addresses_announced: u32,
        /// How it ended.
        pub close: Close,
        /// Whether the initial handshake is in the capture.
        pub complete: bool,
    }
}
