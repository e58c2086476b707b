//! Table `campaigns`.

use super::{End, Sending};
use subflow_rows::{Hex64, Time, table};

table! {
    /// One row per run of a scan: what was asked, with what, and what became of it; enough to repeat it.
    pub struct Campaign: "campaigns" {
        /// Version of subflow.
        pub version: &'static str,
        /// When it began.
        pub start: Time,
        /// When it ended; null while it runs.
        pub end: Option<Time>,
        /// How it ended; null while it runs, or when it was killed.
        pub ended: Option<End>,
        /// What ended it early, in words.
        pub trouble: Option<String>,
        /// Whom to ask about it.
        pub contact: Option<String>,
        /// The command that began it, as a shell would take it; null when there was none.
        pub command: Option<String>,
        /// Release of the system's kernel; null where it cannot be read.
        pub kernel: Option<String>,
        /// Interface.
        pub interface: String,
        /// Source addresses, separated by blanks.
        pub sources: String,
        /// Hardware addresses of the first hops, for each source address, separated by blanks.
        pub gateways: String,
        /// How frames left.
        pub sending: Sending,
        /// Threads that sent.
        pub threads: u64,
        /// First and last source port.
        pub source_ports: String,
        /// Ports.
        pub ports: String,
        /// Kinds of probe.
        pub kinds: String,
        /// Whether probes carried a canary.
        pub canary: bool,
        /// Seed of order and probes.
        pub seed: Hex64,
        /// SHA-256 over all that decides which target stands where in the order: targets, ports, seed, limit and shard. Scans with the same one
        /// probe the same targets in the same order.
        pub plan: String,
        /// Name and SHA-256 of the lists read, separated by blanks, one list after the other.
        pub lists: String,
        /// Lines of the lists that could not be read.
        pub bad_lines: u64,
        /// Whether special-purpose addresses were allowed.
        pub special: bool,
        /// Addresses that were asked for and are blocked.
        pub blocked: u64,
        /// Targets of all shards, after a limit to their number.
        pub total: u64,
        /// Number of this shard.
        pub shard: u64,
        /// Shards.
        pub shards: u64,
        /// Targets of this shard.
        pub targets: u64,
        /// Position in the order where this run began: 0 unless it resumed another.
        pub resumed_at: u64,
        /// Position up to which every target is settled.
        pub settled: u64,
        /// Rate that was kept to, that of all networks together where one of them is limited.
        pub rate: f64 => "packet/s",
        /// Limit of the rate to any /24 of IPv4 and any /48 of IPv6; null for none.
        pub prefix_rate: Option<f64> => "packet/s",
        /// Further attempts at silent targets.
        pub retries: u32,
        /// Whether targets that did not answer the option were sent a plain SYN, and the option once more.
        pub follow_up: bool,
        /// Whether half-open connections were reset by us and not by the kernel.
        pub resets: bool,
        /// Whether targets from which nothing came have rows.
        pub silent: bool,
        /// How long answers were waited for.
        pub cooldown: f64 => "s",
        /// After how long no target was begun any more; null for no limit.
        pub max_runtime: Option<f64> => "s",
        /// Probes sent.
        pub sent: u64,
        /// Probes sent again because nothing had come.
        pub sent_again: u64,
        /// Plain SYNs sent to find out whether the option is to blame.
        pub sent_plain: u64,
        /// Resets sent.
        pub sent_resets: u64,
        /// Verified answers, repeated ones included.
        pub answers: u64,
        /// Repeated answers.
        pub repeats: u64,
        /// Packets to our ports that answered no probe of ours.
        pub unverified: u64,
        /// Answers that came after their target was settled.
        pub late: u64,
        /// Packets that the kernel dropped because we were too slow.
        pub drops: u64,
        /// How often the rate was lowered because answers came faster than they could be taken.
        pub slowed: u64,
    }
}
