//! The distributions that the server-trace studies print.

use crate::figure::{Axis, Bars, Cdf, Colour, Unit};
use crate::page::{Cell, Column, Section, Table};
use crate::text::{bytes, counted, grouped, seconds};
use std::collections::BTreeMap;
use subflow_analysis::summary::{Distribution, SizeClass, Summary};

/// Points of a curve: more than a screen has columns of pixels.
const POINTS: usize = 1000;
/// Numbers of subflows that have a bar of their own.
const MOST_BARS: u32 = 8;

pub(super) fn subflows(summary: &Summary) -> Section {
    let section = Section::new("subflows", "Subflows");
    let states: u64 = summary.states.values().sum();
    if states == 0 {
        return section.empty("There is no MPTCP subflow in this capture.");
    }
    let mut table = Table::new(
        "states",
        "What became of subflows",
        [Column::text("state"), Column::number("subflows"), Column::number("share"), Column::text("meaning")],
    )
    .definition("Every subflow of every MPTCP connection, the initial ones included.");
    for (state, &count) in &summary.states {
        table.push([
            Cell::text(state.as_str()),
            Cell::count(count),
            Cell::part(count, states),
            Cell::text(state_in_words(state.as_str())),
        ]);
    }
    let one = summary.subflows.get(&1).copied().unwrap_or(0);
    let figure = Bars::upright(
        "subflows-per-connection",
        "Subflows per connection",
        Axis::new("subflows", Unit::Name),
        Axis::new("connections", Unit::Count),
    )
    .series("attempted", Colour::Subflow(1), binned(summary, &summary.attempted))
    .series("established", Colour::Subflow(0), binned(summary, &summary.subflows))
    .figure()
    .definition(
        "Attempted: a SYN with MP_CAPABLE or MP_JOIN was seen. Established: its three-way handshake completed (of a \
         join: the third ACK with the HMAC was seen, or data acknowledged later).",
    )
    .over("established MPTCP connections", summary.established)
    .alternative(&format!("{} of {} used one subflow.", grouped(one), counted(summary.established, "connection")))
    .height(320)
    .wide();
    section.figures((summary.established > 0).then_some(figure)).table(table)
}

/// Connections by number of subflows, those with many in one bar.
fn binned(summary: &Summary, counts: &BTreeMap<u32, u64>) -> Vec<(String, f64)> {
    let most = summary.attempted.keys().chain(summary.subflows.keys()).max().copied().unwrap_or(1);
    let mut bars: Vec<_> = (1..=most.min(MOST_BARS))
        .map(|subflows| (subflows.to_string(), counts.get(&subflows).copied().unwrap_or(0) as f64))
        .collect();
    if most > MOST_BARS {
        let more: u64 = counts.range(MOST_BARS + 1..).map(|(_, count)| count).sum();
        bars.push((format!("> {MOST_BARS}"), more as f64));
    }
    bars
}

fn state_in_words(state: &str) -> &'static str {
    match state {
        "established" => "its handshake completed",
        "syn_lost" => "nothing answered the SYN",
        "refused" => "the SYN was answered by a reset",
        "reset" => "a SYN/ACK, then a reset before it was established",
        "unconfirmed" => "a SYN/ACK, but no right confirmation",
        "stripped" => "a join was answered without MP_JOIN",
        "midstream" => "its handshake is not in the capture",
        _ => "",
    }
}

pub(super) fn addresses(summary: &Summary) -> Section {
    let section = Section::new("addresses", "Announced addresses");
    if summary.announced.is_empty() {
        return section.empty("No connection announced an address.");
    }
    let count = |addresses: usize| u64::try_from(addresses).unwrap_or(u64::MAX);
    let family = |class: &str| class.split(' ').next().unwrap_or_default().to_owned();
    let mut whole: BTreeMap<String, u64> = BTreeMap::new();
    for (class, announced) in &summary.announced {
        *whole.entry(family(class)).or_default() += count(announced.addresses.len());
    }
    let mut table = Table::new(
        "addresses-table",
        "Announced addresses by class",
        [
            Column::text("class"),
            Column::number("addresses"),
            Column::number("share of its family"),
            Column::number("announcements"),
            Column::number("joined later"),
        ],
    )
    .definition(
        "Distinct addresses of ADD_ADDR options, and how often they were announced. Echoes are no announcements. \
         Joined: a SYN to the address followed.",
    );
    for (class, announced) in &summary.announced {
        let addresses = count(announced.addresses.len());
        table.push([
            Cell::text(*class),
            Cell::count(addresses),
            Cell::part(addresses, whole.get(&family(class)).copied().unwrap_or(0)),
            Cell::count(announced.announcements),
            Cell::count(announced.joined),
        ]);
    }
    let all: u64 = whole.values().sum();
    let height = 110 + 32 * u32::try_from(summary.announced.len()).unwrap_or(20);
    let figure = Bars::lying(
        "addresses-by-class",
        "Distinct announced addresses by class",
        Axis::new("addresses", Unit::Count),
        Axis::new("", Unit::Name),
    )
    .series(
        "addresses",
        Colour::Subflow(2),
        summary.announced.iter().map(|(class, announced)| (*class, announced.addresses.len() as f64)),
    )
    .figure()
    .definition("Classes follow the IANA registries of special-purpose addresses.")
    .over("distinct announced addresses", all)
    .height(height)
    .wide();
    section
        .text(format!(
            "{} announced an address, at most {} on one.",
            counted(summary.announcing, "connection"),
            summary.most_announced
        ))
        .figures([figure])
        .table(table)
}

pub(super) fn delays(summary: &Summary) -> Section {
    let mut section = Section::new("delays", "Delays");
    let axis = |title| Axis::new(title, Unit::Seconds).log();
    let (join, spread) = (&summary.join_delay, &summary.rtt_spread);
    let cuts = |cdf: Cdf, cuts: &[f64]| cuts.iter().fold(cdf, |cdf, &cut| cdf.cut(cut));
    let join_figure = cuts(
        Cdf::new("join-delay", "Delay of the second subflow", axis("delay"))
            .line("second subflow", &join.curve(POINTS)),
        &[0.2, 1.0, 60.0, 3600.0],
    )
    .figure()
    .definition(
        "Start of the second subflow minus start of the initial one: the smallest positive delay among joins that \
         were not refused, reset, lost or stripped.",
    )
    .over("connections with a second subflow", join.count())
    .alternative(&in_words(join, seconds));
    let spread_figure = cuts(
        Cdf::new("rtt-spread", "Spread of round-trip times", axis("spread"))
            .line("connections", &spread.curve(POINTS)),
        &[0.01, 0.1, 1.0],
    )
    .figure()
    .definition(
        "Largest minus smallest mean round-trip time of a connection's subflows, over subflows with at least three \
         samples by Karn's rule.",
    )
    .over("connections with two such subflows", spread.count())
    .alternative(&in_words(spread, seconds));
    section = section.figures([join_figure, spread_figure]);
    if join.count() == 0 {
        section = section.empty("No connection got a second subflow, so there is no join delay.");
    }
    if spread.count() == 0 {
        section = section.empty(
            "No connection has two subflows with three round-trip samples each, so there is no spread.",
        );
    }
    if join.count() + spread.count() == 0 {
        return section;
    }
    section.table(quantiles(
        "delays-table",
        "Delays in numbers",
        &[("second subflow", join, in_seconds), ("spread of round-trip times", spread, in_seconds)],
    ))
}

/// Quantiles of distributions, a row each with what shows its numbers; those without numbers are left out.
fn quantiles(id: &str, caption: &str, rows: &[(&str, &Distribution, fn(f64) -> Cell)]) -> Table {
    let headings = ["median", "90 %", "99 %", "largest"].map(Column::number);
    let columns = [Column::text("of"), Column::number("n")].into_iter().chain(headings);
    let mut table = Table::new(id, caption, columns);
    for (name, numbers, cell) in rows.iter().filter(|(_, numbers, _)| numbers.count() > 0) {
        let figures = [0.5, 0.9, 0.99, 1.0].map(|q| numbers.quantile(q).map_or_else(Cell::unknown, cell));
        table.push([Cell::text(*name), Cell::count(numbers.count())].into_iter().chain(figures));
    }
    table
}

fn in_seconds(number: f64) -> Cell {
    Cell::seconds(Some(number))
}

fn in_bytes(number: f64) -> Cell {
    Cell::bytes(number.round() as u64)
}

/// `Median 250 ms, 90 % within 1.20 s, n = 12.`
fn in_words(numbers: &Distribution, show: impl Fn(f64) -> String) -> String {
    match (numbers.quantile(0.5), numbers.quantile(0.9)) {
        (Some(median), Some(most)) => {
            format!("Median {}, 90 % within {}, n = {}.", show(median), show(most), numbers.count())
        }
        _ => String::new(),
    }
}

fn whole_bytes(number: f64) -> String {
    bytes(number.round() as u64)
}

pub(super) fn sizes(summary: &Summary) -> Section {
    let section = Section::new("sizes", "Sizes and durations");
    let sizes = &summary.sizes;
    if sizes.duration.count() == 0 {
        return section.empty("No MPTCP connection was established, so there are no sizes and durations.");
    }
    let [c2s, s2c] = &sizes.bytes_by_direction;
    let size = Cdf::new(
        "connection-size",
        "Size of connections",
        Axis::new("unique data bytes", Unit::Bytes).log(),
    )
    .line("both directions", &sizes.bytes.curve(POINTS))
    .line("client to server", &c2s.curve(POINTS))
    .line("server to client", &s2c.curve(POINTS))
    .figure()
    .definition(
        "Bytes of the connection's stream, each counted once, whatever subflows carried it. A line of one \
             direction leaves out connections without data in it.",
    )
    .over("established MPTCP connections", sizes.bytes.count())
    .alternative(&in_words(&sizes.bytes, whole_bytes));
    let duration = Cdf::new(
        "connection-duration",
        "Duration of connections",
        Axis::new("duration", Unit::Seconds).log(),
    )
    .line("connections", &sizes.duration.curve(POINTS))
    .figure()
    .definition("From the first packet to the last, over all subflows.")
    .over("established MPTCP connections", sizes.duration.count())
    .alternative(&in_words(&sizes.duration, seconds));
    section.figures([size, duration]).table(quantiles(
        "sizes-table",
        "Sizes and durations in numbers",
        &[
            ("bytes, both directions", &sizes.bytes, in_bytes),
            ("bytes, client to server", c2s, in_bytes),
            ("bytes, server to client", s2c, in_bytes),
            ("duration", &sizes.duration, in_seconds),
        ],
    ))
}

pub(super) fn repeats(summary: &Summary) -> Section {
    let section = Section::new("repeats", "Sent again");
    let (reinjected, retransmitted) = (&summary.reinjected, &summary.retransmitted);
    if reinjected.connections == 0 {
        return section.empty(
            "No connection had data on two or more subflows, so nothing could be sent again on another one.",
        );
    }
    let figure = Cdf::new("repeats-fraction", "Reinjected and retransmitted share", Axis::new("share of unique bytes", Unit::Share).log())
        .line("reinjected", &reinjected.fraction.curve(POINTS))
        .line("retransmitted", &retransmitted.fraction.curve(POINTS))
        .figure()
        .definition(
            "Reinjected: bytes carried again on another subflow than the first, each copy counted. Retransmitted: \
             bytes that TCP sent again on its subflow. Both over the unique data-level bytes of the connection. \
             Connections that repeated nothing lift the beginning of a line.",
        )
        .over("connections with data on two or more subflows", reinjected.connections)
        .alternative(&format!(
            "{} of {} reinjected any, {} retransmitted any.",
            grouped(reinjected.with_any),
            counted(reinjected.connections, "connection"),
            grouped(retransmitted.with_any)
        ))
        .wide();
    let mut table = Table::new(
        "repeats-table",
        "Sent again, in numbers",
        [
            Column::text("what"),
            Column::number("connections"),
            Column::number("with any"),
            Column::number("bytes"),
            Column::number("of unique bytes"),
            Column::number("median share"),
            Column::number("90 %"),
            Column::number("largest"),
        ],
    )
    .definition("Over connections with data on two or more subflows.");
    for (name, repeats) in [("reinjected", reinjected), ("retransmitted", retransmitted)] {
        table.push([
            Cell::text(name),
            Cell::count(repeats.connections),
            Cell::count(repeats.with_any),
            Cell::bytes(repeats.bytes),
            Cell::part(repeats.bytes, repeats.unique_bytes),
            Cell::share(repeats.fraction.quantile(0.5)),
            Cell::share(repeats.fraction.quantile(0.9)),
            Cell::share(repeats.fraction.quantile(1.0)),
        ]);
    }
    let all = summary.reinjected_bytes;
    section.figures([figure]).table(table).text(format!(
        "All connections together reinjected {} from client to server and {} from server to client; TCP retransmitted {}.",
        bytes(all[0]),
        bytes(all[1]),
        bytes(summary.retransmitted_bytes)
    ))
}

pub(super) fn switching(summary: &Summary) -> Section {
    let section = Section::new("switching", "Switching between subflows");
    let sizes = &summary.sizes;
    if sizes.blocks.is_empty() {
        return section.empty("No connection with two or more established subflows carried data.");
    }
    let lines = |cdf: Cdf, of: &BTreeMap<SizeClass, Distribution>| {
        of.iter().fold(cdf, |cdf, (class, numbers)| cdf.line(class.as_str(), &numbers.curve(POINTS)))
    };
    let n = |of: &BTreeMap<SizeClass, Distribution>| of.values().map(Distribution::count).sum();
    let blocks = lines(
        Cdf::new("blocks", "Blocks by size", Axis::new("blocks", Unit::Count).log()),
        &sizes.blocks,
    )
    .figure()
    .definition(
        "A block is a run of consecutive segments of one direction on one subflow. A line for each size class of the \
         direction's unique bytes.",
    )
    .over("directions with data, of connections with two or more established subflows", n(&sizes.blocks));
    let rates = lines(
        Cdf::new("switching-rate", "Switching rate by size", Axis::new("switches per second", Unit::PerSecond).log()),
        &sizes.switching,
    )
    .figure()
    .definition(
        "(Blocks − 1) / duration, of connections that lasted longer than 0.1 s. Studies look at directions with 1 MB \
         and more.",
    )
    .over("directions with data, of such connections", n(&sizes.switching));
    let mut table = Table::new(
        "switching-table",
        "Blocks and switching rate in numbers",
        [
            Column::text("size of the direction"),
            Column::number("n"),
            Column::number("median blocks"),
            Column::number("most blocks"),
            Column::number("n with a rate"),
            Column::number("median switches per second"),
            Column::number("highest"),
        ],
    );
    let rate = |number: Option<f64>| {
        number.map_or_else(Cell::unknown, |number| Cell::number(number, format!("{number:.2}")))
    };
    for (class, blocks) in &sizes.blocks {
        let rates = sizes.switching.get(class);
        let count =
            |q| blocks.quantile(q).map_or_else(Cell::unknown, |number| Cell::count(number.round() as u64));
        table.push([
            Cell::text(class.as_str()),
            Cell::count(blocks.count()),
            count(0.5),
            count(1.0),
            Cell::count(rates.map_or(0, Distribution::count)),
            rate(rates.and_then(|rates| rates.quantile(0.5))),
            rate(rates.and_then(|rates| rates.quantile(1.0))),
        ]);
    }
    section.figures([blocks, rates]).table(table)
}
