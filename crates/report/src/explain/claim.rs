//! A claim: one thing that is said about a connection, with the frames that prove it and the rule that was applied.

use subflow_analysis::rows::Direction;
use subflow_rows::{Time, names};

names! {
    /// What a claim is about; each has a file of its own here.
    pub enum Subject {
        /// Whether a box on the path interferes.
        Middlebox => "middlebox",
        /// Falling back to plain TCP.
        Fallback => "fallback",
        /// Handshakes of further subflows, failed ones above all.
        Joins => "joins",
        /// Data that moved to another subflow after one died.
        Handover => "handover",
        /// Data carried again on another subflow.
        Reinjections => "reinjections",
        /// Bytes that TCP sent again on the same subflow, or that came again under new sequence numbers.
        Retransmissions => "retransmissions",
        /// Announced addresses and what became of them.
        Announcements => "announcements",
        /// Subflows that carried no data.
        Unused => "unused",
        /// How the connection and its subflows ended.
        Closes => "closes",
        /// What contradicts the RFCs, or is worth knowing.
        Conformance => "conformance",
    }
}

impl Subject {
    /// The heading above its claims.
    pub const fn heading(self) -> &'static str {
        match self {
            Self::Middlebox => "Am I affected by a middlebox?",
            Self::Fallback => "Fallback to plain TCP",
            Self::Joins => "Joins of further subflows",
            Self::Handover => "Handovers",
            Self::Reinjections => "Reinjections: data carried again on another subflow",
            Self::Retransmissions => "Retransmissions: data sent again on the same subflow",
            Self::Announcements => "Announced addresses",
            Self::Unused => "Unused subflows",
            Self::Closes => "Ends",
            Self::Conformance => "Conformance",
        }
    }
}

/// One thing that is said about a connection.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    /// The connection.
    pub connection_id: u64,
    /// What it is about.
    pub subject: Subject,
    /// Its kind, as a name that scripts can ask for: `reinjection`, `join_refused`, …
    pub claim: &'static str,
    /// When it happened, if at one moment.
    pub time: Option<Time>,
    /// The subflow that it is about.
    pub subflow_id: Option<u32>,
    /// Direction of the packets that it is about.
    pub direction: Option<Direction>,
    /// Frame numbers that prove it, the one that it is about first, each within its file. Of a group the first and the last.
    pub frames: Vec<u64>,
    /// How many packets it stands for.
    pub packets: u64,
    /// Data-level or subflow bytes that it is about.
    pub bytes: Option<u64>,
    /// The rule by which it was found: a definition, or RFC and section.
    pub rule: String,
    /// The claim in words.
    pub text: String,
}

impl Claim {
    /// A claim about nothing in particular yet.
    pub(super) fn new(connection_id: u64, subject: Subject, claim: &'static str, rule: &str) -> Self {
        Self {
            connection_id,
            subject,
            claim,
            time: None,
            subflow_id: None,
            direction: None,
            frames: Vec::new(),
            packets: 1,
            bytes: None,
            rule: rule.to_owned(),
            text: String::new(),
        }
    }

    pub(super) fn at(mut self, time: Time) -> Self {
        self.time = Some(time);
        self
    }

    pub(super) fn on(mut self, subflow_id: u32) -> Self {
        self.subflow_id = Some(subflow_id);
        self
    }

    pub(super) fn towards(mut self, direction: Direction) -> Self {
        self.direction = Some(direction);
        self
    }

    pub(super) fn proved_by(mut self, frames: impl IntoIterator<Item = u64>) -> Self {
        for frame in frames {
            if !self.frames.contains(&frame) {
                self.frames.push(frame);
            }
        }
        self
    }

    pub(super) fn of(mut self, packets: u64, bytes: u64) -> Self {
        self.packets = packets;
        self.bytes = Some(bytes);
        self
    }

    pub(super) fn say(mut self, text: impl Into<String>) -> Self {
        self.text = text.into();
        self
    }
}
