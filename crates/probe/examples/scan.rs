//! A scan from the command line, for laboratories: `scan [name=value]…`, rows as lines of `probes.csv` and `targets.csv` in `out`.
//!
//! `targets=` and `block=` take prefixes separated by commas, `list=` and `block_list=` files.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::net::AddrParseError;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use subflow_probe::Stop;
use subflow_probe::rows;
use subflow_probe::scan::{self, Progress, Rate, Settings, Sink};
use subflow_probe::targets::{List, Plan, Wanted};
use subflow_rows::{Row, Value, push_addr, push_hex, push_int};

/// Appends rows to files.
struct Csv {
    probes: BufWriter<File>,
    targets: BufWriter<File>,
    quiet: bool,
    line: String,
}

fn text(row: &impl Row, line: &mut String) {
    use std::fmt::Write;
    line.clear();
    for &value in row.cells().as_ref() {
        if !line.is_empty() {
            line.push(',');
        }
        match value {
            Value::Null => line.push('-'),
            Value::Bool(value) => line.push_str(if value { "true" } else { "false" }),
            Value::Int(value) | Value::Time(value) => push_int(value, line),
            // Writing into a string does not fail.
            Value::Float(value) => drop(write!(line, "{value}")),
            Value::Text(value) => line.push_str(value),
            Value::Addr(value) => push_addr(value, line),
            Value::Hex { value, digits } => push_hex(value, digits, line),
        }
    }
    line.push('\n');
}

impl Sink for Csv {
    fn probe(&mut self, row: rows::Probe) -> io::Result<()> {
        text(&row, &mut self.line);
        self.probes.write_all(self.line.as_bytes())
    }

    fn target(&mut self, row: rows::Target) -> io::Result<()> {
        text(&row, &mut self.line);
        self.targets.write_all(self.line.as_bytes())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.probes.flush()?;
        self.targets.flush()
    }

    fn progress(&mut self, progress: &Progress) {
        if !self.quiet {
            eprintln!("{progress:?}");
        }
    }
}

fn open(folder: &Path, name: &str) -> io::Result<BufWriter<File>> {
    let file = OpenOptions::new().append(true).create(true).open(folder.join(name))?;
    Ok(BufWriter::with_capacity(1 << 16, file))
}

fn add(list: &mut List, entries: &str) -> Result<(), String> {
    entries.split(',').try_for_each(|entry| list.add(entry).map_err(|reason| format!("{reason}: {entry}")))
}

/// Scans as the arguments say.
pub(crate) fn scan(arguments: impl Iterator<Item = String>) -> Result<(), String> {
    let mut wanted = Wanted { shards: 1, special: true, ..Wanted::default() };
    let mut settings = Settings { contact: Some("the laboratory".to_owned()), ..Settings::default() };
    let (mut out, mut quiet) = (PathBuf::from("."), false);
    for argument in arguments {
        let (name, value) = argument.split_once('=').unwrap_or((&argument, ""));
        let bad = |error: &dyn std::fmt::Display| format!("{argument}: {error}");
        let number = || value.parse::<f64>().map_err(|error| bad(&error));
        match name {
            "targets" => add(&mut wanted.targets, value)?,
            "block" => add(&mut wanted.block, value)?,
            "list" => wanted.targets.add_file(value.as_ref(), false).map_err(|error| bad(&error))?,
            "block_list" => wanted.block.add_file(value.as_ref(), false).map_err(|error| bad(&error))?,
            "ports" => wanted.ports = value.parse().map_err(|error| bad(&error))?,
            "seed" => wanted.seed = number()? as u64,
            "max" => wanted.max_targets = Some(number()? as u64),
            "shard" => wanted.shard = number()? as u64,
            "shards" => wanted.shards = number()? as u64,
            "kinds" => settings.kinds = value.parse().map_err(|error| bad(&error))?,
            "canary" => settings.canary = true,
            "retries" => settings.retries = number()? as u32,
            "follow_up" => settings.follow_up = number()? > 0.0,
            "rate" if value == "max" => settings.rate = Rate::Unlimited,
            "rate" => settings.rate = Rate::Packets(number()?),
            "cooldown" => settings.cooldown = Duration::from_secs_f64(number()?),
            "runtime" => settings.max_runtime = Some(Duration::from_secs_f64(number()?)),
            "public" => settings.acknowledge_public = true,
            "threads" => settings.threads = number()? as usize,
            "silent" => settings.report_silent = true,
            "source" => settings.sources.push(value.parse().map_err(|error: AddrParseError| bad(&error))?),
            "interface" => settings.interface = Some(value.to_owned()),
            "ring" => settings.ring_bytes = (number()? as usize) << 20,
            "bypass" => settings.bypass = number()? > 0.0,
            "fast" => settings.fast = number()? > 0.0,
            "state" => settings.state = Some(value.into()),
            "resume" => settings.resume = true,
            "out" => out = value.into(),
            "quiet" => quiet = true,
            _ => return Err(format!("unknown: {argument}")),
        }
    }
    let words = |error: &dyn std::fmt::Display| error.to_string();
    let plan = Plan::new(wanted).map_err(|error| words(&error))?;
    for line in &plan.reading().bad {
        eprintln!("{line}");
    }
    let probes = open(&out, "probes.csv").map_err(|error| words(&error))?;
    let targets = open(&out, "targets.csv").map_err(|error| words(&error))?;
    let mut sink = Csv { probes, targets, quiet, line: String::new() };
    let outcome = scan::run(&plan, &settings, &mut sink, &Stop::default()).map_err(|error| words(&error))?;
    eprintln!("{:?}", outcome.progress);
    match outcome.trouble {
        Some(trouble) => Err(trouble),
        None => Ok(()),
    }
}

fn main() -> ExitCode {
    match scan(std::env::args().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
