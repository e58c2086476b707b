//! Table `hosts`.

use std::net::IpAddr;
use subflow_rows::{Time, table};

table! {
    /// One row per address that took part in an MPTCP connection, as an end of a subflow.
    pub struct Host: "hosts" {
        /// The address.
        pub addr: IpAddr,
        /// Class of the address, as `v4 global`.
        pub class: &'static str,
        /// Connections that it opened.
        pub connections_as_client: u64,
        /// Connections opened to it.
        pub connections_as_server: u64,
        /// Subflows that it opened or took beyond the initial ones.
        pub joins: u64,
        /// Packets of its subflows, both directions.
        pub packets: u64,
        /// Bytes of its subflows from the IP header onward, both directions.
        pub bytes: u64 => "B",
        /// Its first packet.
        pub first_seen: Time,
        /// Its last packet.
        pub last_seen: Time,
    }
}
