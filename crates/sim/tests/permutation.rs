//! Throughput of a random permutation on a fat-tree by number of subflows, against max-min fair rates of the very same paths and
//! against what others have measured.
//!
//! `cargo test --release -p subflow-sim --test permutation -- --ignored --nocapture` runs all numbers of subflows for
//! longer and writes the table.

use subflow_sim::congestion::Algorithm;
use subflow_sim::maxmin::max_min;
use subflow_sim::net::{InterfaceId, LinkSettings, PathId};
use subflow_sim::random::{Purpose, Random};
use subflow_sim::topology::FatTree;
use subflow_sim::world::{FlowSpec, Transport, Ways, World};
use subflow_sim::{Duration, Network, Rate, Time, run};

fn permutation(hosts: u32, random: &mut Random) -> Vec<u32> {
    let mut to: Vec<u32> = (0..hosts).collect();
    loop {
        random.shuffle(&mut to);
        if to.iter().enumerate().all(|(from, &to)| from as u32 != to) {
            return to;
        }
    }
}

/// Percent of the hosts' rate that is delivered, and what max-min allows on the same paths.
fn throughput(k: u32, subflows: u16, seed: u64, warm_up: Duration, measured: Duration) -> (f64, f64) {
    let rate = Rate::from_mbps(100);
    let link = LinkSettings::new(rate, Duration::from_micros(20)).buffer(25 * 1540);
    let mut net = Network::new(FatTree::new(k, 1, &link).graph().expect("in range"), seed);
    let mut transport = Transport::datacenter(Algorithm::Lia).multipath(subflows);
    transport.sender.rto.min = Duration::from_millis(200);
    let mut world = World::new(vec![transport]);
    let mut random = Random::new(seed, Purpose::Workload);
    let hosts = k * k * k / 4;
    let mut all: Vec<Vec<u32>> = Vec::new();
    for (from, to) in permutation(hosts, &mut random).into_iter().enumerate() {
        let (from, to) = (InterfaceId(from as u32), InterfaceId(to));
        let back = net.paths(to, from).to_vec();
        let there = net.paths(from, to).to_vec();
        let ways: Vec<(PathId, PathId)> = (0..subflows)
            .map(|_| {
                let pick = random.below(there.len() as u64) as usize;
                (there[pick], back[pick])
            })
            .collect();
        all.extend(ways.iter().map(|&(path, _)| net.path_links(path).map(|link| link.0).collect()));
        let start = Time::ZERO + Duration::from_micros(random.below(100_000));
        let ways = Ways::Fixed(ways);
        world.add_flow(&mut net, FlowSpec { start, after: None, bytes: u64::MAX, class: 0, ways });
    }
    let fair: f64 = max_min(&vec![1.0; net.link_count()], &all).iter().sum::<f64>() / f64::from(hosts);
    let delivered =
        |world: &World| (0..hosts).filter_map(|f| world.outcome(f)).map(|o| o.delivered).sum::<u64>();
    run(&mut net, &mut world, Time::ZERO + warm_up);
    let before = delivered(&world);
    run(&mut net, &mut world, Time::ZERO + warm_up + measured);
    let carried = (delivered(&world) - before) as f64 * 1540.0 / 1460.0;
    (100.0 * carried / (rate.bytes_in(measured) as f64 * f64::from(hosts)), 100.0 * fair)
}

#[test]
fn subflows_of_lia_come_near_the_max_min_rates_of_their_paths() {
    for (subflows, points) in [(1, 3.0), (8, 4.0)] {
        let (got, fair) =
            throughput(8, subflows, 1, Duration::from_millis(1500), Duration::from_millis(2000));
        assert!((got - fair).abs() <= points, "{subflows} subflows: {got:.1} %, max-min {fair:.1} %");
    }
}

#[test]
#[ignore = "takes minutes, and a release build"]
fn the_whole_table() {
    // htsim with LIA at 100 Mb/s, k = 8, a random permutation.
    for (subflows, peer) in [(1, 47.5), (2, 62.8), (4, 78.8), (8, 85.7), (16, 89.6)] {
        let runs: Vec<(f64, f64)> = (0..3)
            .map(|seed| throughput(8, subflows, seed, Duration::from_secs(3), Duration::from_secs(7)))
            .collect();
        let got = runs.iter().map(|r| r.0).sum::<f64>() / runs.len() as f64;
        let fair = runs.iter().map(|r| r.1).sum::<f64>() / runs.len() as f64;
        eprintln!("{subflows:2} subflows: {got:.1} %, max-min {fair:.1} %, htsim {peer} %  {runs:.1?}");
        let points = if subflows == 1 { 3.0 } else { 4.0 };
        assert!((got - fair).abs() <= points, "{subflows} subflows: {got:.1} %, max-min {fair:.1} %");
    }
}
