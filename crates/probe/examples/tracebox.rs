//! Paths from the command line, for laboratories: `tracebox [name=value]…`, rows as lines of `hops.csv`, `modifications.csv` and
//! `targets.csv` in `out`.
//!
//! `targets=` takes ADDRESS,ADDRESS… with `port=`, `read=` a capture instead, `asks=` kinds of probe, `options=` a list of options.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::net::IpAddr;
use std::path::{Path as Folder, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use subflow_probe::Stop;
use subflow_probe::network::{Channel, Options};
use subflow_probe::rows::Asks;
use subflow_probe::targets::Target;
use subflow_probe::trace::{self, Concluded, Path, Settings, offline, words};
use subflow_rows::{Row, Value};

/// Rows to files, a line each.
struct Csv {
    hops: BufWriter<File>,
    modifications: BufWriter<File>,
    targets: BufWriter<File>,
    quiet: bool,
}

fn line(row: &impl Row, out: &mut impl Write) -> io::Result<()> {
    for (index, &value) in row.cells().as_ref().iter().enumerate() {
        let comma = if index == 0 { "" } else { "|" };
        match value {
            Value::Null => write!(out, "{comma}-"),
            Value::Bool(value) => write!(out, "{comma}{value}"),
            Value::Int(value) | Value::Time(value) => write!(out, "{comma}{value}"),
            Value::Float(value) => write!(out, "{comma}{value}"),
            Value::Text(value) => write!(out, "{comma}{value}"),
            Value::Addr(value) => write!(out, "{comma}{value}"),
            Value::Hex { value, digits } => {
                write!(out, "{comma}{value:0width$x}", width = usize::from(digits))
            }
        }?;
    }
    writeln!(out)
}

impl Csv {
    fn open(folder: &Folder, quiet: bool) -> io::Result<Self> {
        let open = |name| File::create(folder.join(name)).map(BufWriter::new);
        Ok(Self {
            hops: open("hops.csv")?,
            modifications: open("modifications.csv")?,
            targets: open("targets.csv")?,
            quiet,
        })
    }

    fn take(&mut self, concluded: &Concluded) -> io::Result<()> {
        line(&concluded.target, &mut self.targets)?;
        concluded.hops.iter().try_for_each(|row| line(row, &mut self.hops))?;
        concluded.modifications.iter().try_for_each(|row| line(row, &mut self.modifications))?;
        if !self.quiet {
            let mut out = io::stdout().lock();
            for hop in &concluded.hops {
                writeln!(out, "{} {} {}", hop.probe, hop.round, words::cells(hop).join("  "))?;
            }
            writeln!(out, "{}", words::sentence(&concluded.target, &concluded.modifications))?;
            writeln!(out, "{}", concluded.target.evidence)?;
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.hops.flush()?;
        self.modifications.flush()?;
        self.targets.flush()
    }
}

/// Probes paths as the arguments say.
pub(crate) fn tracebox(arguments: impl Iterator<Item = String>) -> Result<(), String> {
    let seed =
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(1, |time| time.as_nanos() as u64);
    let mut settings = Settings { seed, ..Settings::default() };
    let (mut targets, mut port, mut out, mut quiet) = (Vec::<IpAddr>::new(), 80, PathBuf::from("."), false);
    let (mut rate, mut at_once) = (Settings::RATE, Settings::AT_ONCE);
    let mut captures = Vec::new();
    for argument in arguments {
        let (name, value) = argument.split_once('=').unwrap_or((&argument, ""));
        let bad = |error: &dyn std::fmt::Display| format!("{argument}: {error}");
        let number = || value.parse::<f64>().map_err(|error| bad(&error));
        match name {
            "targets" => {
                for addr in value.split(',') {
                    targets.push(addr.parse().map_err(|error: std::net::AddrParseError| bad(&error))?);
                }
            }
            "port" => port = number()? as u16,
            "read" => captures.push(value.into()),
            "asks" => {
                let asks = |name: &str| Asks::ALL.iter().copied().find(|asks| asks.as_str() == name);
                settings.asks = value
                    .split(',')
                    .map(|name| asks(name).ok_or_else(|| bad(&"no such probe")))
                    .collect::<Result<_, _>>()?;
            }
            "options" => {
                settings.custom = Some(value.parse().map_err(|error: trace::BadOptions| bad(&error))?);
            }
            "min_hop" => settings.min_hop = number()? as u8,
            "max_hop" => settings.max_hop = number()? as u8,
            "wait" => settings.wait = Duration::from_secs_f64(number()?),
            "retries" => settings.retries = number()? as u8,
            "flows" => settings.flows = number()? as u8,
            "data" => settings.data = number()? > 0.0,
            "distances" => settings.distances = number()? > 0.0,
            "seed" => settings.seed = number()? as u64,
            "rate" => rate = number()?,
            "at_once" => at_once = number()? as usize,
            "out" => out = value.into(),
            "quiet" => quiet = true,
            _ => return Err(format!("unknown: {argument}")),
        }
    }
    let words = |error: &dyn std::fmt::Display| error.to_string();
    let mut csv = Csv::open(&out, quiet).map_err(|error| words(&error))?;
    if captures.is_empty() {
        let mut channel = Channel::open(&Options::default()).map_err(|error| words(&error))?;
        let targets = targets.into_iter().map(|addr| Target { addr, port });
        let mut watch = |path: Path| match path.no_way() {
            Some(why) => Err(io::Error::other(why.to_owned())),
            None => csv.take(&path.conclude()),
        };
        let driven =
            trace::run(&mut channel, targets, &settings, at_once, Some(rate), &Stop::default(), &mut watch)
                .map_err(|error| words(&error))?;
        if !quiet {
            eprintln!("{driven:?}");
        }
    } else {
        for trace in offline::read(&captures).map_err(|error| words(&error))? {
            csv.take(&trace::conclude(&trace)).map_err(|error| words(&error))?;
        }
    }
    csv.flush().map_err(|error| words(&error))
}

fn main() -> ExitCode {
    match tracebox(std::env::args().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
