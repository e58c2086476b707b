//! `subflow tracebox`.

use super::parse::seconds;
use super::shared::{fields, tables};
use super::{CandidateArgs, ExportArgs, NetworkArgs, TalkArgs};
use clap::Args;
use std::path::PathBuf;

/// Find out which box on a path did what to Multipath TCP
///
/// Sends SYNs with growing hop limits. Each router where one ends sends back the beginning of it as it arrived there; what differs from what
/// was sent was changed on the way. Beside the SYNs with the option, plain ones are sent as a control run, and once a connection is open
/// data with the option. A table of hops shows what was changed between which of them, and a sentence says what follows: the target
/// itself supports Multipath TCP, a box takes the option out, drops it, answers in the target's place, and so on.
///
/// What is quoted in part only accuses nobody, and everything has to be seen twice. Needs the right to open packet sockets
/// (CAP_NET_RAW), but for --read.
#[derive(Debug, Args)]
#[command(after_help = "Use --help for details and examples", after_long_help = EXAMPLES)]
#[command(mut_arg("tables", |arg| tables(arg, "targets, hops or modifications", "all; on standard output targets")))]
#[command(mut_arg("fields", |arg| fields(arg, "`targets`")))]
pub(crate) struct TraceboxArgs {
    #[command(flatten)]
    pub(crate) candidates: CandidateArgs,

    /// With --from: servers too that answered without the option, as a box may have taken it out
    #[arg(long, help_heading = "Targets")]
    pub(crate) plain: bool,

    /// What to ask: v1, v0, both (both in one SYN), join (MP_JOIN of an unknown token), canary (an option that nobody knows), data (data
    /// on a connection that was opened with the option); a plain SYN is always asked beside them [default: v1,v0,data]
    #[arg(long, value_name = "KIND,…", visible_alias = "probe", help_heading = "Probes")]
    pub(crate) probes: Option<String>,

    /// A SYN with exactly these options, too, as mss=1460,sackok,ts,nop,ws=7,mpcapable=v1, or all of them in hexadecimal
    #[arg(long, value_name = "SPEC", help_heading = "Probes")]
    pub(crate) options: Option<String>,

    /// First hop limit
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..), help_heading = "Probes")]
    pub(crate) min_ttl: Option<u8>,

    /// Last hop limit; the path is taken to be no longer [default: 30]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..), help_heading = "Probes")]
    pub(crate) max_ttl: Option<u8>,

    /// How long an answer is waited for at most; less where answers come quickly [default: 3]
    #[arg(long, value_name = "SECONDS", value_parser = seconds, help_heading = "Probes")]
    pub(crate) wait: Option<i64>,

    /// How often a probe is sent again that was not answered [default: 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=20), help_heading = "Probes")]
    pub(crate) retries: Option<u8>,

    /// Flows with ports of their own, 1 to 4, so that branches of equal cost are seen [default: 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=4), help_heading = "Probes")]
    pub(crate) flows: Option<u8>,

    /// Packets a second, all targets together; 0 for no limit [default: 5000]
    #[arg(short, long, value_name = "N", help_heading = "Speed")]
    pub(crate) rate: Option<String>,

    /// Targets that are looked at at the same time [default: 1000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000), help_heading = "Speed")]
    pub(crate) at_once: Option<u64>,

    #[command(flatten)]
    pub(crate) network: NetworkArgs,

    /// Whom to ask about the probes: an address or a page; it stands in the dry run and on the page
    #[arg(long, value_name = "TEXT", help_heading = "Targets")]
    pub(crate) contact: Option<String>,

    /// Say what would be sent, to whom and how long it would take, and send nothing
    #[arg(short = 'd', long, help_heading = "Targets")]
    pub(crate) dryrun: bool,

    /// Look at a capture of such probes, of any program, instead of sending; may be given several times
    #[arg(
        long,
        value_name = "CAPTURE",
        conflicts_with_all = ["targets", "lists", "from", "dryrun", "tui"],
        help_heading = "Captures"
    )]
    pub(crate) read: Vec<PathBuf>,

    /// Look up the names of the hops, in a few seconds at most
    #[arg(long, help_heading = "Output")]
    pub(crate) names: bool,

    /// Who operates which network: lines of a prefix and a name with a comma between them
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) operators: Option<PathBuf>,

    /// Watch the progress on the screen: the targets, and the path of one of them
    #[arg(long, conflicts_with = "dryrun", help_heading = "Output")]
    pub(crate) tui: bool,

    /// Write a page with the paths drawn to this file
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) html: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) rows: ExportArgs,

    /// Print one JSON object a target in the shape of the classic tracebox: Hops with Modifications, Additions and Deletions
    #[arg(long, conflicts_with_all = ["format", "output", "tables", "fields"], help_heading = "Output")]
    pub(crate) classic_json: bool,

    /// Fail when a line of a list, or something in a capture, cannot be read [env: SUBFLOW_STRICT]
    #[arg(long, overrides_with_all = ["no_strict", "strict"], help_heading = "Targets")]
    pub(crate) strict: bool,

    /// Pass over what cannot be read, whatever the environment or the configuration says
    #[arg(long, hide = true, overrides_with_all = ["no_strict", "strict"])]
    pub(crate) no_strict: bool,

    #[command(flatten)]
    pub(crate) talk: TalkArgs,
}

const EXAMPLES: &str = "\
Examples:
  Is there a box between here and a server?
    sudo subflow tracebox example.org:443

  The same with names of the hops, and as a page to pass on:
    sudo subflow tracebox example.org:443 --names --html path.html

  Every candidate of a scan; tables in a folder, a page, and the progress on the screen:
    sudo subflow tracebox --from scan --i-have-permission --contact noc@example.net \\
      -o paths --html paths.html --tui

  Straight on from a scan, and its proof of support in between:
    sudo subflow scan --list hits.txt --i-have-permission -f jsonl \\
      | sudo subflow verify --from - --i-have-permission -f jsonl \\
      | sudo subflow tracebox --from - --i-have-permission -o paths

  Options of one's own, over four branches:
    sudo subflow tracebox 192.0.2.1:80 --options mss=1400,mpcapable=v1,ts --flows 4

  A capture of such probes, whatever program sent them:
    subflow tracebox --read probes.pcap

  Which boxes there are, from the tables:
    subflow query paths \"SELECT after_addr, before_addr, behaviour, count(*) AS targets
      FROM targets WHERE category = 'middlebox_affected' GROUP BY ALL ORDER BY targets DESC\"

Exit codes:
  0    done
  1    failed; what was found until then is written
  2    wrong usage
  130  interrupted with Ctrl-C: what was begun was finished and written (press it twice to stop at once)";
