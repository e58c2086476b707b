//! Links that fail, and what flows make of it.

use super::compare::colour;
use super::data::{Data, RunData};
use super::measure::over_seeds;
use super::series::Columns;
use super::words::{estimate, whole_share};
use crate::figure::{Axis, Colour, Figure, Gantt, Lines, Span, Unit};
use crate::page::{Cell, Choice, Column, Section, Table};
use crate::text::{counted, seconds};
use std::collections::{BTreeMap, BTreeSet};
use subflow_sim::rows::{Change, ChangeKind, Link};
use subflow_sim::statistics::Interval;

/// Columns over the whole time.
const COLUMNS: usize = 240;
/// Links of senders that have a line each.
const MOST_LINES: usize = 6;
/// Changes that are listed.
const MOST_ROWS: usize = 300;
/// Links that have a bar when they are down.
const MOST_BARS: usize = 60;

pub(super) fn section(data: &Data<'_>) -> Option<Section> {
    let telling = |change: &&Change| {
        matches!(change.kind, ChangeKind::Failure | ChangeKind::Repair | ChangeKind::Handover)
    };
    if !data.runs.iter().any(|run| run.changes.iter().any(telling)) {
        return None;
    }
    let mut choice = Choice::new("scheme");
    for (scheme, name) in data.schemes.iter().enumerate() {
        if let Some(run) = data.shown(scheme) {
            choice = choice.option(*name, [senders(run, scheme), down(run, scheme)]);
        }
    }
    let section = Section::new("failures", "Failures")
        .text(format!(
            "Over time: of each scheme {}. Dotted lines are failures and repairs.",
            data.shown_words()
        ))
        .figures([received(data), counts(data)])
        .choice(choice);
    let table = windows(data);
    let section = if table.is_empty() { section } else { section.table(table.without_unknown()) };
    Some(section.table(list(data)))
}

/// Failures and repairs of a run, without repetition.
fn moments(run: &RunData<'_>) -> BTreeSet<u64> {
    let changes =
        run.changes.iter().filter(|change| matches!(change.kind, ChangeKind::Failure | ChangeKind::Repair));
    changes.map(|change| change.time.to_bits()).collect()
}

/// Rates on links, summed, over time: (end of the sample, bit/s).
fn rates<'a>(links: impl Iterator<Item = &'a &'a Link>) -> Vec<(f64, f64)> {
    let mut sums: BTreeMap<u64, f64> = BTreeMap::new();
    for link in links {
        *sums.entry(link.time.to_bits()).or_default() += link.utilisation * link.rate;
    }
    sums.into_iter().map(|(time, sum)| (f64::from_bits(time), sum)).collect()
}

/// What comes to the receivers of a run.
fn into_receivers(run: &RunData<'_>) -> Vec<(f64, f64)> {
    let receivers: BTreeSet<&str> = run.flows.iter().map(|flow| flow.dst.as_str()).collect();
    rates(run.links.iter().filter(|link| receivers.contains(link.to.as_str())))
}

/// The same over at most so many columns: middles and means.
fn thinned(run: &RunData<'_>, series: &[(f64, f64)]) -> (Vec<f64>, Vec<f64>) {
    let interval = run.links.first().map_or(0.0, |link| link.interval);
    let columns = Columns::of(series.iter().map(|(time, _)| (*time, interval)), COLUMNS);
    let mut means = super::series::Means::new(columns.spans.len());
    for (time, rate) in series {
        means.add(columns.column(*time).unwrap_or(usize::MAX), *rate, 1.0);
    }
    (columns.middles(), means.means().into_iter().map(|mean| mean.unwrap_or(f64::NAN)).collect())
}

fn received(data: &Data<'_>) -> Figure {
    let y = Axis::new("into the receivers", Unit::BitsPerSecond);
    let mut lines =
        Lines::new("failure-received", "What reaches the receivers", Axis::new("time", Unit::Seconds), y);
    let mut cuts = BTreeSet::new();
    for (scheme, name) in data.schemes.iter().enumerate() {
        let Some(run) = data.shown(scheme) else { continue };
        let series = into_receivers(run);
        if series.is_empty() {
            continue;
        }
        cuts.extend(moments(run));
        let (x, y) = thinned(run, &series);
        lines = lines.line(name, colour(scheme), &x, &y);
    }
    marked(lines.figure(), &cuts)
        .definition(
            "Bits per second on the links into the hosts that receive: utilisation times rate. Headers, repeats, and the ACKs of what these hosts \
             send are in it.",
        )
        .wide()
}

/// Marks failures and repairs, unless there are so many that nothing else would be seen.
fn marked(figure: Figure, cuts: &BTreeSet<u64>) -> Figure {
    if cuts.len() > 12 {
        return figure;
    }
    cuts.iter().fold(figure, |figure, time| figure.cut(f64::from_bits(*time)))
}

/// The links of senders with several, one by one: how a phone uses its radios.
fn senders(run: &RunData<'_>, scheme: usize) -> Figure {
    let sources: BTreeSet<&str> = run.flows.iter().map(|flow| flow.src.as_str()).collect();
    let mut links: BTreeMap<u32, Vec<&&Link>> = BTreeMap::new();
    for link in run.links.iter().filter(|link| sources.contains(link.from.as_str())) {
        links.entry(link.link_id).or_default().push(link);
    }
    let y = Axis::new("on the link", Unit::BitsPerSecond);
    let title = format!("Links of the sender: {}", run.row.scheme);
    let id = format!("failure-senders-{scheme}");
    let mut lines = Lines::new(&id, &title, Axis::new("time", Unit::Seconds), y);
    if links.len() <= MOST_LINES && links.len() > sources.len() {
        for (place, link) in (0..).zip(links.values()) {
            let (x, y) = thinned(run, &rates(link.iter().copied()));
            let name = link.first().map_or_else(String::new, |link| format!("{} → {}", link.from, link.to));
            lines = lines.line(&name, Colour::Subflow(place), &x, &y);
        }
    }
    marked(lines.figure(), &moments(run))
        .definition("Bits per second on each link of the sending host, headers and repeats included.")
        .wide()
}

/// Links while they are down.
fn down(run: &RunData<'_>, scheme: usize) -> Figure {
    let names: BTreeMap<u32, String> =
        run.links.iter().map(|link| (link.link_id, format!("{} → {}", link.from, link.to))).collect();
    let mut since: BTreeMap<u32, f64> = BTreeMap::new();
    let mut spans = Vec::new();
    let mut close = |id: u32, from: f64, to: f64, repaired: bool| {
        let row = names.get(&id).cloned().unwrap_or_else(|| format!("link {id}"));
        let end = if repaired { format!("repaired at {}", seconds(to)) } else { "not repaired".to_owned() };
        spans.push(Span { text: format!("{row}<br>down from {}, {end}", seconds(from)), row, from, to });
    };
    for change in &run.changes {
        match (change.kind, change.link_id) {
            (ChangeKind::Failure, Some(id)) => {
                since.entry(id).or_insert(change.time);
            }
            (ChangeKind::Repair, Some(id)) => {
                if let Some(from) = since.remove(&id) {
                    close(id, from, change.time, true);
                }
            }
            _ => {}
        }
    }
    for (id, from) in since {
        close(id, from, run.row.duration, false);
    }
    spans.truncate(MOST_BARS);
    let rows: BTreeSet<&str> = spans.iter().map(|span| span.row.as_str()).collect();
    let height = 90 + 22 * u32::try_from(rows.len()).unwrap_or(20).max(2);
    let axis = Axis::new("time", Unit::Seconds).range(0.0, run.row.duration);
    let gantt = Gantt::new(&format!("failure-down-{scheme}"), "Links while they were down", axis, 12.0);
    if spans.is_empty() {
        return gantt.figure();
    }
    gantt
        .series("down", Colour::Bad, &spans)
        .figure()
        .definition(&format!("From failure to repair, each direction a row; at most {MOST_BARS} bars."))
        .height(height)
}

/// Kinds of changes that are counted over time.
const COUNTED: [(ChangeKind, &str); 3] =
    [(ChangeKind::Path, "moves"), (ChangeKind::Timeout, "timeouts"), (ChangeKind::Handover, "handovers")];

/// How many changes of a kind there were in each of so many equal parts of the run.
fn binned(run: &RunData<'_>, kind: ChangeKind, bins: usize) -> Vec<f64> {
    let mut counts = vec![0.0; bins];
    for change in run.changes.iter().filter(|change| change.kind == kind) {
        let bin = (change.time / run.row.duration * bins as f64) as usize;
        if let Some(count) = counts.get_mut(bin.min(bins - 1)) {
            *count += 1.0;
        }
    }
    counts
}

fn counts(data: &Data<'_>) -> Figure {
    const BINS: usize = 120;
    let y = Axis::new("in each 120th of the run", Unit::Count);
    let mut lines =
        Lines::new("failure-counts", "Moves, timeouts and handovers", Axis::new("time", Unit::Seconds), y)
            .steps();
    let (mut place, mut all) = (0, 0);
    for (scheme, name) in data.schemes.iter().enumerate() {
        let Some(run) = data.shown(scheme) else { continue };
        let x: Vec<f64> = (0..BINS).map(|bin| run.row.duration * bin as f64 / BINS as f64).collect();
        for (kind, what) in COUNTED {
            let counts = binned(run, kind, BINS);
            let sum: f64 = counts.iter().sum();
            if sum > 0.0 {
                lines = lines.line(&format!("{name}: {what}"), Colour::Subflow(place), &x, &counts);
                place += 1;
                all += sum as u64;
            }
        }
    }
    lines
        .figure()
        .definition("Subflows moved to another path, retransmission timeouts, and handovers from a subflow that fell silent to another.")
        .over("changes", all)
        .wide()
        .legend()
}

/// Mean rate into the receivers between two moments, over samples that lie in between.
fn between(series: &[(f64, f64)], interval: f64, from: f64, to: f64) -> Option<f64> {
    let slack = interval * 1e-6;
    let held = series.iter().filter(|(end, _)| end - interval >= from - slack && *end <= to + slack);
    subflow_sim::statistics::mean(&held.map(|(_, rate)| *rate).collect::<Vec<_>>())
}

/// Rates into the receivers before the first failure, until its repair, and after that; as long each as the failure lasted.
fn three(run: &RunData<'_>) -> Option<[Option<f64>; 3]> {
    let at = |kind| run.changes.iter().find(|change| change.kind == kind).map(|change| change.time);
    let from = at(ChangeKind::Failure)?;
    let repair = at(ChangeKind::Repair).filter(|repair| *repair > from);
    let to = repair.unwrap_or(run.row.duration);
    let interval = run.links.first()?.interval;
    let series = into_receivers(run);
    let length = to - from;
    Some([
        between(&series, interval, from - length, from),
        between(&series, interval, from, to),
        repair.and_then(|repair| between(&series, interval, repair, repair + length)),
    ])
}

/// What reached the receivers during the failure, as a share of what reached them before: of each scheme at each load.
pub(super) fn kept(data: &Data<'_>, cell: (usize, usize)) -> Option<Interval> {
    over_seeds(data, cell, |run| {
        let [before, during, _] = three(run)?;
        Some(during? / before.filter(|before| *before > 0.0)?)
    })
}

fn windows(data: &Data<'_>) -> Table {
    let columns = ["before", "during", "after", "during / before"].map(Column::number);
    let mut table = Table::new(
        "failure-table",
        "What reaches the receivers before, during and after the failure",
        [Column::text("scheme"), Column::number("load")].into_iter().chain(columns),
    )
    .definition(
        "Mean rates on the links into receivers: as long before the first failure as it lasted, until the first repair, and as long after it. \
         Over seeds, with 95 % intervals.",
    );
    for cell in data.cells() {
        let rates = [0, 1, 2].map(|at| over_seeds(data, cell, |run| three(run)?[at]));
        if rates.iter().all(Option::is_none) {
            continue;
        }
        let shown = |unit: Unit, interval: Option<Interval>| {
            interval
                .map_or_else(Cell::unknown, |interval| Cell::number(interval.mean, estimate(unit, &interval)))
        };
        let mut cells = vec![
            Cell::text(data.schemes[cell.0]),
            data.loads[cell.1].map_or_else(Cell::unknown, |load| Cell::number(load, whole_share(load))),
        ];
        cells.extend(rates.map(|interval| shown(Unit::BitsPerSecond, interval)));
        cells.push(shown(Unit::Share, kept(data, cell)));
        table.push(cells);
    }
    table
}

fn list(data: &Data<'_>) -> Table {
    let columns = [
        Column::number("run"),
        Column::text("scheme"),
        Column::number("time"),
        Column::text("what"),
        Column::text("detail"),
    ];
    let listed = |change: &&&Change| !matches!(change.kind, ChangeKind::Path | ChangeKind::Timeout);
    let shown = (0..data.schemes.len()).filter_map(|scheme| data.shown(scheme));
    let all: Vec<(&RunData<'_>, &Change)> =
        shown.flat_map(|run| run.changes.iter().filter(listed).map(move |change| (run, *change))).collect();
    let mut table = Table::new("changes", "What changed", columns).definition(&match all.len() {
        count if count > MOST_ROWS => format!(
            "The first {MOST_ROWS} of {}; moves and timeouts are left out.",
            counted(count as u64, "change")
        ),
        _ => "Moves and timeouts are left out: the table changes has them.".to_owned(),
    });
    if all.len() > 15 {
        table = table.tall();
    }
    for (run, change) in all.into_iter().take(MOST_ROWS) {
        table.push([
            Cell::count(u64::from(run.row.run_id)),
            Cell::text(&run.row.scheme),
            Cell::seconds(Some(change.time)),
            Cell::text(change.kind.as_str().replace('_', " ")),
            Cell::text(&change.detail),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::super::tables::{flow, link, run};
    use super::*;
    use serde_json::{Value, json};
    use subflow_sim::rows::Tables;

    /// Eight seconds; a link is down from 2 s to 4 s, in which half of the rate is left.
    fn failed() -> Tables {
        let mut row = run(0, "ecmp", None, 1);
        row.duration = 8.0;
        let mut tables = Tables { runs: vec![row], flows: vec![flow(0, 1, 1.0)], ..Tables::default() };
        for time in 1..=8 {
            let utilisation = if time == 3 || time == 4 { 0.4 } else { 0.8 };
            tables.links.push(link(0, (1, "s1", "h9"), f64::from(time), utilisation));
            tables.links.push(link(0, (2, "h1", "s1"), f64::from(time), 1.0));
        }
        for (time, kind) in
            [(2.0, ChangeKind::Failure), (4.0, ChangeKind::Repair), (7.9, ChangeKind::Timeout)]
        {
            let link_id = (kind != ChangeKind::Timeout).then_some(2);
            let detail = "<h1>".to_owned();
            tables.changes.push(Change {
                run_id: 0,
                time,
                kind,
                link_id,
                flow_id: None,
                subflow_id: None,
                detail,
            });
        }
        tables
    }

    #[test]
    fn half_is_left_during_the_failure() {
        let tables = failed();
        let data = Data::of(&tables);
        assert_eq!(three(&data.runs[0]), Some([Some(0.8e9), Some(0.4e9), Some(0.8e9)]));
        assert_eq!(kept(&data, (0, 0)).map(|interval| interval.mean), Some(0.5));
        let json: Value = serde_json::from_str(&received(&data).to_json()).expect("JSON");
        assert_eq!(json["data"][0]["y"][2], json!(0.4e9));
        assert_eq!(json["cuts"], json!([2.0, 4.0]));
    }

    #[test]
    fn bars_are_from_failure_to_repair() {
        let tables = failed();
        let data = Data::of(&tables);
        let json: Value = serde_json::from_str(&down(&data.runs[0], 0).to_json()).expect("JSON");
        assert_eq!(json["csv"]["rows"][0][1], "h1 → s1");
        assert_eq!((&json["csv"]["rows"][0][2], &json["csv"]["rows"][0][3]), (&json!(2.0), &json!(4.0)));
        let counts = binned(&data.runs[0], ChangeKind::Timeout, 4);
        assert_eq!(counts, [0.0, 0.0, 0.0, 1.0]);
    }
}
