//! Settings of `subflow compare`.

use super::layers::{Layer, Origin};
use super::reading::{Reading, lower_layers, reading_flags};
use super::{Output, Stream};
use crate::args::{CompareArgs, FilterArgs, Format, Side};
use crate::failure::Failure;
use std::path::{Path, PathBuf};
use subflow_compare::ends::{self, Sharing};
use subflow_compare::nstat::Host;
use subflow_compare::runs::{ThresholdError, Thresholds};
use subflow_rows::Schema;
use subflow_store::{FileFormat, Layout, Selection};

/// What `subflow compare` is to do.
#[derive(Debug)]
pub(crate) struct Compare {
    pub(crate) a: PathBuf,
    pub(crate) with: With,
    pub(crate) reading: Reading,
    pub(crate) wanted: Wanted,
}

/// What A is compared with.
#[derive(Debug)]
pub(crate) enum With {
    /// Another capture: two ends, or two runs, whatever they turn out to be.
    Capture { b: PathBuf, ends: ends::Settings, runs: bool, thresholds: Thresholds },
    /// The kernel's counters.
    Kernel { nstat: PathBuf, before: Option<PathBuf>, host: Option<Host> },
}

/// The output, before it is known which tables there will be.
#[derive(Debug)]
pub(crate) struct Wanted {
    dir: Option<PathBuf>,
    format: Option<(Format, Origin)>,
    tables: Vec<String>,
}

impl Compare {
    /// Checks what was asked for.
    pub(crate) fn new(args: CompareArgs) -> Result<Self, Failure> {
        let Some(a) = args.a else { return Err(Failure::usage("a capture is missing")) };
        for path in [Some(&a), args.b.as_ref()].into_iter().flatten() {
            if path == Path::new("-") {
                return Err(Failure::usage(
                    "standard input cannot be compared: captures are read more than once",
                )
                .hint("save it to a file first, as in: tcpdump -w trace.pcap tcp"));
            }
        }
        let flags = Layer {
            format: args.format.map(|format| (format, Origin::Flag("format"))),
            ..reading_flags(&args.read, &args.talk)
        };
        let mut layer = flags.over(lower_layers()?);
        let wanted = Wanted { dir: args.output, format: layer.format.take(), tables: args.tables };
        let reading = Reading::of(FilterArgs::default(), &args.talk, &layer)?;
        let thresholds = Thresholds::new(&args.thresholds).map_err(|error| {
            let hint = match error {
                ThresholdError::Form(_) => "as in --threshold 5% or --threshold goodput_s2c=-10%",
                ThresholdError::Figure(_) => "subflow compare --list-figures lists them",
            };
            Failure::usage(error).hint(hint)
        })?;
        let with = match (args.nstat, args.b) {
            (Some(nstat), _) => {
                let host = args.side.map(|side| match side {
                    Side::Client => Host::Client,
                    Side::Server => Host::Server,
                });
                With::Kernel { nstat, before: args.nstat_before, host }
            }
            (None, Some(b)) => {
                let sharing = match (args.same_clock, args.different_clocks) {
                    (true, _) => Sharing::Same,
                    (_, true) => Sharing::Different,
                    _ => Sharing::Unknown,
                };
                let mut ends = ends::Settings { sharing, series: args.series, ..ends::Settings::default() };
                ends.window_ns = args.window.unwrap_or(ends.window_ns);
                let runs = args.runs || !thresholds.is_empty();
                With::Capture { b, ends, runs, thresholds }
            }
            (None, None) => return Err(Failure::usage("a second capture is missing")),
        };
        let compare = Self { a, with, reading, wanted };
        // What can be told before hours of reading is told.
        compare.wanted.check()?;
        Ok(compare)
    }
}

impl Wanted {
    fn check(&self) -> Result<(), Failure> {
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
