//! One measure of all schemes: lines over the load, or bars where there is one load only.

use super::data::{Data, RunData};
use super::measure::over_seeds;
use super::words::{amount, estimate, load as load_name, sureness};
use crate::figure::{Axis, Bars, Colour, Estimate, Figure, Lines, Unit};
use serde_json::{Value, json};
use subflow_sim::statistics::Interval;

/// Values that differ by more than this factor need a logarithmic axis.
const WIDE: f64 = 20.0;

/// What is compared.
pub(super) struct Measure<'a> {
    /// Id of the figure.
    pub(super) id: &'a str,
    /// Its title.
    pub(super) title: &'a str,
    /// What the numbers are.
    pub(super) axis: &'a str,
    /// Their unit.
    pub(super) unit: Unit,
    /// What it is, in a sentence.
    pub(super) definition: &'a str,
}

/// The colour of a scheme, the same in every figure.
pub(super) fn colour(scheme: usize) -> Colour {
    Colour::Subflow(u32::try_from(scheme).unwrap_or(0))
}

/// An axis for these values: logarithmic where they differ much.
pub(super) fn axis(title: &str, unit: Unit, values: impl Iterator<Item = f64> + Clone) -> Axis {
    let low = values.clone().fold(f64::INFINITY, f64::min);
    let high = values.fold(0.0, f64::max);
    let axis = Axis::new(title, unit);
    if low > 0.0 && high > WIDE * low { axis.log() } else { axis }
}

/// How far the points of a scheme are drawn beside their load, so that intervals do not hide one another.
fn aside(data: &Data<'_>, scheme: usize) -> f64 {
    let span = data.loads.last().copied().flatten().unwrap_or(0.0);
    (scheme as f64 - 0.5 * (data.schemes.len() - 1) as f64) * 0.008 * span
}

/// What is shown on hovering over an estimate.
pub(super) fn hover(scheme: &str, place: &str, unit: Unit, interval: &Interval) -> String {
    let place = if place.is_empty() { String::new() } else { format!(", {place}") };
    format!("{scheme}{place}<br>{}<br>{}", estimate(unit, interval), sureness(interval))
}

/// The line of a CSV for an estimate.
pub(super) fn csv_line(keys: impl IntoIterator<Item = Value>, interval: &Interval) -> Vec<Value> {
    keys.into_iter()
        .chain([json!(interval.mean), json!(interval.low), json!(interval.high), json!(interval.n)])
        .collect()
}

/// The figure of a measure over schemes and loads, with intervals over seeds. Empty where no run has it, or where it is zero everywhere.
pub(super) fn by_load(
    data: &Data<'_>,
    what: &Measure<'_>,
    measure: impl Fn(&RunData<'_>) -> Option<f64>,
) -> Figure {
    let found: Vec<((usize, usize), Interval)> =
        data.cells().filter_map(|cell| Some((cell, over_seeds(data, cell, &measure)?))).collect();
    let y = axis(what.axis, what.unit, found.iter().map(|(_, interval)| interval.mean));
    if found.iter().all(|(_, interval)| interval.mean == 0.0) {
        return Figure::new(what.id, what.title, Axis::new("", Unit::Name), y);
    }
    let figure = if data.loads.len() > 1 {
        let mut lines = Lines::new(what.id, what.title, Axis::new("load", Unit::Share), y);
        for (scheme, name) in data.schemes.iter().enumerate() {
            let points: Vec<(f64, Estimate, String)> = found
                .iter()
                .filter(|((of, _), _)| *of == scheme)
                .filter_map(|((_, load), interval)| {
                    let load = data.loads[*load]?;
                    let place = load + aside(data, scheme);
                    Some((place, (*interval).into(), hover(name, &load_name(load), what.unit, interval)))
                })
                .collect();
            lines = lines.estimates(name, colour(scheme), &points);
        }
        lines.figure()
    } else {
        let bars = found.iter().map(|((scheme, _), interval)| {
            let name = data.schemes[*scheme];
            (name.to_owned(), colour(*scheme), (*interval).into(), hover(name, "", what.unit, interval))
        });
        Bars::upright(what.id, what.title, Axis::new("", Unit::Name), y)
            .coloured_estimates(what.axis, bars)
            .figure()
    };
    let rows = found.iter().map(|((scheme, load), interval)| {
        csv_line([json!(data.schemes[*scheme]), json!(data.loads[*load])], interval)
    });
    let words: Vec<String> = found
        .iter()
        .map(|((scheme, load), interval)| {
            let at = data.load_name(*load);
            let at = if at.is_empty() { at } else { format!(" at {at}") };
            format!("{}{at}: {}", data.schemes[*scheme], amount(what.unit, interval.mean))
        })
        .collect();
    figure
        .definition(what.definition)
        .csv(&["scheme", "load", "value", "low", "high", "seeds"], rows)
        .alternative(&format!("{}.", words.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::super::tables::small;
    use super::*;

    const WHAT: Measure<'_> =
        Measure { id: "m", title: "M", axis: "m", unit: Unit::Count, definition: "It is m." };

    #[test]
    fn a_line_a_scheme_over_loads() {
        let tables = small();
        let data = Data::of(&tables);
        let figure = by_load(&data, &WHAT, |run| Some(f64::from(run.row.run_id)));
        let json: Value = serde_json::from_str(&figure.to_json()).expect("JSON");
        assert_eq!(json["data"].as_array().map(Vec::len), Some(2));
        // Half of .008 of .4 to the left, and to the right.
        assert!((json["data"][0]["x"][0].as_f64().expect("a number") - (0.2 - 0.0016)).abs() < 1e-12);
        assert!((json["data"][1]["x"][1].as_f64().expect("a number") - (0.4 + 0.0016)).abs() < 1e-12);
        // Runs 0 and 2, 4 and 6; 1 and 3, 5 and 7.
        assert_eq!(json["data"][0]["y"], json!([1.0, 5.0]));
        assert_eq!(json["data"][1]["y"], json!([2.0, 6.0]));
        assert_eq!(json["csv"]["rows"][0][2], json!(1.0));
        assert_eq!(json["csv"]["rows"][0][5], json!(2));
        assert!(by_load(&data, &WHAT, |_| Some(0.0)).is_empty());
        assert!(by_load(&data, &WHAT, |_| None).is_empty());
    }

    #[test]
    fn bars_where_there_is_one_load() {
        let mut tables = small();
        tables.runs.retain(|run| run.run_id < 2);
        let figure = by_load(&Data::of(&tables), &WHAT, |run| Some(f64::from(run.row.run_id + 1)));
        let json: Value = serde_json::from_str(&figure.to_json()).expect("JSON");
        assert_eq!(json["data"][0]["type"], "bar");
        assert_eq!(json["data"][0]["x"], json!(["ecmp", "flowbender"]));
        assert_eq!(json["data"][0].get("error_y"), None, "one seed has no interval");
    }

    #[test]
    fn axes_fit_their_values() {
        assert!(axis("", Unit::Count, [1.0, 30.0].into_iter()).is_log());
        assert!(!axis("", Unit::Count, [1.0, 10.0].into_iter()).is_log());
        assert!(!axis("", Unit::Count, [0.0, 10.0].into_iter()).is_log());
    }
}
