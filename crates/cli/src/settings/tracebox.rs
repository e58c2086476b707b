//! Settings of `subflow tracebox`.

use super::candidates::{Candidate, candidates, network};
use super::layers::{Layer, Origin};
use super::reading::{lower_layers, pair, talk_flags};
use super::scan::scaled;
use super::{Output, Talk, Wanted};
use crate::args::{Format, TraceboxArgs};
use crate::failure::Failure;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use subflow_probe::network::Options;
use subflow_probe::rows::{Asks, TRACE_SCHEMAS};
use subflow_probe::targets::special;
use subflow_probe::trace::Settings;
use subflow_report::tracebox::Operators;

/// What a scan or verification says of servers that answer with the option, or fail with it only.
const OF_INTEREST: [&str; 5] =
    ["stripped", "malformed", "dropped_with_option", "reset_with_option", "falls_back"];

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
    /// The paths to targets.
    Targets(Box<Probing>),
}

/// Paths that are probed.
#[derive(Debug)]
pub(crate) struct Probing {
    pub(crate) targets: Vec<Candidate>,
    /// Candidates that are left out, as nothing of them is of interest, and mirrors among them.
    pub(crate) left_out: (usize, usize),
    /// How many of them are public addresses.
    pub(crate) public: usize,
    pub(crate) settings: Settings,
    pub(crate) at_once: usize,
    pub(crate) rate: Option<f64>,
    pub(crate) network: Options,
    pub(crate) contact: Option<String>,
    pub(crate) dry: bool,
    pub(crate) tui: bool,
}

/// What becomes of what is found.
#[derive(Debug)]
pub(crate) struct Showing {
    pub(crate) output: Output,
    /// One object a target, in the shape of the classic tool.
    pub(crate) classic: bool,
    /// What that tool calls `max_hops`.
    pub(crate) max_hop: u8,
    /// Say more of each hop and target.
    pub(crate) verbose: bool,
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
            format: Wanted::flag(&args.rows),
            strict: pair(args.strict, args.no_strict),
            ..talk_flags(&args.talk)
        };
        let mut layer = flags.over(below);
        let strict = layer.strict.unwrap_or(false);
        let talk = Talk::of(&args.talk, &layer);
        let show = showing(&args, layer.format.take())?;
        let of = if args.read.is_empty() {
            TraceboxOf::Targets(Box::new(Probing::new(&args, strict, talk)?))
        } else {
            TraceboxOf::Captures(args.read)
        };
        Ok(Self { of, show, strict, talk })
    }
}

impl Probing {
    fn new(args: &TraceboxArgs, strict: bool, talk: Talk) -> Result<Self, Failure> {
        let settings = settings(args)?;
        settings.check()?;
        let defaults = (Settings::RATE, Settings::AT_ONCE);
        let rate = match args.rate.as_deref().map(|text| (text, scaled(text))) {
            None => Some(defaults.0),
            Some((_, Some(0.0))) => None,
            Some((_, Some(rate))) => Some(rate),
            Some((text, None)) => {
                return Err(Failure::usage(format!("--rate: '{text}' is no number of packets a second")));
            }
        };
        let all = candidates(&args.candidates, strict, talk)?;
        if all.is_empty() {
            return Err(Failure::usage("there is no target to look at").hint(
                "name servers as example.org:443, or give --list FILE, or --from the folder of a scan",
            ));
        }
        let (targets, left): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|one| is_wanted(one, args.candidates.mirrored, args.plain));
        if targets.is_empty() {
            return Err(Failure::failed(
                "none of the targets is of interest: none answered with the option, or failed with it only",
            )
            .hint(
                "--plain takes those too that answered without it, --mirrored those that only returned it",
            ));
        }
        if let Some(one) = targets.iter().find(|one| is_nobody(one.addr) || one.port == 0) {
            return Err(Failure::usage(format!(
                "{} port {} is no place that a path could lead to",
                one.addr, one.port
            )));
        }
        let public = special::count_public(targets.iter().map(|one| one.addr));
        if !args.dryrun {
            special::check_public(public, args.candidates.i_have_permission, rate.is_some())?;
        }
        if args.contact.as_deref().is_some_and(|text| text.chars().any(char::is_control)) {
            return Err(Failure::usage("--contact must be without control characters"));
        }
        Ok(Self {
            targets,
            left_out: (left.len(), left.iter().filter(|one| one.mirrored).count()),
            public,
            settings,
            at_once: args
                .at_once
                .map_or(defaults.1, |at_once| usize::try_from(at_once).unwrap_or(usize::MAX)),
            rate,
            network: network(&args.network)?,
            contact: args.contact.clone(),
            dry: args.dryrun,
            tui: args.tui,
        })
    }
}

/// Whether a path is worth looking at: of what is known, something has to be about Multipath TCP.
fn is_wanted(one: &Candidate, mirrored: bool, plain: bool) -> bool {
    let said = || one.verdict.iter().chain(&one.conclusions).map(String::as_str);
    if one.mirrored {
        return mirrored;
    }
    said().next().is_none()
        || one.v1
        || one.v0
        || said().any(|said| OF_INTEREST.contains(&said))
        || (plain && one.is_alive())
}

/// Whether an address is none of a host.
fn is_nobody(addr: IpAddr) -> bool {
    addr.is_unspecified() || addr.is_multicast() || addr == IpAddr::from([255; 4])
}

fn settings(args: &TraceboxArgs) -> Result<Settings, Failure> {
    let defaults = Settings::default();
    let (mut asks, data) = match &args.probes {
        Some(text) => kinds(text)?,
        None => (defaults.asks.clone(), defaults.data),
    };
    let custom = args.options.as_deref().map(|text| {
        text.parse().map_err(|error| {
            Failure::usage(format!("--options: {error}"))
                .hint("as in 'mss=1460,sackok,ts,nop,ws=7,mpcapable=v1', or all options in hexadecimal")
        })
    });
    let custom = custom.transpose()?;
    if custom.is_some() {
        asks.push(Asks::Custom);
    }
    let mut seed = RandomState::new().build_hasher();
    seed.write_u32(std::process::id());
    Ok(Settings {
        asks,
        custom,
        data,
        min_hop: args.min_ttl.unwrap_or(defaults.min_hop),
        max_hop: args.max_ttl.unwrap_or(defaults.max_hop),
        wait: args.wait.map_or(defaults.wait, |nanos| Duration::from_nanos(nanos.unsigned_abs())),
        retries: args.retries.unwrap_or(defaults.retries),
        flows: args.flows.unwrap_or(defaults.flows),
        seed: seed.finish(),
        ..defaults
    })
}

/// What is asked, and whether with data.
fn kinds(text: &str) -> Result<(Vec<Asks>, bool), Failure> {
    let (mut asks, mut data) = (Vec::new(), false);
    for word in text.split(',').map(str::trim) {
        match Asks::ALL.iter().copied().find(|asks| asks.as_str() == word) {
            Some(Asks::Data) => data = true,
            Some(Asks::Custom) | None => {
                return Err(Failure::usage(format!("--probes: '{word}' is no kind of probe"))
                    .hint("there are v1, v0, both, join, canary, plain and data; options of your own come with --options"));
            }
            Some(kind) => asks.push(kind),
        }
    }
    if asks.is_empty() {
        // Data goes over a connection that was opened with the option.
        asks.push(Asks::V1);
    }
    Ok((asks, data))
}

fn showing(args: &TraceboxArgs, format: Option<(Format, Origin)>) -> Result<Showing, Failure> {
    // The shape of the classic tool is a form of its own.
    let format = format.filter(|_| !args.classic_json);
    let wanted = Wanted::new(args.rows.clone(), format)?.main_alone("targets");
    let output = if args.read.is_empty() {
        wanted.growing_output("the work", &TRACE_SCHEMAS, "targets")?
    } else {
        wanted.output(&TRACE_SCHEMAS, "targets")?
    };
    if let Some(dir) = &args.rows.output {
        spare_scans(dir)?;
    }
    Ok(Showing {
        output,
        classic: args.classic_json,
        max_hop: args.max_ttl.unwrap_or(Settings::default().max_hop),
        verbose: args.talk.verbose,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Cli, Command};
    use crate::settings::Stream;
    use clap::Parser;

    fn tracebox(arguments: &str) -> Result<Tracebox, Failure> {
        let line = ["subflow", "tracebox"].into_iter().chain(arguments.split_whitespace());
        match Cli::try_parse_from(line).expect("parses").command {
            Command::Tracebox(args) => Tracebox::layered(*args, Layer::default()),
            other => panic!("{other:?}"),
        }
    }

    fn probing(arguments: &str) -> Probing {
        match tracebox(arguments).expect("valid").of {
            TraceboxOf::Targets(probing) => *probing,
            TraceboxOf::Captures(_) => panic!("no capture was named"),
        }
    }

    #[test]
    fn what_is_asked_of_whom() {
        let of = probing(
            "10.0.0.1 [fd00::1]:8443 --probes v1,join --min-ttl 2 --max-ttl 9 --wait 0.5 --retries 1 --flows 2 -r 2k",
        );
        assert_eq!(of.targets.iter().map(|one| one.port).collect::<Vec<_>>(), [80, 443, 8443]);
        assert_eq!((of.settings.asks, of.settings.data), (vec![Asks::V1, Asks::Join], false));
        assert_eq!((of.settings.min_hop, of.settings.max_hop, of.settings.retries), (2, 9, 1));
        assert_eq!(
            (of.settings.wait, of.settings.flows, of.rate),
            (Duration::from_millis(500), 2, Some(2000.0))
        );
        let of = probing("10.0.0.1:80 --options mss=1400,mpcapable=v1 -r 0");
        assert_eq!((of.settings.asks.last(), of.settings.data, of.rate), (Some(&Asks::Custom), true, None));
        assert!(of.settings.custom.is_some());
        assert_eq!(probing("10.0.0.1:80 --probes data").settings.asks, [Asks::V1]);
    }

    #[test]
    fn mistakes_come_with_the_next_step() {
        let failure = |arguments| {
            let failure = tracebox(arguments).unwrap_err();
            (failure.to_string(), failure.next_step().unwrap_or_default().to_owned())
        };
        assert!(failure("").1.contains("--from"));
        assert!(failure("10.0.0.1 --probes v2").1.contains("canary"));
        assert!(failure("10.0.0.1 --options what").0.contains("--options"));
        assert!(failure("10.0.0.1 --min-ttl 9 --max-ttl 3").0.contains("hop limits"));
        assert!(failure("10.0.0.1 -f json").1.contains("jsonl"));
        assert!(failure("10.0.0.1 -f parquet").1.contains("-o DIR"));
        assert!(failure("10.0.0.1 --rate fast").0.contains("--rate"));
        assert!(failure("224.0.0.1:80").0.contains("no place"));
        assert!(failure("10.0.0.1 --operators /nonexistent/x").0.contains("/nonexistent/x"));
    }

    #[test]
    fn many_public_addresses_need_a_word() {
        let list: String = (1..=5).map(|number| format!("192.0.77.{number} ")).collect();
        let (refused, few) = (tracebox(&list).unwrap_err(), probing("192.0.77.1 192.0.77.2"));
        assert!(refused.next_step().unwrap_or_default().contains("--i-have-permission"), "{refused}");
        assert_eq!((few.public, few.targets.len()), (4, 4));
        assert_eq!(probing(&format!("{list} --i-have-permission")).public, 10);
        assert!(probing(&format!("{list} --dryrun")).dry);
        assert_eq!(probing("10.0.0.1 fd00::1 127.0.0.1").public, 0);
    }

    #[test]
    fn of_a_scan_only_what_is_about_multipath_tcp() {
        let dir = tempfile::tempdir().expect("a folder");
        let rows = "addr,port,verdict,v1,v0\n10.0.0.1,80,supports_v1,v1,no_option\n10.0.0.2,80,mirrored,mirrored,\n\
                    10.0.0.3,80,plain_tcp,,\n10.0.0.4,80,dropped_with_option,,\n10.0.0.5,80,filtered,,\n";
        std::fs::write(dir.path().join("targets.csv"), rows).expect("writes");
        let from = format!("--from {}", dir.path().display());
        let addrs = |arguments: &str| -> Vec<String> {
            probing(&format!("{from} {arguments}")).targets.iter().map(|one| one.addr.to_string()).collect()
        };
        assert_eq!(addrs(""), ["10.0.0.1", "10.0.0.4"]);
        assert_eq!(addrs("--mirrored"), ["10.0.0.1", "10.0.0.2", "10.0.0.4"]);
        assert_eq!(addrs("--plain"), ["10.0.0.1", "10.0.0.3", "10.0.0.4"]);
        assert_eq!(probing(&from).left_out, (3, 1));
        std::fs::write(dir.path().join("scan.state"), "").expect("writes");
        let failure = tracebox(&format!("{from} -o {}", dir.path().display())).unwrap_err();
        assert!(failure.to_string().contains("holds a scan"), "{failure}");
    }

    #[test]
    fn targets_are_what_goes_to_a_stream() {
        let output = |arguments| tracebox(arguments).expect("valid").show.output;
        let Output::Stream(Stream::Jsonl(selection)) = output("10.0.0.1 -f jsonl") else {
            panic!("JSON lines were asked for")
        };
        assert_eq!(selection.layouts().len(), 1);
        assert!(matches!(output("--read a.pcap -f json"), Output::Stream(Stream::Json(_))));
        assert_eq!(output("10.0.0.1 --classic-json"), Output::Summary);
        let Output::Directory { selection, .. } = output("10.0.0.1 -o /nonexistent/d") else {
            panic!("a folder was asked for")
        };
        assert_eq!(selection.layouts().len(), 3);
    }
}
