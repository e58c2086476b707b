//! Settings of `subflow analyze`.

use super::layers::{Layer, Origin};
use super::output::{Output, Wanted};
use super::reading::{Reading, lower_layers, pair, reading_flags, refuse_terminal};
use crate::args::{AnalyzeArgs, Format, OutputArgs};
use crate::failure::Failure;
use std::path::PathBuf;
use subflow_analysis::rows::{DETAIL_SCHEMAS, SCHEMAS, all_schemas};

/// The table that is meant when none is named.
const DEFAULT_TABLE: &str = "connections";

/// What `subflow analyze` is to do.
#[derive(Debug)]
pub(crate) struct Analyze {
    pub(crate) captures: Vec<PathBuf>,
    pub(crate) reading: Reading,
    pub(crate) output: Output,
    /// The file that a report is to be written to.
    pub(crate) report: Option<PathBuf>,
    pub(crate) strict: bool,
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
            format: Wanted::flag(&args.output.rows),
            strict: pair(args.strict, args.no_strict),
            ..reading_flags(&args.read, &args.talk)
        };
        let mut layer = flags.over(below);
        let output = output(args.output, layer.format.take())?;
        let mut reading = Reading::of(args.filter, &args.talk, &layer)?;
        reading.options.detail = wants_detail(&output);
        Ok(Self {
            captures: args.captures,
            output,
            report: report(args.report)?,
            strict: layer.strict.unwrap_or(false),
            reading,
        })
    }
}

/// Where rows go, and in which form.
pub(super) fn output(args: OutputArgs, format: Option<(Format, Origin)>) -> Result<Output, Failure> {
    let wanted = Wanted::new(args.rows, format)?;
    if args.detail && wanted.is_report() {
        return Err(Failure::usage("--detail chooses rows to export, and a summary exports none")
            .hint("add --format csv, json or jsonl, or -o DIR"));
    }
    // Large tables only where they are asked for.
    let schemas = if args.detail || wanted.selects() { all_schemas() } else { SCHEMAS.to_vec() };
    wanted.output(&schemas, DEFAULT_TABLE)
}

/// Whether a table is wanted that only a detailed analysis yields.
pub(super) fn wants_detail(output: &Output) -> bool {
    output.tables().iter().any(|table| DETAIL_SCHEMAS.iter().any(|schema| schema.table == *table))
}

/// A report is a file: told before hours of reading, not after.
fn report(path: Option<PathBuf>) -> Result<Option<PathBuf>, Failure> {
    let Some(path) = path else { return Ok(None) };
    if path.as_os_str() == "-" {
        return Err(Failure::usage("a report is written to a file, not to standard output")
            .hint("name the file, as in --report trace.html"));
    }
    if path.is_dir() {
        return Err(Failure::usage(format!("{}: a folder, not a file for the report", path.display()))
            .hint(format!("name a file in it, as in --report {}", path.join("report.html").display())));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        return Err(Failure::usage(format!("{}: no such folder for the report", folder.display()))
            .hint("make the folder first, or name another one"));
    }
    Ok(Some(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Cli, Command};
    use crate::settings::{Stream, Talk};
    use clap::Parser;
    use std::num::NonZeroUsize;
    use subflow_store::{FileFormat, Selection};

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
