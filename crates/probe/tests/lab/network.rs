//! Conversations through real kernels: the way is found, answers come, and the kernel of the prober stays silent.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use subflow_probe::Error;
use subflow_probe::Stop;
use subflow_probe::network::{Channel, Head, Nanos, Options, Out, Received, Talk, drive};
use subflow_wire::tcp::{Flags, Header, TcpOption};

use crate::support::{Lab, listen};

/// How long an answer is waited for.
const PATIENCE: Nanos = 500_000_000;

/// Sends a SYN with a small hop limit, one with a usual one, and an echo request; completes nothing.
struct Call {
    target: IpAddr,
    heard: Vec<String>,
    over: bool,
}

impl Talk for Call {
    fn remote(&self) -> IpAddr {
        self.target
    }

    fn begin(&mut self, now: Nanos, out: &mut Out) {
        let mut bytes = Vec::new();
        let head = Head::new(out.local().addr, self.target);
        for (n, hop_limit) in [(0, 1), (1, 64)] {
            let header = Header {
                src_port: out.local().port(n),
                dst_port: 80,
                seq: 1000 + u32::from(n),
                flags: Flags::SYN,
                window: 64_000,
                ..Header::default()
            };
            let head = Head { hop_limit, ..head };
            head.segment(&header, &[TcpOption::MaxSegmentSize(1400)], &[], &mut bytes).expect("a packet");
            out.send(u32::from(n), &bytes);
        }
        head.echo(out.local().port(2), 5, b"hello", &mut bytes).expect("a packet");
        out.send(2, &bytes);
        out.wake(now + PATIENCE);
    }

    fn packet(&mut self, _now: Nanos, packet: &Received<'_>, out: &mut Out) {
        let from = packet.ip.src;
        let local = out.local();
        let words = match (packet.tcp(), packet.icmp()) {
            (Some(tcp), _) => format!("tcp {:?} {:?}", local.number(tcp.dst_port()), tcp.flags().syn()),
            (_, Some(icmp)) if icmp.is_error() => format!("error {from} {}", icmp.ty),
            (_, Some(icmp)) => format!("echo {:?}", icmp.echo().and_then(|(id, _)| local.number(id))),
            _ => String::new(),
        };
        self.heard.push(words);
    }

    fn timer(&mut self, _now: Nanos, _out: &mut Out) {
        self.over = true;
    }

    fn no_way(&mut self, _now: Nanos, why: &Error) {
        self.heard.push(why.to_string());
        self.over = true;
    }

    fn is_over(&self) -> bool {
        self.over
    }
}

/// `call FILE TARGET,…`: a line for each target with what it heard.
pub(crate) fn call(mut arguments: impl Iterator<Item = String>) -> Result<(), String> {
    let file = arguments.next().ok_or("no file")?;
    let targets = arguments.next().ok_or("no targets")?;
    let talks = targets.split(',').map(|target| Call {
        target: target.parse().expect("an address"),
        heard: Vec::new(),
        over: false,
    });
    let words = |error: Error| error.to_string();
    let mut channel = Channel::open(&Options::default()).map_err(words)?;
    let mut lines = String::new();
    let mut finished = |mut talk: Call| {
        talk.heard.sort();
        // Writing into a string does not fail.
        let _ = writeln!(lines, "{}: {}", talk.target, talk.heard.join("; "));
        Ok(())
    };
    let driven =
        drive(&mut channel, talks, 100, Some(2000.0), &Stop::default(), &mut finished).map_err(words)?;
    let _ = writeln!(lines, "drops: {}", driven.drops);
    std::fs::write(file, lines).map_err(|error| error.to_string())
}

#[test]
fn conversations_find_their_way_and_the_kernel_stays_silent() {
    let Some(lab) = Lab::new(3) else { return };
    lab.link('a', 'b');
    lab.link('b', 'c');
    lab.route('a', 'b', 1);
    lab.route('b', 'c', 2);
    for (to, via) in [("10.6.0.0/16", "10.77.1.2"), ("10.77.2.0/24", "10.77.1.2")] {
        lab.ip('a', &format!("route add {to} via {via}"));
    }
    lab.ip('a', "-6 route add default via fd77:1::2");
    for line in ["route add 10.6.0.0/16 via 10.77.2.2", "-6 route add fd06::/64 via fd77:2::2"] {
        lab.ip('b', line);
    }
    lab.ip('c', "route add default via 10.77.2.1");
    lab.ip('c', "-6 route add default via fd77:2::1");
    lab.ip('c', "route add local 10.6.0.0/16 dev lo");
    lab.ip('c', "-6 route add local fd06::/64 dev lo");
    // Who goes on answering would meet a kernel that is no longer kept silent, just after the end.
    for server in ['a', 'c'] {
        lab.set(server, "net.ipv4.tcp_synack_retries=0");
    }
    let Some(_server) = listen(&lab, 'c', &[(false, "::", 80)]) else { return };
    let Some(_near) = listen(&lab, 'a', &[(false, "::", 80)]) else { return };
    let mut targets: Vec<String> = (1..=150).map(|n| format!("10.6.{}.{}", n / 20, n % 20 + 1)).collect();
    targets.extend((1..=150).map(|n| format!("fd06::{n:x}")));
    // The router itself; a neighbour that is not there; nowhere; this host; the same target again.
    let odd =
        ["10.77.1.2", "fd77:1::2", "10.77.1.99", "192.0.2.1", "127.0.0.1", "::1", "10.77.1.1", "10.6.0.2"];
    targets.extend(odd.map(str::to_owned));
    let file = lab.file("heard");
    let before = lab.counter('a', "snmp", "Tcp:", "OutRsts");
    lab.complete('a', &format!("call {} {}", file.display(), targets.join(",")));
    assert_eq!(lab.counter('a', "snmp", "Tcp:", "OutRsts"), before, "the kernel has answered");
    let lines = lab.lines("heard");
    assert_eq!(lines.last().map(String::as_str), Some("drops: 0"));
    assert_eq!(lines.len(), targets.len() + 1);
    let heard: BTreeMap<&str, &str> = lines.iter().filter_map(|line| line.split_once(": ")).collect();
    for target in &targets {
        let words = heard[target.as_str()];
        let through = |router: &str, ty: u8| format!("echo Some(2); error {router} {ty}; tcp Some(1) true");
        let near = "echo Some(2); tcp Some(0) true; tcp Some(1) true";
        let wanted = match target.as_str() {
            "10.77.1.99" => {
                "10.77.1.99 does not say its hardware address on 'tob': name it by hand".to_owned()
            }
            "192.0.2.1" => "no route to 192.0.2.1: name an interface".to_owned(),
            "127.0.0.1" | "::1" | "10.77.1.1" => near.to_owned(),
            // Nothing listens there.
            "10.77.1.2" | "fd77:1::2" => near.replace("true", "false"),
            v4 if v4.starts_with("10.6.") => through("10.77.1.2", 11),
            _ => through("fd77:1::2", 3),
        };
        assert_eq!(words, wanted, "{target}");
    }
}

#[test]
fn an_interface_that_goes_down_ends_the_run() {
    let Some(lab) = Lab::new(2) else { return };
    lab.link('a', 'b');
    lab.route('a', 'b', 1);
    lab.ip('a', "route add default via 10.77.1.2");
    lab.ip('b', "route add blackhole 10.6.0.0/16");
    let targets: Vec<String> = (0..5000).map(|n| format!("10.6.{}.{}", n / 250, n % 250 + 1)).collect();
    let mut caller = lab.role('a', &format!("call {} {}", lab.file("heard").display(), targets.join(",")));
    std::thread::sleep(Duration::from_millis(700));
    assert!(caller.0.try_wait().expect("a process").is_none());
    lab.ip('a', "link set tob down");
    // Long before all of them are through.
    let start = Instant::now();
    assert!(!caller.0.wait().expect("it ends").success());
    assert!(start.elapsed() < Duration::from_secs(10));
}
