//! `cargo xtask lab`: traffic of this machine's kernel, analysed and compared with what the kernel itself counted.

mod counters;
mod live;
pub(crate) mod net;
mod traffic;

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, bail};
use counters::Counters;
use net::Lab;

use crate::packages;
use crate::shell::{is_root, loud, output, program};

/// Compare the analysis with the kernel's own MPTCP counters
///
/// Makes two network namespaces with two paths between them, transfers data over MPTCP while tcpdump captures, and compares
/// connections, joins, announced addresses and bytes with MPTcpExt of /proc/net/netstat and with what the applications
/// say. Then `subflow live` watches and records one end of a path under load: its tables must be those of `subflow analyze` of
/// the recording, and no packet may be missing uncounted. The namespaces are removed whatever happens. Needs Linux with MPTCP, root, iproute2, python3 and tcpdump; says so
/// and ends well where something lacks.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Connections to make, one after the other
    #[arg(long, default_value_t = 3)]
    connections: u32,

    /// Bytes that the client sends on each
    #[arg(long, default_value_t = 1_500_000)]
    up: u64,

    /// Bytes that the server sends on each
    #[arg(long, default_value_t = 2_000_000)]
    down: u64,

    /// Seconds of load on a live capture, at --rate; 0 leaves this part out
    #[arg(long, default_value_t = 5)]
    live: u64,

    /// Packets a second of that load
    #[arg(long, default_value_t = live::RATE)]
    rate: u64,

    /// Only that part
    #[arg(long)]
    only_live: bool,

    /// Fail, instead of skipping, where something lacks
    #[arg(long)]
    required: bool,
}

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

pub(crate) fn run(args: &Args) -> Result<()> {
    if let Some(lack) = lack() {
        if args.required {
            bail!("the lab needs {lack}");
        }
        loud(&format!("skipped: the lab needs {lack}"));
        return Ok(());
    }
    // Programs of the lab get Ctrl-C as well; what is left is to clean up.
    ctrlc::set_handler(|| INTERRUPTED.store(true, Ordering::Relaxed))?;
    let lab = Lab::new()?;
    if !args.only_live {
        compare(&lab, args)?;
    }
    if args.live > 0 {
        live::run(lab.client(), lab.server(), lab.dir(), args.live, args.rate)?;
    }
    eprintln!("all the same");
    Ok(())
}

/// Transfers, and what the kernel and the programs say of them.
fn compare(lab: &Lab, args: &Args) -> Result<()> {
    let capture = lab.dir().join("client.pcap");
    let told = traffic::run(lab, args, &capture);
    if INTERRUPTED.load(Ordering::Relaxed) {
        bail!("interrupted");
    }
    let told = told?;
    let (client, server) = (Counters::of(lab.client())?, Counters::of(lab.server())?);
    let seen = Seen::in_capture(&capture)?;
    let mut same = true;
    let mut line = |what: &str, seen: u64, told: Option<u64>| {
        let (told, mark) = match told {
            Some(told) => (told.to_string(), if told == seen { "" } else { "  <- differs" }),
            None => ("not counted here".to_owned(), ""),
        };
        same &= mark.is_empty();
        eprintln!("{what:32} {seen:>12} {told:>17}{mark}");
    };
    eprintln!("{:32} {:>12} {:>17}", "", "subflow", "kernel, programs");
    line("connections", seen.connections, client.get("MPCapableSYNTX"));
    line("connections, server", seen.connections, server.get("MPCapableACKRX"));
    line("joins attempted", seen.attempted, client.get("MPJoinSynTx"));
    line("joins established", seen.established, server.get("MPJoinAckRx"));
    line("addresses announced", seen.announced, client.get("AddAddr"));
    line("echoes", seen.echoed, server.get("EchoAdd"));
    line("bytes from client to server", seen.bytes[0], Some(told.client_sent));
    line("the same, received", seen.bytes[0], Some(told.server_received));
    line("bytes from server to client", seen.bytes[1], Some(told.server_sent));
    line("the same, received", seen.bytes[1], Some(told.client_received));
    if !same {
        bail!("the analysis and the kernel disagree");
    }
    Ok(())
}

/// What the lab needs and this machine does not have.
fn lack() -> Option<String> {
    if !cfg!(target_os = "linux") {
        return Some("Linux".to_owned());
    }
    if !is_root() {
        return Some("root, to make network namespaces".to_owned());
    }
    let programs = [("ip", "iproute2"), ("tcpdump", "tcpdump"), ("python3", "python3")];
    let missing = packages::want(&programs);
    if !missing.is_empty() {
        return Some(missing.join(" and "));
    }
    if !Path::new("/proc/sys/net/mptcp/enabled").exists() {
        return Some("a kernel with MPTCP (5.6 or newer, CONFIG_MPTCP)".to_owned());
    }
    None
}

/// What `subflow analyze` says.
#[derive(Debug, Default)]
struct Seen {
    connections: u64,
    attempted: u64,
    established: u64,
    announced: u64,
    echoed: u64,
    bytes: [u64; 2],
}

impl Seen {
    fn in_capture(capture: &Path) -> Result<Self> {
        let mut seen = Self::default();
        let columns = "fallback,subflows_attempted,subflows_established,bytes_c2s,bytes_s2c";
        for row in rows(capture, "connections", columns)? {
            let [fallback, attempted, established, c2s, s2c] = row.as_slice() else { bail!("five columns") };
            if fallback != "none" {
                bail!("a connection fell back to TCP: {fallback}");
            }
            seen.connections += 1;
            seen.attempted += number(attempted)?.saturating_sub(1);
            seen.established += number(established)?.saturating_sub(1);
            seen.bytes[0] += number(c2s)?;
            seen.bytes[1] += number(s2c)?;
        }
        for row in rows(capture, "announcements", "echo")? {
            let echo = row.first().is_some_and(|echo| echo == "true");
            *(if echo { &mut seen.echoed } else { &mut seen.announced }) += 1;
        }
        Ok(seen)
    }
}

fn rows(capture: &Path, table: &str, columns: &str) -> Result<Vec<Vec<String>>> {
    let mut command = Command::new(program()?);
    command
        .args(["analyze", "--quiet", "--format", "csv", "--table", table, "--fields", columns])
        .arg(capture);
    let text = output(&mut command)?;
    Ok(text.lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect())
}

fn number(text: &str) -> Result<u64> {
    text.parse().with_context(|| format!("{text:?} is no number"))
}
