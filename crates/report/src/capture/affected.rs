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

fn findings(summary: &Summary, rows: &Collected) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut bad = |count: u64, words: &dyn Fn(String) -> String| {
        if count > 0 {
            found.push(Finding { tone: Tone::Bad, words: words(counted(count, "connection")) });
        }
    };
    let fell = |place| summary.fallbacks.get(&place).copied().unwrap_or(0);
    let toward = |place, direction| -> u64 {
        let here = |(at, _, way, count): (Fallback, _, Option<Direction>, u64)| {
            (at == place && way == Some(direction)).then_some(count)
        };
        summary.fallen.counts().filter_map(here).sum()
    };
    bad(fell(Fallback::Mirror), &|connections| {
        format!(
            "Yes. In {connections} the SYN/ACK returned the client's own MP_CAPABLE: a box mirrors options that it \
             does not know, and its clients cannot use Multipath TCP."
        )
    });
    let synack = fell(Fallback::SynAck);
    let speakers = rows.traces.refused_by_speakers();
    bad(speakers, &|connections| {
        format!(
            "Probably. {connections} fell back because the SYN/ACK came without MP_CAPABLE, though the same servers \
             spoke Multipath TCP in other connections: a middlebox removed the option on the way to the server or \
             back, or the server refused."
        )
    });
    bad(synack.saturating_sub(speakers), &|connections| {
        format!(
            "Perhaps. {connections} fell back because the SYN/ACK came without MP_CAPABLE, from servers that never \
             spoke it here: a middlebox removed the option on the way to the server or back, or the server has no \
             Multipath TCP."
        )
    });
    bad(fell(Fallback::Syn), &|connections| {
        format!(
            "Probably. In {connections} the SYN with MP_CAPABLE went unanswered and the one without it was answered: \
             a box drops SYNs with the option, or the first ones were lost."
        )
    });
    for (direction, sender) in [(Direction::C2s, "client"), (Direction::S2c, "server")] {
        bad(toward(Fallback::FirstData, direction), &|connections| {
            format!(
                "Probably. {connections} fell back after the handshake: the first data of the {sender} came without \
                 Multipath TCP options. A box removed them from data packets, or from the handshake on the way to \
                 the {sender}."
            )
        });
        bad(toward(Fallback::Checksum, direction), &|connections| {
            format!(
                "Yes. In {connections} a DSS checksum failed on data of the {sender}: a box changed the payload, as \
                 application-level gateways do (FTP, SIP), and the connection went on as plain TCP."
            )
        });
        bad(toward(Fallback::Later, direction), &|connections| {
            format!(
                "Perhaps. {connections} lost the options in the middle of the data of the {sender}: the path may \
                 have changed to one with a box that removes them."
            )
        });
    }
    let mut subflows = |count: u64, noun: &str, words: &str| {
        if count > 0 {
            found.push(Finding { tone: Tone::Bad, words: format!("{} {words}", counted(count, noun)) });
        }
    };
    subflows(
        rows.traces.stripped,
        "further subflow",
        "failed because a join was answered without MP_JOIN: a box removed the option on that path, or the address \
         belongs to another host.",
    );
    let failed = summary.events.get(&EventKind::MpFail).copied().unwrap_or(0);
    subflows(
        failed.saturating_sub(fell(Fallback::Checksum)),
        "checksum failure",
        "(MP_FAIL) on one of several subflows: a box changed the payload there, and the subflow was reset.",
    );
    subflows(
        rows.traces.wrong_hmac_joins,
        "join",
        "had a wrong HMAC: keys or nonces were changed on the way, or somebody without the keys tried to join.",
    );
    subflows(
        rows.traces.wrong_hmac_announcements,
        "announcement",
        "of an address had a wrong HMAC: a box may have rewritten the address in it, as NATs do.",
    );
    subflows(
        rows.traces.accused,
        "subflow",
        "was reset with the reason \u{201c}middlebox interference\u{201d}: an end noticed a box itself.",
    );
    if !found.is_empty() {
        let untouched = fell(Fallback::None);
        let words = format!(
            "{} of {} show nothing of the kind.",
            grouped(untouched),
            counted(summary.connections, "connection")
        );
        found.push(Finding { tone: Tone::Plain, words });
    }
    found
}
