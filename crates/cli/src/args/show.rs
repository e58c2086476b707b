//! `subflow show`.

use super::{FilterArgs, ReadArgs, TalkArgs};
use crate::exit::EXIT_CODES;
use clap::Args;
use std::path::PathBuf;

/// Show one connection in full: its paths, a picture of which subflow carried data when, and a timeline
///
/// Without -c the only connection of the capture is shown; where there are several they are listed. The numbers are those of
/// `connection_id` in all tables.
///
/// With --html, --svg, --csv, --xplot or --mptcptrace files are written, and nothing is printed.
#[derive(Debug, Args)]
#[command(after_help = "Use --help for details and examples", after_long_help = after_long_help())]
pub(crate) struct ShowArgs {
    /// Files, folders, glob patterns, or - for standard input
    #[arg(value_name = "CAPTURE", required = true)]
    pub(crate) captures: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) output: ShowOutputArgs,

    #[command(flatten)]
    pub(crate) filter: FilterArgs,

    #[command(flatten)]
    pub(crate) read: ReadArgs,

    #[command(flatten)]
    pub(crate) talk: TalkArgs,
}

/// What is made of the connection.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct ShowOutputArgs {
    /// Print every entry of the timeline and every path, however many there are
    #[arg(long)]
    pub(crate) all: bool,

    /// Write an interactive page: sequence plot, round-trip times, bytes in flight, goodput, timeline
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,

    /// Write a drawing for papers: sequence plot, round-trip times, goodput
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,

    /// Write all tables of the connection as CSV into this folder, packets, carriages and samples included
    #[arg(long, value_name = "DIR")]
    pub(crate) csv: Option<PathBuf>,

    /// Write graphs for xplot.org into this folder
    #[arg(long, value_name = "DIR")]
    pub(crate) xplot: Option<PathBuf>,

    /// Write the CSV files of mptcptrace into this folder: its names, columns and rules
    ///
    /// As `mptcptrace -s -S -a -A -R -F 7 -r 7 -G 20 -w 2` writes them. A reinjection is there what starts where a mapping of
    /// another subflow started.
    #[arg(long, value_name = "DIR")]
    pub(crate) mptcptrace: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  Which connections there are, or the only one in full:
    subflow show trace.pcap

  Connection 7, page by page:
    subflow show trace.pcap -c 7 --all | less -R

  The same to zoom and pan in, as one file that needs no network:
    subflow show trace.pcap -c 7 --html connection7.html

  A figure for a paper, and the numbers behind it:
    subflow show trace.pcap -c 7 --svg figure.svg --csv numbers

  For scripts and eyes that know the older tools:
    subflow show trace.pcap -c 7 --mptcptrace out --xplot graphs";

fn after_long_help() -> String {
    format!("{EXAMPLES}\n\n{EXIT_CODES}")
}
