//! Settings of `subflow scan`.

use super::layers::{Layer, Origin};
use super::reading::{lower_layers, pair, talk_flags};
use super::{Output, Talk, Wanted};
use crate::args::{Format, ScanArgs};
use crate::failure::Failure;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::PathBuf;
use std::time::Duration;
use subflow_probe::probes::SourcePorts;
use subflow_probe::rows::{SCHEMAS, Target};
use subflow_probe::scan::{About, Rate, Settings, State};
use subflow_probe::targets::{List, Plan, Wanted as Targets};
use subflow_rows::Row;

/// Up to so many targets silent ones get rows, too, unless something else is asked for.
const ROWS_OF_SILENT: u64 = 1 << 16;
/// Name of the state in the folder of a scan.
const STATE: &str = "scan.state";
/// The table that matters most.
const TARGETS: &str = Target::SCHEMA.table;
/// Name of the metadata in the folder of a scan.
const METADATA: &str = "metadata.json";

/// What `subflow scan` is to do.
#[derive(Debug)]
pub(crate) struct Scan {
    pub(crate) of: ScanOf,
    pub(crate) strict: bool,
    pub(crate) talk: Talk,
}

/// What is judged.
#[derive(Debug)]
pub(crate) enum ScanOf {
    /// What comes back from targets.
    Targets(Box<Sending>),
    /// What captures hold.
    Captures { paths: Vec<PathBuf>, output: Output },
}

/// A scan on the wire.
#[derive(Debug)]
pub(crate) struct Sending {
    pub(crate) plan: Plan,
    pub(crate) settings: Settings,
    pub(crate) dry: bool,
    pub(crate) output: Output,
    pub(crate) metadata: Option<PathBuf>,
    pub(crate) status: Option<PathBuf>,
    /// The page about the scan, and at which port it is shown.
    pub(crate) page: Option<(About, u16)>,
}

impl Scan {
    /// Checks what was asked for.
    pub(crate) fn new(args: ScanArgs) -> Result<Self, Failure> {
        let command = std::env::args().map(|word| quoted(&word)).collect::<Vec<_>>().join(" ");
        Self::layered(args, lower_layers()?, command)
    }

    fn layered(args: ScanArgs, below: Layer, command: String) -> Result<Self, Failure> {
        let flags = Layer {
            format: Wanted::flag(&args.rows),
            strict: pair(args.strict, args.no_strict),
            ..talk_flags(&args.talk)
        };
        let mut layer = flags.over(below);
        let strict = layer.strict.unwrap_or(false);
        let talk = Talk::of(&args.talk, &layer);
        let offline = !args.read.is_empty();
        let output = output(&args, layer.format.take(), offline)?;
        let of = if offline {
            ScanOf::Captures { paths: args.read, output }
        } else {
            ScanOf::Targets(Box::new(Sending::new(args, output, strict, command)?))
        };
        Ok(Self { of, strict, talk })
    }
}

impl Sending {
    fn new(args: ScanArgs, output: Output, strict: bool, command: String) -> Result<Self, Failure> {
        let dir = args.rows.output.as_deref();
        let state = dir.map(|dir| dir.join(STATE));
        if let Some(state) = state.as_deref().filter(|state| !args.resume && !args.dryrun && state.exists()) {
            let dir = state.parent().unwrap_or(state).display();
            return Err(Failure::usage(format!("{dir} holds a scan already"))
                .hint("--resume goes on with it; or name another folder with -o"));
        }
        if let Some(state) = state.as_deref().filter(|state| args.resume && !state.exists()) {
            return Err(Failure::usage(format!(
                "there is no scan to resume: {} is missing",
                state.display()
            ))
            .hint("leave out --resume to begin one"));
        }
        let seed = match (args.seed, &state) {
            (Some(seed), _) => seed,
            (None, Some(state)) if args.resume => State::peek(state)?.seed,
            // Not the same twice.
            _ => RandomState::new().build_hasher().finish(),
        };
        let plan = plan(&args, seed, strict)?;
        let settings = Settings {
            report_silent: pair(args.silent, args.no_silent).unwrap_or(plan.len() <= ROWS_OF_SILENT),
            state,
            command: Some(command),
            ..settings(&args)?
        };
        let (v4, v6) = plan.addresses();
        if let Some(addr) = args.source_ip.iter().find(|addr| if addr.is_ipv4() { v4 == 0 } else { v6 == 0 })
        {
            return Err(Failure::usage(format!("--source-ip: no target is of the family of {addr}"))
                .hint("name an address for each family of targets, or leave it out"));
        }
        if !args.dryrun {
            settings.check(&plan)?;
        }
        let metadata = args.metadata_file.or_else(|| dir.map(|dir| dir.join(METADATA)));
        let page = args.page.zip(args.contact).map(|(port, contact)| {
            (About { contact, purpose: args.purpose, opt_out: args.opt_out_contact }, port)
        });
        let status = args.status_updates_file;
        Ok(Self { plan, settings, dry: args.dryrun, output, metadata, status, page })
    }
}

/// Where rows go.
fn output(args: &ScanArgs, format: Option<(Format, Origin)>, offline: bool) -> Result<Output, Failure> {
    let wanted = Wanted::new(args.rows.clone(), format)?.main_alone(TARGETS);
    if offline {
        wanted.output(&SCHEMAS, TARGETS)
    } else {
        wanted.growing_output("a scan", &SCHEMAS, TARGETS)
    }
}

/// What is probed, in which order.
fn plan(args: &ScanArgs, seed: u64, strict: bool) -> Result<Plan, Failure> {
    let mut targets = List::default();
    for entry in &args.targets {
        targets.add(entry).map_err(|reason| {
            Failure::usage(format!("'{entry}': {reason}"))
                .hint("targets are addresses, prefixes as 192.0.2.0/24, or ranges as 192.0.2.1-192.0.2.9; names are not looked up")
        })?;
    }
    let read = |list: &mut List, files: &[PathBuf]| -> Result<(), Failure> {
        files.iter().try_for_each(|file| Ok(list.add_file(file, strict)?))
    };
    let (mut allow, mut block, mut never) = (List::default(), List::default(), List::default());
    read(&mut targets, &args.lists)?;
    read(&mut allow, &args.allow)?;
    read(&mut block, &args.block)?;
    read(&mut never, &args.opt_out)?;
    read(&mut never, &args.aliased)?;
    let plan = Plan::new(Targets {
        targets,
        allow,
        block,
        never,
        special: args.special,
        ports: args.ports.parse()?,
        seed,
        max_targets: None,
        shard: args.shard,
        shards: args.shards,
    })?;
    Ok(match &args.max_targets {
        Some(text) => {
            let most = most(text, plan.total()).ok_or_else(|| {
                Failure::usage(format!("--max-targets: '{text}' is neither a number nor a share"))
                    .hint("as in -n 1000 or -n 0.5%")
            })?;
            plan.limited(most)
        }
        None => plan,
    })
}

/// How many targets `1000` or `1%` are.
fn most(text: &str, all: u64) -> Option<u64> {
    let number = match text.strip_suffix('%') {
        Some(share) => {
            let share: f64 = share.trim().parse().ok()?;
            (0.0..=100.0).contains(&share).then(|| (all as f64 * share / 100.0).ceil() as u64)?
        }
        None => text.trim().parse().ok()?,
    };
    (number > 0).then_some(number)
}

/// How it is probed.
fn settings(args: &ScanArgs) -> Result<Settings, Failure> {
    let duration = |nanos: i64| Duration::from_nanos(nanos.unsigned_abs());
    let defaults = Settings::default();
    let rate = match (&args.rate, &args.bandwidth) {
        (Some(text), _) => match scaled(text) {
            Some(0.0) => Rate::Unlimited,
            Some(rate) => Rate::Packets(rate),
            None => return Err(Failure::usage(format!("--rate: '{text}' is no number of packets a second"))),
        },
        (None, Some(text)) => match scaled(text) {
            Some(bits) => Rate::Bandwidth(bits),
            None => {
                return Err(Failure::usage(format!("--bandwidth: '{text}' is no number of bits a second"))
                    .hint("as in --bandwidth 500K, 10M or 1G"));
            }
        },
        (None, None) => defaults.rate,
    };
    let source_ports = match &args.source_port {
        Some(text) => source_ports(text).ok_or_else(|| {
            Failure::usage(format!("--source-port: '{text}' is no range of five ports or more"))
                .hint("each kind of probe has ports of its own, as in --source-port 50000-50999")
        })?,
        None => SourcePorts::default(),
    };
    Ok(Settings {
        kinds: args.probe.parse()?,
        canary: args.canary,
        retries: args.probes - 1,
        follow_up: !args.no_follow_up,
        rate,
        prefix_rate: args.prefix_rate,
        cooldown: duration(args.cooldown),
        max_runtime: args.max_runtime.map(duration),
        threads: args.sender_threads,
        interface: args.interface.clone(),
        sources: args.source_ip.clone(),
        source_ports,
        gateway_mac: gateway(args.gateway_mac.as_deref())?,
        acknowledge_public: args.i_have_permission,
        contact: args.contact.clone(),
        resume: args.resume,
        ..defaults
    })
}

/// `500`, `10k`, `1.5M`, `1G`.
pub(super) fn scaled(text: &str) -> Option<f64> {
    let text = text.trim();
    let (number, scale) = match text.char_indices().next_back()? {
        (at, 'k' | 'K') => (&text[..at], 1e3),
        (at, 'm' | 'M') => (&text[..at], 1e6),
        (at, 'g' | 'G') => (&text[..at], 1e9),
        _ => (text, 1.0),
    };
    number.parse().ok().map(|number: f64| number * scale).filter(|rate| rate.is_finite() && *rate >= 0.0)
}

/// `50000-50999`.
fn source_ports(text: &str) -> Option<SourcePorts> {
    let (first, last) = text.split_once('-')?;
    SourcePorts::new(first.trim().parse().ok()?, last.trim().parse().ok()?)
}

/// The hardware address of the gateway, where it is given.
pub(super) fn gateway(text: Option<&str>) -> Result<Option<[u8; 6]>, Failure> {
    let Some(text) = text else { return Ok(None) };
    let addr = hardware(text).ok_or_else(|| {
        Failure::usage(format!("--gateway-mac: '{text}' is no hardware address"))
            .hint("as in --gateway-mac 02:00:5e:10:00:01")
    })?;
    Ok(Some(addr))
}

/// `02:00:5e:10:00:01`.
fn hardware(text: &str) -> Option<[u8; 6]> {
    let bytes: Option<Vec<u8>> =
        text.split([':', '-']).map(|part| u8::from_str_radix(part, 16).ok()).collect();
    bytes?.try_into().ok()
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:,=%+@".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Cli, Command};
    use crate::settings::Stream;
    use clap::Parser;

    fn scan(arguments: &str) -> Result<Scan, Failure> {
        let line = ["subflow", "scan"].into_iter().chain(arguments.split_whitespace());
        match Cli::try_parse_from(line).expect("parses").command {
            Command::Scan(args) => Scan::layered(*args, Layer::default(), "subflow scan".to_owned()),
            other => panic!("{other:?}"),
        }
    }

    fn sending(arguments: &str) -> Sending {
        match scan(arguments).expect("valid").of {
            ScanOf::Targets(sending) => *sending,
            ScanOf::Captures { .. } => panic!("no capture was named"),
        }
    }

    #[test]
    fn what_is_asked_of_whom() {
        let scan = sending("10.0.0.0/24 --special -p 80 --probe v1,join -P 3 --cooldown 2 --seed 5 -n 10%");
        assert_eq!((scan.plan.len(), scan.plan.seed()), (26, 5));
        assert_eq!((scan.settings.kinds.to_string().as_str(), scan.settings.retries), ("v1,join", 2));
        assert_eq!(scan.settings.cooldown, Duration::from_secs(2));
        assert!(scan.settings.report_silent && scan.settings.follow_up);
        assert!(!sending("10.0.0.0/8 --special").settings.report_silent);
        assert!(sending("10.0.0.0/8 --special --silent").settings.report_silent);
        assert!(!sending("10.0.0.1 --special --no-silent").settings.report_silent);
        assert_ne!(sending("10.0.0.1 --special").plan.seed(), sending("10.0.0.1 --special").plan.seed());
    }

    #[test]
    fn how_fast() {
        let rate = |arguments| sending(&format!("10.0.0.1 --special {arguments}")).settings.rate;
        assert_eq!(rate(""), Rate::Packets(1000.0));
        assert_eq!(rate("-r 2.5k"), Rate::Packets(2500.0));
        assert_eq!(rate("--rate 0"), Rate::Unlimited);
        assert_eq!(rate("-B 10M"), Rate::Bandwidth(1e7));
        for text in ["fast", "-1", "1T", "nan", "", "k"] {
            assert_eq!(scaled(text), None, "{text}");
        }
    }

    #[test]
    fn mistakes_come_with_the_next_step() {
        let failure = |arguments| {
            let failure = scan(arguments).unwrap_err();
            (failure.to_string(), failure.next_step().unwrap_or_default().to_owned())
        };
        let (what, next) = failure("192.0.77.0/24 -p 80");
        assert!(what.contains("public addresses among the 256 targets"), "{what}");
        assert!(next.contains("--i-have-permission") && next.contains("--dryrun"), "{next}");
        assert!(failure("10.0.0.1").1.contains("--special"));
        assert!(failure("example.org").1.contains("names are not looked up"));
        assert!(failure("10.0.0.1 --special -p http").0.contains("'http' is no list of ports"));
        assert!(failure("10.0.0.1 --special --probe v2").0.contains("v1, v0, both, plain or join"));
        assert!(failure("10.0.0.1 --special -n 0").0.contains("--max-targets"));
        assert!(failure("10.0.0.1 --special -s 5-8").0.contains("five ports"));
        assert!(failure("10.0.0.1 --special -G 1:2").0.contains("hardware address"));
        assert!(failure("10.0.0.1 --special -f json").1.contains("jsonl"));
        assert!(failure("10.0.0.1 --special -f parquet").1.contains("-o DIR"));
        assert!(failure("10.0.0.1 --special --seed 1 --shards 2 --shard 2").0.contains("no shard 2 of 2"));
        assert!(failure("192.0.77.0/24 --i-have-permission --rate 0").0.contains("without a rate"));
        // Nothing is sent, so nobody has to be asked.
        assert!(sending("192.0.77.0/24 --dryrun").dry);
    }

    #[test]
    fn a_folder_with_a_scan_is_not_written_over() {
        let dir = tempfile::tempdir().expect("a folder");
        let line = format!("10.0.0.1 --special -o {}", dir.path().display());
        assert_eq!(sending(&line).settings.state, Some(dir.path().join(STATE)));
        assert_eq!(sending(&line).metadata, Some(dir.path().join(METADATA)));
        let scan_of_before = sending(&format!("{line} --seed 77"));
        let state = State::new(&scan_of_before.plan, &scan_of_before.settings, 1);
        state.write(&dir.path().join(STATE)).expect("writes");
        assert!(scan(&line).unwrap_err().to_string().contains("holds a scan already"));
        let resumed = sending(&format!("{line} --resume"));
        assert_eq!((resumed.plan.seed(), resumed.settings.resume), (77, true));
    }

    #[test]
    fn targets_are_what_goes_to_a_stream() {
        let table = |arguments| match scan(arguments).expect("valid").of {
            ScanOf::Targets(sending) => sending.output,
            ScanOf::Captures { output, .. } => output,
        };
        let Output::Stream(Stream::Jsonl(selection)) = table("10.0.0.1 --special -f jsonl") else {
            panic!("JSON lines were asked for")
        };
        assert_eq!(selection.layouts().len(), 1);
        assert_eq!(table("--read a.pcap"), Output::Summary);
        assert!(matches!(table("--read a.pcap -f json"), Output::Stream(Stream::Json(_))));
        let Output::Directory { selection, .. } = table("10.0.0.1 --special -o /nonexistent/d") else {
            panic!("a folder was asked for")
        };
        assert_eq!(selection.layouts().len(), 3);
    }

    #[test]
    fn words_for_a_shell() {
        assert_eq!(quoted("10.0.0.0/8"), "10.0.0.0/8");
        assert_eq!(quoted("it's me"), r"'it'\''s me'");
        assert_eq!(quoted(""), "''");
        assert_eq!(hardware("02:00:5e:10:00:0A"), Some([2, 0, 0x5e, 0x10, 0, 10]));
    }
}
