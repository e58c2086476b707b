//! The page on paths.

use super::collect::{Collected, Kept};
use super::data;
use super::lookups::Lookups;
use super::path::Path;
use super::totals::{Place, Totals};
use super::words;
use crate::error::Error;
use crate::page::{Block, Cell, Column, Fact, Finding, Page, Section, Table, Tone};
use crate::text::{counted, grouped, percent, seconds};
use askama::Template;
use std::io::Write;
use std::net::{IpAddr, SocketAddr};
use subflow_probe::rows::{Category, Traced};

/// Up to so many targets stand in the page one below the other; of more there is a list to choose from.
pub(super) const FEW: usize = 4;
/// Networks and boxes that are listed: those with the most affected targets.
const MOST_LISTED: usize = 1000;
/// The page's own script.
const SCRIPT: &str = include_str!("../../assets/tracebox.js");

/// The list of targets, with the dialog for one.
#[derive(Template)]
#[template(path = "traces.html")]
struct List;

/// Where the flow of targets is drawn.
#[derive(Template)]
#[template(path = "flow.html")]
struct Flow<'a> {
    label: &'a str,
}

/// Where a path is drawn.
#[derive(Template)]
#[template(path = "path.html")]
struct Drawn {
    place: usize,
}

/// Writes the page to a file, which appears under its name only when it is whole; `source` says where the paths come from.
///
/// # Errors
/// Where the file cannot be written.
pub fn tracebox_report(
    found: &Collected,
    lookups: &Lookups,
    source: &str,
    path: &std::path::Path,
) -> Result<(), Error> {
    crate::file::whole(path, |out| write_tracebox(found, lookups, source, out))
}

/// Writes the page.
///
/// # Errors
/// Where the writer fails.
pub fn write_tracebox<W: Write>(
    found: &Collected,
    lookups: &Lookups,
    source: &str,
    out: &mut W,
) -> Result<(), Error> {
    page(found, lookups, source).write(out)
}

fn page(found: &Collected, lookups: &Lookups, source: &str) -> Page {
    let page = Page::new("Paths and their boxes", source);
    let totals = &found.totals;
    if totals.targets == 0 {
        return page.section(Section::new("short", "In short").empty("No target was looked at."));
    }
    let mut page = page.section(short(found));
    if !few(found) {
        page = page.section(kinds(totals)).data("flow", &data::flow(totals).to_string());
    }
    page = if few(found) {
        let sections = found.kept().iter().enumerate().map(|(place, kept)| one(place, kept, lookups));
        sections.fold(page, Page::section)
    } else {
        page.section(list(found))
    };
    if !few(found) {
        page = [boxes(totals, lookups), networks(totals)].into_iter().flatten().fold(page, Page::section);
    }
    page.data("traces", &data::traces(found, lookups).to_string()).script(SCRIPT)
}

fn few(found: &Collected) -> bool {
    found.kept().len() <= FEW && found.left_out() == 0
}

pub(super) fn end(row: &Traced) -> String {
    SocketAddr::new(row.addr, row.port).to_string()
}

fn tone(category: Category) -> Tone {
    match category {
        Category::True => Tone::Good,
        Category::MiddleboxAffected => Tone::Bad,
        Category::Plain => Tone::Plain,
        Category::Unresponsive => Tone::Care,
    }
}

fn short(found: &Collected) -> Section {
    let totals = &found.totals;
    let all = totals.targets;
    let of = |&category: &Category| {
        let count = totals.of(category);
        let note = format!("{}: {}", percent(count, all), words::category_meaning(category));
        Fact::new(words::category(category), grouped(count), note)
    };
    let mut facts: Vec<Fact> = match found.kept() {
        [one] => of_one(&one.rows.target),
        _ => Category::ALL.iter().map(of).collect(),
    };
    let mut answers = format!("{} verified", counted(totals.answers, "answer"));
    if totals.rejected > 0 {
        answers.push_str(&format!(", {} rejected", grouped(totals.rejected)));
    }
    facts.push(Fact::new("probes", grouped(totals.probes), answers));
    let findings = if few(found) {
        let finding = |kept: &Kept| {
            let row = &kept.rows.target;
            let sentence = words::sentence(&kept.rows);
            Finding { tone: tone(row.category), words: format!("{}: {sentence}", end(row)) }
        };
        found.kept().iter().map(finding).collect()
    } else {
        overall(totals)
    };
    Section::new("short", "In short").block(Block::Facts(facts)).block(Block::Findings(findings))
}

/// The verdict on the only target.
fn of_one(row: &Traced) -> Vec<Fact> {
    let place = |hop: Option<u8>, addr: Option<IpAddr>| match (hop, addr) {
        (Some(0), _) => "the sender".to_owned(),
        (Some(hop), Some(addr)) => format!("hop {hop} ({addr})"),
        (Some(hop), None) => format!("hop {hop}"),
        (None, _) => "unknown".to_owned(),
    };
    let mut facts = vec![
        Fact::new("category", words::category(row.category), words::category_meaning(row.category)),
        Fact::new("the path", words::behaviour(row.behaviour), words::behaviour_meaning(row.behaviour)),
    ];
    if row.after_hop.is_some() || row.before_hop.is_some() {
        let (after, before) = (place(row.after_hop, row.after_addr), place(row.before_hop, row.before_addr));
        let hops = |hop: Option<u8>| hop.map_or_else(|| "?".to_owned(), |hop| hop.to_string());
        let value = format!("hop {}–{}", hops(row.after_hop), hops(row.before_hop));
        facts.push(Fact::new("where", value, format!("between {after} and {before}")));
    }
    facts.push(Fact::new("confidence", row.confidence.as_str(), &row.evidence));
    if let Some(rtt) = row.rtt_min {
        let hops = row.syn_ack_hops.map(|hops| format!("answered from {}", counted(u64::from(hops), "hop")));
        facts.push(Fact::new("round trip", seconds(rtt), hops.unwrap_or_default()));
    }
    facts
}

/// What many targets come to, in sentences.
fn overall(totals: &Totals) -> Vec<Finding> {
    let all = totals.targets;
    let mut findings = Vec::new();
    let supporting = totals.of(Category::True);
    findings.push(Finding {
        tone: if supporting > 0 { Tone::Good } else { Tone::Plain },
        words: format!(
            "{} of {} ({}) support Multipath TCP themselves, and nothing on the way keeps it from them.",
            grouped(supporting),
            counted(all, "target"),
            percent(supporting, all)
        ),
    });
    let affected = totals.of(Category::MiddleboxAffected);
    if affected > 0 {
        let most = totals
            .behaviours()
            .into_iter()
            .filter(|((category, _), _)| *category == Category::MiddleboxAffected);
        let most = most.max_by_key(|(_, count)| *count);
        let most = most.map(|((_, behaviour), count)| {
            format!(" Most often ({}): {}.", grouped(count), words::behaviour_meaning(behaviour))
        });
        findings.push(Finding {
            tone: Tone::Bad,
            words: format!(
                "{} ({}) are affected by a box on the way.{}",
                counted(affected, "target"),
                percent(affected, all),
                most.unwrap_or_default()
            ),
        });
    }
    if let Some((place, count)) = totals.places().first().filter(|(_, count)| *count > 1) {
        let addr =
            |addr: Option<IpAddr>, none: &str| addr.map_or_else(|| none.to_owned(), |addr| addr.to_string());
        findings.push(Finding {
            tone: Tone::Care,
            words: format!(
                "The box with the most targets behind it ({}) stands between {} and {}.",
                grouped(*count),
                addr(place.after, "the sender"),
                addr(place.before, "the targets")
            ),
        });
    }
    findings
}

/// Categories and behaviours, and how targets flow to them.
fn kinds(totals: &Totals) -> Section {
    let columns = [
        Column::text("category"),
        Column::text("the path"),
        Column::text("meaning"),
        Column::number("targets"),
        Column::number("share"),
    ];
    let mut table = Table::new("behaviours", "Categories and behaviours", columns).definition(
        "What the path makes of Multipath TCP, and what the boxes on it do. Each target is counted once.",
    );
    for ((category, behaviour), count) in totals.behaviours() {
        let meaning = match category {
            Category::Unresponsive => words::category_meaning(category),
            _ => words::behaviour_meaning(behaviour),
        };
        table.push([
            Cell::new(words::category(category), category.as_str()),
            Cell::new(words::behaviour(behaviour), behaviour.map_or("", |behaviour| behaviour.as_str())),
            Cell::text(meaning),
            Cell::count(count),
            Cell::part(count, totals.targets),
        ]);
    }
    let label = if totals.is_known_before() {
        "From what was known before to what the path does, and to the category"
    } else {
        "From what the path does to the category"
    };
    // The template holds nothing that could be wrong with it.
    let drawn = Flow { label }.render().unwrap_or_default();
    Section::new("kinds", "Categories").block(Block::Markup(drawn)).table(table)
}

/// One target in full.
fn one(place: usize, kept: &Kept, lookups: &Lookups) -> Section {
    let row = &kept.rows.target;
    let name = lookups.name(row.addr).map(|name| format!(" ({name})")).unwrap_or_default();
    let drawn = Drawn { place }.render().unwrap_or_default();
    Section::new(&format!("path-{place}"), &format!("{}{name}", end(row)))
        .text(words::sentence(&kept.rows))
        .block(Block::Markup(drawn))
        .table(hops(place, kept, lookups))
        .text(format!("Evidence: {} (confidence: {}).", row.evidence, row.confidence))
}

/// Hops of one target.
fn hops(place: usize, kept: &Kept, lookups: &Lookups) -> Table {
    let path = Path::of(&kept.rows, lookups);
    let mut columns = vec![
        Column::number("hop"),
        Column::text("address"),
        Column::text("name"),
        Column::text("operator"),
        Column::number("RTT"),
        Column::text("quoted"),
    ];
    columns.extend(path.lanes.iter().map(|lane| Column::text(&lane.name)));
    let mut table = Table::new(&format!("hops-{place}"), "Hop by hop", columns).definition(
        "A router quotes the beginning of a probe that ends there, as it arrived: a change shows in the quotes of all hops behind it. \
         The plain SYN is the control run.",
    );
    for (at, line) in path.lines.iter().enumerate() {
        let addrs: Vec<String> = line.addrs.iter().map(ToString::to_string).collect();
        let text = |text: Option<&str>| text.map_or_else(Cell::unknown, Cell::text);
        let mut cells = vec![
            Cell::new(line.number(), line.hop.to_string()),
            if addrs.is_empty() { Cell::text("no answer") } else { Cell::text(addrs.join(" ")) },
            text(line.name),
            text(line.operator),
            Cell::seconds(line.rtt),
            text(line.quote.map(words::quote)),
        ];
        cells.extend(path.lanes.iter().map(|lane| lane.words(at).map_or_else(Cell::unknown, Cell::text)));
        table.push(cells);
    }
    table.without_unknown()
}

fn list(found: &Collected) -> Section {
    let mut text = "Choose a target to see its path.".to_owned();
    if found.left_out() > 0 {
        text = format!(
            "These are {} of {}, affected ones before others; the tables of the run hold all of them. {text}",
            grouped(found.kept().len() as u64),
            counted(found.totals.targets, "target"),
        );
    }
    Section::new("targets", "Targets").text(text).block(Block::Markup(List.render().unwrap_or_default()))
}

fn boxes(totals: &Totals, lookups: &Lookups) -> Option<Section> {
    let places = totals.places();
    if places.is_empty() {
        return None;
    }
    let columns = [
        Column::text("last hop before it"),
        Column::text("first hop behind it"),
        Column::text("operator"),
        Column::text("it"),
        Column::number("targets"),
    ];
    let mut table = Table::new("boxes", "Where boxes are", columns).definition(
        "A box stands between two hops that answered, or is one of them. Targets with the same two hops are behind the same box.",
    );
    for &(Place { after, before, behaviour }, count) in places.iter().take(MOST_LISTED) {
        let cell = |addr: Option<IpAddr>, none: &str| match addr {
            Some(addr) => Cell::text(addr.to_string()),
            None => Cell::new(none, ""),
        };
        let operator =
            before.or(after).and_then(|addr| lookups.operator(addr).or_else(|| lookups.name(addr)));
        table.push([
            cell(after, "the sender, or silent hops"),
            cell(before, "the target"),
            operator.map_or_else(Cell::unknown, Cell::text),
            Cell::text(words::behaviour(behaviour)),
            Cell::count(count),
        ]);
    }
    if places.len() > 15 {
        table = table.tall();
    }
    let section = Section::new("boxes", "Boxes").table(table.without_unknown());
    let more = totals.other_boxes + places.iter().skip(MOST_LISTED).map(|(_, count)| count).sum::<u64>();
    Some(if more > 0 {
        section.text(format!("{} are behind others.", counted(more, "more target")))
    } else {
        section
    })
}

fn networks(totals: &Totals) -> Option<Section> {
    if totals.networks.len() < 2 {
        return None;
    }
    let mut columns = vec![Column::text("network"), Column::number("targets")];
    columns.extend(Category::ALL.iter().map(|&category| Column::number(words::category(category))));
    columns.push(Column::text("boxes"));
    let mut table = Table::new("networks", "By network", columns).definition(
        "Networks of the targets: /24 of IPv4, /48 of IPv6. Boxes: what was done to affected targets, and to how many.",
    );
    let mut list: Vec<_> = totals.networks.iter().collect();
    list.sort_by_key(|(network, counts)| {
        (std::cmp::Reverse(counts.of(Category::MiddleboxAffected)), **network)
    });
    for (network, counts) in list.iter().take(MOST_LISTED) {
        let mut cells = vec![Cell::text(network.to_string()), Cell::count(counts.targets())];
        cells.extend(Category::ALL.iter().map(|&category| Cell::count(counts.of(category))));
        let boxes: Vec<String> = counts
            .behaviours()
            .into_iter()
            .map(|(behaviour, count)| format!("{} ({})", words::behaviour(behaviour), grouped(count)))
            .collect();
        cells.push(if boxes.is_empty() { Cell::unknown() } else { Cell::text(boxes.join(", ")) });
        table.push(cells);
    }
    if list.len() > 15 {
        table = table.tall();
    }
    let section = Section::new("networks", "Networks").table(table.without_unknown());
    let more = list.len().saturating_sub(MOST_LISTED) as u64;
    Some(if more > 0 { section.text(format!("{} more have fewer.", grouped(more))) } else { section })
}

/// A shortest time for people.
pub(super) fn rtt(rtt: Option<f64>) -> String {
    rtt.map(seconds).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{stripped, traced};
    use super::*;
    use subflow_probe::rows::Behaviour;
    use subflow_probe::trace::Concluded;

    fn written(found: &Collected, lookups: &Lookups) -> String {
        let mut out = Vec::new();
        write_tracebox(found, lookups, "<b>a scan", &mut out).expect("a page");
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn nothing_is_said_in_a_sentence() {
        let page = written(&Collected::default(), &Lookups::default());
        assert!(page.contains("No target was looked at.") && page.contains("&#60;b&#62;a scan"));
    }

    #[test]
    fn a_few_targets_stand_below_one_another() {
        let mut found = Collected::default();
        found.add(stripped(), "");
        let mut lookups = Lookups::default();
        let hostile = "</script><script>alert(1)</script>";
        lookups.names.insert("10.5.2.254".parse().expect("an address"), hostile.to_owned());
        let page = written(&found, &lookups);
        assert!(page.contains("<section id=\"path-0\"") && page.contains("data-path=\"0\""));
        assert!(page.contains("MPTCP option padded over") && page.contains("id=\"hops-0\""));
        assert!(
            page.contains("hop 1–2") && page.contains("between hop 1 (10.5.1.254) and hop 2 (10.5.2.254)")
        );
        assert!(!page.contains("<section id=\"targets\"") && !page.contains("plotly.js v"));
        assert!(!page.contains(hostile) && page.contains("&#60;/script&#62;"));
    }

    #[test]
    fn many_targets_are_a_list_with_networks_and_boxes() {
        let mut found = Collected::default();
        for number in 0..20 {
            let mut rows = stripped();
            rows.target.addr = IpAddr::from([10, 5, number, 1]);
            found.add(rows, "supports_v1");
            let mut target = traced(Category::True, Some(Behaviour::PassThrough));
            target.addr = IpAddr::from([10, 6, number, 1]);
            found.add(Concluded { target, hops: Vec::new(), modifications: Vec::new() }, "supports_v1");
        }
        let page = written(&found, &Lookups::default());
        for id in ["short", "kinds", "targets", "boxes", "networks"] {
            assert!(page.contains(&format!("<section id=\"{id}\"")), "{id}");
        }
        assert!(page.contains("20 of 40 targets (50.0 %) support Multipath TCP themselves"));
        assert!(page.contains("id=\"data-flow\"") && page.contains("id=\"data-traces\""));
        assert!(page.contains("10.5.7.0/24"));
    }
}
