//! Table `links`.

use subflow_rows::table;

table! {
    /// One row per direction of a cable and sampling interval.
    pub struct Link: "links", readable {
        /// The run.
        pub run_id: u32,
        /// Number of the link within the network.
        pub link_id: u32,
        /// Name of the node that sends.
        pub from: String,
        /// Name of the node that receives.
        pub to: String,
        /// End of the interval.
        pub time: f64 => "s",
        /// Length of the interval.
        pub interval: f64 => "s",
        /// Rate of the line at the end of the interval.
        pub rate: f64 => "bit/s",
        /// Share of the interval in which the line was busy.
        pub utilisation: f64,
        /// Packets that came to the link, those dropped included.
        pub packets: u64,
        /// Bytes on the wire that came to the link, those dropped included.
        pub bytes: u64 => "B",
        /// Packets dropped because the queue was full.
        pub dropped: u64,
        /// Packets lost at random.
        pub lost: u64,
        /// Packets lost because the link was down or went down.
        pub failed: u64,
        /// Packets that got an ECN mark.
        pub marked: u64,
        /// Whether the link was up at the end of the interval.
        pub up: bool,
    }
}
