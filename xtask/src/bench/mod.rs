//! `cargo xtask bench`: the whole analysis against the cheapest thing that reads the same file; `bench scan`: scans against other
//! scanners.

mod measure;
mod repeat;
mod scan;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, io};

use anyhow::{Context, Result, bail};
use measure::{Cost, measure, median};

use crate::packages;
use crate::shell::{cargo, execute, output, root, target};

/// Measure CPU time and memory of `subflow analyze` against `tcpdump -r FILE -w /dev/null`
///
/// Repeats a capture, later each time, until it has enough packets, and analyses it with all tables written as Parquet.
/// Both programs run in turn on the same file; the median of the ratios is what counts, as clocks of shared machines
/// wander. A file twice as long shows whether memory grows with the input. First it is made sure that the tables of
/// N repetitions say N times what the capture's own say.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    of: Option<Of>,

    /// Capture to repeat [default: perf/kernel-v1.pcap.zst of the shared data if present, else a bundled one]
    #[arg(value_name = "CAPTURE")]
    capture: Option<PathBuf>,

    /// Repeat until there are so many packets
    #[arg(long, value_name = "N", default_value_t = 5_000_000)]
    packets: u64,

    /// Pairs of runs
    #[arg(long, value_name = "N", default_value_t = 7)]
    runs: usize,

    /// Build profile to measure
    #[arg(long, default_value = "dist")]
    profile: String,

    /// Fail when the median ratio is above this
    #[arg(long, value_name = "RATIO")]
    max_ratio: Option<f64>,

    /// Keep the long captures for the next time, in the target folder (2 GB and more)
    #[arg(long)]
    keep: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Of {
    Scan(scan::Args),
}

pub(crate) fn run(args: &Args) -> Result<()> {
    if let Some(Of::Scan(args)) = &args.of {
        return scan::run(args);
    }
    let missing = packages::want(&[("tcpdump", "tcpdump"), ("time", "time")]);
    if !missing.is_empty() {
        bail!("cannot measure without {}", missing.join(" and "));
    }
    if args.runs == 0 {
        bail!("--runs 0 measures nothing");
    }
    execute(&mut cargo(["build", "--locked", "--package", "subflow", "--profile", &args.profile]))?;
    let subflow = target().join(if args.profile == "dev" { "debug" } else { &args.profile }).join("subflow");
    let capture = args.capture.clone().map_or_else(default_capture, Ok)?;
    let dir = target().join("bench");
    fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;

    let base = repeat::look(&capture)?;
    let times = args.packets.div_ceil(base.packets.max(1));
    let mut out = io::stdout().lock();
    writeln!(out, "{} packets of {}, {times} and {} times", base.packets, capture.display(), 2 * times)?;
    let once = dir.join("once.pcap");
    let twice = dir.join("twice.pcap");
    repeat::write(&capture, &base, times, &once)?;
    repeat::write(&capture, &base, 2 * times, &twice)?;

    let one = totals(&subflow, &capture)?;
    let many = totals(&subflow, &once)?;
    let wanted = one.map(|sum| sum * times);
    if many != wanted {
        bail!("(connections, c2s, s2c) of {times} repetitions are {many:?}, not {wanted:?}");
    }
    writeln!(
        out,
        "{} connections, {} + {} data-level bytes: {times} times those of the capture",
        many[0], many[1], many[2]
    )?;

    let packets = (base.packets * times) as f64;
    let tables = dir.join("tables");
    let ours = |file: &Path, format: &str| analyze(&subflow, file, format, &tables);
    // The first round fills the page cache.
    let mut memory = Vec::new();
    for format in ["parquet", "csv"] {
        memory.push((format, ours(&once, format)?.peak_kb, ours(&twice, format)?.peak_kb));
    }
    tcpdump(&once)?;
    writeln!(out, "\n   run   subflow    tcpdump   ratio   (CPU seconds, user + system)")?;
    let mut ratios = Vec::new();
    let mut costs = Vec::new();
    for round in 1..=args.runs {
        let (subflow, tcpdump) = (ours(&once, "parquet")?, tcpdump(&once)?);
        let ratio = subflow.cpu / tcpdump.cpu;
        writeln!(out, "{round:6} {:9.2} {:10.2} {ratio:7.2}", subflow.cpu, tcpdump.cpu)?;
        ratios.push(ratio);
        costs.push(subflow.cpu);
    }
    let (ratio, cost) = (median(&mut ratios), median(&mut costs));
    writeln!(out, "\nmedian ratio {ratio:.2}; {:.0} ns a packet", cost * 1e9 / packets)?;
    // Parquet holds back the rows of a row group; CSV rows leave as they come.
    for (format, once, twice) in memory {
        writeln!(out, "peak memory with {format}: {once} kB; twice the input {twice} kB")?;
    }
    if !args.keep {
        fs::remove_dir_all(&dir)?;
    }
    if let Some(most) = args.max_ratio.filter(|&most| ratio > most) {
        bail!("the median ratio {ratio:.2} is above {most}");
    }
    Ok(())
}

fn analyze(subflow: &Path, file: &Path, format: &str, tables: &Path) -> Result<Cost> {
    let mut command = Command::new("time");
    command.args(measure::FORMAT).arg(subflow).args(["analyze", "--quiet", "--threads", "1"]);
    measure(command.args(["--format", format, "--output"]).arg(tables).arg(file))
}

fn tcpdump(file: &Path) -> Result<Cost> {
    let mut command = Command::new("time");
    measure(command.args(measure::FORMAT).arg("tcpdump").arg("-r").arg(file).args(["-w", "/dev/null"]))
}

/// Connections, bytes from client to server and from server to client.
fn totals(subflow: &Path, file: &Path) -> Result<[u64; 3]> {
    let mut command = Command::new(subflow);
    command.args(["analyze", "--quiet", "--format", "csv", "--fields", "bytes_c2s,bytes_s2c"]).arg(file);
    let table = output(&mut command)?;
    let mut totals = [0; 3];
    for line in table.lines().skip(1) {
        let (c2s, s2c) = line.split_once(',').context("two columns")?;
        totals[0] += 1;
        totals[1] += c2s.parse::<u64>()?;
        totals[2] += s2c.parse::<u64>()?;
    }
    Ok(totals)
}

/// The trace for measuring if the shared data are there, else the longest bundled one.
fn default_capture() -> Result<PathBuf> {
    let shared = subflow_testdata::root();
    let candidates = [shared.join("perf/kernel-v1.pcap.zst"), root().join("examples/handover.pcap.zst")];
    let found = candidates.iter().find(|path| path.is_file());
    found.cloned().context("there is no capture to repeat: name one")
}
