//! `subflow check` and `subflow serve-check`.

use super::parse::seconds;
use super::shared::{fields, tables};
use super::{ExportArgs, TalkArgs};
use clap::Args;
use std::net::IpAddr;
use std::path::PathBuf;

/// Am I affected by a middlebox?
///
/// Connects from each of this host's addresses to each port of a server on which `subflow serve-check` runs, by Multipath TCP and by plain
/// TCP, and compares what was sent with what arrived, there and back. Says in words what becomes of the option on each path, where addresses
/// are translated, and what else is changed.
///
/// With --fetch it compares downloads from any web server by TCP and by Multipath TCP, in alternation.
///
/// Works without any right; where this program may see packets (CAP_NET_RAW), it says more.
#[derive(Debug, Args)]
#[command(after_help = "Use --help for details and examples", after_long_help = CHECK_EXAMPLES)]
#[command(mut_arg("tables", |arg| tables(arg, "checks or fetches", "all")))]
#[command(mut_arg("fields", |arg| fields(arg, "`checks` (`fetches` with --fetch alone)")))]
pub(crate) struct CheckArgs {
    // Brackets in a comment would be a link.
    #[arg(
        value_name = "SERVER",
        required_unless_present = "fetch",
        help = "The server on which serve-check runs: host, host:80,443, 192.0.2.1:8080, [2001:db8::1]:443 [ports by default: 80, 443, 8080]"
    )]
    pub(crate) server: Option<String>,

    /// Compare downloads of this address by TCP and by Multipath TCP
    #[arg(long, value_name = "URL", help_heading = "Downloads")]
    pub(crate) fetch: Option<String>,

    /// Downloads of each kind
    #[arg(short = 'n', long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..), help_heading = "Downloads")]
    pub(crate) pairs: u32,

    /// Read at most so many bytes of each, as 10M
    #[arg(long, value_name = "BYTES", help_heading = "Downloads")]
    pub(crate) max_bytes: Option<String>,

    /// Longest time for a whole download, in seconds
    #[arg(long, value_name = "SECONDS", value_parser = seconds, help_heading = "Downloads")]
    pub(crate) timeout: Option<i64>,

    /// Trust the certificates in this file (PEM) instead of the system's
    #[arg(long, value_name = "FILE", help_heading = "Downloads")]
    pub(crate) ca: Option<PathBuf>,

    /// Accept any certificate: for laboratories
    #[arg(long, conflicts_with = "ca", help_heading = "Downloads")]
    pub(crate) insecure: bool,

    /// Local address to check from; may be given several times [default: all from which there is a way]
    #[arg(long, value_name = "ADDR", value_delimiter = ',', help_heading = "Paths")]
    pub(crate) from: Vec<IpAddr>,

    /// Attempts of each kind before a path is called broken
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Paths")]
    pub(crate) tries: Option<u32>,

    /// Longest time for a connection, in seconds
    #[arg(long, value_name = "SECONDS", value_parser = seconds, help_heading = "Paths")]
    pub(crate) connect_timeout: Option<i64>,

    /// Longest time for an answer, in seconds
    #[arg(long, value_name = "SECONDS", value_parser = seconds, help_heading = "Paths")]
    pub(crate) answer_timeout: Option<i64>,

    /// Do not look at packets, even where that is allowed
    #[arg(long, help_heading = "Paths")]
    pub(crate) no_packets: bool,

    /// Do not try to open a second subflow
    #[arg(long, help_heading = "Paths")]
    pub(crate) no_join: bool,

    #[command(flatten)]
    pub(crate) rows: ExportArgs,

    #[command(flatten)]
    pub(crate) talk: TalkArgs,
}

const CHECK_EXAMPLES: &str = "\
Examples:
  On a server of one's own (ports below 1024 need root, or cap_net_bind_service):
    sudo subflow serve-check --port 80,443,8080

  Here, over each local address and port:
    subflow check server.example.net

  With everything that packets tell:
    sudo subflow check server.example.net

  Over Wi-Fi alone, one port, for a script:
    subflow check server.example.net:443 --from 192.168.1.5 -q || echo affected

  Does Multipath TCP cost time with this web server? 20 downloads of each kind:
    subflow check --fetch https://www.example.org/ -n 20

Exit codes:
  0    done; no path is affected, as far as they can be judged
  1    failed; or a path is affected, or none can be judged
  2    wrong usage
  130  interrupted with Ctrl-C";

/// The other end of `subflow check`
///
/// Listens with Multipath TCP, and tells each client what arrived of its packets: addresses and ports, options, time to live, and
/// whether Multipath TCP is still in use. It answers nothing else, keeps nothing, and sends nothing to anybody who has not
/// asked.
#[derive(Debug, Args)]
#[command(after_help = "Use --help for details and examples", after_long_help = SERVE_EXAMPLES)]
pub(crate) struct ServeCheckArgs {
    /// Ports to listen at
    #[arg(short, long = "port", value_name = "PORT,…", value_delimiter = ',', default_value = "80,443,8080")]
    pub(crate) ports: Vec<u16>,

    /// Address to listen at; may be given several times [default: all]
    #[arg(long, value_name = "ADDR", value_delimiter = ',')]
    pub(crate) address: Vec<IpAddr>,

    /// Do not look at packets, even where that is allowed
    #[arg(long)]
    pub(crate) no_packets: bool,

    #[command(flatten)]
    pub(crate) talk: TalkArgs,
}

const SERVE_EXAMPLES: &str = "\
Examples:
  On the usual ports; the more ports, the more is known of the path:
    sudo subflow serve-check

  Without any right, on one high port:
    subflow serve-check --port 8080

  From the other end:
    subflow check THIS-HOST:8080";
