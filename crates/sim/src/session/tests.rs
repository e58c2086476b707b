use super::*;
use crate::header::Header;
use crate::middlebox::Middleboxes;
use crate::net::{InterfaceId, LinkSettings, Network, run};
use crate::observe::{Close, End, Fallback};
use crate::time::{Duration, Rate, Time};
use crate::topology::TwoPath;
use subflow_wire::keys::Version;
use subflow_wire::mptcp::Mptcp;

const DELAY: Duration = Duration::from_millis(10);

/// Both ends of a connection, with a wire between them that changes segments, or loses them where it says false.
struct Wire<F: FnMut(End, &mut Header) -> bool> {
    peers: [Peer; 2],
    subflows: u32,
    change: F,
    now: Time,
}

impl<F: FnMut(End, &mut Header) -> bool> Wire<F> {
    fn new(settings: &Settings, bytes: [u64; 2], change: F) -> Self {
        let peer = |end: End, addr: &str| {
            Peer::new(0, end, settings, vec![addr.parse().unwrap()], bytes[end.index()], 1)
        };
        let peers = [peer(End::Client, "10.0.0.1"), peer(End::Server, "10.9.0.1")];
        Self { peers, subflows: 1, change, now: Time::ZERO }
    }

    /// Lets everything happen for so long.
    fn run(&mut self, seconds: u64) {
        let ends = ["10.0.0.1:4000", "10.9.0.1:80"].map(|end| end.parse().unwrap());
        self.peers[0].open(self.now, 0, ends[0], ends[1]);
        let mut under_way: Vec<(Time, End, u32, Header)> = Vec::new();
        let until = Time::ZERO + Duration::from_secs(seconds);
        loop {
            for end in [End::Client, End::Server] {
                for join in self.peers[end.index()].take_joins() {
                    let local = std::net::SocketAddr::new(join.local, 5000 + self.subflows as u16);
                    self.peers[end.index()].open(self.now, self.subflows, local, join.remote);
                    self.subflows += 1;
                }
                for (subflow, mut header) in self.peers[end.index()].take_segments() {
                    if (self.change)(end, &mut header) {
                        under_way.push((self.now + DELAY, end.other(), subflow, header));
                    }
                }
            }
            let arrival = under_way.iter().map(|it| it.0).min().unwrap_or(Time::MAX);
            let timer = self.peers.iter().map(Peer::deadline).min().unwrap_or(Time::MAX);
            self.now = arrival.min(timer);
            if self.now > until {
                return;
            }
            if arrival <= timer {
                let place = under_way.iter().position(|it| it.0 == arrival).unwrap();
                let (_, end, subflow, header) = under_way.remove(place);
                self.peers[end.index()].arrive(self.now, subflow, &header);
            } else {
                for peer in self.peers.iter_mut().filter(|peer| peer.deadline() <= timer) {
                    peer.timer(timer);
                }
            }
        }
    }

    fn closes(&self) -> [Option<Close>; 2] {
        self.peers.each_ref().map(Peer::close)
    }

    fn delivered(&self) -> [u64; 2] {
        [self.peers[1].delivered(), self.peers[0].delivered()]
    }
}

fn settings(version: Version) -> Settings {
    Settings { version: Some(version), path_manager: PathManager::Ndiffports(3), ..Settings::default() }
}

const DONE: [Option<Close>; 2] = [Some(Close::DataFin); 2];

#[test]
fn both_versions_carry_data_both_ways_over_three_subflows() {
    for version in [Version::V0, Version::V1] {
        let mut wire = Wire::new(&settings(version), [100_000, 200_000], |_, _| true);
        wire.run(30);
        assert_eq!((wire.delivered(), wire.closes(), wire.subflows), ([100_000, 200_000], DONE, 3));
        // Nobody waits for anything any more.
        assert_eq!(wire.peers.each_ref().map(Peer::deadline), [Time::MAX; 2]);
    }
}

#[test]
fn any_single_segment_may_be_lost() {
    for version in [Version::V0, Version::V1] {
        for lost in 0..60 {
            let mut count = 0;
            let mut wire = Wire::new(&settings(version), [5_000, 20_000], |_, _| {
                count += 1;
                count - 1 != lost
            });
            wire.run(60);
            assert_eq!(
                (wire.delivered(), wire.closes()),
                ([5_000, 20_000], DONE),
                "{version:?} without {lost}"
            );
        }
    }
}

#[test]
fn no_segment_says_what_its_receiver_has_not_acknowledged_as_received() {
    let mut wire = Wire::new(&settings(Version::V1), [0, 50_000], |end, header| {
        if end == End::Server && header.payload.len > 0 {
            // Every data segment has its own mapping, and the payload is named as the mapping says.
            let Some(Mptcp::Dss(dss)) = header.mptcp().next() else { panic!("{header:?}") };
            let mapping = dss.mapping.unwrap();
            assert_eq!(
                (mapping.dsn.widen(header.payload.dsn), mapping.len),
                (header.payload.dsn, header.payload.len)
            );
        }
        true
    });
    wire.run(30);
    assert_eq!(wire.closes(), DONE);
}

#[test]
fn options_that_vanish_end_in_plain_tcp() {
    let strip = |header: &mut Header| {
        let keep = |option: &subflow_wire::tcp::TcpOption<'_>| {
            !matches!(option, subflow_wire::tcp::TcpOption::Mptcp(_))
        };
        header.options.retain(true, keep);
    };
    for (flags, kinds) in [
        ([true, false, false], [Some(Fallback::SynAck), None]),
        ([false, true, false], [Some(Fallback::SynAck), Some(Fallback::FirstData)]),
        ([false, false, true], [Some(Fallback::FirstData), Some(Fallback::FirstData)]),
    ] {
        let mut wire = Wire::new(&settings(Version::V1), [3_000, 90_000], |_, header| {
            let kind = match (header.flags.syn(), header.flags.ack()) {
                (true, false) => 0,
                (true, true) => 1,
                _ => 2,
            };
            if flags[kind] {
                strip(header);
            }
            true
        });
        wire.run(30);
        assert_eq!(wire.peers.each_ref().map(Peer::fallback), kinds);
        assert_eq!((wire.delivered(), wire.closes()), ([3_000, 90_000], [Some(Close::Fin); 2]));
    }
}

#[test]
fn a_server_that_does_not_know_the_option_serves_all_the_same() {
    let plain = Settings { server_knows: false, ..settings(Version::V1) };
    let mut wire = Wire::new(&plain, [1_000, 40_000], |_, _| true);
    wire.run(30);
    assert_eq!(wire.peers[0].fallback(), Some(Fallback::SynAck));
    assert_eq!((wire.delivered(), wire.closes()), ([1_000, 40_000], [Some(Close::Fin); 2]));
    let none = Settings { version: None, ..settings(Version::V1) };
    let mut wire = Wire::new(&none, [1_000, 40_000], |_, header| header.mptcp().next().is_none());
    wire.run(30);
    assert_eq!((wire.peers[0].fallback(), wire.delivered()), (None, [1_000, 40_000]));
}

#[test]
fn an_abort_ends_both() {
    let mut wire = Wire::new(&settings(Version::V0), [0, 10_000_000], |_, _| true);
    wire.peers[0].plan(Time::ZERO + Duration::from_millis(90), Action::FastClose);
    wire.run(30);
    assert_eq!(wire.closes(), [Some(Close::FastClose); 2]);
    assert!(wire.delivered()[1] > 0 && wire.delivered()[1] < 10_000_000);
}

#[test]
fn the_same_seed_gives_the_same_run_and_the_network_is_left_empty() {
    let finish = |seed: u64| {
        let link = LinkSettings::new(Rate::from_mbps(10), Duration::from_millis(5)).buffer(30_000).loss(0.01);
        let access = LinkSettings::new(Rate::from_gbps(1), Duration::ZERO);
        let paths = [(link.clone(), link.clone()), (link.clone(), link)];
        let mut net = Network::new(TwoPath { access, paths }.graph().unwrap(), seed);
        let classes = vec![Settings::default()];
        let mut hosts = Hosts::new(&mut net, classes, Middleboxes::new(), seed, ());
        let spec = Spec {
            start: Time::ZERO,
            client: vec![InterfaceId(0), InterfaceId(1)],
            server: vec![InterfaceId(2), InterfaceId(3)],
            v6: true,
            client_port: 4000,
            server_port: 80,
            bytes: [1_000, 500_000],
            class: 0,
            actions: Vec::new(),
        };
        let number = hosts.add(&mut net, spec).unwrap();
        run(&mut net, &mut hosts, Time::from_secs_f64(60.0));
        let client = hosts.peer(number, End::Client).unwrap();
        assert_eq!((client.delivered(), client.close()), (500_000, Some(Close::DataFin)));
        assert_eq!((hosts.headers(), net.packets()), (0, 0));
        net.snapshot()
    };
    assert_eq!(finish(3), finish(3));
    assert_ne!(finish(3), finish(4));
}
