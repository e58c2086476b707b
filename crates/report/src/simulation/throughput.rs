//! Throughput of flows that last as long as the run, against the number of subflows and max-min fairness.

use super::compare::{colour, csv_line, hover};
use super::data::{Data, RunData};
use super::measure::over_seeds;
use super::series::ranked;
use super::words::{estimate, whole, whole_share};
use crate::figure::{Axis, Bars, Colour, Figure, Lines, Unit};
use crate::page::{Cell, Choice, Column, Section, Table};
use serde_json::json;
use subflow_sim::statistics::{Interval, mean};

/// What is known of a scheme at a load.
struct Row {
    cell: (usize, usize),
    subflows: Option<f64>,
    utilisation: Interval,
    max_min: Option<Interval>,
    share: Option<Interval>,
}

/// Whether runs have flows that last as long as they do.
pub(super) fn endless(data: &Data<'_>) -> bool {
    data.runs.iter().any(|run| run.row.max_min.is_some() || run.flows.iter().any(|flow| flow.size.is_none()))
}

pub(super) fn section(data: &Data<'_>) -> Option<Section> {
    if !endless(data) {
        return None;
    }
    let rows = rows(data);
    let mut choice = Choice::new("load");
    for load in 0..data.loads.len() {
        let name = data.load_name(load);
        choice = choice
            .option(name.trim_start_matches("load "), [figure(data, load, &rows), of_flows(data, load)]);
    }
    let section = Section::new("throughput", "Throughput");
    (!choice.is_empty()).then(|| section.choice(choice).table(table(data, &rows).without_unknown()))
}

/// Subflows that a flow has established on average.
fn subflows(data: &Data<'_>, (scheme, load): (usize, usize)) -> Option<f64> {
    let flows = data.of_cell(scheme, load).flat_map(|run| &run.flows);
    mean(&flows.map(|flow| f64::from(flow.subflows)).collect::<Vec<_>>())
}

fn rows(data: &Data<'_>) -> Vec<Row> {
    let row = |cell| {
        let share = |run: &RunData<'_>| {
            Some(run.row.utilisation? / run.row.max_min.filter(|max_min| *max_min > 0.0)?)
        };
        Some(Row {
            cell,
            subflows: subflows(data, cell),
            utilisation: over_seeds(data, cell, |run| run.row.utilisation)?,
            max_min: over_seeds(data, cell, |run| run.row.max_min),
            share: over_seeds(data, cell, share),
        })
    };
    let mut rows: Vec<Row> = data.cells().filter_map(row).collect();
    // Stable: schemes with as many subflows stay in their order.
    rows.sort_by(|a, b| a.subflows.unwrap_or(0.0).total_cmp(&b.subflows.unwrap_or(0.0)));
    rows
}

/// `8 (mptcp-8)`; the scheme alone where all have as many subflows.
fn label(data: &Data<'_>, row: &Row, several: bool) -> String {
    let scheme = data.schemes[row.cell.0];
    match row.subflows.filter(|_| several) {
        Some(subflows) => format!("{} ({scheme})", whole(subflows)),
        None => scheme.to_owned(),
    }
}

fn figure(data: &Data<'_>, load: usize, rows: &[Row]) -> Figure {
    let rows: Vec<&Row> = rows.iter().filter(|row| row.cell.1 == load).collect();
    let several = rows.windows(2).any(|pair| pair[0].subflows != pair[1].subflows);
    let labels: Vec<String> = rows.iter().map(|row| label(data, row, several)).collect();
    let bars = rows.iter().zip(&labels).map(|(row, label)| {
        let hover = hover(data.schemes[row.cell.0], "throughput", Unit::Share, &row.utilisation);
        (label.clone(), colour(row.cell.0), row.utilisation.into(), hover)
    });
    let known = rows.iter().zip(&labels);
    let line = known.filter_map(|(row, label)| Some((label.clone(), row.max_min.as_ref()?.mean)));
    let x = Axis::new(if several { "subflows of a flow (scheme)" } else { "" }, Unit::Name);
    let y = Axis::new("of what hosts could send", Unit::Share).range(0.0, 1.0);
    let title = if several { "Throughput by number of subflows" } else { "Throughput" };
    let line_words = if rows.iter().any(|row| row.max_min.is_some()) {
        " The line is what max-min fair rates on the very paths of the subflows would give."
    } else {
        ""
    };
    Bars::upright(&format!("throughput-{load}"), title, x, y)
        .coloured_estimates("throughput", bars)
        .marks("max-min fair on the same paths", Colour::Bad, line)
        .figure()
        .definition(&format!(
            "Mean over the sending hosts of the rate of the payload that reaches the receivers, as a fraction of what the \
             host’s links and the paths behind them carry; mean over seeds.{line_words}"
        ))
        .over("runs", rows.iter().map(|row| row.utilisation.n as u64).sum())
        .csv(
            &["scheme", "subflows", "throughput", "low", "high", "seeds", "max_min"],
            rows.iter().map(|row| {
                let keys = [json!(data.schemes[row.cell.0]), json!(row.subflows)];
                let mut line = csv_line(keys, &row.utilisation);
                line.push(json!(row.max_min.as_ref().map(|interval| interval.mean)));
                line
            }),
        )
}

fn of_flows(data: &Data<'_>, load: usize) -> Figure {
    let x = Axis::new("flows, the slowest first", Unit::Share).range(0.0, 1.0);
    let y = Axis::new("throughput", Unit::BitsPerSecond);
    let mut lines = Lines::new(&format!("ranked-{load}"), "Throughput of single flows", x, y);
    let mut all = 0;
    for (scheme, name) in data.schemes.iter().enumerate() {
        let flows = data.of_cell(scheme, load).flat_map(|run| &run.flows);
        let mut rates: Vec<f64> = flows.filter_map(|flow| flow.throughput).collect();
        rates.sort_unstable_by(f64::total_cmp);
        all += rates.len() as u64;
        let (x, y): (Vec<f64>, Vec<f64>) = ranked(&rates).into_iter().unzip();
        lines = if rates.len() > 1 { lines.line(name, colour(scheme), &x, &y) } else { lines };
    }
    lines
        .figure()
        .definition("Flows of all seeds by their throughput, from the slowest at the left to the fastest. The flatter a line, the fairer.")
        .over("flows", all)
}

fn table(data: &Data<'_>, rows: &[Row]) -> Table {
    let mut table = Table::new(
        "throughput-table",
        "Throughput in numbers",
        [
            Column::text("scheme"),
            Column::number("load"),
            Column::number("subflows"),
            Column::number("throughput"),
            Column::number("max-min fair"),
            Column::number("of max-min"),
        ],
    )
    .definition("Means over seeds with 95 % intervals. Where max-min fair rates are known: “of max-min” is the mean over seeds of the quotient.");
    let shown = |interval: &Option<Interval>| {
        let cell = |interval: &Interval| Cell::number(interval.mean, estimate(Unit::Share, interval));
        interval.as_ref().map_or_else(Cell::unknown, cell)
    };
    for row in rows {
        table.push([
            Cell::text(data.schemes[row.cell.0]),
            data.loads[row.cell.1].map_or_else(Cell::unknown, |load| Cell::number(load, whole_share(load))),
            row.subflows.map_or_else(Cell::unknown, |subflows| Cell::number(subflows, whole(subflows))),
            shown(&Some(row.utilisation)),
            shown(&row.max_min),
            shown(&row.share),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::super::tables::{flow, run};
    use super::*;
    use serde_json::Value;
    use subflow_sim::rows::Tables;

    fn permutation() -> Tables {
        let mut tables = Tables::default();
        for (run_id, scheme, subflows, utilisation, max_min) in [
            (0, "mptcp", 8, 0.8, 0.9),
            (1, "tcp", 1, 0.45, 0.5),
            (2, "mptcp", 8, 0.9, 1.0),
            (3, "tcp", 1, 0.4, 0.5),
        ] {
            let mut row = run(run_id, scheme, None, 1 + u64::from(run_id) / 2);
            (row.utilisation, row.max_min) = (Some(utilisation), Some(max_min));
            tables.runs.push(row);
            for id in 0..2 {
                let mut row = flow(run_id, id, 1.0);
                (row.size, row.fct, row.slowdown, row.subflows) = (None, None, None, subflows);
                row.throughput = Some(1e6 * (id + 1) as f64);
                tables.flows.push(row);
            }
        }
        tables
    }

    #[test]
    fn fewer_subflows_come_first() {
        let tables = permutation();
        let data = Data::of(&tables);
        assert!(endless(&data) && !endless(&Data::of(&super::super::tables::small())));
        let rows = rows(&data);
        let json: Value = serde_json::from_str(&figure(&data, 0, &rows).to_json()).expect("JSON");
        assert_eq!(json["data"][0]["x"], json!(["1 (tcp)", "8 (mptcp)"]));
        assert_eq!(json["data"][1]["y"], json!([0.5, 0.95]));
        // .8/.9 and .9/1.
        let share = rows[1].share.expect("a share").mean;
        assert!((share - 0.5 * (0.8 / 0.9 + 0.9)).abs() < 1e-12);
        assert!((rows[0].utilisation.mean - 0.425).abs() < 1e-12);
    }

    #[test]
    fn flows_are_ranked() {
        let tables = permutation();
        let json: Value = serde_json::from_str(&of_flows(&Data::of(&tables), 0).to_json()).expect("JSON");
        assert_eq!(json["data"][0]["y"], json!([1e6, 1e6, 2e6, 2e6]));
    }
}
