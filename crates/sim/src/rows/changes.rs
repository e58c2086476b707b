//! Table `changes`.

use subflow_rows::{names, table};

names! {
    /// What changed.
    pub enum ChangeKind {
        /// A link failed.
        Failure => "failure",
        /// A link was repaired.
        Repair => "repair",
        /// Routing learnt of failures and repairs.
        Rerouting => "rerouting",
        /// A subflow was moved to another path.
        Path => "path",
        /// A retransmission timeout.
        Timeout => "timeout",
        /// A subflow was established; of connections that are simulated with their handshakes.
        SubflowUp => "subflow_up",
        /// A subflow was reset or given up; of the same connections.
        SubflowDown => "subflow_down",
        /// A subflow fell silent, and data went on over another one; of the same connections.
        Handover => "handover",
    }
}

table! {
    /// One row per event that explains a figure: failures, moves to other paths, timeouts, subflows that come and go.
    pub struct Change: "changes", readable {
        /// The run.
        pub run_id: u32,
        /// When.
        pub time: f64 => "s",
        /// What changed.
        pub kind: ChangeKind,
        /// The link that failed or was repaired; null for others.
        pub link_id: Option<u32>,
        /// The flow concerned; null when it is no flow.
        pub flow_id: Option<u64>,
        /// The subflow concerned, from 0; null when it is none.
        pub subflow_id: Option<u32>,
        /// More about it, for people: nodes of the link, old and new value, cause.
        pub detail: String,
    }
}
