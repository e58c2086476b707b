//! Table `announcements`.

use super::Direction;
use std::net::IpAddr;
use subflow_rows::{Time, table};

table! {
    /// One row per ADD_ADDR option seen, echoes included; the same announcement repeated is a row each time.
    pub struct Announcement: "announcements" {
        /// The connection.
        pub connection_id: u64,
        /// The subflow that carried the option.
        pub subflow_id: u32,
        /// When.
        pub time: Time,
        /// Frame number within its file.
        pub frame: u64,
        /// Who sent it: `c2s` is an announcement (or echo) by the client.
        pub direction: Direction,
        /// Address id.
        pub address_id: u8,
        /// The address.
        pub addr: IpAddr,
        /// Its port, when the option holds one.
        pub port: Option<u16>,
        /// Class of the address, as `v4 private` or `v6 link-local`.
        pub class: &'static str,
        /// Whether this is the receiver's echo (v1), not an announcement.
        pub echo: bool,
        /// Whether a seen announcement was echoed later; null for echoes and in v0.
        pub echoed: Option<bool>,
        /// Whether the same announcement had been seen before on this connection.
        pub repeated: bool,
        /// Whether its HMAC is right; null when the keys are unknown, in echoes and in v0.
        pub hmac_ok: Option<bool>,
        /// Whether a subflow to this address was attempted afterwards.
        pub joined: bool,
    }
}
