//! Slowdown by load and by size of flows.

use super::class::Class;
use super::compare::{Measure, axis, by_load, colour, csv_line, hover};
use super::data::{Data, RunData};
use super::measure::{Statistic, over_seeds, values};
use super::words::{estimate, number, whole_share};
use crate::figure::{Axis, Bars, Figure, Unit};
use crate::page::{Cell, Choice, Column, Section, Table};
use serde_json::json;
use subflow_sim::statistics::Interval;

pub(super) fn section(data: &Data<'_>) -> Option<Section> {
    if !data.runs.iter().any(|run| run.flows.iter().any(|flow| flow.slowdown.is_some())) {
        return None;
    }
    let mut loads = Choice::new("flows");
    for (place, class) in data.all_classes().enumerate() {
        let figures = Statistic::ALL.map(|statistic| of_class(data, place, class, statistic));
        loads = loads.option(class.name(), figures);
    }
    let mut sizes = Choice::new("load");
    if !data.classes.is_empty() {
        for load in 0..data.loads.len() {
            let figures = Statistic::ALL.map(|statistic| by_size(data, load, statistic));
            sizes = sizes.option(data.load_name(load).trim_start_matches("load "), figures);
        }
    }
    let section = Section::new("slowdown", "Slowdown")
        .text(
            "Slowdown is the completion time of a flow divided by its ideal one: alone in an empty network on its path, \
             segments back to back at the rate of the sender’s link, no slow start. It is at least 1, but for packets that are spread over \
             several paths at once. A percentile is taken \
             within each run, and only where at least one flow lies above it (so the 99.9th needs 1,000 flows a run); what is \
             shown is its mean over the seeds, with the 95 % interval of that mean.",
        )
        .choice(loads)
        .choice(sizes);
    Some(section.table(table(data).without_unknown()))
}

fn measure(class: Class, statistic: Statistic) -> impl Fn(&RunData<'_>) -> Option<f64> {
    move |run| statistic.of(&values(run, class, |flow| flow.slowdown))
}

fn of_class(data: &Data<'_>, place: usize, class: Class, statistic: Statistic) -> Figure {
    let id = format!("slowdown-{}-{place}", statistic.id());
    let title = format!("Slowdown of flows of {}: {}", class.name(), statistic.name());
    let title = title.replace("of to ", "to ").replace("of over ", "over ");
    let what = Measure {
        id: &id,
        title: &title,
        axis: "slowdown",
        unit: Unit::Number,
        definition: &format!(
            "{} of completion time divided by ideal completion time, over completed flows; mean over seeds.",
            capital(statistic.name())
        ),
    };
    by_load(data, &what, measure(class, statistic)).over("completed flows", completed(data, class, None))
}

fn by_size(data: &Data<'_>, load: usize, statistic: Statistic) -> Figure {
    let id = format!("slowdown-size-{}-{load}", statistic.id());
    let at = data.load_name(load);
    let title = match &at[..] {
        "" => format!("Slowdown by size: {}", statistic.name()),
        at => format!("Slowdown by size at {at}: {}", statistic.name()),
    };
    let found: Vec<(usize, Class, Interval)> = (0..data.schemes.len())
        .flat_map(|scheme| data.classes.iter().map(move |class| (scheme, *class)))
        .filter_map(|(scheme, class)| {
            Some((scheme, class, over_seeds(data, (scheme, load), measure(class, statistic))?))
        })
        .collect();
    let y = axis("slowdown", Unit::Number, found.iter().map(|(.., interval)| interval.mean));
    let mut bars = Bars::upright(&id, &title, Axis::new("size of the flow", Unit::Name), y);
    for (scheme, name) in data.schemes.iter().enumerate() {
        let of = found.iter().filter(|(of, ..)| *of == scheme).map(|(_, class, interval)| {
            (class.name(), (*interval).into(), hover(name, &class.name(), Unit::Number, interval))
        });
        bars = bars.estimates(name, colour(scheme), of);
    }
    let figure = bars.figure().csv(
        &["scheme", "size", "slowdown", "low", "high", "seeds"],
        found.iter().map(|(scheme, class, interval)| {
            csv_line([json!(data.schemes[*scheme]), json!(class.name())], interval)
        }),
    );
    if found.is_empty() {
        return Figure::new(&id, &title, Axis::new("", Unit::Name), Axis::new("", Unit::Number));
    }
    figure
        .definition(&format!(
            "{} of the slowdown of completed flows by their size; mean over seeds.",
            capital(statistic.name())
        ))
        .over("completed flows", completed(data, Class::ALL, Some(load)))
}

/// Completed flows of a class, at one load or at all.
fn completed(data: &Data<'_>, class: Class, load: Option<usize>) -> u64 {
    let runs = data.runs.iter().filter(|run| load.is_none_or(|load| run.load == load));
    let flows = runs.flat_map(|run| &run.flows).filter(|flow| class.holds(flow));
    flows.filter(|flow| flow.slowdown.is_some()).count() as u64
}

pub(super) fn capital(words: &str) -> String {
    let mut characters = words.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

fn table(data: &Data<'_>) -> Table {
    let mut table = Table::new(
        "slowdown-table",
        "Slowdown in numbers",
        [
            Column::text("scheme"),
            Column::number("load"),
            Column::text("flows"),
            Column::number("completed"),
            Column::number("not completed"),
            Column::number("mean"),
            Column::number("median"),
            Column::number("99th percentile"),
            Column::number("99.9th percentile"),
            Column::number("largest"),
        ],
    )
    .definition(
        "Over seeds: means, with their 95 % intervals in brackets; the largest slowdown of all runs. Flows that were not completed when \
         their run ended have no slowdown: where there are many, all figures flatter the scheme.",
    );
    if data.cells().count() * (1 + data.classes.len()) > 24 {
        table = table.tall();
    }
    for class in data.all_classes() {
        for cell in data.cells() {
            let flows =
                || data.of_cell(cell.0, cell.1).flat_map(|run| &run.flows).filter(|flow| class.holds(flow));
            let all = flows().count() as u64;
            if all == 0 {
                continue;
            }
            let known = flows().filter_map(|flow| flow.slowdown);
            let (count, most) = known.fold((0, 0.0), |(n, most), slowdown| (n + 1, f64::max(most, slowdown)));
            let mut cells = vec![
                Cell::text(data.schemes[cell.0]),
                data.loads[cell.1].map_or_else(Cell::unknown, |load| Cell::number(load, whole_share(load))),
                Cell::text(class.name()),
                Cell::count(count),
                Cell::count(all - count),
            ];
            cells.extend(Statistic::ALL.map(|statistic| {
                let interval = over_seeds(data, cell, measure(class, statistic));
                interval.map_or_else(Cell::unknown, |interval| {
                    Cell::number(interval.mean, estimate(Unit::Number, &interval))
                })
            }));
            cells.push(if count > 0 { Cell::number(most, number(most)) } else { Cell::unknown() });
            table.push(cells);
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::super::tables::small;
    use super::*;
    use serde_json::Value;

    #[test]
    fn medians_by_size() {
        let tables = small();
        let data = Data::of(&tables);
        let figure = by_size(&data, 1, Statistic::Quantile(0.5));
        let json: Value = serde_json::from_str(&figure.to_json()).expect("JSON");
        // ECMP, 5 kB: medians 4 and 8; 500 kB: 8 with one seed only. FlowBender: 2 and 4; 9 and 4.
        let rows = json["csv"]["rows"].as_array().expect("rows");
        assert!(rows.len() == 2, "a single flow of 500 kB has no median with one above it: {rows:?}");
        assert_eq!(json["data"][0]["y"], json!([6.0]));
        assert_eq!(json["data"][1]["y"], json!([3.0]));
        assert_eq!(completed(&data, Class::ALL, Some(1)), 15);
    }

    #[test]
    fn the_first_letter_is_a_capital() {
        assert_eq!(capital("median"), "Median");
    }
}
