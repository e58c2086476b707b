//! What load balancing does: completion times on an oversubscribed fat-tree, relative to ECMP, and the time without progress after a link has
//! failed. Seeds are paired: all schemes meet the same flows, ports and salts.
//!
//! `cargo run --release -p subflow-sim --example balancing -- times SEEDS MILLISECONDS [rack] [full] [LOAD …]`: 512 hosts, oversubscribed 4 : 1; with `full`
//! 128 hosts at full bisection.
//!
//! `cargo run --release -p subflow-sim --example balancing -- failure SEEDS`

use std::io::Write;

use subflow_sim::balance::{Balancer, Ecmp, FlowTuple, INITIAL_TTL, Policy, Scheme, flowbender, plb};
use subflow_sim::congestion::Algorithm;
use subflow_sim::net::{InterfaceId, Kind, LinkId, LinkSettings};
use subflow_sim::random::{Purpose, Random};
use subflow_sim::statistics::{Summary, mean, paired_ratio};
use subflow_sim::topology::FatTree;
use subflow_sim::transport::LossDetection;
use subflow_sim::workload::{Arrivals, Sizes, permutation, poisson};
use subflow_sim::world::{FlowSpec, Outcome, Transport, Ways, World};
use subflow_sim::{Duration, Network, Rate, Time, run};

const RATE: u64 = 10_000_000_000;
/// A full segment on the wire.
const PACKET: u64 = 1512;
/// Upper ends of the classes of size, bytes.
const CLASSES: [(u64, &str); 4] =
    [(100_000, "<= 100 kB"), (1_000_000, "<= 1 MB"), (10_000_000, "<= 10 MB"), (u64::MAX, "above")];

/// A scheme under its name.
type Named = (&'static str, Scheme, Policy);

fn schemes() -> Vec<Named> {
    let bender =
        |patience| Policy::FlowBender(flowbender::Settings { patience, ..flowbender::Settings::default() });
    vec![
        ("ecmp", Scheme::Hash, Policy::Fixed),
        ("flowbender N=1", Scheme::Hash, bender(flowbender::Patience::Fixed(1))),
        ("flowbender random N", Scheme::Hash, bender(flowbender::Patience::Chance(1, 0.5))),
        ("plb", Scheme::Hash, Policy::Plb(plb::Settings::default())),
        ("spray", Scheme::Spray, Policy::Fixed),
        ("least loaded", Scheme::LeastLoaded, Policy::Fixed),
    ]
}

fn link() -> LinkSettings {
    LinkSettings::new(Rate::from_bps(RATE), Duration::from_micros(1)).buffer(400 * PACKET).mark(65 * PACKET)
}

fn world(net: &Network, seed: u64, rack: bool, (_, scheme, policy): &Named) -> World {
    let mut transport = Transport::datacenter(Algorithm::Dctcp);
    if rack {
        transport.sender.detection = LossDetection::Rack;
    }
    let mut world = World::new(vec![transport]);
    let ecmp = Ecmp::new(net, seed, true, true);
    world.set_balance(Balancer::new(net, seed, *scheme, ecmp), *policy, seed);
    world
}

fn add(net: &mut Network, world: &mut World, seed: u64, flows: &[subflow_sim::workload::Flow]) {
    let mut ports = Random::new(seed, Purpose::Hashing);
    for flow in flows {
        let tuple = FlowTuple {
            from: InterfaceId(flow.src),
            to: InterfaceId(flow.dst),
            from_port: 1024 + ports.below(64_000) as u16,
            to_port: 80,
        };
        let ways = Ways::Balanced(vec![tuple]);
        world.add_flow(net, FlowSpec { start: flow.start, after: None, bytes: flow.bytes, class: 0, ways });
    }
}

/// What came of one run: by class of size completion times in seconds, and sums over all flows.
#[derive(Default)]
struct Times {
    classes: [Vec<f64>; 4],
    reroutes: u64,
    retransmits: u64,
    duplicates: u64,
    out_of_order: u64,
    timeouts: u64,
    unfinished: usize,
}

fn times(seed: u64, load: f64, milliseconds: u64, (rack, ratio): (bool, u32), named: &Named) -> Times {
    let mut net = Network::new(FatTree::new(8, ratio, &link()).graph().expect("a size"), seed);
    let mut world = world(&net, seed, rack, named);
    let hosts = net.graph().interfaces().len() as u32;
    let capacity = f64::from(hosts) * RATE as f64 / f64::from(ratio);
    let duration = Duration::from_millis(milliseconds);
    let arrivals = Arrivals { load, capacity, sizes: Sizes::web_search(), duration };
    let flows = poisson(hosts, &arrivals, &mut Random::new(seed, Purpose::Workload));
    add(&mut net, &mut world, seed, &flows);
    run(&mut net, &mut world, Time::ZERO + duration + Duration::from_secs(5));
    let mut times = Times::default();
    for (number, flow) in (0..).zip(&flows) {
        let outcome: Outcome = world.outcome(number).unwrap_or_default();
        times.reroutes += outcome.reroutes;
        times.retransmits += outcome.retransmits;
        times.duplicates += outcome.duplicates;
        times.out_of_order += outcome.out_of_order;
        times.timeouts += outcome.timeouts;
        let class = CLASSES.iter().position(|&(most, _)| flow.bytes <= most).unwrap_or(3);
        match outcome.fct() {
            Some(fct) => times.classes[class].push(fct.as_secs_f64()),
            None => times.unfinished += 1,
        }
    }
    times
}

/// How long each flow that lost its path makes no progress, in seconds: all flows of a permutation over a link between aggregation and core that fails
/// after 20 ms; routing learns of it after 100 ms.
fn stalls(seed: u64, named: &Named) -> Vec<f64> {
    let mut net = Network::new(FatTree::new(8, 1, &link()).graph().expect("a size"), seed);
    net.set_detection(Duration::from_millis(100));
    let mut world = world(&net, seed, false, named);
    let hosts = net.graph().interfaces().len() as u32;
    let spread = Duration::from_millis(1);
    let flows = permutation(hosts, u64::MAX, spread, &mut Random::new(seed, Purpose::Workload));
    add(&mut net, &mut world, seed, &flows);
    let at = |us: u64| Time::ZERO + Duration::from_micros(us);
    run(&mut net, &mut world, at(19_000));
    let carried = |net: &Network| net.snapshot().iter().map(|link| link.bytes_carried).collect::<Vec<u64>>();
    let before = carried(&net);
    run(&mut net, &mut world, at(20_000));
    // The busiest of the links up to the core.
    let tier = |net: &Network, node: subflow_sim::net::NodeId| net.graph().nodes()[node.0 as usize].kind;
    let after = carried(&net);
    let busiest = (0..after.len())
        .filter(|&i| {
            let edge = &net.graph().edges()[i];
            tier(&net, edge.from) == Kind::Switch { tier: 1 }
                && tier(&net, edge.to) == Kind::Switch { tier: 2 }
        })
        .max_by_key(|&i| after[i] - before[i])
        .expect("links");
    net.set_failure(at(20_000), LinkId(busiest as u32));
    let delivered = |world: &World| -> Vec<u64> {
        (0..hosts).map(|flow| world.outcome(flow).map_or(0, |outcome| outcome.delivered)).collect()
    };
    // The longest time in which nothing was delivered, in steps of 0.1 ms.
    let (mut last, mut since, mut longest) =
        (delivered(&world), vec![0u64; hosts as usize], vec![0u64; hosts as usize]);
    for step in 1..=2000 {
        run(&mut net, &mut world, at(20_000 + step * 100));
        let now = delivered(&world);
        for flow in 0..hosts as usize {
            since[flow] = if now[flow] > last[flow] { 0 } else { since[flow] + 1 };
            longest[flow] = longest[flow].max(since[flow]);
        }
        last = now;
    }
    longest.iter().filter(|&&steps| steps >= 50).map(|&steps| steps as f64 * 1e-4).collect()
}

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |n: usize, default: u64| arguments.get(n).and_then(|a| a.parse().ok()).unwrap_or(default);
    let mut out = std::io::stdout().lock();
    let seeds = number(1, 3);
    writeln!(
        out,
        "initial TTL {INITIAL_TTL}, 10 Gb/s, 1 us a link, buffers 400 packets, K = 65, DCTCP, minimum RTO 10 ms"
    )?;
    if arguments.first().is_some_and(|mode| mode == "failure") {
        for named in schemes() {
            let all: Vec<f64> = (1..=seeds).flat_map(|seed| stalls(seed, &named)).collect();
            match Summary::of(&mut all.clone()) {
                Some(s) => writeln!(
                    out,
                    "{:20} flows that stood still 5 ms or longer: {:4}, mean {:6.1} ms, p99 {:6.1}, longest {:6.1}",
                    named.0,
                    s.n,
                    s.mean * 1e3,
                    s.p99 * 1e3,
                    s.most * 1e3
                )?,
                None => writeln!(out, "{:20} no flow stood still for 5 ms", named.0)?,
            }
        }
        return Ok(());
    }
    let milliseconds = number(2, 50);
    let has = |word| arguments.iter().any(|argument| argument == word);
    let kind = (has("rack"), if has("full") { 1 } else { 4 });
    let loads: Vec<f64> = arguments.iter().skip(3).filter_map(|a| a.parse().ok()).collect();
    for load in if loads.is_empty() { vec![0.2, 0.4, 0.6] } else { loads } {
        let mut base: Vec<Times> = Vec::new();
        for named in schemes() {
            let runs: Vec<Times> =
                (1..=seeds).map(|seed| times(seed, load, milliseconds, kind, &named)).collect();
            let sum = |what: fn(&Times) -> u64| runs.iter().map(what).sum::<u64>();
            writeln!(
                out,
                "load {load} {:20} moves {} retransmits {} needless {} out of order {} timeouts {} unfinished {}",
                named.0,
                sum(|t| t.reroutes),
                sum(|t| t.retransmits),
                sum(|t| t.duplicates),
                sum(|t| t.out_of_order),
                sum(|t| t.timeouts),
                sum(|t| t.unfinished as u64)
            )?;
            for (class, (_, name)) in CLASSES.iter().enumerate() {
                let figures = |runs: &[Times]| -> (Vec<f64>, Vec<f64>) {
                    let means = runs.iter().filter_map(|t| mean(&t.classes[class])).collect();
                    let p99s = runs.iter().filter_map(|t| Summary::of(&mut t.classes[class].clone()));
                    (means, p99s.map(|s| s.p99).collect())
                };
                let (means, p99s) = figures(&runs);
                let (base_means, base_p99s) = figures(if base.is_empty() { &runs } else { &base });
                let ratio = |before: &[f64], after: &[f64]| {
                    paired_ratio(before, after, 0.95).map_or(String::new(), |i| {
                        let ends =
                            i.low.zip(i.high).map_or(String::new(), |(l, h)| format!(" ({l:.2}-{h:.2})"));
                        format!("{:.2}{ends}", i.mean)
                    })
                };
                writeln!(
                    out,
                    "    {name:10} mean {:8.3} ms {:20} p99 {:8.3} ms {:20}",
                    mean(&means).unwrap_or(0.0) * 1e3,
                    ratio(&base_means, &means),
                    mean(&p99s).unwrap_or(0.0) * 1e3,
                    ratio(&base_p99s, &p99s)
                )?;
            }
            out.flush()?;
            if base.is_empty() {
                base = runs;
            }
        }
    }
    Ok(())
}
