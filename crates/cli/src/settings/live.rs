//! Settings of `subflow live`.

use super::Output;
use super::analyze::{output, wants_detail};
use super::layers::Layer;
use super::output::Wanted;
use super::reading::{Reading, Talk, lower_layers, talk_flags};
use crate::args::{FilterArgs, LiveArgs, Recorded};
use crate::failure::Failure;
use std::ffi::OsStr;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::time::Duration;
use subflow_analysis::Options;
use subflow_capture::live::{ANY, Config};
use subflow_capture::{Container, MAX_CAPTURED};

/// What `subflow live` is to do.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) capture: Config,
    /// File to record into, and its form.
    pub(crate) record: Option<(PathBuf, Container)>,
    pub(crate) duration: Option<Duration>,
    pub(crate) packets: Option<u64>,
    pub(crate) options: Options,
    pub(crate) output: Output,
    pub(crate) talk: Talk,
    /// Whether to show what goes on.
    pub(crate) show: bool,
}

impl Live {
    /// Checks what was asked for.
    pub(crate) fn new(args: LiveArgs) -> Result<Self, Failure> {
        let terminal = io::stdout().is_terminal() && io::stdin().is_terminal();
        Self::layered(args, lower_layers()?, terminal)
    }

    fn layered(args: LiveArgs, below: Layer, terminal: bool) -> Result<Self, Failure> {
        let asked_for = args.output.rows.format.is_some() || args.output.rows.output.is_some();
        let record = args.write.map(|path| container(&path, args.write_format).map(|form| (path, form)));
        let flags = Layer {
            format: Wanted::flag(&args.output.rows),
            idle_timeout: args.idle_timeout,
            ..talk_flags(&args.talk)
        };
        let mut layer = flags.over(below);
        let output = output(args.output, layer.format.take())?;
        let filter = FilterArgs {
            ports: args.ports,
            hosts: args.hosts,
            since: None,
            until: None,
            connections: Vec::new(),
        };
        let reading = Reading::of(filter, &args.talk, &layer)?;
        let options = Options { detail: wants_detail(&output), ..reading.options };
        Ok(Self {
            capture: Config {
                interfaces: interfaces(args.interfaces)?,
                snap_len: if args.snap_length == 0 {
                    MAX_CAPTURED
                } else {
                    args.snap_length.min(MAX_CAPTURED)
                },
                ring_bytes: usize::try_from(args.buffer).unwrap_or(64) << 20,
                promiscuous: args.promiscuous,
            },
            record: record.transpose()?,
            duration: args.duration.map(|nanos| Duration::from_nanos(nanos.unsigned_abs())),
            packets: args.packets.map(Into::into),
            options,
            show: terminal && !asked_for && output == Output::Summary,
            output,
            talk: reading.talk,
        })
    }
}

/// All interfaces are those that are named, too.
fn interfaces(names: Vec<String>) -> Result<Vec<String>, Failure> {
    if names.len() > 1 && names.iter().any(|name| name == ANY) {
        return Err(Failure::usage(format!("-i {ANY} takes in every interface already"))
            .hint(format!("leave out the others, or leave out {ANY}")));
    }
    let mut seen = Vec::new();
    for name in names {
        if !seen.contains(&name) {
            seen.push(name);
        }
    }
    Ok(seen)
}

/// The form of a recording: as asked for, else by its name.
fn container(path: &Path, asked: Option<Recorded>) -> Result<Container, Failure> {
    if path == Path::new("-") {
        return Err(Failure::usage("a recording goes to a file, not to standard output")
            .hint("name a file with -w; tcpdump -i IFACE -w - writes packets to standard output"));
    }
    let ending = path.extension().and_then(OsStr::to_str).unwrap_or_default().to_ascii_lowercase();
    match asked {
        Some(Recorded::Pcap) => Ok(Container::Pcap),
        Some(Recorded::Pcapng) => Ok(Container::Pcapng),
        None if ["gz", "zst", "xz", "lz4", "bz2"].contains(&ending.as_str()) => Err(Failure::usage(format!(
            "recordings are not compressed, and {} says so",
            path.display()
        ))
        .hint("name the file .pcapng or .pcap and compress it later; subflow analyze reads it either way")),
        None if ["pcap", "cap", "dmp"].contains(&ending.as_str()) => Ok(Container::Pcap),
        None => Ok(Container::Pcapng),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Cli, Command};
    use clap::Parser;

    fn settings(arguments: &[&str], terminal: bool) -> Result<Live, Failure> {
        let line = ["subflow", "live"].iter().chain(arguments);
        match Cli::try_parse_from(line).expect("a command line").command {
            Command::Live(args) => Live::layered(*args, Layer::default(), terminal),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_terminal_shows_unless_tables_are_asked_for() {
        assert!(settings(&["-i", "eth0"], true).expect("fine").show);
        assert!(!settings(&["-i", "eth0"], false).expect("fine").show);
        for other in [["-f", "table"], ["-f", "jsonl"], ["-o", "tables"]] {
            assert!(!settings(&[&["-i", "eth0"][..], &other].concat(), true).expect("fine").show);
        }
    }

    #[test]
    fn interfaces_are_named_once() {
        let names = |arguments: &[&str]| settings(arguments, false).map(|live| live.capture.interfaces);
        assert_eq!(names(&["-i", "a,b", "-i", "a"]).expect("fine"), ["a", "b"]);
        assert_eq!(names(&["-i", "any"]).expect("fine"), ["any"]);
        assert!(
            names(&["-i", "any", "-i", "a"]).unwrap_err().to_string().contains("every interface already")
        );
    }

    #[test]
    fn recordings_are_what_they_are_called() {
        let form = |arguments: &[&str]| {
            settings(&[&["-i", "a", "-w"], arguments].concat(), false).map(|live| live.record.expect("one").1)
        };
        for (arguments, container) in [
            (&["x.pcap"][..], Container::Pcap),
            (&["x.PCAP"], Container::Pcap),
            (&["x.pcapng"], Container::Pcapng),
            (&["x"], Container::Pcapng),
            (&["x.pcap", "--write-format", "pcapng"], Container::Pcapng),
            (&["x.gz", "--write-format", "pcap"], Container::Pcap),
        ] {
            assert_eq!(form(arguments).expect("fine"), container, "{arguments:?}");
        }
        assert!(form(&["-"]).unwrap_err().next_step().is_some_and(|hint| hint.contains("tcpdump")));
        assert!(form(&["x.pcap.gz"]).unwrap_err().to_string().contains("not compressed"));
    }

    #[test]
    fn limits_have_their_units() {
        let live = settings(&["-i", "a", "-d", "1.5", "-n", "7", "-s", "0", "--buffer", "8"], false);
        let live = live.expect("fine");
        assert_eq!((live.duration, live.packets), (Some(Duration::from_millis(1500)), Some(7)));
        assert_eq!((live.capture.snap_len, live.capture.ring_bytes), (MAX_CAPTURED, 8 << 20));
    }
}
