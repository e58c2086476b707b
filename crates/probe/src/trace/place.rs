//! Between which hops a change was made.
//!
//! A quote shows a packet as its hop got it. So what is first seen changed at hop h was changed behind the last hop before it
//! that got it unchanged: by that hop when it sent the packet on, by the link, or by hop h when the packet came in.

use std::borrow::Cow;
use std::net::IpAddr;

use super::change::Change;
use super::compare::{Comparison, Shown};
use super::infer::explain;
use super::record::{Run, Seen, Trace};
use crate::rows::{Asks, ChangeKind, Field};

/// A change on the way to the target, and where it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// What was changed.
    pub change: Change,
    /// The last hop that got it unchanged; 0 is the sender.
    pub after: u8,
    /// Its address.
    pub after_addr: Option<IpAddr>,
    /// The first hop that got it changed.
    pub before: u8,
    /// Its address.
    pub before_addr: Option<IpAddr>,
    /// Probes that show it.
    pub times: u32,
    /// When the first of them was sent.
    pub time_ns: i64,
    /// Whether the checksum fits.
    pub checksum_fits: Option<bool>,
    /// Whether an edge of the interval rests on lengths or checksums, not on the field itself.
    pub inferred: bool,
    /// Hops between the two edges that answered, but quoted too little.
    pub unclear: u32,
}

/// One quote.
struct View<'a> {
    hop: u8,
    seen: &'a Seen,
    comparison: Cow<'a, Comparison>,
}

/// The changes that the quotes of a run show, each with its place. What a later hop got unchanged was not changed on the way: some
/// routers quote what they have already changed themselves, or what was translated back.
pub fn place(run: &Run) -> Vec<Placed> {
    let quotes = run.seen().filter_map(|(hop, seen)| Some((hop, seen, &seen.quote.as_ref()?.comparison)));
    let mut views: Vec<View<'_>> = quotes
        .map(|(hop, seen, comparison)| View { hop, seen, comparison: Cow::Borrowed(comparison) })
        .collect();
    // Where no quote reaches the options, the rest of it may tell.
    if run.mptcp && !views.iter().any(|view| view.comparison.changes.iter().any(Change::is_mptcp)) {
        for view in &mut views {
            if let Some(change) = explain(&view.seen.sent, &view.comparison) {
                let comparison = view.comparison.to_mut();
                comparison.changes.push(change);
                comparison.explained = true;
            }
        }
    }
    let mut placed = Vec::new();
    let mut known: Vec<&Change> = Vec::new();
    for view in &views {
        for change in &view.comparison.changes {
            if !known.iter().any(|other| other.same_place(change)) {
                known.push(change);
                follow(&views, change, &mut placed);
            }
        }
    }
    drop_consequences(&mut placed);
    placed.sort_by_key(|place| (place.before, place.change.field as u8));
    placed
}

/// Whether other runs that ask the same, of this flow or of all, show behind the place that nothing was changed: they took another
/// branch, or the box does it now and then.
pub(super) fn is_contradicted(trace: &Trace, asks: Asks, flow: Option<u32>, place: &Placed) -> bool {
    let runs = trace.asking(asks).filter(|run| flow.is_none_or(|flow| flow == run.flow));
    runs.flat_map(Run::seen).any(|(hop, seen)| {
        let comparison = seen.quote.as_ref().map(|quote| &quote.comparison);
        let unchanged = |quote: &Comparison| quote.shows(&seen.sent, &place.change) == Shown::Unchanged;
        hop >= place.before && comparison.is_some_and(unchanged)
    })
}

/// Follows one field from hop to hop.
fn follow(views: &[View<'_>], first: &Change, placed: &mut Vec<Placed>) {
    // The quote that shows the change best tells lengths and checksums of it.
    let best = views
        .iter()
        .filter(|view| view.comparison.changes.iter().any(|change| change.same_place(first)))
        .max_by_key(|view| (view.comparison.checksum_fits == Some(true), view.comparison.quoted));
    let Some(best) = best else { return };
    let shown = |view: &View<'_>| {
        let direct = view.comparison.shows(&view.seen.sent, first);
        if direct != Shown::Unknown {
            return (direct, view.comparison.explained && first.is_mptcp());
        }
        let change = best.comparison.changes.iter().find(|change| change.same_place(first));
        let inferred =
            change.map_or(Shown::Unknown, |change| view.comparison.witnesses(change, &best.comparison));
        (inferred, inferred != Shown::Unknown)
    };
    let unchanged = views.iter().rev().find(|view| shown(view).0 == Shown::Unchanged);
    let mut after =
        unchanged.map_or((0, None, false), |view| (view.hop, Some(view.seen.from), shown(view).1));
    // A hop that shows it both ways lies on two branches, or in a moment of change.
    let behind: Vec<&View<'_>> = views.iter().filter(|view| view.hop > after.0).collect();
    let mut at = 0;
    let mut current: Option<Change> = None;
    while let Some(view) = behind.get(at) {
        let (state, inferred) = shown(view);
        if state != Shown::Changed {
            at += 1;
            continue;
        }
        let own = view.comparison.changes.iter().find(|change| change.same_place(first));
        let change = match (own, &current) {
            // Seen by its consequences only: it is what is seen later.
            (None, None) => best.comparison.changes.iter().find(|change| change.same_place(first)),
            (own, _) => own,
        };
        if let Some(change) = change {
            let again = current.as_ref().is_some_and(|current| current.same(change));
            if again {
                if let Some(last) = placed.last_mut() {
                    last.times += 1;
                    last.checksum_fits = last.checksum_fits.or(view.comparison.checksum_fits);
                }
            } else {
                let unclear = behind
                    .iter()
                    .filter(|other| {
                        other.hop > after.0 && other.hop < view.hop && shown(other).0 == Shown::Unknown
                    })
                    .count();
                placed.push(Placed {
                    change: change.clone(),
                    after: after.0,
                    after_addr: after.1,
                    before: view.hop,
                    before_addr: Some(view.seen.from),
                    times: 1,
                    time_ns: view.seen.sent_ns,
                    checksum_fits: view.comparison.checksum_fits,
                    inferred: inferred || after.2,
                    unclear: unclear as u32,
                });
                current = Some(change.clone());
            }
            after = (view.hop, Some(view.seen.from), false);
        } else if let Some(last) = placed.last_mut() {
            last.times += 1;
        }
        at += 1;
    }
}

/// Lengths and checksums that only follow from what was done to options need no row of their own.
fn drop_consequences(placed: &mut Vec<Placed>) {
    let options: Vec<(u8, u8, ChangeKind)> = placed
        .iter()
        .filter(|place| place.change.option.is_some() || place.change.field == Field::Payload)
        .map(|place| (place.after, place.before, place.change.kind))
        .collect();
    placed.retain(|place| {
        let resizes = |kind: ChangeKind| !matches!(kind, ChangeKind::Padded | ChangeKind::Moved);
        let within =
            |&&(after, before, _): &&(u8, u8, ChangeKind)| place.before > after && place.after < before;
        match place.change.field {
            Field::TcpHeaderLength | Field::IpLength | Field::Padding => {
                !options.iter().any(|other| within(&other) && resizes(other.2))
            }
            Field::Checksum if place.change.kind == ChangeKind::Changed => {
                !options.iter().any(|other| within(&other))
            }
            _ => true,
        }
    });
}
