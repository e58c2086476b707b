//! A capture and the kernel's counters.

use super::super::sheet::Sheet;
use super::paragraph;
use crate::text::counted;
use subflow_compare::rows::{Counter, Verdict};

/// The comparison as text.
pub(crate) fn kernel(rows: &[Counter], capture: &str, nstat: &str) -> String {
    let mut sheet = Sheet::new(&["host", "counter", "verdict", "capture", "kernel", "difference"], 3);
    let mut reasons = String::new();
    for row in rows.iter().filter(|row| row.verdict != Verdict::Invisible) {
        let name = short(&row.counter);
        sheet.row([
            row.host.to_owned(),
            name.to_owned(),
            if row.verdict == Verdict::Unexplained {
                "UNEXPLAINED".to_owned()
            } else {
                row.verdict.to_string()
            },
            row.expected.map_or_else(|| "-".to_owned(), |count| count.to_string()),
            row.actual.to_string(),
            match row.difference {
                Some(0) | None => String::new(),
                Some(difference) => format!("{difference:+}"),
            },
        ]);
        if let Some(reason) = &row.reason {
            reasons.push_str(&paragraph(&format!("{name} ({}): {reason}", row.host)));
        }
    }
    let mut text = format!("Capture: {capture}\nKernel: {nstat}\n\n");
    text.push_str(&sheet.under("Counters (MPTcpExt…)"));
    if !reasons.is_empty() {
        text.push_str(&format!("\nReasons\n{reasons}"));
    }
    let mut unseen = String::new();
    for row in rows.iter().filter(|row| row.verdict == Verdict::Invisible) {
        let reason = row.reason.as_deref().unwrap_or_default();
        unseen.push_str(&paragraph(&format!(
            "{} ({}) {}: {reason}",
            short(&row.counter),
            row.host,
            row.actual
        )));
    }
    if !unseen.is_empty() {
        text.push_str(&format!("\nCounters that a capture cannot show\n{unseen}"));
    }
    let count = |verdict: Verdict| {
        u64::try_from(rows.iter().filter(|row| row.verdict == verdict).count()).unwrap_or(u64::MAX)
    };
    text.push_str(&match count(Verdict::Unexplained) {
        0 => format!(
            "\n{} agree, {} explained.\n",
            counted(count(Verdict::Equal), "counter"),
            count(Verdict::Explained)
        ),
        unexplained => format!("\n{} unexplained.\n", counted(unexplained, "difference")),
    });
    text
}

fn short(name: &str) -> &str {
    name.strip_prefix("MPTcpExt").unwrap_or(name)
}
