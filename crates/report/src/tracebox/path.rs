//! One target's path as people look at it: a line for each hop, a lane for each thing that was asked, the changes between hops.

use super::lookups::Lookups;
use super::words;
use std::collections::BTreeSet;
use std::net::IpAddr;
use subflow_probe::rows::{
    Asks, Behaviour, Confidence, Direction, Hop, HopAnswer, Modification, QuoteKind, Traced,
};
use subflow_probe::trace::Concluded;

/// A path, put together from the rows of a target.
#[derive(Clone, Debug, PartialEq)]
pub struct Path<'a> {
    /// Hops in order.
    pub lines: Vec<Line<'a>>,
    /// What was asked: with Multipath TCP first, the control runs last.
    pub lanes: Vec<Lane<'a>>,
    /// Changes of answers, of which no place is known.
    pub back: Vec<String>,
}

/// One hop.
#[derive(Clone, Debug, PartialEq)]
pub struct Line<'a> {
    /// Hop limit.
    pub hop: u8,
    /// The last hop limit that looks the same, where several hops in a row stayed silent.
    pub until: u8,
    /// Who answered; several where flows or rounds took different ways.
    pub addrs: Vec<IpAddr>,
    /// Name of the first.
    pub name: Option<&'a str>,
    /// Its operator.
    pub operator: Option<&'a str>,
    /// Shortest time to an answer, in seconds.
    pub rtt: Option<f64>,
    /// The most that was quoted.
    pub quote: Option<QuoteKind>,
    /// Whether the target answered here, or who speaks for it.
    pub is_end: bool,
    /// MPLS labels that were shown.
    pub mpls: Option<&'a str>,
}

/// What was asked on one flow, from hop to hop.
#[derive(Clone, Debug, PartialEq)]
pub struct Lane<'a> {
    /// What was asked.
    pub asks: Asks,
    /// Number of the flow.
    pub flow: u32,
    /// Its name: what was asked, and the flow where there are several.
    pub name: String,
    /// Whether it asks with an option that boxes may take offence at; the others are control runs.
    pub asking: bool,
    /// The best row of each line of the path; `None` where it was not probed.
    pub cells: Vec<Option<&'a Hop>>,
    /// Where it was changed.
    pub marks: Vec<Mark>,
    /// The hop at which it ended: with an answer, or the last that it got to.
    pub end: u8,
}

/// A change between two hops.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The last hop that got it unchanged; 0 is the sender.
    pub after: u8,
    /// The first that got it changed.
    pub before: u8,
    /// What was changed, in a few words.
    pub words: String,
    /// Whether it is about Multipath TCP, or breaks the packet.
    pub matters: bool,
    /// Whether at least two probes show it.
    pub confirmed: bool,
}

impl<'a> Path<'a> {
    /// Puts the rows of a target together.
    pub fn of(concluded: &'a Concluded, lookups: &'a Lookups) -> Self {
        let mut keys: Vec<(Asks, u32)> = Vec::new();
        for hop in &concluded.hops {
            let key = (hop.probe, hop.flow);
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        keys.sort_by_key(|&(asks, flow)| (!is_asking(asks), asks, flow));
        let several = keys.iter().any(|&(_, flow)| flow != keys.first().map_or(0, |first| first.1));
        let rows = |key: (Asks, u32)| concluded.hops.iter().filter(move |hop| (hop.probe, hop.flow) == key);
        // As far as somebody answered for the target, else one hop further than any router did.
        let last =
            keys.iter().filter_map(|&key| answered(rows(key))).max().or_else(|| heard(concluded.hops.iter()));
        let last = last.unwrap_or(0);
        let end = |key: (Asks, u32)| answered(rows(key)).unwrap_or(last);
        let first = concluded.hops.iter().map(|hop| hop.hop).min().unwrap_or(1);
        let hops: Vec<u8> = (first..=last).collect();
        let lanes = keys
            .iter()
            .map(|&(asks, flow)| {
                let name = words::asks(asks);
                let end = end((asks, flow));
                let best = |&hop: &u8| {
                    let rows = concluded
                        .hops
                        .iter()
                        .filter(|row| (row.probe, row.flow, row.hop) == (asks, flow, hop));
                    rows.min_by_key(|row| rank(row)).filter(|_| hop <= end)
                };
                Lane {
                    asks,
                    flow,
                    name: if several { format!("{name} · {}", flow + 1) } else { name.to_owned() },
                    asking: is_asking(asks),
                    cells: hops.iter().map(best).collect(),
                    marks: marks(concluded, asks, flow),
                    end,
                }
            })
            .collect();
        let lines = hops.iter().map(|&hop| line(concluded, hop, lookups)).collect();
        let mut path = Self { lines, lanes, back: back(&concluded.modifications) };
        path.fold_silence();
        path
    }

    /// Puts hops in a row into one line that nobody answered from, where there are more than three.
    fn fold_silence(&mut self) {
        const FEW: usize = 3;
        let mut at = 0;
        while at < self.lines.len() {
            let silent = self.lines[at..].iter().take_while(|line| line.addrs.is_empty()).count();
            if silent > FEW {
                self.lines[at].until = self.lines[at + silent - 1].hop;
                self.lines.drain(at + 1..at + silent);
                for lane in &mut self.lanes {
                    lane.cells.drain(at + 1..at + silent);
                }
            }
            at += silent.max(1).min(if silent > FEW { 1 } else { usize::MAX });
        }
    }

    /// What became of what was asked with Multipath TCP at a line, in a few words; of the control runs otherwise.
    pub fn words(&self, place: usize, asking: bool) -> String {
        let lanes: Vec<&Lane<'_>> = self.lanes.iter().filter(|lane| lane.asking == asking).collect();
        let mut parts: Vec<(String, Vec<&Lane<'_>>)> = Vec::new();
        for &lane in &lanes {
            let Some(text) = lane.words(place) else { continue };
            match parts.iter_mut().find(|(other, _)| *other == text) {
                Some((_, same)) => same.push(lane),
                None => parts.push((text, vec![lane])),
            }
        }
        let named = lanes.len() > 1 && parts.len() > 1;
        let name = |(text, same): (String, Vec<&Lane<'_>>)| {
            if named { format!("{}: {text}", names(&same, &lanes)) } else { text }
        };
        parts.into_iter().map(name).collect::<Vec<_>>().join("; ")
    }

    /// The names of what was asked, with Multipath TCP or as control.
    pub fn names(&self, asking: bool) -> String {
        let lanes: Vec<&Lane<'_>> = self.lanes.iter().filter(|lane| lane.asking == asking).collect();
        names(&lanes, &lanes)
    }

    /// Whether something that matters was first seen changed at a line.
    pub fn is_marked(&self, place: usize) -> bool {
        let Some(line) = self.lines.get(place) else { return false };
        self.lanes.iter().flat_map(|lane| &lane.marks).any(|mark| mark.matters && line.holds(mark.before))
    }
}

impl Line<'_> {
    /// Whether a hop is one of those that the line stands for.
    pub fn holds(&self, hop: u8) -> bool {
        (self.hop..=self.until).contains(&hop)
    }

    /// The number, or numbers, of the hop.
    pub fn number(&self) -> String {
        if self.until > self.hop { format!("{}–{}", self.hop, self.until) } else { self.hop.to_string() }
    }
}

impl Lane<'_> {
    /// What came of it at a line: changes that were first seen there, else what answered.
    pub fn words(&self, place: usize) -> Option<String> {
        let row = (*self.cells.get(place)?)?;
        let fresh: Vec<&str> =
            self.marks.iter().filter(|mark| mark.before == row.hop).map(|mark| mark.words.as_str()).collect();
        let answer = words::answer(row);
        Some(match (fresh.is_empty(), row.answer) {
            (true, HopAnswer::TimeExceeded) if row.changes.is_some_and(|changes| changes > 0) => {
                let known = self.marks.iter().any(|mark| mark.before < row.hop);
                if known { "the same".to_owned() } else { answer.to_owned() }
            }
            (true, _) => answer.to_owned(),
            (false, HopAnswer::TimeExceeded | HopAnswer::Silent) => fresh.join(", "),
            (false, _) => format!("{}; {answer}", fresh.join(", ")),
        })
    }
}

/// Names of some of all lanes: where all flows of a kind of probe are among them, its name alone.
fn names(some: &[&Lane<'_>], all: &[&Lane<'_>]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for lane in some {
        let flows = |lanes: &[&Lane<'_>]| lanes.iter().filter(|other| other.asks == lane.asks).count();
        let name = if flows(some) == flows(all) { words::asks(lane.asks) } else { &lane.name };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.join(", ")
}

/// Whether a probe asks with something that boxes may take offence at. An option that nobody knows is a control run, too.
fn is_asking(asks: Asks) -> bool {
    !matches!(asks, Asks::Plain | Asks::Canary)
}

/// The rows of a hop that say more come first.
fn rank(row: &Hop) -> (bool, bool, QuoteKind, u32) {
    let quote = row.quote.unwrap_or(QuoteKind::Short);
    (row.answer == HopAnswer::Silent, row.rtt.is_none(), quote, row.round)
}

/// Whether somebody speaks as the target.
fn is_final(row: &Hop) -> bool {
    matches!(row.answer, HopAnswer::SynAck | HopAnswer::Reset | HopAnswer::Ack | HopAnswer::Unreachable)
}

/// The first hop limit at which somebody answered for the target.
fn answered<'a>(rows: impl Iterator<Item = &'a Hop>) -> Option<u8> {
    rows.filter(|row| is_final(row)).map(|row| row.hop).min()
}

/// The last hop limit with an answer, and one more that shows the silence.
fn heard<'a>(rows: impl Iterator<Item = &'a Hop> + Clone) -> Option<u8> {
    let heard = rows.clone().filter(|row| row.answer != HopAnswer::Silent).map(|row| row.hop).max();
    let probed = rows.map(|row| row.hop).max()?;
    Some(heard.unwrap_or(0).saturating_add(1).min(probed))
}

fn line<'a>(concluded: &'a Concluded, hop: u8, lookups: &'a Lookups) -> Line<'a> {
    let rows = || concluded.hops.iter().filter(|row| row.hop == hop);
    let mut seen = BTreeSet::new();
    let addrs: Vec<IpAddr> =
        rows().filter_map(|row| row.from_addr).filter(|addr| seen.insert(*addr)).collect();
    let first = addrs.first().copied();
    Line {
        hop,
        until: hop,
        name: first.and_then(|addr| lookups.name(addr)),
        operator: first.and_then(|addr| lookups.operator(addr)),
        rtt: rows().filter_map(|row| row.rtt).reduce(f64::min),
        quote: rows().filter_map(|row| row.quote).min(),
        is_end: rows().any(is_final),
        mpls: rows().find_map(|row| row.mpls.as_deref()),
        addrs,
    }
}

fn marks(concluded: &Concluded, asks: Asks, flow: u32) -> Vec<Mark> {
    let rows = concluded.modifications.iter();
    let own = rows.filter(|row| (row.probe, row.flow, row.direction) == (asks, flow, Direction::Forward));
    let mut marks: Vec<Mark> = own
        .filter_map(|row| {
            Some(Mark {
                after: row.after_hop.unwrap_or(0),
                before: row.before_hop?,
                words: words::change(row),
                matters: words::matters(row),
                confirmed: row.confirmed,
            })
        })
        .collect();
    marks.extend(done(&concluded.target, asks));
    marks.sort_by_key(|mark| (mark.before, !mark.matters));
    marks
}

/// What a box does that no quote can show: it lets nothing pass, or answers itself.
fn done(target: &Traced, asks: Asks) -> Option<Mark> {
    let asking = words::asks_mptcp(asks) || asks == Asks::Custom;
    let words = match target.behaviour? {
        Behaviour::Drop if asking => "dropped",
        Behaviour::Reset if asking => "reset by a box",
        Behaviour::Mirror if asking => "mirrored by a box",
        Behaviour::Proxy if asks != Asks::Data => "a box answers",
        _ => return None,
    };
    (target.direction != Some(Direction::Return)).then_some(())?;
    Some(Mark {
        after: target.after_hop?,
        before: target.before_hop?,
        words: words.to_owned(),
        matters: true,
        confirmed: target.confidence == Confidence::High,
    })
}

/// Changes of the answers, each once.
fn back(rows: &[Modification]) -> Vec<String> {
    let mut texts = Vec::new();
    for row in rows.iter().filter(|row| row.direction == Direction::Return) {
        let text = format!("{} of {}: {}", words::change(row), words::asks(row.probe), row.reason);
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::super::testing::{hop, stripped};
    use super::*;

    #[test]
    fn a_stripped_option_stands_at_its_hop() {
        let concluded = stripped();
        let lookups = Lookups::default();
        let path = Path::of(&concluded, &lookups);
        assert_eq!(path.lines.iter().map(Line::number).collect::<Vec<_>>(), ["1", "2", "3", "4"]);
        assert_eq!(path.lanes.iter().map(|lane| lane.name.as_str()).collect::<Vec<_>>(), ["v1", "plain"]);
        let with: Vec<_> = (0..4).map(|place| path.words(place, true)).collect();
        assert_eq!(with, ["as sent", "MPTCP option padded over", "the same", "SYN/ACK without MPTCP"]);
        let plain: Vec<_> = (0..4).map(|place| path.words(place, false)).collect();
        assert_eq!(plain, ["as sent", "as sent", "as sent", "SYN/ACK"]);
        assert!(path.is_marked(1) && !path.is_marked(2));
        assert!(path.lines[3].is_end);
    }

    #[test]
    fn silence_is_folded() {
        let mut concluded = stripped();
        concluded.modifications.clear();
        concluded.hops = (1..=9)
            .map(|number| {
                let answer = match number {
                    1 => HopAnswer::TimeExceeded,
                    9 => HopAnswer::SynAck,
                    _ => HopAnswer::Silent,
                };
                hop(Asks::Plain, number, answer)
            })
            .chain([
                hop(Asks::V1, 1, HopAnswer::TimeExceeded),
                hop(Asks::V1, 2, HopAnswer::Silent),
                hop(Asks::V1, 3, HopAnswer::Silent),
            ])
            .collect();
        let lookups = Lookups::default();
        let path = Path::of(&concluded, &lookups);
        assert_eq!(path.lines.iter().map(Line::number).collect::<Vec<_>>(), ["1", "2–8", "9"]);
        assert_eq!((path.words(1, true), path.words(2, true)), ("no answer".to_owned(), String::new()));
        assert_eq!((path.lanes[0].end, path.lanes[1].end), (9, 9));
        // Flows that fare alike are one.
        let second: Vec<Hop> = concluded.hops.iter().cloned().map(|row| Hop { flow: 1, ..row }).collect();
        concluded.hops.extend(second);
        let path = Path::of(&concluded, &lookups);
        assert_eq!(
            (path.lanes.len(), path.lanes[1].name.as_str(), path.names(true).as_str()),
            (4, "v1 · 2", "v1")
        );
        concluded.hops.retain(|row| row.flow == 0);
        // Where nobody answers for the target, the path ends behind the last router.
        concluded.hops.retain(|row| row.probe == Asks::V1);
        let path = Path::of(&concluded, &lookups);
        assert_eq!(path.lines.iter().map(Line::number).collect::<Vec<_>>(), ["1", "2"]);
    }
}
