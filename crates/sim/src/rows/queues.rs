//! Table `queues`.

use subflow_rows::table;

table! {
    /// One row per queue and sampling interval in which a packet came to it.
    pub struct Queue: "queues", readable {
        /// The run.
        pub run_id: u32,
        /// Number of the link whose queue it is.
        pub link_id: u32,
        /// Name of the node that holds it.
        pub node: String,
        /// End of the interval.
        pub time: f64 => "s",
        /// What waited at that moment, the rest of the packet on the line included.
        pub bytes: u64 => "B",
        /// The same as time until the line would be free.
        pub delay: f64 => "s",
        /// The most that waited since the run began, right after a packet had entered.
        pub longest: u64 => "B",
    }
}
