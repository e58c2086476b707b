//! A trace as rows of tables.

use std::net::IpAddr;

use subflow_rows::Time;

use super::conclude::{Edge, Facts, Verdict};
use super::place::{Placed, is_contradicted};
use super::record::{Run, Seen, Step, Trace};
use crate::rows::{Asks, ChangeKind, Direction, Field, Finding, Hop, HopAnswer, Modification, Traced};
use crate::targets::hex;

/// The rows that follow from a trace.
#[derive(Clone, Debug, PartialEq)]
pub struct Concluded {
    /// The verdict.
    pub target: Traced,
    /// The hops of all runs.
    pub hops: Vec<Hop>,
    /// What was changed.
    pub modifications: Vec<Modification>,
}

/// Draws the conclusions from a trace.
pub fn conclude(trace: &Trace) -> Concluded {
    let facts = Facts::new(trace);
    let verdict = facts.verdict();
    let modifications = modifications(&facts, &verdict);
    let hops = trace.runs.iter().flat_map(|run| rows(trace, run)).collect();
    let target = target(&facts, verdict, &modifications);
    Concluded { target, hops, modifications }
}

/// A duration in seconds from one time to another.
fn seconds(from_ns: i64, to_ns: i64) -> f64 {
    (to_ns - from_ns) as f64 / 1e9
}

fn target(facts: &Facts<'_>, verdict: Verdict, modifications: &[Modification]) -> Traced {
    let trace = facts.trace;
    let rtts = trace.runs.iter().flat_map(Run::seen).filter_map(|(_, seen)| {
        matches!(seen.answer, HopAnswer::SynAck | HopAnswer::Reset).then_some(())?;
        Some(seconds(seen.sent_ns, seen.time_ns?))
    });
    let end = facts.syn_ack_hops();
    let silent = |hop: &u8| {
        !trace
            .runs
            .iter()
            .any(|run| run.steps.get(usize::from(*hop)).is_some_and(|step| !step.seen.is_empty()))
    };
    let silent_hops = end.map_or(0, |end| (1..end).filter(silent).count() as u32);
    let finding = |asks| trace.finding(asks);
    let mut flows: Vec<u32> = trace.runs.iter().map(|run| run.flow).collect();
    flows.sort_unstable();
    flows.dedup();
    let mut kinds: Vec<(Field, ChangeKind)> =
        modifications.iter().filter(|row| row.confirmed).map(|row| (row.field, row.kind)).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let addr = |edge: Option<Edge>| edge.and_then(|(_, addr)| addr);
    let hop = |edge: Option<Edge>| edge.map(|(hop, _)| hop);
    Traced {
        time: Time(trace.began_ns),
        addr: trace.target.addr,
        port: trace.target.port,
        category: verdict.category,
        behaviour: verdict.behaviour,
        direction: verdict.direction,
        after_hop: hop(verdict.span.after),
        before_hop: hop(verdict.span.before),
        after_addr: addr(verdict.span.after),
        before_addr: addr(verdict.span.before),
        confidence: verdict.confidence,
        evidence: verdict.evidence,
        v1: finding(Asks::V1),
        v0: finding(Asks::V0),
        both: finding(Asks::Both),
        plain: finding(Asks::Plain),
        join: finding(Asks::Join),
        canary: finding(Asks::Canary),
        custom: finding(Asks::Custom),
        data_passed: data_passed(facts),
        syn_ack_hops: end,
        reset_hops: trace.reset.hops,
        echo_hops: trace.echo.hops,
        silent_hops,
        rtt_min: rtts.reduce(f64::min),
        flows: flows.len() as u32,
        paths: paths(trace),
        modifications: kinds.len() as u32,
        probes: trace.probes,
        answers: trace.answers,
        rejected: trace.rejected,
        duration: seconds(trace.began_ns, trace.ended_ns),
    }
}

/// Whether the option passed on the open connection: by quotes, else by what the target acknowledged.
fn data_passed(facts: &Facts<'_>) -> Option<bool> {
    let runs =
        facts.trace.runs.iter().zip(&facts.placed).filter(|(run, _)| run.asks == Asks::Data && run.mptcp);
    let mut quoted = false;
    for (run, placed) in runs {
        if placed.iter().any(|place| place.change.is_mptcp()) {
            return Some(false);
        }
        quoted |= run.seen().any(|(_, seen)| {
            use crate::rows::QuoteKind::{Full, Headers};
            seen.quote.as_ref().is_some_and(|quote| matches!(quote.comparison.kind, Full | Headers))
        });
    }
    facts.trace.data_acked.or(quoted.then_some(true))
}

/// Different paths: runs share one unless routers answered differently at the same hop.
fn paths(trace: &Trace) -> u32 {
    let mut paths: Vec<Vec<(u8, IpAddr)>> = Vec::new();
    for run in &trace.runs {
        let routers = run.seen().filter(|(_, seen)| seen.answer == HopAnswer::TimeExceeded);
        let own: Vec<(u8, IpAddr)> = routers.map(|(hop, seen)| (hop, seen.from)).collect();
        let agrees = |path: &&mut Vec<(u8, IpAddr)>| {
            own.iter().all(|(hop, addr)| {
                let mut there = path.iter().filter(|(other, _)| other == hop).peekable();
                there.peek().is_none() || there.any(|(_, other)| other == addr)
            })
        };
        match paths.iter_mut().find(agrees) {
            Some(path) => path.extend(own),
            None => paths.push(own),
        }
    }
    paths.len() as u32
}

/// The rows of a run. What is further away than the target is none of its path.
fn rows<'a>(trace: &'a Trace, run: &'a Run) -> impl Iterator<Item = Hop> + 'a {
    let targets = |answer| matches!(answer, HopAnswer::SynAck | HopAnswer::Reset | HopAnswer::Ack);
    let end = run.seen().find(|(_, seen)| targets(seen.answer) && seen.time_ns.is_some()).map(|(hop, _)| hop);
    let probed = run.probed().filter(move |&(hop, _)| end.is_none_or(|end| hop <= end));
    probed.map(|(hop, step)| row(trace, run, hop, step))
}

fn row(trace: &Trace, run: &Run, hop: u8, step: &Step) -> Hop {
    // The first answer of which the time is known, a router's before the target's.
    let rank = |seen: &&Seen| (seen.time_ns.is_none(), seen.answer as u8, seen.sent_ns);
    let seen = step.seen.iter().min_by_key(rank);
    let quote = seen.and_then(|seen| seen.quote.as_ref());
    let comparison = quote.map(|quote| &quote.comparison);
    let changed = comparison
        .filter(|comparison| !comparison.changes.is_empty())
        .map(|comparison| comparison.changes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "));
    let mpls = quote.filter(|quote| !quote.mpls.is_empty()).map(|quote| {
        let label = |l: &subflow_wire::icmp::MplsLabel| format!("{}/{}/{}", l.label, l.traffic_class, l.ttl);
        quote.mpls.iter().map(label).collect::<Vec<_>>().join(" ")
    });
    let ttl = seen.map(|seen| seen.ttl);
    Hop {
        time: Time(seen.map_or(step.last_ns, |seen| seen.sent_ns)),
        addr: trace.target.addr,
        port: trace.target.port,
        flow: run.flow,
        probe: run.asks,
        round: run.round,
        src_port: run.src_port,
        hop,
        answer: seen.map_or(HopAnswer::Silent, |seen| seen.answer),
        from_addr: seen.map(|seen| seen.from),
        rtt: seen.and_then(|seen| Some(seconds(seen.sent_ns, seen.time_ns?))),
        probes: step.probes,
        ttl,
        return_hops: ttl.map(return_hops),
        icmp_type: seen.and_then(|seen| seen.icmp).map(|(ty, _)| ty),
        icmp_code: seen.and_then(|seen| seen.icmp).map(|(_, code)| code),
        quote: comparison.map(|comparison| comparison.kind),
        quote_bytes: comparison.map(|comparison| comparison.quoted as u32),
        quoted_ttl: comparison.map(|comparison| comparison.quoted_ttl),
        extensions: quote.map(|quote| quote.extended),
        mpls,
        finding: seen.and_then(|seen| seen.finding),
        changes: comparison.map(|comparison| comparison.changes.len() as u32),
        changed,
    }
}

/// Hops on the way back of an answer that began at 64, 128 or 255: one for who sent it.
fn return_hops(ttl: u8) -> u8 {
    let began = [64, 128, 255].into_iter().find(|&began| began >= ttl).unwrap_or(255);
    (began - ttl).saturating_add(1)
}

fn modifications(facts: &Facts<'_>, verdict: &Verdict) -> Vec<Modification> {
    let trace = facts.trace;
    let mut merged: Vec<(&Run, Placed)> = Vec::new();
    for (run, placed) in trace.runs.iter().zip(&facts.placed) {
        for place in placed {
            let same = merged.iter_mut().find(|(other, before)| {
                (other.asks, other.flow) == (run.asks, run.flow) && before.change.same(&place.change)
            });
            match same {
                Some((_, before)) => merge(before, place),
                None => merged.push((run, place.clone())),
            }
        }
    }
    let mut rows: Vec<Modification> =
        merged.iter().map(|(run, place)| modification(trace, run, place)).collect();
    rows.extend(answers_changed(trace, verdict));
    rows
}

/// Two runs of one flow see the same change: what both say of its place counts, unless it does not go together.
fn merge(into: &mut Placed, other: &Placed) {
    into.times += other.times;
    into.checksum_fits = into.checksum_fits.or(other.checksum_fits);
    into.inferred &= other.inferred;
    let (after, before) = (into.after.max(other.after), into.before.min(other.before));
    if after >= before {
        return;
    }
    if other.after == after && into.after != after {
        (into.after, into.after_addr) = (other.after, other.after_addr);
    }
    if other.before == before && into.before != before {
        (into.before, into.before_addr) = (other.before, other.before_addr);
    }
}

fn modification(trace: &Trace, run: &Run, place: &Placed) -> Modification {
    let change = &place.change;
    Modification {
        time: Time(place.time_ns),
        addr: trace.target.addr,
        port: trace.target.port,
        flow: run.flow,
        probe: run.asks,
        direction: Direction::Forward,
        field: change.field,
        kind: change.kind,
        option_kind: change.option,
        sent: change.sent.map(|value| value.to_string()),
        seen: change.seen.map(|value| value.to_string()),
        after_hop: Some(place.after),
        before_hop: Some(place.before),
        after_addr: place.after_addr,
        before_addr: place.before_addr,
        times: place.times,
        confirmed: place.times > 1 && !is_contradicted(trace, run.asks, Some(run.flow), place),
        checksum_fits: place.checksum_fits,
        reason: reason(place),
    }
}

fn reason(place: &Placed) -> String {
    let mut text = match place.after {
        0 => format!("hop {} got it changed, and no hop before it shows it as it was sent", place.before),
        after => format!("hop {after} got it as it was sent, hop {} got it changed", place.before),
    };
    let between = place.before.saturating_sub(place.after).saturating_sub(1);
    match (u32::from(between), place.unclear) {
        (0, _) => {}
        (_, 0) => text += "; the hops between did not answer",
        (_, unclear) => text += &format!("; {unclear} answers from between quote too little"),
    }
    if place.inferred {
        text += "; lengths or checksums tell where the quote is too short";
    }
    text
}

/// Changes of the answers: where on the way back they were made cannot be told.
fn answers_changed<'a>(trace: &'a Trace, verdict: &Verdict) -> impl Iterator<Item = Modification> + use<'a> {
    let mirror_forward = verdict.direction == Some(Direction::Forward);
    let mut rows: Vec<Modification> = Vec::new();
    for run in &trace.runs {
        for (_, seen) in run.seen() {
            let (kind, reason) = match seen.finding {
                Some(Finding::Stripped) => {
                    (ChangeKind::Padded, "padding stands where the target's option was")
                }
                Some(Finding::Malformed) => {
                    (ChangeKind::Changed, "no version knows this option in this place")
                }
                Some(Finding::Mirrored) if !mirror_forward => (ChangeKind::Added, "what was sent came back"),
                _ => continue,
            };
            let same =
                rows.iter_mut().find(|row| (row.probe, row.flow, row.kind) == (run.asks, run.flow, kind));
            if let Some(row) = same {
                row.times += 1;
                row.confirmed = true;
                continue;
            }
            rows.push(Modification {
                time: Time(seen.sent_ns),
                addr: trace.target.addr,
                port: trace.target.port,
                flow: run.flow,
                probe: run.asks,
                direction: Direction::Return,
                field: Field::Mptcp,
                kind,
                option_kind: Some(subflow_wire::mptcp::KIND),
                sent: None,
                seen: seen.options.map(|options| hex(options.as_slice())),
                after_hop: None,
                before_hop: None,
                after_addr: None,
                before_addr: None,
                times: 1,
                confirmed: false,
                checksum_fits: None,
                reason: reason.to_owned(),
            });
        }
    }
    rows.into_iter()
}
