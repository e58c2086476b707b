//! All that is known of one target, and the verdict that follows.

use std::net::IpAddr;

use subflow_rows::Hex64;
use subflow_wire::Key;

use super::{Answer, Packet};
use crate::probes::{Kind, Kinds};
use crate::rows::{self, AnswerKind, Finding, Verdict};
use crate::targets::Target;

/// What the answers of a target have shown so far. There may be millions of them at a time: what few have is kept elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// The weightiest finding of each kind of probe; `None` while there is none.
    findings: [Option<Finding>; 5],
    /// Time to live, and whether it is that of a SYN/ACK.
    ttl: Option<(u8, bool)>,
    answers: u16,
    repeats: u16,
    mss: Option<u16>,
    window: Option<u16>,
    rtt_micros: Option<u32>,
    rare: Option<Box<Rare>>,
}

/// What most targets with answers do not have, or only when they are about to be settled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Rare {
    /// Keys of version 0 and 1, and the flags beside them.
    keys: [Option<(Key, u8)>; 2],
    icmp: Option<(u8, u8, IpAddr)>,
}

/// So that a table of them stays small.
const _: () = assert!(size_of::<Evidence>() <= 40);

impl Evidence {
    /// Takes one answer in.
    pub fn add(&mut self, answer: &Answer<'_>, repeat: bool) {
        if repeat {
            self.repeats = self.repeats.saturating_add(1);
            return;
        }
        self.answers = self.answers.saturating_add(1);
        let finding = &mut self.findings[answer.kind as usize];
        if finding.is_none_or(|before| before.weight() < answer.finding.weight()) {
            *finding = Some(answer.finding);
        }
        if let (Some(place), Some(key), Some(flags)) = (
            match answer.finding {
                Finding::V0 => Some(0),
                Finding::V1 => Some(1),
                _ => None,
            },
            answer.mptcp.key,
            answer.mptcp.flags,
        ) {
            self.rare.get_or_insert_default().keys[place].get_or_insert((key, flags));
        }
        self.rtt_micros = match (self.rtt_micros, answer.rtt_micros) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        match answer.packet {
            Packet::Tcp { kind, window, mss, .. } => {
                let opening = kind == AnswerKind::SynAck;
                if self.ttl.is_none_or(|(_, first)| opening && !first) {
                    self.ttl = Some((answer.ttl, opening));
                }
                if opening {
                    self.mss = self.mss.or(mss);
                    self.window.get_or_insert(window);
                }
            }
            Packet::Icmp(error) => {
                if error.from == answer.target.addr {
                    self.ttl.get_or_insert((answer.ttl, false));
                }
                self.rare.get_or_insert_default().icmp.get_or_insert((error.ty, error.code, error.from));
            }
        }
    }

    /// What came of a kind of probe.
    pub fn finding(&self, kind: Kind) -> Option<Finding> {
        self.findings[kind as usize]
    }

    /// The kinds to which anything came.
    pub fn answered(&self) -> Kinds {
        Kind::ALL
            .iter()
            .filter(|&&kind| self.finding(kind).is_some())
            .fold(Kinds::NONE, |kinds, &kind| kinds.with(kind))
    }

    /// Whether any kind of a set was answered by a SYN/ACK.
    pub fn opened(&self, kinds: Kinds) -> bool {
        kinds.iter().any(|kind| self.finding(kind).is_some_and(is_open))
    }

    /// The row of table `targets`; `sent` are the kinds of probe that were sent.
    pub fn row(&self, target: &Target, sent: Kinds) -> rows::Target {
        let finding = |kind| sent.has(kind).then(|| self.finding(kind).unwrap_or(Finding::Silent));
        let Rare { keys: [v0, v1], icmp } = self.rare.as_deref().copied().unwrap_or_default();
        rows::Target {
            addr: target.addr,
            port: target.port,
            verdict: verdict(finding),
            v1: finding(Kind::V1),
            v0: finding(Kind::V0),
            both: finding(Kind::Both),
            plain: finding(Kind::Plain),
            join: finding(Kind::Join),
            v1_key: v1.map(|(key, _)| Hex64(key.0)),
            v1_flags: v1.map(|(_, flags)| flags),
            v0_key: v0.map(|(key, _)| Hex64(key.0)),
            v0_flags: v0.map(|(_, flags)| flags),
            answers: self.answers.into(),
            repeats: self.repeats.into(),
            rtt_min: self.rtt_micros.map(|micros| f64::from(micros) / 1e6),
            ttl: self.ttl.map(|(ttl, _)| ttl),
            mss: self.mss,
            window: self.window,
            icmp_type: icmp.map(|(ty, ..)| ty),
            icmp_code: icmp.map(|(_, code, _)| code),
            icmp_from: icmp.map(|(.., from)| from),
        }
    }
}

/// Whether a finding came with a SYN/ACK.
fn is_open(finding: Finding) -> bool {
    !matches!(finding, Finding::Silent | Finding::Icmp | Finding::Reset | Finding::MptcpReset)
}

/// The verdict from what came of each kind of probe; `None` for kinds that were not sent.
///
/// A mirror outweighs everything, for who returns options proves nothing by them. Silence and resets count against the
/// option only beside a plain SYN that was answered, and only those of probes that ask for MP_CAPABLE: servers
/// may well reset a join, or pass over it.
pub fn verdict(finding: impl Fn(Kind) -> Option<Finding>) -> Verdict {
    let any = |wanted: Finding| Kind::ALL.iter().any(|&kind| finding(kind) == Some(wanted));
    let asking = |test: &dyn Fn(Finding) -> bool| {
        Kind::ALL.iter().any(|&kind| kind.asks() && finding(kind).is_some_and(test))
    };
    if any(Finding::Mirrored) {
        return Verdict::Mirrored;
    }
    match (any(Finding::V0), any(Finding::V1)) {
        (true, true) => return Verdict::SupportsBoth,
        (true, false) => return Verdict::SupportsV0,
        (false, true) => return Verdict::SupportsV1,
        (false, false) => {}
    }
    if any(Finding::Malformed) {
        return Verdict::Malformed;
    }
    if any(Finding::Stripped) {
        return Verdict::Stripped;
    }
    if asking(&is_open) {
        return Verdict::PlainTcp;
    }
    // Without a question for MP_CAPABLE that was answered, MP_JOIN is the next best: version 1 says why it resets.
    if finding(Kind::Join) == Some(Finding::MptcpReset) && !asking(&|_| true) {
        return Verdict::SupportsV1;
    }
    if finding(Kind::Plain).is_some_and(is_open) {
        if asking(&|found| found == Finding::Reset || found == Finding::MptcpReset) {
            return Verdict::ResetWithOption;
        }
        if asking(&|_| true) {
            return Verdict::DroppedWithOption;
        }
        return match finding(Kind::Join) {
            Some(found) if is_open(found) => Verdict::PlainTcp,
            _ => Verdict::Open,
        };
    }
    if finding(Kind::Join).is_some_and(is_open) {
        return Verdict::PlainTcp;
    }
    if any(Finding::Reset) || any(Finding::MptcpReset) {
        return Verdict::Closed;
    }
    if any(Finding::Icmp) { Verdict::Unreachable } else { Verdict::Filtered }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Findings in the order of v1, v0, both, plain, join; a dot where none was sent.
    fn of(findings: &str) -> Verdict {
        let findings: Vec<Option<Finding>> = findings
            .split(' ')
            .map(|name| Finding::ALL.iter().copied().find(|finding| finding.as_str() == name))
            .collect();
        assert_eq!(findings.len(), 5);
        verdict(|kind| findings[kind as usize])
    }

    #[test]
    fn verdicts_of_all_kinds() {
        for (findings, verdict) in [
            ("v1 no_option . . .", Verdict::SupportsV1),
            ("no_option v0 . . .", Verdict::SupportsV0),
            ("v1 v0 . . .", Verdict::SupportsBoth),
            ("v1 mirrored . . .", Verdict::Mirrored),
            ("no_option no_option . no_option mirrored", Verdict::Mirrored),
            ("malformed no_option . . .", Verdict::Malformed),
            ("stripped no_option . . .", Verdict::Stripped),
            ("no_option silent . . .", Verdict::PlainTcp),
            ("no_option . . silent .", Verdict::PlainTcp),
            ("silent silent . no_option .", Verdict::DroppedWithOption),
            ("icmp . . no_option .", Verdict::DroppedWithOption),
            ("reset silent . no_option .", Verdict::ResetWithOption),
            (". . . no_option .", Verdict::Open),
            (". . . no_option no_option", Verdict::PlainTcp),
            (". . . no_option mptcp_reset", Verdict::SupportsV1),
            (". . . no_option reset", Verdict::Open),
            ("v1 no_option . no_option mptcp_reset", Verdict::SupportsV1),
            ("reset reset . reset reset", Verdict::Closed),
            ("reset . . silent .", Verdict::Closed),
            ("icmp silent . silent .", Verdict::Unreachable),
            ("silent silent silent silent silent", Verdict::Filtered),
            (". . v1 . .", Verdict::SupportsV1),
        ] {
            assert_eq!(of(findings), verdict, "{findings}");
        }
    }
}
