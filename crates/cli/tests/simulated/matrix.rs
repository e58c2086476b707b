//! Whole simulations: every capture is analysed to the truth, over topologies, versions, families, schedulers and middleboxes.

use std::net::IpAddr;

use subflow_sim::capture::{Place, Settings as CaptureSettings, Taps};
use subflow_sim::middlebox::{
    Change, DropSyn, Middlebox, Middleboxes, Mirror, Nat, Proxy, Rewrite, Segments, Strip, Way,
};
use subflow_sim::mptcp::Scheduler;
use subflow_sim::net::{Graph, InterfaceId, LinkId, LinkSettings, Network, run};
use subflow_sim::observe::{Close, End};
use subflow_sim::session::{Action, Hosts, PathManager, Settings, Spec};
use subflow_sim::topology::{Dumbbell, FatTree, Multihomed, TwoPath};
use subflow_sim::truth::Truth;
use subflow_sim::truth::rows::{EventKind, Tables as TruthTables, TruthConnection};
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
    /// Whether the analysis is to find no violations of the RFCs.
    pub(crate) clean: bool,
    /// What the client must have seen, lest the case be about nothing.
    pub(crate) expect: fn(&TruthConnection, &TruthTables) -> bool,
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
        server_port: 12_865,
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
    Dumbbell {
        pairs,
        access: link(100, 1, 1 << 20),
        forward: link(20, 10, 50_000),
        back: link(20, 10, 50_000),
    }
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
    let settings =
        CaptureSettings { snap: if case.settings.checksum { 0 } else { 160 }, ..CaptureSettings::default() };
    let mut taps = Taps::new(settings);
    for end in [End::Client, End::Server] {
        taps.add(Place::Ends(end), Vec::new()).unwrap();
    }
    let boxes = std::mem::take(&mut case.boxes);
    let mut hosts =
        Hosts::new(&mut net, vec![case.settings.clone()], boxes, seed, (Truth::new(settings), taps));
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
    assert_eq!(hosts.headers(), 0, "{}: records are left", case.name);
    let (truth, taps) = hosts.into_observer();
    let mut captures = taps.finish().unwrap().into_iter();
    ([captures.next().unwrap(), captures.next().unwrap()], truth.finish())
}

/// What the analysis finds otherwise than it was.
pub(crate) fn check(mut case: Case, seed: u64) -> Vec<String> {
    let (captures, truth) = simulate(&mut case, seed);
    let mut clients = truth.connections.iter().filter(|row| row.vantage == End::Client);
    assert!(clients.all(|client| (case.expect)(client, &truth)), "{}: {:?}", case.name, truth.connections);
    let ends = [End::Client, End::Server].into_iter().zip(captures);
    let found = ends.flat_map(|(end, capture)| {
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
                    expect: |client, _| client.subflows_established >= 2,
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

/// A download over two paths or from a phone, through boxes, with actions and failures.
struct Special(Case);

impl Special {
    fn new(name: &str, version: Version, graph: Graph, spec: Spec) -> Self {
        let settings = settings(version, Scheduler::LowestRtt);
        Self(Case {
            name: format!("{name} {version:?}"),
            graph,
            settings,
            specs: vec![spec],
            boxes: Middleboxes::new(),
            failures: Vec::new(),
            clean: true,
            expect: |client, _| client.fallback.is_none() && client.subflows_established >= 2,
        })
    }

    /// A box on path 0 or 1 of [`two_path`], at the client's side of its middle.
    fn middlebox(mut self, path: u32, middlebox: Middlebox) -> Self {
        let inward = self.0.graph.interfaces()[path as usize].down;
        self.0.boxes.add(middlebox, TwoPath::middle(path), inward);
        self
    }

    fn set(mut self, change: impl Fn(&mut Settings)) -> Self {
        change(&mut self.0.settings);
        self
    }

    fn act(mut self, seconds: f64, end: End, action: Action) -> Self {
        self.0.specs[0].actions.push((Duration::from_secs_f64(seconds), end, action));
        self
    }

    fn fail(mut self, seconds: f64, links: &[u32]) -> Self {
        let links = links.iter().copied().map(LinkId).collect();
        self.0.failures.push((Time::from_secs_f64(0.5 + seconds), links));
        self
    }

    fn expect(mut self, expect: fn(&TruthConnection, &TruthTables) -> bool) -> Self {
        self.0.expect = expect;
        self
    }

    /// The client falls back.
    fn falls_back(self) -> Self {
        self.expect(|client, _| client.fallback.is_some() && client.close == Some(Close::Fin))
    }

    /// The join comes to nothing.
    fn alone(self) -> Self {
        self.expect(|client, _| {
            client.fallback.is_none() && (client.subflows_attempted, client.subflows_established) == (2, 1)
        })
    }

    /// Violations are to be expected.
    fn dirty(mut self) -> Self {
        self.0.clean = false;
        self
    }
}

/// Whether the client saw such an event.
fn has(truth: &TruthTables, kind: EventKind) -> bool {
    truth.events.iter().any(|event| event.vantage == End::Client && event.kind == kind)
}

pub(crate) fn special_cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for version in [Version::V0, Version::V1] {
        for (way, bytes) in [("down", [2_000, 1_200_000]), ("up", [1_200_000, 2_000])] {
            let two = |name: &str| {
                let spec = spec(&[0, 1], &[2, 3], false, bytes);
                Special::new(&format!("{name} {way}"), version, two_path(), spec)
            };
            let phone = |name: &str, loss: f64| {
                let spec = spec(&[0, 1], &[2, 3], false, bytes);
                Special::new(&format!("{name} {way}"), version, multihomed(loss), spec)
            };
            let strip = |from: Segments| Middlebox::Strip(Strip::new(from));
            for (place, from) in [
                ("syn", Segments::SYN),
                ("syn/ack", Segments::SYN_ACK),
                ("data", Segments::DATA),
                ("all", Segments::ALL),
            ] {
                cases.push(two(&format!("strip {place}")).middlebox(0, strip(from)).falls_back());
                let joined = two(&format!("strip {place} of the join")).middlebox(1, strip(from));
                cases.push(match place {
                    "data" => joined.expect(|client, _| client.fallback.is_none()),
                    _ => joined.alone(),
                });
            }
            let shrink = Strip { nops: false, ..Strip::new(Segments::SYN) };
            cases.push(two("strip and shrink").middlebox(0, Middlebox::Strip(shrink)).falls_back());
            cases.push(two("drop").middlebox(0, Middlebox::DropSyn(DropSyn::new())).falls_back());
            cases.push(two("drop the join").middlebox(1, Middlebox::DropSyn(DropSyn::new())).alone());
            let once = DropSyn { most: 1, ..DropSyn::new() };
            cases.push(two("drop once").middlebox(0, Middlebox::DropSyn(once)));
            cases.push(two("mirror").middlebox(0, Middlebox::Mirror(Mirror::new())).falls_back());
            cases.push(two("proxy").middlebox(0, Middlebox::Proxy(Proxy::new(1400, 7))).falls_back());
            cases.push(two("proxy of the join").middlebox(1, Middlebox::Proxy(Proxy::new(1400, 7))).alone());
            let nat = |n: u8| Middlebox::Nat(Nat::new(IpAddr::from([203, 0, 113, n]), 50_000));
            cases.push(two("nat").middlebox(0, nat(1)).middlebox(1, nat(2)));
            let rewrite = |seed| Middlebox::Rewrite(Rewrite::new(seed));
            cases.push(two("rewrite").middlebox(0, rewrite(1)).middlebox(1, rewrite(2)));
            let change = |way| Middlebox::Change(Change::new(way, 100, 10));
            for (name, way) in [("out", Way::Out), ("in", Way::In)] {
                let checked = |it: Special| it.set(|it| it.checksum = true).dirty();
                cases.push(checked(two(&format!("change {name}"))).middlebox(0, change(way)).falls_back());
                let alone = two(&format!("change {name} alone")).set(|it| {
                    it.path_manager = PathManager::None;
                });
                cases.push(checked(alone).middlebox(0, change(way)).falls_back());
                cases.push(two(&format!("change {name} unchecked")).middlebox(0, change(way)));
                if (way == Way::Out) == (bytes[0] > bytes[1]) {
                    // By then there is another subflow, so that this one is reset.
                    let late = Middlebox::Change(Change::new(way, 200_000, 10));
                    let late = checked(two(&format!("change {name} late"))).middlebox(0, late);
                    cases.push(
                        late.expect(|client, truth| {
                            has(truth, EventKind::MpFail) && client.fallback.is_none()
                        }),
                    );
                }
            }
            cases.push(two("checksums").set(|it| it.checksum = true));
            cases.push(two("a server without it").set(|it| it.server_knows = false).falls_back());
            cases.push(two("backup").set(|it| it.backup = true));
            cases.push(
                two("no announcement")
                    .set(|it| it.announce = false)
                    .expect(|client, _| (client.subflows_attempted, client.addresses_announced) == (1, 0)),
            );

            let radios = [4, 5];
            let hands_over = |client: &TruthConnection, _: &TruthTables| client.handovers > 0;
            cases.push(phone("handover", 0.0).fail(0.25, &radios).expect(hands_over));
            let backup = phone("handover to a backup", 0.0).set(|it| it.backup = true);
            cases.push(backup.fail(0.25, &radios).expect(hands_over));
            cases.push(phone("late handover", 0.01).fail(0.4, &[6, 7]));
            let prio = |backup| Action::Prio { subflow: 1, backup };
            let priorities = phone("priorities", 0.0).act(0.2, End::Client, prio(true));
            let priorities = priorities.act(0.4, End::Server, prio(false));
            cases.push(priorities.expect(|_, truth| has(truth, EventKind::MpPrio)));
            let first = IpAddr::from([192, 168, 1, 2]);
            let withdrawn = phone("withdrawn", 0.0).act(0.25, End::Client, Action::Remove(first));
            cases.push(withdrawn.expect(|client, truth| {
                has(truth, EventKind::RemoveAddr)
                    && (client.handovers > 0 || client.bytes_c2s > client.bytes_s2c)
            }));
            let stray = IpAddr::from([198, 51, 100, 77]);
            let announced = phone("announced", 0.0).act(0.2, End::Server, Action::Announce(stray));
            cases.push(announced.expect(|client, _| client.addresses_announced == 2));
            let reset = Action::Reset { subflow: 1, reason: 2 };
            let reset = phone("reset", 0.0).act(0.25, End::Server, reset);
            cases.push(
                reset.expect(|client, truth| client.version == Some(0) || has(truth, EventKind::TcpRst)),
            );
            let aborted = |client: &TruthConnection, _: &TruthTables| client.close == Some(Close::FastClose);
            cases.push(phone("abort", 0.0).act(0.3, End::Client, Action::FastClose).expect(aborted));
            cases.push(
                phone("abort by the server", 0.0).act(0.3, End::Server, Action::FastClose).expect(aborted),
            );
            cases.push(phone("lossy", 0.03).expect(|client, truth| {
                client.retransmitted_bytes_c2s + client.retransmitted_bytes_s2c > 0 || truth.drops.len() > 10
            }));
        }
    }
    cases.into_iter().map(|special| special.0).collect()
}

#[test]
fn simulations_are_analysed_to_the_truth() {
    let wrong: Vec<_> = plain_cases().into_iter().flat_map(|case| check(case, 1)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn boxes_failures_and_actions_are_analysed_to_the_truth() {
    let wrong: Vec<_> = special_cases().into_iter().flat_map(|case| check(case, 1)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
