//! The chain itself: what it does to packets is what it says, measured by the distances of who answers.

use std::fmt::Write as _;
use std::net::IpAddr;

use subflow_probe::Error;
use subflow_probe::Stop;
use subflow_probe::distance::{Measure, Settings};
use subflow_probe::network::{Channel, Nanos, Options, Out, Received, Talk, drive};
use subflow_probe::targets::Target;

use crate::chain::kernel::{KernelChain, treated};
use crate::chain::{Behaviour, Chain, End, MPTCP, Path, Quote, Stage, target};
use crate::support::Lab;

type Expected = (&'static str, [Option<u8>; 3], Option<bool>);

/// What is measured, and the distances that are to be found: SYN/ACK, reset, echo; and whether it is a proxy.
const EXPECTED: [Expected; 8] = [
    ("clean", [Some(5); 3], Some(false)),
    ("silent", [Some(5); 3], Some(false)),
    ("short quotes, a proxy in the second router", [Some(2), Some(5), Some(5)], Some(true)),
    ("silent routers, a proxy for Multipath TCP", [Some(3), Some(6), Some(6)], Some(true)),
    ("network address translation", [Some(4); 3], Some(false)),
    ("the same, and quotes show it", [Some(4); 3], Some(false)),
    ("nobody", [None; 3], None),
    ("labels", [Some(6); 3], Some(false)),
];

pub(crate) fn paths() -> Vec<Path> {
    let (before, after) = (Stage::Before, Stage::After);
    vec![
        Path::clean(4, Quote::Full),
        Path::clean(4, Quote::Silent),
        Path::clean(4, Quote::Transport(8)).with(2, Behaviour::Proxy, before),
        Path::clean(5, Quote::Silent).with(3, Behaviour::ProxyMptcp, before),
        Path::clean(3, Quote::Full).with(2, Behaviour::Nat(true), after),
        Path::clean(3, Quote::Full).with(2, Behaviour::Nat(false), after),
        Path { end: End::Nobody, ..Path::clean(3, Quote::Full) },
        Path::clean(5, Quote::Mpls).quoting(2, Quote::OldMpls),
    ]
}

/// A talk that is nothing but a measurement.
struct Distance {
    target: Target,
    measure: Measure,
}

impl Distance {
    fn again(&self, out: &mut Out) {
        match self.measure.wake_at() {
            Some(at) => out.wake(at),
            None => out.sleep(),
        }
    }
}

impl Talk for Distance {
    fn remote(&self) -> IpAddr {
        self.target.addr
    }

    fn begin(&mut self, _now: Nanos, out: &mut Out) {
        self.measure.begin(out);
    }

    fn packet(&mut self, _now: Nanos, packet: &Received<'_>, out: &mut Out) {
        self.measure.packet(packet, out);
        self.again(out);
    }

    fn timer(&mut self, now: Nanos, out: &mut Out) {
        self.measure.timer(now, out);
        self.again(out);
    }

    fn sent(&mut self, id: u32, at: Nanos, out: &mut Out) {
        self.measure.sent(id, at);
        self.again(out);
    }

    fn is_over(&self) -> bool {
        self.measure.is_over()
    }
}

/// `FILE N,N,…`: the distances of the targets of these numbers, of both families, a line each.
pub(crate) fn measure(mut arguments: impl Iterator<Item = String>) -> Result<(), String> {
    let file = arguments.next().ok_or("no file")?;
    let numbers = arguments.next().ok_or("no targets")?;
    let numbers = numbers.split(',').map(|number| number.parse().expect("a number"));
    let talks = numbers.flat_map(|n| [target(n, false), target(n, true)]).map(|addr| {
        let target = Target { addr, port: MPTCP };
        Distance { target, measure: Measure::new(target, Settings { secret: 77, ..Settings::default() }) }
    });
    let words = |error: Error| error.to_string();
    let mut channel = Channel::open(&Options::default()).map_err(words)?;
    let mut lines = String::new();
    let mut finished = |talk: Distance| {
        let found = talk.measure.distances();
        let hops = [found.syn_ack.hops, found.reset.hops, found.echo.hops];
        // Writing into a string does not fail.
        let _ = writeln!(lines, "{} {hops:?} {:?}", talk.target.addr, found.proxy());
        Ok(())
    };
    drive(&mut channel, talks, 200, Some(3000.0), &Stop::default(), &mut finished).map_err(words)?;
    std::fs::write(file, lines).map_err(|error| error.to_string())
}

/// Measures targets from the first namespace of a lab and compares with what is expected of each: its number, what it is, the
/// distances and whether it is a proxy.
fn check(lab: &Lab, expected: &[(u16, Expected)]) {
    let numbers: Vec<String> = expected.iter().map(|(n, _)| n.to_string()).collect();
    lab.complete('a', &format!("measure {} {}", lab.file("found").display(), numbers.join(",")));
    let lines = lab.lines("found");
    assert_eq!(lines.len(), 2 * expected.len());
    for &(n, (what, hops, proxy)) in expected {
        for v6 in [false, true] {
            let wanted = format!("{} {hops:?} {proxy:?}", target(n, v6));
            assert!(lines.contains(&wanted), "{what}: {wanted} is not among\n{}", lines.join("\n"));
        }
    }
}

#[test]
fn distances_are_those_of_the_paths() {
    let Some(chain) = Chain::new("own") else { return };
    let expected: Vec<_> =
        (0..5 * EXPECTED.len()).map(|n| (n as u16, EXPECTED[n % EXPECTED.len()])).collect();
    check(&chain.lab, &expected);
}

#[test]
fn distances_are_those_of_kernels() {
    let Some(chain) = KernelChain::new(4, false) else { return };
    let plain = ("a server", [Some(5); 3], Some(false));
    let refused = ("no answer to the option", [None, Some(5), Some(5)], None);
    let mut expected = Vec::new();
    for router in 1..=4_u16 {
        let near = ("a proxy", [Some(router as u8), Some(5), Some(5)], Some(true));
        let all = [
            ("nothing", plain),
            ("strip", plain),
            ("masquerade", plain),
            ("dscp", plain),
            ("drop", refused),
            ("reset", refused),
            ("proxy", near),
        ];
        expected.extend(all.map(|(name, expected)| (treated(router, name), expected)));
    }
    check(&chain.lab, &expected);
}
