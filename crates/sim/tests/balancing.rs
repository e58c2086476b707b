//! Load balancing at work: rerouting around failures and collisions, spraying.

use subflow_sim::balance::{Balancer, Ecmp, FlowTuple, Policy, Scheme, flowbender};
use subflow_sim::congestion::Algorithm;
use subflow_sim::net::{InterfaceId, LinkId, LinkSettings};
use subflow_sim::topology::{FatTree, LeafSpine};
use subflow_sim::transport::LossDetection;
use subflow_sim::world::{Cause, FlowSpec, Outcome, Transport, Ways, What, World};
use subflow_sim::{Duration, Ended, Network, Rate, Time, run};

const DATA: u64 = 1512;

fn at(span: Duration) -> Time {
    Time::ZERO + span
}

fn link() -> LinkSettings {
    LinkSettings::new(Rate::from_gbps(10), Duration::from_micros(1)).buffer(250 * DATA).mark(65 * DATA)
}

fn tuple(from: u32, to: u32, port: u16) -> FlowTuple {
    FlowTuple { from: InterfaceId(from), to: InterfaceId(to), from_port: port, to_port: 80 }
}

fn spec(bytes: u64, tuple: FlowTuple) -> FlowSpec {
    FlowSpec { start: Time::ZERO, after: None, bytes, class: 0, ways: Ways::Balanced(vec![tuple]) }
}

fn world(net: &Network, transport: Transport, scheme: Scheme, policy: Policy) -> World {
    let mut world = World::new(vec![transport]);
    let ecmp = Ecmp::new(net, 1, true, true);
    world.set_balance(Balancer::new(net, 1, scheme, ecmp), policy, 1);
    world.keep_incidents();
    world
}

/// DCTCP whose window fills a path of its own without reaching the threshold anywhere: a mark means that somebody else is there.
fn unmarked_when_alone() -> Transport {
    Transport { receive_window: 60 * 1460, ..Transport::datacenter(Algorithm::Dctcp) }
}

/// One flow of DCTCP through a fat-tree whose first core link on its path fails after 1 ms and is never noticed by routing.
fn through_a_failure(policy: Policy) -> (Outcome, World) {
    let mut net = Network::new(FatTree::new(4, 1, &link()).graph().expect("a size"), 1);
    net.set_detection(Duration::from_secs(1000));
    let mut world = world(&net, unmarked_when_alone(), Scheme::Hash, policy);
    let flow = world.add_flow(&mut net, spec(5_000_000, tuple(0, 15, 77)));
    run(&mut net, &mut world, at(Duration::from_micros(900)));
    // The path is the one in use: that whose core links carry data now.
    let busiest = |net: &Network, from: &str| {
        let links = (0..net.link_count() as u32).map(LinkId);
        let here = links.filter(|&l| net.graph().link_name(l).starts_with(from));
        here.max_by_key(|&l| net.snapshot()[l.0 as usize].bytes_in)
    };
    let failed = busiest(&net, "agg0").expect("there");
    net.set_failure(at(Duration::from_millis(1)), failed);
    run(&mut net, &mut world, at(Duration::from_secs(1)));
    (world.outcome(flow).expect("there"), world)
}

#[test]
fn flowbender_leaves_a_dead_link_within_one_timeout() {
    let (without, _) = through_a_failure(Policy::Fixed);
    assert_eq!((without.completed, without.reroutes), (None, 0));
    let settings = flowbender::Settings::default();
    let (with, world) = through_a_failure(Policy::FlowBender(settings));
    let fct = with.fct().expect("complete");
    // 5 MB take 4.1 ms; the timeout is 10 ms. A new V may hash to the same link: half of them here, each after twice the time.
    let moves = world.incidents().iter().filter(|it| it.what == What::Moved(Cause::Timeout)).count() as u64;
    assert!(moves >= 1, "{moves}");
    let most = Duration::from_millis(5) + Duration::from_millis(10) * ((1 << moves) - 1);
    assert!(fct < most, "{fct} after {moves} moves");
}

/// Goodput in Gb/s, after some time, of as many flows as there are spines, all from one leaf to another.
fn collisions(scheme: Scheme, policy: Policy) -> (f64, u64) {
    let flows = 8;
    let leaf_spine =
        LeafSpine { leaves: 2, spines: flows, hosts: flows, up: link(), down: link(), fabric: link() };
    let mut net = Network::new(leaf_spine.graph().expect("a size"), 1);
    let mut world = world(&net, unmarked_when_alone(), scheme, policy);
    for i in 0..flows {
        world.add_flow(&mut net, spec(u64::MAX, tuple(i, flows + i, 1000 + i as u16)));
    }
    let half = Duration::from_millis(20);
    run(&mut net, &mut world, at(half));
    let sum = |world: &World, what: fn(&Outcome) -> u64| {
        (0..flows).filter_map(|f| world.outcome(f)).map(|o| what(&o)).sum::<u64>()
    };
    let before = sum(&world, |o| o.delivered);
    run(&mut net, &mut world, at(half * 2));
    let delivered = sum(&world, |o| o.delivered) - before;
    (delivered as f64 * 8.0 / half.as_secs_f64() / 1e9, sum(&world, |o| o.reroutes))
}

#[test]
fn flowbender_spreads_what_collides() {
    let (hashed, none) = collisions(Scheme::Hash, Policy::Fixed);
    let patience = flowbender::Patience::Chance(1, 0.5);
    let settings = flowbender::Settings { patience, ..flowbender::Settings::default() };
    let (bent, moves) = collisions(Scheme::Hash, Policy::FlowBender(settings));
    let (ideal, _) = collisions(Scheme::LeastLoaded, Policy::Fixed);
    assert_eq!(none, 0);
    assert!(moves > 0);
    // 80 Gb/s of links, of which headers leave 77.2; hashing uses about 5 of 8 spines.
    assert!(ideal > 75.0, "{ideal}");
    assert!(hashed < 60.0, "{hashed}");
    assert!(bent > hashed + 8.0, "{bent} after {hashed} with {moves} moves");
}

#[test]
fn sprayed_packets_come_out_of_order_and_all_arrive() {
    for (detection, needless) in [(LossDetection::Dupthresh(3), true), (LossDetection::Dupthresh(200), false)]
    {
        let mut net = Network::new(FatTree::new(4, 1, &link()).graph().expect("a size"), 1);
        let mut transport = Transport::datacenter(Algorithm::Dctcp);
        transport.sender.detection = detection;
        let mut world = world(&net, transport, Scheme::Spray, Policy::Fixed);
        for i in 0..16 {
            world.add_flow(&mut net, spec(2_000_000, tuple(i, (i + 5) % 16, 9)));
        }
        assert_eq!(run(&mut net, &mut world, at(Duration::from_secs(2))), Ended::Idle);
        let outcomes: Vec<Outcome> = (0..16).filter_map(|f| world.outcome(f)).collect();
        assert!(outcomes.iter().all(|o| o.completed.is_some() && o.delivered == 2_000_000));
        assert!(outcomes.iter().map(|o| o.out_of_order).sum::<u64>() > 0);
        assert_eq!(outcomes.iter().map(|o| o.duplicates).sum::<u64>() > 0, needless, "{detection:?}");
    }
}
