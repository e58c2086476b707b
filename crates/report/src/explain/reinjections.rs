//! Data carried again on another subflow: which frame had carried them, why they came again, whether it helped.

use super::claim::{Claim, Subject};
use super::view::View;
use super::words::{capital, counted, duration, range, way};
use std::collections::HashMap;
use subflow_analysis::rows::{Carriage, Carried, Direction, Reinjection, ReinjectionCause};

const RULE: &str = "a reinjection: data-level bytes that another subflow had carried before (overlap of ranges, wherever they start); \
                    charged to the subflow that carried them first, every copy counts (RFC 8684, section 3.3.6)";
/// Neighbours of one kind this close in time are one group, in nanoseconds.
const CLOSE: i64 = 1_000_000_000;
/// So many make a group.
const MANY: usize = 4;

/// A reinjection with the carriage that tells what had carried it first.
struct Copy<'a> {
    row: &'a Reinjection,
    first: Option<&'a Carriage>,
}

pub(super) fn claims(view: &View<'_>, all: bool, claims: &mut Vec<Claim>) {
    let carriages: HashMap<_, &Carriage> = view
        .carriages
        .iter()
        .filter(|row| row.carried == Carried::Reinjection)
        .map(|&row| ((row.frame, row.direction, row.dsn), row))
        .collect();
    let copies: Vec<_> = view
        .reinjections
        .iter()
        .map(|&row| Copy { row, first: carriages.get(&(row.frame, row.direction, row.dsn)).copied() })
        .collect();
    for direction in [Direction::C2s, Direction::S2c] {
        let here: Vec<_> = copies.iter().filter(|copy| copy.row.direction == direction).collect();
        for group in here.chunk_by(|a, b| alike(a.row, b.row)) {
            if all || group.len() < MANY {
                claims.extend(group.iter().map(|copy| single(view, copy)));
            } else {
                claims.push(run(view, group));
            }
        }
    }
}

fn alike(a: &Reinjection, b: &Reinjection) -> bool {
    (a.from_subflow, a.to_subflow, a.cause, a.useful) == (b.from_subflow, b.to_subflow, b.cause, b.useful)
        && b.time.0 - a.time.0 <= CLOSE
}

fn single(view: &View<'_>, copy: &Copy<'_>) -> Claim {
    let row = copy.row;
    let mut claim = claim(view, row).of(1, row.bytes).proved_by([row.frame]);
    let mut text = format!(
        "{} carried data {} {}",
        capital(&view.place_of(row.frame, row.time, row.to_subflow, row.direction)),
        if row.bytes == 1 { "byte" } else { "bytes" },
        range(row.dsn, row.bytes)
    );
    match copy.first.and_then(|first| Some((first.first_frame?, first.first_time?, first.first_subflow?))) {
        Some((frame, time, subflow)) => {
            text.push_str(&format!(
                ", which frame {frame} had carried on subflow {subflow} at {}, {} before: a reinjection of {}. ",
                view.moment(time),
                duration((row.time.0 - time.0) as f64 / 1e9),
                counted(row.bytes, "byte")
            ));
            claim = claim.proved_by([frame]);
        }
        None => text.push_str(&format!(
            ", which another subflow had carried too long before to remember in which frame: a reinjection of {}. ",
            counted(row.bytes, "byte")
        )),
    }
    for (frame, words) in [cause(view, row), use_of(view, row)] {
        claim = claim.proved_by(frame);
        text.push_str(&words);
    }
    claim.say(text.trim_end())
}

fn run(view: &View<'_>, group: &[&Copy<'_>]) -> Claim {
    let (Some(first), Some(last)) = (group.first(), group.last()) else {
        return Claim::new(view.id(), Subject::Reinjections, "reinjections", RULE);
    };
    let bytes = group.iter().map(|copy| copy.row.bytes).sum();
    let low = group.iter().map(|copy| copy.row.dsn).min().unwrap_or(0);
    let high =
        group.iter().map(|copy| copy.row.dsn.saturating_add_unsigned(copy.row.bytes)).max().unwrap_or(0);
    let origin = |copy: &Copy<'_>| copy.first.and_then(|row| row.first_frame);
    let from: Vec<_> = group.iter().filter_map(|copy| origin(copy)).collect();
    let row = first.row;
    let mut text = format!(
        "{} to frame {} ({}): {} on subflow {} carried {} again, {} between data bytes {}",
        capital(&view.place_of(row.frame, row.time, row.to_subflow, row.direction)),
        last.row.frame,
        view.moment(last.row.time),
        counted(group.len() as u64, "piece"),
        row.to_subflow,
        counted(bytes, "byte"),
        if bytes == high.abs_diff(low) { "all" } else { "not all" },
        range(low, high.abs_diff(low)),
    );
    if let Some(subflow) = row.from_subflow {
        text.push_str(&format!(", which subflow {subflow} had carried"));
    }
    if let (Some(lowest), Some(highest)) = (from.iter().min(), from.iter().max()) {
        text.push_str(&format!(" in frames {lowest} to {highest}"));
    }
    let delays: Vec<f64> = group.iter().filter_map(|copy| copy.row.delay).collect();
    if let (Some(least), Some(most)) =
        (delays.iter().copied().reduce(f64::min), delays.iter().copied().reduce(f64::max))
    {
        text.push_str(&format!(", {} to {} before", duration(least), duration(most)));
    }
    text.push_str(". ");
    let (frame, why) = cause(view, row);
    text.push_str(&why);
    if row.useful == Some(false) {
        text.push_str("They did not help: the bytes had arrived without them.");
    }
    claim(view, row)
        .of(group.len() as u64, bytes)
        .proved_by([row.frame, last.row.frame])
        .proved_by(origin(first))
        .proved_by(origin(last))
        .proved_by(frame)
        .say(text.trim_end())
}

fn claim(view: &View<'_>, row: &Reinjection) -> Claim {
    Claim::new(view.id(), Subject::Reinjections, "reinjection", RULE)
        .at(row.time)
        .on(row.to_subflow)
        .towards(row.direction)
}

/// Why it was sent, with the frame that shows it.
fn cause(view: &View<'_>, row: &Reinjection) -> (Option<u64>, String) {
    let (Some(holder), Some(cause)) = (row.from_subflow, row.cause) else { return (None, String::new()) };
    let shown = row.cause_frame.and_then(|frame| view.on(holder).find(|packet| packet.frame == frame));
    let place = shown.map(|packet| view.short(packet));
    let text = match (cause, place) {
        (ReinjectionCause::HolderClosed, Some(place)) => {
            let reset = shown.is_some_and(|packet| packet.flags.contains('R'));
            let how = if reset { "reset" } else { "closed" };
            format!("Subflow {holder} had been {how} in {place}. ")
        }
        (ReinjectionCause::HolderClosed, None) => format!("Subflow {holder} had been closed. "),
        (ReinjectionCause::HolderTimeout, Some(place)) => format!(
            "Subflow {holder} had been repeating itself {} since {place}, after a silence: its retransmission timer had run out. ",
            way(row.direction)
        ),
        (ReinjectionCause::HolderTimeout, None) => format!(
            "Subflow {holder} held them unacknowledged, and had been silent for as long as a retransmission timer takes. "
        ),
        (ReinjectionCause::DataTimeout, _) => format!(
            "Subflow {holder} showed no timeout, but no DATA_ACK had moved on for as long as one takes: the timer of the data level. "
        ),
        (ReinjectionCause::HolderLoss, Some(place)) => {
            format!("Subflow {holder} showed a loss in {place} (duplicate ACKs or a fast retransmission). ")
        }
        (ReinjectionCause::HolderLoss, None) => format!("Subflow {holder} showed a loss. "),
        (ReinjectionCause::Redundant, _) => format!(
            "Subflow {holder} could not have been answered yet: both copies went out within one round trip, as a redundant scheduler does. "
        ),
        (ReinjectionCause::Opportunistic, _) => format!(
            "Subflow {holder} was alive and showed no loss: sent elsewhere for being late, or to free a full window. "
        ),
    };
    (shown.map(|packet| packet.frame), text)
}

/// Whether the copy was of use, with the frame that shows it.
fn use_of(view: &View<'_>, row: &Reinjection) -> (Option<u64>, String) {
    let end = row.dsn.saturating_add_unsigned(row.bytes);
    let Some((ack, packet)) = view.covering(row.direction, end) else {
        return (None, "No DATA_ACK in the capture covers them.".to_owned());
    };
    let (ack, place) = (super::words::grouped(ack.unsigned_abs()), view.short(packet));
    let before = packet.time < row.time || packet.time == row.time && packet.frame < row.frame;
    let first = row.from_subflow.map_or_else(|| "the first subflow".to_owned(), |id| format!("subflow {id}"));
    let text = match row.useful {
        _ if before => format!("It did not help: DATA_ACK {ack} in {place} had covered these bytes."),
        Some(false) => format!(
            "It did not help: the bytes of {first} had arrived when DATA_ACK {ack} in {place} covered them, the copy had not been acknowledged by then, or {first} had acknowledged them before."
        ),
        Some(true) => format!(
            "It helped: DATA_ACK {ack} in {place} covers them while {first} still lacks what it carried first."
        ),
        None => format!(
            "DATA_ACK {ack} in {place} is the first to cover them, {} after the copy; which of the two it was for does not show here.",
            duration((packet.time.0 - row.time.0) as f64 / 1e9)
        ),
    };
    (Some(packet.frame), text)
}
