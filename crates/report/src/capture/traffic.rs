//! How much traffic there is, to which services, and what was read.

use super::Source;
use super::answers::{long, moment};
use crate::figure::{Axis, Bars, Colour, Unit};
use crate::page::{Cell, Column, Section, Table};
use crate::text::{counted, grouped};
use subflow_analysis::summary::{Amount, Summary};

/// Issues that are shown one by one.
const MOST_ISSUES: usize = 500;

pub(super) fn section(summary: &Summary) -> Section {
    let section = Section::new("traffic", "Traffic and services");
    if summary.tcp.total.packets == 0 {
        return section.empty("No TCP packet was found.");
    }
    let mut table = Table::new(
        "traffic-table",
        "All TCP, and the part of it that belongs to MPTCP connections",
        [
            Column::text("traffic"),
            Column::number("packets"),
            Column::number("IPv4 packets"),
            Column::number("IPv6 packets"),
            Column::number("bytes"),
            Column::number("IPv4 bytes"),
            Column::number("IPv6 bytes"),
        ],
    )
    .definition(
        "Bytes from the IP header onward. A packet is MPTCP when it belongs to a subflow of a known MPTCP connection, \
         whether or not it carries the option itself.",
    );
    for (name, by) in [("all TCP", summary.tcp), ("MPTCP", summary.mptcp)] {
        let amounts = [by.total, by.ipv4, by.ipv6];
        let packets = amounts.map(|amount| Cell::count(amount.packets));
        let bytes = amounts.map(|amount| Cell::bytes(amount.bytes));
        table.push([Cell::text(name)].into_iter().chain(packets).chain(bytes));
    }
    let share = |of: fn(&Amount) -> u64| {
        let pairs = [
            (summary.mptcp.total, summary.tcp.total),
            (summary.mptcp.ipv4, summary.tcp.ipv4),
            (summary.mptcp.ipv6, summary.tcp.ipv6),
        ];
        pairs.map(|(part, whole)| Cell::part(of(&part), of(&whole)))
    };
    table.push(
        [Cell::text("share of MPTCP")]
            .into_iter()
            .chain(share(|amount| amount.packets))
            .chain(share(|amount| amount.bytes)),
    );
    section.table(table).table(services(summary)).figures([used(summary)])
}

fn services(summary: &Summary) -> Table {
    let mut table = Table::new(
        "services-table",
        "Services",
        [
            Column::text("service"),
            Column::number("MPTCP connections"),
            Column::number("share"),
            Column::number("MPTCP packets"),
            Column::number("MPTCP bytes"),
            Column::number("TCP packets"),
            Column::number("TCP bytes"),
        ],
    )
    .definition(
        "By the port that was connected to. Connections are established MPTCP connections; their share is of all of \
         these.",
    );
    let mut services: Vec<_> = summary.services.iter().collect();
    services.sort_by_key(|(_, service)| std::cmp::Reverse((service.connections, service.mptcp.bytes)));
    for (name, service) in services {
        table.push([
            Cell::text(*name),
            Cell::count(service.connections),
            Cell::part(service.connections, summary.established),
            Cell::count(service.mptcp.packets),
            Cell::bytes(service.mptcp.bytes),
            Cell::count(service.tcp.packets),
            Cell::bytes(service.tcp.bytes),
        ]);
    }
    table
}

fn used(summary: &Summary) -> crate::figure::Figure {
    let mut services: Vec<_> =
        summary.services.iter().filter(|(_, service)| service.connections > 0).collect();
    services.sort_by_key(|(_, service)| std::cmp::Reverse(service.connections));
    let height = 110 + 30 * u32::try_from(services.len()).unwrap_or(20);
    Bars::lying(
        "services",
        "Established connections by service",
        Axis::new("connections", Unit::Count),
        Axis::new("", Unit::Name),
    )
    .series(
        "connections",
        Colour::Subflow(0),
        services.iter().map(|(name, service)| (**name, service.connections as f64)),
    )
    .figure()
    .definition("Established MPTCP connections by the port that was connected to.")
    .over("established MPTCP connections", summary.established)
    .alternative(&services.first().map_or_else(String::new, |(name, service)| {
        format!("Most are to {name}: {} of {}.", grouped(service.connections), grouped(summary.established))
    }))
    .height(height)
    .wide()
}

/// What was read, and what could not be.
pub(super) fn read(summary: &Summary, source: &Source) -> Section {
    let mut words = format!("{} of {}", counted(source.packets, "packet"), counted(source.files, "file"));
    if let Some((first, last)) = source.span_ns {
        let duration = long(last.saturating_sub(first) as f64 / 1e9);
        words.push_str(&format!(", from {} to {} ({duration})", moment(first), moment(last)));
    }
    words.push('.');
    if source.interrupted {
        words.push_str(" Reading was ended before the end of the input: the report is incomplete.");
    }
    let mut section = Section::new("read", "What was read").text(words);
    if source.captures.len() > 1 {
        let mut table = Table::new("captures", "Captures", [Column::text("as named")]);
        source.captures.iter().for_each(|capture| table.push([Cell::text(capture)]));
        section = section.table(table);
    }
    if summary.issues.is_empty() {
        return section.empty("Everything could be read and used.");
    }
    let mut table = Table::new(
        "issues",
        "What could not be read or used",
        [
            Column::text("file"),
            Column::text("what"),
            Column::number("at byte"),
            Column::number("times"),
            Column::text("missing from the tables"),
        ],
    )
    .definition(
        "Per file and reason, with the first place. What is not missing is an oddity that was dealt with, such as \
         copies of packets or disorder.",
    );
    for issue in summary.issues.iter().take(MOST_ISSUES) {
        table.push([
            Cell::text(issue.file.clone()),
            Cell::text(issue.reason.clone()),
            issue.offset.map_or_else(Cell::unknown, Cell::count),
            Cell::count(issue.count),
            Cell::text(if issue.lost { "yes" } else { "no" }),
        ]);
    }
    let untold = summary.issues.len().saturating_sub(MOST_ISSUES);
    section = section.table(table);
    if untold > 0 {
        let more = counted(u64::try_from(untold).unwrap_or(u64::MAX), "more row");
        section = section.text(format!("{more} in the table issues of subflow analyze."));
    }
    section
}
