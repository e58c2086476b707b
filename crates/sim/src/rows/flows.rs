//! Table `flows`.

use crate::congestion::Algorithm;
use subflow_rows::table;

table! {
    /// One row per transfer from one host to another.
    pub struct Flow: "flows", readable {
        /// The run.
        pub run_id: u32,
        /// Name of the scheme: what is compared.
        pub scheme: String,
        /// Offered load as a fraction of the capacity that the workload names; null for workloads without a load.
        pub load: Option<f64>,
        /// The seed.
        pub seed: u64,
        /// Number of the flow within the run, from 0, in the order of the workload. The same in every scheme of a sweep.
        pub flow_id: u64,
        /// Query that the flow belongs to (incast, partition-aggregate); null elsewhere.
        pub group: Option<u32>,
        /// Name of the sending host.
        pub src: String,
        /// Name of the receiving host.
        pub dst: String,
        /// Payload to be sent; null for a flow that lasts as long as the run.
        pub size: Option<u64> => "B",
        /// When it began.
        pub start: f64 => "s",
        /// Completion time: from the start to the last byte at the receiver. Null when the run ended before.
        pub fct: Option<f64> => "s",
        /// Ideal completion time: alone in an empty network on its path, segments back to back at the rate of the sender's link, store and forward exact, the
        /// handshake included where it is simulated, slow start not. Null for a flow without a size.
        pub ideal_fct: Option<f64> => "s",
        /// Completion time divided by the ideal one: at least 1, but for packets that are spread over several paths, where a short last one may overtake. Null where either is.
        pub slowdown: Option<f64>,
        /// Payload that reached the receiver for the first time.
        pub delivered: u64 => "B",
        /// Rate of that payload, from the start to completion or to the end of the run.
        pub throughput: Option<f64> => "bit/s",
        /// Congestion control.
        pub congestion: Algorithm,
        /// Subflows that were established.
        pub subflows: u32,
        /// Data packets sent, repeats included.
        pub packets: u64,
        /// Data packets that repeat payload on the same subflow.
        pub retransmits: u64,
        /// Data-level payload sent again on another subflow.
        pub reinjected: u64 => "B",
        /// Retransmission timeouts.
        pub timeouts: u64,
        /// How often a subflow was moved to another path by FlowBender, PLB or rerouting after a failure.
        pub reroutes: u64,
        /// Data packets that arrived after one of their subflow that had been sent later.
        pub out_of_order: u64,
        /// Data packets that arrived with an ECN mark.
        pub marked: u64,
    }
}
