//! From all that was seen of a target to a verdict.
//!
//! Nothing is claimed of a box that was seen once only with more than low confidence, and silence and resets count against the option
//! only beside a plain SYN that was answered.

use std::net::IpAddr;

use super::place::{Placed, is_contradicted, place};
use super::record::{Run, Seen, Trace};
use super::words::found as found_words;
use crate::rows::{Asks, Behaviour, Category, ChangeKind, Confidence, Direction, Field, Finding, HopAnswer};

/// A hop and who answered there.
pub type Edge = (u8, Option<IpAddr>);

/// Between which hops something is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// The last hop before it; 0 is the sender.
    pub after: Option<Edge>,
    /// The first hop behind it, or itself.
    pub before: Option<Edge>,
}

/// What follows from a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What the path makes of Multipath TCP.
    pub category: Category,
    /// What the boxes on it do.
    pub behaviour: Option<Behaviour>,
    /// On which way.
    pub direction: Option<Direction>,
    /// Where.
    pub span: Span,
    /// How sure that is.
    pub confidence: Confidence,
    /// What it rests on.
    pub evidence: String,
}

/// A trace with the changes of each of its runs.
pub(super) struct Facts<'a> {
    pub(super) trace: &'a Trace,
    pub(super) placed: Vec<Vec<Placed>>,
}

/// What asks for Multipath TCP, the version of today first.
const ASKING: [Asks; 5] = [Asks::V1, Asks::Both, Asks::V0, Asks::Custom, Asks::Join];

impl<'a> Facts<'a> {
    pub(super) fn new(trace: &'a Trace) -> Self {
        Self { trace, placed: trace.runs.iter().map(place).collect() }
    }

    /// The runs that ask something, with their changes.
    fn runs(&self, asks: Asks) -> impl Iterator<Item = (&'a Run, &[Placed])> {
        let all = self.trace.runs.iter().zip(self.placed.iter().map(Vec::as_slice));
        all.filter(move |(run, _)| run.asks == asks)
    }

    fn finding(&self, asks: Asks) -> Option<Finding> {
        self.trace.finding(asks)
    }

    /// Runs of what is asked whose target answered so.
    fn count(&self, asks: Asks, test: impl Fn(Finding) -> bool) -> usize {
        self.trace.asking(asks).filter(|run| test(run.finding())).count()
    }

    /// Smallest hop limit with a SYN/ACK.
    pub(super) fn syn_ack_hops(&self) -> Option<u8> {
        self.trace.runs.iter().filter_map(|run| run.nearest(HopAnswer::SynAck)).min()
    }

    pub(super) fn verdict(&self) -> Verdict {
        let mut asked = ASKING.into_iter().filter(|&asks| self.trace.asking(asks).any(|run| run.mptcp));
        let Some(first) = asked.clone().find(|&asks| asks != Asks::Join).or_else(|| asked.next()) else {
            return self.plain();
        };
        let others = || ASKING.into_iter().filter(move |&asks| asks != first && asks != Asks::Join);
        self.mirrored()
            .or_else(|| self.proper(first))
            .or_else(|| self.forward(first))
            .or_else(|| self.refused(first))
            .or_else(|| others().find_map(|asks| self.proper(asks)))
            .or_else(|| self.returned(first))
            .or_else(|| self.proxy())
            .or_else(|| others().find_map(|asks| self.forward(asks).or_else(|| self.refused(asks))))
            .unwrap_or_else(|| self.plain())
    }

    /// A hop with the address of its router.
    pub(super) fn router(&self, hop: u8) -> Edge {
        let answers = self.trace.runs.iter().flat_map(Run::seen);
        let mut routers = answers.filter(|&(at, seen)| at == hop && seen.answer == HopAnswer::TimeExceeded);
        (hop, routers.next().map(|(_, seen)| seen.from))
    }

    /// The target answers properly, and what was asked got there unchanged.
    fn proper(&self, asks: Asks) -> Option<Verdict> {
        let is_proper = |finding| matches!(finding, Finding::V0 | Finding::V1);
        let finding = self.finding(asks).filter(|&finding| is_proper(finding))?;
        if self.forward(asks).is_some() {
            return None;
        }
        if let Some(data) = self.forward(Asks::Data) {
            return Some(Verdict { evidence: format!("after the handshake, {}", data.evidence), ..data });
        }
        if let Some(proxy) = self.proxy() {
            return Some(proxy);
        }
        let times = self.answers(asks, finding);
        let (quotes, routers) = self.clean_quotes(asks);
        let mut evidence = format!("{finding} was answered {} with a key of its own", often(times));
        if quotes > 0 {
            evidence += &format!("; the option was quoted unchanged {}", often(quotes));
        } else if routers > 0 {
            evidence += "; no router quoted the option";
        }
        let (behaviour, span, more) = self.beside();
        if !more.is_empty() {
            evidence += &format!("; {more}");
        }
        for other in ASKING.into_iter().filter(|&other| other != asks) {
            if let Some(verdict) = self.forward(other).or_else(|| self.refused(other)) {
                evidence += &format!("; but {}", verdict.evidence);
            }
        }
        let sure = times > 1 && (quotes > 0 || routers == 0);
        Some(Verdict {
            category: Category::True,
            behaviour: Some(behaviour),
            direction: (behaviour != Behaviour::PassThrough).then_some(Direction::Forward),
            span,
            confidence: if sure { Confidence::High } else { Confidence::Medium },
            evidence,
        })
    }

    fn answers(&self, asks: Asks, finding: Finding) -> usize {
        self.trace.asking(asks).flat_map(Run::seen).filter(|(_, seen)| seen.finding == Some(finding)).count()
    }

    /// How many quotes show the options of Multipath TCP as they were sent, and how many routers answered.
    fn clean_quotes(&self, asks: Asks) -> (usize, usize) {
        let routers = || {
            self.trace
                .asking(asks)
                .flat_map(Run::seen)
                .filter(|(_, seen)| seen.answer == HopAnswer::TimeExceeded)
        };
        let clean = |seen: &Seen| {
            seen.quote.as_ref().is_some_and(|quote| {
                let kind = quote.comparison.kind;
                matches!(kind, crate::rows::QuoteKind::Full | crate::rows::QuoteKind::Headers)
                    && !quote.comparison.changes.iter().any(super::change::Change::is_mptcp)
            })
        };
        (routers().filter(|(_, seen)| clean(seen)).count(), routers().count())
    }

    /// What boxes change beside Multipath TCP, and where.
    fn beside(&self) -> (Behaviour, Span, String) {
        let all = self.trace.runs.iter().zip(&self.placed).filter(|(run, _)| run.asks != Asks::Data);
        let confirmed = |field: Field, kind: ChangeKind| {
            let same =
                self.placed.iter().flatten().filter(|p| p.change.field == field && p.change.kind == kind);
            same.map(|place| place.times).sum::<u32>() > 1
        };
        let mut changes: Vec<&Placed> = all
            .flat_map(|(_, placed)| placed)
            .filter(|place| !place.change.is_mptcp() && confirmed(place.change.field, place.change.kind))
            .collect();
        changes.sort_by_key(|place| (place.before, place.before - place.after.min(place.before)));
        changes.dedup_by_key(|place| (place.change.field, place.change.kind));
        let Some(first) = changes.first() else {
            return (Behaviour::PassThrough, Span::default(), String::new());
        };
        let translated = changes.iter().find(|place| {
            place.change.is_translation()
                // A whole quote that does not fit its own checksum was translated, and its addresses translated back.
                || (place.change.field == Field::Checksum && place.checksum_fits == Some(false))
        });
        let fields: Vec<String> = changes.iter().map(|place| place.change.to_string()).collect();
        let words = format!("changed on the way: {}", fields.join(", "));
        match translated {
            Some(place) => (Behaviour::Nat, span_of(place), words),
            None => (Behaviour::Rewrite, span_of(first), words),
        }
    }

    /// The option is changed on the way to the target.
    fn forward(&self, asks: Asks) -> Option<Verdict> {
        let mut found: Vec<&Placed> =
            self.runs(asks).flat_map(|(_, placed)| placed).filter(|place| place.change.is_mptcp()).collect();
        // The one nearest to us is the one that matters.
        found.sort_by_key(|place| place.before);
        let first = *found.first()?;
        let own: u32 =
            found.iter().filter(|place| place.change.same(&first.change)).map(|place| place.times).sum();
        // Whatever else meets the same box bears witness, too: data is another matter.
        let alike = |place: &&Placed| {
            let overlaps = place.after < first.before && first.after < place.before;
            place.change.is_mptcp() && place.change.kind == first.change.kind && overlaps
        };
        let all = self.trace.runs.iter().zip(&self.placed);
        let witnesses = all.filter(|(run, _)| (run.asks == Asks::Data) == (asks == Asks::Data));
        let same: Vec<&Placed> = witnesses.flat_map(|(_, placed)| placed).filter(alike).collect();
        let times: u32 = same.iter().map(|place| place.times).sum();
        let strip = matches!(first.change.kind, ChangeKind::Padded | ChangeKind::Removed);
        // Several runs narrow each other down, unless they took different ways.
        let after = same.iter().map(|place| (place.after, place.after_addr)).max_by_key(|edge| edge.0)?;
        let before = same.iter().map(|place| (place.before, place.before_addr)).min_by_key(|edge| edge.0)?;
        let span = if after.0 < before.0 {
            Span { after: Some(after), before: Some(before) }
        } else {
            span_of(first)
        };
        let inferred = same.iter().all(|place| place.inferred);
        // One branch of several, or a box that does it now and then.
        let elsewhere = is_contradicted(self.trace, asks, None, first);
        let confidence = match times {
            0 | 1 => Confidence::Low,
            _ if inferred || elsewhere => Confidence::Medium,
            _ => Confidence::High,
        };
        let done = match first.change.kind {
            ChangeKind::Padded => "padding in the place of the option".to_owned(),
            ChangeKind::Removed => "the option gone".to_owned(),
            _ => first.change.to_string(),
        };
        let mut evidence = format!("{} of {asks} {} {done}", count(own, "quote"), verb(own, "show"));
        if times > own {
            evidence += &format!(" (and {} of other probes)", times - own);
        }
        if inferred {
            evidence += ", by length or checksum alone";
        }
        if let (Some((after, _)), Some((before, _))) = (span.after, span.before) {
            evidence += &match after {
                0 => format!(", from hop {before} on"),
                _ => format!(", from hop {before} on; hop {after} got it as it was sent"),
            };
        }
        if elsewhere {
            evidence += "; other probes passed unchanged, as on another branch";
        }
        match self.finding(asks) {
            Some(Finding::Silent) if asks != Asks::Data => evidence += "; nothing came back",
            Some(finding) if asks != Asks::Data => {
                evidence += &format!("; the target {}", found_words(finding));
            }
            _ => {}
        }
        Some(Verdict {
            category: Category::MiddleboxAffected,
            behaviour: Some(if strip { Behaviour::Strip } else { Behaviour::Rewrite }),
            direction: Some(Direction::Forward),
            span,
            confidence,
            evidence,
        })
    }

    /// What asks for Multipath TCP is not answered, or reset, where plain TCP is taken.
    fn refused(&self, asks: Asks) -> Option<Verdict> {
        let finding = self.finding(asks)?;
        let behaviour = match finding {
            Finding::Silent | Finding::Icmp => Behaviour::Drop,
            // Servers may well reset a join.
            Finding::Reset | Finding::MptcpReset if asks != Asks::Join => Behaviour::Reset,
            _ => return None,
        };
        if asks == Asks::Join {
            return None;
        }
        let controls: Vec<&Run> =
            self.trace.runs.iter().filter(|run| !run.mptcp && is_open(run.finding())).collect();
        if controls.is_empty() {
            return None;
        }
        let shut = self.trace.runs.iter().any(|run| run.asks == Asks::Plain && !is_open(run.finding()));
        let distance = controls.iter().filter_map(|run| run.nearest(HopAnswer::SynAck)).min();
        let reaching = |run: &Run| {
            let far = run.probed().filter(|&(hop, _)| distance.is_none_or(|distance| hop >= distance));
            far.map(|(_, step)| step.probes).sum::<u32>()
        };
        let tries: u32 = self.trace.asking(asks).map(reaching).sum();
        let span = self.refusing(asks, behaviour, &controls);
        let rounds = self.trace.asking(asks).count();
        let confidence = match (tries, rounds) {
            (0 | 1, _) => Confidence::Low,
            _ if shut => Confidence::Low,
            (_, 1) => Confidence::Medium,
            _ => Confidence::High,
        };
        let what = if behaviour == Behaviour::Drop { "not answered" } else { "reset" };
        let mut evidence = format!(
            "{asks} was {what} in {rounds} rounds of {tries} probes that went far enough; plain TCP was answered"
        );
        if let (Some((after, _)), Some((before, _))) = (span.after, span.before) {
            evidence += &format!(
                "; hop {after} is the last that {asks} got to, hop {before} the next that answers plain TCP"
            );
        }
        Some(Verdict {
            category: Category::MiddleboxAffected,
            behaviour: Some(behaviour),
            direction: Some(Direction::Forward),
            span,
            confidence,
            evidence,
        })
    }

    /// Between the last hop that what is refused got to, and the next that the control got to, or the one that resets.
    fn refusing(&self, asks: Asks, behaviour: Behaviour, controls: &[&Run]) -> Span {
        let runs: Vec<&Run> = self.trace.asking(asks).collect();
        let resets = runs.iter().filter_map(|run| run.nearest(HopAnswer::Reset)).min();
        let limit = resets.filter(|_| behaviour == Behaviour::Reset).unwrap_or(u8::MAX);
        let after = runs.iter().map(|run| run.last_router(limit)).max().unwrap_or(0);
        let answered = controls
            .iter()
            .flat_map(|run| run.seen())
            .filter(|&(hop, seen)| hop > after && seen.answer != HopAnswer::Silent && seen.time_ns.is_some());
        let before = answered.min_by_key(|&(hop, _)| hop).map(|(hop, seen)| (hop, Some(seen.from)));
        let before = match (before, limit) {
            (Some((hop, _)), limit) if limit < hop => Some(self.router(limit)),
            (None, limit) if limit < u8::MAX => Some(self.router(limit)),
            (before, _) => before,
        };
        Span { after: Some(self.router(after)), before }
    }

    /// What was asked got there, but the answer was changed.
    fn returned(&self, asks: Asks) -> Option<Verdict> {
        let verdict = |behaviour, confidence, evidence| Verdict {
            category: Category::MiddleboxAffected,
            behaviour: Some(behaviour),
            direction: Some(Direction::Return),
            span: Span::default(),
            confidence,
            evidence,
        };
        let sure = |times| if times > 1 { Confidence::High } else { Confidence::Low };
        for asks in [asks].into_iter().chain(ASKING.into_iter().filter(|&other| other != asks)) {
            let times = self.answers(asks, Finding::Stripped);
            if times > 0 {
                let evidence = format!(
                    "{times} SYN/ACKs to {asks} have padding where the option would be: the target had answered with it"
                );
                return Some(verdict(Behaviour::Strip, sure(times), evidence));
            }
        }
        let resets = self.answers(Asks::Join, Finding::MptcpReset);
        if resets > 0 && self.finding(asks) == Some(Finding::NoOption) {
            let evidence = format!(
                "the target resets MP_JOIN with MP_TCPRST ({resets} times), so it knows version 1, but its SYN/ACK to {asks} has no option"
            );
            return Some(verdict(Behaviour::Strip, sure(resets).max(Confidence::Medium), evidence));
        }
        let times = self.answers(asks, Finding::Malformed);
        if times > 0 {
            let evidence =
                format!("{times} SYN/ACKs to {asks} have an option that no version knows in this place");
            return Some(verdict(Behaviour::Rewrite, sure(times).max(Confidence::Medium), evidence));
        }
        None
    }

    /// The target answers without the option, or not at all.
    fn plain(&self) -> Verdict {
        let open = self
            .trace
            .runs
            .iter()
            .flat_map(Run::seen)
            .filter(|(_, seen)| seen.finding.is_some_and(is_open))
            .count();
        let sure = |times| if times > 1 { Confidence::High } else { Confidence::Medium };
        if open > 0 {
            if let Some(proxy) = self.proxy() {
                return proxy;
            }
            let (behaviour, span, more) = self.beside();
            let mut evidence = format!("{open} SYN/ACKs came without the option");
            if !more.is_empty() {
                evidence += &format!("; {more}");
            }
            return Verdict {
                category: Category::Plain,
                behaviour: Some(behaviour),
                direction: (behaviour != Behaviour::PassThrough).then_some(Direction::Forward),
                span,
                confidence: sure(open),
                evidence,
            };
        }
        let resets: usize = Asks::ALL
            .iter()
            .map(|&asks| self.count(asks, |f| matches!(f, Finding::Reset | Finding::MptcpReset)))
            .sum();
        let probes: u32 = self.trace.runs.iter().flat_map(Run::probed).map(|(_, step)| step.probes).sum();
        let evidence = match resets {
            0 => format!("none of {probes} probes was answered by the target"),
            _ => format!("{resets} runs ended in a reset, none in a SYN/ACK"),
        };
        let confidence = if resets > 1 || probes > 1 { Confidence::High } else { Confidence::Medium };
        Verdict {
            category: Category::Unresponsive,
            behaviour: None,
            direction: None,
            span: Span::default(),
            confidence,
            evidence,
        }
    }
}

/// "1 quote", "2 quotes".
pub(super) fn count(number: u32, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// "shows" of one, "show" of several.
fn verb(number: u32, verb: &str) -> String {
    if number == 1 { format!("{verb}s") } else { verb.to_owned() }
}

/// "once", "twice", "3 times".
fn often(times: usize) -> String {
    match times {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        _ => format!("{times} times"),
    }
}

fn span_of(place: &Placed) -> Span {
    Span { after: Some((place.after, place.after_addr)), before: Some((place.before, place.before_addr)) }
}

/// Whether a finding came with a SYN/ACK.
pub(super) fn is_open(finding: Finding) -> bool {
    !matches!(finding, Finding::Silent | Finding::Icmp | Finding::Reset | Finding::MptcpReset)
}
