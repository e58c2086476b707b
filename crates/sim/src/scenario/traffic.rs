//! `[workload]`: who sends what to whom, and when.

use super::ends::{positive, span};
use super::error::Error;
use super::files::Files;
use super::network::{Topology, host};
use super::reader::Section;
use super::units::{choice, duration, number, size, text, within};
use crate::net::Graph;
use crate::random::{Purpose, Random};
use crate::time::{Duration, Time};
use crate::workload::{
    Arrivals, ENDLESS, Flow, PartitionAggregate, Sizes, all_to_all, incast, partition_aggregate, permutation,
    poisson, replay,
};
use toml::de::DeValue;

/// A workload, described.
#[derive(Clone, Debug, PartialEq)]
pub enum Workload {
    /// Every host sends to one other.
    Permutation {
        /// Bytes of each flow.
        bytes: u64,
        /// Over how long their starts are spread.
        spread: Duration,
    },
    /// Every host sends to every other.
    AllToAll {
        /// Bytes of each flow.
        bytes: u64,
        /// Over how long their starts are spread.
        spread: Duration,
    },
    /// Many send to one at once.
    Incast {
        /// Number of the host that receives.
        receiver: u32,
        /// How many send.
        senders: u32,
        /// Bytes of each flow.
        bytes: u64,
        /// When.
        start: Time,
    },
    /// Queries with answers.
    PartitionAggregate(PartitionAggregate),
    /// Poisson arrivals; the load is one of [`loads`](super::Scenario::loads).
    Poisson {
        /// What the load is a fraction of, bit/s.
        capacity: f64,
        /// How large flows are.
        sizes: Sizes,
        /// How long flows arrive.
        arrive: Duration,
    },
    /// Flows that are listed.
    Flows(Vec<Flow>),
}

#[derive(Clone, Copy)]
enum Kind {
    Permutation,
    AllToAll,
    Incast,
    PartitionAggregate,
    Poisson,
    Flows,
    Replay,
}

const KINDS: [(&str, Kind); 7] = [
    ("permutation", Kind::Permutation),
    ("all-to-all", Kind::AllToAll),
    ("incast", Kind::Incast),
    ("partition-aggregate", Kind::PartitionAggregate),
    ("poisson", Kind::Poisson),
    ("flows", Kind::Flows),
    ("replay", Kind::Replay),
];

impl Workload {
    /// The flows of one run, from the stream of their own of a seed: the same for every scheme. `load` is used by Poisson arrivals alone.
    pub fn flows(&self, hosts: u32, load: Option<f64>, seed: u64) -> Vec<Flow> {
        let random = &mut Random::new(seed, Purpose::Workload);
        match self {
            Self::Permutation { bytes, spread } => permutation(hosts, *bytes, *spread, random),
            Self::AllToAll { bytes, spread } => all_to_all(hosts, *bytes, *spread, random),
            Self::Incast { receiver, senders, bytes, start } => {
                incast(hosts, *receiver, *senders, *bytes, *start, random)
            }
            Self::PartitionAggregate(pattern) => partition_aggregate(hosts, pattern, random),
            Self::Poisson { capacity, sizes, arrive } => {
                let load = load.unwrap_or(0.0);
                let arrivals =
                    Arrivals { load, capacity: *capacity, sizes: sizes.clone(), duration: *arrive };
                poisson(hosts, &arrivals, random)
            }
            Self::Flows(flows) => flows.clone(),
        }
    }

    pub(super) fn read(
        section: Section<'_>,
        topology: &Topology,
        graph: &Graph,
        duration_of_run: Duration,
        files: &mut Files<'_>,
    ) -> Result<(Self, Vec<f64>), Error> {
        let hosts = graph.hosts().count() as u32;
        let mut loads = Vec::new();
        let kind = section.need("kind", choice(&KINDS))?;
        let workload = match kind {
            Kind::Permutation | Kind::AllToAll => {
                let bytes = section.need("bytes", endless)?;
                let spread = section.get("spread", duration)?.unwrap_or(Duration::ZERO);
                if matches!(kind, Kind::Permutation) {
                    Self::Permutation { bytes, spread }
                } else {
                    Self::AllToAll { bytes, spread }
                }
            }
            Kind::Incast => Self::Incast {
                receiver: section.get("receiver", host(graph))?.unwrap_or(0),
                senders: section.need("senders", within(1, u64::from(hosts.saturating_sub(1)).max(1)))?
                    as u32,
                bytes: section.need("bytes", endless)?,
                start: Time::ZERO + section.get("start", duration)?.unwrap_or(Duration::ZERO),
            },
            Kind::PartitionAggregate => Self::PartitionAggregate(PartitionAggregate {
                queries_per_second: section.need("queries_per_second", positive)?,
                fanout: section.need("fanout", within(1, u64::from(hosts.saturating_sub(1)).max(1)))? as u32,
                request: section.get("request", endless)?.unwrap_or(1600),
                response: section.need("response", endless)?,
                duration: section.get("arrive", span)?.unwrap_or(duration_of_run),
            }),
            Kind::Poisson => {
                loads = section.list("load", load)?.unwrap_or_default();
                if loads.is_empty() {
                    return Err(section.error("load", "missing"));
                }
                let of = [("fabric", true), ("hosts", false)];
                let fabric = section.get("load_of", choice(&of))?.unwrap_or(true);
                let Some(capacity) = topology.capacity(fabric) else {
                    return Err(section.error("kind", "poisson needs a network of more than two hosts"));
                };
                let arrive = section.get("arrive", span)?.unwrap_or(duration_of_run);
                Self::Poisson { capacity, sizes: sizes(&section, files)?, arrive }
            }
            Kind::Flows => {
                let mut flows = Vec::new();
                for flow in section.sections("flow")? {
                    flows.push(listed(flow, graph, flows.len())?);
                }
                if flows.is_empty() {
                    return Err(section.error("flow", "there must be at least one [[workload.flow]]"));
                }
                Self::Flows(flows)
            }
            Kind::Replay => {
                let name = section.need("file", text)?;
                let content = files.read(&section, "file", &name)?;
                let flows = replay(&content, hosts)
                    .map_err(|error| section.error("file", format!("{name}: {error}")))?;
                Self::Flows(flows)
            }
        };
        section.finish()?;
        Ok((workload, loads))
    }
}

fn listed(section: Section<'_>, graph: &Graph, number: usize) -> Result<Flow, Error> {
    let start = Time::ZERO + section.get("start", duration)?.unwrap_or(Duration::ZERO);
    let (src, dst) = (section.need("from", host(graph))?, section.need("to", host(graph))?);
    if src == dst {
        return Err(section.error("to", "is the host that sends"));
    }
    let mut flow = Flow::new(start, src, dst, section.need("bytes", endless)?);
    if number > 0 {
        flow.after = section.get("after", within(0, number as u64 - 1))?.map(|after| after as u32);
    } else if section.has("after") {
        return Err(section.error("after", "the first flow cannot wait for another"));
    }
    section.finish()?;
    Ok(flow)
}

/// A load above 0 and at most 1.5.
fn load(value: &DeValue<'_>) -> Result<f64, String> {
    match number(value)? {
        found if found > 0.0 && found <= 1.5 => Ok(found),
        found => Err(format!("{found} is not between 0 and 1.5")),
    }
}

/// A size of at least one byte, or `"endless"`.
fn endless(value: &DeValue<'_>) -> Result<u64, String> {
    if value.as_str() == Some("endless") {
        return Ok(ENDLESS);
    }
    match size(value)? {
        0 => Err("must not be 0".to_owned()),
        bytes => Ok(bytes),
    }
}

fn sizes(section: &Section<'_>, files: &mut Files<'_>) -> Result<Sizes, Error> {
    let ways = ["sizes", "sizes_file", "bytes"];
    let given = ways.iter().filter(|&&key| section.has(key)).count();
    if given != 1 {
        let reason = format!("{given} of sizes, sizes_file and bytes are given; there must be one");
        return Err(section.error("sizes", reason));
    }
    if let Some(name) = section.get("sizes_file", text)? {
        let content = files.read(section, "sizes_file", &name)?;
        return Sizes::parse(&content)
            .map_err(|error| section.error("sizes_file", format!("{name}: {error}")));
    }
    if let Some(bytes) = section.get("bytes", size)? {
        return Ok(Sizes::fixed(bytes));
    }
    let web = section.need("sizes", choice(&[("web-search", true), ("data-mining", false)]))?;
    Ok(if web { Sizes::web_search() } else { Sizes::data_mining() })
}
