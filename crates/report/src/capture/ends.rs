//! What happened to connections: handovers, fallbacks, ends.

use crate::figure::{Axis, Bars, Colour, Unit};
use crate::page::{Cell, Column, Section, Table};
use crate::text::{counted, grouped};
use subflow_analysis::rows::Fallback;
use subflow_analysis::summary::Summary;

pub(super) fn section(summary: &Summary) -> Section {
    let mut section = Section::new("ends", "Handovers, fallbacks, closes");
    if summary.connections == 0 {
        return section.empty("There is no MPTCP connection in this capture.");
    }
    section = if summary.handovers == 0 {
        section.empty("No handover: no subflow that carried data died with new data going on elsewhere.")
    } else {
        section.text(format!(
            "{} in {}: a subflow that carried data and was never closed by FIN was heard from for the last time, and \
             new data went on on another.",
            counted(summary.handovers, "handover"),
            counted(summary.with_handover, "connection")
        ))
    };
    let table = fallbacks(summary);
    section = if table.is_empty() {
        section.empty("No connection fell back to plain TCP.")
    } else {
        section.table(table)
    };
    let closes: u64 = summary.closes.values().sum();
    let height = 110 + 32 * u32::try_from(summary.closes.len()).unwrap_or(10);
    let figure = Bars::lying(
        "closes",
        "How connections ended",
        Axis::new("connections", Unit::Count),
        Axis::new("", Unit::Name),
    )
    .series(
        "connections",
        Colour::Subflow(0),
        summary.closes.iter().map(|(close, &count)| (in_words(close.as_str()), count as f64)),
    )
    .figure()
    .definition(
        "DATA_FIN closes a connection in order, MP_FASTCLOSE aborts it; without either, subflows were reset, closed by \
         FIN alone, fell silent for longer than the idle limit, or the capture ended first.",
    )
    .over("established MPTCP connections", closes)
    .height(height)
    .wide();
    section = section.figures([figure]);
    if summary.events.is_empty() {
        return section;
    }
    let mut table = Table::new("events", "Events", [Column::text("kind"), Column::number("events")])
        .definition(
            "As in the table events: what is worth telling about single connections, their ends included.",
        );
    for (kind, &count) in &summary.events {
        table.push([Cell::text(kind.as_str()), Cell::count(count)]);
    }
    section.table(table)
}

fn in_words(close: &str) -> String {
    match close {
        "data_fin" => "DATA_FIN",
        "fastclose" => "MP_FASTCLOSE",
        "reset" => "reset",
        "fin" => "FIN of TCP only",
        "timeout" => "fell silent",
        "open" => "still open",
        other => other,
    }
    .to_owned()
}

fn fallbacks(summary: &Summary) -> Table {
    let fell: u64 = summary.fallen.counts().map(|(.., count)| count).sum();
    let mut table = Table::new(
        "fallbacks",
        "Fallbacks to plain TCP by place, service and direction",
        [
            Column::text("place"),
            Column::text("service"),
            Column::text("direction"),
            Column::number("connections"),
            Column::text("meaning"),
        ],
    )
    .definition(&format!(
        "The direction is that of the packet in which it showed. {} of {} fell back.",
        grouped(fell),
        counted(summary.connections, "connection")
    ));
    for (place, service, direction, count) in summary.fallen.counts() {
        table.push([
            Cell::text(place.as_str()),
            Cell::text(service),
            direction.map_or_else(Cell::unknown, |direction| Cell::text(direction.as_str())),
            Cell::count(count),
            Cell::text(meaning(place)),
        ]);
    }
    table
}

fn meaning(place: Fallback) -> &'static str {
    match place {
        Fallback::None => "",
        Fallback::Syn => "the SYN was repeated without MP_CAPABLE and then answered",
        Fallback::SynAck => "MP_CAPABLE in the SYN, none that could be used in the SYN/ACK",
        Fallback::Mirror => "the SYN/ACK returned the client's own option",
        Fallback::FirstData => "the first data came without MPTCP options",
        Fallback::Checksum => "a DSS checksum failed on the only subflow",
        Fallback::Later => "options went missing later, or an infinite mapping was sent",
    }
}
