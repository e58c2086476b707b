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
        kinds("close", &summary.closes, "Ends of established connections"),
    ]
    .into_iter()
    .filter(|section| !section.is_empty())
    .collect::<Vec<_>>()
    .join("\n")
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
