//! Shares of coupled congestion control, against what was measured and computed elsewhere.

use subflow_sim::congestion::Algorithm;
use subflow_sim::net::{Graph, InterfaceId, LinkSettings, Network, PathId};
use subflow_sim::topology::Dumbbell;
use subflow_sim::world::{FlowSpec, Transport, Ways, World};
use subflow_sim::{Duration, Rate, Time, run};

/// Bytes on the wire of a full segment, without and with a DSS option.
const DATA: u64 = 1460 + 52;
const MULTIPATH_DATA: u64 = 1460 + 80;

fn at(span: Duration) -> Time {
    Time::ZERO + span
}

fn multipath(algorithm: Algorithm, subflows: u16) -> Transport {
    Transport::datacenter(algorithm).multipath(subflows)
}

fn endless(start: Duration, class: u8, paths: Vec<(PathId, PathId)>) -> FlowSpec {
    FlowSpec { start: at(start), after: None, bytes: u64::MAX, class, ways: Ways::Fixed(paths) }
}

/// Throughput of a multipath connection with all its subflows through one bottleneck, relative to the TCP beside it: a mean over
/// bottlenecks with round-trip times that differ a little, because drop-tail queues and equal round-trip times fall into step.
fn share_of_bottleneck(algorithm: Algorithm, subflows: u16) -> f64 {
    let (mut multi, mut single) = (0, 0);
    for seed in 0..3 {
        let rate = Rate::from_mbps(100);
        let access = LinkSettings::new(Rate::from_gbps(1), Duration::from_micros(100 + 37 * seed));
        let buffer = rate.bytes_in(Duration::from_millis(20));
        let bottleneck = LinkSettings::new(rate, Duration::from_millis(10)).buffer(buffer).loss(1e-4);
        let back = LinkSettings::new(rate, Duration::from_millis(10));
        let graph = Dumbbell { pairs: 2, access, forward: bottleneck, back }.graph().expect("in range");
        let mut net = Network::new(graph, seed);
        let classes = vec![multipath(algorithm, subflows), Transport::datacenter(Algorithm::NewReno)];
        let mut world = World::new(classes);
        let paths = |net: &mut Network, pair: u32| {
            let (from, to) = (InterfaceId(2 * pair), InterfaceId(2 * pair + 1));
            (net.paths(from, to)[0], net.paths(to, from)[0])
        };
        let first = paths(&mut net, 0);
        world.add_flow(&mut net, endless(Duration::ZERO, 0, vec![first; usize::from(subflows)]));
        let second = paths(&mut net, 1);
        world.add_flow(&mut net, endless(Duration::from_millis(50), 1, vec![second]));
        run(&mut net, &mut world, at(Duration::from_secs(20)));
        let before = [0, 1].map(|f| world.outcome(f).expect("there").delivered);
        run(&mut net, &mut world, at(Duration::from_secs(120)));
        let after = [0, 1].map(|f| world.outcome(f).expect("there").delivered);
        multi += after[0] - before[0];
        single += after[1] - before[1];
    }
    multi as f64 / single as f64
}

#[test]
fn subflows_through_one_bottleneck_take_little_more_than_one_tcp_with_lia() {
    let two = share_of_bottleneck(Algorithm::Lia, 2);
    let four = share_of_bottleneck(Algorithm::Lia, 4);
    assert!((two / 1.19 - 1.0).abs() < 0.12, "{two} with two subflows");
    assert!((four / 1.36 - 1.0).abs() < 0.12, "{four} with four subflows");
}

#[test]
fn uncoupled_subflows_take_as_much_as_so_many_tcps() {
    let two = share_of_bottleneck(Algorithm::Uncoupled, 2);
    let four = share_of_bottleneck(Algorithm::Uncoupled, 4);
    assert!((two / 2.0 - 1.0).abs() < 0.12, "{two} with two subflows");
    assert!((four / 3.85 - 1.0).abs() < 0.12, "{four} with four subflows");
}

/// Scenario C of Khalili and others 2012: `n1` multipath users have an access point of their own and share another one with `n2`
/// users of TCP; capacities are equal for each user of type 1 and of type 2. Yields the mean rates in parts of that.
///
/// The published shares are those of a fluid, so that windows are to be large (here 40 packets for a whole share) and queues to add
/// little to round-trip times that differ.
fn scenario_c(algorithm: Algorithm, n1: u32, n2: u32) -> (f64, f64) {
    let per_user = Rate::from_mbps(20);
    let delay = Duration::from_millis(10);
    let shared = |users: u32| {
        let rate = Rate::from_bps(per_user.bps() * u64::from(users));
        LinkSettings::new(rate, delay).buffer(rate.bytes_in(Duration::from_millis(20)))
    };
    let mut graph = Graph::default();
    let access =
        |n: u32| LinkSettings::new(Rate::from_gbps(1), Duration::from_micros(10 + 211 * u64::from(n)));
    let far = graph.switch("far", 1);
    let first = graph.switch("first", 0);
    let second = graph.switch("second", 0);
    for (switch, users) in [(first, n1), (second, n2)] {
        graph.link(switch, far, shared(users));
        graph.link(far, switch, LinkSettings::new(Rate::from_gbps(10), delay));
    }
    let server = graph.host("server");
    let addresses = |n: u32| {
        let n = n as u16;
        (
            std::net::Ipv4Addr::new(10, 0, (n >> 8) as u8, n as u8),
            std::net::Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, n),
        )
    };
    let fast = LinkSettings::new(Rate::from_gbps(10), Duration::from_micros(1));
    let to = graph.interface(server, far, (fast.clone(), fast), addresses(1));
    let mut users = Vec::new();
    for i in 0..n1 + n2 {
        let host = graph.host(format!("user{i}"));
        let mut interfaces = Vec::new();
        if i < n1 {
            interfaces.push(graph.interface(host, first, (access(i), access(i)), addresses(2 * i + 2)));
        }
        interfaces.push(graph.interface(host, second, (access(i), access(i)), addresses(2 * i + 3)));
        users.push(interfaces);
    }
    let mut net = Network::new(graph, 1);
    let mut world = World::new(vec![multipath(algorithm, 2), Transport::datacenter(Algorithm::NewReno)]);
    for (i, interfaces) in users.iter().enumerate() {
        let paths = interfaces
            .iter()
            .map(|&from: &InterfaceId| (net.paths(from, to)[0], net.paths(to, from)[0]))
            .collect();
        let class = u8::from(i as u32 >= n1);
        world.add_flow(&mut net, endless(Duration::from_millis(100 * i as u64), class, paths));
    }
    let delivered = |world: &World| -> Vec<u64> {
        (0..n1 + n2).map(|f| world.outcome(f).expect("there").delivered).collect()
    };
    run(&mut net, &mut world, at(Duration::from_secs(30)));
    let before = delivered(&world);
    run(&mut net, &mut world, at(Duration::from_secs(130)));
    let after = delivered(&world);
    let whole = per_user.bytes_in(Duration::from_secs(100)) as f64;
    let mean = |range: std::ops::Range<usize>, wire: u64| {
        let len = range.len() as f64;
        range.map(|i| (after[i] - before[i]) as f64 / 1460.0 * wire as f64 / whole).sum::<f64>() / len
    };
    (mean(0..n1 as usize, MULTIPATH_DATA), mean(n1 as usize..(n1 + n2) as usize, DATA))
}

#[test]
fn scenario_c_with_lia_and_uncoupled() {
    let close = |got: (f64, f64), expected: (f64, f64)| {
        (got.0 / expected.0 - 1.0).abs() < 0.05 && (got.1 / expected.1 - 1.0).abs() < 0.05
    };
    for (algorithm, n1, n2, expected) in [
        (Algorithm::Lia, 10, 10, (1.296, 0.704)),
        (Algorithm::Lia, 30, 10, (1.172, 0.485)),
        (Algorithm::Uncoupled, 10, 10, (1.5, 0.5)),
    ] {
        let got = scenario_c(algorithm, n1, n2);
        assert!(close(got, expected), "{algorithm} {n1}:{n2}: {got:?}, expected {expected:?}");
    }
}
