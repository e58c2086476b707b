//! A small table on the terminal: words to the left, numbers to the right, a line under the header.

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, ContentArrangement, Table};

/// Columns that a summary may use: it is pasted into mails and papers.
const WIDTH: u16 = 100;

/// A table in the making.
pub(super) struct Sheet {
    table: Table,
}

impl Sheet {
    /// A table with this header, whose first `words` columns hold words and the others numbers.
    pub(super) fn new(header: &[&str], words: usize) -> Self {
        let mut table = Table::new();
        table.load_preset(NOTHING);
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(WIDTH).set_header(header);
        for (index, column) in table.column_iter_mut().enumerate() {
            column.set_padding((if index == 0 { 2 } else { 1 }, 1));
            column.set_cell_alignment(if index < words { CellAlignment::Left } else { CellAlignment::Right });
        }
        Self { table }
    }

    /// Adds a line.
    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = impl Into<comfy_table::Cell>>) {
        self.table.add_row(comfy_table::Row::from(cells));
    }

    /// The lines under a heading; nothing when there are none.
    pub(super) fn under(&self, heading: &str) -> String {
        if self.table.is_empty() {
            return String::new();
        }
        let mut text = format!("{heading}\n");
        for line in self.table.lines() {
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_left_and_numbers_right() {
        let mut sheet = Sheet::new(&["family", "packets", "bytes"], 1);
        sheet.row(["ipv4", "1,234", "5"]);
        sheet.row(["ipv6 only", "6", "7,890"]);
        assert_eq!(
            sheet.under("Traffic"),
            "Traffic\n  family     packets  bytes\n  ipv4         1,234      5\n  ipv6 only        6  7,890\n"
        );
    }

    #[test]
    fn without_lines_there_is_no_heading() {
        assert_eq!(Sheet::new(&["a"], 1).under("A"), "");
    }

    #[test]
    fn long_words_stay_within_the_page() {
        let mut sheet = Sheet::new(&["reason", "count"], 1);
        sheet.row(["word ".repeat(60), "1".to_owned()]);
        assert!(sheet.under("Issues").lines().all(|line| line.chars().count() <= 100));
    }
}
