//! `subflow analyze`.

use super::{FilterArgs, OutputArgs, ReadArgs, TalkArgs};
use crate::exit::EXIT_CODES;
use clap::Args;
use std::path::PathBuf;

/// Rebuild the Multipath TCP connections of captures and measure them
///
/// Reads pcap and pcapng, plain or compressed with gzip, zstd, xz, lz4 or bzip2, told by content, not by name. Several
/// captures are read as one, in order of time. Prints a summary, or exports the tables that it was made from.
///
/// What cannot be known from a capture is null, never zero. What cannot be read is skipped, told, and counted in the
/// table `issues`.
#[derive(Debug, Args)]
#[command(after_help = "Use --help for details and examples", after_long_help = after_long_help())]
pub(crate) struct AnalyzeArgs {
    /// Files, folders, glob patterns, or - for standard input
    #[arg(value_name = "CAPTURE", required_unless_present = "list_fields")]
    pub(crate) captures: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) output: OutputArgs,

    /// Write a report to read in a browser: one HTML file with figures, tables and all connections
    ///
    /// Needs no network and no other file. Goes together with every other output.
    #[arg(long, value_name = "FILE.html", help_heading = "Output")]
    pub(crate) report: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) filter: FilterArgs,

    #[command(flatten)]
    pub(crate) read: ReadArgs,

    /// Exit with 1 when something in the input could not be read [env: SUBFLOW_STRICT]
    #[arg(long, help_heading = "Analysis", overrides_with_all = ["strict", "no_strict"])]
    pub(crate) strict: bool,

    /// Exit with 0 even so, whatever the environment or the configuration says
    #[arg(long, hide = true, overrides_with_all = ["strict", "no_strict"])]
    pub(crate) no_strict: bool,

    #[command(flatten)]
    pub(crate) talk: TalkArgs,
}

const EXAMPLES: &str = "\
Examples:
  A summary of one capture:
    subflow analyze trace.pcap

  The same as a page with figures, for a browser:
    subflow analyze trace.pcap --report trace.html

  Months of rotated, compressed captures as Parquet, one file a table:
    subflow analyze -o tables /var/log/captures/*.pcap.zst

  Which subflows of connection 7 carried what, as CSV:
    subflow analyze trace.pcap -c 7 -f csv -t subflows --fields subflow_id,src_addr,bytes_s2c

  HTTPS to one network on one day, as one JSON document:
    subflow analyze trace.pcap -f json -p 443 --host 192.0.2.0/24 \\
      --since 2026-01-31 --until 2026-02-01

  Straight from the wire, a row a line:
    tcpdump -i eth0 -w - tcp | subflow analyze - -f jsonl";

fn after_long_help() -> String {
    format!("{EXAMPLES}\n\n{EXIT_CODES}")
}
