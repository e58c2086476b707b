//! `subflow anonymize`.

use super::TalkArgs;
use crate::exit::EXIT_CODES;
use clap::Args;
use std::path::PathBuf;

/// Write a capture without addresses, keys and payload that still analyses to the same tables
///
/// Addresses are replaced by others of the same class that share prefixes as before; MPTCP keys by others, with tokens,
/// HMACs and data sequence numbers that follow from them; payload by zeros. Checksums that were right are right again,
/// and wrong ones wrong. Of frames without TCP nothing is left but an empty one in their place.
///
/// Then the output is read again: its tables are compared with those of the input, and it is searched for what should
/// not be there. What is not hidden: times, sizes, ports, and how hosts behave. See the guide before you share.
#[derive(Debug, Args)]
#[command(after_help = "Use --help for details and examples", after_long_help = after_long_help())]
pub(crate) struct AnonymizeArgs {
    /// Files, folders or glob patterns; several captures are merged in order of time
    #[arg(value_name = "CAPTURE", required = true)]
    pub(crate) captures: Vec<PathBuf>,

    /// The new capture: pcapng if its name ends in .pcapng, else pcap; with .zst or .gz behind it, compressed
    #[arg(value_name = "OUT", required = true)]
    pub(crate) output: PathBuf,

    /// A file with the secret, or its hex digits; at least 16 bytes [default: random] [env: SUBFLOW_ANONYMIZE_KEY]
    ///
    /// The same secret replaces the same address by the same address, in every capture. Whoever has it can undo that, so
    /// keep it to yourself. Other users of the machine can see arguments: a file is better than digits.
    #[arg(short, long, value_name = "FILE|HEX")]
    pub(crate) key: Option<String>,

    /// Add so many seconds to every time; may be negative
    #[arg(long, value_name = "SECONDS", value_parser = super::parse::offset, allow_hyphen_values = true)]
    pub(crate) shift_time: Option<i64>,

    /// Leave out frames without TCP, instead of an empty one in their place; frame numbers change
    #[arg(long)]
    pub(crate) drop_others: bool,

    /// Do not read the output again to check it
    #[arg(long)]
    pub(crate) no_verify: bool,

    /// Write over a file that is there; never over an input
    #[arg(long)]
    pub(crate) force: bool,

    #[command(flatten)]
    pub(crate) talk: TalkArgs,
}

const EXAMPLES: &str = "\
Examples:
  One capture, with a secret that nobody will ever know:
    subflow anonymize trace.pcap shared.pcap

  Both ends of the same traffic, so that they can still be compared:
    head -c 32 /dev/urandom > secret
    subflow anonymize --key secret client.pcap client-shared.pcap
    subflow anonymize --key secret server.pcap server-shared.pcap

  A folder of rotated captures as one, compressed, with other dates:
    subflow anonymize captures/ shared.pcapng.zst --shift-time -86400000";

fn after_long_help() -> String {
    format!("{EXAMPLES}\n\n{EXIT_CODES}")
}
