//! How busy links were: over time, and one against another.

use super::compare::colour;
use super::data::{Data, RunData};
use super::series::{Columns, Means, ranked};
use crate::figure::{Axis, Colour, Figure, HeatMap, Lines, Unit};
use crate::page::{Choice, Section};
use crate::text::counted;
use std::collections::{BTreeMap, BTreeSet};
use subflow_sim::rows::Link;

/// Links that have a row of their own.
const MOST_ROWS: usize = 40;
/// With fewer links it makes no sense to rank them.
const FEWEST: usize = 8;
/// Columns over the whole time.
const COLUMNS: usize = 160;

pub(super) fn section(data: &Data<'_>) -> Option<Section> {
    if data.runs.iter().all(|run| run.links.is_empty()) {
        return None;
    }
    let mut choice = Choice::new("scheme");
    for (scheme, name) in data.schemes.iter().enumerate() {
        if let Some(run) = data.shown(scheme) {
            choice = choice.option(*name, [heat(run, scheme), tiers(run, scheme)]);
        }
    }
    Some(
        Section::new("links", "Links")
            .text(format!("Over time: of each scheme {}.", data.shown_words()))
            .choice(choice)
            .figures([across(data)]),
    )
}

/// The name of a link.
fn name(link: &Link) -> String {
    format!("{} → {}", link.from, link.to)
}

/// The tier of a node: its name up to the first digit, as `agg` of `agg0.1`.
fn tier(node: &str) -> &str {
    let end = node.find(|character: char| character.is_ascii_digit()).unwrap_or(node.len());
    node[..end].trim_end_matches(['-', '.', '_', ' '])
}

/// Whether a link joins two switches: hosts are where flows begin and end.
fn inner(hosts: &BTreeSet<&str>, link: &Link) -> bool {
    !hosts.contains(link.from.as_str()) && !hosts.contains(link.to.as_str())
}

/// Hosts that send or receive.
pub(super) fn hosts<'a>(run: &RunData<'a>) -> BTreeSet<&'a str> {
    run.flows.iter().flat_map(|flow| [flow.src.as_str(), flow.dst.as_str()]).collect()
}

/// Links in the order in which they are drawn, each with its samples by column.
fn by_link<'a>(run: &RunData<'a>, columns: &Columns) -> BTreeMap<u32, (&'a Link, Means)> {
    let mut links = BTreeMap::new();
    for &link in &run.links {
        let Some(column) = columns.column(link.time) else { continue };
        let (_, means) = links.entry(link.link_id).or_insert_with(|| (link, Means::new(columns.spans.len())));
        means.add(column, link.utilisation, link.interval);
    }
    links
}

fn heat(run: &RunData<'_>, scheme: usize) -> Figure {
    let columns = Columns::of(run.links.iter().map(|link| (link.time, link.interval)), COLUMNS);
    let mut links: Vec<(&Link, Means)> = by_link(run, &columns).into_values().collect();
    let all = links.len();
    let hosts = hosts(run);
    if all > MOST_ROWS {
        let count =
            |inner_only: bool| links.iter().filter(|(link, _)| !inner_only || inner(&hosts, link)).count();
        if count(true) > 0 {
            links.retain(|(link, _)| inner(&hosts, link));
        }
        let busy = |means: &Means| means.mean().unwrap_or(0.0);
        links.sort_by(|a, b| busy(&b.1).total_cmp(&busy(&a.1)).then(a.0.link_id.cmp(&b.0.link_id)));
        links.truncate(MOST_ROWS);
    }
    // Tier by tier, as numbers of links are in the order in which the network was built.
    links.sort_by_key(|(link, _)| (tier(&link.from), tier(&link.to), link.link_id));
    let which = if links.len() < all {
        format!(
            "The busiest {} of {} (those between switches, where there are any)",
            links.len(),
            counted(all as u64, "link")
        )
    } else {
        "Each direction of each cable".to_owned()
    };
    let mut map = HeatMap::new(
        &format!("links-heat-{scheme}"),
        &format!("How busy links were: {}", run.row.scheme),
        Axis::new("time", Unit::Seconds),
        columns.middles(),
    );
    let shown = links.len() as u64;
    for (link, means) in links {
        map = map.row(&name(link), means.means());
    }
    map.figure("utilisation")
        .definition(&format!(
            "{which}, a row each: the share of each interval in which the line was busy. There are at most {COLUMNS} columns; longer \
             series are averaged."
        ))
        .over("links", shown)
}

fn tiers(run: &RunData<'_>, scheme: usize) -> Figure {
    let columns = Columns::of(run.links.iter().map(|link| (link.time, link.interval)), COLUMNS);
    let mut means: BTreeMap<(&str, &str), Means> = BTreeMap::new();
    for link in &run.links {
        let Some(column) = columns.column(link.time) else { continue };
        let of = means
            .entry((tier(&link.from), tier(&link.to)))
            .or_insert_with(|| Means::new(columns.spans.len()));
        of.add(column, link.utilisation, link.interval);
    }
    let x = columns.middles();
    let time = Axis::new("time", Unit::Seconds);
    let y = Axis::new("mean utilisation", Unit::Share).range(0.0, 1.0);
    let title = format!("Mean over the links of a tier: {}", run.row.scheme);
    let mut lines = Lines::new(&format!("links-tiers-{scheme}"), &title, time, y);
    for (place, ((from, to), means)) in (0..).zip(&means) {
        let y: Vec<f64> = means.means().into_iter().map(|mean| mean.unwrap_or(f64::NAN)).collect();
        lines = lines.line(&format!("{from} → {to}"), Colour::Subflow(place), &x, &y);
    }
    let links: BTreeSet<u32> = run.links.iter().map(|link| link.link_id).collect();
    lines
        .figure()
        .definition("Mean share of time in which the lines from one kind of node to another were busy. A kind is what node names begin with.")
        .over("links", links.len() as u64)
        .wide()
}

/// Links from the idlest to the busiest, a line a scheme.
fn across(data: &Data<'_>) -> Figure {
    let x = Axis::new("links, the idlest first", Unit::Share).range(0.0, 1.0);
    let y = Axis::new("mean utilisation", Unit::Share).range(0.0, 1.0);
    let mut lines = Lines::new("links-ranked", "Links against one another", x, y);
    let mut all = 0;
    for (scheme, name) in data.schemes.iter().enumerate() {
        let Some(shown) = data.shown(scheme) else { continue };
        let mut busy = Vec::new();
        for run in data.of_cell(scheme, shown.load) {
            let hosts = hosts(run);
            let mut of: BTreeMap<u32, (bool, Means)> = BTreeMap::new();
            for link in &run.links {
                let entry = of.entry(link.link_id).or_insert_with(|| (inner(&hosts, link), Means::new(1)));
                entry.1.add(0, link.utilisation, link.interval);
            }
            let any = of.values().any(|(inner, _)| *inner);
            of.retain(|_, (inner, _)| *inner || !any);
            if of.len() >= FEWEST {
                busy.extend(of.values().filter_map(|(_, means)| means.mean()));
            }
        }
        busy.sort_unstable_by(f64::total_cmp);
        all += busy.len() as u64;
        let (x, y): (Vec<f64>, Vec<f64>) = ranked(&busy).into_iter().unzip();
        lines = if busy.is_empty() { lines } else { lines.line(name, colour(scheme), &x, &y) };
    }
    lines
        .figure()
        .definition(
            "Links between switches (all links where there are none) by the share of the run in which they were busy, over all \
             seeds (at the highest load where there are several). A flat line spreads the load evenly; a steep one leaves links idle beside full ones.",
        )
        .over("links in all runs", all)
        .wide()
}

#[cfg(test)]
mod tests {
    use super::super::tables::{flow, link, run};
    use super::*;
    use serde_json::{Value, json};
    use subflow_sim::rows::Tables;

    fn sampled() -> Tables {
        let mut tables = Tables { runs: vec![run(0, "ecmp", None, 1)], ..Tables::default() };
        tables.flows.push(flow(0, 1, 1.0));
        for (time, a, b) in [(1.0, 0.25, 0.5), (2.0, 0.75, 0.5), (3.0, 0.5, 0.5)] {
            tables.links.push(link(0, (1, "agg0", "core1"), time, a));
            tables.links.push(link(0, (0, "h1", "agg0"), time, b));
        }
        tables
    }

    #[test]
    fn a_row_a_link() {
        let tables = sampled();
        let data = Data::of(&tables);
        let json: Value = serde_json::from_str(&heat(&data.runs[0], 0).to_json()).expect("JSON");
        assert_eq!(json["data"][0]["y"], json!(["agg0 → core1", "h1 → agg0"]));
        assert_eq!(json["data"][0]["x"], json!([0.5, 1.5, 2.5]));
        assert_eq!(json["data"][0]["z"], json!([[0.25, 0.75, 0.5], [0.5, 0.5, 0.5]]));
        let json: Value = serde_json::from_str(&tiers(&data.runs[0], 0).to_json()).expect("JSON");
        assert_eq!(json["data"][0]["name"], "agg → core");
        assert_eq!(json["data"][1]["y"], json!([0.5, 0.5, 0.5]));
    }

    #[test]
    fn links_of_hosts_are_not_compared() {
        let mut tables = sampled();
        assert!(across(&Data::of(&tables)).is_empty(), "one link is not ranked");
        for id in 2..9 {
            tables.links.push(link(0, (id, "agg0", "core2"), 1.0, 0.125 * f64::from(id)));
        }
        let json: Value = serde_json::from_str(&across(&Data::of(&tables)).to_json()).expect("JSON");
        let expected = json!([0.25, 0.375, 0.5, 0.5, 0.625, 0.75, 0.875, 1.0]);
        assert_eq!(
            json["data"][0]["y"], expected,
            "agg0 → core1 has a mean of .5, and h1 → agg0 is left out"
        );
    }

    #[test]
    fn of_many_links_the_busiest_are_shown() {
        let mut tables = sampled();
        for id in 2..100 {
            let utilisation = f64::from(id) / 100.0;
            tables.links.push(link(0, (id, "agg0", &format!("core{id}")), 1.0, utilisation));
        }
        let json: Value = serde_json::from_str(&heat(&Data::of(&tables).runs[0], 0).to_json()).expect("JSON");
        let names = json["data"][0]["y"].as_array().expect("names");
        assert_eq!(names.len(), MOST_ROWS);
        assert_eq!((names[0].as_str(), names[39].as_str()), (Some("agg0 → core60"), Some("agg0 → core99")));
    }

    #[test]
    fn tiers_are_what_names_begin_with() {
        assert_eq!(
            ["agg0.1", "core12", "access-point", "wifi-1"].map(tier),
            ["agg", "core", "access-point", "wifi"]
        );
    }
}
