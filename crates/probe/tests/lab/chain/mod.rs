//! Paths of several routers with a box somewhere on them, between a prober and servers of the real kernel.
//!
//! Three namespaces: `a`, where a test probes; `c`, where servers listen on any address of 10.6.0.0/16 and fd06::/64; and `b`,
//! where one process is all the routers in between. Which path leads to an address is told by its number: each set of [`Path`]s has a name, which the program knows that the chain is part of (`crate::paths`),
//! and target `n` has path `n` modulo their count. Port 80 speaks Multipath TCP, 81 plain TCP, others are closed.

mod behaviour;
pub(crate) mod kernel;
mod packet;
mod router;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

pub(crate) use behaviour::Behaviour;
pub(crate) use router::forward;

use crate::support::{Lab, Process, await_line};

/// Port of the server that speaks Multipath TCP.
pub(crate) const MPTCP: u16 = 80;
/// Port of the server that speaks plain TCP.
pub(crate) const PLAIN: u16 = 81;

/// What a router quotes when a packet runs out of hops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Quote {
    /// It says nothing.
    Silent,
    /// The IP header and so many bytes: with 8 and 20 the quotes of 28 and 40 bytes of IPv4.
    Transport(usize),
    /// Everything.
    Full,
    /// At least 128 bytes and a length, then an MPLS label stack (RFC 4884, RFC 4950).
    Mpls,
    /// The same without the length, as before RFC 4884.
    OldMpls,
}

/// When a box does what it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Stage {
    /// Before it looks at the hop limit, so that its own quotes show it.
    Before,
    /// When it forwards, so that the next router's quotes show it.
    After,
}

/// A router.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Hop {
    pub(crate) quote: Quote,
    pub(crate) behaviour: Behaviour,
    pub(crate) stage: Stage,
    /// Least time between two of its ICMP errors about one target.
    pub(crate) every: Option<Duration>,
}

/// What is at the end of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum End {
    /// The kernel, whatever it says.
    Kernel,
    /// A server of version 0.
    V0,
    /// Nobody.
    Nobody,
}

/// The routers to a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    pub(crate) hops: Vec<Hop>,
    pub(crate) end: End,
}

impl Hop {
    /// A router that quotes so.
    pub(crate) fn quoting(quote: Quote) -> Self {
        Self { quote, behaviour: Behaviour::Pass, stage: Stage::After, every: None }
    }
}

impl Path {
    /// Routers that forward and quote all alike, and the kernel behind them.
    pub(crate) fn clean(routers: usize, quote: Quote) -> Self {
        Self { hops: vec![Hop::quoting(quote); routers], end: End::Kernel }
    }

    /// The same with a box at a router, counted from 1.
    pub(crate) fn with(mut self, router: usize, behaviour: Behaviour, stage: Stage) -> Self {
        let hop = &mut self.hops[router - 1];
        (hop.behaviour, hop.stage) = (behaviour, stage);
        self
    }

    /// The same with another quote at a router, counted from 1.
    pub(crate) fn quoting(mut self, router: usize, quote: Quote) -> Self {
        self.hops[router - 1].quote = quote;
        self
    }
}

/// The address of target `n`.
pub(crate) fn target(n: u16, v6: bool) -> IpAddr {
    let [high, low] = n.to_be_bytes();
    if v6 {
        Ipv6Addr::new(0xfd06, 0, 0, 0, 0, 0, 0, n).into()
    } else {
        Ipv4Addr::new(10, 6, high, low).into()
    }
}

/// The number of an address, when it is one of a target.
fn number(addr: IpAddr) -> Option<u16> {
    match addr {
        IpAddr::V4(addr) => match addr.octets() {
            [10, 6, high, low] => Some(u16::from_be_bytes([high, low])),
            _ => None,
        },
        IpAddr::V6(addr) => match addr.segments() {
            [0xfd06, 0, 0, 0, 0, 0, 0, n] => Some(n),
            _ => None,
        },
    }
}

/// The address of the router so many hops away.
pub(crate) fn router(hop: usize, v6: bool) -> IpAddr {
    if v6 {
        Ipv6Addr::new(0xfd16, 0, 0, 0, 0, 0, 0, hop as u16).into()
    } else {
        Ipv4Addr::new(172, 16, 0, hop as u8).into()
    }
}

/// A running chain.
pub(crate) struct Chain {
    pub(crate) lab: Lab,
    _server: Process,
    _routers: Process,
}

impl Chain {
    /// Builds the paths of a set; `None`, said loudly, where that is not possible.
    pub(crate) fn new(set: &str) -> Option<Self> {
        let lab = Lab::new(3)?;
        lab.link('a', 'b');
        lab.link('b', 'c');
        // The routers are one process; to the kernels both ends are on one link.
        let ends = [('a', "192.168.77.1/24", "fd77::1/64"), ('c', "192.168.77.2/24", "fd77::2/64")];
        for (namespace, v4, v6) in ends {
            lab.ip(namespace, &format!("addr add {v4} dev tob"));
            lab.ip(namespace, &format!("-6 addr add {v6} dev tob nodad"));
        }
        for end in ["toa", "toc"] {
            lab.ip('b', &format!("link set {end} promisc on"));
        }
        lab.ip('a', "route add default via 192.168.77.2");
        lab.ip('a', "-6 route add default via fd77::2");
        lab.ip('c', "route add default via 192.168.77.1");
        lab.ip('c', "-6 route add default via fd77::1");
        lab.ip('c', "route add local 10.6.0.0/16 dev lo");
        lab.ip('c', "-6 route add local fd06::/64 dev lo");
        lab.set('c', "net.ipv4.icmp_msgs_per_sec=100000");
        lab.set('c', "net.ipv4.tcp_max_syn_backlog=65536");
        let server = lab.serve('c', &[(true, "::", MPTCP), (false, "::", PLAIN)])?;
        let mut routers = lab.role('b', &format!("chain {set} toa toc"));
        await_line(&mut routers, "forwarding");
        Some(Self { lab, _server: server, _routers: routers })
    }
}
