//! Tables in full, for up to some thousand rows.

use crate::text::{bytes, grouped, seconds, share};

/// A table; readers can sort it by each column and take it as CSV.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    pub(super) id: String,
    pub(super) caption: String,
    pub(super) definition: String,
    pub(super) columns: Vec<Column>,
    pub(super) rows: Vec<Vec<Cell>>,
    pub(super) tall: bool,
}

/// A column's heading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    pub(super) title: String,
    pub(super) number: bool,
}

impl Column {
    /// A column of words.
    pub fn text(title: &str) -> Self {
        Self { title: title.to_owned(), number: false }
    }

    /// A column of numbers.
    pub fn number(title: &str) -> Self {
        Self { title: title.to_owned(), number: true }
    }
}

/// A cell: what is shown, and what is sorted by and exported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    pub(super) shown: String,
    pub(super) value: String,
}

impl Cell {
    /// Words.
    pub fn text(words: impl Into<String>) -> Self {
        let shown = words.into();
        Self { value: shown.clone(), shown }
    }

    /// What is shown, and what is sorted by and exported.
    pub fn new(shown: impl Into<String>, value: impl Into<String>) -> Self {
        Self { shown: shown.into(), value: value.into() }
    }

    /// Nothing known.
    pub fn unknown() -> Self {
        Self { shown: "–".to_owned(), value: String::new() }
    }

    /// How many.
    pub fn count(number: u64) -> Self {
        Self { shown: grouped(number), value: number.to_string() }
    }

    /// Bytes; exported as a whole number of bytes.
    pub fn bytes(number: u64) -> Self {
        Self { shown: bytes(number), value: number.to_string() }
    }

    /// A number, and how it is shown.
    pub fn number(number: f64, shown: impl Into<String>) -> Self {
        Self { shown: shown.into(), value: number.to_string() }
    }

    /// The same with more shown behind it.
    pub fn more(mut self, words: &str) -> Self {
        self.shown.push_str(words);
        self
    }

    /// Seconds, when known.
    pub fn seconds(number: Option<f64>) -> Self {
        number.map_or_else(Self::unknown, |number| Self { shown: seconds(number), value: number.to_string() })
    }

    /// A fraction, shown as per cent, when there is one.
    pub fn share(number: Option<f64>) -> Self {
        number.map_or_else(Self::unknown, |number| Self { shown: share(number), value: number.to_string() })
    }

    /// A part of a whole, shown as per cent; unknown where the whole is nothing.
    pub fn part(part: u64, whole: u64) -> Self {
        Self::share((whole > 0).then(|| part as f64 / whole as f64))
    }
}

impl Table {
    /// A table without rows. The id is unique in its page and names its CSV file.
    pub fn new(id: &str, caption: &str, columns: impl IntoIterator<Item = Column>) -> Self {
        Self {
            id: id.to_owned(),
            caption: caption.to_owned(),
            definition: String::new(),
            columns: columns.into_iter().collect(),
            rows: Vec::new(),
            tall: false,
        }
    }

    /// What it shows, in words, below it.
    pub fn definition(self, words: &str) -> Self {
        Self { definition: words.to_owned(), ..self }
    }

    /// Scrolls within a window of its own, as it has very many rows; on paper are those at the top.
    pub fn tall(self) -> Self {
        Self { tall: true, ..self }
    }

    /// Leaves out the columns of which nothing is known in any row.
    pub fn without_unknown(mut self) -> Self {
        let known: Vec<bool> = (0..self.columns.len())
            .map(|at| self.rows.iter().any(|row| row.get(at).is_some_and(|cell| !cell.value.is_empty())))
            .collect();
        if self.rows.is_empty() {
            return self;
        }
        let mut keep = known.iter().copied();
        self.columns.retain(|_| keep.next().unwrap_or(true));
        for row in &mut self.rows {
            let mut keep = known.iter().copied();
            row.retain(|_| keep.next().unwrap_or(true));
        }
        self
    }

    /// Adds a row.
    pub fn row(mut self, cells: impl IntoIterator<Item = Cell>) -> Self {
        self.push(cells);
        self
    }

    /// Adds a row.
    pub fn push(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Whether it has no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Its rows with, for each cell, whether its column holds numbers.
    pub(super) fn cells(&self) -> impl Iterator<Item = Vec<(&Cell, bool)>> {
        let numbers = || self.columns.iter().map(|column| column.number).chain(std::iter::repeat(false));
        self.rows.iter().map(move |row| row.iter().zip(numbers()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::{Cell, Column, Table};

    #[test]
    fn cells_keep_the_whole_number() {
        assert_eq!(Cell::bytes(1_234_567), Cell { shown: "1.23 MB".into(), value: "1234567".into() });
        assert_eq!(Cell::part(1, 0), Cell::unknown());
        assert_eq!(Cell::seconds(Some(0.25)), Cell { shown: "250 ms".into(), value: "0.25".into() });
    }

    #[test]
    fn columns_of_which_nothing_is_known_are_left_out() {
        let table = Table::new("t", "T", [Column::text("a"), Column::number("b"), Column::text("c")])
            .row([Cell::text("x"), Cell::unknown(), Cell::unknown()])
            .row([Cell::text("y"), Cell::unknown(), Cell::text("z")])
            .without_unknown();
        let titles: Vec<&str> = table.columns.iter().map(|column| column.title.as_str()).collect();
        assert_eq!(titles, ["a", "c"]);
        assert_eq!(table.rows[0], [Cell::text("x"), Cell::unknown()]);
        assert_eq!(table.rows[1], [Cell::text("y"), Cell::text("z")]);
    }
}
