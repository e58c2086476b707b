//! Results on a terminal: words to the left, numbers to the right, nothing cut off.

use crate::layout::{Form, Layout};
use crate::writer::{TableWriter, plain};
use std::io::{self, Write};
use subflow_rows::Value;

/// Rows that are held back until the widths of columns are settled; a longer cell among those behind them pushes the rest of
/// its line to the right.
const ROWS_MEASURED: usize = 10_000;
/// What stands for null: nothing would look like an empty text.
const NULL: &str = "null";

/// A result as aligned columns, or, where these are wider than the terminal, as a block of `name  value` lines a row.
pub(super) struct Grid<W: Write> {
    layout: Layout,
    out: W,
    width: Option<usize>,
    held: Vec<Vec<String>>,
    shape: Option<Shape>,
    rows: u64,
}

enum Shape {
    Columns(Vec<usize>),
    Blocks(usize),
}

impl<W: Write> Grid<W> {
    /// A grid for a terminal of so many columns; without a terminal it is as wide as it must be.
    pub(super) fn new(layout: Layout, out: W, width: Option<usize>) -> Self {
        Self { layout, out, width, held: Vec::new(), shape: None, rows: 0 }
    }

    /// Settles the shape by the rows seen so far, and writes them.
    fn settle(&mut self) -> io::Result<()> {
        let mut widths: Vec<_> = self.layout.fields.iter().map(|field| length(&field.name)).collect();
        for row in &self.held {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.lines().map(length).fold(*width, usize::max);
            }
        }
        let line: usize = widths.iter().map(|width| width + 2).sum::<usize>().saturating_sub(2);
        let shape = if self.width.is_some_and(|most| line > most) && widths.len() > 1 {
            Shape::Blocks(self.layout.fields.iter().map(|field| length(&field.name)).max().unwrap_or(0))
        } else {
            let names: Vec<_> = self.layout.fields.iter().map(|field| field.name.to_string()).collect();
            let rules: Vec<_> = widths.iter().map(|width| "─".repeat(*width)).collect();
            self.line(&widths, &names)?;
            self.line(&widths, &rules)?;
            Shape::Columns(widths)
        };
        self.shape = Some(shape);
        for row in std::mem::take(&mut self.held) {
            self.write(&row)?;
        }
        Ok(())
    }

    fn write(&mut self, row: &[String]) -> io::Result<()> {
        self.rows += 1;
        match self.shape.take() {
            Some(Shape::Columns(widths)) => {
                self.line(&widths, row)?;
                self.shape = Some(Shape::Columns(widths));
            }
            Some(Shape::Blocks(width)) => {
                writeln!(self.out, "{}row {}", if self.rows > 1 { "\n" } else { "" }, self.rows)?;
                for (field, cell) in self.layout.fields.iter().zip(row) {
                    let mut lines = cell.lines();
                    let first = lines.next().unwrap_or_default();
                    writeln!(self.out, "{}", format!("  {:width$}  {first}", field.name).trim_end())?;
                    for line in lines {
                        writeln!(self.out, "  {:width$}  {line}", "")?;
                    }
                }
                self.shape = Some(Shape::Blocks(width));
            }
            None => {}
        }
        Ok(())
    }

    /// One row of aligned cells; a cell may have several lines, as plans do.
    fn line(&mut self, widths: &[usize], row: &[String]) -> io::Result<()> {
        let height = row.iter().map(|cell| cell.lines().count()).max().unwrap_or(0).max(1);
        for number in 0..height {
            let mut text = String::new();
            for (index, ((cell, width), field)) in row.iter().zip(widths).zip(&self.layout.fields).enumerate()
            {
                let cell = cell.lines().nth(number).unwrap_or_default();
                if index > 0 {
                    text.push_str("  ");
                }
                let pad = " ".repeat(width.saturating_sub(length(cell)));
                let (left, right) = if is_number(field.form) { (&*pad, "") } else { ("", &*pad) };
                text.push_str(left);
                text.push_str(cell);
                text.push_str(right);
            }
            writeln!(self.out, "{}", text.trim_end())?;
        }
        Ok(())
    }
}

impl<W: Write> TableWriter for Grid<W> {
    fn row(&mut self, cells: &[Value<'_>]) -> io::Result<()> {
        let row: Vec<_> = self.layout.values(cells).map(|(_, value)| shown(value)).collect();
        if self.shape.is_some() {
            return self.write(&row);
        }
        self.held.push(row);
        if self.held.len() >= ROWS_MEASURED { self.settle() } else { Ok(()) }
    }

    fn finish(&mut self) -> io::Result<()> {
        if self.shape.is_none() {
            self.settle()?;
        }
        match self.rows {
            0 => writeln!(self.out, "(no rows)")?,
            1 => writeln!(self.out, "(1 row)")?,
            rows => writeln!(self.out, "({rows} rows)")?,
        }
        self.out.flush()
    }
}

fn is_number(form: Form) -> bool {
    matches!(form, Form::Int | Form::Nanoseconds | Form::Float)
}

/// A cell's text. Control characters but for ends of lines are shown, not sent to the terminal.
fn shown(value: Value<'_>) -> String {
    if value == Value::Null {
        return NULL.to_owned();
    }
    let mut text = String::new();
    plain(value, &mut text);
    let harmless = |character: char| !character.is_control() || character == '\n';
    if text.chars().all(harmless) {
        return text;
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if harmless(character) { escaped.push(character) } else { escaped.extend(character.escape_default()) }
    }
    escaped
}

fn length(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(width: Option<usize>, rows: &[[Value<'_>; 3]]) -> String {
        let columns = [("family", Form::Text), ("packets", Form::Int), ("share", Form::Float)];
        let layout = Layout::result(columns.into_iter().map(|(name, form)| (name.to_owned(), form)));
        let mut out = Vec::new();
        let mut grid = Grid::new(layout, &mut out, width);
        rows.iter().for_each(|row| grid.row(row).expect("takes a row"));
        grid.finish().expect("finishes");
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn words_stand_left_and_numbers_right() {
        let rows = [
            [Value::Text("ipv4"), Value::Int(12_345_678), Value::Float(0.5)],
            [Value::Text("ipv6 only"), Value::Int(9), Value::Null],
        ];
        assert_eq!(
            grid(Some(80), &rows),
            "family      packets  share\n\
             ─────────  ────────  ─────\n\
             ipv4       12345678    0.5\n\
             ipv6 only         9   null\n\
             (2 rows)\n"
        );
    }

    #[test]
    fn what_is_wider_than_the_terminal_stands_in_blocks() {
        let rows = [[Value::Text("ipv4"), Value::Int(1), Value::Float(0.5)]];
        assert_eq!(grid(Some(10), &rows), "row 1\n  family   ipv4\n  packets  1\n  share    0.5\n(1 row)\n");
        assert!(grid(None, &rows).starts_with("family  packets  share\n"));
    }

    #[test]
    fn lines_of_a_cell_stay_in_their_column_and_control_characters_are_harmless() {
        let rows = [[Value::Text("a\nb\u{1b}[1m"), Value::Int(1), Value::Null]];
        assert!(
            grid(None, &rows).contains("a                 1   null\nb\\u{1b}[1m\n"),
            "{}",
            grid(None, &rows)
        );
    }

    #[test]
    fn no_rows_are_said_to_be_none() {
        assert!(grid(None, &[]).ends_with("\n(no rows)\n"));
    }
}
