//! What scans would do and what they found, on the terminal.

use super::percent;
use super::sheet::Sheet;
use crate::text::{bytes, counted, grouped, seconds};
use std::time::Duration;
use subflow_probe::probes::Kinds;
use subflow_probe::rows::{Campaign, Verdict};
use subflow_probe::scan::{DryRun, Outcome, Settings};
use subflow_probe::targets::Plan;
use subflow_probe::{PortSummary, Summary};

/// Ports that the summary tells one by one.
const PORTS: usize = 20;

/// What a scan would do.
pub(crate) fn dry_run(dry: &DryRun, plan: &Plan, settings: &Settings) -> String {
    let mut text = "Dry run: nothing was sent\n".to_owned();
    let mut line = |name: &str, value: &str| text.push_str(&format!("  {name:<18}{value}\n"));
    let (v4, v6) = dry.addresses;
    let families = match (v4, v6) {
        (v4, 0) => format!("{} of IPv4", grouped(v4)),
        (0, v6) => format!("{} of IPv6", grouped(v6)),
        (v4, v6) => format!("{} of IPv4, {} of IPv6", grouped(v4), grouped(v6)),
    };
    let blocked = match u64::try_from(dry.blocked) {
        Ok(0) => String::new(),
        Ok(blocked) => format!("; {} more are blocked", grouped(blocked)),
        Err(_) => "; very many more are blocked".to_owned(),
    };
    line("addresses", &(families + &blocked));
    line("ports", &plan.ports_text());
    let shard = match plan.shard() {
        (_, 1) => String::new(),
        (shard, shards) => format!(" (shard {shard} of {shards})"),
    };
    line("targets", &(grouped(dry.targets) + &shard));
    line(
        "public addresses",
        match (dry.public, settings.acknowledge_public) {
            (false, _) => "none",
            (true, true) => "yes",
            (true, false) => "yes: the scan needs --i-have-permission",
        },
    );
    let canary = if settings.canary { ", each with a canary" } else { "" };
    line("probes", &format!("{}{canary}", settings.kinds));
    if settings.retries > 0 {
        line("then", &format!("up to {} more of each to silent targets", settings.retries));
    }
    if settings.follow_up && !settings.kinds.and(Kinds::ASKING).is_empty() {
        line("then", "a plain SYN to targets that do not answer the option");
    }
    line("packets", &range(dry.packets, grouped));
    line("on the wire", &range(dry.bytes, bytes));
    match dry.rate {
        Some(rate) => line("rate", &format!("{} packets/s", grouped(rate.round() as u64))),
        None => line("rate", "as fast as it goes"),
    }
    if let Some((least, most)) = dry.duration {
        let (least, most) = (span(least), span(most));
        line("duration", &if least == most { least } else { format!("{least} to {most}") });
    }
    line("seed", &plan.seed().to_string());
    line("contact", settings.contact.as_deref().unwrap_or("none (--contact)"));
    for (number, target) in dry.first.iter().enumerate() {
        line(if number == 0 { "first targets" } else { "" }, &target.to_string());
    }
    text
}

fn range(ends: (u64, u64), text: fn(u64) -> String) -> String {
    let (least, most) = (text(ends.0), text(ends.1));
    if least == most { least } else { format!("{least} to {most}") }
}

/// `8 s`, `2 min 5 s`, `3 h 20 min`, `12 days 4 h`: two units that matter.
pub(crate) fn span(duration: Duration) -> String {
    let mut left = duration.as_secs_f64().ceil() as u64;
    let units = [(86_400, "days"), (3600, "h"), (60, "min"), (1, "s")];
    let mut parts = Vec::new();
    for (length, unit) in units {
        let count = left / length;
        left %= length;
        if count > 0 {
            let unit = if (count, unit) == (1, "days") { "day" } else { unit };
            parts.push(format!("{} {unit}", grouped(count)));
        } else if !parts.is_empty() {
            break;
        }
        if parts.len() == 2 {
            break;
        }
    }
    if parts.is_empty() { "0 s".to_owned() } else { parts.join(" ") }
}

/// What is told when a scan begins.
pub(crate) fn beginning(dry: &DryRun, campaign: &Campaign) -> String {
    let left = dry.targets.saturating_sub(campaign.resumed_at);
    let targets = match campaign.resumed_at {
        0 => counted(left, "target"),
        _ => format!("the last {}", counted(left, "target")),
    };
    let how = match (dry.rate, dry.duration) {
        (Some(rate), Some((_, most))) => {
            let share = left as f64 / dry.targets.max(1) as f64;
            format!("with {} packets/s: up to {}", grouped(rate.round() as u64), span(most.mul_f64(share)))
        }
        _ => "as fast as it goes".to_owned(),
    };
    format!("probing {targets} from {} on {} {how}", campaign.sources, campaign.interface)
}

/// What a scan found.
pub(crate) fn results(found: &Summary, outcome: &Outcome) -> String {
    let progress = &outcome.progress;
    let repeated = match progress.repeats {
        0 => String::new(),
        repeats => format!(" ({} repeated)", grouped(repeats)),
    };
    let run = progress.settled.saturating_sub(outcome.campaign.resumed_at);
    let silent = run.saturating_sub(found.all().targets());
    let head = format!(
        "{} in {}: {} sent, {}{repeated}",
        counted(run, "target"),
        if progress.seconds < 60.0 {
            seconds(progress.seconds)
        } else {
            span(Duration::from_secs_f64(progress.seconds))
        },
        counted(progress.sent, "probe"),
        counted(progress.answers, "answer"),
    );
    format!("{head}\n\n{}", tables(found, silent))
}

/// What a capture of a scan holds.
pub(crate) fn offline(found: &Summary, answers: u64) -> String {
    let head = format!("{}, {}", counted(found.all().targets(), "target"), counted(answers, "answer"));
    format!("{head}\n\n{}", tables(found, 0)).trim_end().to_owned() + "\n"
}

/// The same in a line.
pub(crate) fn in_a_line(found: &Summary, outcome: &Outcome) -> String {
    let (all, progress) = (found.all(), &outcome.progress);
    format!(
        "{} sent, {}; {} open, {} with Multipath TCP",
        counted(progress.sent, "probe"),
        counted(progress.answers, "answer"),
        counted(all.open(), "port"),
        grouped(all.supporting())
    )
}

fn tables(found: &Summary, silent: u64) -> String {
    [verdicts(&found.all(), silent), versions(found), ports(found)]
        .into_iter()
        .filter(|text| !text.is_empty())
        .collect::<Vec<_>>()
        .join("\n")
}

fn verdicts(all: &PortSummary, silent: u64) -> String {
    let mut sheet = Sheet::new(&["verdict", "meaning", "targets", "of open"], 2);
    for &verdict in Verdict::ALL {
        let silent = if verdict == Verdict::Filtered { silent } else { 0 };
        let count = all.count(verdict) + silent;
        if count > 0 {
            let shut = matches!(verdict, Verdict::Closed | Verdict::Unreachable | Verdict::Filtered);
            let share = if shut { String::new() } else { percent(count, all.open()) };
            sheet.row([verdict.as_str().to_owned(), meaning(verdict).to_owned(), grouped(count), share]);
        }
    }
    sheet.under("Verdicts")
}

fn meaning(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::SupportsBoth => "Multipath TCP of versions 1 and 0",
        Verdict::SupportsV1 => "Multipath TCP of version 1",
        Verdict::SupportsV0 => "Multipath TCP of version 0",
        Verdict::Mirrored => "returns what it is sent: no support",
        Verdict::Malformed => "answers with an option that no version knows",
        Verdict::Stripped => "a box pads over the option of the answer",
        Verdict::PlainTcp => "answers without the option",
        Verdict::DroppedWithOption => "answers only SYNs without the option",
        Verdict::ResetWithOption => "resets SYNs with the option",
        Verdict::Open => "answers; it was not asked for the option",
        Verdict::Closed => "resets every SYN",
        Verdict::Unreachable => "ICMP says that it cannot be reached",
        Verdict::Filtered => "nothing answers",
    }
}

/// What the flags of version 1 say.
fn versions(found: &Summary) -> String {
    const CHECKSUM: u8 = 0x80;
    const NO_JOINS_HERE: u8 = 0x20;
    let with =
        |bit| found.v1_flags.iter().filter(|(flags, _)| *flags & bit != 0).map(|(_, count)| count).sum();
    let all = found.v1_flags.values().sum();
    if all == 0 {
        return String::new();
    }
    let mut sheet = Sheet::new(&["flag", "targets", "share"], 1);
    for (what, count) in
        [("checksum required", with(CHECKSUM)), ("no joins to this address", with(NO_JOINS_HERE))]
    {
        if count > 0 {
            sheet.row([what.to_owned(), grouped(count), percent(count, all)]);
        }
    }
    sheet.under("Supporters of version 1")
}

/// Each port, where there are several.
fn ports(found: &Summary) -> String {
    if found.ports.len() < 2 {
        return String::new();
    }
    let header =
        ["port", "targets", "open", "v1", "v0", "both", "share", "mirrored", "plain TCP", "breaks", "closed"];
    let mut sheet = Sheet::new(&header, 0);
    for (port, of) in found.ports.iter().take(PORTS) {
        sheet.row([
            port.to_string(),
            grouped(of.targets()),
            grouped(of.open()),
            grouped(of.count(Verdict::SupportsV1)),
            grouped(of.count(Verdict::SupportsV0)),
            grouped(of.count(Verdict::SupportsBoth)),
            percent(of.supporting(), of.open()),
            grouped(of.count(Verdict::Mirrored)),
            grouped(of.count(Verdict::PlainTcp)),
            grouped(of.count(Verdict::DroppedWithOption) + of.count(Verdict::ResetWithOption)),
            grouped(of.count(Verdict::Closed)),
        ]);
    }
    let mut text = sheet.under("Ports (share: support of open; breaks: fails with the option only)");
    if found.ports.len() > PORTS {
        text.push_str(&format!("  and {} more\n", grouped((found.ports.len() - PORTS) as u64)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_two_units() {
        let of = |seconds| span(Duration::from_secs(seconds));
        assert_eq!(
            [0, 8, 125, 3600, 12_000, 90_000, 1_050_000].map(of),
            ["0 s", "8 s", "2 min 5 s", "1 h", "3 h 20 min", "1 day 1 h", "12 days 3 h"]
        );
    }

    #[test]
    fn every_verdict_and_port() {
        let mut found = Summary::default();
        for (number, &verdict) in Verdict::ALL.iter().enumerate() {
            found.ports.entry(80).or_default().verdicts.insert(verdict, 10 + number as u64);
            found.ports.entry(443).or_default().verdicts.insert(verdict, 2000);
        }
        found.v1_flags.insert(0x81, 3000);
        found.v1_flags.insert(0x21, 1021);
        let text = tables(&found, 7);
        assert!(text.lines().all(|line| line.chars().count() <= 100 && !line.ends_with(' ')), "{text}");
        insta::assert_snapshot!(text);
    }
}
