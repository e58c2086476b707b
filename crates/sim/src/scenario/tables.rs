//! Rows of a run.

use super::Scheme;
use super::fabric::{Frame, Run};
use crate::ideal::{Hop, Path, Segments, completion_over};
use crate::maxmin::max_min;
use crate::net::{Counters, Kind, LinkId, Network, NodeId, Overheads, PathId};
use crate::rows::{Change, ChangeKind, Flow, Link, Queue, Run as RunRow, Tables};
use crate::time::{Duration, Time};
use crate::workload::ENDLESS;
use crate::world::{Cause, Outcome, What};

/// The name of a host.
pub(super) fn host_name(net: &Network, hosts: &[NodeId], host: u32) -> String {
    let node = hosts.get(host as usize).and_then(|node| net.graph().nodes().get(node.0 as usize));
    node.map_or_else(String::new, |node| node.name.to_string())
}

fn node_name(net: &Network, node: NodeId) -> String {
    net.graph().nodes().get(node.0 as usize).map_or_else(String::new, |node| node.name.to_string())
}

/// Watches links and queues.
pub(super) struct Sampler {
    every: Duration,
    /// None: never.
    next: Option<Time>,
    before: Vec<Counters>,
}

impl Sampler {
    pub(super) fn new(net: &mut Network, every: Option<Duration>) -> Self {
        let Some(every) = every else {
            return Self { every: Duration::ZERO, next: None, before: Vec::new() };
        };
        // An event at the very moment, so that queues are seen as they are then.
        net.set_sampling(every);
        Self { every, next: Some(Time::ZERO + every), before: net.snapshot() }
    }

    /// When to sample next.
    pub(super) fn next(&self) -> Option<Time> {
        self.next
    }

    pub(super) fn sample(&mut self, run_id: u32, net: &Network, now: Time, tables: &mut Tables) {
        let counters = net.snapshot();
        let interval = self.every.as_secs_f64();
        for (number, (new, old)) in counters.iter().zip(&self.before).enumerate() {
            let link = LinkId(number as u32);
            let (Some(edge), Some(settings)) = (net.graph().edges().get(number), net.settings(link)) else {
                continue;
            };
            let bps = rate_at(settings, now);
            let packets = new.packets_in - old.packets_in;
            let from = node_name(net, edge.from);
            if packets > 0 {
                tables.queues.push(Queue {
                    run_id,
                    link_id: link.0,
                    node: from.clone(),
                    time: now.as_secs_f64(),
                    bytes: new.queue,
                    delay: if bps > 0.0 { new.queue as f64 * 8.0 / bps } else { 0.0 },
                    longest: new.longest,
                });
            }
            let carried = (new.bytes_carried.saturating_sub(old.bytes_carried)) as f64 * 8.0;
            tables.links.push(Link {
                run_id,
                link_id: link.0,
                from,
                to: node_name(net, edge.to),
                time: now.as_secs_f64(),
                interval,
                rate: bps,
                utilisation: if bps > 0.0 { carried / (bps * interval) } else { 0.0 },
                packets,
                bytes: new.bytes_in - old.bytes_in,
                dropped: new.dropped - old.dropped,
                lost: new.lost - old.lost,
                failed: new.failed - old.failed,
                marked: new.marked - old.marked,
                up: !net.is_down(link),
            });
        }
        self.before = counters;
        self.next = Some(now + self.every);
    }
}

/// The rate of a line at a time, bit/s.
fn rate_at(settings: &crate::net::LinkSettings, now: Time) -> f64 {
    match &settings.trace {
        Some(trace) => {
            let passed = trace.steps().partition_point(|step| step.at <= now);
            passed.checked_sub(1).and_then(|at| trace.steps().get(at)).map_or(0.0, |step| step.bps as f64)
        }
        None => settings.rate.bps() as f64,
    }
}

/// Rows of the whole run: `runs`, `flows`, `changes`.
pub(super) fn fill(run: &mut Run<'_>, tables: &mut Tables) {
    let flows = run.frame.flows.len() as u32;
    let outcomes: Vec<Outcome> = (0..flows).map(|flow| run.world.outcome(flow).unwrap_or_default()).collect();
    let segments = segments(run.frame.scheme);
    for incident in run.world.incidents() {
        let (kind, detail) = match incident.what {
            What::Moved(Cause::Congestion) => (ChangeKind::Path, "marks"),
            What::Moved(Cause::Timeout) => (ChangeKind::Path, "timeout"),
            What::Moved(Cause::Routing) => (ChangeKind::Path, "routing"),
            What::TimedOut => (ChangeKind::Timeout, ""),
        };
        tables.changes.push(Change {
            run_id: run.frame.job.run_id,
            time: incident.time.as_secs_f64(),
            kind,
            link_id: None,
            flow_id: Some(u64::from(incident.flow)),
            subflow_id: Some(u32::from(incident.subflow)),
            detail: detail.to_owned(),
        });
    }
    let max_min = fair_share(run, &segments);
    finish(&mut run.frame, &outcomes, max_min, &segments, tables);
}

/// Rows that every kind of run has.
pub(super) fn finish(
    frame: &mut Frame<'_>,
    outcomes: &[Outcome],
    max_min: Option<f64>,
    segments: &Segments,
    tables: &mut Tables,
) {
    for (number, outcome) in outcomes.iter().enumerate() {
        if let Some(row) = flow(frame, number, outcome, segments) {
            tables.flows.push(row);
        }
    }
    failures(frame, tables);
    tables.changes.sort_by(|a, b| a.time.total_cmp(&b.time));
    let row = totals(frame, outcomes, max_min);
    tables.runs.push(row);
}

/// One flow; none when it had not begun.
fn flow(frame: &mut Frame<'_>, number: usize, outcome: &Outcome, segments: &Segments) -> Option<Flow> {
    let started = outcome.started?;
    let spec = frame.flows[number];
    let size = (spec.bytes != ENDLESS).then_some(spec.bytes);
    let fct = outcome.fct().map(Duration::as_secs_f64);
    let ways = frame.ways.get(&(spec.src, spec.dst)).map_or(&[][..], Vec::as_slice);
    let ideal = size.map(|size| ideal(&frame.net, ways, size, segments).as_secs_f64());
    let throughput = match (fct, size) {
        (Some(fct), Some(size)) if fct > 0.0 => Some(size as f64 * 8.0 / fct),
        (Some(_), _) => None,
        (None, _) => {
            let seconds = (frame.window.1 - started.max(frame.window.0)).as_secs_f64();
            (seconds > 0.0).then(|| (outcome.delivered - frame.before[number]) as f64 * 8.0 / seconds)
        }
    };
    Some(Flow {
        run_id: frame.job.run_id,
        scheme: frame.scheme.name.clone(),
        load: frame.job.load,
        seed: frame.job.seed,
        flow_id: number as u64,
        group: spec.group,
        src: host_name(&frame.net, &frame.hosts, spec.src),
        dst: host_name(&frame.net, &frame.hosts, spec.dst),
        size,
        start: started.as_secs_f64(),
        fct,
        ideal_fct: ideal,
        slowdown: fct.zip(ideal).and_then(|(fct, ideal)| (ideal > 0.0).then_some(fct / ideal)),
        delivered: outcome.delivered,
        throughput,
        congestion: frame.scheme.transport.algorithm,
        subflows: outcome.subflows,
        packets: outcome.segments,
        retransmits: outcome.retransmits,
        reinjected: outcome.reinjected_bytes,
        timeouts: outcome.timeouts,
        reroutes: outcome.reroutes,
        out_of_order: outcome.out_of_order,
        marked: outcome.marked,
    })
}

/// The ideal completion time over these paths together.
fn ideal(net: &Network, ways: &[PathId], size: u64, segments: &Segments) -> Duration {
    let mut paths = Vec::new();
    for &path in ways {
        let links: Vec<LinkId> = net.path_links(path).collect();
        let settings = links.iter().filter_map(|&link| net.settings(link));
        let hops: Vec<Hop> =
            settings.map(|settings| Hop { rate: settings.rate, delay: settings.delay }).collect();
        paths.push((links.iter().map(|link| link.0).collect::<Vec<u32>>(), hops));
    }
    let paths: Vec<Path<'_>> = paths.iter().map(|(links, hops)| Path { links, hops, back: hops }).collect();
    completion_over(size, &paths, segments)
}

/// Failures and repairs up to the end of the run.
fn failures(frame: &Frame<'_>, tables: &mut Tables) {
    let detection = frame.scenario.detection;
    let mut add = |time: Time, kind, link: LinkId| {
        if time <= frame.window.1 {
            tables.changes.push(Change {
                run_id: frame.job.run_id,
                time: time.as_secs_f64(),
                kind,
                link_id: Some(link.0),
                flow_id: None,
                subflow_id: None,
                detail: frame.net.graph().link_name(link),
            });
        }
    };
    for failure in &frame.scenario.failures {
        for link in failure.links {
            add(failure.at, ChangeKind::Failure, link);
            add(failure.at + detection, ChangeKind::Rerouting, link);
            if let Some(repair) = failure.repair {
                add(repair, ChangeKind::Repair, link);
                add(repair + detection, ChangeKind::Rerouting, link);
            }
        }
    }
}

/// How many bytes go on the wire in a world without headers.
fn segments(scheme: &Scheme) -> Segments {
    let Overheads { data, data_mptcp, .. } = Overheads::default();
    let overhead = if scheme.transport.multipath.is_some() { data_mptcp } else { data };
    Segments { mss: scheme.transport.mss.into(), overhead: overhead.into(), handshake: None }
}

fn totals(frame: &Frame<'_>, outcomes: &[Outcome], max_min: Option<f64>) -> RunRow {
    let net = &frame.net;
    let counters = net.snapshot();
    let sum = |field: fn(&Counters) -> u64| counters.iter().map(field).sum();
    let from_hosts = net.graph().edges().iter().zip(&counters).filter(|(edge, _)| {
        net.graph().nodes().get(edge.from.0 as usize).is_some_and(|node| node.kind == Kind::Host)
    });
    let packets = from_hosts.map(|(_, counters)| counters.packets_in).sum();
    RunRow {
        run_id: frame.job.run_id,
        scenario: frame.scenario.name.clone(),
        scheme: frame.scheme.name.clone(),
        load: frame.job.load,
        seed: frame.job.seed,
        hosts: frame.hosts.len() as u32,
        duration: (frame.window.1 - Time::ZERO).as_secs_f64(),
        flows: outcomes.iter().filter(|outcome| outcome.started.is_some()).count() as u64,
        completed: outcomes.iter().filter(|outcome| outcome.completed.is_some()).count() as u64,
        delivered: outcomes.iter().map(|outcome| outcome.delivered).sum(),
        utilisation: utilisation(frame, outcomes),
        max_min,
        packets,
        hops: net.hops(),
        dropped: sum(|counters| counters.dropped),
        lost: sum(|counters| counters.lost),
        failed: sum(|counters| counters.failed),
        marked: sum(|counters| counters.marked),
    }
}

/// Mean over sending hosts of a rate of each flow (bit/s), as a fraction of what the host could send.
fn mean_share(frame: &Frame<'_>, rate: impl Fn(usize) -> f64) -> Option<f64> {
    let mut sums: Vec<Option<f64>> = vec![None; frame.hosts.len()];
    for (number, flow) in frame.flows.iter().enumerate() {
        if let Some(sum) = sums.get_mut(flow.src as usize) {
            *sum = Some(sum.unwrap_or(0.0) + rate(number));
        }
    }
    let shares: Vec<f64> =
        sums.iter().zip(&frame.rates).filter_map(|(sum, rate)| sum.map(|sum| sum / rate.max(1.0))).collect();
    crate::statistics::mean(&shares)
}

fn utilisation(frame: &Frame<'_>, outcomes: &[Outcome]) -> Option<f64> {
    let seconds = (frame.window.1 - frame.window.0).as_secs_f64();
    if seconds <= 0.0 {
        return None;
    }
    mean_share(frame, |flow| (outcomes[flow].delivered - frame.before[flow]) as f64 * 8.0 / seconds)
}

/// The same by max-min fair rates; none unless all flows are endless and all paths fixed.
fn fair_share(run: &mut Run<'_>, segments: &Segments) -> Option<f64> {
    let endless = run.frame.flows.iter().all(|flow| flow.bytes == ENDLESS);
    if !endless || !run.frame.scenario.failures.is_empty() {
        return None;
    }
    let mut owners = Vec::new();
    let mut paths: Vec<Vec<u32>> = Vec::new();
    for flow in 0..run.frame.flows.len() {
        for path in run.fixed_paths(flow)? {
            owners.push(flow);
            paths.push(run.frame.net.path_links(path).map(|link| link.0).collect());
        }
    }
    let payload = f64::from(segments.mss) / f64::from(segments.mss + segments.overhead);
    let frame = &run.frame;
    let capacity: Vec<f64> = (0..frame.net.link_count() as u32)
        .map(|link| frame.net.settings(LinkId(link)).map_or(0.0, |link| link.rate.bps() as f64 * payload))
        .collect();
    let mut rates = vec![0.0; frame.flows.len()];
    for (flow, rate) in owners.into_iter().zip(max_min(&capacity, &paths)) {
        rates[flow] += rate;
    }
    mean_share(frame, |flow| rates[flow])
}
