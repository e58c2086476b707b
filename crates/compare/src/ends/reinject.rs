//! What became of reinjections, now that both ends are known.

use super::lane::Arrival;
use super::plan::{Plan, Seen};
use crate::rows::{Fate, Outcome, ReinjectionOutcome, Side};
use subflow_analysis::rows::{Connection, Direction, Reinjection};

/// Marks the packets that carry reinjections, before packets are matched.
pub(crate) fn watch(plan: &mut Plan, seen: &[Seen<'_>; 2]) {
    for lane in &mut plan.lanes {
        let side = lane.sender as usize;
        let Some(connection) = plan.matches.get(lane.match_id as usize).and_then(|one| one.connections[side])
        else {
            continue;
        };
        let Some(subflow) = lane.subflows[side] else { continue };
        for row in &seen[side].tables.reinjections {
            if (row.connection_id, row.direction, row.to_subflow) == (connection, lane.direction, subflow) {
                lane.watched.insert((row.time.0, row.frame), None);
            }
        }
    }
}

/// The outcomes, by match, direction and time.
pub(crate) fn outcomes(plan: &Plan, seen: &[Seen<'_>; 2]) -> Vec<ReinjectionOutcome> {
    let mut outcomes = Vec::new();
    for (id, one) in plan.matches.iter().enumerate() {
        let nearer = one.nearer_client.unwrap_or(Side::A);
        for (direction, sender) in [(Direction::C2s, nearer), (Direction::S2c, nearer.other())] {
            let (here, there) = (sender as usize, sender.other() as usize);
            let [Some(mine), Some(theirs)] = [
                seen[here].connection(one.connections[here]),
                seen[there].connection(one.connections[there]),
            ] else {
                continue;
            };
            // Offsets count from the first byte that each capture knows.
            let apart = apart(mine, theirs, direction);
            let of = |rows: &'_ [Reinjection], id: u64| -> Vec<Reinjection> {
                rows.iter()
                    .filter(|row| row.connection_id == id && row.direction == direction)
                    .cloned()
                    .collect()
            };
            let again = of(&seen[there].tables.reinjections, theirs.connection_id);
            for row in of(&seen[here].tables.reinjections, mine.connection_id) {
                let lane = plan.lanes.iter().find(|lane| {
                    lane.match_id == id as u64
                        && lane.direction == direction
                        && lane.subflows[here] == Some(row.to_subflow)
                });
                let fate =
                    lane.and_then(|lane| lane.watched.get(&(row.time.0, row.frame)).copied().flatten());
                let to = lane.and_then(|lane| lane.subflows[there]);
                let (outcome, useful, wasted) = judge(&row, fate, to, &again, apart);
                outcomes.push(ReinjectionOutcome {
                    match_id: id as u64,
                    direction,
                    time: row.time,
                    sender,
                    frame: row.frame,
                    dsn: row.dsn,
                    bytes: row.bytes,
                    from_subflow: row.from_subflow,
                    to_subflow: row.to_subflow,
                    outcome,
                    useful_bytes: useful,
                    wasted_bytes: wasted,
                });
            }
        }
    }
    outcomes
}

/// Offset at the sender's end minus offset at the receiver's, for the same byte.
fn apart(mine: &Connection, theirs: &Connection, direction: Direction) -> i64 {
    let first = |row: &Connection| match direction {
        Direction::C2s => row.client_first_dsn,
        Direction::S2c => row.server_first_dsn,
    };
    match (first(mine), first(theirs)) {
        (Some(mine), Some(theirs)) => theirs.0.wrapping_sub(mine.0).cast_signed(),
        _ => 0,
    }
}

/// A copy whose bytes the receiver's end lists as a reinjection came second there; the rest of it came first.
fn judge(
    row: &Reinjection,
    fate: Option<Arrival>,
    to: Option<u32>,
    again: &[Reinjection],
    apart: i64,
) -> (Outcome, Option<u64>, Option<u64>) {
    let frame = match fate {
        Some((Fate::Lost, _)) => return (Outcome::Lost, Some(0), Some(0)),
        Some((Fate::Arrived | Fate::Resegmented, frame)) if to.is_some() => frame,
        _ => return (Outcome::Unknown, None, None),
    };
    let (from, until) = (row.dsn - apart, row.dsn - apart + row.bytes.cast_signed());
    let overlap = |other: &Reinjection| {
        let end = other.dsn + other.bytes.cast_signed();
        (until.min(end) - from.max(other.dsn)).max(0).cast_unsigned()
    };
    let same =
        |other: &&Reinjection| Some(other.to_subflow) == to && frame.is_none_or(|frame| other.frame == frame);
    let wasted = again.iter().filter(same).map(overlap).sum::<u64>().min(row.bytes);
    let useful = row.bytes - wasted;
    let outcome = match (useful, wasted) {
        (_, 0) => Outcome::Useful,
        (0, _) => Outcome::Wasted,
        _ => Outcome::Partly,
    };
    (outcome, Some(useful), Some(wasted))
}
