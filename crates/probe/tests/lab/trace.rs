//! Boxes of every kind at every place of a path: category, behaviour and interval of hops must be what was built.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use subflow_probe::Error;
use subflow_probe::Stop;
use subflow_probe::network::{Channel, Options};
use subflow_probe::targets::Target;
use subflow_probe::trace::{self, Settings};

use crate::chain::kernel::{KernelChain, treated};
use crate::chain::{Behaviour, Chain, End, Hop, MPTCP, PLAIN, Path, Quote, Stage, target};
use crate::support::Lab;

/// A path, how it is probed, and what is to be found.
struct Case {
    path: Path,
    port: u16,
    truth: Truth,
    /// Whether it is probed at all.
    probed: bool,
}

/// What is to be found.
#[derive(Clone, Debug)]
struct Truth {
    /// Category and behaviour, of which one is to be found.
    verdicts: Vec<(&'static str, &'static str)>,
    /// For verdicts that name a place: the first hop that gets packets changed, and the widest interval that may be told.
    place: Option<(u8, u8, u8)>,
}

impl Truth {
    fn of(verdicts: &[(&'static str, &'static str)]) -> Self {
        Self { verdicts: verdicts.to_vec(), place: None }
    }
}

/// Verdicts that tell no place.
const NOWHERE: [&str; 3] = ["true pass_through", "plain pass_through", "unresponsive -"];

const TRUE: &str = "true";
const AFFECTED: &str = "middlebox_affected";
const PLAIN_TCP: &str = "plain";
const UNRESPONSIVE: &str = "unresponsive";
const PASS: (&str, &str) = (TRUE, "pass_through");

/// Whether a quote shows what a behaviour changes.
fn covers(quote: Quote, behaviour: Behaviour) -> bool {
    let bytes = match quote {
        Quote::Silent => return false,
        Quote::Transport(bytes) => bytes,
        Quote::Full | Quote::Mpls | Quote::OldMpls => return true,
    };
    match behaviour {
        Behaviour::Sequence(_) | Behaviour::Nat(_) | Behaviour::Redirect(_) | Behaviour::Dscp => true,
        Behaviour::Window => bytes >= 16,
        Behaviour::Checksum => bytes >= 18,
        // The length of the packet tells it.
        Behaviour::NoTimestamps => true,
        _ => false,
    }
}

/// What is to be found of a path with one box.
fn truth(path: &Path, at: usize, port: u16) -> Truth {
    let routers = path.hops.len() as u8;
    let Hop { behaviour, stage, .. } = path.hops[at - 1];
    let first = at as u8 + u8::from(stage == Stage::After);
    let quote = |hop: u8| path.hops[usize::from(hop) - 1].quote;
    let shows = |hop: &u8| covers(quote(*hop), behaviour);
    let speaks = |hop: &u8| quote(*hop) != Quote::Silent;
    let shown = (first..=routers).find(shows);
    let by_quotes =
        |verdict: (&'static str, &'static str), hidden: &[(&'static str, &'static str)]| match shown {
            Some(before) => Truth {
                verdicts: vec![verdict],
                place: Some((first, (1..first).rev().find(shows).unwrap_or(0), before)),
            },
            None => Truth { verdicts: hidden.to_vec(), place: Some((first, 0, routers + 1)) },
        };
    let last_word = (1..first).rev().find(speaks).unwrap_or(0);
    let by_answers = |behaviour| Truth {
        verdicts: vec![(AFFECTED, behaviour)],
        place: Some((first, last_word, (first..=routers).find(speaks).unwrap_or(routers + 1))),
    };
    let multipath = port == MPTCP;
    let own = if multipath { PASS } else { (PLAIN_TCP, "pass_through") };
    let rewritten = if multipath { (TRUE, "rewrite") } else { (PLAIN_TCP, "rewrite") };
    let translated = if multipath { (TRUE, "nat") } else { (PLAIN_TCP, "nat") };
    match behaviour {
        Behaviour::Pass | Behaviour::Sequence(true) | Behaviour::Nat(true) | Behaviour::Redirect(true) => {
            Truth::of(&[own])
        }
        // Where no quote shows it, a server that does not speak it looks the same; what only follows from a checksum may be told.
        Behaviour::Strip => by_quotes(
            (AFFECTED, "strip"),
            &[(PLAIN_TCP, "pass_through"), (PLAIN_TCP, "rewrite"), (AFFECTED, "strip")],
        ),
        Behaviour::Shrink => {
            let hidden = [(PLAIN_TCP, "pass_through"), (PLAIN_TCP, "rewrite"), (AFFECTED, "strip")];
            by_quotes((AFFECTED, "strip"), &hidden)
        }
        Behaviour::StripSynAck | Behaviour::ShrinkSynAck if multipath => Truth::of(&[(AFFECTED, "strip")]),
        Behaviour::StripSynAck | Behaviour::ShrinkSynAck => Truth::of(&[own]),
        Behaviour::StripData => by_quotes((AFFECTED, "strip"), &[PASS, (AFFECTED, "strip")]),
        Behaviour::SwapKey => {
            by_quotes((AFFECTED, "rewrite"), &[PASS, (TRUE, "rewrite"), (AFFECTED, "rewrite")])
        }
        Behaviour::Duplicate => {
            by_quotes((AFFECTED, "rewrite"), &[PASS, (TRUE, "rewrite"), (PLAIN_TCP, "pass_through")])
        }
        Behaviour::Drop => by_answers("drop"),
        // As far away as the server itself: nothing tells them apart.
        Behaviour::Proxy if first > routers => Truth::of(&[(PLAIN_TCP, "pass_through")]),
        Behaviour::ProxyMptcp if first > routers => Truth::of(&[own]),
        Behaviour::Mirror if first > routers => Truth::of(&[(AFFECTED, "mirror")]),
        Behaviour::Reset | Behaviour::Mirror | Behaviour::Proxy | Behaviour::ProxyMptcp => {
            let name = match behaviour {
                Behaviour::Reset => "reset",
                Behaviour::Mirror => "mirror",
                _ => "proxy",
            };
            Truth { verdicts: vec![(AFFECTED, name)], place: Some((first, last_word, first)) }
        }
        Behaviour::MirrorMptcp => Truth { verdicts: vec![(AFFECTED, "mirror")], place: None },
        Behaviour::DropAll | Behaviour::Checksum => Truth::of(&[(UNRESPONSIVE, "-")]),
        Behaviour::Nat(false) | Behaviour::Redirect(false) => by_quotes(translated, &[own]),
        Behaviour::Sequence(false) | Behaviour::Dscp | Behaviour::NoTimestamps | Behaviour::Window => {
            by_quotes(rewritten, &[own])
        }
        // A checksum alone says that something was changed, and not what.
        Behaviour::Mss | Behaviour::NoSack | Behaviour::Reorder => by_quotes(rewritten, &[own, rewritten]),
        Behaviour::Limit(_) | Behaviour::Payload => Truth { verdicts: vec![own, rewritten], place: None },
    }
}

/// All cases: each behaviour at each place of paths that quote in different ways.
fn cases() -> Vec<Case> {
    let every = [
        Behaviour::Strip,
        Behaviour::Shrink,
        Behaviour::StripData,
        Behaviour::StripSynAck,
        Behaviour::ShrinkSynAck,
        Behaviour::Drop,
        Behaviour::Reset,
        Behaviour::DropAll,
        Behaviour::Mirror,
        Behaviour::MirrorMptcp,
        Behaviour::Proxy,
        Behaviour::ProxyMptcp,
        Behaviour::SwapKey,
        Behaviour::Sequence(false),
        Behaviour::Sequence(true),
        Behaviour::Nat(false),
        Behaviour::Nat(true),
        Behaviour::Redirect(false),
        Behaviour::Redirect(true),
        Behaviour::Mss,
        Behaviour::Limit(64),
        Behaviour::Dscp,
        Behaviour::NoTimestamps,
        Behaviour::NoSack,
        Behaviour::Reorder,
        Behaviour::Duplicate,
        Behaviour::Payload,
        Behaviour::Window,
        Behaviour::Checksum,
    ];
    let short = Quote::Transport(8);
    let quotes: [&[Quote]; 7] = [
        &[Quote::Full],
        &[Quote::Mpls, Quote::OldMpls],
        &[Quote::Full, short],
        &[Quote::Silent, Quote::Full],
        &[short],
        &[Quote::Transport(20)],
        &[Quote::Silent],
    ];
    let mut cases: Vec<Case> = Vec::new();
    let add = |cases: &mut Vec<Case>, path: Path, port, truth| {
        // The target beside may be where packets are redirected to.
        cases.push(Case { path, port, truth, probed: true });
        cases.push(Case { path: Path::clean(1, Quote::Silent), port, truth: Truth::of(&[]), probed: false });
    };
    let mut turn = 0;
    for behaviour in every {
        for (kind, quotes) in quotes.iter().enumerate() {
            // 3, 4 and 5 routers in turn; the box at each place of the first kind, at one of the others.
            let routers = 3 + (turn + kind) % 3;
            let places: Vec<usize> =
                if kind == 0 { (1..=routers).collect() } else { vec![1 + (turn + kind) % routers] };
            for place in places {
                turn += 1;
                let stage = if turn % 2 == 0 { Stage::Before } else { Stage::After };
                let mut path = Path::clean(routers, Quote::Full).with(place, behaviour, stage);
                for (hop, &quote) in path.hops.iter_mut().zip(quotes.iter().cycle()) {
                    hop.quote = quote;
                }
                if kind == 0 && turn % 3 == 0 {
                    path.hops.iter_mut().for_each(|hop| hop.every = Some(Duration::from_millis(40)));
                }
                let truth = truth(&path, place, MPTCP);
                add(&mut cases, path, MPTCP, truth);
            }
        }
    }
    // Servers without boxes.
    let clean = Path::clean(4, Quote::Full);
    add(&mut cases, clean.clone(), MPTCP, Truth::of(&[PASS]));
    add(&mut cases, clean.clone(), PLAIN, Truth::of(&[(PLAIN_TCP, "pass_through")]));
    add(&mut cases, clean.clone(), 82, Truth::of(&[(UNRESPONSIVE, "-")]));
    add(&mut cases, Path { end: End::Nobody, ..clean.clone() }, MPTCP, Truth::of(&[(UNRESPONSIVE, "-")]));
    add(&mut cases, Path { end: End::V0, ..clean }, MPTCP, Truth::of(&[PASS]));
    cases
}

/// The paths of the cases.
pub(crate) fn paths() -> Vec<Path> {
    cases().into_iter().map(|case| case.path).collect()
}

/// Paths without a box.
pub(crate) fn clean() -> Vec<Path> {
    let quotes =
        [Quote::Full, Quote::Transport(8), Quote::Mpls, Quote::Silent, Quote::Transport(20), Quote::OldMpls];
    (0..18).map(|n| Path::clean(3 + n / 6, quotes[n % 6])).collect()
}

/// A path of five routers of which three say nothing.
pub(crate) fn mostly_silent() -> Vec<Path> {
    let path = Path::clean(5, Quote::Full);
    vec![path.quoting(2, Quote::Silent).quoting(3, Quote::Silent).quoting(4, Quote::Silent)]
}

/// What was found of a target.
#[derive(Clone, Debug)]
struct Found {
    verdict: String,
    after: Option<u8>,
    before: Option<u8>,
    modifications: u32,
    seconds: f64,
    evidence: String,
}

/// `FILE TARGETS`: traces targets, a line each in a file, and writes a line each.
pub(crate) fn run(mut arguments: impl Iterator<Item = String>) -> Result<(), String> {
    let file = arguments.next().ok_or("no file")?;
    let list =
        std::fs::read_to_string(arguments.next().ok_or("no targets")?).map_err(|error| error.to_string())?;
    let targets = list.lines().map(|line| {
        let (addr, port) = line.split_once(' ').expect("address and port");
        Target { addr: addr.parse().expect("an address"), port: port.parse().expect("a port") }
    });
    let words = |error: Error| error.to_string();
    let settings = Settings { seed: 77, ..Settings::default() };
    let mut channel = Channel::open(&Options::default()).map_err(words)?;
    let mut lines = String::new();
    let mut finished = |path: trace::Path| {
        let found = path.conclude().target;
        let name = |name: Option<&str>| name.unwrap_or("-").to_owned();
        let hop = |hop: Option<u8>| hop.map_or("-".to_owned(), |hop| hop.to_string());
        // Writing into a string does not fail.
        let _ = writeln!(
            lines,
            "{} {} {} {} {} {} {} {} {} | {}",
            found.addr,
            found.port,
            found.category.as_str(),
            name(found.behaviour.map(|behaviour| behaviour.as_str())),
            hop(found.after_hop),
            hop(found.before_hop),
            found.modifications,
            found.duration,
            found.confidence.as_str(),
            found.evidence
        );
        Ok(())
    };
    let driven = trace::run(
        &mut channel,
        targets,
        &settings,
        Settings::AT_ONCE,
        Some(Settings::RATE),
        &Stop::default(),
        &mut finished,
    )
    .map_err(words)?;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let memory = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default();
    let _ = writeln!(lines, "# {driven:?}, {memory}");
    std::fs::write(file, lines).map_err(|error| error.to_string())
}

/// Traces targets from the first namespace of a lab.
fn trace(lab: &Lab, targets: &[(IpAddr, u16)]) -> BTreeMap<(IpAddr, u16), Found> {
    let mut list = String::new();
    for (addr, port) in targets {
        let _ = writeln!(list, "{addr} {port}");
    }
    std::fs::write(lab.file("list"), list).expect("a file");
    let start = Instant::now();
    lab.complete('a', &format!("trace {} {}", lab.file("found").display(), lab.file("list").display()));
    let lines = lab.lines("found");
    let found: BTreeMap<_, _> = lines
        .iter()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let (fields, evidence) = line.split_once(" | ").expect("evidence");
            let fields: Vec<&str> = fields.split(' ').collect();
            let found = Found {
                verdict: format!("{} {}", fields[2], fields[3]),
                after: fields[4].parse().ok(),
                before: fields[5].parse().ok(),
                modifications: fields[6].parse().expect("a number"),
                seconds: fields[7].parse().expect("a number"),
                evidence: format!("{} {evidence}", fields[8]),
            };
            ((fields[0].parse().expect("an address"), fields[1].parse().expect("a port")), found)
        })
        .collect();
    let longest = found.values().map(|found| found.seconds).fold(0.0, f64::max);
    eprintln!(
        "{} targets in {:.1} s, the slowest in {longest:.1} s: {}",
        targets.len(),
        start.elapsed().as_secs_f64(),
        lines.last().expect("counts")
    );
    assert_eq!(found.len(), targets.len(), "one row a target");
    found
}

/// What is wrong with what was found; nothing when it is right.
fn wrong(truth: &Truth, found: &Found) -> Option<String> {
    let is_it = |(category, behaviour): &&(&str, &str)| found.verdict == format!("{category} {behaviour}");
    if !truth.verdicts.iter().any(|verdict| is_it(&verdict)) {
        return Some(format!("{} instead of {:?}", found.verdict, truth.verdicts));
    }
    let (first, after, before) = truth.place?;
    if NOWHERE.contains(&found.verdict.as_str()) {
        return None;
    }
    let (Some(found_after), Some(found_before)) = (found.after, found.before) else {
        return Some(format!("no place instead of {after}-{before}"));
    };
    let right =
        after <= found_after && found_after < first && first <= found_before && found_before <= before;
    (!right).then(|| format!("{found_after}-{found_before} instead of {first} within {after}-{before}"))
}

#[test]
fn every_box_is_found_and_placed() {
    let Some(chain) = Chain::new("trace") else { return };
    let cases = cases();
    let probed = || cases.iter().enumerate().filter(|(_, case)| case.probed);
    let both = probed().flat_map(|(n, case)| [false, true].map(|v6| (target(n as u16, v6), case.port)));
    let found = trace(&chain.lab, &both.collect::<Vec<_>>());
    let mut errors = Vec::new();
    for (n, case) in probed() {
        for v6 in [false, true] {
            let found = &found[&(target(n as u16, v6), case.port)];
            if let Some(error) = wrong(&case.truth, found) {
                errors.push(format!(
                    "{} {:?}\n   {error}\n   {}",
                    target(n as u16, v6),
                    boxes(&case.path),
                    found.evidence
                ));
            }
        }
    }
    assert!(errors.is_empty(), "{} of {} are wrong:\n{}", errors.len(), found.len(), errors.join("\n"));
}

/// A path in short.
fn boxes(path: &Path) -> String {
    let hops = path.hops.iter().map(|hop| match hop.behaviour {
        Behaviour::Pass => format!("{:?}", hop.quote),
        behaviour => format!("{:?}+{behaviour:?} {:?}", hop.quote, hop.stage),
    });
    hops.collect::<Vec<_>>().join(", ")
}

/// What kernels as boxes do to their targets: number, what it is, and what is to be found, for servers behind so many routers.
fn kernel_cases(routers: usize) -> Vec<(u16, String, Truth)> {
    let mut cases = Vec::new();
    for router in 1..=routers {
        // The kernel acts behind its look at the hop limit, but on arrival, and where it answers itself.
        let case = |behaviour, stage| {
            let path = Path::clean(routers, Quote::Full).with(router, behaviour, stage);
            truth(&path, router, MPTCP)
        };
        let all = [
            ("nothing", case(Behaviour::Pass, Stage::After)),
            ("strip", case(Behaviour::Strip, Stage::After)),
            ("strip on arrival", case(Behaviour::Strip, Stage::Before)),
            ("drop", case(Behaviour::Drop, Stage::After)),
            ("reset", case(Behaviour::Reset, Stage::After)),
            ("strip SYN/ACK", case(Behaviour::StripSynAck, Stage::After)),
            ("strip data", case(Behaviour::StripData, Stage::After)),
            ("clamp", case(Behaviour::Mss, Stage::After)),
            ("dscp", case(Behaviour::Dscp, Stage::After)),
            ("no timestamps", case(Behaviour::NoTimestamps, Stage::After)),
            ("no SACK", case(Behaviour::NoSack, Stage::After)),
            ("masquerade", case(Behaviour::Nat(true), Stage::After)),
            ("proxy", case(Behaviour::Proxy, Stage::Before)),
            ("synproxy", case(Behaviour::Proxy, Stage::After)),
            ("drop all", case(Behaviour::DropAll, Stage::After)),
        ];
        cases.extend(
            all.map(|(name, truth)| (treated(router as u16, name), format!("{name} at {router}"), truth)),
        );
    }
    cases
}

/// Traces them, and holds what is found against what is to be found.
fn check_kernels(lab: &Lab, cases: &[(u16, String, Truth)]) {
    // Kernels answer no SYN over IPv6 with synproxy in the chain "forward", not even one of another kernel.
    let families = |what: &str| if what.starts_with("synproxy") { &[false][..] } else { &[false, true] };
    let asked = |n: u16, what: &str| families(what).iter().map(move |&v6| (target(n, v6), MPTCP));
    let targets: Vec<_> = cases.iter().flat_map(|(n, what, _)| asked(*n, what)).collect();
    let found = trace(lab, &targets);
    let mut errors = Vec::new();
    for (n, what, truth) in cases {
        for target in asked(*n, what) {
            let found = &found[&target];
            if let Some(error) = wrong(truth, found) {
                errors.push(format!("{} {what}\n   {error}\n   {}", target.0, found.evidence));
            }
        }
    }
    assert!(errors.is_empty(), "{} of {} are wrong:\n{}", errors.len(), targets.len(), errors.join("\n"));
}

#[test]
fn kernels_as_boxes_are_found_and_placed() {
    let Some(chain) = KernelChain::new(4, false) else { return };
    check_kernels(&chain.lab, &kernel_cases(4));
}

#[test]
fn routers_that_seldom_answer_mislead_nobody() {
    let Some(chain) = KernelChain::new(4, true) else { return };
    let mut cases = kernel_cases(4);
    for (_, what, truth) in &mut cases {
        // What no quote shows looks like a server, and a box may be anywhere around where it is.
        let bare = !["drop", "reset", "proxy", "drop all"].iter().any(|loud| what.starts_with(loud));
        if bare {
            truth.verdicts.extend([PASS, (PLAIN_TCP, "pass_through")]);
        }
        truth.place = truth.place.map(|(first, ..)| (first, 0, 5));
    }
    check_kernels(&chain.lab, &cases);
}

#[test]
fn clean_paths_are_never_accused() {
    let Some(chain) = Chain::new("clean") else { return };
    let targets: Vec<_> =
        (0..500).flat_map(|n| [(target(n, false), MPTCP), (target(n, true), MPTCP)]).collect();
    let found = trace(&chain.lab, &targets);
    for (target, found) in &found {
        assert_eq!(
            (found.verdict.as_str(), found.modifications),
            ("true pass_through", 0),
            "{target:?} {found:?}"
        );
    }
}

#[test]
fn a_thousand_targets_behind_silent_routers() {
    let Some(chain) = Chain::new("silent") else { return };
    let targets: Vec<_> = (0..1000).map(|n| (target(n, n % 2 == 1), MPTCP)).collect();
    let found = trace(&chain.lab, &targets);
    for (target, found) in &found {
        assert_eq!(found.verdict, "true pass_through", "{target:?} {found:?}");
    }
    // One alone, on a path on which everybody answers.
    drop(chain);
    let Some(chain) = Chain::new("clean") else { return };
    let one = (target(6, false), MPTCP);
    let found = &trace(&chain.lab, &[one])[&one];
    eprintln!("one clean path: {:.2} s", found.seconds);
    assert_eq!(found.verdict, "true pass_through");
}
