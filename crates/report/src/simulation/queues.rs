//! How full queues were.

use super::compare::{Measure, by_load};
use super::data::{Data, RunData};
use super::series::{Columns, Means, cumulative};
use crate::figure::{Axis, Cdf, Colour, Figure, Lines, Unit};
use crate::page::{Choice, Section};
use std::collections::{BTreeMap, HashMap};
use subflow_sim::rows::Queue;

/// Queues that have a line of their own.
const MOST_LINES: usize = 6;
/// Columns over the whole time.
const COLUMNS: usize = 400;

pub(super) fn section(data: &Data<'_>) -> Option<Section> {
    if data.runs.iter().all(|run| run.queues.is_empty()) {
        return None;
    }
    let mut choice = Choice::new("scheme");
    for (scheme, name) in data.schemes.iter().enumerate() {
        if let Some(run) = data.shown(scheme) {
            choice = choice.option(*name, [over_time(run, scheme)]);
        }
    }
    let longest = Measure {
        id: "queues-longest",
        title: "The longest queue of a run",
        axis: "longest queue",
        unit: Unit::Bytes,
        definition: "The most bytes that waited in any one queue, right after a packet had entered; mean over seeds.",
    };
    Some(
        Section::new("queues", "Queues")
            .text(
                "A queue is sampled at the end of each interval in which a packet came to it: what waits then, the rest of the packet on \
                 the line included. Over time: of each scheme "
                    .to_owned()
                    + &data.shown_words()
                    + ".",
            )
            .choice(choice)
            .figures([distribution(data), by_load(data, &longest, |run| most(run).map(|bytes| bytes as f64))]),
    )
}

/// The most that ever waited in a queue of the run.
fn most(run: &RunData<'_>) -> Option<u64> {
    run.queues.iter().map(|queue| queue.longest).max()
}

fn over_time(run: &RunData<'_>, scheme: usize) -> Figure {
    // Queues have no intervals of their own: samples are moments.
    let columns = Columns::of(run.queues.iter().map(|queue| (queue.time, 0.0)), COLUMNS);
    let mut queues: BTreeMap<u32, (&Queue, Means)> = BTreeMap::new();
    for &queue in &run.queues {
        let Some(column) = columns.column(queue.time) else { continue };
        let entry = queues.entry(queue.link_id).or_insert_with(|| (queue, Means::new(columns.spans.len())));
        entry.1.add(column, queue.bytes as f64, 1.0);
    }
    let all = queues.len() as u64;
    let area = |means: &Means| means.means().into_iter().flatten().sum::<f64>();
    let mut fullest: Vec<(&Queue, Means)> = queues.into_values().collect();
    fullest.sort_by(|a, b| area(&b.1).total_cmp(&area(&a.1)).then(a.0.link_id.cmp(&b.0.link_id)));
    let least = fullest.first().map_or(0.0, |(_, means)| area(means)) / 100.0;
    fullest.retain(|(_, means)| area(means) > least);
    fullest.truncate(MOST_LINES);
    let tos: HashMap<u32, &str> = run.links.iter().map(|link| (link.link_id, link.to.as_str())).collect();
    let mut lines = Lines::new(
        &format!("queues-time-{scheme}"),
        &format!("The fullest queues over time: {}", run.row.scheme),
        Axis::new("time", Unit::Seconds),
        Axis::new("in the queue", Unit::Bytes),
    );
    let x = columns.middles();
    for (place, (queue, means)) in (0..).zip(&fullest) {
        // Where no packet came, nothing waits.
        let y: Vec<f64> = means.means().into_iter().map(|mean| mean.unwrap_or(0.0)).collect();
        let name = match tos.get(&queue.link_id) {
            Some(to) => format!("{} → {to}", queue.node),
            None => format!("{}, link {}", queue.node, queue.link_id),
        };
        lines = lines.line(&name, Colour::Subflow(place), &x, &y);
    }
    lines
        .figure()
        .definition(&format!(
            "The queues with the most in them over the whole run, at most {MOST_LINES}, and none that had less than a hundredth of the fullest. Longer series are averaged over at most {COLUMNS} columns."
        ))
        .over("queues", all)
        .wide()
}

fn distribution(data: &Data<'_>) -> Figure {
    let mut cdf =
        Cdf::new("queues-cdf", "How full queues were", Axis::new("in the queue", Unit::Bytes).log());
    let mut all = 0;
    for (scheme, name) in data.schemes.iter().enumerate() {
        let Some(shown) = data.shown(scheme) else { continue };
        let samples = data.of_cell(scheme, shown.load).flat_map(|run| &run.queues);
        let mut sizes: Vec<f64> = samples.map(|queue| queue.bytes as f64).collect();
        sizes.sort_unstable_by(f64::total_cmp);
        all += sizes.len() as u64;
        cdf = cdf.line(name, &cumulative(&sizes));
    }
    cdf.figure()
        .definition(
            "Share of samples in which at most so much waited, over all queues and seeds (at the highest load where there are several). Queues to which no packet came in an \
             interval have no sample there, and so do not count as empty.",
        )
        .over("samples", all)
}

#[cfg(test)]
mod tests {
    use super::super::tables::run;
    use super::*;
    use serde_json::{Value, json};
    use subflow_sim::rows::Tables;

    fn sampled() -> Tables {
        let queue = |link_id: u32, time: f64, bytes: u64| Queue {
            run_id: 0,
            link_id,
            node: format!("s{link_id}"),
            time,
            bytes,
            delay: 0.0,
            longest: 2 * bytes,
        };
        Tables {
            runs: vec![run(0, "a", None, 1)],
            queues: vec![queue(1, 1.0, 100), queue(2, 1.0, 1000), queue(2, 2.0, 500)],
            ..Tables::default()
        }
    }

    #[test]
    fn the_fullest_come_first() {
        let tables = sampled();
        let data = Data::of(&tables);
        let json: Value = serde_json::from_str(&over_time(&data.runs[0], 0).to_json()).expect("JSON");
        assert_eq!(json["data"][0]["name"], "s2, link 2");
        assert_eq!(json["data"][0]["y"], json!([1000.0, 500.0]));
        assert_eq!(json["data"][1]["y"], json!([100.0, 0.0]));
        assert_eq!(most(&data.runs[0]), Some(2000));
        let json: Value = serde_json::from_str(&distribution(&data).to_json()).expect("JSON");
        assert_eq!(json["data"][0]["x"], json!([100.0, 500.0, 1000.0]));
    }
}
