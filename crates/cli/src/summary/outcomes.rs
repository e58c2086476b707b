//! Handovers, fallbacks and how connections ended.

use super::percent;
use super::sheet::Sheet;
use crate::text::{counted, grouped};
use std::collections::BTreeMap;
use std::fmt::Display;
use subflow_analysis::summary::Summary;

pub(super) fn render(summary: &Summary) -> String {
    if summary.connections == 0 {
        return String::new();
    }
    let (handovers, with) = (grouped(summary.handovers), counted(summary.with_handover, "connection"));
    [
        format!("Handovers: {handovers} in {with}\n"),
        kinds("fallback", &summary.fallbacks, "Fallbacks to plain TCP, of all connections"),
        fallen(summary),
        kinds("close", &summary.closes, "Ends of established connections"),
    ]
    .into_iter()
    .filter(|section| !section.is_empty())
    .collect::<Vec<_>>()
    .join("\n")
}

/// Where connections fell back, to which services, and in which direction it showed.
fn fallen(summary: &Summary) -> String {
    let mut sheet = Sheet::new(&["fallback", "service", "direction", "connections"], 3);
    for (place, service, direction, count) in summary.fallen.counts() {
        let direction = direction.map(|direction| direction.to_string()).unwrap_or_default();
        sheet.row([place.to_string(), service.to_owned(), direction, grouped(count)]);
    }
    sheet.under("Fallbacks by service and direction")
}

/// A line a kind.
fn kinds<K: Display>(name: &str, counts: &BTreeMap<K, u64>, heading: &str) -> String {
    let whole = counts.values().sum();
    let mut sheet = Sheet::new(&[name, "connections", "share"], 1);
    for (kind, count) in counts {
        sheet.row([kind.to_string(), grouped(*count), percent(*count, whole)]);
    }
    sheet.under(heading)
}
