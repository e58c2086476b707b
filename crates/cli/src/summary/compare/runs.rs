//! Two runs.

use super::super::sheet::Sheet;
use super::{paragraph, signed};
use crate::text::{counted, grouped};
use subflow_compare::rows::Difference;
use subflow_compare::runs::Figure;

/// The differences as text. `names` are those of A and B, `counts` how many runs each has.
pub(crate) fn runs(rows: &[Difference], names: &[String; 2], counts: [usize; 2], judged: bool) -> String {
    let run = |count: usize| counted(u64::try_from(count).unwrap_or(u64::MAX), "run");
    let mut text = format!("A: {} ({})\nB: {} ({})\n\n", names[0], run(counts[0]), names[1], run(counts[1]));
    let repeated = counts.iter().all(|count| *count > 1);
    let mut header = vec!["figure", "A", "B", "difference", "relative"];
    if repeated {
        header.extend(["95 % interval", "p"]);
    }
    if judged {
        header.extend(["allowed", "verdict"]);
    }
    let mut sheet = Sheet::new(&header, 1);
    for row in rows.iter().filter(|row| !is_nothing(row)) {
        let number = |value: Option<f64>| number(value, row.unit);
        let mut cells = vec![
            row.metric.clone(),
            number(row.value_a),
            number(row.value_b),
            number(row.difference),
            row.relative.map_or_else(|| "-".to_owned(), |share| format!("{:+.1} %", share * 100.0)),
        ];
        if repeated {
            cells.push(match (row.difference_low, row.difference_high) {
                (Some(low), Some(high)) => format!("{} … {}", number(Some(low)), number(Some(high))),
                _ => "-".to_owned(),
            });
            cells.push(row.p_value.map_or_else(|| "-".to_owned(), |p| format!("{p:.3}")));
        }
        if judged {
            cells.push(row.threshold.map_or_else(String::new, |share| format!("{:.0} %", share * 100.0)));
            cells.push(match (row.threshold, row.beyond) {
                (None, _) => String::new(),
                (_, true) => "BEYOND".to_owned(),
                (_, false) => "ok".to_owned(),
            });
        }
        sheet.row(cells);
    }
    text.push_str(&sheet.under("Figures"));
    let beyond: Vec<_> = rows.iter().filter(|row| row.beyond).map(|row| row.metric.as_str()).collect();
    text.push_str(&match (judged, beyond.len()) {
        (false, _) => "\nNo threshold is set, so nothing is judged.\n".to_owned(),
        (true, 0) => "\nNo difference is beyond its threshold.\n".to_owned(),
        (true, count) => format!(
            "\n{}",
            paragraph(&format!(
                "{} beyond the threshold: {}",
                counted(u64::try_from(count).unwrap_or(u64::MAX), "figure"),
                beyond.join(", ")
            ))
        ),
    });
    text
}

/// The figures that runs are compared by.
pub(crate) fn figures(figures: &[Figure]) -> String {
    let mut text = String::from("figure\tunit\tmeaning\n");
    for figure in figures {
        text.push_str(&format!("{}\t{}\t{}\n", figure.name, figure.unit, figure.doc));
    }
    text
}

/// A figure that is zero in both is not worth a line.
fn is_nothing(row: &Difference) -> bool {
    row.value_a.unwrap_or_default() == 0.0 && row.value_b.unwrap_or_default() == 0.0
}

fn number(value: Option<f64>, unit: &str) -> String {
    let Some(value) = value else { return "-".to_owned() };
    let sign = if value < 0.0 { "-" } else { "" };
    match (unit, value.abs()) {
        ("s", _) => signed(Some(value)),
        ("bit/s", size) if size >= 1e9 => format!("{sign}{:.2} Gbit/s", size / 1e9),
        ("bit/s", size) if size >= 1e6 => format!("{sign}{:.2} Mbit/s", size / 1e6),
        ("bit/s", size) => format!("{sign}{:.1} kbit/s", size / 1e3),
        (_, size) if size.fract() == 0.0 => format!("{sign}{}", grouped(size as u64)),
        (_, size) if size >= 100.0 => format!("{sign}{}", grouped(size.round() as u64)),
        (_, size) => format!("{sign}{size:.4}"),
    }
}
