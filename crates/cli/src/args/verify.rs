//! `subflow verify`.

use super::parse::seconds;
use super::shared::{fields, while_it_goes_on};
use super::{CandidateArgs, ExportArgs, NetworkArgs, TalkArgs};
use clap::Args;

/// Prove who supports Multipath TCP
///
/// Opens a connection of Multipath TCP to each server, from user space: sends a small request with a data mapping, checks that it is
/// acknowledged with numbers made from our key and answered with numbers made from the server's, opens a second subflow and checks its HMAC.
/// Says in words what is proved, and where it fails: mirrored, a key rewritten, options stripped behind the handshake, a proxy, fallback,
/// joins refused.
///
/// Nothing of the system is changed: its own connections, firewall and Multipath TCP are left alone. Needs the right to open packet
/// sockets (CAP_NET_RAW).
#[derive(Debug, Args)]
#[command(after_help = "Use --help for details and examples", after_long_help = EXAMPLES)]
#[command(mut_arg("format", |arg| while_it_goes_on(arg, "the work")))]
#[command(mut_arg("tables", |arg| arg.hide(true)))]
#[command(mut_arg("fields", |arg| fields(arg, "`verifications`")))]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    pub(crate) of: CandidateArgs,

    /// Versions to try: v1, v0 [default: both; of --from, those that were answered]
    #[arg(long, value_name = "VERSION,…", value_delimiter = ',', help_heading = "Probes")]
    pub(crate) probe: Vec<String>,

    /// What is sent: http, tls, or bytes in hexadecimal [default: a TLS greeting to port 443, an HTTP request to others]
    #[arg(long, value_name = "WHAT", help_heading = "Probes")]
    pub(crate) request: Option<String>,

    /// Name of the host for HTTP and TLS [default: the name that was given, else the address]
    #[arg(long, value_name = "NAME", help_heading = "Probes")]
    pub(crate) host: Option<String>,

    /// Ask for DSS checksums; servers that demand them get them anyway
    #[arg(long, help_heading = "Probes")]
    pub(crate) checksum: bool,

    /// Do not measure how many hops away answers come from: saves packets, and proxies are taken for servers
    #[arg(long, help_heading = "Probes")]
    pub(crate) no_hops: bool,

    /// Whom to ask about the requests: an address or a page; it stands in the User-Agent of HTTP
    #[arg(long, value_name = "TEXT", help_heading = "Probes")]
    pub(crate) contact: Option<String>,

    /// Packets a second, all servers together
    #[arg(short, long, value_name = "N", default_value = "1000", help_heading = "Speed")]
    pub(crate) rate: String,

    /// Servers at the same time
    #[arg(long, value_name = "N", default_value_t = 1000, help_heading = "Speed")]
    pub(crate) at_once: usize,

    /// Longest wait for one step, in seconds
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "5", help_heading = "Speed")]
    pub(crate) wait: i64,

    #[command(flatten)]
    pub(crate) network: NetworkArgs,

    /// Say what would be verified, and send nothing
    #[arg(short = 'd', long, help_heading = "Targets")]
    pub(crate) dryrun: bool,

    #[command(flatten)]
    pub(crate) rows: ExportArgs,

    /// Fail when a line of a list cannot be read [env: SUBFLOW_STRICT]
    #[arg(long, overrides_with_all = ["no_strict", "strict"], help_heading = "Targets")]
    pub(crate) strict: bool,

    /// Pass over what cannot be read, whatever the environment or the configuration says
    #[arg(long, hide = true, overrides_with_all = ["no_strict", "strict"])]
    pub(crate) no_strict: bool,

    #[command(flatten)]
    pub(crate) talk: TalkArgs,
}

const EXAMPLES: &str = "\
Examples:
  One server, in words:
    sudo subflow verify example.org:443

  The candidates of a scan, with the versions that they answered:
    sudo subflow scan --list hits.txt --i-have-permission -o out
    sudo subflow verify --from out --i-have-permission -o out

  Which servers prove version 1:
    sudo subflow verify --from out --i-have-permission -f jsonl | jq -r 'select(.conclusion == \"true_support\") | .addr'

  A list of one's own, port 8080, version 1 only:
    sudo subflow verify --list mine.txt -p 8080 --probe v1

  Once, to do all this without being root:
    sudo setcap cap_net_raw+ep $(which subflow)

Exit codes:
  0    done; every server named as TARGET supports Multipath TCP
  1    failed, or one of those does not
  2    wrong usage
  130  interrupted with Ctrl-C: what was begun was finished and written (press it twice to stop at once)";
