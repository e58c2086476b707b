//! Connections over time: a bar each while they are few, counted in bins when they are many.

use super::collect::Collected;
use crate::figure::{Axis, Colour, Figure, Gantt, Lines, Span, Unit};
use crate::page::Section;
use crate::text::{bytes, counted, seconds};
use std::collections::BTreeMap;
use subflow_analysis::rows::{Connection, State, Subflow};

/// Connections and subflows that have bars of their own.
const FEW: usize = 40;
/// Connections that have a bar each.
const MANY: usize = 150;
/// Bins over the whole time.
const BINS: usize = 240;

pub(super) fn section(rows: &Collected) -> Section {
    let section = Section::new("timeline", "Timeline");
    if rows.spans.is_empty() {
        return section.empty("There is no MPTCP connection to show over time.");
    }
    let figure = if rows.connections.len() < rows.spans.len() || rows.connections.len() > MANY {
        binned(rows)
    } else if rows.subflows.len() <= FEW {
        with_subflows(rows)
    } else {
        of_connections(rows)
    };
    section.figures([figure])
}

/// Milliseconds since 1970, as pages count time.
fn millis(ns: i64) -> f64 {
    ns as f64 / 1e6
}

fn time() -> Axis {
    Axis::new("time (UTC)", Unit::Time)
}

/// So short that nothing would be seen is drawn as long as the smallest part of the whole that can be seen.
fn visible(spans: &[(i64, i64)]) -> f64 {
    let first = spans.first().map_or(0, |span| span.0);
    let last = spans.iter().map(|span| span.1).max().unwrap_or(first);
    millis(last - first).max(1.0) / 400.0
}

fn label(row: &Connection) -> String {
    format!("#{}", row.connection_id)
}

fn of_connections(rows: &Collected) -> Figure {
    let shortest = visible(&rows.spans);
    let kinds: [(&str, Colour, fn(&Connection) -> bool); 4] = [
        ("one subflow", Colour::Subflow(0), |row| row.subflows_established == 1 && !fell(row)),
        ("two or more", Colour::Subflow(2), |row| row.subflows_established > 1 && !fell(row)),
        ("fell back", Colour::Subflow(1), fell),
        ("not established", Colour::Muted, |row| row.subflows_established == 0 && !fell(row)),
    ];
    let mut gantt = Gantt::new("timeline-figure", "Connections over time", time(), 6.0);
    for (name, colour, is) in kinds {
        let spans: Vec<Span> =
            rows.connections.iter().filter(|row| is(row)).map(|row| span(row, shortest)).collect();
        if !spans.is_empty() {
            gantt = gantt.series(name, colour, &spans);
        }
    }
    let count = rows.connections.len();
    gantt
        .figure()
        .definition("A bar a connection, from its first packet to its last. Drag over a part to see it larger, double-click to go back.")
        .over("connections", u64::try_from(count).unwrap_or(u64::MAX))
        .height(90 + 9 * u32::try_from(count).unwrap_or(150).max(12))
}

fn fell(row: &Connection) -> bool {
    row.fallback != subflow_analysis::rows::Fallback::None
}

fn span(row: &Connection, shortest: f64) -> Span {
    let from = millis(row.start.0);
    Span {
        row: label(row),
        from,
        to: from + (row.duration * 1e3).max(shortest),
        text: format!(
            "connection {}<br>{}, {}<br>{} of {} established",
            row.connection_id,
            seconds(row.duration),
            bytes(row.bytes_c2s + row.bytes_s2c),
            row.subflows_established,
            counted(u64::from(row.subflows_attempted), "subflow")
        ),
    }
}

fn with_subflows(rows: &Collected) -> Figure {
    let shortest = visible(&rows.spans);
    let mut by_id: BTreeMap<u32, Vec<Span>> = BTreeMap::new();
    let mut failed = Vec::new();
    for row in &rows.subflows {
        let span = subflow_span(row, shortest);
        if matches!(row.state, State::Established | State::Midstream) {
            by_id.entry(row.subflow_id).or_default().push(span);
        } else {
            failed.push(span);
        }
    }
    let mut gantt = Gantt::new("timeline-figure", "Connections and their subflows over time", time(), 10.0);
    for (id, spans) in &by_id {
        gantt = gantt.series(&format!("subflow {id}"), Colour::Subflow(*id), spans);
    }
    if !failed.is_empty() {
        gantt = gantt.series("not established", Colour::Muted, &failed);
    }
    let count = rows.subflows.len();
    gantt
        .figure()
        .definition("A bar a subflow, from its first packet to its last; c.s names connection and subflow. Drag over a part to see it larger, double-click to go back.")
        .over("subflows", u64::try_from(count).unwrap_or(u64::MAX))
        .height(120 + 20 * u32::try_from(count).unwrap_or(40))
}

fn subflow_span(row: &Subflow, shortest: f64) -> Span {
    let from = millis(row.start.0);
    Span {
        row: format!("{}.{}", row.connection_id, row.subflow_id),
        from,
        to: from + (row.duration * 1e3).max(shortest),
        text: format!(
            "connection {}, subflow {} ({})<br>{} → {}<br>{}, {} payload",
            row.connection_id,
            row.subflow_id,
            row.state,
            row.src_addr,
            row.dst_addr,
            seconds(row.duration),
            bytes(row.bytes_c2s + row.bytes_s2c)
        ),
    }
}

/// How many were open, and how many began, in each bin.
fn binned(rows: &Collected) -> Figure {
    let first = rows.spans.first().map_or(0, |span| span.0);
    let last = rows.spans.iter().map(|span| span.1).max().unwrap_or(first);
    let width = ((last - first) / BINS as i64).max(1);
    let bin = |ns: i64| usize::try_from((ns - first) / width).unwrap_or(0).min(BINS - 1);
    let (mut begun, mut change) = (vec![0.0; BINS], vec![0.0; BINS + 1]);
    for &(start, end) in &rows.spans {
        let (from, to) = (bin(start), bin(end));
        if let Some(count) = begun.get_mut(from) {
            *count += 1.0;
        }
        if let Some(count) = change.get_mut(from) {
            *count += 1.0;
        }
        if let Some(count) = change.get_mut(to + 1) {
            *count -= 1.0;
        }
    }
    let mut now = 0.0;
    let open: Vec<f64> = change
        .iter()
        .take(BINS)
        .map(|change| {
            now += change;
            now
        })
        .collect();
    let times: Vec<f64> = (0..BINS).map(|index| millis(first + width * index as i64)).collect();
    Lines::new("timeline-figure", "Connections over time", time(), Axis::new("connections", Unit::Count))
        .steps()
        .line("open", Colour::Subflow(0), &times, &open)
        .line("begun", Colour::Subflow(1), &times, &begun)
        .figure()
        .definition(&format!(
            "Connections that were open at some time in a bin, and those that began in it. A bin is {} long. Drag over \
             a part to see it larger, double-click to go back.",
            seconds(width as f64 / 1e9)
        ))
        .over("connections", u64::try_from(rows.spans.len()).unwrap_or(u64::MAX))
        .height(340)
        .wide()
        .zoom()
}
