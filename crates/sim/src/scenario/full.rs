//! A run over connections in every detail: handshakes, options, addresses, middleboxes, captures, and the truth about them.

use super::ends::{PathManager, WireOptions};
use super::events::{BoxKind, CapturePlace};
use super::fabric::{Frame, SERVER_PORT, interfaces};
use super::incidents::Incidents;
use super::network::Topology;
use super::run::{Open, Pauses, RunError};
use super::{Scenario, Scheme, tables};
use crate::capture::{self, Place, Taps};
use crate::ideal::Segments;
use crate::middlebox::{
    self, Change, DropSyn, Middlebox, Middleboxes, Mirror, Nat, Proxy, Rewrite, Strip, Way,
};
use crate::net::Ended;
use crate::observe::End;
use crate::rows::Tables;
use crate::session::{self, Hosts};
use crate::sweep::Job;
use crate::time::Time;
use crate::truth::Truth;
use crate::workload::ENDLESS;
use crate::world::Outcome;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr};
use subflow_wire::keys::Version;

/// What an endless flow has to send: more than any run carries, and far below where numbers would wrap.
const PLENTY: u64 = 1 << 50;

/// On the wire besides the payload, without SACK blocks: Ethernet with preamble and gap, IPv4, TCP with timestamps; with Multipath TCP a mapping
/// and a DATA_ACK. And a SYN with its answer.
const OVERHEAD: u32 = 38 + 20 + 32;
const OVERHEAD_MPTCP: u32 = OVERHEAD + 28;
const SYN: u32 = 38 + 20 + 40;

type Watchers = (Truth, (Taps<Box<dyn Write>>, Incidents));

pub(super) fn run(
    scenario: &Scenario,
    scheme: &Scheme,
    job: &Job,
    captures: Option<&mut Open<'_>>,
    progress: &dyn Fn(Time) -> bool,
) -> Result<Tables, RunError> {
    let mut frame = Frame::new(scenario, scheme, job)?;
    let looks = settings(scenario);
    let ends = ends(&frame, scenario);
    let incidents = Incidents::new(job.run_id, &ends);
    let watchers = (Truth::new(looks), (taps(&frame, looks, captures)?, incidents));
    let boxes = boxes(scenario, job.seed as u32);
    let mut hosts = Hosts::new(&mut frame.net, vec![class(scheme)], boxes, job.seed, watchers);
    for (number, &end) in ends.iter().enumerate() {
        connect(&mut frame, &mut hosts, number, end);
    }
    let mut tables = Tables::default();
    go(&mut frame, &mut hosts, &ends, &mut tables, progress)?;
    let outcomes = outcomes(&frame, &hosts, &ends);
    let overhead = if scheme.wire.is_some() { OVERHEAD_MPTCP } else { OVERHEAD };
    let segments = Segments { mss: scheme.transport.mss.into(), overhead, handshake: Some((SYN, SYN)) };
    let (truth, (taps, incidents)) = hosts.into_observer();
    let truth = truth.finish();
    tables.changes = incidents.finish(&truth, looks);
    tables.truth = Some(Box::new(truth));
    tables::finish(&mut frame, &outcomes, None, &segments, &mut tables);
    taps.finish().map_err(|source| RunError::Capture { file: "captures".to_owned(), source })?;
    Ok(tables)
}

/// The ends that send the data of the flows: a phone opens its connections itself, other senders do, too.
fn ends(frame: &Frame<'_>, scenario: &Scenario) -> Vec<End> {
    let phone = matches!(scenario.topology, Topology::Phone(_));
    frame.flows.iter().map(|flow| if phone && flow.dst == 0 { End::Server } else { End::Client }).collect()
}

/// The connection of a flow whose data this end sends.
fn connect(frame: &mut Frame<'_>, hosts: &mut Hosts<Watchers>, number: usize, from: End) {
    let flow = frame.flows[number];
    let bytes = if flow.bytes == ENDLESS { PLENTY } else { flow.bytes };
    let (client, server) = if from == End::Client { (flow.src, flow.dst) } else { (flow.dst, flow.src) };
    let port = frame.tuples[number].first().map_or(1024, |tuple| tuple.from_port);
    let spec = session::Spec {
        start: flow.start,
        client: interfaces(&frame.net, &frame.hosts, client),
        server: interfaces(&frame.net, &frame.hosts, server),
        v6: false,
        client_port: port,
        server_port: SERVER_PORT,
        bytes: if from == End::Client { [bytes, 0] } else { [0, bytes] },
        class: 0,
        actions: Vec::new(),
    };
    hosts.add(&mut frame.net, spec);
}

fn outcomes(frame: &Frame<'_>, hosts: &Hosts<Watchers>, ends: &[End]) -> Vec<Outcome> {
    let now = frame.net.now();
    ends.iter().zip(0..).map(|(&end, number)| hosts.outcome(number, end, now).unwrap_or_default()).collect()
}

fn go(
    frame: &mut Frame<'_>,
    hosts: &mut Hosts<Watchers>,
    ends: &[End],
    tables: &mut Tables,
    progress: &dyn Fn(Time) -> bool,
) -> Result<(), RunError> {
    let mut sampler = tables::Sampler::new(&mut frame.net, frame.scenario.sample);
    let mut pauses = Pauses::new(frame.scenario);
    while let Some(now) = pauses.next(sampler.next()) {
        let ended = crate::net::run(&mut frame.net, hosts, now);
        if now == frame.window.0 {
            frame.before = outcomes(frame, hosts, ends).iter().map(|outcome| outcome.delivered).collect();
        }
        if sampler.next() == Some(now) {
            sampler.sample(frame.job.run_id, &frame.net, now, tables);
        }
        if ended == Ended::Idle {
            frame.end();
            break;
        }
        if !progress(now) {
            return Err(RunError::Stopped);
        }
    }
    Ok(())
}

/// How both ends behave.
fn class(scheme: &Scheme) -> session::Settings {
    let mut settings = session::Settings {
        transport: scheme.transport.clone(),
        version: None,
        ..session::Settings::default()
    };
    let Some(WireOptions { version, checksum, path_manager, backup }) = scheme.wire else { return settings };
    let subflows = scheme.transport.multipath.as_ref().map_or(1, |multipath| multipath.subflows);
    settings.version = Some(if version == 0 { Version::V0 } else { Version::V1 });
    settings.checksum = checksum;
    settings.backup = backup;
    settings.path_manager = match path_manager {
        _ if subflows < 2 => session::PathManager::None,
        PathManager::FullMesh => session::PathManager::FullMesh,
        PathManager::NDiffPorts => session::PathManager::Ndiffports(subflows),
    };
    settings
}

fn settings(scenario: &Scenario) -> capture::Settings {
    let snap = scenario.captures.iter().filter_map(|capture| capture.snap).max();
    let default = capture::Settings::default();
    capture::Settings { snap: snap.unwrap_or(default.snap), ..default }
}

fn taps(
    frame: &Frame<'_>,
    looks: capture::Settings,
    captures: Option<&mut Open<'_>>,
) -> Result<Taps<Box<dyn Write>>, RunError> {
    let mut taps = Taps::new(looks);
    let Some(open) = captures else { return Ok(taps) };
    for capture in &frame.scenario.captures {
        let place = match capture.place {
            CapturePlace::Link(link) => Place::Link(link),
            CapturePlace::Host(host) => {
                let interfaces = interfaces(&frame.net, &frame.hosts, host);
                let named = interfaces.iter().zip(0..).flat_map(|(&id, number)| {
                    frame.net.interface(id).map(|it| (format!("eth{number}"), IpAddr::V4(it.v4)))
                });
                Place::Host(named.collect())
            }
        };
        let file = || capture.file.clone();
        let writer = open(&capture.file).map_err(|source| RunError::Capture { file: file(), source })?;
        taps.add(place, writer).map_err(|source| RunError::Capture { file: file(), source })?;
    }
    Ok(taps)
}

fn boxes(scenario: &Scenario, seed: u32) -> Middleboxes {
    let mut boxes = Middleboxes::new();
    for (middlebox, number) in scenario.middleboxes.iter().zip(0u8..) {
        let kind = match middlebox.kind {
            BoxKind::Strip { syn, syn_ack, data } => {
                Middlebox::Strip(Strip::new(middlebox::Segments { syn, syn_ack, data }))
            }
            BoxKind::DropSyn => Middlebox::DropSyn(DropSyn::new()),
            BoxKind::Mirror => Middlebox::Mirror(Mirror::new()),
            BoxKind::Proxy => Middlebox::Proxy(Proxy::new(scenario_mss(scenario), seed)),
            // RFC 5737 sets these addresses aside for examples.
            BoxKind::Nat => Middlebox::Nat(Nat::new(IpAddr::V4(Ipv4Addr::new(203, 0, 113, number)), 40_000)),
            BoxKind::Change => Middlebox::Change(Change::new(Way::In, 1000, 1)),
            BoxKind::Rewrite => Middlebox::Rewrite(Rewrite::new(seed)),
        };
        let [outward, inward] = middlebox.links;
        boxes.add(kind, outward, inward);
    }
    boxes
}

fn scenario_mss(scenario: &Scenario) -> u16 {
    scenario.schemes.iter().map(|scheme| scheme.transport.mss).min().unwrap_or(1460)
}
