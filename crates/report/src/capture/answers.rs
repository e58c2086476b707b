//! The answers, in words and key figures: what somebody who reads nothing else should know.

use super::Source;
use crate::page::{Block, Fact, Finding, Section, Tone};
use crate::text::{bytes, counted, grouped, percent, seconds, share};
use subflow_analysis::summary::Summary;
use subflow_store::time::Rfc3339;

pub(super) fn section(summary: &Summary, source: &Source) -> Section {
    let words = sentences(summary, source).into_iter().map(|words| Finding { tone: Tone::Plain, words });
    Section::new("short", "In short")
        .block(Block::Facts(facts(summary, source)))
        .block(Block::Findings(words.collect()))
}

/// A moment to the second: `2026-01-31 12:30:05 UTC`.
pub(super) fn moment(ns: i64) -> String {
    let text = Rfc3339(ns).to_string();
    let whole = text.split('.').next().unwrap_or_default();
    format!("{} UTC", whole.replace('T', " "))
}

/// A long duration in the units people think in: `41.2 s`, `12 min 5 s`, `3 d 4 h`.
pub(super) fn long(duration: f64) -> String {
    let whole = duration.round() as u64;
    match whole {
        0..120 => seconds(duration),
        120..7200 => format!("{} min {} s", whole / 60, whole % 60),
        7200..172_800 => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
        _ => format!("{} d {} h", whole / 86_400, whole % 86_400 / 3600),
    }
}

fn facts(summary: &Summary, source: &Source) -> Vec<Fact> {
    let mut facts = vec![Fact::new(
        "packets read",
        grouped(source.packets),
        format!("from {}", counted(source.files, "file")),
    )];
    if let Some((first, last)) = source.span_ns {
        let duration = last.saturating_sub(first) as f64 / 1e9;
        facts.push(Fact::new("time span", long(duration), format!("from {}", moment(first))));
    }
    let mptcp = summary.mptcp.total;
    facts.push(Fact::new(
        "MPTCP traffic",
        bytes(mptcp.bytes),
        match summary.tcp.total.bytes {
            0 => "no TCP at all".to_owned(),
            all => format!("{} of the TCP bytes", percent(mptcp.bytes, all)),
        },
    ));
    facts.push(Fact::new(
        "MPTCP connections",
        grouped(summary.connections),
        format!("{} established", grouped(summary.established)),
    ));
    let established: u64 =
        summary.subflows.iter().map(|(&subflows, &count)| u64::from(subflows) * count).sum();
    let most = summary.subflows.keys().next_back().copied().unwrap_or(0);
    facts.push(Fact::new(
        "subflows established",
        grouped(established),
        format!("on {}, at most {most} on one", counted(summary.established, "connection")),
    ));
    facts.push(Fact::new(
        "hosts",
        grouped(summary.hosts),
        format!("{} of them opened connections", grouped(summary.clients)),
    ));
    facts.push(Fact::new(
        "handovers",
        grouped(summary.handovers),
        format!("in {}", counted(summary.with_handover, "connection")),
    ));
    let fell: u64 = summary.fallen.counts().map(|(.., count)| count).sum();
    facts.push(Fact::new(
        "fallbacks to TCP",
        grouped(fell),
        format!("of {}", counted(summary.connections, "connection")),
    ));
    facts
}

fn sentences(summary: &Summary, source: &Source) -> Vec<String> {
    let mut told = Vec::new();
    if source.interrupted {
        told.push("Incomplete: reading was ended before the end of the input.".to_owned());
    }
    if summary.connections == 0 {
        told.push(if summary.tcp.total.packets == 0 {
            "No TCP packet was found, and so no Multipath TCP.".to_owned()
        } else {
            format!(
                "No Multipath TCP: none of the {} carries its option where a connection begins or goes on.",
                counted(summary.tcp.total.packets, "TCP packet")
            )
        });
        return told;
    }
    let all = summary.connections;
    let mut first = format!(
        "{} of {} became Multipath TCP ({})",
        grouped(summary.established),
        counted(all, "attempted connection"),
        percent(summary.established, all)
    );
    let fell = all.saturating_sub(summary.established + summary.unanswered);
    let rest: Vec<String> =
        [(summary.unanswered, "never got an answer"), (fell, "fell back to plain TCP in the handshake")]
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{} {what}", grouped(count)))
            .collect();
    if !rest.is_empty() {
        first.push_str(&format!("; {}", rest.join(", ")));
    }
    first.push('.');
    told.push(first);
    told.extend(subflows(summary));
    told.extend(addresses(summary));
    if let (Some(median), Some(within)) =
        (summary.join_delay.quantile(0.5), summary.join_delay.share_within(1.0))
    {
        told.push(format!(
            "The second subflow came {} after the first (median of {}); within 1 s on {} of them.",
            seconds(median),
            counted(summary.join_delay.count(), "connection"),
            share(within)
        ));
    }
    let repeats = &summary.reinjected;
    if repeats.connections > 0 {
        told.push(format!(
            "{} of {} with data on two or more subflows sent some of it again on another subflow: {}, {} of their data.",
            grouped(repeats.with_any),
            counted(repeats.connections, "connection"),
            bytes(repeats.bytes),
            if repeats.unique_bytes == 0 { "0 %".to_owned() } else { percent(repeats.bytes, repeats.unique_bytes) },
        ));
    }
    told.push(match summary.handovers {
        0 => "No handover: no subflow died with data going on elsewhere.".to_owned(),
        count => format!(
            "{} in {}: a subflow fell silent or was reset, and data went on on another.",
            counted(count, "handover"),
            counted(summary.with_handover, "connection")
        ),
    });
    told
}

/// How many subflows connections used.
fn subflows(summary: &Summary) -> Option<String> {
    let whole: u64 = summary.subflows.values().sum();
    if whole == 0 {
        return None;
    }
    let count = |subflows: u32| summary.subflows.get(&subflows).copied().unwrap_or(0);
    let more: u64 = summary.subflows.range(3..).map(|(_, count)| count).sum();
    let parts: Vec<String> = [(count(1), "one subflow"), (count(2), "two"), (more, "three or more")]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{} used {what}", percent(count, whole)))
        .collect();
    Some(format!("Of the established connections, {}.", parts.join(", ")))
}

fn addresses(summary: &Summary) -> Option<String> {
    let size = |addresses: usize| u64::try_from(addresses).unwrap_or(u64::MAX);
    let all: u64 = summary.announced.values().map(|class| size(class.addresses.len())).sum();
    if summary.announcing == 0 || all == 0 {
        return None;
    }
    let global: u64 = summary
        .announced
        .iter()
        .filter(|(class, _)| subflow_analysis::is_global(class))
        .map(|(_, class)| size(class.addresses.len()))
        .sum();
    Some(format!(
        "{} announced further addresses, at most {} on one; {} of {} could be reached from anywhere on the Internet.",
        counted(summary.announcing, "connection"),
        summary.most_announced,
        percent(global, all),
        counted(all, "distinct address"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_in_units_that_people_think_in() {
        assert_eq!(long(41.25), "41.2 s");
        assert_eq!(long(725.0), "12 min 5 s");
        assert_eq!(long(7260.0), "2 h 1 min");
        assert_eq!(long(273_600.0), "3 d 4 h");
    }

    #[test]
    fn moments_are_to_the_second() {
        assert_eq!(moment(1_767_323_045_000_000_006), "2026-01-02 03:04:05 UTC");
    }

    #[test]
    fn without_tcp_there_is_one_sentence() {
        let told = sentences(&Summary::default(), &Source::default());
        assert_eq!(told, ["No TCP packet was found, and so no Multipath TCP."]);
    }
}
