//! The tables of the truth. Columns that `analyze` has too mean the same there, so that both can be held against each other.

use std::net::{IpAddr, SocketAddr};

use subflow_rows::{Hex32, Hex64, Row, Schema, Time, names, table};

use crate::observe::{Close, End, Fallback, Handshake};

names! {
    /// Which way bytes went, seen from the connection.
    pub enum Direction {
        /// Client to server.
        C2s => "c2s",
        /// Server to client.
        S2c => "s2c",
    }
}

impl Direction {
    /// What an end sends.
    pub const fn from(sender: End) -> Self {
        match sender {
            End::Client => Self::C2s,
            End::Server => Self::S2c,
        }
    }
}

names! {
    /// What a segment did with data-level bytes.
    pub enum Carried {
        /// Carried them for the first time.
        New => "new",
        /// Carried again what another subflow had carried.
        Reinjection => "reinjection",
        /// Carried them again on the same subflow, under new subflow sequence numbers.
        MetaRetransmission => "meta_retransmission",
        /// Repeated the same subflow sequence numbers.
        Retransmission => "retransmission",
    }
}

names! {
    /// What an event is.
    pub enum EventKind {
        /// Data moved to another subflow after one died without closing.
        Handover => "handover",
        /// The connection fell back to plain TCP.
        Fallback => "fallback",
        /// MP_PRIO.
        MpPrio => "mp_prio",
        /// MP_FAIL.
        MpFail => "mp_fail",
        /// MP_FASTCLOSE.
        FastClose => "fastclose",
        /// MP_TCPRST.
        TcpRst => "tcprst",
        /// REMOVE_ADDR.
        RemoveAddr => "remove_addr",
        /// The first DATA_FIN of a direction.
        DataFin => "data_fin",
        /// A mapping of length 0.
        InfiniteMapping => "infinite_mapping",
    }
}

table! {
    /// One row per MPTCP connection and end that took part in it as such: what a capture at that end should show. What the end
    /// sends counts when it is sent, what it receives when it arrives; losses on the way to it are therefore not in it.
    pub struct TruthConnection: "truth_connections" {
        /// Number of the connection in the run.
        pub connection_id: u64,
        /// The end: `client` or `server`.
        pub vantage: End,
        /// Protocol version, as the handshake showed it: 0 or 1.
        pub version: Option<u8>,
        /// Address of the client as this end knows it.
        pub client_addr: IpAddr,
        /// Its port on the initial subflow.
        pub client_port: u16,
        /// Address of the server.
        pub server_addr: IpAddr,
        /// Its port on the initial subflow.
        pub server_port: u16,
        /// The client's key, if a segment at this end carried it.
        pub client_key: Option<Hex64>,
        /// The server's key, if a segment at this end carried it.
        pub server_key: Option<Hex64>,
        /// Token of the client, from its key.
        pub client_token: Option<Hex32>,
        /// Token of the server, from its key.
        pub server_token: Option<Hex32>,
        /// Initial data sequence number of the client, from its key.
        pub client_idsn: Option<Hex64>,
        /// Initial data sequence number of the server, from its key.
        pub server_idsn: Option<Hex64>,
        /// First packet at this end.
        pub start: Time,
        /// From the first packet to the last, over all subflows.
        pub duration: f64 => "s",
        /// Subflows of which a SYN with MP_CAPABLE or MP_JOIN was seen here.
        pub subflows_attempted: u32,
        /// Subflows whose handshake completed, as this end knows.
        pub subflows_established: u32,
        /// Packets of all subflows, both directions.
        pub packets: u64,
        /// Their bytes from the IP header onward.
        pub wire_bytes: u64 => "B",
        /// Unique data-level bytes from client to server.
        pub bytes_c2s: u64 => "B",
        /// The same from server to client.
        pub bytes_s2c: u64 => "B",
        /// Data-level bytes carried again on another subflow than the first; every copy counts.
        pub reinjected_bytes_c2s: u64 => "B",
        /// The same from server to client.
        pub reinjected_bytes_s2c: u64 => "B",
        /// Data-level bytes sent again on the same subflow under new subflow sequence numbers.
        pub meta_retransmitted_bytes_c2s: u64 => "B",
        /// The same from server to client.
        pub meta_retransmitted_bytes_s2c: u64 => "B",
        /// Bytes repeated on their subflow.
        pub retransmitted_bytes_c2s: u64 => "B",
        /// The same from server to client.
        pub retransmitted_bytes_s2c: u64 => "B",
        /// Runs of consecutive segments with new subflow bytes on one subflow.
        pub blocks_c2s: u64,
        /// The same from server to client.
        pub blocks_s2c: u64,
        /// How often data went on elsewhere after a subflow fell silent without closing.
        pub handovers: u32,
        /// Where this end fell back to plain TCP; null when it did not.
        pub fallback: Option<Fallback>,
        /// Distinct addresses (with port) announced by either side, as seen here; echoes do not count.
        pub addresses_announced: u32,
        /// How the connection ended for this end; null when the run ended first.
        pub close: Option<Close>,
    }
}

table! {
    /// One row per subflow and end at which a SYN with MP_CAPABLE or MP_JOIN of it was seen.
    pub struct TruthSubflow: "truth_subflows" {
        /// The connection.
        pub connection_id: u64,
        /// The end: `client` or `server`.
        pub vantage: End,
        /// Number in the connection, in order of first packet at this end.
        pub subflow_id: u32,
        /// Number of the subflow in the run, which both ends share.
        pub subflow: u64,
        /// Which end sent the SYN.
        pub opener: End,
        /// Address of the sender of the SYN, as seen here.
        pub src_addr: IpAddr,
        /// Its port.
        pub src_port: u16,
        /// Address that the SYN was sent to.
        pub dst_addr: IpAddr,
        /// Its port.
        pub dst_port: u16,
        /// First packet at this end.
        pub start: Time,
        /// From its first packet to its last.
        pub duration: f64 => "s",
        /// How far its handshake came, as this end knows.
        pub state: Handshake,
        /// Whether the join asked for a backup, from either side.
        pub backup: bool,
        /// Address id that the opener gave; 0 on the initial subflow.
        pub address_id: u8,
        /// Packets from the client.
        pub packets_c2s: u64,
        /// Packets from the server.
        pub packets_s2c: u64,
        /// Their bytes from the IP header onward.
        pub wire_bytes_c2s: u64 => "B",
        /// The same from server to client.
        pub wire_bytes_s2c: u64 => "B",
        /// Payload bytes, repeats included.
        pub bytes_c2s: u64 => "B",
        /// The same from server to client.
        pub bytes_s2c: u64 => "B",
        /// Data-level bytes that this subflow carried before any other.
        pub data_bytes_c2s: u64 => "B",
        /// The same from server to client.
        pub data_bytes_s2c: u64 => "B",
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
        /// Data-level bytes that another subflow had carried first.
        pub reinjected_bytes_c2s: u64 => "B",
        /// The same from server to client.
        pub reinjected_bytes_s2c: u64 => "B",
        /// Round-trip samples by Karn's rule at this end, of data of the client.
        pub rtt_samples_c2s: u64,
        /// The same of data of the server.
        pub rtt_samples_s2c: u64,
        /// Shortest of these samples.
        pub rtt_min_c2s: Option<f64> => "s",
        /// The same of data of the server.
        pub rtt_min_s2c: Option<f64> => "s",
        /// Mean of these samples.
        pub rtt_mean_c2s: Option<f64> => "s",
        /// The same of data of the server.
        pub rtt_mean_s2c: Option<f64> => "s",
        /// Longest of these samples.
        pub rtt_max_c2s: Option<f64> => "s",
        /// The same of data of the server.
        pub rtt_max_s2c: Option<f64> => "s",
    }
}

table! {
    /// One row per segment with payload that an end sent.
    pub struct TruthMapping: "truth_mappings" {
        /// The connection.
        pub connection_id: u64,
        /// Number of the subflow in the run.
        pub subflow: u64,
        /// Direction of the data.
        pub direction: Direction,
        /// When it was sent.
        pub sent: Time,
        /// When it arrived; null when it did not.
        pub arrived: Option<Time>,
        /// Offset of its first byte from the first data-level byte of this direction.
        pub dsn: i64,
        /// Position of its first byte on the subflow, from the byte after the SYN.
        pub position: i64,
        /// Payload bytes.
        pub bytes: u64 => "B",
        /// New if any of its bytes was, else why they went again.
        pub carried: Carried,
        /// Whether a DSS or MP_CAPABLE option maps it.
        pub mapped: bool,
    }
}

table! {
    /// One row per segment, earlier holder and end at which it was seen, whose data-level bytes another subflow had carried.
    pub struct TruthReinjection: "truth_reinjections" {
        /// The connection.
        pub connection_id: u64,
        /// The end: `client` or `server`.
        pub vantage: End,
        /// Direction of the data.
        pub direction: Direction,
        /// When the copy was seen there.
        pub time: Time,
        /// Offset of the first byte from the first data-level byte of this direction.
        pub dsn: i64,
        /// How many bytes.
        pub bytes: u64 => "B",
        /// The subflow that carried them first, as numbered at this end.
        pub from_subflow: u32,
        /// The subflow that carried the copy.
        pub to_subflow: u32,
        /// Time since the first carriage.
        pub delay: f64 => "s",
    }
}

table! {
    /// One row per segment of a connection that was lost on its way.
    pub struct TruthDrop: "truth_drops" {
        /// The connection.
        pub connection_id: u64,
        /// Number of the subflow in the run.
        pub subflow: u64,
        /// Direction of travel.
        pub direction: Direction,
        /// When.
        pub time: Time,
        /// Number of the link.
        pub link: u64,
        /// `full` (queue), `loss` (at random), `down` (the link had failed), `middlebox` or `no_route`.
        pub why: &'static str,
        /// TCP flags by their names.
        pub flags: String,
        /// Payload bytes.
        pub bytes: u64 => "B",
        /// Offset of its first byte at the data level; null without payload.
        pub dsn: Option<i64>,
    }
}

table! {
    /// One row per round-trip sample by Karn's rule at an end: data to the ACK that covers it.
    pub struct TruthRtt: "truth_rtts" {
        /// The connection.
        pub connection_id: u64,
        /// The end: `client` or `server`.
        pub vantage: End,
        /// The subflow, as numbered at this end.
        pub subflow_id: u32,
        /// Direction of the data.
        pub direction: Direction,
        /// When the ACK was seen.
        pub time: Time,
        /// The sample.
        pub rtt: f64 => "s",
    }
}

table! {
    /// One row per ADD_ADDR that an end sent or received, echoes included.
    pub struct TruthAnnouncement: "truth_announcements" {
        /// The connection.
        pub connection_id: u64,
        /// The end where it was seen.
        pub vantage: End,
        /// The subflow, as numbered at this end.
        pub subflow_id: u32,
        /// When.
        pub time: Time,
        /// Who sent it.
        pub direction: Direction,
        /// Address id.
        pub address_id: u8,
        /// The address.
        pub addr: IpAddr,
        /// Its port, when the option holds one.
        pub port: Option<u16>,
        /// Whether it is an echo.
        pub echo: bool,
    }
}

table! {
    /// One row per thing worth telling, at the end where it was seen.
    pub struct TruthEvent: "truth_events" {
        /// The connection.
        pub connection_id: u64,
        /// The end: `client` or `server`.
        pub vantage: End,
        /// The subflow, as numbered at this end.
        pub subflow_id: u32,
        /// When.
        pub time: Time,
        /// Who sent it; of a handover, the end that was heard from less long.
        pub direction: Direction,
        /// What it is.
        pub kind: EventKind,
    }
}

/// The schemas of all tables of the truth.
pub const SCHEMAS: [Schema; 8] = [
    TruthConnection::SCHEMA,
    TruthSubflow::SCHEMA,
    TruthMapping::SCHEMA,
    TruthReinjection::SCHEMA,
    TruthDrop::SCHEMA,
    TruthRtt::SCHEMA,
    TruthAnnouncement::SCHEMA,
    TruthEvent::SCHEMA,
];

/// All rows, in order of time within each table, but for connections and subflows, which are in order of their numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tables {
    /// `truth_connections`
    pub connections: Vec<TruthConnection>,
    /// `truth_subflows`
    pub subflows: Vec<TruthSubflow>,
    /// `truth_mappings`
    pub mappings: Vec<TruthMapping>,
    /// `truth_reinjections`
    pub reinjections: Vec<TruthReinjection>,
    /// `truth_drops`
    pub drops: Vec<TruthDrop>,
    /// `truth_rtts`
    pub rtts: Vec<TruthRtt>,
    /// `truth_announcements`
    pub announcements: Vec<TruthAnnouncement>,
    /// `truth_events`
    pub events: Vec<TruthEvent>,
}

/// Address and port of an end that was never seen.
pub(super) const NOWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED), 0);
