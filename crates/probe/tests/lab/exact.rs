//! Every target is probed exactly once, whatever happens: in one go, in shards, and across kills; and no answer is lost.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write;
use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::support::{Lab, Process, await_line, listen};

/// Addresses of 10.0.0.0/12.
const TARGETS: u64 = 1 << 20;

/// A scanner and a network of a million addresses.
fn lab() -> Option<Lab> {
    let lab = Lab::new(2)?;
    lab.link('a', 'b');
    lab.ip('a', "addr add 192.168.77.1/24 dev tob");
    lab.ip('b', "addr add 192.168.77.2/24 dev toa");
    lab.ip('a', "route add default via 192.168.77.2");
    Some(lab)
}

fn count(lab: &Lab) -> Process {
    let mut counter =
        lab.role('b', &format!("count toa 10.0.0.0 {TARGETS} {}", lab.file("counts").display()));
    await_line(&mut counter, "counting");
    counter
}

/// How many addresses were probed how often.
fn counted(lab: &Lab, mut counter: Process) -> BTreeMap<u64, u64> {
    drop(counter.0.stdin.take());
    assert!(counter.0.wait().expect("it ends").success());
    let lines = lab.lines("counts");
    assert_eq!(lines.first().map(String::as_str), Some("lost 0"), "the counter was too slow to judge");
    let pair = |line: &String| {
        let (often, addresses) = line.split_once(' ').expect("two numbers");
        (often.parse().expect("a number"), addresses.parse().expect("a number"))
    };
    lines[1..].iter().map(pair).collect()
}

fn scan(lab: &Lab, more: &str) -> String {
    let out = lab.folder.path().display();
    format!(
        "scan targets=10.0.0.0/12 ports=80 kinds=v1 follow_up=0 cooldown=0.5 quiet seed=7 out={out} {more}"
    )
}

#[test]
fn a_million_targets_are_probed_once_each() {
    let Some(lab) = lab() else { return };
    lab.ip('b', "route add blackhole 10.0.0.0/12");
    let counter = count(&lab);
    lab.complete('a', &scan(&lab, "rate=150000"));
    assert_eq!(counted(&lab, counter), BTreeMap::from([(1, TARGETS)]));
}

#[test]
fn seven_shards_together_probe_a_million_targets_once_each() {
    let Some(lab) = lab() else { return };
    lab.ip('b', "route add blackhole 10.0.0.0/12");
    let counter = count(&lab);
    // Three at a time, as on machines of their own, with more than one thread each.
    let mut running = Vec::new();
    for shard in 0..7 {
        running.push(lab.role('a', &scan(&lab, &format!("rate=50000 shards=7 threads=2 shard={shard}"))));
        if running.len() == 3 {
            assert!(running.remove(0).0.wait().expect("it ends").success());
        }
    }
    for mut process in running {
        assert!(process.0.wait().expect("it ends").success());
    }
    assert_eq!(counted(&lab, counter), BTreeMap::from([(1, TARGETS)]));
}

#[test]
fn stopped_and_resumed_every_target_is_probed_exactly_once() {
    let Some(lab) = lab() else { return };
    lab.ip('b', "route add blackhole 10.0.0.0/12");
    let counter = count(&lab);
    let role = scan(&lab, &format!("max=100000 rate=40000 state={}", lab.file("state").display()));
    lab.complete('a', &format!("{role} runtime=0.7"));
    let state = lab.lines("state").join(" ");
    assert!(state.contains(" settled ") && !state.contains(" settled 100000 "), "{state}");
    lab.complete('a', &format!("{role} resume"));
    assert_eq!(counted(&lab, counter), BTreeMap::from([(0, TARGETS - 100_000), (1, 100_000)]));
}

#[test]
fn killed_three_times_and_resumed_no_target_is_forgotten() {
    const RATE: u64 = 100_000;
    let Some(lab) = lab() else { return };
    lab.ip('b', "route add blackhole 10.0.0.0/12");
    let counter = count(&lab);
    let state = lab.file("state");
    let settled = || {
        let text = fs::read_to_string(&state).ok()?;
        text.lines().find_map(|line| line.strip_prefix("settled "))?.parse::<u64>().ok()
    };
    let mut resume = "";
    for kill in 1..=3 {
        let role = scan(&lab, &format!("rate={RATE} state={} {resume}", state.display()));
        let mut process = lab.role('a', &role);
        // Somewhere in the middle of a second, well after the last kill.
        let goal = kill * TARGETS / 5;
        let deadline = Instant::now() + Duration::from_secs(60);
        while settled().is_none_or(|settled| settled < goal) {
            assert!(Instant::now() < deadline && process.0.try_wait().expect("a process").is_none());
            sleep(Duration::from_millis(37));
        }
        sleep(Duration::from_millis(300));
        process.0.kill().expect("a process");
        process.0.wait().expect("it ends");
        resume = "resume";
    }
    lab.complete('a', &scan(&lab, &format!("rate={RATE} state={} resume", state.display())));
    assert_eq!(settled(), Some(TARGETS));
    let counts = counted(&lab, counter);
    assert_eq!(counts.get(&0), None, "forgotten: {counts:?}");
    // Probed again: at most what a second between two states, a cooldown and a tick had sent, each time.
    let again: u64 = counts.iter().map(|(often, addresses)| (often - 1) * addresses).sum();
    assert!(again > 0 && again <= 3 * RATE * 17 / 10, "{counts:?}");
}

#[test]
fn a_state_never_counts_on_rows_that_are_not_written() {
    let Some(lab) = lab() else { return };
    lab.ip('b', "route add blackhole 10.0.0.0/12");
    let state = lab.file("state");
    let settled = || {
        let text = fs::read_to_string(&state).ok()?;
        text.lines().find_map(|line| line.strip_prefix("settled "))?.parse::<usize>().ok()
    };
    // Silent targets have rows, too: as many as are settled.
    let mut process = lab.role('a', &scan(&lab, &format!("rate=20000 silent state={}", state.display())));
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut seen = 0;
    while seen < 3 {
        assert!(Instant::now() < deadline && process.0.try_wait().expect("a process").is_none());
        sleep(Duration::from_millis(23));
        if let Some(settled) = settled().filter(|&settled| settled > seen * 10_000) {
            seen += 1;
            assert!(lab.lines("targets.csv").len() >= settled, "{settled}");
        }
    }
    process.0.kill().expect("a process");
    process.0.wait().expect("it ends");
    let rows = lab.lines("targets.csv").len();
    assert!(settled().is_some_and(|settled| settled <= rows), "{rows}");
}

#[test]
fn a_list_of_a_million_ipv6_addresses_less_a_million_prefixes() {
    const ADDRESSES: u64 = 1_000_000;
    const BLOCKED: u64 = 1000;
    let Some(lab) = lab() else { return };
    lab.ip('a', "-6 addr add fd77::1/64 dev tob nodad");
    lab.ip('b', "-6 addr add fd77::2/64 dev toa nodad");
    lab.ip('a', "-6 route add default via fd77::2");
    lab.ip('b', "-6 route add blackhole fd06::/16");
    // Addresses in an order that has nothing to do with their numbers; the last thousand and what is beyond them is blocked.
    let (mut list, mut block) = (String::new(), String::new());
    for k in 0..ADDRESSES {
        let place = k * 617_369 % ADDRESSES;
        writeln!(list, "fd06:0:{:x}:{:x}::{:x}", place >> 16, place & 0xffff, k & 0xffff).expect("text");
        let place = k + ADDRESSES - BLOCKED;
        writeln!(block, "fd06:0:{:x}:{:x}::/64", place >> 16, place & 0xffff).expect("text");
    }
    fs::write(lab.file("list"), list).expect("a file");
    fs::write(lab.file("block"), block).expect("a file");
    let size = 2 * ADDRESSES;
    let mut counter = lab.role('b', &format!("count toa v6 {size} {}", lab.file("counts").display()));
    await_line(&mut counter, "counting");
    let (out, list, block) = (lab.folder.path().display(), lab.file("list"), lab.file("block"));
    let lists = format!("list={} block_list={}", list.display(), block.display());
    let rest = "ports=80,443 kinds=v1 follow_up=0 cooldown=0.5 rate=200000 quiet";
    lab.complete('a', &format!("scan {lists} {rest} out={out}"));
    let expected = BTreeMap::from([(0, 2 * BLOCKED), (1, size - 2 * BLOCKED)]);
    assert_eq!(counted(&lab, counter), expected);
}

#[test]
fn every_answer_is_kept_when_every_target_answers() {
    let Some(lab) = lab() else { return };
    lab.ip('b', "route add local 10.0.0.0/12 dev lo");
    lab.set('b', "net.ipv4.tcp_syncookies=2");
    let Some(_server) = listen(&lab, 'b', &[(true, "::", 80)]) else { return };
    lab.complete('a', &scan(&lab, "rate=max ring=32"));
    let addresses: HashSet<String> = lab
        .lines("probes.csv")
        .iter()
        .map(|line| {
            let fields: Vec<&str> = line.split(',').collect();
            assert_eq!(fields[5..8], ["v1", "syn_ack", "v1"], "{line}");
            fields[1].to_owned()
        })
        .collect();
    assert_eq!(addresses.len() as u64, TARGETS);
    let targets = lab.lines("targets.csv");
    assert_eq!(targets.len() as u64, TARGETS);
    assert!(targets.iter().all(|line| line.contains(",supports_v1,")));
}
