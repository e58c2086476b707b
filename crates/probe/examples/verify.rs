//! A verification from the command line, for laboratories: `verify [name=value]… [ADDRESS PORT]…`, rows as lines of `verifications.csv` in
//! `out`, sentences on standard error.
//!
//! `list=` takes files with an address, a port and perhaps `v1` or `v0` a line.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use subflow_probe::Stop;
use subflow_probe::network::Driven;
use subflow_probe::rows::Verification;
use subflow_probe::verify::{self, Request, Settings, Sink, Target, Versions};
use subflow_rows::{Row, Value};

/// Writes rows to a file, and sentences where they are wanted.
struct Csv {
    rows: BufWriter<File>,
    quiet: bool,
}

impl Sink for Csv {
    fn verification(&mut self, row: Verification) -> io::Result<()> {
        let mut line = String::new();
        for value in row.cells() {
            use std::fmt::Write;
            if !line.is_empty() {
                line.push(';');
            }
            // Writing into a string does not fail.
            let _ = match value {
                Value::Null => write!(line, "-"),
                Value::Bool(value) => write!(line, "{value}"),
                Value::Int(value) | Value::Time(value) => write!(line, "{value}"),
                Value::Float(value) => write!(line, "{value}"),
                Value::Text(value) => write!(line, "{value}"),
                Value::Addr(value) => write!(line, "{value}"),
                Value::Hex { value, digits } => write!(line, "{value:0width$x}", width = usize::from(digits)),
            };
        }
        writeln!(self.rows, "{line}")?;
        if !self.quiet {
            eprintln!("{} port {}, version {}: {}", row.addr, row.port, row.version, verify::words(&row));
        }
        self.rows.flush()
    }

    fn progress(&mut self, so_far: &Driven, targets: usize) {
        if !self.quiet {
            eprintln!("{} of {targets}", so_far.finished);
        }
    }
}

/// A target from the words of a line.
fn target(line: &str, versions: Versions) -> Result<Target, String> {
    let bad = |error: &dyn std::fmt::Display| format!("{line}: {error}");
    let mut words = line.split_whitespace();
    let addr = words.next().unwrap_or("").parse().map_err(|error| bad(&error))?;
    let port = words.next().unwrap_or("80").parse().map_err(|error| bad(&error))?;
    let versions = match words.next() {
        Some("v1") => Versions { v1: true, v0: false },
        Some("v0") => Versions { v1: false, v0: true },
        _ => versions,
    };
    Ok(Target { addr, port, versions })
}

/// Verifies as the arguments say.
pub(crate) fn verify(arguments: impl Iterator<Item = String>) -> Result<(), String> {
    let mut settings = Settings { contact: Some("the laboratory".to_owned()), ..Settings::default() };
    let (mut out, mut quiet, mut versions) = (PathBuf::from("."), false, Versions::BOTH);
    let mut lines = Vec::new();
    let arguments: Vec<String> = arguments.collect();
    let mut at = 0;
    while let Some(argument) = arguments.get(at) {
        at += 1;
        let (name, value) = argument.split_once('=').unwrap_or((argument, ""));
        let bad = |error: &dyn std::fmt::Display| format!("{argument}: {error}");
        let number = || value.parse::<f64>().map_err(|error| bad(&error));
        match name {
            "list" => {
                let text = std::fs::read_to_string(value).map_err(|error| bad(&error))?;
                lines.extend(text.lines().filter(|line| !line.is_empty()).map(str::to_owned));
            }
            "v1" => versions = Versions { v1: true, v0: false },
            "v0" => versions = Versions { v1: false, v0: true },
            "rate" if value == "max" => settings.rate = None,
            "rate" => settings.rate = Some(number()?),
            "at_once" => settings.at_once = number()? as usize,
            "again" => settings.patience.again = Duration::from_secs_f64(number()?),
            "step" => settings.patience.step = Duration::from_secs_f64(number()?),
            "hops" => settings.hops = number()? > 0.0,
            "plain" => settings.always_plain = true,
            "checksum" => settings.checksum = true,
            "host" => settings.host = Some(value.to_owned()),
            "tls" => settings.request = Some(Request::Tls { host: None }),
            "interface" => settings.network.interface = Some(value.to_owned()),
            "out" => out = value.into(),
            "quiet" => quiet = true,
            _ => {
                let port = arguments.get(at).map_or("80", String::as_str);
                lines.push(format!("{argument} {port}"));
                at += 1;
            }
        }
    }
    let targets: Vec<Target> = lines.iter().map(|line| target(line, versions)).collect::<Result<_, _>>()?;
    let rows = File::create(out.join("verifications.csv")).map_err(|error| error.to_string())?;
    let mut sink = Csv { rows: BufWriter::new(rows), quiet };
    let outcome =
        verify::run(&targets, &settings, &mut sink, &Stop::default()).map_err(|error| error.to_string())?;
    eprintln!("{outcome:?}");
    Ok(())
}

fn main() -> ExitCode {
    match verify(std::env::args().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
