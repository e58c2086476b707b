//! `subflow query`.

use super::{FilterArgs, Format, ReadArgs, TalkArgs};
use crate::exit::EXIT_CODES;
use clap::Args;
use std::path::PathBuf;

/// Ask the tables questions in SQL: straight from captures, or from stored tables
///
/// Reads captures as `analyze` does, or Parquet: folders that `analyze -o DIR` wrote, hive-partitioned folders
/// (DIR/table/key=value/….parquet), single files. What a file is is told by its first bytes. Nothing is ever written but
/// the result.
///
/// The last argument that is no path and holds a space, or begins with a dot, is the SQL. Without any, there is a prompt on a
/// terminal, and standard input is read as SQL otherwise. `.tables` lists the tables, `.schema TABLE` the columns of one.
#[derive(Debug, Args)]
#[command(after_help = "Use --help for details and examples", after_long_help = after_long_help())]
pub(crate) struct QueryArgs {
    /// Captures or stored tables (files, folders, glob patterns, or - for a capture on standard input), then the SQL
    #[arg(value_name = "CAPTURE|DIR|SQL", required = true)]
    pub(crate) inputs: Vec<PathBuf>,

    /// Run this SQL; may be given several times
    #[arg(short, long, value_name = "SQL", help_heading = "Query")]
    pub(crate) execute: Vec<String>,

    /// Run the SQL in this file, after that of --execute
    #[arg(long, value_name = "FILE", help_heading = "Query")]
    pub(crate) file: Option<PathBuf>,

    /// Write the result into this file
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    pub(crate) output: Option<PathBuf>,

    /// Form of the result [default: table; with -o that of the file's name, or parquet] [env: SUBFLOW_FORMAT]
    #[arg(short, long, value_name = "FORMAT", help_heading = "Output")]
    pub(crate) format: Option<Format>,

    #[command(flatten)]
    pub(crate) filter: FilterArgs,

    #[command(flatten)]
    pub(crate) read: ReadArgs,

    #[command(flatten)]
    pub(crate) talk: TalkArgs,
}

const EXAMPLES: &str = "\
Examples:
  What there is to ask about:
    subflow query trace.pcap .tables
    subflow query trace.pcap \".schema subflows\"

  How connections ended:
    subflow query trace.pcap \"SELECT close, count(*) AS n FROM connections GROUP BY close\"

  The same from tables that were stored once, which takes no second look at the packets:
    subflow analyze trace.pcap -o tables
    subflow query tables \"SELECT close, count(*) AS n FROM connections GROUP BY close\"

  A prompt with completion and history:
    subflow query tables

  Packets of connection 7 as Parquet (the table exists when a query asks for it):
    subflow query trace.pcap -c 7 \"SELECT * FROM packets ORDER BY time\" -o packets.parquet

  A file of queries, a row of JSON a line:
    subflow query tables -f jsonl < report.sql";

fn after_long_help() -> String {
    format!("{EXAMPLES}\n\n{EXIT_CODES}")
}
