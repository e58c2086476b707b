//! Runs and flows, a row each.

use super::data::Data;
use super::words::{number, rate, whole_share};
use crate::page::{Cell, Column, Section, Table};
use crate::text::{counted, grouped};
use subflow_sim::rows::Flow;

/// Runs that are listed.
const MOST_RUNS: usize = 1000;
/// Flows that are listed: the slowest.
const MOST_FLOWS: usize = 1000;

pub(super) fn runs(data: &Data<'_>) -> Option<Section> {
    if data.runs.is_empty() {
        return None;
    }
    let numbers = [
        "load",
        "seed",
        "flows",
        "completed",
        "delivered",
        "utilisation",
        "max-min",
        "packets",
        "hops",
        "dropped",
        "lost",
        "failed",
        "marked",
    ];
    let columns =
        [Column::number("run"), Column::text("scheme")].into_iter().chain(numbers.map(Column::number));
    let mut table = Table::new("runs-table", "Runs", columns).definition(
        "Utilisation: mean over the sending hosts of the payload rate delivered, as a fraction of their links’ rate. Packets count ACKs; a hop is a \
         packet that crosses a link. Dropped for a full queue, lost at random, failed with a link.",
    );
    if data.runs.len() > 15 {
        table = table.tall();
    }
    for run in data.runs.iter().take(MOST_RUNS) {
        let row = run.row;
        table.push([
            Cell::count(u64::from(row.run_id)),
            Cell::text(&row.scheme),
            row.load.map_or_else(Cell::unknown, |load| Cell::number(load, whole_share(load))),
            Cell::new(row.seed.to_string(), row.seed.to_string()),
            Cell::count(row.flows),
            Cell::count(row.completed),
            Cell::bytes(row.delivered),
            Cell::share(row.utilisation),
            Cell::share(row.max_min),
            Cell::count(row.packets),
            Cell::count(row.hops),
            Cell::count(row.dropped),
            Cell::count(row.lost),
            Cell::count(row.failed),
            Cell::count(row.marked),
        ]);
    }
    let section = Section::new("runs", "Runs").table(table.without_unknown());
    let more = data.runs.len().saturating_sub(MOST_RUNS);
    Some(if more > 0 {
        section.text(format!("{} in the table runs.", counted(more as u64, "more run")))
    } else {
        section
    })
}

/// The flows of all runs, the slowest first: those that were not completed, then by slowdown, then those without a size by throughput.
fn slowest<'a>(data: &Data<'a>) -> Vec<&'a Flow> {
    let mut flows: Vec<&Flow> = data.runs.iter().flat_map(|run| run.flows.iter().copied()).collect();
    let key = |flow: &Flow| match (flow.size, flow.slowdown) {
        (Some(_), None) => (0, -flow.start.abs()),
        (Some(_), Some(slowdown)) => (1, -slowdown),
        (None, _) => (2, flow.throughput.unwrap_or(0.0)),
    };
    let order = |a: &&Flow, b: &&Flow| {
        let (x, y) = (key(a), key(b));
        x.0.cmp(&y.0).then(x.1.total_cmp(&y.1)).then((a.run_id, a.flow_id).cmp(&(b.run_id, b.flow_id)))
    };
    if flows.len() > MOST_FLOWS {
        // Sweeps have millions of them.
        flows.select_nth_unstable_by(MOST_FLOWS, order);
        flows.truncate(MOST_FLOWS);
    }
    flows.sort_unstable_by(order);
    flows
}

pub(super) fn flows(data: &Data<'_>) -> Option<Section> {
    let all: usize = data.runs.iter().map(|run| run.flows.len()).sum();
    if all == 0 {
        return None;
    }
    let names = [
        ("run", true),
        ("scheme", false),
        ("load", true),
        ("flow", true),
        ("from", false),
        ("to", false),
        ("size", true),
        ("start", true),
        ("completion time", true),
        ("slowdown", true),
        ("throughput", true),
        ("subflows", true),
        ("retransmitted", true),
        ("timeouts", true),
        ("moves", true),
        ("out of order", true),
        ("marked", true),
    ];
    let columns = names.map(|(name, is)| if is { Column::number(name) } else { Column::text(name) });
    let mut table = Table::new("flows-table", "Flows, the slowest first", columns).definition(
        "First those that were not completed, then by slowdown; flows that last as long as the run by throughput. Retransmitted, out of order and marked \
         are data packets.",
    );
    if all > 15 {
        table = table.tall();
    }
    for flow in slowest(data) {
        table.push([
            Cell::count(u64::from(flow.run_id)),
            Cell::text(&flow.scheme),
            flow.load.map_or_else(Cell::unknown, |load| Cell::number(load, whole_share(load))),
            Cell::count(flow.flow_id),
            Cell::text(&flow.src),
            Cell::text(&flow.dst),
            flow.size.map_or_else(Cell::unknown, Cell::bytes),
            Cell::seconds(Some(flow.start)),
            Cell::seconds(flow.fct),
            flow.slowdown.map_or_else(Cell::unknown, |slowdown| Cell::number(slowdown, number(slowdown))),
            flow.throughput.map_or_else(Cell::unknown, |bits| Cell::number(bits, rate(bits))),
            Cell::count(u64::from(flow.subflows)),
            Cell::count(flow.retransmits),
            Cell::count(flow.timeouts),
            Cell::count(flow.reroutes),
            Cell::count(flow.out_of_order),
            Cell::count(flow.marked),
        ]);
    }
    let words = if all > MOST_FLOWS {
        format!(
            "The slowest {} of {}; the table flows has all of them.",
            grouped(MOST_FLOWS as u64),
            counted(all as u64, "flow")
        )
    } else {
        format!("{} in all runs.", counted(all as u64, "flow"))
    };
    Some(Section::new("flows", "Flows").text(words).table(table.without_unknown()))
}

#[cfg(test)]
mod tests {
    use super::super::tables::{flow, run, small};
    use super::*;
    use subflow_sim::rows::Tables;

    #[test]
    fn the_slowest_come_first() {
        let tables = small();
        let order: Vec<_> =
            slowest(&Data::of(&tables)).iter().map(|flow| (flow.run_id, flow.flow_id)).collect();
        // Not completed; slowdowns 12, 9, and 8 twice.
        assert_eq!(order[..5], [(4, 3), (6, 2), (5, 3), (6, 1), (6, 3)]);
        assert_eq!(order.len(), 32);
    }

    #[test]
    fn there_is_a_limit() {
        let mut tables = Tables { runs: vec![run(0, "a", None, 1)], ..Tables::default() };
        tables.flows = (0..3000).map(|id| flow(0, id, 1.0 + id as f64)).collect();
        let data = Data::of(&tables);
        let slowest = slowest(&data);
        assert_eq!((slowest.len(), slowest[0].flow_id, slowest[999].flow_id), (1000, 2999, 2000));
    }
}
