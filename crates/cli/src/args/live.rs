//! `subflow live`.

use super::parse::{Recorded, prefix, seconds};
use super::{OutputArgs, TalkArgs};
use clap::Args;
use std::num::NonZeroU64;
use std::path::PathBuf;
use subflow_analysis::IpPrefix;

/// Watch the Multipath TCP connections of an interface as they happen
///
/// On a terminal: the open connections with their subflows, what happens to them, and totals, until q is pressed. Without one,
/// or with --format or -o, nothing is shown meanwhile: the summary or the tables come at the end, as those of `analyze`
/// do; with --format jsonl each row as soon as it is final.
///
/// Packets that come faster than they are analysed are dropped by the kernel. They are counted, shown, and told in the
/// table `issues`. Needs the right to open packet sockets (CAP_NET_RAW), nothing else.
#[derive(Debug, Args)]
#[command(after_help = "Use --help for details and examples", after_long_help = AFTER_LONG_HELP)]
pub(crate) struct LiveArgs {
    /// Interface to watch, or any for all of them; may be given several times
    #[arg(
        short,
        long = "interface",
        value_name = "IFACE",
        value_delimiter = ',',
        required_unless_present = "list_fields"
    )]
    pub(crate) interfaces: Vec<String>,

    /// Record the packets that are analysed into this file: pcap if it ends in .pcap, pcapng otherwise
    ///
    /// It holds every packet of the interfaces, whatever the filters, in the order in which they were analysed: `subflow
    /// analyze FILE` gives the same tables.
    #[arg(short, long, value_name = "FILE", help_heading = "Capture")]
    pub(crate) write: Option<PathBuf>,

    /// Form of the recording, whatever its name
    #[arg(long, value_name = "FORMAT", requires = "write", help_heading = "Capture")]
    pub(crate) write_format: Option<Recorded>,

    /// Bytes to keep of each packet; 0 keeps them whole
    ///
    /// 256 leave room for all headers, a tunnel's included. The measurement needs no payload.
    #[arg(short, long, value_name = "BYTES", default_value_t = 256, help_heading = "Capture")]
    pub(crate) snap_length: u32,

    /// End after this many seconds
    #[arg(short, long, value_name = "SECONDS", value_parser = seconds, help_heading = "Capture")]
    pub(crate) duration: Option<i64>,

    /// End after this many packets
    #[arg(short = 'n', long, value_name = "N", help_heading = "Capture")]
    pub(crate) packets: Option<NonZeroU64>,

    /// Memory in MiB, for each interface, in which packets wait while the analysis is busy
    #[arg(
        long,
        value_name = "MIB",
        default_value_t = 64,
        value_parser = clap::value_parser!(u32).range(4..=2048),
        help_heading = "Capture"
    )]
    pub(crate) buffer: u32,

    /// Also take in what is addressed to other hosts
    #[arg(long, help_heading = "Capture")]
    pub(crate) promiscuous: bool,

    #[command(flatten)]
    pub(crate) output: OutputArgs,

    /// Only connections that use this port; may be given several times
    #[arg(short, long = "port", value_name = "PORT", value_delimiter = ',', help_heading = "Filters")]
    pub(crate) ports: Vec<u16>,

    /// Only connections with an end in this address or prefix; may be given several times
    #[arg(
        long = "host",
        value_name = "ADDR[/LEN]",
        value_delimiter = ',',
        value_parser = prefix,
        help_heading = "Filters"
    )]
    pub(crate) hosts: Vec<IpPrefix>,

    /// End a connection after this much silence [default: 3600] [env: SUBFLOW_IDLE_TIMEOUT]
    #[arg(long, value_name = "SECONDS", value_parser = seconds, help_heading = "Analysis")]
    pub(crate) idle_timeout: Option<i64>,

    #[command(flatten)]
    pub(crate) talk: TalkArgs,
}

const AFTER_LONG_HELP: &str = "\
Examples:
  Watch one interface, or two paths at once:
    subflow live -i eth0
    subflow live -i wlan0 -i wwan0

  Everything on this host, recorded as well:
    subflow live -i any -w today.pcapng

  A minute of HTTPS, as tables:
    subflow live -i eth0 -p 443 -d 60 -o tables

  Rows as they become final, for another program:
    subflow live -i eth0 -f jsonl -t connections | jq .close

  Once, to do all this without being root:
    sudo setcap cap_net_raw+ep $(which subflow)

Exit codes:
  0    done; also when q or Ctrl-C ended it (Ctrl-C twice stops at once, with 130)
  1    failed; what was measured until then is printed all the same
  2    wrong usage";
