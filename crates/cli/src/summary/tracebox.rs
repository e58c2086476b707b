//! What paths do to Multipath TCP, on the terminal.

use super::percent;
use super::sheet::Sheet;
use super::verify::folded;
use crate::settings::Probing;
use crate::text::{counted, grouped, seconds};
use std::net::{IpAddr, SocketAddr};
use subflow_probe::rows::{Category, Traced};
use subflow_probe::trace::Concluded;
use subflow_report::tracebox::{Collected, Kept, Line, Lookups, Path, Place, Totals, words};

/// Up to so many targets each gets its table of hops.
const PATHS: usize = 4;
/// Up to so many get a line each.
const LINES: usize = 1000;
/// Places of boxes that are told.
const BOXES: usize = 20;

/// The report; with `all_paths` every target has its table of hops.
pub(crate) fn report(found: &Collected, lookups: &Lookups, all_paths: bool) -> String {
    let kept = found.kept();
    let mut parts = Vec::new();
    if all_paths || (kept.len() <= PATHS && found.left_out() == 0) {
        parts.extend(kept.iter().map(|kept| path(&kept.rows, lookups)));
    } else {
        parts.push(lines(kept, found.left_out()));
    }
    if found.totals.targets > 1 {
        parts.extend([categories(&found.totals), behaviours(&found.totals), boxes(&found.totals, lookups)]);
    }
    parts.retain(|part| !part.is_empty());
    parts.join("\n")
}

/// One target: its hops, and the sentence.
pub(crate) fn path(rows: &Concluded, lookups: &Lookups) -> String {
    let target = &rows.target;
    let path = Path::of(rows, lookups);
    let named = path.lines.iter().any(|line| line.name.is_some());
    let operated = path.lines.iter().any(|line| line.operator.is_some());
    let (asked, control) = (path.names(true), path.names(false));
    let (asking, controlled) = (!asked.is_empty(), !control.is_empty());
    let asked = format!("with MPTCP ({asked})");
    let control = if control == "plain" { "plain TCP".to_owned() } else { format!("control ({control})") };
    let mut header = vec!["hop", "address"];
    header.extend(named.then_some("name"));
    header.extend(operated.then_some("operator"));
    header.extend(["RTT", "quoted"]);
    header.extend(asking.then_some(asked.as_str()));
    header.extend(controlled.then_some(control.as_str()));
    let mut sheet = Sheet::new(&header, header.len());
    for (place, line) in path.lines.iter().enumerate() {
        let mut cells = vec![line.number(), addrs(line)];
        if named {
            cells.push(line.name.unwrap_or_default().to_owned());
        }
        if operated {
            cells.push(line.operator.unwrap_or_default().to_owned());
        }
        cells.push(line.rtt.map(seconds).unwrap_or_default());
        let labels = line.mpls.map(|labels| format!(", MPLS {labels}")).unwrap_or_default();
        cells.push(line.quote.map(words::quote).unwrap_or_default().to_owned() + &labels);
        if asking {
            cells.push(path.words(place, true));
        }
        if controlled {
            cells.push(path.words(place, false));
        }
        sheet.row(cells);
    }
    let name = lookups.name(target.addr).map(|name| format!(" ({name})")).unwrap_or_default();
    let head = format!("{}{name}: {}", end(target), verdict(target));
    let mut text = sheet.under(&head);
    if text.is_empty() {
        text = format!("{head}\n");
    }
    for back in &path.back {
        text.push_str(&folded("  on the way back:", back));
    }
    text.push_str(&folded(" ", &words::sentence(rows)));
    text
}

/// `middlebox, strips, high confidence`.
fn verdict(row: &Traced) -> String {
    let category = words::category(row.category);
    match (row.category, row.behaviour) {
        (Category::Unresponsive, _) | (_, None) => category.to_owned(),
        (_, behaviour) => {
            format!("{category}, {} ({} confidence)", words::behaviour(behaviour), row.confidence)
        }
    }
}

fn addrs(line: &Line<'_>) -> String {
    match line.addrs.as_slice() {
        [] => "*".to_owned(),
        all => all.iter().map(IpAddr::to_string).collect::<Vec<_>>().join(" "),
    }
}

fn end(row: &Traced) -> SocketAddr {
    SocketAddr::new(row.addr, row.port)
}

/// A line a target.
fn lines(kept: &[Kept], left_out: u64) -> String {
    let mut sheet = Sheet::new(&["target", "category", "the path", "where", "sure"], 5);
    for kept in kept.iter().take(LINES) {
        let row = &kept.rows.target;
        sheet.row([
            end(row).to_string(),
            words::category(row.category).to_owned(),
            words::behaviour(row.behaviour).to_owned(),
            hops(row),
            row.confidence.to_string(),
        ]);
    }
    let mut text = sheet.under("Targets");
    let more = left_out + kept.len().saturating_sub(LINES) as u64;
    if more > 0 {
        text.push_str(&format!("  and {} more: -o DIR keeps all\n", grouped(more)));
    }
    text
}

/// `hop 4–5`.
fn hops(row: &Traced) -> String {
    match (row.after_hop, row.before_hop) {
        (Some(after), Some(before)) => format!("hop {after}–{before}"),
        (None, Some(before)) => format!("before hop {before}"),
        (Some(after), None) => format!("behind hop {after}"),
        (None, None) => row.direction.map(words::direction).unwrap_or_default().to_owned(),
    }
}

fn categories(totals: &Totals) -> String {
    let mut sheet = Sheet::new(&["category", "meaning", "targets", "share"], 2);
    for &category in Category::ALL {
        let count = totals.of(category);
        sheet.row([
            words::category(category).to_owned(),
            words::category_meaning(category).to_owned(),
            grouped(count),
            percent(count, totals.targets),
        ]);
    }
    let probes = counted(totals.probes, "probe");
    sheet.under(&format!(
        "{}, {probes}, {}",
        counted(totals.targets, "target"),
        counted(totals.answers, "answer")
    ))
}

fn behaviours(totals: &Totals) -> String {
    let mut sheet = Sheet::new(&["category", "the path", "meaning", "targets", "share"], 3);
    for ((category, behaviour), count) in totals.behaviours() {
        if category == Category::Unresponsive {
            continue;
        }
        sheet.row([
            words::category(category).to_owned(),
            words::behaviour(behaviour).to_owned(),
            words::behaviour_meaning(behaviour).to_owned(),
            grouped(count),
            percent(count, totals.targets),
        ]);
    }
    sheet.under("Behaviours")
}

fn boxes(totals: &Totals, lookups: &Lookups) -> String {
    let mut sheet = Sheet::new(&["behind", "before", "it", "targets"], 3);
    let places = totals.places();
    let addr = |addr: Option<IpAddr>, none: &str| match addr {
        Some(addr) => match lookups.operator(addr).or_else(|| lookups.name(addr)) {
            Some(name) => format!("{addr} ({name})"),
            None => addr.to_string(),
        },
        None => none.to_owned(),
    };
    for &(Place { after, before, behaviour }, count) in places.iter().take(BOXES) {
        sheet.row([
            addr(after, "the sender, or silent hops"),
            addr(before, "the target"),
            words::behaviour(behaviour).to_owned(),
            grouped(count),
        ]);
    }
    let mut text = sheet.under("Where boxes are");
    let more = places.len().saturating_sub(BOXES) as u64;
    if more > 0 {
        text.push_str(&format!("  and {} more\n", grouped(more)));
    }
    text
}

/// The same in a line.
pub(crate) fn in_a_line(totals: &Totals) -> String {
    let parts: Vec<String> = Category::ALL
        .iter()
        .map(|&category| (totals.of(category), category))
        .filter(|(count, _)| *count > 0)
        .map(|(count, category)| format!("{} {}", grouped(count), words::category(category)))
        .collect();
    format!("{}: {}", counted(totals.targets, "target"), parts.join(", "))
}

/// What would be probed.
pub(crate) fn dry_run(probing: &Probing) -> String {
    let mut text = "Dry run: nothing was sent\n".to_owned();
    let mut line = |name: &str, value: &str| text.push_str(&format!("  {name:<18}{value}\n"));
    let left_out = match probing.left_out {
        (0, _) => String::new(),
        (others, 0) => format!("; {} are of no interest", grouped(others as u64)),
        (others, mirrors) => {
            format!(
                "; {} are of no interest, {} of them only mirror",
                grouped(others as u64),
                grouped(mirrors as u64)
            )
        }
    };
    line("targets", &(grouped(probing.targets.len() as u64) + &left_out));
    line("public addresses", &grouped(probing.public as u64));
    let settings = &probing.settings;
    let mut asks: Vec<&str> = settings.asks.iter().map(|asks| asks.as_str()).collect();
    if !asks.contains(&"plain") {
        asks.push("plain");
    }
    asks.extend(settings.data.then_some("data"));
    line("probes", &asks.join(", "));
    line("hop limits", &format!("{} to {}", settings.min_hop, settings.max_hop));
    line("flows", &settings.flows.to_string());
    line(
        "waiting",
        &format!("up to {}, {} more tries", seconds(settings.wait.as_secs_f64()), settings.retries),
    );
    match probing.rate {
        Some(rate) => line("rate", &format!("{} packets/s", grouped(rate.round() as u64))),
        None => line("rate", "as fast as it goes"),
    }
    line("contact", probing.contact.as_deref().unwrap_or("none (--contact)"));
    for (number, target) in probing.targets.iter().take(5).enumerate() {
        let place = SocketAddr::new(target.addr, target.port).to_string();
        line(if number == 0 { "first targets" } else { "" }, &place);
    }
    text
}
