//! What a comparison says to people.

mod ends;
mod kernel;
mod runs;

pub(crate) use ends::ends;
pub(crate) use kernel::kernel;
pub(crate) use runs::{figures, runs};

use crate::text;

/// Lines of a table that a report shows; the tables themselves have all.
const MOST_LINES: usize = 40;

/// A duration that may be negative, or unknown.
fn signed(seconds: Option<f64>) -> String {
    match seconds {
        None => "-".to_owned(),
        Some(seconds) if seconds < 0.0 => format!("-{}", text::seconds(-seconds)),
        Some(seconds) => text::seconds(seconds),
    }
}

/// Breaks a paragraph into lines of at most 98 columns, indented by two.
fn paragraph(words: &str) -> String {
    let mut lines = String::new();
    let mut width = 0;
    for word in words.split(' ').filter(|word| !word.is_empty()) {
        let length = word.chars().count();
        if width == 0 || width + 1 + length > 96 {
            lines.push_str(if width == 0 { "  " } else { "\n  " });
            width = 0;
        } else {
            lines.push(' ');
            width += 1;
        }
        lines.push_str(word);
        width += length;
    }
    lines.push('\n');
    lines
}

/// Says how many lines a table has beyond those that are shown.
fn more(count: usize, table: &str) -> String {
    match count.saturating_sub(MOST_LINES) {
        0 => String::new(),
        rest => format!("  {rest} more in table {table}\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_stay_within_the_page() {
        let text = paragraph(&"word ".repeat(60));
        assert!(
            text.lines().count() > 2
                && text.lines().all(|line| line.len() <= 98 && line.starts_with("  word"))
        );
        assert_eq!(paragraph("one two"), "  one two\n");
    }
}
