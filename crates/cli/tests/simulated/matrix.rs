//! Whole simulations: every capture is analysed to the truth, over topologies, versions, families, schedulers and middleboxes.

use std::net::IpAddr;

use subflow_sim::capture::{Place, Settings as CaptureSettings, Taps};
use subflow_sim::middlebox::{Change, DropSyn, Middlebox, Middleboxes, Mirror, Nat, Proxy, Rewrite, Segments, Strip, Way};
use subflow_sim::mptcp::Scheduler;
use subflow_sim::net::{Graph, InterfaceId, LinkId, LinkSettings, Network, run};
use subflow_sim::observe::End;
use subflow_sim::session::{Action, Hosts, PathManager, Settings, Spec};
use subflow_sim::topology::{Dumbbell, FatTree, Multihomed, TwoPath};
use subflow_sim::truth::{Truth, rows::Tables as TruthTables};
use subflow_sim::world::Transport;
use subflow_sim::{Duration, Rate, Time};
use subflow_wire::keys::Version;

use crate::compare::{analyze, differences, violations};

/// A network and who talks to whom in it.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) graph: Graph,
    pub(crate) settings: Settings,
    pub(crate) specs: Vec<Spec>,
    pub(crate) boxes: Middleboxes,
    pub(crate) failures: Vec<(Time, Vec<LinkId>)>,
    /// What a middlebox does may well violate the RFCs.
    pub(crate) clean: bool,
}

fn link(mbps: u64, ms: u64, buffer: u64) -> LinkSettings {
    LinkSettings::new(Rate::from_mbps(mbps), Duration::from_millis(ms)).buffer(buffer)
}

fn spec(client: &[u32], server: &[u32], v6: bool, bytes: [u64; 2]) -> Spec {
    let ids = |ids: &[u32]| ids.iter().copied().map(InterfaceId).collect();
    Spec {
        start: Time::from_secs_f64(0.5),
        client: ids(client),
        server: ids(server),
        v6,
        client_port: 40_000,
        server_port: 443,
        bytes,
        class: 0,
        actions: Vec::new(),
    }
}

fn settings(version: Version, scheduler: Scheduler) -> Settings {
    let mut transport = Transport::default().multipath(1);
    transport.multipath.as_mut().unwrap().scheduler = scheduler;
    Settings { transport, version: Some(version), ..Settings::default() }
}

pub(crate) fn two_path() -> Graph {
    let paths = [(link(20, 10, 60_000), link(20, 10, 60_000)), (link(10, 30, 60_000), link(10, 30, 60_000))];
    TwoPath { access: link(1000, 0, 1 << 20), paths }.graph().unwrap()
}

fn multihomed(loss: f64) -> Graph {
    let wifi = || link(30, 5, 80_000).loss(loss);
    let cellular = || link(15, 25, 150_000).loss(loss);
    Multihomed {
        wifi: (wifi(), wifi()),
        cellular: (cellular(), cellular()),
        internet: link(1000, 5, 1 << 20),
        server: link(1000, 1, 1 << 20),
        second: true,
    }
    .graph()
    .unwrap()
}

fn dumbbell(pairs: u32) -> Graph {
    Dumbbell { pairs, access: link(100, 1, 1 << 20), forward: link(20, 10, 50_000), back: link(20, 10, 50_000) }
        .graph()
        .unwrap()
}

fn fat_tree() -> Graph {
    let link = LinkSettings::new(Rate::from_mbps(100), Duration::from_micros(20)).buffer(60_000);
    FatTree::new(4, 1, &link).graph().unwrap()
}

/// Runs a case; the captures at clients and at servers, and the truth.
pub(crate) fn simulate(case: &mut Case, seed: u64) -> ([Vec<u8>; 2], TruthTables) {
    let mut net = Network::new(case.graph.clone(), seed);
    let settings = CaptureSettings { snap: if case.settings.checksum { 0 } else { 160 }, ..CaptureSettings::default() };
    let mut taps = Taps::new(settings);
    for end in [End::Client, End::Server] {
        taps.add(Place::Ends(end), Vec::new()).unwrap();
    }
    let boxes = std::mem::take(&mut case.boxes);
    let mut hosts = Hosts::new(&mut net, vec![case.settings.clone()], boxes, seed, (Truth::new(settings), taps));
    for spec in &case.specs {
        hosts.add(&mut net, spec.clone()).unwrap();
    }
    for (at, links) in &case.failures {
        for &link in links {
            net.set_failure(*at, link);
        }
    }
    run(&mut net, &mut hosts, Time::from_secs_f64(120.0));
    let numbers = 0..case.specs.len() as u32;
    for (number, spec) in numbers.zip(&case.specs) {
        let delivered = [End::Server, End::Client].map(|end| hosts.peer(number, end).unwrap().delivered());
        let aborted = spec.actions.iter().any(|action| action.2 == Action::FastClose);
        assert!(aborted || delivered == spec.bytes, "{}: {delivered:?} of {:?}", case.name, spec.bytes);
    }
    assert_eq!(hosts.headers() as u64, 0, "{}: records are left", case.name);
    let (truth, taps) = hosts.into_observer();
    let mut captures = taps.finish().unwrap().into_iter();
    ([captures.next().unwrap(), captures.next().unwrap()], truth.finish())
}

/// What the analysis finds otherwise than it was.
pub(crate) fn check(mut case: Case, seed: u64) -> Vec<String> {
    let (captures, truth) = simulate(&mut case, seed);
    let ends = [End::Client, End::Server].into_iter().zip(captures);
    let found = ends.flat_map(|(end, capture)| {
        if let Ok(folder) = std::env::var("SIMULATED_CAPTURES") {
            let name = format!("{folder}/{} {end}.pcapng", case.name.replace('/', "-"));
            std::fs::write(name, &capture).unwrap();
        }
        let tables = analyze(capture);
        let mut found = differences(&tables, &truth, end);
        if case.clean {
            found.extend(violations(&tables));
        }
        let name = case.name.clone();
        found.into_iter().map(move |text| format!("{name}, {end}: {text}"))
    });
    found.collect()
}

/// Versions, families and schedulers over all topologies.
fn plain_cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for version in [Version::V0, Version::V1] {
        for v6 in [false, true] {
            for scheduler in [Scheduler::LowestRtt, Scheduler::RoundRobin, Scheduler::Redundant] {
                let family = if v6 { "v6" } else { "v4" };
                let base = |name: &str, graph: Graph, specs: Vec<Spec>| Case {
                    name: format!("{name} {version:?} {family} {scheduler:?}"),
                    graph,
                    settings: settings(version, scheduler),
                    specs,
                    boxes: Middleboxes::new(),
                    failures: Vec::new(),
                    clean: true,
                };
                cases.push(base("two_path", two_path(), vec![spec(&[0, 1], &[2, 3], v6, [0, 1_500_000])]));
                let up = spec(&[0, 1], &[2, 3], v6, [700_000, 20_000]);
                cases.push(base("two_path up", two_path(), vec![up]));
                let phone = spec(&[0, 1], &[2, 3], v6, [3_000, 1_000_000]);
                cases.push(base("multihomed", multihomed(0.002), vec![phone]));
                let pairs = |n: u32| spec(&[2 * n], &[2 * n + 1], v6, [400_000, 300_000]);
                let mut case = base("dumbbell", dumbbell(3), (0..3).map(pairs).collect());
                case.settings.path_manager = PathManager::Ndiffports(3);
                cases.push(case);
                let pair = |n: u32| Spec {
                    start: Time::from_secs_f64(0.01 * f64::from(n)),
                    client_port: 40_000 + n as u16,
                    ..spec(&[n], &[15 - n], v6, [300_000, 0])
                };
                let mut case = base("fat_tree", fat_tree(), (0..8).map(pair).collect());
                case.settings.path_manager = PathManager::Ndiffports(4);
                cases.push(case);
            }
        }
    }
    cases
}

#[test]
fn simulations_are_analysed_to_the_truth() {
    let wrong: Vec<_> = plain_cases().into_iter().flat_map(|case| check(case, 1)).take(60).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
