//! Who answers: the target itself, or somebody nearer in its place.

use std::net::IpAddr;

use super::conclude::{Facts, Span, Verdict};
use super::record::{Run, Seen};
use crate::distance::{Distance, Distances, back};
use crate::rows::{Behaviour, Category, Confidence, Direction, Finding, HopAnswer};

impl Facts<'_> {
    /// Smallest hop limit of the target's other answers: they come from itself, whoever speaks for it on its port. And whether both
    /// kinds of them say so.
    fn own_hops(&self) -> (Option<u8>, bool) {
        match (self.trace.reset.hops, self.trace.echo.hops) {
            (Some(a), Some(b)) => (Some(a.min(b)), true),
            (a, b) => (a.or(b), false),
        }
    }

    /// Options come back as they were sent.
    pub(super) fn mirrored(&self) -> Option<Verdict> {
        let mirrors = |seen: &Seen| seen.finding == Some(Finding::Mirrored);
        let all =
            || self.trace.runs.iter().flat_map(|run| run.seen().map(move |(hop, seen)| (run, hop, seen)));
        let times = all().filter(|(.., seen)| mirrors(seen)).count();
        if times == 0 {
            return None;
        }
        let nearest = all()
            .filter(|(.., seen)| mirrors(seen) && seen.time_ns.is_some())
            .min_by_key(|&(_, hop, _)| hop)
            .map(|(run, hop, seen)| (run, hop, seen.from));
        let (own, _) = self.own_hops();
        let mut verdict = Verdict {
            category: Category::MiddleboxAffected,
            behaviour: Some(Behaviour::Mirror),
            direction: None,
            span: Span::default(),
            confidence: if times > 1 { Confidence::High } else { Confidence::Low },
            evidence: format!("options came back as they were sent, in {times} answers"),
        };
        match (nearest, own) {
            (Some((run, hop, from)), Some(own)) if hop < own => {
                verdict.direction = Some(Direction::Forward);
                verdict.span = self.answering(run, hop, from);
                verdict.evidence +=
                    &format!(", from hop limit {hop} on, where the target itself is {own} hops away");
            }
            (Some((_, hop, _)), Some(own)) => {
                verdict.direction = Some(Direction::Return);
                verdict.evidence +=
                    &format!(", from as far away ({hop} hops) as the target's other answers ({own})");
            }
            (Some((run, hop, from)), None) => {
                verdict.span = self.answering(run, hop, from);
                verdict.evidence += &format!(", from hop limit {hop} on");
                verdict.confidence = verdict.confidence.max(Confidence::Medium);
            }
            (None, _) => verdict.confidence = verdict.confidence.max(Confidence::Medium),
        }
        Some(verdict)
    }

    /// Where something is that answers from a hop limit on.
    fn answering(&self, run: &Run, hop: u8, from: IpAddr) -> Span {
        Span { after: Some(self.router(run.last_router(hop))), before: Some((hop, Some(from))) }
    }

    /// Somebody nearer than the target answers for it.
    pub(super) fn proxy(&self) -> Option<Verdict> {
        let nearest = self.trace.runs.iter().filter_map(|run| Some((run.nearest(HopAnswer::SynAck)?, run)));
        let (hop, run) = nearest.min_by_key(|&(hop, _)| hop)?;
        let (reset, echo) = (self.trace.reset, self.trace.echo);
        let (_, nearest) = run.seen().find(|&(at, seen)| at == hop && seen.answer == HopAnswer::SynAck)?;
        let syn_ack =
            Distance { hops: Some(hop), beyond: run.last_router(hop), back: Some(back(nearest.ttl)) };
        if (Distances { syn_ack, reset, echo }).proxy() != Some(true) {
            return None;
        }
        let (_, seen) = run.seen().find(|(_, seen)| seen.answer == HopAnswer::SynAck)?;
        let answers = self.trace.runs.iter().flat_map(Run::seen);
        let times = answers.filter(|&(at, seen)| at == hop && seen.answer == HopAnswer::SynAck).count();
        let (own, both) = self.own_hops();
        let further = |distance: Distance| distance.hops.is_none_or(|hops| hops > hop);
        Some(Verdict {
            category: Category::MiddleboxAffected,
            behaviour: Some(Behaviour::Proxy),
            direction: Some(Direction::Forward),
            span: self.answering(run, hop, seen.from),
            confidence: match times {
                0 | 1 => Confidence::Low,
                _ if both && further(reset) && further(echo) => Confidence::High,
                _ => Confidence::Medium,
            },
            evidence: match own {
                Some(own) => format!(
                    "SYN/ACKs come from {hop} hops away, other answers of the target ({}) from {own}",
                    match (reset.hops, echo.hops) {
                        (Some(_), Some(_)) => "resets of a closed port, echo replies",
                        (Some(_), None) => "resets of a closed port",
                        _ => "echo replies",
                    }
                ),
                None => format!(
                    "SYN/ACKs come from {hop} hops away, but routers further on see other probes pass"
                ),
            },
        })
    }
}
