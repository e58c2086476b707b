//! `subflow sim`.

use super::shared::{fields, tables};
use super::{ExportArgs, TalkArgs};
use clap::{Args, Subcommand};
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// Simulate Multipath TCP, DCTCP and load balancing, packet by packet
///
/// A scenario says what is simulated: network, load balancing, transport, traffic, failures, captures. Some come with the
/// program (`subflow sim list`), others are TOML files. The tables are `runs`, `flows`, `links`, `queues` and `changes`;
/// captures that a scenario asks for come with tables of the exact truth about them. The same scenario and seed give the same
/// bytes.
#[derive(Debug, Args)]
#[command(after_help = "Use --help for details and examples", after_long_help = EXAMPLES, arg_required_else_help = true)]
pub(crate) struct SimArgs {
    #[command(subcommand)]
    pub(crate) command: SimCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SimCommand {
    Run(Box<SimRunArgs>),
    Fabric(Box<SimFabricArgs>),
    Phone(Box<SimPhoneArgs>),
    List(SimListArgs),
}

/// Run a scenario: all its schemes, loads and seeds
///
/// Runs are spread over all cores; the results are the same with any number of them. With -o, a run that is done is not done
/// again when the same command is given after an interruption.
#[derive(Debug, Args)]
#[command(visible_alias = "sweep", after_help = "Use --help for details and examples", after_long_help = RUN_EXAMPLES)]
pub(crate) struct SimRunArgs {
    /// A scenario: a TOML file, or the name of one that comes with the program
    #[arg(value_name = "SCENARIO")]
    pub(crate) scenario: String,

    /// Run only this scheme of the scenario; may be given several times
    #[arg(long = "scheme", value_name = "NAME", value_delimiter = ',', help_heading = "Runs")]
    pub(crate) schemes: Vec<String>,

    #[command(flatten)]
    pub(crate) plan: SimPlanArgs,

    #[command(flatten)]
    pub(crate) output: SimOutputArgs,

    #[command(flatten)]
    pub(crate) talk: TalkArgs,
}

/// A datacenter fabric: ways to balance load over its paths, side by side
///
/// A fat-tree in which every host has a link of the same rate. The schemes see the same traffic, so that they can be compared
/// seed by seed.
#[derive(Debug, Args)]
#[command(after_help = "Use --help for details and examples", after_long_help = FABRIC_EXAMPLES)]
pub(crate) struct SimFabricArgs {
    /// Schemes: ecmp, flowbender, plb, cflb, spray, least-loaded (with DCTCP), mptcp or mptcp:N (N subflows, LIA over ECMP)
    #[arg(value_name = "SCHEME", default_values_t = ["ecmp".to_owned(), "flowbender".to_owned()])]
    pub(crate) schemes: Vec<String>,

    /// Ports of each switch: k, an even number; there are k³/4 hosts without oversubscription
    #[arg(short, long, value_name = "PORTS", default_value_t = 8, help_heading = "Network")]
    pub(crate) k: u32,

    /// Hosts for each uplink of an edge switch: 1 is full bisection bandwidth
    #[arg(long, value_name = "RATIO", default_value_t = 1, help_heading = "Network")]
    pub(crate) oversubscription: u32,

    /// Rate of every link
    #[arg(long, value_name = "RATE", default_value = "10 Gb/s", help_heading = "Network")]
    pub(crate) rate: String,

    /// Traffic: permutation (each host sends to another, without end), incast, or web-search or data-mining (flows of
    /// published sizes at a load)
    #[arg(long, value_name = "KIND", default_value = "web-search", help_heading = "Traffic")]
    pub(crate) traffic: String,

    /// Simulated time in which flows begin (their last packets get more) [default: 50 ms]
    #[arg(long, value_name = "TIME", default_value = "50 ms", help_heading = "Traffic")]
    pub(crate) time: String,

    /// A link fails at this time: one of those between an edge and an aggregation switch
    #[arg(long, value_name = "TIME", help_heading = "Network")]
    pub(crate) fail: Option<String>,

    #[command(flatten)]
    pub(crate) plan: SimPlanArgs,

    #[command(flatten)]
    pub(crate) output: SimOutputArgs,

    #[command(flatten)]
    pub(crate) talk: TalkArgs,
}

/// A phone on WiFi and a cellular network, over Multipath TCP, plain TCP or both
#[derive(Debug, Args)]
#[command(after_help = "Use --help for details and examples", after_long_help = PHONE_EXAMPLES)]
pub(crate) struct SimPhoneArgs {
    /// Schemes: tcp (over WiFi), mptcp, mptcp:SCHEDULER with lowest-rtt, round-robin or redundant
    #[arg(value_name = "SCHEME", default_values_t = ["tcp".to_owned(), "mptcp".to_owned()])]
    pub(crate) schemes: Vec<String>,

    /// WiFi: rate, one-way delay, and the share of packets lost at random where there is loss
    #[arg(
        long,
        value_name = "RATE,DELAY[,LOSS]",
        default_value = "20 Mb/s,10 ms,0.0005",
        help_heading = "Network"
    )]
    pub(crate) wifi: String,

    /// The cellular network
    #[arg(long, value_name = "RATE,DELAY[,LOSS]", default_value = "8 Mb/s,35 ms", help_heading = "Network")]
    pub(crate) cellular: String,

    /// The phone leaves the reach of its WiFi at this time, and comes back at the second one if there is one
    #[arg(long, value_name = "TIME[,TIME]", help_heading = "Network")]
    pub(crate) leave: Option<String>,

    /// What is transferred to the phone, as 10 MB; without it the transfer lasts as long as the run
    #[arg(long, value_name = "SIZE", help_heading = "Traffic")]
    pub(crate) size: Option<String>,

    /// Simulated time
    #[arg(long, value_name = "TIME", default_value = "15 s", help_heading = "Traffic")]
    pub(crate) time: String,

    /// Version of Multipath TCP
    #[arg(long, value_name = "VERSION", default_value_t = 1, value_parser = clap::value_parser!(u8).range(0..=1), help_heading = "Traffic")]
    pub(crate) mptcp_version: u8,

    /// Capture at the phone and at the server, with the truth about both (needs -o)
    #[arg(long, requires = "output", help_heading = "Output")]
    pub(crate) capture: bool,

    #[command(flatten)]
    pub(crate) plan: SimPlanArgs,

    #[command(flatten)]
    pub(crate) output: SimOutputArgs,

    #[command(flatten)]
    pub(crate) talk: TalkArgs,
}

/// Which runs there are.
#[derive(Debug, Args)]
#[command(next_help_heading = "Runs")]
pub(crate) struct SimPlanArgs {
    /// Load, as 0.2; may be given several times [default: those of the scenario]
    #[arg(long = "load", value_name = "LOAD", value_delimiter = ',')]
    pub(crate) loads: Vec<f64>,

    /// Seed; may be given several times, one run for each [default: those of the scenario]
    #[arg(long = "seed", value_name = "SEED", value_delimiter = ',')]
    pub(crate) seeds: Vec<u64>,

    /// Runs at a time [default: one a processor]
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<NonZeroUsize>,

    /// Print the scenario as TOML instead of running it: to begin one's own with
    #[arg(long)]
    pub(crate) print: bool,
}

/// Where results go.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
#[command(mut_arg("output", |arg| arg.help("Write tables, captures and their truth into this folder, made if need be")))]
#[command(mut_arg("tables", |arg| tables(arg, "runs, flows, links, queues or changes", "all; csv: flows")))]
#[command(mut_arg("fields", |arg| fields(arg, "`flows`")))]
pub(crate) struct SimOutputArgs {
    #[command(flatten)]
    pub(crate) rows: ExportArgs,

    /// Write a report to this file: one page of HTML with everything in it
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
}

/// List the scenarios that come with the program
#[derive(Debug, Args)]
pub(crate) struct SimListArgs {}

const EXAMPLES: &str = "\
Examples:
  subflow sim list                                  the scenarios that come with the program
  subflow sim run phone-handover                    one of them
  subflow sim fabric ecmp flowbender mptcp:8        ways to balance load in a fat-tree
  subflow sim phone --leave 5s,10s --report p.html  a phone loses its WiFi
  subflow sim run mine.toml -o out                  a scenario of one's own, tables in a folder";

const RUN_EXAMPLES: &str = "\
Examples:
  subflow sim run subflow-count --report count.html
  subflow sim run oversubscribed --load 0.4 --seed 1,2,3 -o out
  subflow sim run two-rtts --print > mine.toml      to begin one's own with
  subflow query out \"SELECT scheme, load, avg(slowdown) FROM flows GROUP BY 1, 2\"";

const FABRIC_EXAMPLES: &str = "\
Examples:
  subflow sim fabric ecmp flowbender least-loaded --load 0.2,0.4,0.6 --oversubscription 4
  subflow sim fabric ecmp mptcp:2 mptcp:8 --traffic permutation --rate '100 Mb/s' --time 5s
  subflow sim fabric ecmp flowbender --fail 20ms --report failure.html";

const PHONE_EXAMPLES: &str = "\
Examples:
  subflow sim phone --leave 5s,10s
  subflow sim phone mptcp:redundant --size 5MB --capture -o out
  subflow analyze out/runs/00000/phone.pcapng       what the capture shows
  subflow sim phone --wifi '50 Mb/s,5 ms' --cellular '20 Mb/s,60 ms,0.001' --report phone.html";
