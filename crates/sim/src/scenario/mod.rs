//! A simulation described in a TOML file: network, balancing, transport, workload, failures, captures, seeds.
//!
//! [`Scenario::parse`] checks everything that can be checked before a run; what is wrong is told with file, line and key, and where a
//! name is unknown, with the nearest that is known. The format is described in the guide, chapter "Simulation".

mod builtin;
mod ends;
mod error;
mod events;
mod fabric;
mod files;
mod full;
mod incidents;
mod network;
mod reader;
mod run;
mod short;
mod tables;
mod traffic;
mod units;

#[cfg(test)]
mod tests;

use crate::balance::Policy;
use crate::net::Graph;
use crate::time::Duration;
use crate::world::Transport;
pub use builtin::{BUILTINS, Builtin, builtin};
pub use ends::{Balance, BalanceKind, PathManager, WireOptions};
pub use error::Error;
pub use events::{BoxKind, Capture, CapturePlace, Failure, Middlebox};
use files::Files;
pub use network::Topology;
use reader::{Section, Source};
pub use run::{Open, RunError, run};
pub use short::{Fabric, Phone};
use std::io;
use toml::de::DeTable;
pub use traffic::Workload;
use units::{boolean, duration, integer, text, within};

/// What is compared: how flows find their paths and how their ends behave.
#[derive(Clone, Debug)]
pub struct Scheme {
    /// Its name, as in tables.
    pub name: String,
    /// Load balancing.
    pub balance: Balance,
    /// Transport.
    pub transport: Transport,
    /// Whether connections begin with a handshake and have headers as on the wire.
    pub handshake: bool,
    /// Options of Multipath TCP on the wire; none for plain TCP.
    pub wire: Option<WireOptions>,
}

/// A simulation, described and checked.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Its name.
    pub name: String,
    /// What it shows, in a sentence or two.
    pub description: String,
    /// Simulated time.
    pub duration: Duration,
    /// Throughput counts from here on: before it, windows find their size.
    pub warm_up: Duration,
    /// Whether a run ends as soon as all its flows are complete.
    pub stop_when_complete: bool,
    /// The seeds; one run for each, scheme and load.
    pub seeds: Vec<u64>,
    /// Loads of Poisson arrivals; empty for other workloads.
    pub loads: Vec<f64>,
    /// How often links and queues are sampled; none: never.
    pub sample: Option<Duration>,
    /// How long after a failure or repair routing has learnt of it.
    pub detection: Duration,
    /// The network.
    pub topology: Topology,
    /// What is compared, at least one.
    pub schemes: Vec<Scheme>,
    /// Who sends what to whom.
    pub workload: Workload,
    /// Links that fail.
    pub failures: Vec<Failure>,
    /// Captures.
    pub captures: Vec<Capture>,
    /// Middleboxes.
    pub middleboxes: Vec<Middlebox>,
}

impl Scenario {
    /// Reads a scenario. `file` is the name for messages; `read` yields the text of a file that the scenario names (relative to wherever the scenario stands).
    ///
    /// # Errors
    /// [`Error`] says where and what is wrong: no TOML, a key that is unknown or missing, a value out of its range, a file that cannot be read.
    pub fn parse(
        text: &str,
        file: &str,
        read: &mut dyn FnMut(&str) -> io::Result<String>,
    ) -> Result<Self, Error> {
        let source = Source { name: file, text };
        let table = DeTable::parse(text).map_err(|error| {
            source.error(error.span().map(|span| span.start), String::new(), error.message())
        })?;
        let root = Section::root(&source, table.get_ref());
        let scenario = Self::read(&root, &mut Files::new(read))?;
        root.finish()?;
        Ok(scenario)
    }

    fn read(root: &Section<'_>, files: &mut Files<'_>) -> Result<Self, Error> {
        let name = root.need("name", text)?;
        let description = root.get("description", text)?.unwrap_or_default();
        let length = root.need("duration", ends::span)?;
        let Some(section) = root.section("topology")? else { return Err(root.error("topology", "missing")) };
        let topology = Topology::read(section, files)?;
        let graph: Graph = topology.graph().map_err(|error| root.error("topology", error.to_string()))?;
        let Some(section) = root.section("workload")? else { return Err(root.error("workload", "missing")) };
        let (workload, loads) = Workload::read(section, &topology, &graph, length, files)?;
        let warm_up = root.get("warm_up", duration)?.unwrap_or(Duration::ZERO);
        if warm_up >= length {
            return Err(root.error("warm_up", "is not shorter than duration"));
        }
        let scenario = Self {
            name,
            description,
            duration: length,
            warm_up,
            stop_when_complete: root.get("stop_when_complete", boolean)?.unwrap_or(true),
            seeds: seeds(root)?,
            loads,
            sample: root.get("sample", ends::span)?,
            detection: root.get("detection", duration)?.unwrap_or(Duration::from_millis(1)),
            topology,
            schemes: schemes(root)?,
            workload,
            failures: events::failures(root, &graph)?,
            captures: events::captures(root, &graph)?,
            middleboxes: events::boxes(root, &graph)?,
        };
        scenario.check(root)?;
        Ok(scenario)
    }

    /// What fits only with handshakes, and what only without.
    fn check(&self, root: &Section<'_>) -> Result<(), Error> {
        let without = self.schemes.iter().find(|scheme| !scheme.handshake);
        if let Some(scheme) = without {
            let key = if self.captures.is_empty() { "middlebox" } else { "capture" };
            if !self.captures.is_empty() || !self.middleboxes.is_empty() {
                let reason =
                    format!("needs transport.handshake = true, which scheme {:?} has not", scheme.name);
                return Err(root.error(key, reason));
            }
        }
        for scheme in self.schemes.iter().filter(|scheme| scheme.handshake) {
            let plain = Balance { kind: BalanceKind::Hash(Policy::Fixed), salted: true, ttl: false };
            if scheme.balance != plain {
                let reason = format!(
                    "scheme {:?} has handshakes, which are simulated with ECMP and salts only",
                    scheme.name
                );
                return Err(root.error("scheme", reason));
            }
            let waits = match &self.workload {
                Workload::PartitionAggregate(_) => true,
                Workload::Flows(flows) => flows.iter().any(|flow| flow.after.is_some()),
                _ => false,
            };
            if waits {
                let reason =
                    format!("has flows that wait for others, and scheme {:?} handshakes", scheme.name);
                return Err(root.error("workload", reason));
            }
        }
        Ok(())
    }
}

/// `seeds`: how many (1, 2, 3 …), or which.
fn seeds(root: &Section<'_>) -> Result<Vec<u64>, Error> {
    if let Some(count) = root.get("seed_count", within(1, 100_000))? {
        if root.has("seeds") {
            return Err(root.error("seed_count", "not together with seeds"));
        }
        return Ok((1..=count).collect());
    }
    let seeds = root.list("seeds", integer)?.unwrap_or_else(|| vec![1]);
    let mut sorted = seeds.clone();
    sorted.sort_unstable();
    sorted.dedup();
    if seeds.is_empty() || sorted.len() != seeds.len() {
        return Err(root.error("seeds", "there must be at least one seed, and none twice"));
    }
    Ok(seeds)
}

/// `[[scheme]]`, over `[balance]`, `[transport]` and `[mptcp]`.
fn schemes(root: &Section<'_>) -> Result<Vec<Scheme>, Error> {
    let bases = [
        root.section_or_empty("balance")?,
        root.section_or_empty("transport")?,
        root.section_or_empty("mptcp")?,
    ];
    let multipath = root.has("mptcp");
    let mut schemes: Vec<Scheme> = Vec::new();
    for section in root.sections("scheme")? {
        let name = section.need("name", text)?;
        if name.is_empty() || schemes.iter().any(|scheme| scheme.name == name) {
            return Err(section.error("name", format!("{name:?} is empty or there twice")));
        }
        let balance = section.section_or_empty("balance")?;
        // Another kind has other keys: those of the base would have no meaning.
        let balance = if balance.has("kind") { balance } else { balance.over(&bases[0]) };
        let transport = section.section_or_empty("transport")?.over(&bases[1]);
        let own = section.section("mptcp")?;
        let mptcp = match own {
            Some(own) => Some(own.over(&bases[2])),
            None if multipath => root.section("mptcp")?,
            None => None,
        };
        section.finish()?;
        schemes.push(scheme(Some(name), balance, transport, mptcp)?);
    }
    if schemes.is_empty() {
        let [balance, transport, _] = bases;
        schemes.push(scheme(None, balance, transport, root.section("mptcp")?)?);
    }
    Ok(schemes)
}

fn scheme(
    name: Option<String>,
    balance: Section<'_>,
    transport: Section<'_>,
    mptcp: Option<Section<'_>>,
) -> Result<Scheme, Error> {
    let balance = Balance::read(balance)?;
    let (transport, handshake, wire) = ends::transport(transport, mptcp)?;
    Ok(Scheme {
        name: name.unwrap_or_else(|| balance.name().to_owned()),
        balance,
        transport,
        handshake,
        wire,
    })
}
