//! Packets that were dropped, lost and marked.

use super::compare::{Measure, by_load};
use super::data::{Data, RunData};
use super::measure::{ratio, sum};
use crate::figure::{Figure, Unit};
use crate::page::Section;

pub(super) fn section(data: &Data<'_>) -> Option<Section> {
    let total = |of: fn(&RunData<'_>) -> u64| data.runs.iter().map(of).sum::<u64>();
    if total(|run| run.row.packets) == 0 {
        return None;
    }
    let share = |id, title, axis, definition| Measure { id, title, axis, unit: Unit::Share, definition };
    let figures: [Figure; 4] = [
        by_load(
            data,
            &share(
                "dropped",
                "Dropped packets",
                "of the packets sent",
                "Packets that found the queue full, as a share of all packets sent, ACKs included; mean over seeds.",
            ),
            |run| ratio(run.row.dropped, run.row.packets),
        ),
        by_load(
            data,
            &share(
                "marked",
                "Marked packets",
                "of the data packets sent",
                "Data packets that arrived with an ECN mark, as a share of the data packets sent; mean over seeds.",
            ),
            |run| ratio(sum(run, |flow| flow.marked), sum(run, |flow| flow.packets)),
        ),
        by_load(
            data,
            &share(
                "lost",
                "Packets lost at random or to failed links",
                "of the packets sent",
                "Packets lost on the line or because the link was down, as a share of all packets sent; mean over seeds.",
            ),
            |run| ratio(run.row.lost + run.row.failed, run.row.packets),
        ),
        by_load(
            data,
            &share(
                "retransmitted",
                "Retransmitted packets",
                "of the data packets sent",
                "Data packets that repeat payload on the same subflow, as a share of the data packets sent; mean over seeds.",
            ),
            |run| ratio(sum(run, |flow| flow.retransmits), sum(run, |flow| flow.packets)),
        ),
    ];
    let nothing: Vec<String> = [
        ("dropped for a full queue", total(|run| run.row.dropped)),
        ("lost at random", total(|run| run.row.lost)),
        ("lost to a failed link", total(|run| run.row.failed)),
        ("marked", total(|run| run.row.marked)),
    ]
    .into_iter()
    .filter(|(_, count)| *count == 0)
    .map(|(what, _)| what.to_owned())
    .collect();
    let section = Section::new("losses", "Drops and marks");
    let section = match &nothing[..] {
        [] => section,
        nothing => section.text(format!("In no run was a packet {}.", super::words::either(nothing))),
    };
    Some(section.figures(figures))
}
