//! How many subflows connections have, and how far subflows came.

use super::percent;
use super::sheet::Sheet;
use crate::text::grouped;
use std::collections::{BTreeMap, BTreeSet};
use subflow_analysis::summary::Summary;

/// The distribution of subflows over connections, attempted beside established.
pub(super) fn render(summary: &Summary) -> String {
    let header = ["subflows", "attempted by", "share", "established by", "share"];
    let mut sheet = Sheet::new(&header, 1);
    let numbers: BTreeSet<_> = summary.attempted.keys().chain(summary.subflows.keys()).collect();
    for number in numbers {
        let count = |counts: &BTreeMap<u32, u64>| counts.get(number).copied().unwrap_or(0);
        let (attempted, established) = (count(&summary.attempted), count(&summary.subflows));
        sheet.row([
            number.to_string(),
            grouped(attempted),
            percent(attempted, summary.established),
            grouped(established),
            percent(established, summary.established),
        ]);
    }
    sheet.under("Established connections by number of subflows")
}

/// Subflows by state, the initial ones included.
pub(super) fn render_states(summary: &Summary) -> String {
    let whole = summary.states.values().sum();
    let mut sheet = Sheet::new(&["state", "subflows", "share"], 1);
    for (state, count) in &summary.states {
        sheet.row([state.to_string(), grouped(*count), percent(*count, whole)]);
    }
    sheet.under("Subflows by state, of all connections")
}
