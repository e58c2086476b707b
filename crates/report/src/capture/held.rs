//! What limited the connections: the window, missing bytes, the application, or nothing moving at all.

use crate::figure::{Axis, Cdf, Unit};
use crate::page::{Cell, Column, Section, Table};
use subflow_analysis::rows::StallKind;
use subflow_analysis::summary::{Distribution, Summary};

/// Points of a curve.
const POINTS: usize = 1000;

pub(super) fn section(summary: &Summary) -> Section {
    let section = Section::new("held", "What limited connections");
    let held = &summary.held;
    let Some(most) = held.share.values().map(Distribution::count).max() else {
        return section.empty("No established connection carried data, so nothing was limited.");
    };
    let mut cdf = Cdf::new(
        "held-share",
        "Time in which a direction was held up",
        Axis::new("share of the duration", Unit::Share).range(0.0, 1.0),
    );
    for (kind, share) in &held.share {
        cdf = cdf.line(name(*kind), &share.curve(POINTS));
    }
    let figure = cdf
        .figure()
        .definition(
            "Share of the connection's duration in which data filled the receive window, the receiver waited for a lower \
             byte (head of line), everything was acknowledged until the application sent more, or nothing moved with \
             data in flight. A line leaves out directions in which the capture cannot tell. The four may overlap.",
        )
        .over("directions with data, of established connections", most)
        .wide();
    let mut table = Table::new(
        "held-table",
        "What held directions up, in numbers",
        [
            Column::text("by"),
            Column::number("n"),
            Column::number("median share"),
            Column::number("90 %"),
            Column::number("largest"),
            Column::number("stalls"),
            Column::number("their time"),
            Column::number("longest"),
        ],
    )
    .definition(
        "Shares over all directions in which the capture can tell (n), whatever the length of each stay. Stalls are \
         the rows of the table stalls, which has the longer ones.",
    );
    for (kind, share) in &held.share {
        let stalls = held.stalls.get(kind).copied().unwrap_or_default();
        table.push([
            Cell::text(name(*kind)),
            Cell::count(share.count()),
            Cell::share(share.quantile(0.5)),
            Cell::share(share.quantile(0.9)),
            Cell::share(share.quantile(1.0)),
            Cell::count(stalls.count),
            Cell::seconds(Some(stalls.time)),
            Cell::seconds(Some(stalls.longest)),
        ]);
    }
    section.figures([figure]).table(table)
}

fn name(kind: StallKind) -> &'static str {
    match kind {
        StallKind::ReceiveWindow => "receive window",
        StallKind::HeadOfLine => "head of line",
        StallKind::Application => "application",
        StallKind::NoProgress => "no progress",
    }
}
