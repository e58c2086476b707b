//! Settings of `subflow tracebox`.

use super::layers::{Layer, Origin};
use super::reading::{lower_layers, pair, talk_flags};
use super::{Output, Stream, Talk, Wanted};
use crate::args::{Format, TraceboxArgs};
use crate::failure::Failure;
use std::path::{Path, PathBuf};
use subflow_probe::rows::TRACE_SCHEMAS;
use subflow_report::tracebox::Operators;

/// What `subflow tracebox` is to do.
#[derive(Debug)]
pub(crate) struct Tracebox {
    pub(crate) of: TraceboxOf,
    pub(crate) show: Showing,
    pub(crate) strict: bool,
    pub(crate) talk: Talk,
}

/// What is looked at.
#[derive(Debug)]
pub(crate) enum TraceboxOf {
    /// What captures hold.
    Captures(Vec<PathBuf>),
}

/// What becomes of what is found.
#[derive(Debug)]
pub(crate) struct Showing {
    pub(crate) output: Output,
    /// One object a target, in the shape of the classic tool.
    pub(crate) classic: bool,
    pub(crate) html: Option<PathBuf>,
    /// Look up the names of hops.
    pub(crate) names: bool,
    pub(crate) operators: Operators,
}

impl Tracebox {
    /// Checks what was asked for.
    pub(crate) fn new(args: TraceboxArgs) -> Result<Self, Failure> {
        Self::layered(args, lower_layers()?)
    }

    fn layered(args: TraceboxArgs, below: Layer) -> Result<Self, Failure> {
        let flags = Layer {
            format: args.format.map(|format| (format, Origin::Flag("format"))),
            strict: pair(args.strict, args.no_strict),
            ..talk_flags(&args.talk)
        };
        let mut layer = flags.over(below);
        let strict = layer.strict.unwrap_or(false);
        let talk = Talk::of(&args.talk, &layer);
        let show = showing(&args, layer.format.take())?;
        let of = if args.read.is_empty() {
            return Err(Failure::usage("there is nothing to look at"));
        } else {
            TraceboxOf::Captures(args.read)
        };
        Ok(Self { of, show, strict, talk })
    }
}

fn showing(args: &TraceboxArgs, format: Option<(Format, Origin)>) -> Result<Showing, Failure> {
    let mut tables = args.tables.clone();
    // The shape of the classic tool is a form of its own.
    let format = format.filter(|_| !args.classic_json);
    let exports = format.as_ref().is_some_and(|(format, _)| *format != Format::Table);
    if args.output.is_none() && tables.is_empty() && exports {
        tables.push("targets".to_owned());
    }
    let wanted = Wanted { dir: args.output.clone(), format, tables };
    wanted.check()?;
    let output = wanted.output(&TRACE_SCHEMAS, "targets")?;
    if matches!(output, Output::Stream(Stream::Json(_))) && args.read.is_empty() {
        return Err(Failure::usage("a JSON document cannot grow while the work goes on")
            .hint("choose jsonl: one JSON object a line"));
    }
    if let Some(dir) = &args.output {
        spare_scans(dir)?;
    }
    Ok(Showing {
        output,
        classic: args.classic_json,
        html: args.html.clone(),
        names: args.names,
        operators: args.operators.as_deref().map(operators).transpose()?.unwrap_or_default(),
    })
}

/// Tables of scans and of paths are both called `targets`.
fn spare_scans(dir: &Path) -> Result<(), Failure> {
    if dir.join("scan.state").exists() {
        return Err(Failure::usage(format!(
            "{} holds a scan, whose table targets would be lost",
            dir.display()
        ))
        .hint("name another folder with -o"));
    }
    Ok(())
}

fn operators(path: &Path) -> Result<Operators, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::failed(format!("cannot read {}: {error}", path.display())))?;
    Operators::parse(&text).map_err(|error| {
        Failure::failed(format!("{}, {error}", path.display()))
            .hint("--operators takes lines of a prefix and a name, as 192.0.2.0/24,Example Net")
    })
}
