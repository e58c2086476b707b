//! How long until the second subflow, and how far apart the round-trip times of a connection's subflows lie.

use super::share;
use super::sheet::Sheet;
use crate::text::{grouped, seconds};
use subflow_analysis::summary::{Distribution, Summary};

/// Cuts that published studies use, in seconds.
const JOIN_CUTS: [f64; 4] = [0.2, 1.0, 60.0, 3600.0];
const SPREAD_CUTS: [f64; 3] = [0.01, 0.1, 1.0];

pub(super) fn render(summary: &Summary) -> String {
    let (join, spread) = (&summary.join_delay, &summary.rtt_spread);
    let mut sheet = Sheet::new(&["", "connections", "median", "90 %", "99 %", "largest"], 1);
    let mut lines = String::new();
    for (name, delay, cuts) in
        [("second subflow", join, &JOIN_CUTS[..]), ("RTT spread", spread, &SPREAD_CUTS)]
    {
        if delay.count() == 0 {
            continue;
        }
        let quantile = |q| delay.quantile(q).map(seconds).unwrap_or_default();
        sheet.row([
            name.to_owned(),
            grouped(delay.count()),
            quantile(0.5),
            quantile(0.9),
            quantile(0.99),
            quantile(1.0),
        ]);
        lines.push_str(&format!("  {name}: {}\n", within(delay, cuts)));
    }
    let mut text =
        sheet.under("Delay of the second subflow; spread of the mean RTTs of a connection's subflows");
    text.push_str(&lines);
    text
}

/// `80.0 % within 200 ms, 90.0 % within 1 s`
fn within(delay: &Distribution, cuts: &[f64]) -> String {
    let part = |cut: &f64| {
        let fraction = delay.share_within(*cut)?;
        Some(format!("{} within {}", share(fraction), seconds(*cut)))
    };
    cuts.iter().filter_map(part).collect::<Vec<_>>().join(", ")
}
