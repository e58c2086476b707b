//! Settings of `subflow analyze`.

use super::layers::{Layer, Origin};
use super::reading::{Reading, lower_layers, pair, reading_flags, refuse_terminal};
use crate::args::{AnalyzeArgs, Format, OutputArgs};
use crate::failure::Failure;
use std::path::PathBuf;
use std::slice;
use subflow_analysis::rows::{DETAIL_SCHEMAS, SCHEMAS, all_schemas};
use subflow_store::{FileFormat, Layout, Selection, SelectionError};

/// The table that is meant when none is named.
const DEFAULT_TABLE: &str = "connections";

/// What `subflow analyze` is to do.
#[derive(Debug)]
pub(crate) struct Analyze {
    pub(crate) captures: Vec<PathBuf>,
    pub(crate) reading: Reading,
    pub(crate) output: Output,
    pub(crate) strict: bool,
}

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

impl Output {
    /// Whether a table is wanted that only a detailed analysis yields.
    fn wants_detail(&self) -> bool {
        let layouts = match self {
            Self::Summary => &[],
            Self::Stream(Stream::Csv(layout)) => slice::from_ref(layout),
            Self::Stream(Stream::Json(selection) | Stream::Jsonl(selection))
            | Self::Directory { selection, .. } => selection.layouts(),
        };
        layouts.iter().any(|layout| DETAIL_SCHEMAS.iter().any(|schema| schema.table == layout.table))
    }
}

/// The form of rows on standard output.
#[derive(Debug, PartialEq)]
pub(crate) enum Stream {
    Json(Selection),
    Jsonl(Selection),
    Csv(Layout),
}

impl Analyze {
    /// Checks what was asked for.
    pub(crate) fn new(args: AnalyzeArgs) -> Result<Self, Failure> {
        let settings = Self::layered(args, lower_layers()?)?;
        refuse_terminal(&settings.captures, "analyze")?;
        Ok(settings)
    }

    fn layered(args: AnalyzeArgs, below: Layer) -> Result<Self, Failure> {
        let flags = Layer {
            format: args.output.format.map(|format| (format, Origin::Flag("format"))),
            strict: pair(args.strict, args.no_strict),
            ..reading_flags(&args.read, &args.talk)
        };
        let mut layer = flags.over(below);
        let output = output(args.output, layer.format.take())?;
        let mut reading = Reading::of(args.filter, &args.talk, &layer)?;
        reading.options.detail = output.wants_detail();
        Ok(Self { captures: args.captures, output, strict: layer.strict.unwrap_or(false), reading })
    }
}

fn output(args: OutputArgs, format: Option<(Format, Origin)>) -> Result<Output, Failure> {
    let (format, origin) = match format {
        Some((format, origin)) => (format, Some(origin)),
        None if args.output.is_some() => (Format::Parquet, None),
        None => (Format::Table, None),
    };
    // Names the setting that cannot be; only settings that somebody made can be wrong.
    let asked = || {
        origin
            .as_ref()
            .map_or_else(|| format.as_str().to_owned(), |origin| format!("{} ({origin})", format.as_str()))
    };
    let selects = !args.tables.is_empty() || !args.fields.is_empty();
    if format == Format::Table && args.output.is_none() {
        return if selects || args.detail {
            Err(Failure::usage(
                "--table, --fields and --detail choose rows to export, and a summary exports none",
            )
            .hint("add --format csv, json or jsonl, or -o DIR"))
        } else {
            Ok(Output::Summary)
        };
    }
    let selection = if selects || args.detail {
        Selection::new(&all_schemas(), &args.tables, &args.fields, DEFAULT_TABLE)
            .map_err(|error| selection_failure(&error))?
    } else {
        Selection::all(&SCHEMAS)
    };
    if let Some(dir) = args.output {
        let format = match format {
            Format::Parquet => FileFormat::Parquet,
            Format::Json => FileFormat::Json,
            Format::Jsonl => FileFormat::Jsonl,
            Format::Csv => FileFormat::Csv,
            Format::Table => {
                return Err(Failure::usage(format!(
                    "the format {} is for reading, not for the files of -o",
                    asked()
                ))
                .hint("leave -o out to see the summary, or choose parquet, json, jsonl or csv"));
            }
        };
        return Ok(Output::Directory { dir, format, selection });
    }
    match format {
        Format::Json => Ok(Output::Stream(Stream::Json(selection))),
        Format::Jsonl => Ok(Output::Stream(Stream::Jsonl(selection))),
        Format::Csv => csv_layout(&selection, selects).map(|layout| Output::Stream(Stream::Csv(layout))),
        Format::Parquet | Format::Table => {
            Err(Failure::usage(format!("the format {} makes files, not a stream", asked()))
                .hint("name a folder for them with -o DIR, or choose json, jsonl or csv for standard output"))
        }
    }
}

/// Standard output holds the CSV of one table: the one chosen, or the default one.
fn csv_layout(selection: &Selection, selects: bool) -> Result<Layout, Failure> {
    let layouts = selection.layouts();
    let chosen = match layouts {
        [layout] => Some(layout),
        _ if selects => None,
        _ => layouts.iter().find(|layout| layout.table == DEFAULT_TABLE),
    };
    chosen.cloned().ok_or_else(|| {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Cli, Command};
    use crate::settings::Talk;
    use clap::Parser;
    use std::num::NonZeroUsize;

    fn settings_over(arguments: &str, below: Layer) -> Result<Analyze, Failure> {
        let line = ["subflow", "analyze", "a.pcap"].into_iter().chain(arguments.split_whitespace());
        match Cli::try_parse_from(line).expect("parses").command {
            Command::Analyze(args) => Analyze::layered(*args, below),
            other => panic!("{other:?}"),
        }
    }

    fn settings(arguments: &str) -> Result<Analyze, Failure> {
        settings_over(arguments, Layer::default())
    }

    #[test]
    fn the_summary_is_the_default_and_parquet_that_of_a_folder() {
        assert_eq!(settings("").expect("valid").output, Output::Summary);
        let Output::Directory { dir, format, selection } = settings("-o d").expect("valid").output else {
            panic!("not a folder")
        };
        assert_eq!((dir, format), ("d".into(), FileFormat::Parquet));
        assert_eq!(selection, Selection::all(&SCHEMAS));
    }

    #[test]
    fn csv_is_connections_unless_one_is_chosen() {
        let table = |arguments| match settings(arguments).expect("valid").output {
            Output::Stream(Stream::Csv(layout)) => layout.table,
            other => panic!("{other:?}"),
        };
        assert_eq!(table("-f csv"), "connections");
        assert_eq!(table("-f csv -t hosts"), "hosts");
        assert_eq!(table("-f csv --fields events.kind"), "events");
    }

    #[test]
    fn impossible_outputs_come_with_a_way_out() {
        let failure = |arguments| {
            let failure = settings(arguments).unwrap_err();
            (failure.to_string(), failure.next_step().unwrap_or_default().to_owned())
        };
        assert_eq!(
            failure("-f parquet"),
            (
                "the format parquet (--format) makes files, not a stream".to_owned(),
                "name a folder for them with -o DIR, or choose json, jsonl or csv for standard output"
                    .to_owned()
            )
        );
        assert!(failure("-f table -o d").0.contains("is for reading"));
        assert!(failure("-t hosts").1.contains("add --format"));
        assert!(failure("-f csv -t hosts,events").0.contains("one table, not 2: events, hosts"));
        assert!(failure("-f json -t host").0.contains("there is no table `host`"));
        assert!(failure("-f json --fields hosts").1.contains("--list-fields"));
        assert!(failure("--since 2026-01-02 --until 2026-01-01").0.contains("no packet would be left"));
    }

    #[test]
    fn the_origin_of_a_wrong_format_is_named() {
        let below = |origin| Layer { format: Some((Format::Parquet, origin)), ..Layer::default() };
        let text = |origin| settings_over("", below(origin)).unwrap_err().to_string();
        assert!(text(Origin::Environment("SUBFLOW_FORMAT")).contains("(SUBFLOW_FORMAT)"));
        assert!(text(Origin::Config { path: "c.toml".into(), key: "format" }).contains("(format in c.toml)"));
    }

    #[test]
    fn flags_go_before_the_rest() {
        let below = || Layer {
            format: Some((Format::Json, Origin::Environment("SUBFLOW_FORMAT"))),
            idle_timeout: Some(5),
            threads: NonZeroUsize::new(3),
            strict: Some(true),
            quiet: Some(true),
            progress: Some(false),
        };
        let lower = settings_over("", below()).expect("valid");
        assert!(lower.strict && lower.reading.talk.quiet && !lower.reading.talk.progress);
        assert_eq!((lower.reading.options.idle_timeout_ns, lower.reading.threads), (5, 3));
        assert!(matches!(lower.output, Output::Stream(Stream::Json(_))));
        let upper = settings_over("--no-strict -v --progress --idle-timeout 1 --threads 1 -f jsonl", below())
            .expect("valid");
        assert!(!upper.strict && upper.reading.talk == Talk { quiet: false, verbose: true, progress: true });
        assert_eq!((upper.reading.options.idle_timeout_ns, upper.reading.threads), (1_000_000_000, 1));
        assert!(matches!(upper.output, Output::Stream(Stream::Jsonl(_))));
    }

    #[test]
    fn the_last_of_two_opposite_flags_counts() {
        assert!(!settings("--strict --no-strict").expect("valid").strict);
        assert!(settings("--no-strict --strict").expect("valid").strict);
        assert!(settings("-v -q").expect("valid").reading.talk.quiet);
    }

    #[test]
    fn filters_are_passed_on() {
        let filter = settings("-p 80,443 -p 8080 --host 10.0.0.0/8 --host ::1 -c 3 --since 1970-01-01")
            .expect("valid")
            .reading
            .options
            .filter;
        assert_eq!(filter.ports, [80, 443, 8080]);
        assert_eq!(filter.hosts.len(), 2);
        assert_eq!((filter.connections, filter.since_ns, filter.until_ns), (vec![3], Some(0), None));
    }
}
