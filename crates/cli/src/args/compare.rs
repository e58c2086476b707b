//! `subflow compare`.

use super::parse::seconds;
use super::shared::{fields, tables};
use super::{ExportArgs, ReadArgs, TalkArgs};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Hold two captures of the same traffic, or two runs, against each other
///
/// Two captures of the same connections, taken at two places, show what happened between them: one-way delays, losses,
/// reordering, what boxes changed, which reinjections helped. Addresses and sequence numbers may be rewritten on the way.
///
/// Captures that share no connection are two runs of a test: the figures of their tables are put side by side, and
/// --threshold says how much they may differ.
///
/// With --nstat, one capture is held against the MPTCP counters of the kernel on the host that it was taken on.
#[derive(Debug, Args)]
#[command(after_help = "Use --help for details and examples", after_long_help = EXAMPLES)]
#[command(mut_arg("tables", |arg| tables(
    arg,
    "clocks, matches, paths, changes, reinjection_outcomes, delays (--series); of two runs differences; with --nstat counters",
    "all; csv: paths, differences or counters"
)))]
#[command(mut_arg("fields", |arg| fields(arg, "`paths` (`differences` of two runs, `counters` with --nstat)")))]
pub(crate) struct CompareArgs {
    /// The first capture: a file, or a folder or glob pattern of files that belong together
    #[arg(value_name = "A", required_unless_present = "list_figures")]
    pub(crate) a: Option<PathBuf>,

    /// The second capture
    #[arg(value_name = "B", required_unless_present_any = ["nstat", "list_figures"], conflicts_with = "nstat")]
    pub(crate) b: Option<PathBuf>,

    /// The two share one clock: taken on one host, or with hardware clocks
    #[arg(long, help_heading = "Two ends", conflicts_with = "different_clocks")]
    pub(crate) same_clock: bool,

    /// The two do not share a clock, even if no packet contradicts
    #[arg(long, help_heading = "Two ends")]
    pub(crate) different_clocks: bool,

    /// Yield the fate and delay of every packet, too (table `delays`)
    #[arg(long, help_heading = "Two ends", conflicts_with_all = ["runs", "nstat"])]
    pub(crate) series: bool,

    /// Packets further apart than this are not one [default: 30]
    #[arg(long, value_name = "SECONDS", value_parser = seconds, help_heading = "Two ends")]
    pub(crate) window: Option<i64>,

    /// Compare figures, even if the captures share connections; every capture in a folder is one repetition
    #[arg(long, help_heading = "Two runs", conflicts_with = "nstat")]
    pub(crate) runs: bool,

    /// How much a figure may differ, as 5% or FIGURE=10%; may be given several times. Exit with 1 beyond it
    ///
    /// +10% looks at rises only, -10% at falls only. With two or more repetitions on both sides, a difference counts only
    /// when its 95 % confidence interval leaves zero out. --list-figures names the figures.
    #[arg(
        long = "threshold",
        value_name = "[FIGURE=]SHARE",
        value_delimiter = ',',
        allow_hyphen_values = true,
        help_heading = "Two runs",
        conflicts_with = "nstat"
    )]
    pub(crate) thresholds: Vec<String>,

    /// List the figures, and exit
    #[arg(long, help_heading = "Two runs", exclusive = true)]
    pub(crate) list_figures: bool,

    /// Compare with the kernel's counters in this file
    ///
    /// What `nstat -asz`, `nstat -j` or /proc/net/netstat print. Exit with 1 when a counter differs for no known reason.
    #[arg(long, value_name = "FILE", help_heading = "Kernel counters")]
    pub(crate) nstat: Option<PathBuf>,

    /// Counters from before the test, to be taken off
    #[arg(long, value_name = "FILE", requires = "nstat", help_heading = "Kernel counters")]
    pub(crate) nstat_before: Option<PathBuf>,

    /// Whose counters they are [default: told by the counters]
    #[arg(long, value_name = "SIDE", requires = "nstat", help_heading = "Kernel counters")]
    pub(crate) side: Option<Side>,

    #[command(flatten)]
    pub(crate) rows: ExportArgs,

    #[command(flatten)]
    pub(crate) read: ReadArgs,

    #[command(flatten)]
    pub(crate) talk: TalkArgs,
}

/// An end of the connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Side {
    /// The end that opened the connections
    Client,
    /// The end that they were opened to
    Server,
}

const EXAMPLES: &str = "\
Examples:
  What the path did to the packets between two hosts:
    subflow compare client.pcap server.pcap

  The same, captured on one machine in two namespaces:
    subflow compare client.pcap server.pcap --same-clock

  Delays of every packet, to plot:
    subflow compare client.pcap server.pcap --series -f csv -t delays

  Does a new kernel do worse? Five repetitions each, in a folder; for CI:
    subflow compare before/ after/ --runs --threshold goodput_s2c=-5% --threshold handovers=0%

  Does the capture agree with what the kernel counted meanwhile?
    nstat -j > before.json; run-the-test; nstat -j > after.json
    subflow compare client.pcap --nstat after.json --nstat-before before.json

Exit codes:
  0    done; no difference beyond a threshold; every counter explained
  1    failed; a difference beyond its threshold; a counter that nothing explains
  2    wrong usage
  130  interrupted with Ctrl-C";
