//! Am I affected by a middlebox? What the capture shows of boxes that remove, mirror or change things on the way.

use super::collect::Collected;
use crate::page::{Block, Finding, Section, Tone};
use crate::text::{counted, grouped};
use subflow_analysis::rows::{Direction, EventKind, Fallback};
use subflow_analysis::summary::Summary;

pub(super) fn section(summary: &Summary, rows: &Collected) -> Section {
    let section = Section::new("middlebox", "Affected by a middlebox?");
    if summary.connections == 0 {
        return section.empty("There is no Multipath TCP in this capture that a box could have changed.");
    }
    let found = findings(summary, rows);
    if found.is_empty() {
        let words = format!(
            "No sign of one: in none of {} did an option disappear, come back mirrored, or a checksum or HMAC fail. \
             A box beyond this capture point that changes what passes later can only be seen from the other side.",
            counted(summary.connections, "connection")
        );
        return section.block(Block::Findings(vec![Finding { tone: Tone::Good, words }]));
    }
    section.block(Block::Findings(found)).text(
        "A capture shows one point of a path. Where it cannot tell whether a box or the other host is to blame, \
         a capture at the other end, read together with this one, can.",
    )
}

/// What is found, the surest first.
fn findings(summary: &Summary, rows: &Collected) -> Vec<Finding> {
    let mut found: Vec<(Sure, String)> = Vec::new();
    let mut tell = |sure: Sure, count: u64, noun: &str, words: &dyn Fn(String) -> String| {
        if count > 0 {
            let words = words(counted(count, noun));
            found.push((sure, format!("{}: {words}", sure.word())));
        }
    };
    let fell = |place| summary.fallbacks.get(&place).copied().unwrap_or(0);
    let toward = |place, direction| -> u64 {
        let here = |(at, _, way, count): (Fallback, _, Option<Direction>, u64)| {
            (at == place && way == Some(direction)).then_some(count)
        };
        summary.fallen.counts().filter_map(here).sum()
    };
    let connection = "connection";
    tell(Sure::Yes, fell(Fallback::Mirror), connection, &|connections| {
        format!(
            "in {connections} the SYN/ACK returned the client's own MP_CAPABLE. A box mirrors options that it does \
             not know, and its clients cannot use Multipath TCP."
        )
    });
    let speakers = rows.traces.refused_by_speakers();
    tell(Sure::Probably, speakers, connection, &|connections| {
        format!(
            "{connections} fell back because the SYN/ACK came without MP_CAPABLE, though the same servers spoke \
             Multipath TCP in other connections. A middlebox removed the option on the way to the server or back, or \
             the server refused."
        )
    });
    tell(Sure::Perhaps, fell(Fallback::SynAck).saturating_sub(speakers), connection, &|connections| {
        format!(
            "{connections} fell back because the SYN/ACK came without MP_CAPABLE, from servers that never spoke it \
             here. The server has no Multipath TCP, or a middlebox removed the option on the way to it or back."
        )
    });
    tell(Sure::Probably, fell(Fallback::Syn), connection, &|connections| {
        format!(
            "in {connections} the SYN with MP_CAPABLE went unanswered, and the one without it was answered. A box \
             drops SYNs with the option, or the first ones were lost."
        )
    });
    for (direction, sender) in [(Direction::C2s, "client"), (Direction::S2c, "server")] {
        tell(Sure::Probably, toward(Fallback::FirstData, direction), connection, &|connections| {
            format!(
                "{connections} fell back after the handshake: the first data of the {sender} came without Multipath \
                 TCP options. A box removed them from it, or from the handshake on the way to the {sender}."
            )
        });
        tell(Sure::Yes, toward(Fallback::Checksum, direction), connection, &|connections| {
            format!(
                "in {connections} a DSS checksum failed on data of the {sender}. A box changed the payload, as \
                 application-level gateways do (FTP, SIP), and the connection went on as plain TCP."
            )
        });
        tell(Sure::Perhaps, toward(Fallback::Later, direction), connection, &|connections| {
            format!(
                "{connections} lost the options in the middle of the data of the {sender}. The path may have changed \
                 to one with a box that removes them, or an end gave up Multipath TCP."
            )
        });
    }
    tell(Sure::Probably, rows.traces.stripped, "further subflow", &|subflows| {
        format!(
            "{subflows} failed because a join was answered without MP_JOIN. A box removed the option on that path, or \
             the address belongs to another host."
        )
    });
    let failed = summary.events.get(&EventKind::MpFail).copied().unwrap_or(0);
    tell(Sure::Yes, failed.saturating_sub(fell(Fallback::Checksum)), "checksum failure", &|failures| {
        format!("{failures} (MP_FAIL) beyond those. A box changed the payload on one of several subflows.")
    });
    tell(Sure::Perhaps, rows.traces.wrong_hmac_joins, "join", &|joins| {
        format!(
            "{joins} had a wrong HMAC. Keys or nonces were changed on the way, or somebody without the keys tried to \
             join."
        )
    });
    tell(Sure::Probably, rows.traces.wrong_hmac_announcements, "announcement", &|announcements| {
        format!("{announcements} of an address had a wrong HMAC. A box may have rewritten the address in it.")
    });
    tell(Sure::Yes, rows.traces.accused, "subflow", &|subflows| {
        format!("{subflows} ended with a reset whose reason was \u{201c}middlebox interference\u{201d}.")
    });
    found.sort_by_key(|(sure, _)| *sure);
    let mut findings: Vec<Finding> =
        found.into_iter().map(|(sure, words)| Finding { tone: sure.tone(), words }).collect();
    if !findings.is_empty() {
        let untouched = grouped(fell(Fallback::None));
        let words = format!("{untouched} of {} did not fall back.", counted(summary.connections, connection));
        findings.push(Finding { tone: Tone::Plain, words });
    }
    findings
}

/// How sure it is that a box is to blame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Sure {
    Yes,
    Probably,
    Perhaps,
}

impl Sure {
    fn word(self) -> &'static str {
        match self {
            Self::Yes => "Yes",
            Self::Probably => "Probably",
            Self::Perhaps => "Perhaps",
        }
    }

    fn tone(self) -> Tone {
        match self {
            Self::Yes | Self::Probably => Tone::Bad,
            Self::Perhaps => Tone::Care,
        }
    }
}
