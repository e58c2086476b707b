//! How large connections are, how long they last, and how often their data changes subflows.

use super::sheet::Sheet;
use crate::text::{bytes, grouped, seconds};
use subflow_analysis::summary::{Distribution, Summary};

pub(super) fn render(summary: &Summary) -> String {
    let sizes = &summary.sizes;
    let mut sheet = Sheet::new(&["", "connections", "median", "90 %", "99 %", "largest"], 1);
    let mut row = |name: &str, numbers: &Distribution, show: fn(f64) -> String| {
        if numbers.count() == 0 {
            return;
        }
        let quantile = |q| numbers.quantile(q).map(show).unwrap_or_default();
        let [median, most, nearly, largest] = [0.5, 0.9, 0.99, 1.0].map(quantile);
        sheet.row([name.to_owned(), grouped(numbers.count()), median, most, nearly, largest]);
    };
    let whole = |number: f64| bytes(number.round() as u64);
    row("size", &sizes.bytes, whole);
    let [c2s, s2c] = &sizes.bytes_by_direction;
    row("  c2s", c2s, whole);
    row("  s2c", s2c, whole);
    row("duration", &sizes.duration, seconds);
    sheet.under("Data bytes and durations of established connections")
}

pub(super) fn render_blocks(summary: &Summary) -> String {
    let sizes = &summary.sizes;
    let mut sheet =
        Sheet::new(&["size", "directions", "median blocks", "most", "median switches/s", "most"], 1);
    let rate = |number: f64| format!("{number:.2}");
    let count = |number: f64| grouped(number.round() as u64);
    for (class, blocks) in &sizes.blocks {
        let rates = sizes.switching.get(class);
        let switches = |q| rates.and_then(|rates| rates.quantile(q)).map(rate).unwrap_or_default();
        sheet.row([
            class.to_string(),
            grouped(blocks.count()),
            blocks.quantile(0.5).map(count).unwrap_or_default(),
            blocks.quantile(1.0).map(count).unwrap_or_default(),
            switches(0.5),
            switches(1.0),
        ]);
    }
    sheet.under("Blocks by size, connections with two or more established subflows")
}
