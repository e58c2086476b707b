//! Queries: flows that belong together, of which the last one counts.

use super::compare::{Measure, by_load};
use super::data::{Data, RunData};
use super::measure::Statistic;
use crate::figure::Unit;
use crate::page::Section;
use crate::text::grouped;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn section(data: &Data<'_>) -> Option<Section> {
    let queries: usize = data.runs.iter().map(|run| times(run).len()).sum();
    if queries == 0 {
        return None;
    }
    let mean = Measure {
        id: "query-mean",
        title: "Completion time of queries: mean",
        axis: "completion time",
        unit: Unit::Seconds,
        definition: "From the start of a query’s first flow to the last byte of its last one; mean over the queries of a run, \
                     then over seeds. Queries with a flow that was not completed are left out.",
    };
    let tail = Measure {
        id: "query-p99",
        title: "Completion time of queries: 99th percentile",
        definition: "The same, 99th percentile of each run.",
        ..mean
    };
    let unfinished: usize = data.runs.iter().map(|run| all(run) - times(run).len()).sum();
    let section = Section::new("queries", "Queries").figures([
        by_load(data, &mean, |run| Statistic::Mean.of(&times(run))).over("completed queries", queries as u64),
        by_load(data, &tail, |run| Statistic::Quantile(0.99).of(&times(run)))
            .over("completed queries", queries as u64),
    ]);
    Some(match unfinished {
        0 => section,
        1 => section.text("1 query was not complete when its run ended."),
        n => section.text(format!("{} queries were not complete when their runs ended.", grouped(n as u64))),
    })
}

fn all(run: &RunData<'_>) -> usize {
    let groups: BTreeSet<u32> = run.flows.iter().filter_map(|flow| flow.group).collect();
    groups.len()
}

/// Completion times of the queries of a run whose flows are all complete, in rising order.
fn times(run: &RunData<'_>) -> Vec<f64> {
    let mut groups: BTreeMap<u32, Option<(f64, f64)>> = BTreeMap::new();
    for flow in &run.flows {
        let Some(group) = flow.group else { continue };
        let span = flow.fct.map(|fct| (flow.start, flow.start + fct));
        let entry = groups.entry(group).or_insert(span);
        *entry = entry.zip(span).map(|(a, b)| (a.0.min(b.0), a.1.max(b.1)));
    }
    let mut times: Vec<f64> = groups.into_values().flatten().map(|(begin, end)| end - begin).collect();
    times.sort_unstable_by(f64::total_cmp);
    times
}

#[cfg(test)]
mod tests {
    use super::super::tables::{flow, run};
    use super::*;
    use subflow_sim::rows::Tables;

    #[test]
    fn the_last_flow_counts() {
        let mut tables = Tables { runs: vec![run(0, "a", None, 1)], ..Tables::default() };
        let mut add = |id: u64, group: u32, start: f64, fct: Option<f64>| {
            let mut row = flow(0, id, 1.0);
            (row.group, row.start, row.fct) = (Some(group), start, fct);
            tables.flows.push(row);
        };
        add(0, 0, 1.0, Some(0.5));
        add(1, 0, 1.25, Some(1.0));
        add(2, 1, 2.0, Some(1.0));
        add(3, 1, 2.0, None);
        add(4, 2, 4.0, Some(0.25));
        let data = Data::of(&tables);
        assert_eq!(times(&data.runs[0]), [0.25, 1.25]);
        assert_eq!(all(&data.runs[0]), 3);
    }
}
