//! `[topology]`: which hosts, switches and links there are.

use super::error::{Error, suggestion};
use super::files::Files;
use super::reader::Section;
use super::units::{choice, duration, integer, rate, share, size, text, within};
use crate::net::{Graph, LinkSettings, Step, Trace};
use crate::time::{Duration, Rate, Time};
use crate::topology::{
    Custom, CustomHost, CustomLink, CustomSwitch, Dumbbell, FatTree, LeafSpine, Multihomed, TwoPath,
};

/// A network, described.
#[derive(Clone, Debug, PartialEq)]
pub enum Topology {
    /// A k-ary fat-tree.
    FatTree(FatTree),
    /// Two tiers, every leaf at every spine.
    LeafSpine(LeafSpine),
    /// Pairs of hosts across one bottleneck.
    Dumbbell(Dumbbell),
    /// Two disjoint paths.
    TwoPath(TwoPath),
    /// A phone with WiFi and a cellular interface, and a server.
    Phone(Multihomed),
    /// Anything else.
    Custom(Custom),
}

#[derive(Clone, Copy)]
enum Kind {
    FatTree,
    LeafSpine,
    Dumbbell,
    TwoPath,
    Phone,
    Custom,
}

const KINDS: [(&str, Kind); 6] = [
    ("fat-tree", Kind::FatTree),
    ("leaf-spine", Kind::LeafSpine),
    ("dumbbell", Kind::Dumbbell),
    ("two-path", Kind::TwoPath),
    ("phone", Kind::Phone),
    ("custom", Kind::Custom),
];

impl Topology {
    /// Nodes and links.
    ///
    /// # Errors
    /// Of the topology: a number out of its range, an unknown or repeated name.
    pub fn graph(&self) -> Result<Graph, crate::topology::Error> {
        match self {
            Self::FatTree(it) => it.graph(),
            Self::LeafSpine(it) => it.graph(),
            Self::Dumbbell(it) => it.graph(),
            Self::TwoPath(it) => it.graph(),
            Self::Phone(it) => it.graph(),
            Self::Custom(it) => it.graph(),
        }
    }

    /// What a load is a fraction of, bit/s: the rates of all links from hosts; or, when `fabric` says so and a tier of a fat-tree or leaf-spine is
    /// narrower, those of the links up from that tier.
    pub fn capacity(&self, fabric: bool) -> Option<f64> {
        let bps = |link: &LinkSettings, number: u32| link.rate.bps() as f64 * f64::from(number);
        let (hosts, above) = match self {
            Self::FatTree(it) => {
                let half = it.k / 2;
                (bps(&it.up, it.k * half * it.hosts), bps(&it.fabric, it.k * half * half))
            }
            Self::LeafSpine(it) => {
                (bps(&it.up, it.leaves * it.hosts), bps(&it.fabric, it.leaves * it.spines))
            }
            Self::Dumbbell(it) => (bps(&it.access, it.pairs), bps(&it.forward, 1)),
            Self::TwoPath(_) | Self::Phone(_) => return None,
            Self::Custom(it) => {
                let ups = it.hosts.iter().flat_map(|host| &host.interfaces);
                (ups.map(|(_, up, ..)| up.rate.bps() as f64).sum(), f64::INFINITY)
            }
        };
        Some(if fabric { hosts.min(above) } else { hosts })
    }

    pub(super) fn read(section: Section<'_>, files: &mut Files<'_>) -> Result<Self, Error> {
        let topology = match section.need("kind", choice(&KINDS))? {
            Kind::FatTree => Self::FatTree(fat_tree(&section, files)?),
            Kind::LeafSpine => Self::LeafSpine(leaf_spine(&section, files)?),
            Kind::Dumbbell => {
                let base = link(&section, None, files)?;
                let middle = link_section(&section, "bottleneck", base.as_ref(), files)?;
                let Some(forward) = middle.clone().or_else(|| base.clone()) else {
                    return Err(section.error("bottleneck", "missing"));
                };
                let access = link_section(&section, "access", base.as_ref(), files)?.or(base);
                let back = link_section(&section, "back", middle.as_ref(), files)?;
                Self::Dumbbell(Dumbbell {
                    pairs: section.get("pairs", within(1, 60_000))?.unwrap_or(1) as u32,
                    access: access.unwrap_or_else(|| forward.clone()),
                    back: back.unwrap_or_else(|| forward.clone()),
                    forward,
                })
            }
            Kind::TwoPath => Self::TwoPath(two_path(&section, files)?),
            Kind::Phone => Self::Phone(phone(&section, files)?),
            Kind::Custom => Self::Custom(custom(&section, files)?),
        };
        if let Err(error) = topology.graph() {
            return Err(section.error("kind", error.to_string()));
        }
        section.finish()?;
        Ok(topology)
    }
}

fn fat_tree(section: &Section<'_>, files: &mut Files<'_>) -> Result<FatTree, Error> {
    let k = section.need("k", within(2, 64))? as u32;
    let Some(base) = link(section, None, files)? else { return Err(section.error("rate", "missing")) };
    let ratio = section.get("oversubscription", within(1, 100))?;
    let hosts = section.get("hosts_per_edge", within(1, 250))?;
    if ratio.is_some() && hosts.is_some() {
        return Err(
            section.error("hosts_per_edge", "says the same as oversubscription; leave one of them out")
        );
    }
    let mut tree = FatTree::new(k, ratio.unwrap_or(1) as u32, &base);
    if let Some(hosts) = hosts {
        tree.hosts = hosts as u32;
    }
    (tree.up, tree.down, tree.fabric) = sides(section, &base, files)?;
    Ok(tree)
}

fn leaf_spine(section: &Section<'_>, files: &mut Files<'_>) -> Result<LeafSpine, Error> {
    let Some(base) = link(section, None, files)? else { return Err(section.error("rate", "missing")) };
    let (up, down, fabric) = sides(section, &base, files)?;
    Ok(LeafSpine {
        leaves: section.need("leaves", within(1, 250))? as u32,
        spines: section.need("spines", within(1, 1000))? as u32,
        hosts: section.need("hosts_per_leaf", within(1, 250))? as u32,
        up,
        down,
        fabric,
    })
}

/// The links of a fabric: from hosts, to hosts, between switches.
fn sides(
    section: &Section<'_>,
    base: &LinkSettings,
    files: &mut Files<'_>,
) -> Result<(LinkSettings, LinkSettings, LinkSettings), Error> {
    let mut side = |key| Ok(link_section(section, key, Some(base), files)?.unwrap_or_else(|| base.clone()));
    Ok((side("up")?, side("down")?, side("fabric")?))
}

fn two_path(section: &Section<'_>, files: &mut Files<'_>) -> Result<TwoPath, Error> {
    let mut paths = Vec::new();
    for path in section.sections("path")? {
        paths.push(both_ways(&path, None, files)?);
        path.finish()?;
    }
    let Ok(paths) = <[_; 2]>::try_from(paths) else {
        return Err(section.error("path", "there must be two [[topology.path]]"));
    };
    let fast = LinkSettings::new(Rate::from_gbps(100), Duration::ZERO);
    let access = link_section(section, "access", Some(&fast), files)?.unwrap_or(fast);
    Ok(TwoPath { access, paths })
}

fn phone(section: &Section<'_>, files: &mut Files<'_>) -> Result<Multihomed, Error> {
    let mut radio = |key| {
        let Some(radio) = section.section(key)? else { return Err(section.error(key, "missing")) };
        let found = both_ways(&radio, None, files)?;
        radio.finish()?;
        Ok(found)
    };
    let (wifi, cellular) = (radio("wifi")?, radio("cellular")?);
    let fast = LinkSettings::new(Rate::from_gbps(10), Duration::from_millis(1));
    let internet = link_section(section, "internet", Some(&fast), files)?.unwrap_or_else(|| fast.clone());
    let server = link_section(section, "server", Some(&fast), files)?.unwrap_or(fast);
    let second = section.get("server_addresses", within(1, 2))? == Some(2);
    Ok(Multihomed { wifi, cellular, internet, server, second })
}

fn custom(section: &Section<'_>, files: &mut Files<'_>) -> Result<Custom, Error> {
    let base = link(section, None, files)?;
    let mut custom = Custom::default();
    for switch in section.sections("switch")? {
        let tier = switch.get("tier", within(0, 255))?.unwrap_or(0) as u8;
        custom.switches.push(CustomSwitch { name: switch.need("name", text)?, tier });
        switch.finish()?;
    }
    for cable in section.sections("link")? {
        let (forward, back) = both_ways(&cable, base.as_ref(), files)?;
        let Some([from, to]) = names(&cable, "between")? else {
            return Err(cable.error("between", "missing"));
        };
        custom.links.push(CustomLink { from, to, forward, back });
        cable.finish()?;
    }
    for host in section.sections("host")? {
        let name = host.need("name", text)?;
        let mut interfaces = Vec::new();
        for interface in host.sections("interface")? {
            let (up, down) = both_ways(&interface, base.as_ref(), files)?;
            let v4 = interface.get("v4", address)?;
            let v6 = interface.get("v6", address)?;
            interfaces.push((interface.need("switch", text)?, up, down, v4, v6));
            interface.finish()?;
        }
        if let Some(switch) = host.get("switch", text)? {
            let Some(link) = base.clone() else { return Err(section.error("rate", "missing")) };
            interfaces.push((switch, link.clone(), link, None, None));
        }
        if interfaces.is_empty() {
            return Err(host.error("switch", "missing"));
        }
        custom.hosts.push(CustomHost { name, interfaces });
        host.finish()?;
    }
    Ok(custom)
}

fn address<T: std::str::FromStr>(value: &toml::de::DeValue<'_>) -> Result<T, String> {
    let address = text(value)?;
    address.parse().map_err(|_| format!("{address:?} is not an address"))
}

/// Two names of nodes.
pub(super) fn names(section: &Section<'_>, key: &'static str) -> Result<Option<[String; 2]>, Error> {
    match section.list(key, text)? {
        None => Ok(None),
        Some(names) => match <[String; 2]>::try_from(names) {
            Ok(names) => Ok(Some(names)),
            Err(_) => Err(section.error(key, "there must be the names of two nodes, as [\"a\", \"b\"]")),
        },
    }
}

/// The link keys of a table, and of its tables `up` and `down` for what differs: away from the clients and back.
fn both_ways(
    section: &Section<'_>,
    base: Option<&LinkSettings>,
    files: &mut Files<'_>,
) -> Result<(LinkSettings, LinkSettings), Error> {
    let own = link(section, base, files)?;
    let up = link_section(section, "up", own.as_ref(), files)?.or_else(|| own.clone());
    let down = link_section(section, "down", own.as_ref(), files)?.or(own);
    match (up, down) {
        (Some(up), Some(down)) => Ok((up, down)),
        _ => Err(section.error("rate", "missing")),
    }
}

fn link_section(
    section: &Section<'_>,
    key: &'static str,
    base: Option<&LinkSettings>,
    files: &mut Files<'_>,
) -> Result<Option<LinkSettings>, Error> {
    let Some(inner) = section.section(key)? else { return Ok(None) };
    let Some(found) = link(&inner, base, files)? else { return Err(inner.error("rate", "missing")) };
    inner.finish()?;
    Ok(Some(found))
}

/// The keys of a link, over those that it would have without; none when there is no rate.
fn link(
    section: &Section<'_>,
    base: Option<&LinkSettings>,
    files: &mut Files<'_>,
) -> Result<Option<LinkSettings>, Error> {
    let found = (
        section.get("rate", rate)?,
        section.get("delay", duration)?,
        section.get("buffer", size)?,
        section.get("mark", size)?,
        section.get("loss", share)?,
        trace(section, files)?,
    );
    let (rate, delay, buffer, mark, loss, trace) = found;
    let first = trace.as_ref().and_then(|trace| Some(Rate::from_bps(trace.steps().first()?.bps)));
    let Some(rate) = rate.or(first).or(base.map(|base| base.rate)) else {
        let stray = delay.is_some() || buffer.is_some() || mark.is_some() || loss.is_some();
        return if stray { Err(section.error("rate", "missing")) } else { Ok(None) };
    };
    let mut settings = base.cloned().unwrap_or(LinkSettings::new(rate, Duration::ZERO));
    settings.rate = rate;
    settings.delay = delay.unwrap_or(settings.delay);
    settings.buffer = buffer.unwrap_or(settings.buffer);
    settings.mark = mark.or(settings.mark);
    settings.loss = loss.unwrap_or(settings.loss);
    settings.trace = trace.or(settings.trace);
    Ok(Some(settings))
}

/// `trace`: a file of time (seconds), rate (bit/s) and delay (seconds), one step a line; with `trace_period`, again and again.
fn trace(section: &Section<'_>, files: &mut Files<'_>) -> Result<Option<Trace>, Error> {
    let period = section.get("trace_period", duration)?;
    let Some(name) = section.get("trace", text)? else { return Ok(None) };
    let content = files.read(section, "trace", &name)?;
    let mut steps = Vec::new();
    for (line, fields) in crate::workload::lines(&content) {
        let wrong = |reason: &str| section.error("trace", format!("{name}: line {line}: {reason}"));
        let numbers: Result<Vec<f64>, _> = fields.iter().map(|field| field.parse::<f64>()).collect();
        let Ok(&[at, bps, delay]) = numbers.as_deref() else {
            return Err(wrong("not three numbers: time, rate and delay"));
        };
        if !(0.0..=1e6).contains(&at) || !(0.0..=1e14).contains(&bps) || !(0.0..=1e3).contains(&delay) {
            return Err(wrong("time, rate or delay is negative or too large"));
        }
        steps.push(Step {
            at: Time::from_secs_f64(at),
            bps: bps as u64,
            delay: Duration::from_secs_f64(delay),
        });
    }
    let Some(trace) = Trace::new(steps) else {
        return Err(section.error("trace", format!("{name}: no steps")));
    };
    match period {
        None => Ok(Some(trace)),
        Some(Duration::ZERO) => Err(section.error("trace_period", "must not be 0")),
        Some(period) => {
            let until = Time::ZERO + (period * 100_000).min(Duration::from_secs(100_000));
            Ok(trace.repeated(period, until))
        }
    }
}

/// A host by name or number.
pub(super) fn host(graph: &Graph) -> impl Fn(&toml::de::DeValue<'_>) -> Result<u32, String> {
    let names: Vec<String> = graph
        .hosts()
        .map(|node| graph.nodes().get(node.0 as usize).map_or_else(String::new, |node| node.name.to_string()))
        .collect();
    move |value| {
        if value.is_integer() {
            let number = integer(value)?;
            return match u32::try_from(number) {
                Ok(number) if (number as usize) < names.len() => Ok(number),
                _ => Err(format!("{number} is not among the {} hosts", names.len())),
            };
        }
        let name = text(value)?;
        match names.iter().position(|known| *known == name) {
            Some(number) => Ok(number as u32),
            None => {
                let known: Vec<&str> = names.iter().map(String::as_str).collect();
                Err(format!("there is no host {name:?}{}", suggestion(&name, &known)))
            }
        }
    }
}
