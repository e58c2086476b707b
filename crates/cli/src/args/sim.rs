//! `subflow sim`.

use super::TalkArgs;
use super::parse::Format;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// Simulate Multipath TCP, DCTCP and load balancing, packet by packet
///
/// A scenario says what is simulated: network, load balancing, transport, traffic, failures, captures. Some come with the
/// program (`subflow sim list`), others are TOML files. The tables are `runs`, `flows`, `links`, `queues` and `changes`; captures
/// that a scenario asks for come with tables of the exact truth about them. The same scenario and seed give the same bytes.
#[derive(Debug, Args)]
#[command(after_help = "Use --help for details and examples", after_long_help = EXAMPLES, arg_required_else_help = true)]
pub(crate) struct SimArgs {
    #[command(subcommand)]
    pub(crate) command: SimCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SimCommand {
    Run(Box<SimRunArgs>),
    List(SimListArgs),
}

/// Run a scenario: every scheme, load and seed of it
///
/// Runs are spread over all cores; the results are the same with any number of them. With -o they are written run by run: what was done is
/// not done again when the same command is given after an interruption.
#[derive(Debug, Args)]
#[command(visible_alias = "sweep", after_long_help = RUN_EXAMPLES)]
pub(crate) struct SimRunArgs {
    /// A scenario: a TOML file, or the name of one that comes with the program
    #[arg(value_name = "SCENARIO")]
    pub(crate) scenario: String,

    /// Run only these schemes; may be given several times
    #[arg(long = "scheme", value_name = "NAME", value_delimiter = ',', help_heading = "What to run")]
    pub(crate) schemes: Vec<String>,

    /// Loads instead of those of the scenario, as 0.2 or 20%
    #[arg(long = "load", value_name = "LOAD", value_delimiter = ',', help_heading = "What to run")]
    pub(crate) loads: Vec<String>,

    /// Seeds instead of those of the scenario
    #[arg(long = "seed", value_name = "SEED", value_delimiter = ',', help_heading = "What to run")]
    pub(crate) seeds: Vec<u64>,

    /// Runs at a time [default: one a core]
    #[arg(long, value_name = "N", help_heading = "What to run")]
    pub(crate) threads: Option<usize>,

    /// Print the scenario's text instead of running it: to begin one's own with
    #[arg(long, help_heading = "What to run")]
    pub(crate) print: bool,

    /// Write tables, captures and their truth into this folder, made if need be
    #[arg(short, long, value_name = "DIR", help_heading = "Output")]
    pub(crate) output: Option<PathBuf>,

    /// Write a report to this file, one page of HTML
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) report: Option<PathBuf>,

    /// Form of the output [default: table; parquet with -o] [env: SUBFLOW_FORMAT]
    #[arg(short, long, value_name = "FORMAT", help_heading = "Output")]
    pub(crate) format: Option<Format>,

    /// Export only this table; may be given several times
    #[arg(short, long = "table", value_name = "TABLE", value_delimiter = ',', help_heading = "Output")]
    pub(crate) tables: Vec<String>,

    #[command(flatten)]
    pub(crate) talk: TalkArgs,
}

/// List the scenarios that come with the program
#[derive(Debug, Args)]
pub(crate) struct SimListArgs {}
