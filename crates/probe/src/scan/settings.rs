//! What a scan is to do, apart from its targets.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::Error;
use crate::probes::{Kind, Kinds, SourcePorts};
use crate::targets::Plan;

/// How fast.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rate {
    /// Packets a second, of all kinds together.
    Packets(f64),
    /// Bits a second on an Ethernet, preamble, check sequence and gap included.
    Bandwidth(f64),
    /// As fast as it goes, for laboratories.
    Unlimited,
}

/// Whether to reset connections that a SYN/ACK has left half open at the target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Resets {
    /// Only where the kernel does not: when probes come from an address that is not this host's.
    #[default]
    Auto,
    /// Always: where rules keep the kernel's resets away.
    Always,
    /// Never.
    Never,
}

/// What a scan is to do, apart from its targets.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What is asked of each target.
    pub kinds: Kinds,
    /// Whether probes carry an option that nobody should return.
    pub canary: bool,
    /// How often probes that nothing answered are sent again, each time after a cooldown.
    pub retries: u32,
    /// Whether targets that do not answer an MP_CAPABLE are sent a plain SYN, and if they answer that, the MP_CAPABLE once more: finds
    /// boxes that drop or reset the option.
    pub follow_up: bool,
    /// How fast, everything included.
    pub rate: Rate,
    /// Limit of packets a second to the densest /24 of IPv4 or /48 of IPv6, on the average: the whole scan is slowed until
    /// it holds.
    pub prefix_rate: Option<f64>,
    /// How long answers are waited for.
    pub cooldown: Duration,
    /// After how long nothing new is begun.
    pub max_runtime: Option<Duration>,
    /// Threads that send; at least 1.
    pub threads: usize,
    /// Whether half-open connections are reset.
    pub resets: Resets,
    /// Whether targets from which nothing came get a row, too.
    pub report_silent: bool,
    /// Interface; by default the one that the route to the first target leaves from.
    pub interface: Option<String>,
    /// Addresses to probe from, at most one of each family; by default those of the interface.
    pub sources: Vec<IpAddr>,
    /// Ports to probe from.
    pub source_ports: SourcePorts,
    /// Hardware address of the gateway; by default it is asked for (ARP, NDP).
    pub gateway_mac: Option<[u8; 6]>,
    /// Bytes of the receiving ring.
    pub ring_bytes: usize,
    /// Whether probes go past the queueing discipline: faster, and unseen by captures on the same interface.
    pub bypass: bool,
    /// Whether they go through AF_XDP in copy mode where kernel and interface have it, each thread on a queue of its own: faster
    /// still. Counts only with [`bypass`](Self::bypass).
    pub fast: bool,
    /// That the owners of public addresses have been considered: without it there is no scan of them.
    pub acknowledge_public: bool,
    /// Whom to ask about the scan; it stands in the metadata.
    pub contact: Option<String>,
    /// The command that was given; it stands in the metadata.
    pub command: Option<String>,
    /// Where the state is kept from second to second.
    pub state: Option<PathBuf>,
    /// Whether to go on where that state ends.
    pub resume: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            kinds: Kinds::only(Kind::V1).with(Kind::V0),
            canary: false,
            retries: 0,
            follow_up: true,
            rate: Rate::Packets(1000.0),
            prefix_rate: None,
            cooldown: Duration::from_secs(8),
            max_runtime: None,
            threads: 1,
            resets: Resets::Auto,
            report_silent: false,
            interface: None,
            sources: Vec::new(),
            source_ports: SourcePorts::default(),
            gateway_mac: None,
            ring_bytes: 16 << 20,
            bypass: true,
            fast: true,
            acknowledge_public: false,
            contact: None,
            command: None,
            state: None,
            resume: false,
        }
    }
}

/// Preamble, frame check sequence and gap of an Ethernet frame.
const ETHERNET_EXTRA: usize = 24;
/// Shortest frame with all of these.
const ETHERNET_LEAST: usize = 84;

/// Bytes that a frame takes on an Ethernet.
pub(super) fn on_the_wire(frame_len: usize) -> usize {
    (frame_len + ETHERNET_EXTRA).max(ETHERNET_LEAST)
}

/// Bytes of the frame of a probe, link header included.
pub(super) fn frame_len(kind: Kind, canary: bool, v6: bool) -> usize {
    let option = match kind {
        Kind::V1 => 4,
        Kind::V0 | Kind::Join => 12,
        Kind::Both => 16,
        Kind::Plain => 0,
    };
    14 + if v6 { 40 } else { 20 } + 20 + 20 + option + if canary { 4 } else { 0 }
}

impl Settings {
    /// Finds what makes no sense before anything is sent.
    pub fn check(&self, plan: &Plan) -> Result<(), Error> {
        let setting = |what| Err(Error::Setting { what });
        if self.kinds.is_empty() {
            return Err(Error::NoKinds);
        }
        if plan.is_public() && !self.acknowledge_public {
            return Err(Error::NotAcknowledged { targets: plan.len() });
        }
        let positive = |rate: f64| rate.is_finite() && rate > 0.0;
        match self.rate {
            Rate::Packets(rate) | Rate::Bandwidth(rate) if !positive(rate) => {
                return setting("the rate must be a number above 0");
            }
            Rate::Unlimited if plan.is_public() => {
                return setting("public addresses are not probed without a rate");
            }
            _ => {}
        }
        if self.prefix_rate.is_some_and(|rate| !positive(rate)) {
            return setting("the rate for one network must be a number above 0");
        }
        if self.threads == 0 || self.threads > 64 {
            return setting("the number of sending threads must be from 1 to 64");
        }
        if self.resume && self.state.is_none() {
            return setting("to resume needs the state that is to be resumed");
        }
        Ok(())
    }

    /// Packets a second that will be kept to; `None` for no limit.
    pub fn packet_rate(&self, plan: &Plan) -> Option<f64> {
        let wanted = match self.rate {
            Rate::Packets(rate) => Some(rate),
            Rate::Bandwidth(bits) => {
                let (v4, v6) = plan.addresses();
                let share = v6 as f64 / (v4 + v6).max(1) as f64;
                let size = |v6| {
                    let all: usize =
                        self.kinds.iter().map(|kind| on_the_wire(frame_len(kind, self.canary, v6))).sum();
                    all as f64 / f64::from(self.kinds.len().max(1))
                };
                Some(bits / 8.0 / (size(false) * (1.0 - share) + size(true) * share))
            }
            Rate::Unlimited => None,
        };
        // In a random order each network gets its share of the rate.
        let everything = plan.addresses().0.saturating_add(plan.addresses().1) as f64 * plan.ports() as f64;
        let limit = self.prefix_rate.map(|rate| rate * everything / (plan.densest().max(1) as f64));
        match (wanted, limit) {
            (Some(wanted), Some(limit)) => Some(wanted.min(limit)),
            (wanted, limit) => wanted.or(limit),
        }
    }
}
