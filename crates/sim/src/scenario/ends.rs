//! `[balance]`, `[transport]` and `[mptcp]`: how flows find their paths, and how their ends behave.

use super::error::Error;
use super::reader::Section;
use super::units::{boolean, choice, duration, number, share, size, within};
use crate::balance::{Policy, flowbender, plb};
use crate::congestion::Algorithm;
use crate::mptcp::Scheduler;
use crate::time::Duration;
use crate::transport::{EcnEcho, LossDetection};
use crate::world::{Multipath, Transport};

/// How flows find their paths.
#[derive(Clone, Debug, PartialEq)]
pub struct Balance {
    /// Who chooses, and when it chooses anew.
    pub kind: BalanceKind,
    /// Whether every switch has a salt of its own for its hash.
    pub salted: bool,
    /// Whether the TTL is in the hash.
    pub ttl: bool,
}

/// Who chooses paths.
#[derive(Clone, Debug, PartialEq)]
pub enum BalanceKind {
    /// Switches, by a hash; senders may change what is hashed (FlowBender, PLB).
    Hash(Policy),
    /// Switches, anew for each packet.
    Spray,
    /// Senders, through an invertible hash: subflow i takes path i of those there are, from a random first one.
    Cflb,
    /// An oracle: the path whose fullest link has the fewest flows when the flow begins.
    LeastLoaded,
}

#[derive(Clone, Copy)]
enum Kind {
    Ecmp,
    FlowBender,
    Plb,
    Spray,
    Cflb,
    LeastLoaded,
}

const KINDS: [(&str, Kind); 6] = [
    ("ecmp", Kind::Ecmp),
    ("flowbender", Kind::FlowBender),
    ("plb", Kind::Plb),
    ("spray", Kind::Spray),
    ("cflb", Kind::Cflb),
    ("least-loaded", Kind::LeastLoaded),
];

impl Balance {
    /// Its name.
    pub const fn name(&self) -> &'static str {
        match &self.kind {
            BalanceKind::Hash(Policy::Fixed) => "ecmp",
            BalanceKind::Hash(Policy::FlowBender(_)) => "flowbender",
            BalanceKind::Hash(Policy::Plb(_)) => "plb",
            BalanceKind::Spray => "spray",
            BalanceKind::Cflb => "cflb",
            BalanceKind::LeastLoaded => "least-loaded",
        }
    }

    pub(super) fn read(section: Section<'_>) -> Result<Self, Error> {
        let kind = match section.get("kind", choice(&KINDS))?.unwrap_or(Kind::Ecmp) {
            Kind::Ecmp => BalanceKind::Hash(Policy::Fixed),
            Kind::FlowBender => BalanceKind::Hash(Policy::FlowBender(bender(&section)?)),
            Kind::Plb => BalanceKind::Hash(Policy::Plb(protective(&section)?)),
            Kind::Spray => BalanceKind::Spray,
            Kind::Cflb => BalanceKind::Cflb,
            Kind::LeastLoaded => BalanceKind::LeastLoaded,
        };
        let salted = section.get("salted", boolean)?.unwrap_or(true);
        let ttl = section.get("ttl", boolean)?.unwrap_or(false);
        section.finish()?;
        Ok(Self { kind, salted, ttl })
    }
}

fn bender(section: &Section<'_>) -> Result<flowbender::Settings, Error> {
    let default = flowbender::Settings::default();
    let rounds = section.get("rounds", within(1, 1000))?.unwrap_or(1) as u32;
    let most = section.get("rounds_most", within(1, 1000))?.map(|most| most as u32);
    let chance = section.get("chance", share)?;
    let patience = match (most, chance) {
        (None, None) => flowbender::Patience::Fixed(rounds),
        (Some(most), None) if most >= rounds => flowbender::Patience::Between(rounds, most),
        (Some(most), None) => {
            return Err(section.error("rounds_most", format!("{most} is below rounds, {rounds}")));
        }
        (None, Some(chance)) => flowbender::Patience::Chance(rounds, chance),
        (Some(_), Some(_)) => return Err(section.error("chance", "not together with rounds_most")),
    };
    Ok(flowbender::Settings {
        threshold: section.get("threshold", share)?.unwrap_or(default.threshold),
        patience,
        values: section.get("values", within(2, 256))?.map_or(default.values, |values| values as u32),
        on_timeout: section.get("on_timeout", boolean)?.unwrap_or(default.on_timeout),
    })
}

fn protective(section: &Section<'_>) -> Result<plb::Settings, Error> {
    let default = plb::Settings::default();
    let rounds = |key, default| {
        Ok::<u32, Error>(section.get(key, within(1, 1000))?.map_or(default, |rounds| rounds as u32))
    };
    Ok(plb::Settings {
        threshold: section.get("threshold", share)?.unwrap_or(default.threshold),
        idle_rounds: rounds("idle_rounds", default.idle_rounds)?,
        rounds: rounds("rounds", default.rounds)?,
        suspend: section.get("suspend", duration)?.unwrap_or(default.suspend),
        values: section.get("values", within(2, 256))?.map_or(default.values, |values| values as u32),
    })
}

/// Options of Multipath TCP that show on the wire; they matter where handshakes are simulated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireOptions {
    /// Version of the protocol, 0 or 1.
    pub version: u8,
    /// Whether DSS checksums are used.
    pub checksum: bool,
    /// Who opens further subflows.
    pub path_manager: PathManager,
    /// Whether subflows on interfaces other than the first are backups.
    pub backup: bool,
}

/// Who opens further subflows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathManager {
    /// One subflow from each address to each address.
    FullMesh,
    /// Several between the same two addresses, with different ports.
    NDiffPorts,
}

const CONGESTION: [(&str, Algorithm); 9] = {
    let mut names = [("", Algorithm::NewReno); 9];
    let mut i = 0;
    while i < 9 {
        names[i] = (Algorithm::ALL[i].as_str(), Algorithm::ALL[i]);
        i += 1;
    }
    names
};

/// `[transport]` and `[mptcp]`.
pub(super) fn transport(
    section: Section<'_>,
    mptcp: Option<Section<'_>>,
) -> Result<(Transport, bool, Option<WireOptions>), Error> {
    let datacenter =
        section.get("preset", choice(&[("datacenter", true), ("internet", false)]))?.unwrap_or(true);
    let algorithm = section.get("congestion", choice(&CONGESTION))?;
    let mut it = if datacenter {
        Transport::datacenter(algorithm.unwrap_or(Algorithm::NewReno))
    } else {
        Transport { algorithm: algorithm.unwrap_or(Algorithm::Cubic), ..Transport::default() }
    };
    if let Some(mss) = section.get("mss", within(48, 9000))? {
        it.mss = mss as u16;
    }
    if let Some(window) = section.get("initial_window", within(1, 10_000))? {
        it.initial_window = window as u32;
    }
    it.receive_window = section.get("receive_window", size)?.unwrap_or(it.receive_window);
    let dupthresh = section.get("dupthresh", within(1, 10_000))?;
    it.sender.detection = match section.get("detection", choice(&[("dupack", false), ("rack", true)]))? {
        Some(true) if dupthresh.is_some() => {
            return Err(section.error("dupthresh", "has no meaning with detection = \"rack\""));
        }
        Some(true) => LossDetection::Rack,
        _ => dupthresh.map_or(it.sender.detection, |n| LossDetection::Dupthresh(n as u32)),
    };
    it.sender.sack = section.get("sack", boolean)?.unwrap_or(it.sender.sack);
    it.sender.limited_transmit =
        section.get("limited_transmit", boolean)?.unwrap_or(it.sender.limited_transmit);
    it.sender.rto.initial = section.get("initial_rto", duration)?.unwrap_or(it.sender.rto.initial);
    it.sender.rto.min = section.get("min_rto", duration)?.unwrap_or(it.sender.rto.min);
    it.sender.rto.max = section.get("max_rto", duration)?.unwrap_or(it.sender.rto.max).max(it.sender.rto.min);
    it.sender.rto.initial = it.sender.rto.initial.max(it.sender.rto.min);
    if let Some(every) = section.get("ack_every", within(1, 255))? {
        it.ack.every = every as u8;
    }
    it.ack.timeout = section.get("ack_delay", duration)?.unwrap_or(it.ack.timeout);
    it.ecn = section.get("ecn", boolean)?.unwrap_or(it.ecn || it.algorithm.needs_ecn());
    if it.algorithm.needs_ecn() && !it.ecn {
        return Err(section.error("ecn", "cannot be false with congestion = \"dctcp\""));
    }
    // The echo of RFC 3168 lasts until the sender has answered with CWR, which packets without headers cannot: all marks are echoed
    // one by one, as RFC 8257 and RFC 9768 do. The window still shrinks once a round trip.
    it.ack.ecn = if it.ecn { EcnEcho::Exact } else { EcnEcho::None };
    let handshake = section.get("handshake", boolean)?.unwrap_or(!datacenter);
    section.finish()?;
    let Some(mptcp) = mptcp else { return Ok((it, handshake, None)) };
    let (multipath, options) = multipath(mptcp)?;
    if let Some(multipath) = multipath {
        if algorithm.is_none() {
            it.algorithm = Algorithm::Lia;
        }
        it.multipath = Some(multipath);
        return Ok((it, handshake, Some(options)));
    }
    Ok((it, handshake, None))
}

fn multipath(section: Section<'_>) -> Result<(Option<Multipath>, WireOptions), Error> {
    let default = Multipath::default();
    let schedulers = [
        ("lowest-rtt", Scheduler::LowestRtt),
        ("round-robin", Scheduler::RoundRobin),
        ("redundant", Scheduler::Redundant),
    ];
    let subflows = section.get("subflows", within(0, 64))?.map_or(default.subflows, |n| n as u16);
    let multipath = Multipath {
        subflows,
        scheduler: section.get("scheduler", choice(&schedulers))?.unwrap_or_default(),
        opportunistic: section.get("opportunistic", boolean)?.unwrap_or(default.opportunistic),
        penalise: section.get("penalise", boolean)?.unwrap_or(default.penalise),
    };
    let managers = [("fullmesh", PathManager::FullMesh), ("ndiffports", PathManager::NDiffPorts)];
    let options = WireOptions {
        version: section.get("version", within(0, 1))?.unwrap_or(1) as u8,
        checksum: section.get("checksum", boolean)?.unwrap_or(false),
        path_manager: section.get("path_manager", choice(&managers))?.unwrap_or(PathManager::FullMesh),
        backup: section.get("backup", boolean)?.unwrap_or(false),
    };
    section.finish()?;
    Ok(((subflows > 0).then_some(multipath), options))
}

/// A positive number, for rates of events.
pub(super) fn positive(value: &toml::de::DeValue<'_>) -> Result<f64, String> {
    match number(value)? {
        found if found > 0.0 && found <= 1e12 => Ok(found),
        found => Err(format!("{found} is not between 0 and 1e12")),
    }
}

/// Longer than no time.
pub(super) fn span(value: &toml::de::DeValue<'_>) -> Result<Duration, String> {
    match duration(value)? {
        Duration::ZERO => Err("must not be 0".to_owned()),
        found => Ok(found),
    }
}
