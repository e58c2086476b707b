//! Distributions of slowdown and of completion time.

use super::data::Data;
use super::series::cumulative;
use crate::figure::{Axis, Cdf, Figure, Unit};
use crate::page::{Choice, Section};
use subflow_sim::rows::Flow;

pub(super) fn section(data: &Data<'_>) -> Option<Section> {
    let mut choice = Choice::new("load");
    for load in 0..data.loads.len() {
        let slowdown = Axis::new("slowdown", Unit::Number).log().range(1.0, largest(data, load));
        let time = Axis::new("completion time", Unit::Seconds).log();
        let figures = [
            figure(data, load, "slowdown", "Slowdown", slowdown, |flow| flow.slowdown)
                .definition("Share of completed flows whose completion time is at most so many times the ideal one."),
            figure(data, load, "time", "Completion time", time, |flow| flow.fct)
                .definition("Share of completed flows that took at most so long, from their start to the last byte at the receiver."),
        ];
        choice = choice.option(data.load_name(load).trim_start_matches("load "), figures);
    }
    let section = Section::new("distributions", "Distributions").text(
        "Over the completed flows of all seeds together. The curves have the largest 60 values one by one.",
    );
    (!choice.is_empty()).then(|| section.choice(choice))
}

/// The largest slowdown at a load.
fn largest(data: &Data<'_>, load: usize) -> f64 {
    let flows = data.runs.iter().filter(|run| run.load == load).flat_map(|run| &run.flows);
    flows.filter_map(|flow| flow.slowdown).fold(2.0, f64::max)
}

fn figure(
    data: &Data<'_>,
    load: usize,
    id: &str,
    title: &str,
    axis: Axis,
    of: impl Fn(&Flow) -> Option<f64>,
) -> Figure {
    let at = data.load_name(load);
    let title = if at.is_empty() { title.to_owned() } else { format!("{title} at {at}") };
    let mut cdf = Cdf::new(&format!("cdf-{id}-{load}"), &title, axis);
    let mut all = 0;
    for (scheme, name) in data.schemes.iter().enumerate() {
        let flows = data.of_cell(scheme, load).flat_map(|run| &run.flows);
        let mut values: Vec<f64> = flows.filter_map(|flow| of(flow)).collect();
        values.sort_unstable_by(f64::total_cmp);
        all += values.len() as u64;
        cdf = cdf.line(name, &cumulative(&values));
    }
    cdf.figure().over("completed flows", all)
}

#[cfg(test)]
mod tests {
    use super::super::tables::small;
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn flows_of_all_seeds() {
        let tables = small();
        let data = Data::of(&tables);
        let axis = Axis::new("slowdown", Unit::Number).log();
        let figure = figure(&data, 1, "slowdown", "Slowdown", axis, |flow| flow.slowdown);
        let json: Value = serde_json::from_str(&figure.to_json()).expect("JSON");
        assert_eq!(json["data"][0]["x"], json!([2.0, 4.0, 4.0, 6.0, 8.0, 8.0, 12.0]));
        assert_eq!(json["data"][1]["x"].as_array().map(Vec::len), Some(8));
        assert_eq!((largest(&data, 0), largest(&data, 1)), (5.0, 12.0));
    }
}
