//! Two ends of the same connections.

use super::super::sheet::Sheet;
use super::{MOST_LINES, more, paragraph, signed};
use crate::text::{counted, grouped, seconds};
use std::collections::BTreeMap;
use subflow_analysis::rows::Direction;
use subflow_compare::ends::Report;
use subflow_compare::rows::{Basis, Clock, Evidence, Match, Outcome, Path, Side};

/// The report as text, at most 100 columns wide. `names` are those of A and B.
pub(crate) fn ends(report: &Report, names: &[String; 2]) -> String {
    let sections = [
        head(report, names),
        connections(&report.matches),
        clock(&report.clock),
        paths(report),
        round_trips(&report.paths),
        changes(report),
        reinjections(report),
        remarks(report),
    ];
    let told: Vec<_> = sections.into_iter().filter(|section| !section.is_empty()).collect();
    told.join("\n")
}

fn head(report: &Report, names: &[String; 2]) -> String {
    let nearer = |side: Side| {
        let count = report.matches.iter().filter(|row| row.nearer_client == Some(side)).count();
        let known = report.matches.iter().filter(|row| row.nearer_client.is_some()).count();
        match (count, known) {
            (0, _) => "",
            (count, known) if count == known => ", nearer to the client",
            _ => ", nearer to the client of some connections",
        }
    };
    format!("A: {}{}\nB: {}{}\n", names[0], nearer(Side::A), names[1], nearer(Side::B))
}

fn connections(matches: &[Match]) -> String {
    let mut sheet = Sheet::new(
        &[
            "#",
            "A",
            "B",
            "same by",
            "NAT",
            "seq shifted",
            "subflows A",
            "B",
            "both",
            "packets A",
            "B",
            "both",
        ],
        0,
    );
    for row in matches.iter().take(MOST_LINES) {
        let id = |id: Option<u64>| id.map_or_else(|| "-".to_owned(), |id| id.to_string());
        let yes = |flag: bool| if flag { "yes" } else { "no" }.to_owned();
        sheet.row([
            row.match_id.to_string(),
            id(row.connection_a),
            id(row.connection_b),
            if row.matched_by == Evidence::None { "-".to_owned() } else { row.matched_by.to_string() },
            yes(row.translated),
            yes(row.sequence_shifted),
            grouped(row.subflows_a),
            grouped(row.subflows_b),
            grouped(row.subflows_matched),
            grouped(row.packets_a),
            grouped(row.packets_b),
            grouped(row.packets_matched),
        ]);
    }
    sheet.under("Connections, by number in A and in B") + &more(matches.len(), "matches")
}

fn clock(clock: &Clock) -> String {
    let error = || signed(clock.offset_error);
    let bounds = || format!("{} to {}", signed(clock.offset_low), signed(clock.offset_high));
    let offset = match (clock.basis, clock.offset) {
        (Basis::None, _) | (_, None) => return "Clocks\n  No packet is in both captures.\n".to_owned(),
        (Basis::Given, _) => "One clock, as --same-clock says.".to_owned(),
        (Basis::Agree, _) => format!(
            "Taken as one clock: no packet contradicts an offset of zero. Packets in both directions allow {}, so delays are \
             right within {}; --same-clock if you know that it is one, --different-clocks if you know that it is not.",
            bounds(),
            error()
        ),
        (Basis::Symmetry, Some(offset)) => format!(
            "B is {} {} A, within {}: packets in both directions allow {}. Half-way is right only if the shortest delays of \
             both directions are equal, which packets cannot tell.",
            seconds(offset.abs()),
            if offset < 0.0 { "behind" } else { "ahead of" },
            error(),
            bounds()
        ),
        (Basis::OneWay, _) => {
            "Packets of one direction only are in both captures, so the offset cannot be bounded: delays \
                               count from the shortest one."
                .to_owned()
        }
    };
    let error_ppm = clock.skew_error_ppm;
    let skew = match (clock.basis, clock.skew_ppm, error_ppm) {
        (Basis::Given, ..) => String::new(),
        (_, Some(skew), Some(error)) if skew != 0.0 => format!(
            " B runs {:.1} ppm {} than A, within {error:.1} ppm; delays are freed from that.",
            skew.abs(),
            if skew > 0.0 { "faster" } else { "slower" }
        ),
        (_, _, Some(error)) => format!(" No skew shows; it is below {error:.0} ppm."),
        _ => " There are too few packets to tell the skew.".to_owned(),
    };
    format!("Clocks\n{}", paragraph(&format!("{offset}{skew}")))
}

/// `0/1`: match and subflow.
fn place(row: &Path) -> String {
    let subflow =
        row.subflow_a.or(row.subflow_b).map_or_else(|| "-".to_owned(), |subflow| subflow.to_string());
    format!("{}/{subflow}", row.match_id)
}

fn paths(report: &Report) -> String {
    let rows = &report.paths;
    let mut sheet =
        Sheet::new(&["subflow", "way", "from", "to", "sent", "lost", "loss", "reordered", "unjudged"], 4);
    let mut delays =
        Sheet::new(&["subflow", "direction", "packets", "min", "median", "mean", "p99", "max", "jitter"], 2);
    for row in rows.iter().take(MOST_LINES) {
        sheet.row([
            place(row),
            row.direction.to_string(),
            end(row.src_addr, row.src_port),
            end(row.dst_addr, row.dst_port),
            grouped(row.packets_sent),
            grouped(row.packets_lost),
            row.loss.map_or_else(|| "-".to_owned(), |loss| format!("{:.2} %", loss * 100.0)),
            grouped(row.packets_reordered),
            grouped(row.packets_unjudged + row.packets_appeared),
        ]);
        if row.delay_min.is_some() {
            delays.row([
                place(row),
                row.direction.to_string(),
                grouped(row.packets_matched),
                signed(row.delay_min),
                signed(row.delay_median),
                signed(row.delay_mean),
                signed(row.delay_p99),
                signed(row.delay_max),
                signed(row.jitter),
            ]);
        }
    }
    let error = report.clock.offset_error.filter(|error| *error > 0.0).map_or_else(String::new, |error| {
        paragraph(&format!(
            "All delays towards B may be off by up to {0}, and those towards A by the same with the other sign.",
            seconds(error)
        ))
    });
    let paths = sheet.under("Paths between the captures, as their sender's end names them")
        + &more(rows.len(), "paths");
    let delays = delays.under("One-way delays");
    if delays.is_empty() { paths } else { format!("{paths}\n{delays}{error}") }
}

fn end(addr: std::net::IpAddr, port: u16) -> String {
    std::net::SocketAddr::new(addr, port).to_string()
}

/// What the clocks cannot blur.
fn round_trips(rows: &[Path]) -> String {
    let mut sums: BTreeMap<_, (String, [Option<f64>; 2])> = BTreeMap::new();
    for row in rows {
        let entry = sums
            .entry((row.match_id, row.subflow_a, row.subflow_b))
            .or_insert_with(|| (place(row), [None; 2]));
        entry.1[row.direction.index()] = row.delay_min;
    }
    let mut sheet = Sheet::new(&["subflow", "shortest there and back"], 1);
    for (place, mins) in sums.into_values().take(MOST_LINES) {
        if let [Some(there), Some(back)] = mins {
            sheet.row([place, signed(Some(there + back))]);
        }
    }
    sheet.under("Both ways together, which no clock can blur")
}

fn changes(report: &Report) -> String {
    let mut sheet = Sheet::new(
        &["subflow", "direction", "field", "what", "before", "after", "packets", "of", "A frame", "B frame"],
        6,
    );
    for row in report.changes.iter().take(MOST_LINES) {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        sheet.row([
            format!("{}/{}", row.match_id, row.subflow),
            row.direction.to_string(),
            row.field.clone(),
            row.change.to_string(),
            text(&row.before),
            text(&row.after),
            grouped(row.packets),
            grouped(row.of_packets),
            row.frame_a.to_string(),
            row.frame_b.to_string(),
        ]);
    }
    let found = sheet.under("What was changed on the way, with the first example");
    match (found.is_empty(), report.clock.packets_matched) {
        (true, 0) => String::new(),
        (true, matched) => format!("Nothing was changed on the way in {}.\n", counted(matched, "packet")),
        _ => found + &more(report.changes.len(), "changes"),
    }
}

fn reinjections(report: &Report) -> String {
    let mut sheet =
        Sheet::new(&["direction", "reinjections", "bytes", "useful", "wasted", "lost", "unknown"], 1);
    for direction in [Direction::C2s, Direction::S2c] {
        let rows = || report.reinjections.iter().filter(move |row| row.direction == direction);
        if rows().next().is_none() {
            continue;
        }
        let bytes = |outcome: Outcome| rows().filter(|row| row.outcome == outcome).map(|row| row.bytes).sum();
        let b = |bytes: u64| format!("{} B", grouped(bytes));
        sheet.row([
            direction.to_string(),
            grouped(u64::try_from(rows().count()).unwrap_or(u64::MAX)),
            b(rows().map(|row| row.bytes).sum()),
            b(rows().filter_map(|row| row.useful_bytes).sum()),
            b(rows().filter_map(|row| row.wasted_bytes).sum()),
            b(bytes(Outcome::Lost)),
            b(bytes(Outcome::Unknown)),
        ]);
    }
    sheet.under("Reinjections: useful where the copy was there first, or the original never came")
}

fn remarks(report: &Report) -> String {
    report.remarks.iter().map(|remark| format!("Note: {}\n", paragraph(remark).trim())).collect()
}
