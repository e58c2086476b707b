//! The same of real routers: one namespace each, with rules of nftables that do to some targets what boxes do.
//!
//! Target `n` is handled by the box in router `n / 256`, in the way with number `n % 256` of [`BOXES`]; 0 is left alone.

use std::io::Write;

use super::{MPTCP, PLAIN, target};
use crate::support::{Lab, Process};

/// What a box of the kernel can do: its name, the chain it stands in, and the rule, in which `TO`, `FROM` and `IP` are replaced.
pub(crate) const BOXES: [(&str, Where, &str); 15] = [
    ("nothing", Where::Forward, ""),
    ("strip", Where::Forward, "TO reset tcp option mptcp"),
    ("strip on arrival", Where::Arrival, "TO reset tcp option mptcp"),
    ("drop", Where::Forward, "TO tcp flags & (syn|ack) == syn tcp option mptcp exists drop"),
    (
        "reset",
        Where::Forward,
        "TO tcp flags & (syn|ack) == syn tcp option mptcp exists reject with tcp reset",
    ),
    ("strip SYN/ACK", Where::Forward, "FROM tcp flags & (syn|ack) == (syn|ack) reset tcp option mptcp"),
    ("strip data", Where::Forward, "TO tcp flags & syn != syn reset tcp option mptcp"),
    ("clamp", Where::Forward, "TO tcp flags & syn == syn tcp option maxseg size set 1300"),
    ("dscp", Where::Forward, "TO IP dscp set ef"),
    ("no timestamps", Where::Forward, "TO reset tcp option timestamp"),
    ("no SACK", Where::Forward, "TO reset tcp option sack-perm"),
    ("masquerade", Where::Leaving, "TO masquerade"),
    ("proxy", Where::Redirect, "TO tcp dport 80 redirect to :3128"),
    (
        "synproxy",
        Where::Forward,
        "TO tcp dport 80 ct state invalid,untracked synproxy mss 1460 wscale 7 timestamp sack-perm",
    ),
    ("drop all", Where::Forward, "TO tcp flags & (syn|ack) == syn drop"),
];

/// Where in the kernel a rule stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Where {
    /// When a packet arrives, before the hop limit is looked at.
    Arrival,
    /// When it is forwarded.
    Forward,
    /// When it leaves: translation of the source.
    Leaving,
    /// When it arrives: translation of the destination.
    Redirect,
}

/// A chain of routers that are kernels.
pub(crate) struct KernelChain {
    pub(crate) lab: Lab,
    _servers: Vec<Process>,
}

impl KernelChain {
    /// Builds one with so many routers, whose ICMP errors may be limited as they are by default: six, then one a second. `None`, said
    /// loudly, where that is not possible.
    pub(crate) fn new(routers: usize, limited: bool) -> Option<Self> {
        let lab = Lab::new(routers + 2)?;
        let names: Vec<char> = ('a'..='z').take(routers + 2).collect();
        for (number, pair) in (1..).zip(names.windows(2)) {
            lab.link(pair[0], pair[1]);
            lab.route(pair[0], pair[1], number);
        }
        // Outward every namespace knows its next one, and home leads the default route.
        for (k, &name) in names.iter().enumerate() {
            let next = k + 1;
            if k == 0 {
                lab.ip(name, "route add default via 10.77.1.2");
                lab.ip(name, "-6 route add default via fd77:1::2");
                continue;
            }
            lab.ip(name, &format!("route add default via 10.77.{k}.1"));
            lab.ip(name, &format!("-6 route add default via fd77:{k:x}::1"));
            if k <= routers && limited {
                lab.set(name, "net.ipv4.icmp_ratelimit=1000");
                lab.set(name, "net.ipv6.icmp.ratelimit=1000");
            }
            if k <= routers {
                lab.ip(name, &format!("route add 10.6.0.0/16 via 10.77.{next}.2"));
                lab.ip(name, &format!("-6 route add fd06::/64 via fd77:{next:x}::2"));
            }
        }
        let end = *names.last()?;
        lab.ip(end, "route add local 10.6.0.0/16 dev lo");
        lab.ip(end, "-6 route add local fd06::/64 dev lo");
        lab.set(end, "net.ipv4.tcp_max_syn_backlog=65536");
        let mut servers = vec![lab.serve(end, &[(true, "::", MPTCP), (false, "::", PLAIN)])?];
        for (k, &name) in names.iter().enumerate().take(routers + 1).skip(1) {
            if !lab.nft(name, &rules(k as u16)) {
                return None;
            }
            servers.push(lab.serve(name, &[(false, "::", 3128)])?);
        }
        Some(Self { lab, _servers: servers })
    }
}

/// The number of the target that the box in a router, counted from 1, treats so.
pub(crate) fn treated(router: u16, name: &str) -> u16 {
    let kind = BOXES.iter().position(|known| known.0 == name).expect("a box of that name");
    router << 8 | kind as u16
}

/// The rules of a router.
fn rules(router: u16) -> String {
    let mut chains: [Vec<u8>; 4] = Default::default();
    for (kind, &(_, place, rule)) in BOXES.iter().enumerate().skip(1) {
        for v6 in [false, true] {
            let (addr, ip) = (target(router << 8 | kind as u16, v6), if v6 { "ip6" } else { "ip" });
            let rule = rule
                .replace("TO ", &format!("{ip} daddr {addr} "))
                .replace("FROM ", &format!("{ip} saddr {addr} "))
                .replace("IP ", &format!("{ip} "));
            // Writing into memory does not fail.
            let _ = writeln!(chains[place as usize], "  {rule}");
        }
    }
    let untracked = [false, true].map(|v6| {
        let (addr, ip) = (target(treated(router, "synproxy"), v6), if v6 { "ip6" } else { "ip" });
        format!("  {ip} daddr {addr} tcp dport 80 tcp flags & (fin|syn|rst|ack) == syn notrack\n")
    });
    let untracked = untracked.concat();
    let [arrival, forward, leaving, redirect] = chains.map(|chain| String::from_utf8(chain).expect("text"));
    format!(
        "table inet boxes {{\n\
         chain arrive {{\n type filter hook prerouting priority 0\n{arrival}}}\n\
         chain untrack {{\n type filter hook prerouting priority -300\n{untracked}}}\n\
         chain pass {{\n type filter hook forward priority 0\n{forward}}}\n\
         chain leave {{\n type nat hook postrouting priority 100\n{leaving}}}\n\
         chain divert {{\n type nat hook prerouting priority -100\n{redirect}}}\n\
         }}\n"
    )
}
