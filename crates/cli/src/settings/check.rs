//! Settings of `subflow check` and `subflow serve-check`.

use super::layers::Layer;
use super::reading::{lower_layers, talk_flags};
use super::scan::scaled;
use super::{Output, Talk, Wanted};
use crate::args::{CheckArgs, ServeCheckArgs};
use crate::failure::Failure;
use std::net::IpAddr;
use std::time::Duration;
use subflow_probe::check::{Place, ServeSettings, Settings, fetch};
use subflow_probe::rows::CHECK_SCHEMAS;

/// What `subflow check` is to do.
#[derive(Debug)]
pub(crate) struct Check {
    /// The server, and how it is checked.
    pub(crate) server: Option<(String, Settings)>,
    /// What is downloaded.
    pub(crate) fetch: Option<fetch::Settings>,
    pub(crate) output: Output,
    pub(crate) talk: Talk,
}

impl Check {
    /// Checks what was asked for, and looks the server up.
    pub(crate) fn new(args: &CheckArgs) -> Result<Self, Failure> {
        Self::layered(args, lower_layers()?)
    }

    fn layered(args: &CheckArgs, below: Layer) -> Result<Self, Failure> {
        let flags = Layer { format: Wanted::flag(&args.rows), ..talk_flags(&args.talk) };
        let mut layer = flags.over(below);
        let talk = Talk::of(&args.talk, &layer);
        let wanted = Wanted::new(args.rows.clone(), layer.format.take())?;
        let default = if args.server.is_some() { "checks" } else { "fetches" };
        let output = wanted.growing_output("the check", &CHECK_SCHEMAS, default)?;
        let fetch = args.fetch.as_deref().map(|url| downloads(args, url)).transpose()?;
        let server = args.server.as_deref().map(|text| paths(args, text)).transpose()?;
        Ok(Self { server, fetch, output, talk })
    }
}

fn duration(nanos: i64) -> Duration {
    Duration::from_nanos(nanos.unsigned_abs())
}

fn paths(args: &CheckArgs, text: &str) -> Result<(String, Settings), Failure> {
    let place: Place = text.parse().map_err(|error| {
        Failure::usage(error)
            .hint("name the host on which subflow serve-check runs, as in server.example.net:80,443")
    })?;
    let servers = place.resolve().map_err(Failure::failed)?;
    let servers: Vec<IpAddr> = match args.from.as_slice() {
        [] => servers,
        from => servers
            .into_iter()
            .filter(|addr| from.iter().any(|own| own.is_ipv4() == addr.is_ipv4()))
            .collect(),
    };
    let defaults = Settings::default();
    let settings = Settings {
        servers,
        ports: place.ports,
        from: args.from.clone(),
        connect_timeout: args.connect_timeout.map_or(defaults.connect_timeout, duration),
        answer_timeout: args.answer_timeout.map_or(defaults.answer_timeout, duration),
        tries: args.tries.unwrap_or(defaults.tries),
        packets: !args.no_packets,
        join: !args.no_join,
    };
    settings.check().map_err(|error| {
        Failure::usage(format!("{text}: {error}")).hint("has it an address of the family of --from?")
    })?;
    Ok((place.host, settings))
}

fn downloads(args: &CheckArgs, url: &str) -> Result<fetch::Settings, Failure> {
    let url =
        url.parse().map_err(|error| Failure::usage(error).hint("as in --fetch https://www.example.org/"))?;
    let defaults = fetch::Settings::new(url);
    let max_bytes = match &args.max_bytes {
        None => defaults.max_bytes,
        Some(text) => match scaled(text) {
            Some(bytes) if bytes >= 1.0 => bytes as u64,
            _ => return Err(Failure::usage(format!("--max-bytes: '{text}' is no number of bytes"))),
        },
    };
    Ok(fetch::Settings {
        pairs: args.pairs,
        from: args.from.first().copied(),
        v6: args.from.first().map(IpAddr::is_ipv6),
        connect_timeout: args.connect_timeout.map_or(defaults.connect_timeout, duration),
        timeout: args.timeout.map_or(defaults.timeout, duration),
        max_bytes,
        trust: match (&args.ca, args.insecure) {
            (Some(path), _) => fetch::Trust::File(path.clone()),
            (None, true) => fetch::Trust::Nobody,
            (None, false) => fetch::Trust::System,
        },
        packets: !args.no_packets,
        ..defaults
    })
}

/// What `subflow serve-check` is to do.
#[derive(Debug)]
pub(crate) struct ServeCheck {
    pub(crate) settings: ServeSettings,
    pub(crate) talk: Talk,
}

impl ServeCheck {
    /// Checks what was asked for.
    pub(crate) fn new(args: ServeCheckArgs) -> Result<Self, Failure> {
        let layer = talk_flags(&args.talk).over(lower_layers()?);
        let settings = ServeSettings {
            addrs: args.address,
            ports: args.ports,
            packets: !args.no_packets,
            ..ServeSettings::default()
        };
        Ok(Self { settings, talk: Talk::of(&args.talk, &layer) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Cli, Command};
    use clap::Parser;

    fn check(arguments: &str) -> Result<Check, Failure> {
        let line = ["subflow", "check"].into_iter().chain(arguments.split_whitespace());
        match Cli::try_parse_from(line).expect("parses").command {
            Command::Check(args) => Check::layered(&args, Layer::default()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn which_paths() {
        let (host, settings) =
            check("127.0.0.1:80,81 --tries 3 --answer-timeout 1").expect("valid").server.expect("one");
        assert_eq!((host.as_str(), settings.ports, settings.tries), ("127.0.0.1", vec![80, 81], 3));
        assert_eq!((settings.servers.len(), settings.answer_timeout), (1, Duration::from_secs(1)));
        assert!(
            check("127.0.0.1 --from ::1").unwrap_err().next_step().unwrap_or_default().contains("family")
        );
        assert!(check("http://x/").unwrap_err().next_step().unwrap_or_default().contains("serve-check"));
    }

    #[test]
    fn which_downloads() {
        let of = |arguments| check(arguments).expect("valid").fetch.expect("one");
        let settings = of("--fetch https://192.0.2.1/x -n 3 --max-bytes 10K --insecure --from 192.0.2.7");
        assert_eq!((settings.pairs, settings.max_bytes, settings.v6), (3, 10_000, Some(false)));
        assert!(matches!(settings.trust, fetch::Trust::Nobody));
        assert!(check("--fetch ftp://x").unwrap_err().to_string().contains("no URL"));
        assert!(check("--fetch http://x --max-bytes 0").is_err());
        assert!(check("127.0.0.1 -f json").is_err());
    }
}
