//! What simulations say, on the terminal.

use super::sheet::Sheet;
use crate::text::{bytes, counted, grouped, seconds};
use subflow_sim::rows::{Flow, Tables};
use subflow_sim::scenario::Scenario;
use subflow_sim::statistics::{Interval, confidence, quantile};
use subflow_sim::sweep::jobs;

/// Confidence of the intervals over seeds.
const LEVEL: f64 = 0.95;

/// The scenarios that come with the program.
pub(crate) fn list(scenarios: &[Scenario]) -> String {
    let mut sheet = Sheet::new(&["scenario", "what it shows", "runs"], 2);
    for scenario in scenarios {
        let runs = grouped(jobs(scenario).len() as u64);
        sheet.row([scenario.name.clone(), scenario.description.trim().to_owned(), runs]);
    }
    let table = sheet.under("Scenarios that come with the program");
    format!("{table}\nsubflow sim run NAME runs one; with --print it is shown, to begin one's own with.\n")
}

/// The results of all runs.
pub(crate) fn results(scenario: &Scenario, tables: &Tables) -> String {
    let mut text = format!("{}: {}\n\n", scenario.name, counted(tables.runs.len() as u64, "run"));
    let groups = groups(scenario, tables);
    text.push_str(&runs(&groups, tables));
    text.push_str(&completion(&groups, tables));
    text.push_str(&transfers(tables));
    text
}

/// What is told together: a scheme at a load.
struct Group<'a> {
    scheme: &'a str,
    load: Option<f64>,
}

impl Group<'_> {
    fn words(&self) -> [String; 2] {
        [
            self.scheme.to_owned(),
            self.load.map_or_else(|| "-".to_owned(), |load| format!("{:.0} %", load * 100.0)),
        ]
    }

    fn holds(&self, scheme: &str, load: Option<f64>) -> bool {
        self.scheme == scheme && self.load == load
    }
}

fn groups<'a>(scenario: &'a Scenario, tables: &Tables) -> Vec<Group<'a>> {
    let mut loads: Vec<Option<f64>> = Vec::new();
    for run in &tables.runs {
        if !loads.contains(&run.load) {
            loads.push(run.load);
        }
    }
    let schemes = || scenario.schemes.iter().map(|scheme| scheme.name.as_str());
    loads.iter().flat_map(|&load| schemes().map(move |scheme| Group { scheme, load })).collect()
}

fn runs(groups: &[Group<'_>], tables: &Tables) -> String {
    // Shares of what hosts could send say something where every host sends for as long as the run lasts.
    let shares = !tables.flows.is_empty() && tables.flows.iter().all(|flow| flow.size.is_none());
    let ideal = tables.runs.iter().any(|run| run.max_min.is_some());
    let seeds = tables.runs.iter().any(|run| run.seed != tables.runs[0].seed);
    let mut header = vec!["scheme", "load", "runs", "flows", "complete"];
    if shares {
        header.push("utilisation");
    }
    if ideal {
        header.push("max-min");
    }
    header.extend(["dropped", "marked"]);
    let mut sheet = Sheet::new(&header, 1);
    for group in groups {
        let runs: Vec<_> = tables.runs.iter().filter(|run| group.holds(&run.scheme, run.load)).collect();
        if runs.is_empty() {
            continue;
        }
        let sum = |of: fn(&subflow_sim::rows::Run) -> u64| runs.iter().map(|run| of(run)).sum::<u64>();
        let share = |of: fn(&subflow_sim::rows::Run) -> Option<f64>| {
            let values: Vec<f64> = runs.iter().filter_map(|run| of(run)).collect();
            confidence(&values, LEVEL).map_or_else(|| "-".to_owned(), |interval| percent(&interval))
        };
        let mut cells = group.words().to_vec();
        cells.push(grouped(runs.len() as u64));
        cells.push(grouped(sum(|run| run.flows)));
        cells.push(grouped(sum(|run| run.completed)));
        if shares {
            cells.push(share(|run| run.utilisation));
        }
        if ideal {
            cells.push(share(|run| run.max_min));
        }
        cells.push(grouped(sum(|run| run.dropped)));
        cells.push(grouped(sum(|run| run.marked)));
        sheet.row(cells);
    }
    sheet.under(match (shares, seeds) {
        (true, true) => "Runs (shares of what the hosts could send, with the 95 % interval over seeds)",
        (true, false) => "Runs (shares of what the hosts could send)",
        (false, _) => "Runs",
    })
}

/// `88.6 ± 0.9 %`
fn percent(interval: &Interval) -> String {
    match interval.high {
        Some(high) => format!("{:.1} ± {:.1} %", interval.mean * 100.0, (high - interval.mean) * 100.0),
        None => format!("{:.1} %", interval.mean * 100.0),
    }
}

fn completion(groups: &[Group<'_>], tables: &Tables) -> String {
    let mut sheet = Sheet::new(
        &["scheme", "load", "flows", "median", "99 %", "99.9 %", "retransmits", "timeouts", "path moves"],
        1,
    );
    for group in groups {
        let flows: Vec<&Flow> =
            tables.flows.iter().filter(|flow| group.holds(&flow.scheme, flow.load)).collect();
        let mut slowdowns: Vec<f64> = flows.iter().filter_map(|flow| flow.slowdown).collect();
        if slowdowns.is_empty() {
            continue;
        }
        slowdowns.sort_unstable_by(f64::total_cmp);
        let at = |q| quantile(&slowdowns, q).map_or_else(|| "-".to_owned(), |value| format!("{value:.2}"));
        let sum = |of: fn(&Flow) -> u64| grouped(flows.iter().map(|flow| of(flow)).sum());
        let [scheme, load] = group.words();
        sheet.row([
            scheme,
            load,
            grouped(slowdowns.len() as u64),
            at(0.5),
            at(0.99),
            at(0.999),
            sum(|flow| flow.retransmits),
            sum(|flow| flow.timeouts),
            sum(|flow| flow.reroutes),
        ]);
    }
    let text = sheet.under("Completion times as multiples of the ideal one (alone in an empty network)");
    if text.is_empty() { text } else { format!("\n{text}") }
}

/// Each transfer, where there are few.
fn transfers(tables: &Tables) -> String {
    const MOST: usize = 24;
    if tables.flows.len() > MOST {
        return String::new();
    }
    // The seeds of a scheme beside one another, in the order of the schemes.
    let mut flows: Vec<&Flow> = tables.flows.iter().collect();
    let first = |flow: &Flow| tables.flows.iter().position(|other| other.scheme == flow.scheme);
    flows.sort_by_key(|flow| (first(flow), flow.load.map(f64::to_bits), flow.seed));
    let with_seeds = flows.iter().any(|flow| flow.seed != tables.flows[0].seed);
    let mut header = vec!["scheme"];
    if with_seeds {
        header.push("seed");
    }
    header.extend(["from", "to", "size", "time", "delivered", "rate", "subflows", "reinjected"]);
    let mut sheet = Sheet::new(&header, header.len() - 6);
    for flow in flows {
        let mut cells = vec![flow.scheme.clone()];
        if with_seeds {
            cells.push(grouped(flow.seed));
        }
        cells.extend([
            flow.src.clone(),
            flow.dst.clone(),
            flow.size.map_or_else(|| "endless".to_owned(), bytes),
            flow.fct.map_or_else(|| "-".to_owned(), seconds),
            bytes(flow.delivered),
            flow.throughput.map_or_else(|| "-".to_owned(), rate),
            grouped(u64::from(flow.subflows)),
            bytes(flow.reinjected),
        ]);
        sheet.row(cells);
    }
    let text = sheet.under("Transfers");
    if text.is_empty() { text } else { format!("\n{text}") }
}

/// `9.41 Gbit/s`
fn rate(bits: f64) -> String {
    let (number, unit) = match bits {
        b if b >= 999.5e6 => (b / 1e9, "Gbit/s"),
        b if b >= 999.5e3 => (b / 1e6, "Mbit/s"),
        b => (b / 1e3, "kbit/s"),
    };
    let decimals = if number >= 100.0 { 0 } else { 1 + usize::from(number < 10.0) };
    format!("{number:.decimals$} {unit}")
}
