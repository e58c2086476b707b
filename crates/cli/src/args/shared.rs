//! Groups of options that several commands take.

use super::parse::{Format, moment, prefix, seconds};
use clap::{Arg, Args};
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use subflow_analysis::IpPrefix;

/// Where rows go, in which form, and which of them.
///
/// Commands say with [`tables`] which tables they have.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ExportArgs {
    /// Write one file a table into this folder, made if need be
    #[arg(short, long, value_name = "DIR", help_heading = "Output")]
    pub(crate) output: Option<PathBuf>,

    /// Form of the output [default: table; parquet with -o] [env: SUBFLOW_FORMAT]
    #[arg(short, long, value_name = "FORMAT", help_heading = "Output")]
    pub(crate) format: Option<Format>,

    /// Export only this table; may be given several times [default: all]
    #[arg(short, long = "table", value_name = "TABLE", value_delimiter = ',', help_heading = "Output")]
    pub(crate) tables: Vec<String>,

    /// Export only these columns, in this order
    // ZMap's name is taken, too.
    #[arg(
        long,
        alias = "output-fields",
        value_name = "NAME,…",
        value_delimiter = ',',
        help_heading = "Output"
    )]
    pub(crate) fields: Vec<String>,
}

/// Help of --table that names a command's tables, and which it exports `by_default`.
pub(super) fn tables(arg: Arg, names: &str, by_default: &str) -> Arg {
    arg.help(format!("Export only this table: {names}; may be given several times [default: {by_default}]"))
}

/// Help of --fields for a command that a bare name means a column of `main` to.
pub(super) fn fields(arg: Arg, main: &str) -> Arg {
    let short = "Export only these columns, in this order";
    arg.long_help(format!(
        "{short}\n\nA column is NAME or TABLE.NAME. Without --table, a bare NAME is a column of {main}. `subflow tables` has them all."
    ))
}

/// Help of --format where rows come while `what` goes on.
pub(super) fn while_it_goes_on(arg: Arg, what: &str) -> Arg {
    let short = "Form of the output [default: table; parquet with -o] [env: SUBFLOW_FORMAT]";
    arg.long_help(format!(
        "{short}\n\nCSV and JSON lines are there while {what} goes on, to the last second; Parquet files when it ends."
    ))
}

/// What an analysis exports.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
#[command(mut_arg("tables", |arg| arg.help(
    "Export only this table; may be given several times [default: all; csv: connections]"
)))]
#[command(mut_arg("fields", |arg| fields(arg, "`connections`")))]
pub(crate) struct OutputArgs {
    #[command(flatten)]
    pub(crate) rows: ExportArgs,

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

/// Servers that are looked at one by one.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Targets")]
pub(crate) struct CandidateArgs {
    // Brackets in a comment would be a link.
    #[arg(
        value_name = "TARGET",
        help = "Servers: 192.0.2.1, 192.0.2.1:443, [2001:db8::1]:443, example.org:443"
    )]
    pub(crate) targets: Vec<String>,

    /// A file of addresses and prefixes, one a line; may be given several times
    #[arg(long = "list", value_name = "FILE")]
    pub(crate) lists: Vec<PathBuf>,

    /// What `subflow scan` or `subflow verify` wrote: its folder, one of its files, or - for standard input; may be given
    /// several times
    ///
    /// Of a folder, the tables `targets` and `verifications` are read. Parquet, JSON lines and CSV are told by their first bytes.
    #[arg(long, value_name = "FILE|DIR")]
    pub(crate) from: Vec<PathBuf>,

    /// TCP ports where none is named, as 80,443
    #[arg(short, long = "port", value_name = "PORTS", default_value = "80,443")]
    pub(crate) ports: String,

    /// Prefixes whose owners do not want to be probed: never probed, whatever else is named
    #[arg(long, value_name = "FILE")]
    pub(crate) opt_out: Vec<PathBuf>,

    /// Servers too that only returned what they were sent
    #[arg(long)]
    pub(crate) mirrored: bool,

    /// The owners of the public addresses among the targets have been considered; needed for more than eight of them
    #[arg(long)]
    pub(crate) i_have_permission: bool,
}

/// From where packets leave.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Network")]
pub(crate) struct NetworkArgs {
    /// Interface to send from [default: that of the route to each target]
    #[arg(short, long, value_name = "IFACE")]
    pub(crate) interface: Option<String>,

    /// Address to send from, one of each family [default: what the system would choose]
    #[arg(short = 'S', long, value_name = "ADDR", value_delimiter = ',')]
    pub(crate) source_ip: Vec<IpAddr>,

    /// Hardware address of the gateway [default: it is asked for]
    #[arg(short = 'G', long, value_name = "MAC")]
    pub(crate) gateway_mac: Option<String>,
}
