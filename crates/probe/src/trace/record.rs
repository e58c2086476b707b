//! All that was sent to a target and seen of it: what a verdict is drawn from, live or from a capture.

use std::net::IpAddr;

use subflow_wire::icmp::MplsLabel;
use subflow_wire::tcp::{Options, Tcp, TcpOption};

use super::compare::Comparison;
use crate::answers::{OptionBytes, judge};
use crate::distance::Distance;
use crate::probes::Asked;
use crate::rows::{AnswerKind, Asks, Finding, HopAnswer};
use crate::targets::Target;

/// One answer to one probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// When the probe was sent, in nanoseconds since the Unix epoch.
    pub sent_ns: i64,
    /// When the answer came; `None` where it cannot be told which probe it answers.
    pub time_ns: Option<i64>,
    /// Who sent it.
    pub from: IpAddr,
    /// What it is.
    pub answer: HopAnswer,
    /// Time to live, or hop limit.
    pub ttl: u8,
    /// ICMP type and code.
    pub icmp: Option<(u8, u8)>,
    /// What it quotes.
    pub quote: Option<Quoted>,
    /// What it says about Multipath TCP.
    pub finding: Option<Finding>,
    /// The options of a SYN/ACK or reset.
    pub options: Option<OptionBytes>,
    /// The packet that was sent, as far as IP and TCP headers go.
    pub sent: Vec<u8>,
}

/// What an ICMP error quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quoted {
    /// What is different.
    pub comparison: Comparison,
    /// Whether there are extensions.
    pub extended: bool,
    /// MPLS labels.
    pub mpls: Vec<MplsLabel>,
}

/// What was sent with one hop limit, and what came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// Probes sent.
    pub probes: u32,
    /// When the last one was sent, in nanoseconds since the Unix epoch.
    pub last_ns: i64,
    /// Answers.
    pub seen: Vec<Seen>,
}

/// Probes that ask the same, of one flow, with all hop limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// What they ask.
    pub asks: Asks,
    /// Whether an option of Multipath TCP is among what they ask with.
    pub mptcp: bool,
    /// Number of the flow.
    pub flow: u32,
    /// Number of the round, from 1.
    pub round: u32,
    /// Address they came from.
    pub src_addr: IpAddr,
    /// Port they came from.
    pub src_port: u16,
    /// By hop limit, from 0 on; what was not probed has no probes.
    pub steps: Vec<Step>,
}

impl Run {
    /// Hop limits with what came of them, in order.
    pub fn probed(&self) -> impl Iterator<Item = (u8, &Step)> {
        (0..=u8::MAX).zip(&self.steps).filter(|(_, step)| step.probes > 0)
    }

    /// The place of a hop limit.
    pub fn step(&mut self, hop: u8) -> &mut Step {
        let place = usize::from(hop);
        if self.steps.len() <= place {
            self.steps.resize(place + 1, Step::default());
        }
        &mut self.steps[place]
    }

    /// Everything that came, with its hop limit.
    pub fn seen(&self) -> impl Iterator<Item = (u8, &Seen)> {
        self.probed().flat_map(|(hop, step)| step.seen.iter().map(move |seen| (hop, seen)))
    }

    /// What the answers of the target itself say; `Silent` when there are none. Of several the weightiest counts, as in a scan.
    pub fn finding(&self) -> Finding {
        let findings = self.seen().filter_map(|(_, seen)| seen.finding);
        findings.max_by_key(|finding| finding.weight()).unwrap_or(Finding::Silent)
    }

    /// Smallest hop limit with an answer of a kind, where it is known which probe was answered.
    pub fn nearest(&self, answer: HopAnswer) -> Option<u8> {
        self.seen().find(|(_, seen)| seen.answer == answer && seen.time_ns.is_some()).map(|(hop, _)| hop)
    }

    /// Largest hop limit below `limit` at which a router answered.
    pub fn last_router(&self, limit: u8) -> u8 {
        let routers =
            self.seen().filter(|&(hop, seen)| hop < limit && seen.answer == HopAnswer::TimeExceeded);
        routers.map(|(hop, _)| hop).last().unwrap_or(0)
    }
}

/// All that is known of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// Who was asked.
    pub target: Target,
    /// When it began, in nanoseconds since the Unix epoch.
    pub began_ns: i64,
    /// When it ended.
    pub ended_ns: i64,
    /// In the order in which they began.
    pub runs: Vec<Run>,
    /// How far away a closed port is, by its reset.
    pub reset: Distance,
    /// How far away the replies to echo requests come from.
    pub echo: Distance,
    /// Whether data was acknowledged on the level of the connection after a handshake with the option.
    pub data_acked: Option<bool>,
    /// Probes sent, those included that only measure distances.
    pub probes: u32,
    /// Verified answers.
    pub answers: u32,
    /// What seemed to be an answer and was none.
    pub rejected: u32,
}

impl Trace {
    /// One of which nothing is known yet.
    pub fn new(target: Target, began_ns: i64) -> Self {
        Self {
            target,
            began_ns,
            ended_ns: began_ns,
            runs: Vec::new(),
            reset: Distance::default(),
            echo: Distance::default(),
            data_acked: None,
            probes: 0,
            answers: 0,
            rejected: 0,
        }
    }

    /// Runs that ask one thing.
    pub fn asking(&self, asks: Asks) -> impl Iterator<Item = &Run> {
        self.runs.iter().filter(move |run| run.asks == asks)
    }

    /// What came of everything that asked one thing; `None` when nothing did.
    pub fn finding(&self, asks: Asks) -> Option<Finding> {
        self.asking(asks).map(Run::finding).max_by_key(|finding| finding.weight())
    }
}

/// What a captured or built segment asks; `None` when it is no probe: neither a SYN nor data on a connection.
pub fn asks(tcp: &Tcp<'_>) -> Option<Asks> {
    use crate::probes::Kind;
    let Some(asked) = Asked::by(tcp) else {
        let flags = tcp.flags();
        let data = flags.ack() && !flags.syn() && !flags.rst() && !tcp.payload().is_empty();
        return data.then_some(Asks::Data);
    };
    Some(match asked.kind {
        Kind::V1 => Asks::V1,
        Kind::V0 => Asks::V0,
        Kind::Both => Asks::Both,
        Kind::Join => Asks::Join,
        Kind::Plain if tcp.options().any(|option| matches!(option, TcpOption::Unknown { .. })) => {
            Asks::Canary
        }
        Kind::Plain => Asks::Plain,
    })
}

/// What a SYN/ACK or reset says about Multipath TCP, held against the SYN that it answers. Whoever returns an option that nobody
/// knows returns anything.
pub fn judge_answer(syn: &Tcp<'_>, answer: HopAnswer, tcp: &Tcp<'_>) -> Option<Finding> {
    let asked = Asked::by(syn)?;
    let kind = match answer {
        HopAnswer::SynAck => AnswerKind::SynAck,
        HopAnswer::Reset => AnswerKind::Reset,
        _ => return None,
    };
    if kind == AnswerKind::SynAck && returns_unknown(syn.options(), tcp.options()) {
        return Some(Finding::Mirrored);
    }
    Some(judge(&asked, kind, tcp.options()).0)
}

fn returns_unknown(sent: Options<'_>, answered: Options<'_>) -> bool {
    // Fast Open's cookie is its own option.
    sent.filter(|option| matches!(option, TcpOption::Unknown { data, .. } if !data.is_empty()))
        .any(|option| answered.clone().any(|other| other == option))
}
