//! The connection as an interactive page.

use super::One;
use super::condense::condense;
use super::lanes::Mark;
use super::list::notable;
use super::plotted::plotted;
use super::text::end;
use super::timeline::{Entry, timeline};
use crate::page::{Block, Cell, Column, Fact, Finding, Page, Section, Table, Tone};
use crate::text::{bytes, grouped, seconds};
use askama::Template;
use serde_json::json;
use subflow_analysis::rows::{Direction, Fallback, Subflow};
use subflow_rows::Time;
use subflow_store::time::Rfc3339;

/// Entries of the timeline before it is condensed.
const MOST_ENTRIES: usize = 500;
/// The page's own script.
const SCRIPT: &str = include_str!("../../assets/connection.js");

/// Where the script draws.
#[derive(Template)]
#[template(path = "connection.html")]
struct Plots;

/// The page; `capture` is the name of the input.
pub fn page(one: &One<'_>, capture: &str) -> Page {
    let entries = timeline(one);
    let (shown, left_out) = condense(&entries, MOST_ENTRIES);
    Page::new(&format!("Connection {}", one.connection.connection_id), &subtitle(one, capture))
        .section(overview(one))
        // The template holds no value, so nothing can be wrong with it.
        .section(
            Section::new("plots", "Data over time").block(Block::Markup(Plots.render().unwrap_or_default())),
        )
        .section(paths(one))
        .section(moments(one, &shown, left_out))
        .data("connection", &data(one, &shown).to_string())
        .script(SCRIPT)
}

fn subtitle(one: &One<'_>, capture: &str) -> String {
    let row = one.connection;
    let (client, server) = (end(row.client_addr, row.client_port), end(row.server_addr, row.server_port));
    format!("{client} to {server}, {capture}")
}

/// What the script plots.
fn data(one: &One<'_>, entries: &[Entry]) -> serde_json::Value {
    let subflows: Vec<_> = one
        .subflows
        .iter()
        .map(|row| {
            let (from, to) = (end(row.src_addr, row.src_port), end(row.dst_addr, row.dst_port));
            let start = one.seconds(row.start);
            json!({ "id": row.subflow_id, "name": format!("{from} to {to}"), "start": start, "end": start + row.duration })
        })
        .collect();
    let mark = |mark: Mark, time: Time, until: Time, subflow: Option<u32>| {
        let (time, until) = (one.seconds(time), one.seconds(until));
        json!({ "time": time, "until": until, "subflow": subflow, "letter": mark.letter().to_string() })
    };
    let opened = one
        .subflows
        .iter()
        .filter_map(|row| Some(mark(Mark::of_state(row.state)?, row.start, row.start, Some(row.subflow_id))));
    let others = entries
        .iter()
        .filter_map(|entry| Some(mark(Mark::of(entry.kind)?, entry.time, entry.until, entry.subflow)));
    let mut marks: Vec<_> = opened.chain(others).collect();
    marks.sort_by(|a, b| a["time"].as_f64().unwrap_or(0.0).total_cmp(&b["time"].as_f64().unwrap_or(0.0)));
    json!({
        "id": one.connection.connection_id,
        "duration": one.connection.duration,
        "subflows": subflows,
        "marks": marks,
        "directions": { "c2s": plotted(one, Direction::C2s), "s2c": plotted(one, Direction::S2c) },
    })
}

fn overview(one: &One<'_>) -> Section {
    let row = one.connection;
    let version = row.version.map_or_else(|| "unknown".to_owned(), |version| version.to_string());
    let resent = row.retransmitted_bytes_c2s + row.retransmitted_bytes_s2c;
    let reinjected = row.reinjected_bytes_c2s + row.reinjected_bytes_s2c;
    let start = Rfc3339(row.start.0).to_string();
    let start = start.get(..19).unwrap_or(&start).replace('T', " ");
    let facts = vec![
        Fact::new("Duration", seconds(row.duration), format!("from {start} UTC")),
        Fact::new(
            "Data",
            bytes(row.bytes_c2s + row.bytes_s2c),
            format!(
                "client to server {} B, server to client {} B",
                grouped(row.bytes_c2s),
                grouped(row.bytes_s2c)
            ),
        ),
        Fact::new(
            "Subflows",
            row.subflows_established.to_string(),
            format!("{} attempted, MPTCP version {version}", row.subflows_attempted),
        ),
        Fact::new(
            "Reinjected",
            bytes(reinjected),
            format!("{} sent again on the same subflow", bytes(resent)),
        ),
        Fact::new(
            "End",
            row.close.to_string(),
            if row.fallback == Fallback::None {
                "no fallback".to_owned()
            } else {
                format!("fallback: {}", row.fallback)
            },
        ),
    ];
    let section = Section::new("overview", "Overview").block(Block::Facts(facts));
    let findings: Vec<_> =
        notable(row).into_iter().map(|words| Finding { tone: Tone::Plain, words }).collect();
    if findings.is_empty() { section } else { section.block(Block::Findings(findings)) }
}

fn paths(one: &One<'_>) -> Section {
    let columns = [
        Column::number("subflow"),
        Column::text("opened by"),
        Column::text("from"),
        Column::text("to"),
        Column::text("state"),
        Column::text("backup"),
        Column::number("start"),
        Column::number("duration"),
        Column::number("bytes c2s"),
        Column::number("bytes s2c"),
        Column::number("resent"),
        Column::number("reinjected here"),
        Column::number("mean RTT c2s"),
        Column::number("mean RTT s2c"),
    ];
    let mut table = Table::new("paths", "Paths", columns).definition(
        "Bytes are payload on the wire. Round-trip times run from data to the acknowledgement that covers it, as seen at the \
         capture point: c2s is the way to the server and back.",
    );
    for row in one.subflows {
        table.push(path(one, row));
    }
    Section::new("paths-section", "Paths").table(table)
}

fn path(one: &One<'_>, row: &Subflow) -> Vec<Cell> {
    let backup = match (row.backup, row.backup_at_end) {
        (false, false) => "no",
        (true, true) => "yes",
        (true, false) => "at first",
        (false, true) => "in the end",
    };
    vec![
        Cell::count(u64::from(row.subflow_id)),
        Cell::text(row.opener.as_str()),
        Cell::text(end(row.src_addr, row.src_port)),
        Cell::text(end(row.dst_addr, row.dst_port)),
        Cell::text(row.state.as_str()),
        Cell::text(backup),
        Cell::seconds(Some(one.seconds(row.start))),
        Cell::seconds(Some(row.duration)),
        Cell::bytes(row.bytes_c2s),
        Cell::bytes(row.bytes_s2c),
        Cell::bytes(row.retransmitted_bytes_c2s + row.retransmitted_bytes_s2c),
        Cell::bytes(row.reinjected_bytes_c2s + row.reinjected_bytes_s2c),
        Cell::seconds(row.rtt_mean_c2s),
        Cell::seconds(row.rtt_mean_s2c),
    ]
}

/// The timeline; a click on a row shows its place in the plots.
fn moments(one: &One<'_>, entries: &[Entry], left_out: Option<(usize, u64)>) -> Section {
    let columns = [
        Column::number("time in s"),
        Column::number("until"),
        Column::text("frames"),
        Column::text("subflow"),
        Column::text("who"),
        Column::text("what"),
    ];
    let mut words = "Choose a row to see its place in the plots.".to_owned();
    if let Some((_, count)) = left_out {
        words.push_str(&format!(
            " {} entries in the middle are left out: the table has no room for all.",
            grouped(count)
        ));
    }
    let mut table = Table::new("timeline", "Timeline", columns).definition(&words);
    for entry in entries {
        let time = |time| {
            let seconds = one.seconds(time);
            Cell::new(format!("{seconds:.6}"), seconds.to_string())
        };
        let until = if entry.until > entry.time { time(entry.until) } else { Cell::new("", "") };
        let frames = match entry.frames {
            None => Cell::unknown(),
            Some((first, last)) if first == last => Cell::text(first.to_string()),
            Some((first, last)) => Cell::text(format!("{first}–{last}")),
        };
        table.push([
            time(entry.time),
            until,
            frames,
            entry.subflow.map_or_else(Cell::unknown, |id| Cell::text(id.to_string())),
            entry.direction.map_or_else(Cell::unknown, |direction| Cell::text(direction.as_str())),
            Cell::text(entry.text()),
        ]);
    }
    Section::new("timeline-section", "Timeline").table(table)
}
