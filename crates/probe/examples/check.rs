//! A check from the command line, for laboratories: `check server=HOST:PORTS`, `check serve=PORTS` or `check fetch=URL`, with further
//! `name=value`. Rows go to `checks.tsv` and `fetches.tsv` in `out`, a line each of `name=value` between tabs; sentences to standard output.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use subflow_probe::Stop;
use subflow_probe::check::{self, Place, ServeSettings, Server, Settings, fetch, words};
use subflow_rows::{Row, Value};

fn line<R: Row>(row: &R) -> String {
    let cells = row.cells();
    let cells = cells.as_ref().iter().map(|&value| match value {
        Value::Null => "-".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) | Value::Time(value) => value.to_string(),
        Value::Float(value) => value.to_string(),
        Value::Text(value) => value.to_owned(),
        Value::Addr(value) => value.to_string(),
        Value::Hex { value, digits } => format!("{value:0width$x}", width = usize::from(digits)),
    });
    let named = R::SCHEMA.columns.iter().zip(cells).map(|(column, cell)| format!("{}={cell}", column.name));
    named.collect::<Vec<_>>().join("\t")
}

fn open(folder: &Path, name: &str) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).open(folder.join(name))
}

/// Checks, serves or downloads as the arguments say.
pub(crate) fn check(arguments: impl Iterator<Item = String>) -> Result<(), String> {
    let (mut place, mut serve, mut url): (Option<Place>, Option<ServeSettings>, Option<fetch::Url>) =
        (None, None, None);
    let mut settings = Settings::default();
    let mut serving = ServeSettings::default();
    let (mut pairs, mut trust, mut out) = (None, fetch::Trust::System, PathBuf::from("."));
    let (mut max_bytes, mut timeout) = (None, None);
    for argument in arguments {
        let (name, value) = argument.split_once('=').unwrap_or((&argument, ""));
        let bad = |error: &dyn std::fmt::Display| format!("{argument}: {error}");
        let seconds = || value.parse::<f64>().map(Duration::from_secs_f64).map_err(|error| bad(&error));
        match name {
            "server" => place = Some(value.parse().map_err(|error| bad(&error))?),
            "serve" => {
                let ports: Result<Vec<u16>, _> = value.split(',').map(str::parse).collect();
                serving.ports = ports.map_err(|error| bad(&error))?;
                serve = Some(ServeSettings::default());
            }
            "fetch" => url = Some(value.parse().map_err(|error| bad(&error))?),
            "from" => settings.from.push(value.parse().map_err(|error| bad(&error))?),
            "connect" => settings.connect_timeout = seconds()?,
            "answer" => settings.answer_timeout = seconds()?,
            "timeout" => timeout = Some(seconds()?),
            "tries" => settings.tries = value.parse().map_err(|error| bad(&error))?,
            "pairs" => pairs = Some(value.parse().map_err(|error| bad(&error))?),
            "max" => max_bytes = Some(value.parse().map_err(|error| bad(&error))?),
            "blind" => (settings.packets, serving.packets) = (false, false),
            "tcp" => serving.mptcp = false,
            "ca" => trust = fetch::Trust::File(value.into()),
            "insecure" => trust = fetch::Trust::Nobody,
            "out" => out = value.into(),
            _ => return Err(format!("unknown: {argument}")),
        }
    }
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let mut say = io::stdout();
    if serve.is_some() {
        let server = Server::open(&serving).map_err(|error| text(&error))?;
        writeln!(say, "\n{}\nlistening", words::listening(&server).join("\n"))
            .map_err(|error| text(&error))?;
        server.run(&Stop::default(), |served| {
            let _ = writeln!(io::stdout(), "{}", words::served(&served));
        });
    }
    if let Some(place) = place {
        settings.servers = place.resolve().map_err(|error| text(&error))?;
        settings.ports = place.ports;
        let mut file = open(&out, "checks.tsv").map_err(|error| text(&error))?;
        let outcome = check::run(&settings, &Stop::default(), |row| {
            let _ = writeln!(file, "{}", line(row));
            let _ = writeln!(io::stdout(), "{}", words::line(row));
            for detail in words::details(row) {
                let _ = writeln!(io::stdout(), "  {detail}");
            }
        });
        let outcome = outcome.map_err(|error| text(&error))?;
        for sentence in words::remarks(&outcome).into_iter().chain(words::conclusion(&outcome.checks)) {
            writeln!(say, "{sentence}").map_err(|error| text(&error))?;
        }
        writeln!(say, "affected: {:?}", outcome.affected()).map_err(|error| text(&error))?;
    }
    if let Some(url) = url {
        let mut wanted = fetch::Settings::new(url);
        wanted.trust = trust;
        wanted.packets = settings.packets;
        wanted.from = settings.from.first().copied();
        wanted.pause = Duration::from_millis(10);
        wanted.pairs = pairs.unwrap_or(wanted.pairs);
        wanted.max_bytes = max_bytes.unwrap_or(wanted.max_bytes);
        wanted.timeout = timeout.unwrap_or(wanted.timeout);
        let mut file = open(&out, "fetches.tsv").map_err(|error| text(&error))?;
        let outcome = fetch::run(&wanted, &Stop::default(), |row| {
            let _ = writeln!(file, "{}", line(row));
        });
        let outcome = outcome.map_err(|error| text(&error))?;
        let sentences = fetch::words::sentences(&outcome.summary);
        for sentence in fetch::words::remarks(&outcome).into_iter().chain(sentences) {
            writeln!(say, "{sentence}").map_err(|error| text(&error))?;
        }
    }
    Ok(())
}

fn main() -> ExitCode {
    match check(std::env::args().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
