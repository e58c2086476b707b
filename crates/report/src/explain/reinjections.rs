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
    let (frame, why) = cause(view, row, copy.first.and_then(|first| first.first_time).map(|time| time.0));
    claim = claim.proved_by(frame);
    text.push_str(&why);
    let end = row.dsn.saturating_add_unsigned(row.bytes);
    if let Some((ack, packet)) = view.covering(row.direction, end) {
        claim = claim.proved_by([packet.frame]);
        if row.useful == Some(false) {
            text.push_str(&format!(
                "It did not help: DATA_ACK {} in {} had covered these bytes.",
                super::words::grouped(ack.unsigned_abs()),
                view.short(packet)
            ));
        } else {
            text.push_str(&format!(
                "DATA_ACK {} in {} is the first to cover them, {} after the copy.",
                super::words::grouped(ack.unsigned_abs()),
                view.short(packet),
                duration((packet.time.0 - row.time.0) as f64 / 1e9)
            ));
        }
    } else {
        text.push_str("No DATA_ACK in the capture covers them.");
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
    let (frame, why) = cause(view, row, first.first.and_then(|first| first.first_time).map(|time| time.0));
    text.push_str(&why);
    if row.useful == Some(false) {
        text.push_str("They did not help: DATA_ACKs had covered them all by then.");
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

/// Why it was sent, with the frame that shows it; `sent` is when the bytes were carried first.
fn cause(view: &View<'_>, row: &Reinjection, sent: Option<i64>) -> (Option<u64>, String) {
    let Some(holder) = row.from_subflow else { return (None, String::new()) };
    let nothing = (None, String::new());
    match row.cause {
        None => nothing,
        Some(ReinjectionCause::HolderClosed) => {
            let closed = view
                .on(holder)
                .take_while(|packet| packet.time <= row.time)
                .filter(|packet| packet.flags.contains(['R', 'F']))
                .last();
            let Some(closed) = closed else { return nothing };
            let how = if closed.flags.contains('R') { "reset" } else { "closed" };
            (Some(closed.frame), format!("Subflow {holder} had been {how} in {}. ", view.short(closed)))
        }
        Some(ReinjectionCause::HolderTimeout) => {
            let repeats = view.half(holder, row.direction);
            let end = repeats.partition_point(|packet| packet.time <= row.time);
            let repeat = repeats[..end]
                .iter()
                .skip_while(|packet| sent.is_some_and(|sent| packet.time.0 < sent))
                .find(|packet| packet.retransmitted_bytes > 0);
            let Some(repeat) = repeat else { return nothing };
            let text = format!(
                "Subflow {holder} had been repeating itself {} since {} (a loss or timeout of the holder). ",
                way(row.direction),
                view.short(repeat)
            );
            (Some(repeat.frame), text)
        }
        Some(ReinjectionCause::Redundant) => (
            None,
            format!(
                "Subflow {holder} could not have been answered yet: both copies went out within one round trip, as a redundant scheduler does. "
            ),
        ),
        Some(ReinjectionCause::Opportunistic) => (
            None,
            format!(
                "Subflow {holder} was alive and had not repeated itself: sent elsewhere for being late, or to free a full window. "
            ),
        ),
    }
}
