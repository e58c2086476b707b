//! Servers, boxes and silence of every kind between a scanner and its targets: the verdicts must be what was built.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use crate::boxes::{Behaviour, TARGETS};
use crate::support::{Lab, Process, await_line, listen};

/// A scanner, a box between, and targets of 10.6.0.0/24 and fd06::/120.
fn lab() -> Option<(Lab, Process, Process)> {
    let lab = Lab::new(3)?;
    lab.link('a', 'b');
    lab.link('b', 'c');
    // The box is no router: the two ends see one link.
    for (namespace, end, v4, v6) in
        [('a', "tob", "192.168.77.1/24", "fd77::1/64"), ('c', "tob", "192.168.77.2/24", "fd77::2/64")]
    {
        lab.ip(namespace, &format!("addr add {v4} dev {end}"));
        lab.ip(namespace, &format!("-6 addr add {v6} dev {end} nodad"));
    }
    for end in ["toa", "toc"] {
        lab.ip('b', &format!("link set {end} promisc on"));
    }
    lab.ip('a', "route add default via 192.168.77.2");
    lab.ip('a', "-6 route add default via fd77::2");
    lab.ip('c', "route add local 10.6.0.0/24 dev lo");
    lab.ip('c', "-6 route add local fd06::/120 dev lo");
    let text: Vec<(bool, String)> = TARGETS
        .iter()
        .filter_map(|&(part, _, mptcp, _)| Some((part, mptcp?)))
        .flat_map(|(part, mptcp)| [(mptcp, format!("10.6.0.{part}")), (mptcp, format!("fd06::{part:x}"))])
        .collect();
    let sockets: Vec<_> = text.iter().map(|(mptcp, addr)| (*mptcp, addr.as_str(), 80)).collect();
    let server = listen(&lab, 'c', &sockets)?;
    let mut forwarder = lab.role('b', "box toa toc");
    await_line(&mut forwarder, "forwarding");
    Some((lab, server, forwarder))
}

/// A counter of the kernel in the namespace of the targets.
fn netstat(lab: &Lab, name: &str) -> u64 {
    let text = lab.read('c', "/proc/net/netstat");
    let mut lines = text.lines();
    while let (Some(names), Some(values)) = (lines.next(), lines.next()) {
        if let Some(at) = names.split(' ').position(|field| field == name) {
            return values.split(' ').nth(at).and_then(|value| value.parse().ok()).expect("a number");
        }
    }
    panic!("no counter {name}")
}

#[test]
fn half_open_connections_are_reset_where_the_kernel_does_not() {
    let Some((lab, _server, _forwarder)) = lab() else { return };
    let out = lab.folder.path().display();
    // An address that is not the kernel's: it stays silent, and a neighbour has to be told where the address is.
    let mac = lab.read('a', "/sys/class/net/tob/address");
    lab.ip('c', &format!("neigh add 192.168.77.50 lladdr {} dev tob", mac.trim()));
    let before = netstat(&lab, "EmbryonicRsts");
    lab.complete(
        'a',
        &format!("scan targets=10.6.0.1,10.6.0.13 ports=80 kinds=v1,v0,plain source=192.168.77.50 cooldown=0.5 quiet out={out}"),
    );
    assert_eq!(lab.lines("targets.csv").len(), 2);
    assert_eq!(netstat(&lab, "EmbryonicRsts") - before, 6);
}

#[test]
fn a_full_disk_ends_the_scan_with_a_message() {
    let Some((lab, _server, _forwarder)) = lab() else { return };
    let out = lab.folder.path().display();
    std::os::unix::fs::symlink("/dev/full", lab.file("probes.csv")).expect("a link");
    let state = lab.file("state");
    let role = format!(
        "scan targets=10.6.0.1,10.6.0.13 ports=80 kinds=v1 cooldown=0.2 quiet state={} out={out}",
        state.display()
    );
    let mut scanner = lab.role('a', &role);
    assert!(!scanner.0.wait().expect("it ends").success());
    // Nothing counts as settled whose rows may be lost.
    let text = std::fs::read_to_string(&state).expect("a state");
    assert!(text.contains("settled 0\n"), "{text}");
    std::fs::remove_file(lab.file("probes.csv")).expect("a link");
    lab.complete('a', &format!("{role} resume"));
    let verdicts: BTreeSet<String> = lab
        .lines("targets.csv")
        .iter()
        .filter_map(|line| line.split(',').nth(2).map(str::to_owned))
        .collect();
    assert_eq!(verdicts, BTreeSet::from(["plain_tcp".to_owned(), "supports_v1".to_owned()]));
}

#[test]
fn an_interface_that_goes_down_ends_the_scan_and_keeps_what_was_found() {
    let Some((lab, _server, _forwarder)) = lab() else { return };
    let out = lab.folder.path().display();
    let state = lab.file("state");
    let role = format!(
        "scan targets=10.6.0.0/24 ports=80 kinds=v1 rate=50 cooldown=0.2 quiet state={} out={out}",
        state.display()
    );
    let mut scanner = lab.role('a', &role);
    while !std::fs::read_to_string(&state).is_ok_and(|text| !text.contains("settled 0\n")) {
        assert!(scanner.0.try_wait().expect("a process").is_none());
        std::thread::sleep(Duration::from_millis(50));
    }
    lab.ip('a', "link set tob down");
    // It ends by itself, and the state leads on from there.
    assert!(!scanner.0.wait().expect("it ends").success());
    lab.ip('a', "link set tob up");
    lab.ip('a', "route add default via 192.168.77.2");
    lab.complete('a', &format!("{role} resume"));
    let text = std::fs::read_to_string(&state).expect("a state");
    assert!(text.contains("settled 256\n"), "{text}");
    let found: BTreeSet<String> = lab
        .lines("targets.csv")
        .iter()
        .filter(|line| line.contains(",supports_v1,"))
        .map(|line| line.split(',').next().unwrap_or_default().to_owned())
        .collect();
    let supports = ["10.6.0.1", "10.6.0.12", "10.6.0.22", "10.6.0.3"].map(str::to_owned);
    assert_eq!(found, BTreeSet::from(supports));
}

/// The columns of table `targets` that are looked at.
struct Row {
    verdict: String,
    findings: [String; 5],
    repeats: u32,
    icmp_from: String,
}

fn scan(lab: &Lab, more: &str) -> BTreeMap<IpAddr, Row> {
    let addresses: Vec<String> = TARGETS
        .iter()
        .flat_map(|&(part, ..)| [format!("10.6.0.{part}"), format!("fd06::{part:x}")])
        .collect();
    let out = lab.folder.path().display();
    for name in ["probes.csv", "targets.csv"] {
        let _ = std::fs::remove_file(lab.file(name));
    }
    lab.complete(
        'a',
        &format!(
            "scan targets={} ports=80 canary retries=2 cooldown=1 rate=60 silent quiet out={out} {more}",
            addresses.join(",")
        ),
    );
    let rows: BTreeMap<IpAddr, Row> = lab
        .lines("targets.csv")
        .iter()
        .map(|line| {
            let fields: Vec<String> = line.split(',').map(str::to_owned).collect();
            let row = Row {
                verdict: fields[2].clone(),
                findings: std::array::from_fn(|kind| fields[3 + kind].clone()),
                repeats: fields[13].parse().expect("a number"),
                icmp_from: fields[20].clone(),
            };
            (fields[0].parse().expect("an address"), row)
        })
        .collect();
    assert_eq!(rows.len(), 2 * TARGETS.len(), "one row a target");
    rows
}

/// The behaviour of an address and what a scan is to find.
fn truth(addr: &IpAddr) -> (Behaviour, &'static str) {
    let part = match addr {
        IpAddr::V4(addr) => addr.octets()[3],
        IpAddr::V6(addr) => addr.octets()[15],
    };
    let &(_, behaviour, _, verdict) = TARGETS.iter().find(|target| target.0 == part).expect("a target");
    (behaviour, verdict)
}

#[test]
fn every_kind_of_target_gets_its_verdict() {
    let Some((lab, _server, _forwarder)) = lab() else { return };
    let mut confusion: BTreeMap<(&str, String), u32> = BTreeMap::new();
    for kinds in ["v1,v0", "v1,v0,plain,join", "both", "both,join"] {
        let rows = scan(&lab, &format!("kinds={kinds}"));
        let mut errors = Vec::new();
        for (addr, row) in &rows {
            let (behaviour, mut verdict) = truth(addr);
            // Asked for both at once a server chooses; version 0 is then no wrong answer.
            match behaviour {
                Behaviour::ServerBoth if kinds.starts_with("both") => verdict = "supports_v1",
                Behaviour::WrongVersion if kinds.starts_with("both") => verdict = "supports_v0",
                _ => {}
            }
            *confusion.entry((verdict, row.verdict.clone())).or_insert(0) += 1;
            if row.verdict != verdict {
                errors.push(format!(
                    "{addr} {behaviour:?}: {} instead of {verdict}, {:?}",
                    row.verdict, row.findings
                ));
            }
            match behaviour {
                Behaviour::Unreachable => {
                    let router = if addr.is_ipv4() { "192.168.77.99" } else { "fd77::99" };
                    assert_eq!(row.icmp_from, router, "{addr}");
                }
                Behaviour::Twice => assert!(row.repeats > 0, "{addr}"),
                _ => {}
            }
        }
        assert!(errors.is_empty(), "{kinds}:\n{}", errors.join("\n"));
    }
    // What was built against what was found: nothing beside the diagonal.
    assert!(confusion.keys().all(|(built, found)| built == found), "{confusion:?}");
    assert_eq!(confusion.values().sum::<u32>() as usize, 4 * 2 * TARGETS.len());
    assert_eq!(confusion.len(), 12, "{confusion:?}");
}
