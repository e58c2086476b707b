//! `[[failure]]`, `[[capture]]` and `[[middlebox]]`: what happens to links, and who watches.

use super::ends::span;
use super::error::{Error, suggestion};
use super::network::{host, names};
use super::reader::Section;
use super::units::{boolean, choice, duration, text, within};
use crate::net::{Graph, LinkId};
use crate::time::Time;

/// A link that fails, in both directions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The links: there and back.
    pub links: [LinkId; 2],
    /// When it fails.
    pub at: Time,
    /// When it is repaired; none: never.
    pub repair: Option<Time>,
}

/// Where packets are captured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CapturePlace {
    /// At a host (by number).
    Host(u32),
    /// Where packets enter the queue of a link.
    Link(LinkId),
}

/// A capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capture {
    /// Where.
    pub place: CapturePlace,
    /// Name of the file.
    pub file: String,
    /// Bytes kept of each packet; none: all.
    pub snap: Option<u32>,
}

/// A middlebox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Middlebox {
    /// What it does.
    pub kind: BoxKind,
    /// The links at whose entrance it stands: outwards, and back.
    pub links: [LinkId; 2],
}

/// What a middlebox does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BoxKind {
    /// Removes Multipath TCP options from SYNs, SYN/ACKs, other segments.
    Strip {
        /// From SYNs.
        syn: bool,
        /// From SYN/ACKs.
        syn_ack: bool,
        /// From all others.
        data: bool,
    },
    /// Drops SYNs with the option.
    DropSyn,
    /// Returns the client's own option.
    Mirror,
    /// Terminates TCP.
    Proxy,
    /// Translates addresses and ports.
    Nat,
    /// Changes payload.
    Change,
    /// Shifts sequence numbers.
    Rewrite,
}

#[derive(Clone, Copy)]
enum Kind {
    Strip,
    DropSyn,
    Mirror,
    Proxy,
    Nat,
    Change,
    Rewrite,
}

const KINDS: [(&str, Kind); 7] = [
    ("strip", Kind::Strip),
    ("drop", Kind::DropSyn),
    ("mirror", Kind::Mirror),
    ("proxy", Kind::Proxy),
    ("nat", Kind::Nat),
    ("change", Kind::Change),
    ("rewrite", Kind::Rewrite),
];

pub(super) fn failures(root: &Section<'_>, graph: &Graph) -> Result<Vec<Failure>, Error> {
    let mut failures = Vec::new();
    for section in root.sections("failure")? {
        let links = cable(&section, graph)?;
        let at = Time::ZERO + section.need("at", duration)?;
        let repair = section.get("repair", span)?.map(|after| Time::ZERO + after);
        if repair.is_some_and(|repair| repair <= at) {
            return Err(section.error("repair", "is not after the failure"));
        }
        section.finish()?;
        failures.push(Failure { links, at, repair });
    }
    Ok(failures)
}

pub(super) fn captures(root: &Section<'_>, graph: &Graph) -> Result<Vec<Capture>, Error> {
    let mut captures = Vec::new();
    for section in root.sections("capture")? {
        let place = match (section.get("host", host(graph))?, section.has("between")) {
            (Some(host), false) => CapturePlace::Host(host),
            (None, true) => CapturePlace::Link(cable(&section, graph)?[0]),
            _ => return Err(section.error("host", "there must be one of host and between")),
        };
        let file = section.need("file", text)?;
        if file.is_empty() || file.contains(['/', '\\']) || file.starts_with('.') {
            return Err(section.error("file", "must be the name of a file, without folders"));
        }
        let snap = section.get("snap", within(64, 65535))?.map(|snap| snap as u32);
        section.finish()?;
        captures.push(Capture { place, file, snap });
    }
    Ok(captures)
}

pub(super) fn boxes(root: &Section<'_>, graph: &Graph) -> Result<Vec<Middlebox>, Error> {
    let mut boxes = Vec::new();
    for section in root.sections("middlebox")? {
        let links = cable(&section, graph)?;
        let kind = match section.need("kind", choice(&KINDS))? {
            Kind::Strip => {
                let on = |key, default| Ok::<_, Error>(section.get(key, boolean)?.unwrap_or(default));
                BoxKind::Strip {
                    syn: on("syn", true)?,
                    syn_ack: on("syn_ack", true)?,
                    data: on("data", true)?,
                }
            }
            Kind::DropSyn => BoxKind::DropSyn,
            Kind::Mirror => BoxKind::Mirror,
            Kind::Proxy => BoxKind::Proxy,
            Kind::Nat => BoxKind::Nat,
            Kind::Change => BoxKind::Change,
            Kind::Rewrite => BoxKind::Rewrite,
        };
        section.finish()?;
        boxes.push(Middlebox { kind, links });
    }
    Ok(boxes)
}

/// `between`: both directions of the cable between two nodes.
fn cable(section: &Section<'_>, graph: &Graph) -> Result<[LinkId; 2], Error> {
    let Some([a, b]) = names(section, "between")? else { return Err(section.error("between", "missing")) };
    let node = |name: &str| {
        let found = (0..).map(crate::net::NodeId).zip(graph.nodes()).find(|(_, node)| *node.name == *name);
        found.map(|(id, _)| id).ok_or_else(|| {
            let known: Vec<&str> = graph.nodes().iter().map(|node| &*node.name).collect();
            section.error("between", format!("there is no node {name:?}{}", suggestion(name, &known)))
        })
    };
    let (from, to) = (node(&a)?, node(&b)?);
    match (graph.between(from, to), graph.between(to, from)) {
        (Some(there), Some(back)) => Ok([there, back]),
        _ => Err(section.error("between", format!("there is no cable between {a:?} and {b:?}"))),
    }
}
