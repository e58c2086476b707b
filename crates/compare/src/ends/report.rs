//! Rows and remarks of a comparison of two ends.

use super::clock::{self, Clocks, Points, Sharing};
use super::lane::{Frame, Lane};
use super::plan::{Plan, Seen};
use super::reinject;
use crate::rows::{Basis, Changed, Clock, Delay, Evidence, Match, Path, ReinjectionOutcome, Side};
use subflow_rows::Time;

/// What two captures of the same connections show together.
#[derive(Clone, Debug)]
pub struct Report {
    /// How the clocks relate.
    pub clock: Clock,
    /// `matches`
    pub matches: Vec<Match>,
    /// `paths`
    pub paths: Vec<Path>,
    /// `changes`
    pub changes: Vec<Changed>,
    /// `reinjection_outcomes`
    pub reinjections: Vec<ReinjectionOutcome>,
    /// `delays`; empty unless asked for.
    pub delays: Vec<Delay>,
    /// What a careful reader should know, a sentence each.
    pub remarks: Vec<String>,
}

impl Report {
    /// Whether the captures have any connection in common.
    pub fn shares_connections(&self) -> bool {
        self.matches.iter().any(|row| row.matched_by != Evidence::None)
    }
}

/// Limits that were reached.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Limits {
    pub(crate) shortened: u64,
    pub(crate) passed_over: u64,
}

pub(crate) fn report(
    plan: &Plan,
    seen: &[Seen<'_>; 2],
    sharing: Sharing,
    frame: &Frame,
    limits: Limits,
) -> Report {
    let lanes: Vec<(Side, &Points)> = plan.lanes.iter().map(|lane| (lane.sender, &lane.points)).collect();
    let clocks = clock::estimate(&lanes, sharing, plan.rough);
    let clock = clock_row(&clocks, plan, frame);
    let mut paths = Vec::new();
    let mut changes = Vec::new();
    let mut delays = Vec::new();
    for lane in &plan.lanes {
        if lane.counts.sent + lane.counts.received == 0 {
            continue;
        }
        paths.extend(path_row(lane, &clocks));
        let subflow = lane.subflows[0].or(lane.subflows[1]).unwrap_or_default();
        for (&(field, change), entry) in &lane.changes.found {
            changes.push(Changed {
                match_id: lane.match_id,
                subflow,
                direction: lane.direction,
                field: field.to_owned(),
                change,
                before: entry.before.clone(),
                after: entry.after.clone(),
                packets: entry.packets,
                of_packets: lane.changes.of_packets(field),
                frame_a: entry.frame_a,
                frame_b: entry.frame_b,
            });
        }
        let mut steps = lane.steps.clone();
        steps.sort_by_key(|step| (step.time, step.frames));
        for step in steps {
            let x = (step.time - frame.origin()) as f64;
            let sign = if lane.sender == Side::A { 1.0 } else { -1.0 };
            let clock = sign * (clocks.offset + clocks.skew * (x - clocks.middle));
            delays.push(Delay {
                match_id: lane.match_id,
                subflow,
                direction: lane.direction,
                time: Time(step.time),
                frame_a: step.frames[0],
                frame_b: step.frames[1],
                bytes: u64::from(step.bytes),
                fate: step.fate,
                delay: step.delay.map(|delay| (delay as f64 - clock) / 1e9),
            });
        }
    }
    let reinjections = reinject::outcomes(plan, seen);
    let matches = match_rows(plan);
    let remarks = remarks(&clocks, plan, &paths, limits);
    Report { clock, matches, paths, changes, reinjections, delays, remarks }
}

fn clock_row(clocks: &Clocks, plan: &Plan, frame: &Frame) -> Clock {
    let rough = plan.rough as f64;
    let known = clocks.basis != Basis::None;
    let seconds = |offset: f64| (offset + rough) / 1e9;
    Clock {
        offset: known.then(|| seconds(clocks.offset)),
        offset_error: clocks.error.map(|error| error / 1e9),
        offset_low: clocks.low.map(seconds),
        offset_high: clocks.high.map(seconds),
        basis: clocks.basis,
        at: known.then(|| Time(frame.origin() + clocks.middle as i64)),
        skew_ppm: known.then_some(clocks.skew * 1e6),
        skew_error_ppm: clocks.skew_error.map(|error| error * 1e6),
        packets_matched: plan.lanes.iter().map(|lane| lane.counts.matched).sum(),
    }
}

fn match_rows(plan: &Plan) -> Vec<Match> {
    let rows = plan.matches.iter().enumerate().map(|(id, one)| {
        let id = id as u64;
        let lanes = || plan.lanes.iter().filter(move |lane| lane.match_id == id);
        let side = |lane: &Lane, side: Side| {
            if lane.sender == side { lane.counts.sent } else { lane.counts.received }
        };
        Match {
            match_id: id,
            connection_a: one.connections[0],
            connection_b: one.connections[1],
            matched_by: one.by,
            nearer_client: one.nearer_client,
            translated: one.translated,
            sequence_shifted: one.shifted,
            subflows_a: one.subflows[0],
            subflows_b: one.subflows[1].max(one.paired),
            subflows_matched: one.paired,
            packets_a: lanes().map(|lane| side(lane, Side::A)).sum(),
            packets_b: lanes().map(|lane| side(lane, Side::B)).sum(),
            packets_matched: lanes().map(|lane| lane.counts.matched).sum(),
        }
    });
    rows.collect()
}

fn path_row(lane: &Lane, clocks: &Clocks) -> Option<Path> {
    let summary = lane.points.summary(clocks, lane.sender);
    let counts = lane.counts;
    let here = lane.sender as usize;
    let [(src_addr, src_port), (dst_addr, dst_port)] = lane.ends[here].or(lane.ends[1 - here])?;
    let judged = counts.matched + counts.lost;
    Some(Path {
        match_id: lane.match_id,
        subflow_a: lane.subflows[0],
        subflow_b: lane.subflows[1],
        direction: lane.direction,
        sender: lane.sender,
        src_addr,
        src_port,
        dst_addr,
        dst_port,
        packets_sent: counts.sent,
        packets_received: counts.received,
        packets_matched: counts.matched,
        packets_lost: counts.lost,
        loss: (judged > 0).then(|| counts.lost as f64 / judged as f64),
        lost_bytes: counts.lost_bytes,
        packets_unjudged: counts.unjudged,
        packets_appeared: counts.appeared,
        packets_reordered: counts.reordered,
        packets_duplicated: counts.duplicated,
        packets_resegmented: counts.resegmented,
        packets_by_order: counts.by_order,
        delay_min: summary.map(|summary| summary.min),
        delay_median: summary.map(|summary| summary.median),
        delay_mean: summary.map(|summary| summary.mean),
        delay_p99: summary.map(|summary| summary.p99),
        delay_max: summary.map(|summary| summary.max),
        delay_error: summary.and(clocks.error).map(|error| error / 1e9),
        jitter: summary.and_then(|summary| summary.jitter),
    })
}

fn remarks(clocks: &Clocks, plan: &Plan, paths: &[Path], limits: Limits) -> Vec<String> {
    let mut remarks = Vec::new();
    let zero = -(plan.rough as f64);
    let slack = 1000.0;
    let outside = clocks.low.is_some_and(|low| zero < low - slack)
        || clocks.high.is_some_and(|high| zero > high + slack);
    if clocks.basis == Basis::Given && outside {
        remarks.push(
            "the captures do not share one clock: with an offset of zero packets would arrive before they were sent"
                .to_owned(),
        );
    }
    let few: u64 = paths.iter().map(|path| path.packets_by_order).sum();
    let matched: u64 = paths.iter().map(|path| path.packets_matched).sum();
    if few * 20 > matched {
        remarks.push(format!(
            "{few} of {matched} matched packets are told apart by their order only: a loss among repeats may be charged \
             to the wrong one"
        ));
    }
    if limits.shortened > 0 {
        remarks.push(format!(
            "too many packets waited to be matched; {} times only those of the last second were kept",
            limits.shortened
        ));
    }
    if limits.passed_over > 0 {
        remarks.push(format!(
            "{} packets belong to more flows than are remembered, and were passed over",
            limits.passed_over
        ));
    }
    remarks
}
