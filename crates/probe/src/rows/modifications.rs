//! Table `modifications`.

use std::net::IpAddr;

use super::{Asks, ChangeKind, Direction, Field};
use subflow_rows::{Time, table};

table! {
    /// One row per field that a box on the path changed, with the hops between which it did.
    pub struct Modification: "modifications" {
        /// When the first probe was sent that shows it.
        pub time: Time,
        /// Address of the target.
        pub addr: IpAddr,
        /// Port of the target.
        pub port: u16,
        /// Number of the flow.
        pub flow: u32,
        /// What the probe asked.
        pub probe: Asks,
        /// Which way the packet went.
        pub direction: Direction,
        /// What was changed.
        pub field: Field,
        /// What was done to it.
        pub kind: ChangeKind,
        /// Kind number, when it is an option of TCP.
        pub option_kind: Option<u8>,
        /// As it was sent; null for what was not.
        pub sent: Option<String>,
        /// As it was seen; null for what is gone.
        pub seen: Option<String>,
        /// The last hop that got it unchanged, 0 for the sender itself; null where that cannot be told (the way back).
        pub after_hop: Option<u8>,
        /// The first hop that got it changed.
        pub before_hop: Option<u8>,
        /// Address of the last hop that got it unchanged; null for the sender.
        pub after_addr: Option<IpAddr>,
        /// Address of the first hop that got it changed.
        pub before_addr: Option<IpAddr>,
        /// Probes that show it.
        pub times: u32,
        /// Whether at least two probes show it, and none speaks against it.
        pub confirmed: bool,
        /// Whether the checksum fits the changed packet; null where the quote does not tell.
        pub checksum_fits: Option<bool>,
        /// Why it is placed there.
        pub reason: String,
    }
}
