//! `subflow explain`.

use super::{FilterArgs, ReadArgs, TalkArgs};
use crate::exit::EXIT_CODES;
use clap::Args;
use clap::ValueEnum;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use std::path::PathBuf;
use subflow_report::explain::Subject;

/// Explain why each thing was counted as it was, by frame number
///
/// Says in plain words what happened to a Multipath TCP connection and why: reinjections, fallbacks, joins that failed, handovers,
/// announced addresses, unused subflows, ends, and what contradicts the RFCs. Every claim names the frames that prove it and the
/// rule that was applied, so that it can be looked up in Wireshark. At the top stands whether a middlebox interferes.
///
/// Without -c, the connection of a capture that holds only one is explained; of several, a list says what there is to explain in
/// each.
#[derive(Debug, Args)]
#[command(after_help = "Use --help for details and examples", after_long_help = after_long_help())]
pub(crate) struct ExplainArgs {
    /// Files, folders, glob patterns, or - for standard input
    #[arg(value_name = "CAPTURE", required = true)]
    pub(crate) captures: Vec<PathBuf>,

    /// Explain only this; may be given several times [default: all]
    #[arg(long, value_name = "SUBJECT", value_delimiter = ',', value_parser = subject())]
    pub(crate) what: Vec<Subject>,

    /// List every reinjection and retransmission by itself, instead of runs of them
    #[arg(long)]
    pub(crate) all: bool,

    /// Form of the output
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: ExplainFormat,

    #[command(flatten)]
    pub(crate) filter: FilterArgs,

    #[command(flatten)]
    pub(crate) read: ReadArgs,

    #[command(flatten)]
    pub(crate) talk: TalkArgs,
}

/// The forms of an explanation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExplainFormat {
    /// Words for people
    Text,
    /// One JSON array, an object a claim
    Json,
    /// JSON lines, a claim each
    Jsonl,
}

fn subject() -> impl TypedValueParser<Value = Subject> {
    PossibleValuesParser::new(Subject::ALL.iter().map(|subject| subject.as_str())).try_map(|name| {
        let found = Subject::ALL.iter().copied().find(|subject| subject.as_str() == name);
        found.ok_or_else(|| format!("there is no subject {name}"))
    })
}

const EXAMPLES: &str = "\
Examples:
  What is there to explain in a capture of many connections?
    subflow explain trace.pcap

  Everything about connection 3:
    subflow explain trace.pcap -c 3

  Am I affected by a middlebox, and where did MPTCP get lost?
    subflow explain trace.pcap -c 3 --what middlebox,fallback

  Every single reinjection, with its frames:
    subflow explain trace.pcap -c 3 --what reinjections --all

  The frames of all failed joins, for a script:
    subflow explain trace.pcap -c 3 --what joins -f jsonl | jq 'select(.claim != \"join_established\") | .frames'";

fn after_long_help() -> String {
    format!("{EXAMPLES}\n\n{EXIT_CODES}")
}
