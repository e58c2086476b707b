//! Where the tables of a command go that has them all at its end.

use super::layers::Origin;
use super::{Output, Stream};
use crate::args::Format;
use crate::failure::Failure;
use std::path::PathBuf;
use subflow_rows::Schema;
use subflow_store::{FileFormat, Layout, Selection};

/// The output, before it is known which tables there will be.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(super) dir: Option<PathBuf>,
    pub(super) format: Option<(Format, Origin)>,
    pub(super) tables: Vec<String>,
}

impl Wanted {
    /// What can be told before there are any rows.
    pub(super) fn check(&self) -> Result<(), Failure> {
        let (format, from) = self.form();
        match (format, &self.dir) {
            (Format::Table, Some(_)) => {
                Err(Failure::usage(format!("the format {from} is for reading, not for the files of -o"))
                    .hint("leave -o out to see the report, or choose parquet, json, jsonl or csv"))
            }
            (Format::Parquet, None) => Err(Failure::usage(format!(
                "the format {from} makes files, not a stream"
            ))
            .hint("name a folder for them with -o DIR, or choose json, jsonl or csv for standard output")),
            (Format::Table, None) if !self.tables.is_empty() => {
                Err(Failure::usage("--table chooses rows to export, and a report exports none")
                    .hint("add --format csv, json or jsonl, or -o DIR"))
            }
            _ => Ok(()),
        }
    }

    /// The format, and its name with where it was set.
    fn form(&self) -> (Format, String) {
        match &self.format {
            Some((format, origin)) => (*format, format!("{} ({origin})", format.as_str())),
            None if self.dir.is_some() => (Format::Parquet, String::new()),
            None => (Format::Table, String::new()),
        }
    }

    /// The same of something that `goes_on` while its rows are written, as "the work": no JSON document on standard output then.
    pub(crate) fn output_of(
        self,
        goes_on: Option<&str>,
        schemas: &[Schema],
        default: &'static str,
    ) -> Result<Output, Failure> {
        let output = self.output(schemas, default)?;
        match (goes_on, &output) {
            (Some(what), Output::Stream(Stream::Json(_))) => {
                Err(Failure::usage(format!("a JSON document cannot grow while {what} goes on"))
                    .hint("choose jsonl: one JSON object a line"))
            }
            _ => Ok(output),
        }
    }

    /// Where rows of these tables go; CSV on standard output is of `default` unless one is chosen.
    pub(crate) fn output(self, schemas: &[Schema], default: &'static str) -> Result<Output, Failure> {
        let (format, _) = self.form();
        if format == Format::Table {
            return Ok(Output::Summary);
        }
        let selection = Selection::new(schemas, &self.tables, &[], default).map_err(Failure::usage)?;
        if let Some(dir) = self.dir {
            let format = match format {
                Format::Json => FileFormat::Json,
                Format::Jsonl => FileFormat::Jsonl,
                Format::Csv => FileFormat::Csv,
                Format::Parquet | Format::Table => FileFormat::Parquet,
            };
            return Ok(Output::Directory { dir, format, selection });
        }
        Ok(Output::Stream(match format {
            Format::Jsonl => Stream::Jsonl(selection),
            Format::Csv => Stream::Csv(one(&selection, self.tables.is_empty(), default)?),
            _ => Stream::Json(selection),
        }))
    }
}

fn one(selection: &Selection, by_default: bool, default: &str) -> Result<Layout, Failure> {
    let layouts = selection.layouts();
    let chosen = match layouts {
        [layout] => Some(layout),
        _ if by_default => layouts.iter().find(|layout| layout.table == default),
        _ => None,
    };
    chosen.cloned().ok_or_else(|| {
        Failure::usage(format!("CSV on standard output holds one table, not {}", layouts.len()))
            .hint("choose one with --table, or write a file a table with -o DIR")
    })
}
