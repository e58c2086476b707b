//! The tables that a comparison yields. The field comments are the data dictionary.

use std::net::IpAddr;
use subflow_analysis::rows::Direction;
use subflow_rows::{Row, Schema, Time, names, table};

names! {
    /// One of the two captures.
    pub enum Side {
        /// The first one.
        A => "a",
        /// The second one.
        B => "b",
    }
}

impl Side {
    /// The other capture.
    pub const fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }
}

names! {
    /// What the offset between the two clocks rests on.
    pub enum Basis {
        /// The user said that both captures share one clock.
        Given => "given",
        /// An offset of zero contradicts no packet: the clocks are taken as one.
        Agree => "agree",
        /// Half-way between the bounds: right when the shortest delays of both directions are equal.
        Symmetry => "symmetry",
        /// Packets of one direction only: the shortest delay is taken as zero.
        OneWay => "one_way",
        /// No packet was matched.
        None => "none",
    }
}

names! {
    /// What shows that two connections are one.
    pub enum Evidence {
        /// Both keys, or the one that is known on both sides.
        Keys => "keys",
        /// A token, or an initial data sequence number.
        Tokens => "tokens",
        /// The packets of their subflows: sequence numbers, nonces, timestamps, data.
        Packets => "packets",
        /// Nothing: the connection is in one capture only.
        None => "none",
    }
}

names! {
    /// What became of a header field between the captures.
    pub enum Change {
        /// It has another value.
        Changed => "changed",
        /// It is gone.
        Removed => "removed",
        /// It was not there before.
        Added => "added",
        /// The bytes came in fewer, larger packets.
        Merged => "merged",
        /// The bytes came in more, smaller packets.
        Split => "split",
    }
}

names! {
    /// What became of a packet.
    pub enum Fate {
        /// It was seen at both ends.
        Arrived => "arrived",
        /// Its bytes arrived in other packets: a box or the host merged or split it.
        Resegmented => "resegmented",
        /// It was not seen at the receiver's end.
        Lost => "lost",
        /// Only the receiver's end has it.
        Appeared => "appeared",
        /// One more copy of a packet that was matched.
        Copy => "copy",
        /// Not seen at the other end, whose capture had not begun, had ended, or leaves this subflow out.
        Unjudged => "unjudged",
    }
}

names! {
    /// Whether a reinjection helped.
    pub enum Outcome {
        /// The copy was there first, or the original never came.
        Useful => "useful",
        /// The original was there first.
        Wasted => "wasted",
        /// The copy was lost.
        Lost => "lost",
        /// Some bytes the one, some the other.
        Partly => "partly",
        /// It cannot be told.
        Unknown => "unknown",
    }
}

names! {
    /// How a counter of the kernel and the capture agree.
    pub enum Verdict {
        /// They are equal.
        Equal => "equal",
        /// They differ for a reason that is known.
        Explained => "explained",
        /// They differ, and nothing in the capture says why.
        Unexplained => "unexplained",
        /// A capture cannot show what this counter counts.
        Invisible => "invisible",
    }
}

table! {
    /// One row: how the clocks of the two captures relate.
    pub struct Clock: "clocks" {
        /// Clock of B minus clock of A, at `at`.
        pub offset: Option<f64> => "s",
        /// The true offset is within this of `offset`, if every delay is above zero; zero when the user said that both
        /// captures share one clock; null when packets of one direction only bound it.
        pub offset_error: Option<f64> => "s",
        /// Below this offset, a packet towards A would have arrived before it was sent.
        pub offset_low: Option<f64> => "s",
        /// Above this offset, a packet towards B would have arrived before it was sent.
        pub offset_high: Option<f64> => "s",
        /// What `offset` rests on.
        pub basis: Basis,
        /// The moment, on the clock of A, for which the offset holds: the middle of the matched packets.
        pub at: Option<Time>,
        /// How much faster the clock of B runs than that of A, in parts per million; 0 when no difference shows.
        pub skew_ppm: Option<f64> => "ppm",
        /// Error of the skew.
        pub skew_error_ppm: Option<f64> => "ppm",
        /// Packets seen in both captures.
        pub packets_matched: u64,
    }
}

table! {
    /// One row per connection of either capture.
    pub struct Match: "matches" {
        /// Number of the row, from 0, by connections of A and then those that only B has.
        pub match_id: u64,
        /// Its `connection_id` in A; null when A does not have it.
        pub connection_a: Option<u64>,
        /// Its `connection_id` in B; null when B does not have it, or saw plain TCP.
        pub connection_b: Option<u64>,
        /// What shows that they are one.
        pub matched_by: Evidence,
        /// The capture nearer to the client; null when it cannot be told.
        pub nearer_client: Option<Side>,
        /// Whether addresses or ports differ between the captures (NAT).
        pub translated: bool,
        /// Whether sequence numbers were rewritten between the captures.
        pub sequence_shifted: bool,
        /// Subflows in A.
        pub subflows_a: u64,
        /// Subflows in B, plain TCP flows that are subflows in A included.
        pub subflows_b: u64,
        /// Subflows found in both.
        pub subflows_matched: u64,
        /// Packets of these subflows in A.
        pub packets_a: u64,
        /// Packets of these subflows in B.
        pub packets_b: u64,
        /// Packets found in both.
        pub packets_matched: u64,
    }
}

table! {
    /// One row per subflow and direction: what the path between the two capture points did.
    pub struct Path: "paths" {
        /// The row of `matches`.
        pub match_id: u64,
        /// `subflow_id` in A; null when A does not have it.
        pub subflow_a: Option<u32>,
        /// `subflow_id` in B; null when B does not have it, or saw plain TCP.
        pub subflow_b: Option<u32>,
        /// Direction of the packets.
        pub direction: Direction,
        /// The capture at the sender's end.
        pub sender: Side,
        /// Source address at the sender's end (at the receiver's when only that has the subflow).
        pub src_addr: IpAddr,
        /// Its port.
        pub src_port: u16,
        /// Destination address there.
        pub dst_addr: IpAddr,
        /// Its port.
        pub dst_port: u16,
        /// Packets seen at the sender's end, copies left out.
        pub packets_sent: u64,
        /// Packets seen at the receiver's end, copies left out.
        pub packets_received: u64,
        /// Packets found at both ends, merged and split ones included.
        pub packets_matched: u64,
        /// Packets sent that never reached the receiver's capture.
        pub packets_lost: u64,
        /// `packets_lost` / (matched + lost) of the packets sent; null without any.
        pub loss: Option<f64>,
        /// Payload bytes sent in packets, or parts of them, that never reached the receiver's capture; repeats count.
        pub lost_bytes: u64 => "B",
        /// Packets at one end only, for which the other capture cannot tell: it had not begun, had ended, or does not
        /// hold the subflow.
        pub packets_unjudged: u64,
        /// Packets that only the receiver's end has: missed by the capture at the sender's end, or made by a box.
        pub packets_appeared: u64,
        /// Packets that arrived after one that was sent later (RFC 4737, section 3).
        pub packets_reordered: u64,
        /// Further copies of a packet at the receiver's end.
        pub packets_duplicated: u64,
        /// Packets whose bytes arrived in other packets (segmentation or receive offload, proxies).
        pub packets_resegmented: u64,
        /// Matched packets that are told apart by their order only: identification or timestamps were of no help.
        pub packets_by_order: u64,
        /// Shortest one-way delay, after correction by the row of `clocks`.
        pub delay_min: Option<f64> => "s",
        /// Median; of a regular sample of the packets when there are more than 131,072 of them.
        pub delay_median: Option<f64> => "s",
        /// Mean.
        pub delay_mean: Option<f64> => "s",
        /// 99th percentile, as `delay_median`.
        pub delay_p99: Option<f64> => "s",
        /// Longest.
        pub delay_max: Option<f64> => "s",
        /// The true delays are within this of the ones given, all by the same amount; null when unbounded.
        pub delay_error: Option<f64> => "s",
        /// Mean difference between the delays of packets that were sent one after the other.
        pub jitter: Option<f64> => "s",
    }
}

table! {
    /// One row per subflow, direction and header field that was not the same in both captures. `before` is the
    /// sender's end, `after` the receiver's.
    pub struct Changed: "changes" {
        /// The row of `matches`.
        pub match_id: u64,
        /// `subflow_id` in A, else in B.
        pub subflow: u32,
        /// Direction of the packets.
        pub direction: Direction,
        /// The field: `src_addr`, `seq`, `ttl`, `MP_CAPABLE` and so on.
        pub field: String,
        /// What became of it.
        pub change: Change,
        /// Its value at the sender's end in the first such packet.
        pub before: Option<String>,
        /// Its value at the receiver's end in that packet.
        pub after: Option<String>,
        /// Packets in which it changed.
        pub packets: u64,
        /// Matched packets of the direction that have the field at either end.
        pub of_packets: u64,
        /// Frame of the first such packet in A.
        pub frame_a: u64,
        /// The same in B.
        pub frame_b: u64,
    }
}

table! {
    /// One row per reinjection, from `reinjections` of the capture at the sender's end: what became of the copy.
    pub struct ReinjectionOutcome: "reinjection_outcomes" {
        /// The row of `matches`.
        pub match_id: u64,
        /// Direction of the data.
        pub direction: Direction,
        /// When the copy was sent, on the clock of `sender`.
        pub time: Time,
        /// The capture at the sender's end, to which frame and subflows refer.
        pub sender: Side,
        /// Frame number of the copy.
        pub frame: u64,
        /// Data sequence number of the first byte, as an offset from the first data byte of this direction.
        pub dsn: i64,
        /// How many bytes.
        pub bytes: u64 => "B",
        /// The subflow that carried them first; null when that is not known.
        pub from_subflow: Option<u32>,
        /// The subflow that carried the copy.
        pub to_subflow: u32,
        /// Whether it helped.
        pub outcome: Outcome,
        /// Bytes of the copy that the receiver's end had not seen before.
        pub useful_bytes: Option<u64> => "B",
        /// Bytes of the copy that it had.
        pub wasted_bytes: Option<u64> => "B",
    }
}

table! {
    /// One row per packet of the matched subflows, with `--series`: what became of it, and when.
    pub struct Delay: "delays" {
        /// The row of `matches`.
        pub match_id: u64,
        /// `subflow_id` in A, else in B.
        pub subflow: u32,
        /// Direction of the packet.
        pub direction: Direction,
        /// When it was sent, on the clock of A (for a packet that only the receiver's end has, when it came).
        pub time: Time,
        /// Its frame in A.
        pub frame_a: Option<u64>,
        /// Its frame in B.
        pub frame_b: Option<u64>,
        /// Payload bytes.
        pub bytes: u64 => "B",
        /// What became of it.
        pub fate: Fate,
        /// One-way delay, after correction by the row of `clocks`; null unless it was seen at both ends.
        pub delay: Option<f64> => "s",
    }
}

table! {
    /// One row per figure of the tables: its value in both runs, or its mean over the repetitions of each.
    pub struct Difference: "differences" {
        /// The figure.
        pub metric: String,
        /// Its unit; empty for counts and fractions.
        pub unit: &'static str,
        /// Runs of A that have the figure.
        pub runs_a: u64,
        /// Runs of B that have the figure.
        pub runs_b: u64,
        /// Value in A, or mean over its runs.
        pub value_a: Option<f64>,
        /// Value in B, or mean over its runs.
        pub value_b: Option<f64>,
        /// `value_b` − `value_a`.
        pub difference: Option<f64>,
        /// `difference` / `value_a`; null where A is zero.
        pub relative: Option<f64>,
        /// Lower end of the 95 % confidence interval of the difference of the means (Welch); null with fewer than two
        /// runs on either side.
        pub difference_low: Option<f64>,
        /// Upper end of it.
        pub difference_high: Option<f64>,
        /// Two-sided p-value of the Mann-Whitney test (exact up to 20 runs a side without ties); null with fewer than two
        /// runs on either side.
        pub p_value: Option<f64>,
        /// The relative difference that is allowed; null when none was set.
        pub threshold: Option<f64>,
        /// Whether the difference is beyond the threshold and, with two or more runs on both sides, its confidence
        /// interval leaves zero out.
        pub beyond: bool,
    }
}

table! {
    /// One row per counter of the kernel that is not zero, or should not be.
    pub struct Counter: "counters" {
        /// Its name, as nstat prints it.
        pub counter: String,
        /// The host: `client` or `server`.
        pub host: &'static str,
        /// What the tables say it should be; null when a capture cannot show it.
        pub expected: Option<u64>,
        /// What the kernel counted.
        pub actual: u64,
        /// `actual` − `expected`.
        pub difference: Option<i64>,
        /// How they agree.
        pub verdict: Verdict,
        /// Why they differ, or why the capture cannot show it; null when they are equal, or nobody knows.
        pub reason: Option<String>,
    }
}

/// The tables of a comparison of two ends.
pub const ENDS_SCHEMAS: [Schema; 5] =
    [Clock::SCHEMA, Match::SCHEMA, Path::SCHEMA, Changed::SCHEMA, ReinjectionOutcome::SCHEMA];
/// The table that only a series of delays adds.
pub const SERIES_SCHEMA: Schema = Delay::SCHEMA;
/// The tables of a comparison of two runs.
pub const RUNS_SCHEMAS: [Schema; 1] = [Difference::SCHEMA];
/// The tables of a comparison with the kernel's counters.
pub const NSTAT_SCHEMAS: [Schema; 1] = [Counter::SCHEMA];
