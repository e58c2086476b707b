//! Table `runs`.

use subflow_rows::table;

table! {
    /// One row per run: one scheme at one load with one seed.
    pub struct Run: "runs", readable {
        /// Number of the run within its sweep, from 0.
        pub run_id: u32,
        /// Name of the scenario.
        pub scenario: String,
        /// Name of the scheme: what is compared.
        pub scheme: String,
        /// Offered load as a fraction of the capacity that the workload names; null for workloads without a load.
        pub load: Option<f64>,
        /// The seed.
        pub seed: u64,
        /// Hosts in the network.
        pub hosts: u32,
        /// Simulated time.
        pub duration: f64 => "s",
        /// Flows that began.
        pub flows: u64,
        /// Of them, those that were completed.
        pub completed: u64,
        /// Payload that reached its receiver for the first time, over all flows.
        pub delivered: u64 => "B",
        /// Mean over all hosts that send of the payload rate of what they deliver, as a fraction of what they could send: of each of their links, what the path behind it carries. Null without flows.
        pub utilisation: Option<f64>,
        /// The same by max-min fair rates on the very paths of the subflows (for flows that last as long as the run); null otherwise.
        pub max_min: Option<f64>,
        /// Packets that were sent, ACKs and control packets included.
        pub packets: u64,
        /// Packet hops: how often a packet crossed a link.
        pub hops: u64,
        /// Packets dropped because a queue was full.
        pub dropped: u64,
        /// Packets lost at random.
        pub lost: u64,
        /// Packets lost to failed links.
        pub failed: u64,
        /// Packets that got an ECN mark.
        pub marked: u64,
    }
}
