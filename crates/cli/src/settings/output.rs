//! Which rows are exported, where they go and in which form: the same choice for every command that has tables.

use super::layers::Origin;
use crate::args::{ExportArgs, Format};
use crate::failure::Failure;
use std::path::PathBuf;
use std::slice;
use subflow_rows::Schema;
use subflow_store::{FileFormat, Layout, Selection, SelectionError};

/// Where the rows go.
#[derive(Debug, PartialEq)]
pub(crate) enum Output {
    /// A summary on standard output.
    Summary,
    /// Rows on standard output.
    Stream(Stream),
    /// A file a table.
    Directory { dir: PathBuf, format: FileFormat, selection: Selection },
}

/// The form of rows on standard output.
#[derive(Debug, PartialEq)]
pub(crate) enum Stream {
    Json(Selection),
    Jsonl(Selection),
    Csv(Layout),
}

impl Output {
    /// The tables whose rows go anywhere.
    pub(crate) fn tables(&self) -> Vec<&'static str> {
        let layouts = match self {
            Self::Summary => &[],
            Self::Stream(Stream::Csv(layout)) => slice::from_ref(layout),
            Self::Stream(Stream::Json(selection) | Stream::Jsonl(selection))
            | Self::Directory { selection, .. } => selection.layouts(),
        };
        layouts.iter().map(|layout| layout.table).collect()
    }
}

/// The output, before it is known which tables there will be.
#[derive(Debug)]
pub(crate) struct Wanted {
    dir: Option<PathBuf>,
    format: Option<(Format, Origin)>,
    tables: Vec<String>,
    fields: Vec<String>,
}

impl Wanted {
    /// What the command line says of the format.
    pub(super) fn flag(rows: &ExportArgs) -> Option<(Format, Origin)> {
        rows.format.map(|format| (format, Origin::Flag("format")))
    }

    /// Checks what can be told before there are any rows; `format` is that of all layers of settings.
    pub(super) fn new(rows: ExportArgs, format: Option<(Format, Origin)>) -> Result<Self, Failure> {
        let wanted = Self { dir: rows.output, format, tables: rows.tables, fields: rows.fields };
        match (wanted.format(), &wanted.dir) {
            (Format::Table, Some(_)) => Err(Failure::usage(format!(
                "the format {} is for reading, not for the files of -o",
                wanted.named_format()
            ))
            .hint("leave -o out to read it here, or choose parquet, json, jsonl or csv")),
            (Format::Parquet, None) => Err(Failure::usage(format!(
                "the format {} makes files, not a stream",
                wanted.named_format()
            ))
            .hint("name a folder for them with -o DIR, or choose json, jsonl or csv for standard output")),
            (Format::Table, None) if wanted.selects() => {
                Err(Failure::usage("--table and --fields choose rows to export, and a report exports none")
                    .hint("add --format csv, json or jsonl, or -o DIR"))
            }
            _ => Ok(wanted),
        }
    }

    fn format(&self) -> Format {
        match &self.format {
            Some((format, _)) => *format,
            None if self.dir.is_some() => Format::Parquet,
            None => Format::Table,
        }
    }

    /// The format with where it was set; only what somebody set can be wrong.
    fn named_format(&self) -> String {
        let name = self.format().as_str();
        self.format.as_ref().map_or_else(|| name.to_owned(), |(_, origin)| format!("{name} ({origin})"))
    }

    /// Whether something is printed for people, and no rows are exported.
    pub(super) fn is_report(&self) -> bool {
        self.format() == Format::Table
    }

    /// Whether tables or columns were named.
    pub(super) fn selects(&self) -> bool {
        !self.tables.is_empty() || !self.fields.is_empty()
    }

    /// Of a stream for which nothing was chosen, this table alone.
    pub(super) fn main_alone(mut self, table: &str) -> Self {
        if self.dir.is_none() && !self.selects() {
            self.tables.push(table.to_owned());
        }
        self
    }

    /// The output of something that goes on while its rows are written, as "the work": no JSON document on standard output then.
    pub(super) fn growing_output(
        self,
        what: &str,
        schemas: &[Schema],
        main: &'static str,
    ) -> Result<Output, Failure> {
        match self.output(schemas, main)? {
            Output::Stream(Stream::Json(_)) => {
                Err(Failure::usage(format!("a JSON document cannot grow while {what} goes on"))
                    .hint("choose jsonl: one JSON object a line"))
            }
            output => Ok(output),
        }
    }

    /// Where rows of these tables go. Columns whose table is not named are of the table `main`, and so is CSV on standard output
    /// unless something is chosen.
    pub(crate) fn output(self, schemas: &[Schema], main: &'static str) -> Result<Output, Failure> {
        if self.is_report() {
            return Ok(Output::Summary);
        }
        let selection = Selection::new(schemas, &self.tables, &self.fields, main)
            .map_err(|error| selection_failure(&error))?;
        let chosen = self.selects();
        Ok(match (self.format(), self.dir) {
            (format, Some(dir)) => {
                let format = match format {
                    Format::Json => FileFormat::Json,
                    Format::Jsonl => FileFormat::Jsonl,
                    Format::Csv => FileFormat::Csv,
                    Format::Parquet | Format::Table => FileFormat::Parquet,
                };
                Output::Directory { dir, format, selection }
            }
            (Format::Jsonl, None) => Output::Stream(Stream::Jsonl(selection)),
            (Format::Csv, None) => Output::Stream(Stream::Csv(one(&selection, chosen, main)?)),
            (_, None) => Output::Stream(Stream::Json(selection)),
        })
    }
}

/// Standard output holds the CSV of one table: the one chosen, or the main one.
fn one(selection: &Selection, chosen: bool, main: &str) -> Result<Layout, Failure> {
    let layouts = selection.layouts();
    let layout = match layouts {
        [layout] => Some(layout),
        _ if chosen => None,
        _ => layouts.iter().find(|layout| layout.table == main),
    };
    layout.cloned().ok_or_else(|| {
        let names: Vec<_> = layouts.iter().map(|layout| layout.table).collect();
        Failure::usage(format!(
            "CSV on standard output holds one table, not {}: {}",
            names.len(),
            names.join(", ")
        ))
        .hint("choose one with --table, or write a file a table with -o DIR")
    })
}

fn selection_failure(error: &SelectionError) -> Failure {
    let failure = Failure::usage(error);
    match error {
        SelectionError::Table { .. } => failure,
        SelectionError::Field { .. } => {
            failure.hint("subflow tables --list-fields lists every table's columns")
        }
        SelectionError::NoFields { table } => {
            failure.hint(format!("leave out --table {table}, or add one of its columns to --fields"))
        }
    }
}
