//! Moves to other paths, packets out of order, timeouts.

use super::compare::{Measure, by_load};
use super::data::{Data, RunData};
use super::measure::{ratio, sum};
use super::words::{amount, whole_share};
use crate::figure::{Figure, Unit};
use crate::page::{Cell, Column, Section, Table};
use subflow_sim::rows::Flow;

/// A measure: what it is, and the parts and the whole of which it is the quotient.
type Kind = (Measure<'static>, fn(&Flow) -> u64, fn(&RunData<'_>) -> u64);

fn kinds() -> [Kind; 4] {
    let packets: fn(&RunData<'_>) -> u64 = |run| sum(run, |flow| flow.packets);
    let flows: fn(&RunData<'_>) -> u64 = |run| run.flows.len() as u64;
    let measure = |id, title, axis, unit, definition| Measure { id, title, axis, unit, definition };
    [
        (
            measure(
                "moves",
                "Moves to other paths",
                "moves per flow",
                Unit::Number,
                "How often a subflow was moved to another path (FlowBender, PLB, rerouting after a failure), per flow; mean over seeds.",
            ),
            |flow| flow.reroutes,
            flows,
        ),
        (
            measure(
                "out-of-order",
                "Packets out of order",
                "of the data packets sent",
                Unit::Share,
                "Data packets that arrived after one of the same subflow that had been sent later, as a share of the data packets sent; mean over seeds. \
                 Retransmissions are among them.",
            ),
            |flow| flow.out_of_order,
            packets,
        ),
        (
            measure(
                "timeouts",
                "Retransmission timeouts",
                "timeouts per flow",
                Unit::Number,
                "Retransmission timeouts per flow; mean over seeds.",
            ),
            |flow| flow.timeouts,
            flows,
        ),
        (
            measure(
                "reinjected",
                "Reinjected data",
                "of the data delivered",
                Unit::Share,
                "Data sent again on another subflow, as a share of the data delivered; mean over seeds.",
            ),
            |flow| flow.reinjected,
            |run| sum(run, |flow| flow.delivered),
        ),
    ]
}

pub(super) fn section(data: &Data<'_>) -> Option<Section> {
    if data.runs.iter().all(|run| run.flows.is_empty()) {
        return None;
    }
    let kinds = kinds();
    let figures: Vec<Figure> = kinds
        .iter()
        .map(|(what, part, whole)| by_load(data, what, |run| ratio(sum(run, part), whole(run))))
        .filter(|figure| !figure.is_empty())
        .collect();
    let section = Section::new("moves", "Path changes and reordering");
    if figures.is_empty() {
        return Some(
            section.empty("No subflow was moved, no packet came out of order, and no timer expired."),
        );
    }
    Some(section.figures(figures).table(table(data, &kinds).without_unknown()))
}

fn table(data: &Data<'_>, kinds: &[Kind]) -> Table {
    let columns = [Column::text("scheme"), Column::number("load"), Column::number("flows")];
    let rest = ["moves", "packets out of order", "timeouts", "reinjected bytes"].map(Column::number);
    let mut table = Table::new("moves-table", "Path changes and reordering in numbers", columns.into_iter().chain(rest))
        .definition("Sums over all seeds; in brackets per flow, or as a share of the packets sent or of the data delivered.");
    for (scheme, load) in data.cells() {
        let runs: Vec<&RunData<'_>> = data.of_cell(scheme, load).collect();
        let flows: u64 = runs.iter().map(|run| run.flows.len() as u64).sum();
        let mut cells = vec![
            Cell::text(data.schemes[scheme]),
            data.loads[load].map_or_else(Cell::unknown, |load| Cell::number(load, whole_share(load))),
            Cell::count(flows),
        ];
        cells.extend(kinds.iter().map(|(what, part, whole)| {
            let parts: u64 = runs.iter().map(|run| sum(run, part)).sum();
            let wholes: u64 = runs.iter().map(|run| whole(run)).sum();
            let count = if what.id == "reinjected" { Cell::bytes(parts) } else { Cell::count(parts) };
            match ratio(parts, wholes).filter(|_| parts > 0) {
                Some(ratio) => count.more(&format!(" ({})", amount(what.unit, ratio))),
                None => count,
            }
        }));
        table.push(cells);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::super::tables::small;
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn quotients_of_sums() {
        let tables = small();
        let data = Data::of(&tables);
        // Each flow: 3 moves, 5 of 100 packets out of order, 1 timeout, nothing reinjected.
        let values: Vec<Option<f64>> = kinds()
            .iter()
            .map(|(_, part, whole)| ratio(sum(&data.runs[0], part), whole(&data.runs[0])))
            .collect();
        assert_eq!(values, [Some(3.0), Some(0.05), Some(1.0), Some(0.0)]);
        let (what, part, whole) = &kinds()[1];
        let figure = by_load(&data, what, |run| ratio(sum(run, part), whole(run)));
        let json: Value = serde_json::from_str(&figure.to_json()).expect("JSON");
        assert_eq!(json["data"][0]["y"], json!([0.05, 0.05]));
    }
}
