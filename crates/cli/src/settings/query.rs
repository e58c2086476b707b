//! Settings of `subflow query`.

use super::layers::{Layer, Origin};
use super::reading::{Reading, lower_layers, reading_flags, refuse_terminal};
use crate::args::{Format, QueryArgs};
use crate::failure::Failure;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};

/// What `subflow query` is to do.
#[derive(Debug)]
pub(crate) struct Query {
    /// Captures or stored tables.
    pub(crate) inputs: Vec<PathBuf>,
    /// The texts to run, in order; none asks for a prompt.
    pub(crate) texts: Option<Vec<String>>,
    pub(crate) format: Format,
    pub(crate) output: Option<PathBuf>,
    pub(crate) reading: Reading,
}

impl Query {
    /// Checks what was asked for; reads SQL from its file or standard input.
    pub(crate) fn new(args: QueryArgs) -> Result<Self, Failure> {
        let mut settings = Self::layered(args, lower_layers()?)?;
        refuse_terminal(&settings.inputs, "query")?;
        if settings.texts.is_none() && !io::stdin().is_terminal() {
            settings.texts = Some(vec![sql_from_stdin(&settings.inputs)?]);
        }
        if settings.texts.is_none() && settings.output.is_some() {
            return Err(Failure::usage("-o takes the result of one query, and there is none")
                .hint("add the SQL, or leave out -o to get a prompt"));
        }
        Ok(settings)
    }

    fn layered(args: QueryArgs, below: Layer) -> Result<Self, Failure> {
        let flags = reading_flags(&args.read, &args.talk);
        let below_format = below.format.clone();
        let layer = flags.over(below);
        let (inputs, sql) = apart(args.inputs);
        let mut texts: Vec<_> = sql.into_iter().chain(args.execute).collect();
        if let Some(file) = &args.file {
            texts.push(sql_of_file(file)?);
        }
        if inputs.is_empty() {
            return Err(Failure::usage("there is nothing to query").hint(
                "name captures, a folder of stored tables, or - for a capture on standard input, before the SQL",
            ));
        }
        let format = format(args.format, args.output.as_deref(), below_format)?;
        Ok(Self {
            reading: Reading::of(args.filter, &args.talk, &layer)?,
            inputs,
            texts: (!texts.is_empty()).then_some(texts),
            format,
            output: args.output,
        })
    }
}

/// Takes the SQL out of the arguments: the last one that is no path and looks like SQL or a dot command.
fn apart(mut inputs: Vec<PathBuf>) -> (Vec<PathBuf>, Option<String>) {
    let sql = inputs.iter().rposition(|input| {
        let text = input.to_string_lossy();
        let dot =
            text.strip_prefix('.').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase()));
        (text.contains(char::is_whitespace) || (dot && !text.contains('/'))) && !input.exists()
    });
    let sql = sql.map(|index| inputs.remove(index).to_string_lossy().into_owned());
    (inputs, sql)
}

fn sql_of_file(file: &Path) -> Result<String, Failure> {
    fs::read_to_string(file).map_err(|error| {
        Failure::failed(format!("cannot read SQL from {}: {error}", file.display()))
            .hint("--file names a text file of SQL; for -f FORMAT write --format")
    })
}

fn sql_from_stdin(inputs: &[PathBuf]) -> Result<String, Failure> {
    if inputs.iter().any(|input| input == Path::new("-")) {
        return Err(Failure::usage("standard input is the capture, and no SQL was given")
            .hint("give the SQL as the last argument, or with --execute or --file"));
    }
    let mut bytes = Vec::new();
    io::stdin()
        .lock()
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::failed(format!("cannot read SQL from standard input: {error}")))?;
    match String::from_utf8(bytes) {
        Ok(text) if text.trim().is_empty() => Err(Failure::usage(
            "no SQL was given, and standard input is empty",
        )
        .hint(
            "give the SQL as the last argument, as in: subflow query trace.pcap \"SELECT * FROM traffic\"",
        )),
        Ok(text) => Ok(text),
        Err(_) => Err(Failure::usage("standard input is no SQL text").hint(
            "a capture on standard input is named -, as in: tcpdump -w - | subflow query - \"SELECT …\"",
        )),
    }
}

/// A flag goes before the name of the file, this before the environment and the configuration.
fn format(
    flag: Option<Format>,
    output: Option<&Path>,
    below: Option<(Format, Origin)>,
) -> Result<Format, Failure> {
    let named = output.and_then(Path::extension).and_then(OsStr::to_str).and_then(|extension| {
        let formats = [Format::Json, Format::Jsonl, Format::Csv, Format::Parquet];
        formats.into_iter().find(|format| format.as_str().eq_ignore_ascii_case(extension))
    });
    let below = below.filter(|(format, _)| output.is_none() || *format != Format::Table);
    let format = flag.or(named).or(below.map(|(format, _)| format)).unwrap_or(match output {
        Some(_) => Format::Parquet,
        None => Format::Table,
    });
    if format == Format::Parquet && output.is_none() {
        return Err(Failure::usage("the format parquet makes a file, not a stream")
            .hint("name the file with -o FILE, or choose table, json, jsonl or csv"));
    }
    Ok(format)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Cli, Command};
    use clap::Parser;

    fn settings(arguments: &[&str]) -> Result<Query, Failure> {
        let line = ["subflow", "query"].iter().chain(arguments);
        match Cli::try_parse_from(line).expect("parses").command {
            Command::Query(args) => Query::layered(*args, Layer::default()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_sql_is_the_last_argument_that_is_no_path() {
        let parts = |arguments: &[&str]| {
            let settings = settings(arguments).expect("valid");
            let inputs: Vec<_> = settings.inputs.iter().map(|path| path.display().to_string()).collect();
            (inputs.join(" "), settings.texts.unwrap_or_default().join("|"))
        };
        let pair = |inputs: &str, sql: &str| (inputs.to_owned(), sql.to_owned());
        assert_eq!(parts(&["a.pcap", "b.pcap", "SELECT 1"]), pair("a.pcap b.pcap", "SELECT 1"));
        assert_eq!(parts(&["SELECT 1", "a.pcap"]), pair("a.pcap", "SELECT 1"));
        assert_eq!(parts(&["a.pcap", ".tables"]), pair("a.pcap", ".tables"));
        assert_eq!(parts(&["a.pcap", ".schema subflows"]), pair("a.pcap", ".schema subflows"));
        assert_eq!(parts(&["a.pcap", "./b.pcap", ".."]), pair("a.pcap ./b.pcap ..", ""));
        assert_eq!(
            parts(&["a.pcap", "-e", "SELECT 1", "-e", "SELECT 2"]),
            pair("a.pcap", "SELECT 1|SELECT 2")
        );
    }

    #[test]
    fn the_format_follows_flag_and_file() {
        let format = |arguments: &[&str]| {
            settings(&[&["a.pcap", "SELECT 1"], arguments].concat()).map(|settings| settings.format)
        };
        let is = |arguments: &[&str]| format(arguments).expect("valid");
        assert_eq!(is(&[]), Format::Table);
        assert_eq!(is(&["-o", "x.csv"]), Format::Csv);
        assert_eq!(is(&["-o", "x.csv", "-f", "jsonl"]), Format::Jsonl);
        assert_eq!(is(&["-o", "x"]), Format::Parquet);
        assert_eq!(is(&["-o", "x.txt", "-f", "table"]), Format::Table);
        assert!(format(&["-f", "parquet"]).unwrap_err().to_string().contains("not a stream"));
    }

    #[test]
    fn sql_alone_is_nothing_to_query() {
        assert!(settings(&["SELECT 1"]).unwrap_err().to_string().contains("nothing to query"));
    }
}
