//! `subflow scan`.

use super::parse::seconds;
use super::shared::{fields, tables, while_it_goes_on};
use super::{ExportArgs, TalkArgs};
use clap::Args;
use std::net::IpAddr;
use std::path::PathBuf;

/// Find out who supports Multipath TCP
///
/// Sends SYNs with MP_CAPABLE to many addresses and ports in a random order, and judges what comes back: true support of version 1
/// or 0, options that are only mirrored, options that are stripped, connections that fail because of the option. Nothing is
/// remembered of a target until it answers: every answer is verified by what it returns.
///
/// There is no default target, and the default rate is low. Public addresses need --i-have-permission: whoever scans them answers for it.
/// See first what would be sent with --dryrun. Needs the right to open packet sockets (CAP_NET_RAW).
#[derive(Debug, Args)]
#[command(after_help = "Use --help for details and examples", after_long_help = EXAMPLES)]
#[command(mut_arg("output", |arg| arg.help("Write one file a table into this folder, with the state to --resume from; made if need be")))]
#[command(mut_arg("format", |arg| while_it_goes_on(arg, "the scan")))]
#[command(mut_arg("tables", |arg| tables(arg, "targets, probes or campaigns", "all; on standard output targets")))]
#[command(mut_arg("fields", |arg| fields(arg, "`targets`")))]
pub(crate) struct ScanArgs {
    /// What to probe: addresses, prefixes as 192.0.2.0/24, ranges as 192.0.2.1-192.0.2.9
    #[arg(value_name = "TARGET", required_unless_present_any = ["lists", "read"])]
    pub(crate) targets: Vec<String>,

    /// A file of targets, one a line (hit list); may be given several times
    ///
    /// Addresses, prefixes and ranges. `#` begins a comment; what follows the first word of a line is passed over.
    #[arg(long = "list", value_name = "FILE", help_heading = "Targets")]
    pub(crate) lists: Vec<PathBuf>,

    /// TCP ports, as 80,443,8000-8010
    #[arg(short, long = "port", value_name = "PORTS", default_value = "80,443", help_heading = "Targets")]
    pub(crate) ports: String,

    /// Prefixes that must not be probed; may be given several times
    ///
    /// Where an allow list has a longer prefix, that decides. Private networks and all else in the IANA special-purpose
    /// registries are blocked anyway, but for --special.
    #[arg(short, long = "blocklist-file", value_name = "FILE", help_heading = "Targets")]
    pub(crate) block: Vec<PathBuf>,

    /// The only prefixes that may be probed; may be given several times
    #[arg(short = 'w', long = "allowlist-file", value_name = "FILE", help_heading = "Targets")]
    pub(crate) allow: Vec<PathBuf>,

    /// Prefixes whose owners do not want to be probed: never probed, whatever else is allowed
    #[arg(long, value_name = "FILE", help_heading = "Targets")]
    pub(crate) opt_out: Vec<PathBuf>,

    /// IPv6 prefixes in which every address answers (aliased): never probed
    #[arg(long, value_name = "FILE", help_heading = "Targets")]
    pub(crate) aliased: Vec<PathBuf>,

    /// Probe private networks and other special-purpose addresses, too: for laboratories
    #[arg(long, help_heading = "Targets")]
    pub(crate) special: bool,

    /// Stop after this many targets, or this share of them, as 1%
    #[arg(short = 'n', long, value_name = "N", help_heading = "Targets")]
    pub(crate) max_targets: Option<String>,

    /// Seed of the order and of the probes, also as 0x… [default: another one each time; it stands in the metadata]
    #[arg(short = 'e', long, value_name = "N", value_parser = seed, help_heading = "Targets")]
    pub(crate) seed: Option<u64>,

    /// Split the targets into this many parts, for machines that share the work; all need the same --seed
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..), requires = "seed", help_heading = "Targets")]
    pub(crate) shards: u64,

    /// Which part, from 0
    #[arg(long, value_name = "N", default_value_t = 0, requires = "seed", help_heading = "Targets")]
    pub(crate) shard: u64,

    /// What to ask of each target: v1, v0, both (both in one SYN), plain (a SYN without option), join (MP_JOIN of an unknown token)
    #[arg(long, value_name = "KIND,…", default_value = "v1,v0", help_heading = "Probes")]
    pub(crate) probe: String,

    /// Probes of each kind to a target that does not answer: 1 sends none again
    #[arg(short = 'P', long, value_name = "N", default_value_t = 1, value_parser = attempts, help_heading = "Probes")]
    pub(crate) probes: u32,

    /// Add an option that no server answers, to recognise whoever mirrors everything
    #[arg(long, help_heading = "Probes")]
    pub(crate) canary: bool,

    /// Do not send a plain SYN to targets that stay silent or reset: saves packets, and boxes that drop the option look
    /// like closed or silent targets
    #[arg(long, help_heading = "Probes")]
    pub(crate) no_follow_up: bool,

    /// Packets a second, all kinds together [default: 1000]
    #[arg(short, long, value_name = "N", conflicts_with = "bandwidth", help_heading = "Speed")]
    pub(crate) rate: Option<String>,

    /// Bits a second on the wire instead, as 10M
    #[arg(short = 'B', long, value_name = "BPS", help_heading = "Speed")]
    pub(crate) bandwidth: Option<String>,

    /// Packets a second at most to any /24 of IPv4 and /48 of IPv6, on the average
    #[arg(long, value_name = "N", help_heading = "Speed")]
    pub(crate) prefix_rate: Option<f64>,

    /// How long answers are waited for, in seconds
    #[arg(short, long = "cooldown-time", visible_alias = "cooldown", value_name = "SECONDS", value_parser = seconds, default_value = "8", help_heading = "Speed")]
    pub(crate) cooldown: i64,

    /// Begin no target after this many seconds
    #[arg(long, value_name = "SECONDS", value_parser = seconds, help_heading = "Speed")]
    pub(crate) max_runtime: Option<i64>,

    /// Threads that send
    #[arg(short = 'T', long, value_name = "N", default_value_t = 1, help_heading = "Speed")]
    pub(crate) sender_threads: usize,

    /// Interface to send from [default: where the route to the first target leaves]
    #[arg(short, long, value_name = "IFACE", help_heading = "Network")]
    pub(crate) interface: Option<String>,

    /// Address to send from, one of each family [default: that of the interface]
    #[arg(short = 'S', long, value_name = "ADDR", value_delimiter = ',', help_heading = "Network")]
    pub(crate) source_ip: Vec<IpAddr>,

    /// Ports to send from, as FIRST-LAST [default: 61000-65534]
    #[arg(short = 's', long, value_name = "PORTS", help_heading = "Network")]
    pub(crate) source_port: Option<String>,

    /// Hardware address of the gateway [default: it is asked for]
    #[arg(short = 'G', long, value_name = "MAC", help_heading = "Network")]
    pub(crate) gateway_mac: Option<String>,

    /// The owners of the public addresses among the targets have been considered: there is a reason to probe them, a way to
    /// reach you, and an opt-out list
    #[arg(long, help_heading = "Good neighbours")]
    pub(crate) i_have_permission: bool,

    /// Whom to ask about the scan: an address or a page; it stands in the metadata
    #[arg(long, value_name = "TEXT", help_heading = "Good neighbours")]
    pub(crate) contact: Option<String>,

    /// While the scan goes on, show a page at this port of the addresses that probes come from: who scans, why, and how to be
    /// left out
    #[arg(
        long,
        value_name = "PORT",
        num_args = 0..=1,
        default_missing_value = "80",
        value_parser = clap::value_parser!(u16).range(1..),
        requires = "contact",
        conflicts_with = "read",
        help_heading = "Good neighbours"
    )]
    pub(crate) page: Option<u16>,

    /// What the page says of why there is a scan
    #[arg(long, value_name = "TEXT", requires = "page", help_heading = "Good neighbours")]
    pub(crate) purpose: Option<String>,

    /// What the page says of where to ask to be left out [default: the contact]
    #[arg(long, value_name = "TEXT", requires = "page", help_heading = "Good neighbours")]
    pub(crate) opt_out_contact: Option<String>,

    /// Say what would be sent, to whom and how long it would take, and send nothing
    #[arg(short = 'd', long, help_heading = "Good neighbours")]
    pub(crate) dryrun: bool,

    /// Go on where the scan in -o DIR was stopped or killed; the other arguments must be the same
    #[arg(long, requires = "output", conflicts_with = "read", help_heading = "Output")]
    pub(crate) resume: bool,

    /// Judge a capture of a scan, of any program, instead of scanning; may be given several times
    #[arg(
        long,
        value_name = "CAPTURE",
        conflicts_with_all = ["targets", "lists", "dryrun", "metadata_file", "status_updates_file"],
        help_heading = "Captures"
    )]
    pub(crate) read: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) rows: ExportArgs,

    /// Rows of targets from which nothing came, too [default: of up to 65,536 targets]
    #[arg(long, overrides_with_all = ["no_silent", "silent"], help_heading = "Output")]
    pub(crate) silent: bool,

    /// No rows of targets from which nothing came
    #[arg(long, overrides_with_all = ["no_silent", "silent"], help_heading = "Output")]
    pub(crate) no_silent: bool,

    /// Write what was asked and what became of it as JSON to this file, one line a run [default: metadata.json in -o DIR]
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    pub(crate) metadata_file: Option<PathBuf>,

    /// Write a line of counts to this file each second, as CSV
    #[arg(short = 'u', long, value_name = "FILE", help_heading = "Output")]
    pub(crate) status_updates_file: Option<PathBuf>,

    /// Fail when a line of a list, or something in a capture, cannot be read [env: SUBFLOW_STRICT]
    #[arg(long, overrides_with_all = ["no_strict", "strict"], help_heading = "Targets")]
    pub(crate) strict: bool,

    /// Pass over what cannot be read, whatever the environment or the configuration says
    #[arg(long, hide = true, overrides_with_all = ["no_strict", "strict"])]
    pub(crate) no_strict: bool,

    #[command(flatten)]
    pub(crate) talk: TalkArgs,
}

/// A decimal number, or a hexadecimal one after `0x`, as metadata has it.
fn seed(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let number = match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => text.parse(),
    };
    number.map_err(|_| "not a number below 2^64".to_owned())
}

/// How many probes; the flag is mistaken for `--probe`.
fn attempts(text: &str) -> Result<u32, String> {
    match text.trim().parse() {
        Ok(count @ 1..=100) => Ok(count),
        _ => Err("a number from 1 to 100 is needed; kinds of probe are chosen with --probe".to_owned()),
    }
}

const EXAMPLES: &str = "\
Examples:
  What would be sent, and for how long (nothing is sent):
    subflow scan --list hits.txt --dryrun

  A network of one's own, on two ports:
    sudo subflow scan 10.0.0.0/16 -p 80,443 --special

  A hit list; tables in a folder, and what to do when it was stopped or killed:
    sudo subflow scan --list hits.txt --i-have-permission --contact noc@example.net -o out
    sudo subflow scan --list hits.txt --i-have-permission --contact noc@example.net -o out --resume

  A sample of a large network, gently, whoever asked not to be probed left out:
    sudo subflow scan --list nets.txt --i-have-permission -n 1% -r 500 --prefix-rate 2 --opt-out no.txt

  Whoever looks up where the probes come from finds a page that says who scans:
    sudo subflow scan --list nets.txt --i-have-permission --contact noc@example.net --page

  Two machines share the work:
    sudo subflow scan --list hits.txt --i-have-permission --seed 7 --shards 2 --shard 0 -o part0
    sudo subflow scan --list hits.txt --i-have-permission --seed 7 --shards 2 --shard 1 -o part1

  Verdicts as they come, for another program:
    sudo subflow scan --list hits.txt --i-have-permission -f jsonl | jq -r 'select(.v1_key) | .addr'

  Judge the capture of a scan, whatever program made it:
    subflow scan --read scan.pcap

  Once, to do all this without being root:
    sudo setcap cap_net_raw+ep $(which subflow)

Exit codes:
  0    done
  1    failed; what was found until then is written, and --resume goes on from there
  2    wrong usage
  130  interrupted with Ctrl-C: what was begun was finished and written (press it twice to stop at once)";
