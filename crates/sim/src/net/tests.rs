//! Closed forms of links and paths, conservation, failures, determinism.

use super::*;
use crate::balance::{Ecmp, FlowTuple};
use crate::topology::{Dumbbell, FatTree, Multihomed};

/// Sends what it was told to, frees what arrives, and writes everything down.
#[derive(Default)]
struct Recorder {
    /// By flow: path, payload and flags of packets sent at once.
    flows: Vec<(PathId, u16, u8, u32)>,
    arrivals: Vec<(Time, u32, u8)>,
    drops: Vec<(Time, LinkId, Why)>,
    /// By link: packets seen to enter and to leave.
    entered: Vec<u64>,
    left: Vec<u64>,
    rerouted: Vec<Time>,
    samples: Vec<(Time, u64)>,
    watched: Option<LinkId>,
    boxed: Option<Verdict>,
    held: Vec<PacketId>,
}

impl Endpoint for Recorder {
    const OBSERVES: bool = true;

    fn start(&mut self, net: &mut Network, flow: u32) {
        let (path, len, flags, count) = self.flows[flow as usize];
        for n in 0..count {
            let id = net.alloc(Packet { subflow: n, path, len, flags, ..Packet::default() });
            net.send(id);
        }
    }

    fn arrive(&mut self, net: &mut Network, packet: PacketId) {
        let &Packet { subflow, flags, .. } = net.packet(packet);
        self.arrivals.push((net.now(), subflow, flags));
        net.free(packet);
    }

    fn timer(&mut self, net: &mut Network, token: u32) {
        if let Some(id) = self.held.pop() {
            net.send_past(id);
        }
        if token == 7 {
            net.stop();
        }
    }

    fn dropped(&mut self, net: &mut Network, link: LinkId, _: PacketId, why: Why) {
        self.drops.push((net.now(), link, why));
    }

    fn intercept(&mut self, net: &mut Network, _: LinkId, packet: PacketId) -> Verdict {
        let verdict = self.boxed.unwrap_or(Verdict::Forward);
        if verdict == Verdict::Taken {
            self.held.push(packet);
            net.set_timer(net.now() + Duration::from_millis(1), 0);
        }
        verdict
    }

    fn entered(&mut self, net: &Network, link: LinkId, _: &Packet, departs: Time) {
        assert!(departs > net.now());
        count(&mut self.entered, link);
    }

    fn left(&mut self, _: &Network, link: LinkId, _: &Packet) {
        count(&mut self.left, link);
    }

    fn rerouted(&mut self, net: &mut Network) {
        self.rerouted.push(net.now());
    }

    fn sample(&mut self, net: &mut Network) {
        if let Some(link) = self.watched {
            self.samples.push((net.now(), net.queue_bytes(link)));
        }
    }
}

fn count(counts: &mut Vec<u64>, link: LinkId) {
    let index = link.0 as usize;
    counts.resize(counts.len().max(index + 1), 0);
    counts[index] += 1;
}

/// Two hosts and a bottleneck that is the only slow link. Payloads are lengths on the wire.
fn dumbbell(bottleneck: LinkSettings) -> (Network, PathId) {
    let access = LinkSettings::new(Rate::from_gbps(100), Duration::ZERO);
    let graph = Dumbbell { pairs: 1, access: access.clone(), forward: bottleneck, back: access }.graph();
    let mut net = Network::new(graph.expect("a size"), 5);
    net.set_overheads(Overheads { data: 0, ack: 64, data_mptcp: 0, ack_mptcp: 64 });
    let path = net.paths(InterfaceId(0), InterfaceId(1))[0];
    (net, path)
}

fn slow() -> LinkSettings {
    // 1500 bytes take 12 µs.
    LinkSettings::new(Rate::from_gbps(1), Duration::from_micros(50))
}

fn burst(net: &mut Network, recorder: &mut Recorder, path: PathId, flags: u8, packets: u32) {
    net.set_start(net.now(), recorder.flows.len() as u32);
    recorder.flows.push((path, 1500, flags, packets));
}

#[test]
fn store_and_forward_is_exact_to_the_picosecond() {
    // A cable between each pair of rates: two that divide 8e12, and one that does not (64 bytes at 7 Gb/s: 73142.857… ps).
    for (rate, tx) in
        [(10_000_000_000u64, 1_200_000u64), (25_000_000_000, 480_000), (7_000_000_000, 1_714_286)]
    {
        let link = LinkSettings::new(Rate::from_bps(rate), Duration::from_ps(1_234_567));
        let mut net = Network::new(FatTree::new(4, 1, &link).graph().expect("a size"), 1);
        net.set_overheads(Overheads { data: 52, ack: 52, data_mptcp: 80, ack_mptcp: 64 });
        for (to, hops) in [(1, 2), (2, 4), (15, 6)] {
            let path = net.paths(InterfaceId(0), InterfaceId(to))[0];
            let mut recorder = Recorder { flows: vec![(path, 1448, 0, 1)], ..Recorder::default() };
            let start = net.now() + Duration::from_ps(17);
            net.set_start(start, 0);
            assert_eq!(run(&mut net, &mut recorder, Time::MAX), Ended::Idle);
            let latency = Duration::from_ps(hops * (tx + 1_234_567));
            assert_eq!(recorder.arrivals, [(start + latency, 0, 0)]);
            assert_eq!(net.path_latency(path, 1500), Some(latency));
            assert_eq!(
                net.path_rate(path),
                Some((Rate::from_bps(rate), Duration::from_ps(hops * 1_234_567)))
            );
        }
    }
}

#[test]
fn a_train_is_spaced_by_the_bottleneck() {
    let (mut net, path) = dumbbell(slow());
    let mut recorder = Recorder::default();
    burst(&mut net, &mut recorder, path, 0, 4);
    run(&mut net, &mut recorder, Time::MAX);
    // 0.12 µs on the fast links before and behind.
    let first = 120_000 + 12_000_000 + 50_000_000 + 120_000;
    let times: Vec<u64> = recorder.arrivals.iter().map(|&(at, ..)| at.0).collect();
    assert_eq!(times, [first, first + 12_000_000, first + 24_000_000, first + 36_000_000]);
    let counters = net.snapshot()[Dumbbell::BOTTLENECK.0 as usize];
    // Each of the other three finds 12 µs of work at 1 Gb/s less what was sent since, 0.12 µs a packet: 36 µs - 0.36 µs, and 1500 bytes each.
    assert_eq!(counters.longest, 6000 - 3 * 15);
    assert_eq!((counters.packets_in, counters.packets_out, counters.bytes_carried), (4, 4, 6000));
}

#[test]
fn errors_of_odd_rates_do_not_add_up() {
    // A byte takes 8e12 / 7e6 ps = 1142857.14… ps: 700 packets of 1000 bytes take 0.8 s exactly.
    let (mut net, path) = dumbbell(LinkSettings::new(Rate::from_mbps(7), Duration::ZERO));
    let mut recorder = Recorder { flows: vec![(path, 1000, 0, 700)], ..Recorder::default() };
    net.set_start(Time::ZERO, 0);
    run(&mut net, &mut recorder, Time::MAX);
    let last = recorder.arrivals.last().expect("arrivals").0;
    assert_eq!(last, Time(80_000 + 800_000_000_000 + 80_000));
}

#[test]
fn drop_tail_holds_what_fits() {
    // On odd rates, too, exactly ten packets fit. The first link feeds a packet in 0.12 µs.
    for rate in [Rate::from_mbps(1), Rate::from_bps(1_234_577)] {
        let (mut net, path) = dumbbell(LinkSettings::new(rate, Duration::ZERO).buffer(15_000));
        let mut recorder = Recorder::default();
        burst(&mut net, &mut recorder, path, 0, 30);
        run(&mut net, &mut recorder, Time::MAX);
        // 30 packets come within 3.6 µs, in which the line does not send a byte; the first counts until its last byte has left.
        assert_eq!(recorder.arrivals.len(), 10);
        assert!(recorder.arrivals.iter().map(|&(_, n, _)| n).eq(0..10), "the tail is dropped");
        assert!(
            recorder.drops.iter().all(|&(_, link, why)| (link, why) == (Dumbbell::BOTTLENECK, Why::Full))
        );
        let counters = net.snapshot()[0];
        assert_eq!((counters.dropped, counters.bytes_dropped, counters.packets_in), (20, 30_000, 30));
        assert!(counters.longest <= 15_000 && counters.longest > 14_990, "{}", counters.longest);
    }
}

#[test]
fn marks_begin_over_the_threshold() {
    let (mut net, path) = dumbbell(slow().mark(5 * 1500));
    let mut recorder = Recorder::default();
    burst(&mut net, &mut recorder, path, flags::ECT, 20);
    run(&mut net, &mut recorder, Time::MAX);
    // Packet n finds n · 1500 bytes less the 15 bytes sent per packet: over five packets for the first time when n = 6.
    let marked: Vec<u32> =
        recorder.arrivals.iter().filter(|&&(.., f)| f & flags::CE != 0).map(|&(_, n, _)| n).collect();
    assert_eq!(marked, (6..20).collect::<Vec<_>>());
    assert_eq!(net.snapshot()[0].marked, 14);
    // Who is not ECN-capable is neither marked nor dropped.
    burst(&mut net, &mut recorder, path, 0, 20);
    run(&mut net, &mut recorder, Time::MAX);
    assert_eq!(net.snapshot()[0].marked, 14);
    assert_eq!(recorder.arrivals.len(), 40);
}

#[test]
fn the_mean_queue_is_the_area() {
    // One packet of 1500 bytes leaves evenly within 12 µs: 1500 · 6 byte µs; after 1 ms the mean is 9 bytes.
    let (mut net, path) = dumbbell(slow());
    let mut recorder = Recorder::default();
    burst(&mut net, &mut recorder, path, 0, 1);
    net.set_timer(Time(1_000_000_000), 7);
    run(&mut net, &mut recorder, Time::MAX);
    assert!((net.snapshot()[0].mean_queue - 9.0).abs() < 1e-9);
    // In the midst of it: half the packet is left after 6 µs; the area so far is 6 · (1500 + 750) / 2 byte µs.
    let (mut net, path) = dumbbell(slow());
    let mut recorder = Recorder::default();
    burst(&mut net, &mut recorder, path, 0, 1);
    net.set_timer(Time(6_120_000), 7);
    assert_eq!(run(&mut net, &mut recorder, Time::MAX), Ended::Stopped);
    let counters = net.snapshot()[0];
    assert_eq!(
        (counters.queue, counters.bytes_carried, counters.queued, counters.in_flight),
        (750, 750, 1, 0)
    );
    assert!((counters.mean_queue - 6.0 * 1125.0 / 6.12).abs() < 1e-9, "{}", counters.mean_queue);
}

#[test]
fn samples_come_at_their_interval() {
    let (mut net, path) = dumbbell(slow());
    let mut recorder = Recorder { watched: Some(Dumbbell::BOTTLENECK), ..Recorder::default() };
    burst(&mut net, &mut recorder, path, 0, 3);
    net.set_sampling(Duration::from_micros(10));
    run(&mut net, &mut recorder, Time::MAX);
    // 36 µs of work from 0.12 µs on: 26.12 µs are left at 10 µs, at 125 bytes a µs.
    let bytes: Vec<u64> = recorder.samples.iter().map(|&(_, bytes)| bytes).take(4).collect();
    assert_eq!(bytes, [3265, 2015, 765, 0]);
    assert!(recorder.samples.iter().zip(1..).all(|(&(at, _), n)| at == Time(n * 10_000_000)));
    assert_eq!(recorder.samples.len(), 9, "until the last packet arrives at 86.24 µs");
}

/// A fat-tree under random bursts, with loss, small buffers and a link that fails and comes back.
fn storm(seed: u64) -> (Network, Recorder) {
    let link =
        LinkSettings::new(Rate::from_gbps(10), Duration::from_micros(1)).buffer(20_000).mark(8000).loss(0.01);
    let mut net = Network::new(FatTree::new(4, 1, &link).graph().expect("a size"), seed);
    let ecmp = Ecmp::new(&net, seed, true, false);
    let mut recorder = Recorder::default();
    let random = &mut Random::new(seed, Purpose::Workload);
    for flow in 0..400 {
        let tuple = FlowTuple {
            from: InterfaceId(random.below(16) as u32),
            to: InterfaceId(random.below(16) as u32),
            from_port: random.next_u32() as u16,
            to_port: 80,
        };
        let path = ecmp.path(&mut net, tuple, 0).unwrap_or(PathId::NOWHERE);
        recorder.flows.push((path, random.below(1449) as u16, flags::ECT, 1 + random.below(20) as u32));
        net.set_start(Time(random.below(200_000_000)), flow);
    }
    for link in [3, 20, 40] {
        net.set_failure(Time(60_000_000 + u64::from(link)), LinkId(link));
        net.set_repair(Time(120_000_000), LinkId(link));
    }
    (net, recorder)
}

#[test]
fn nothing_is_made_or_lost_on_any_link_at_any_moment() {
    let (mut net, mut recorder) = storm(1);
    let mut before = 0;
    for step in 1..=60 {
        run(&mut net, &mut recorder, Time(step * 4_000_000));
        let mut queued = 0;
        for (i, counters) in net.snapshot().iter().enumerate() {
            let seen = |counts: &[u64]| counts.get(i).copied().unwrap_or(0);
            let drops =
                |wanted| recorder.drops.iter().filter(|&&(_, l, w)| (l.0 as usize, w) == (i, wanted)).count();
            // Two books that know nothing of one another: counters and what waits in the event queue, and what was seen at the ends of links.
            assert_eq!(counters.packets_out, seen(&recorder.left));
            assert_eq!(counters.dropped as usize, drops(Why::Full));
            assert_eq!(counters.lost as usize, drops(Why::Loss));
            assert_eq!(counters.failed as usize, drops(Why::Down));
            let inside = counters.queued + counters.in_flight;
            let gone = counters.packets_out + counters.dropped + counters.lost + counters.failed;
            assert_eq!(counters.packets_in, gone + inside);
            // What was lost on the line still takes its time there, so a queue may be longer than its packets, but never shorter.
            assert!(counters.queue <= 20_000 && (counters.queued == 0 || counters.queue > 0));
            assert!(counters.bytes_carried + counters.queue + counters.bytes_dropped <= counters.bytes_in);
            queued += inside;
        }
        assert!(queued as usize <= net.packets());
        before = queued.max(before);
    }
    assert!(before > 100, "there was something to count: {before}");
    assert_eq!(run(&mut net, &mut recorder, Time::MAX), Ended::Idle);
    assert_eq!(net.packets(), 0, "every slot was given back");
    let sent: u64 = recorder.flows.iter().map(|&(.., count)| u64::from(count)).sum();
    assert_eq!(sent as usize, recorder.arrivals.len() + recorder.drops.len());
    for why in [Why::Full, Why::Loss, Why::Down, Why::NoRoute] {
        assert!(recorder.drops.iter().any(|&(_, _, w)| w == why), "{why:?}");
    }
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let trace = |seed| {
        let (mut net, mut recorder) = storm(seed);
        run(&mut net, &mut recorder, Time::MAX);
        (recorder.arrivals, recorder.drops, net.hops())
    };
    assert_eq!(trace(1), trace(1));
    assert_ne!(trace(1), trace(2));
}

#[test]
fn random_loss_has_its_rate() {
    let (mut net, path) = dumbbell(slow().loss(0.02));
    let mut recorder = Recorder::default();
    burst(&mut net, &mut recorder, path, 0, 50_000);
    run(&mut net, &mut recorder, Time::MAX);
    // Binomial: mean 1000, standard deviation 31.3; five of them.
    let lost = net.snapshot()[0].lost;
    assert!(lost.abs_diff(1000) < 157, "{lost}");
    assert_eq!(recorder.arrivals.len() as u64, 50_000 - lost);
    // What is lost on the line has taken its time there.
    let last = recorder.arrivals.last().expect("arrivals");
    assert_eq!(last.0, Time(240_000 + 50_000_000 + 12_000_000 * (u64::from(last.1) + 1)));
}

#[test]
fn streams_of_loss_belong_to_links() {
    // Another lossy link elsewhere does not change which packets are lost here.
    let lost = |other: f64| {
        let access = LinkSettings::new(Rate::from_gbps(100), Duration::ZERO);
        let bell = Dumbbell {
            pairs: 1,
            access: access.clone(),
            forward: slow().loss(0.1),
            back: access.loss(other),
        };
        let mut net = Network::new(bell.graph().expect("a size"), 5);
        let there = net.paths(InterfaceId(0), InterfaceId(1))[0];
        let back = net.paths(InterfaceId(1), InterfaceId(0))[0];
        let mut recorder =
            Recorder { flows: vec![(there, 1000, 0, 500), (back, 1000, 1, 500)], ..Recorder::default() };
        net.set_start(Time::ZERO, 0);
        net.set_start(Time::ZERO, 1);
        run(&mut net, &mut recorder, Time::MAX);
        let there = recorder.arrivals.iter().filter(|&&(.., f)| f == 0);
        there.map(|&(_, n, _)| n).collect::<Vec<_>>()
    };
    assert_eq!(lost(0.0), lost(0.5));
}

#[test]
fn a_failure_takes_what_is_on_the_link_and_routing_finds_another_way() {
    let link = LinkSettings::new(Rate::from_gbps(1), Duration::from_micros(100));
    let mut net = Network::new(FatTree::new(4, 1, &link).graph().expect("a size"), 1);
    net.set_overheads(Overheads { data: 0, ack: 64, data_mptcp: 0, ack_mptcp: 64 });
    let paths = net.paths(InterfaceId(0), InterfaceId(15)).to_vec();
    assert_eq!(paths.len(), 4);
    let up = net.path_links(paths[0]).nth(1).expect("a link up");
    let mut recorder = Recorder { flows: vec![(paths[0], 1500, 0, 20)], ..Recorder::default() };
    // 20 packets in 240 µs; each is on the link from 112 µs + 12 n µs to 224 µs + 12 n µs.
    net.set_start(Time::ZERO, 0);
    net.set_detection(Duration::from_millis(5));
    net.set_failure(Time(300_000_000), up);
    net.set_repair(Time(20_000_000_000), up);
    run(&mut net, &mut recorder, Time(4_000_000_000));
    // At 300 µs packets 0 to 6 have left the link (the last at 296 µs), 7 to 15 are on it, 16 to 19 come later.
    assert_eq!(recorder.arrivals.len(), 7);
    let at_once = recorder.drops.iter().filter(|&&(at, ..)| at == Time(300_000_000)).count();
    assert_eq!((at_once, recorder.drops.len()), (9, 13));
    assert!(recorder.drops.iter().all(|&(_, link, why)| (link, why) == (up, Why::Down)));
    assert!(net.path_is_down(paths[0]) && net.paths(InterfaceId(0), InterfaceId(15)).len() == 4);
    run(&mut net, &mut recorder, Time(6_000_000_000));
    assert_eq!(recorder.rerouted, [Time(5_300_000_000)]);
    let left = net.paths(InterfaceId(0), InterfaceId(15)).to_vec();
    assert!(left.len() == 2 && left.iter().all(|&path| net.path_links(path).all(|link| link != up)));
    run(&mut net, &mut recorder, Time(26_000_000_000));
    assert_eq!(recorder.rerouted, [Time(5_300_000_000), Time(25_000_000_000)]);
    assert_eq!(net.paths(InterfaceId(0), InterfaceId(15)), paths);
    assert_eq!(net.packets(), 0);
}

#[test]
fn a_host_that_lost_its_link_has_no_way() {
    let (mut net, path) = dumbbell(slow());
    let mut recorder = Recorder::default();
    net.set_failure(Time::ZERO, Dumbbell::BOTTLENECK);
    run(&mut net, &mut recorder, Time(20_000_000_000));
    assert!(net.paths(InterfaceId(0), InterfaceId(1)).is_empty());
    assert_eq!(net.walk(InterfaceId(0), InterfaceId(1), |_| 0), None);
    burst(&mut net, &mut recorder, path, 0, 2);
    run(&mut net, &mut recorder, Time::MAX);
    assert_eq!(recorder.drops.iter().filter(|&&(.., why)| why == Why::Down).count(), 2);
}

#[test]
fn a_trace_is_followed() {
    let step = |ms, bps, delay| Step {
        at: Time::ZERO + Duration::from_millis(ms),
        bps,
        delay: Duration::from_millis(delay),
    };
    // 1500 bytes take 1 ms at 12 Mb/s. Four leave before the outage at 4 ms, the others at half the rate from 10 ms on.
    let trace =
        Trace::new(vec![step(0, 12_000_000, 20), step(4, 0, 20), step(10, 6_000_000, 5)]).expect("steps");
    let radio = LinkSettings::new(Rate::from_gbps(1), Duration::ZERO).trace(trace).buffer(9000);
    let fast = LinkSettings::new(Rate::from_gbps(100), Duration::ZERO);
    let phone = Multihomed {
        wifi: (radio, fast.clone()),
        cellular: (fast.clone(), fast.clone()),
        internet: fast.clone(),
        server: fast,
        second: false,
    };
    let mut net = Network::new(phone.graph().expect("fits"), 1);
    net.set_overheads(Overheads { data: 0, ack: 64, data_mptcp: 0, ack_mptcp: 64 });
    let path = net.paths(InterfaceId(0), InterfaceId(2))[0];
    let mut recorder = Recorder::default();
    burst(&mut net, &mut recorder, path, 0, 7);
    run(&mut net, &mut recorder, Time::MAX);
    let rest = 240_000;
    let ms = |ms: u64| Time(ms * 1_000_000_000 + rest);
    let times: Vec<Time> = recorder.arrivals.iter().map(|&(at, ..)| at).collect();
    // Nobody overtakes: the fifth would be there at 12 + 5 ms, the sixth at 14 + 5 ms, before the fourth (at 24 ms).
    assert_eq!(times[..4], [ms(21), ms(22), ms(23), ms(24)]);
    assert!(times[4] >= ms(24) && times[5] >= times[4] && times[5] < ms(25), "{times:?}");
    assert_eq!((times.len(), recorder.drops.len()), (6, 1), "six packets fit");
    assert_eq!(net.snapshot()[Multihomed::RADIOS[0].0 as usize].longest, 9000);
}

#[test]
fn a_middlebox_lets_through_drops_or_holds() {
    for verdict in [Verdict::Forward, Verdict::Drop, Verdict::Taken] {
        let (mut net, path) = dumbbell(slow());
        net.set_intercepted(Dumbbell::BOTTLENECK);
        let mut recorder = Recorder { boxed: Some(verdict), ..Recorder::default() };
        burst(&mut net, &mut recorder, path, 0, 1);
        run(&mut net, &mut recorder, Time::MAX);
        let held = 120_000 + 1_000_000_000 + 12_000_000 + 50_000_000 + 120_000;
        match verdict {
            Verdict::Forward => assert_eq!(recorder.arrivals[0].0, Time(held - 1_000_000_000)),
            Verdict::Drop => assert_eq!(recorder.drops, [(Time(120_000), LinkId(0), Why::Middlebox)]),
            Verdict::Taken => assert_eq!(recorder.arrivals[0].0, Time(held)),
        }
        assert_eq!(net.packets(), 0);
    }
}

#[test]
fn lengths_on_the_wire() {
    let (mut net, path) = dumbbell(slow());
    net.set_overheads(Overheads { data: 52, ack: 40, data_mptcp: 80, ack_mptcp: 64 });
    net.set_wire_length(3, 1234);
    let length = |net: &Network, flags, header| {
        net.wire_length(&Packet { path, len: 1000, flags, header, ..Packet::default() })
    };
    let kinds =
        [0, flags::MPTCP, flags::ACK, flags::ACK | flags::MPTCP].map(|flags| length(&net, flags, NONE));
    assert_eq!(kinds, [1052, 1080, 40, 64]);
    assert_eq!([length(&net, 0, 3), length(&net, 0, 2), length(&net, 0, 99)], [1234, 1052, 1052]);
    net.set_wire_length(3, 0);
    assert_eq!(length(&net, flags::ACK, 3), 40);
}

#[test]
fn paths_over_given_links() {
    let (mut net, path) = dumbbell(slow());
    let links: Vec<LinkId> = net.path_links(path).collect();
    assert_eq!(net.path_over(&links), Some(path));
    assert_eq!(net.path_over(&[LinkId(99)]), None);
}
