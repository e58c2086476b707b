//! Groups of options that several commands take.

use super::parse::{Format, moment, prefix, seconds};
use clap::Args;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use subflow_analysis::IpPrefix;

/// Where rows go, and in which form.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArgs {
    /// Write one file a table into this folder, made if need be
    #[arg(short, long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,

    /// Form of the output [default: table; parquet with -o] [env: SUBFLOW_FORMAT]
    #[arg(short, long, value_name = "FORMAT")]
    pub(crate) format: Option<Format>,

    /// Export only this table; may be given several times [default: all; csv: connections]
    #[arg(short, long = "table", value_name = "TABLE", value_delimiter = ',')]
    pub(crate) tables: Vec<String>,

    /// Export only these columns, in this order
    ///
    /// A column is NAME or TABLE.NAME. Without --table, a bare NAME is a column of `connections`.
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub(crate) fields: Vec<String>,

    /// Export every packet, carriage of data and round-trip sample, too: tables packets, carriages, samples
    ///
    /// Without it they are exported only when --table or --fields names them. They are large: choose connections with -c.
    #[arg(long)]
    pub(crate) detail: bool,

    /// List all tables and columns, and exit
    #[arg(long)]
    pub(crate) list_fields: bool,
}

/// Which traffic is looked at. Options of one kind are alternatives, different kinds must all hold.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Filters")]
pub(crate) struct FilterArgs {
    /// Only connections that use this port; may be given several times
    #[arg(short, long = "port", value_name = "PORT", value_delimiter = ',')]
    pub(crate) ports: Vec<u16>,

    /// Only connections with an end in this address or prefix; may be given several times
    #[arg(long = "host", value_name = "ADDR[/LEN]", value_delimiter = ',', value_parser = prefix)]
    pub(crate) hosts: Vec<IpPrefix>,

    /// Ignore packets before this time (UTC)
    ///
    /// RFC 3339, or YYYY-MM-DD with optional HH:MM[:SS[.fraction]], in UTC.
    #[arg(long, value_name = "TIME", value_parser = moment, allow_hyphen_values = true)]
    pub(crate) since: Option<i64>,

    /// Ignore packets from this time on (UTC)
    #[arg(long, value_name = "TIME", value_parser = moment, allow_hyphen_values = true)]
    pub(crate) until: Option<i64>,

    /// Only the connection with this number, as in `connection_id`; may be given several times
    #[arg(short, long = "connection", value_name = "ID", value_delimiter = ',')]
    pub(crate) connections: Vec<u64>,
}

/// How captures are read.
#[derive(Debug, Args)]
pub(crate) struct ReadArgs {
    /// End a connection after this much silence [default: 3600] [env: SUBFLOW_IDLE_TIMEOUT]
    #[arg(long, value_name = "SECONDS", value_parser = seconds, help_heading = "Analysis")]
    pub(crate) idle_timeout: Option<i64>,

    /// Threads to use: with 1, reading and analysis take turns; with more, reading runs ahead [default: one a
    /// processor] [env: SUBFLOW_THREADS]
    ///
    /// The result is the same, row for row.
    #[arg(long, value_name = "N", help_heading = "Analysis")]
    pub(crate) threads: Option<NonZeroUsize>,
}

/// How much is said on standard error.
#[derive(Debug, Args)]
#[command(next_help_heading = "Messages")]
pub(crate) struct TalkArgs {
    /// Say nothing but errors [env: SUBFLOW_QUIET]
    #[arg(short, long, overrides_with_all = ["quiet", "verbose"])]
    pub(crate) quiet: bool,

    /// Say more: every issue, and how long the work took
    #[arg(short, long, overrides_with_all = ["quiet", "verbose"])]
    pub(crate) verbose: bool,

    /// Show no progress bar; it is only shown on a terminal anyway [env: SUBFLOW_PROGRESS=false]
    #[arg(long, overrides_with_all = ["no_progress", "progress"])]
    pub(crate) no_progress: bool,

    /// Show a progress bar, whatever the environment or the configuration says
    #[arg(long, hide = true, overrides_with_all = ["no_progress", "progress"])]
    pub(crate) progress: bool,
}
