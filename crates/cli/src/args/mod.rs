//! The command line as it is written. Nothing is decided here: `settings` turns it into what is to be done.

mod analyze;
mod anonymize;
mod check;
mod compare;
mod explain;
mod live;
mod parse;
mod query;
mod scan;
mod shared;
mod show;
mod sim;
mod tracebox;
mod verify;

use crate::exit::EXIT_CODES;
use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use std::path::PathBuf;

pub(crate) use analyze::AnalyzeArgs;
pub(crate) use anonymize::AnonymizeArgs;
pub(crate) use check::{CheckArgs, ServeCheckArgs};
pub(crate) use compare::{CompareArgs, Side};
pub(crate) use explain::{ExplainArgs, ExplainFormat};
pub(crate) use live::LiveArgs;
pub(crate) use parse::{Format, Recorded, seconds};
pub(crate) use query::QueryArgs;
pub(crate) use scan::ScanArgs;
pub(crate) use shared::{CandidateArgs, ExportArgs, FilterArgs, NetworkArgs, OutputArgs, ReadArgs, TalkArgs};
pub(crate) use show::{ShowArgs, ShowOutputArgs};
pub(crate) use sim::{
    SimArgs, SimCommand, SimFabricArgs, SimOutputArgs, SimPhoneArgs, SimPlanArgs, SimRunArgs,
};
pub(crate) use tracebox::TraceboxArgs;
pub(crate) use verify::VerifyArgs;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Yellow.on_default().bold())
    .usage(AnsiColor::Yellow.on_default().bold())
    .literal(AnsiColor::Green.on_default())
    .placeholder(AnsiColor::Cyan.on_default());

/// Measure Multipath TCP
///
/// subflow reads packet captures, rebuilds the Multipath TCP connections in them (RFC 6824 and RFC 8684), and yields
/// tables: connections, subflows, announced addresses, reinjections, events and more. A summary of them is printed, or
/// they are exported as Parquet, JSON or CSV.
#[derive(Debug, Parser)]
#[command(name = "subflow", version, styles = STYLES, max_term_width = 100, arg_required_else_help = true)]
#[command(disable_help_subcommand = true, after_help = AFTER_HELP, after_long_help = after_long_help())]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const AFTER_HELP: &str = "\
Examples:
  subflow analyze trace.pcap                 what Multipath TCP did in a capture
  subflow analyze trace.pcap --report r.html the same as a page to pass on
  subflow show trace.pcap                    one connection in full
  subflow explain trace.pcap                 why each thing was counted so, by frame
  subflow query trace.pcap \"SELECT …\"      questions in SQL
  subflow live -i eth0                       the same as it happens
  subflow scan 10.0.0.0/24 --special         who supports it in a network
  subflow verify example.org:443             whether a server proves it
  subflow check server.example.net           whether a box is in the way from here
  subflow sim list                           what can be simulated
  subflow COMMAND --help                     all options of a command, with more examples";

fn after_long_help() -> String {
    format!("{AFTER_HELP}\n\n{CONFIGURATION}\n\n{EXIT_CODES}")
}

const CONFIGURATION: &str = "\
Configuration:
  Flags go before environment variables, these before the file $XDG_CONFIG_HOME/subflow/config.toml
  (~/.config/subflow/config.toml; SUBFLOW_CONFIG names another one). Its keys are the long flags:

    format = \"json\"        # SUBFLOW_FORMAT
    idle-timeout = 600     # SUBFLOW_IDLE_TIMEOUT
    threads = 1            # SUBFLOW_THREADS
    strict = true          # SUBFLOW_STRICT
    quiet = true           # SUBFLOW_QUIET
    progress = false       # SUBFLOW_PROGRESS

  NO_COLOR turns colours off.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Analyze(Box<AnalyzeArgs>),
    Show(Box<ShowArgs>),
    Explain(Box<ExplainArgs>),
    Query(Box<QueryArgs>),
    Compare(Box<CompareArgs>),
    Live(Box<LiveArgs>),
    Anonymize(Box<AnonymizeArgs>),
    Scan(Box<ScanArgs>),
    Verify(Box<VerifyArgs>),
    Tracebox(Box<TraceboxArgs>),
    Check(Box<CheckArgs>),
    ServeCheck(ServeCheckArgs),
    Sim(SimArgs),
    Tables(TablesArgs),
    Completions(CompletionsArgs),
    Man(ManArgs),
}

/// Print the data dictionary: every table and column, with unit and meaning
///
/// Without --list-fields as Markdown. The names are those of every output format.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  subflow tables                                    the whole dictionary
  subflow tables subflows                           one table
  subflow tables --list-fields | grep reinjected    where a word occurs")]
pub(crate) struct TablesArgs {
    /// Tables to print [default: all]
    #[arg(value_name = "TABLE")]
    pub(crate) tables: Vec<String>,

    /// Print one line a column: table, column, type, unit and meaning, separated by tabs
    #[arg(long)]
    pub(crate) list_fields: bool,
}

/// Print a completion script for a shell
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  subflow completions bash > ~/.local/share/bash-completion/completions/subflow
  subflow completions zsh > ~/.zfunc/_subflow
  subflow completions fish > ~/.config/fish/completions/subflow.fish")]
pub(crate) struct CompletionsArgs {
    /// The shell
    pub(crate) shell: Shell,
}

/// Print the manual page, or write those of all commands into a folder
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  subflow man | man -l -                         read it
  subflow man ~/.local/share/man/man1            install all pages")]
pub(crate) struct ManArgs {
    /// Folder to write subflow.1, subflow-analyze.1, … to
    #[arg(value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definitions_hold_together() {
        Cli::command().debug_assert();
    }
}
