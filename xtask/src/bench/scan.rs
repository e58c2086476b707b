//! `cargo xtask bench scan`: scans against ZMap and masscan, in turn, between two network namespaces.
//!
//! CPU time is what the system charges to each scanner's process, user and system. Between namespaces of one machine the packets of
//! the other end are handled by whoever sends: the answering kernel's work is in every scanner's time, the same for each
//! of them, and makes ratios smaller than they are on a wire. So that it is the same the server speaks plain TCP, for which an
//! option of Multipath TCP in the SYN is none; `--mptcp` lets it speak that, at the expense of the scanner that asks for it.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{env, thread};

use anyhow::{Context, Result, bail};
use subflow_capture::Input;

use super::measure::{self, Cost, measure, median};
use crate::lab::net::Namespace;
use crate::packages;
use crate::shell::{cargo, execute, is_root, output, target};

/// Measure scans against ZMap and masscan
///
/// Scans 10.0.0.0/12 in a network namespace: 1,048,576 targets of which none, one in 64 or all answer. Prints CPU time and
/// answers kept of each scanner, in turn, and the medians of the ratios, as clocks of shared machines wander. Then the CPU time and the evenness of
/// 10,000 packets a second, and an IPv6 list of a million addresses less a million prefixes on two ports against IPv4. Needs Linux, root,
/// iproute2, ethtool, python3, tcpdump, time, zmap and masscan.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Rounds
    #[arg(long, value_name = "N", default_value_t = 5)]
    runs: usize,

    /// Build profile to measure
    #[arg(long, default_value = "release")]
    profile: String,

    /// Parts to measure
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Part::None, Part::Hits, Part::All, Part::Even, Part::V6])]
    only: Vec<Part>,

    /// Let the server speak Multipath TCP, and not plain TCP
    #[arg(long)]
    mptcp: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// No target answers
    None,
    /// One target in 64 answers
    Hits,
    /// Every target answers
    All,
    /// 10,000 packets a second
    Even,
    /// An IPv6 list of a million addresses less a million prefixes
    V6,
}

/// What is scanned, which rows are written, and how fast.
const WHOLE: [&str; 3] = ["10.0.0.0/12", "-p", "80"];
const BRIEF: [&str; 2] = ["--fields", "addr,verdict"];
const MAX: [&str; 2] = ["-r", "0"];
/// Addresses of 10.0.0.0/12.
const TARGETS: f64 = 1_048_576.0;
/// Packets a second and seconds of the part about evenness.
const RATE: u64 = 10_000;
const SECONDS: u64 = 10;
/// Addresses of the IPv6 list, and of prefixes on its block list.
const LISTED: u64 = 1_000_000;

/// Takes connections and leaves them alone, and says when it does. The argument is the protocol.
const SERVER: &str = "import socket, sys\n\
    s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, int(sys.argv[1]))\n\
    s.bind(('0.0.0.0', 80))\n\
    s.listen(4096)\n\
    print('listening', flush=True)\n\
    sys.stdin.read()\n";

pub(super) fn run(args: &Args) -> Result<()> {
    if !is_root() {
        bail!("only root may make network namespaces");
    }
    let programs = [
        ("ip", "iproute2"),
        ("ethtool", "ethtool"),
        ("python3", "python3"),
        ("tcpdump", "tcpdump"),
        ("time", "time"),
        ("zmap", "zmap"),
        ("masscan", "masscan"),
    ];
    let missing = packages::want(&programs);
    if !missing.is_empty() {
        bail!("cannot measure without {}", missing.join(", "));
    }
    if args.runs == 0 {
        bail!("--runs 0 measures nothing");
    }
    execute(&mut cargo(["build", "--locked", "--package", "subflow", "--profile", &args.profile]))?;
    let folder = if args.profile == "dev" { "debug" } else { &args.profile };
    let lab = Lab::new(target().join(folder).join("subflow"), args.mptcp)?;
    for &part in &args.only {
        match part {
            Part::None | Part::Hits | Part::All => lab.compare(part, args.runs)?,
            Part::Even => lab.even(args.runs)?,
            Part::V6 => lab.v6(args.runs)?,
        }
    }
    Ok(())
}

/// A scanner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scanner {
    /// Ours, all rows written: tables of CSV with all that is known.
    Whole,
    /// Ours, an address and its verdict a line: what the others write, and what was found.
    Brief,
    Zmap,
    Masscan,
}

impl Scanner {
    const ALL: [Self; 4] = [Self::Whole, Self::Brief, Self::Zmap, Self::Masscan];

    fn name(self) -> &'static str {
        match self {
            Self::Whole => "subflow",
            Self::Brief => "brief",
            Self::Zmap => "zmap",
            Self::Masscan => "masscan",
        }
    }
}

/// Where it is measured.
struct Lab {
    from: Namespace,
    to: Namespace,
    dir: PathBuf,
    ours: PathBuf,
    /// Hardware address of the other end, as ZMap and masscan want to be told it.
    gateway: String,
    server: Child,
}

impl Drop for Lab {
    fn drop(&mut self) {
        // Nothing to be done about what stays.
        let _ = self.server.kill();
        let _ = self.server.wait();
        let _ = fs::remove_dir_all(&self.dir);
    }
}

impl Lab {
    fn new(ours: PathBuf, mptcp: bool) -> Result<Self> {
        let (from, to) = (Namespace::make("from")?, Namespace::make("to")?);
        from.ip(&format!("link add v type veth peer name v netns {}", to.name()))?;
        for (namespace, host) in [(&from, 1), (&to, 2)] {
            namespace.ip("link set v up")?;
            namespace.ip(&format!("addr add 192.168.77.{host}/24 dev v"))?;
            namespace.ip(&format!("-6 addr add fd77::{host}/64 dev v nodad"))?;
            // Checksums and segments as they are on a wire.
            let off = "-K v tx off gso off tso off gro off".split(' ');
            output(namespace.command("ethtool").args(off))?;
        }
        from.ip("route add default via 192.168.77.2")?;
        from.ip("-6 route add default via fd77::2")?;
        let cookies = "echo 2 > /proc/sys/net/ipv4/tcp_syncookies";
        execute(to.command("sh").args(["-c", cookies]))?;
        let gateway = output(to.command("cat").arg("/sys/class/net/v/address"))?.trim().to_owned();
        let dir = env::temp_dir().join(from.name());
        fs::create_dir_all(&dir)?;
        File::create(dir.join("nothing"))?;
        let protocol = if mptcp { "262" } else { "0" };
        let server = to
            .command("python3")
            .args(["-c", SERVER, protocol])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut lab = Self { from, to, dir, ours, gateway, server };
        let mut line = String::new();
        BufReader::new(lab.server.stdout.take().context("piped")?).read_line(&mut line)?;
        if line.trim() != "listening" {
            bail!("the server does not listen");
        }
        Ok(lab)
    }

    fn file(&self, name: &str) -> String {
        self.dir.join(name).display().to_string()
    }

    /// Lets as many of the targets answer.
    fn answering(&self, part: Part) -> Result<()> {
        // What is not there need not be removed.
        for route in ["local 10.0.0.0/12 dev lo", "local 10.0.0.0/18 dev lo", "blackhole 10.0.0.0/12"] {
            let mut command = Command::new("ip");
            command.args(["-n", self.to.name(), "route", "del"]).args(route.split(' '));
            let _ = command.stderr(Stdio::null()).status();
        }
        if part == Part::All {
            return self.to.ip("route add local 10.0.0.0/12 dev lo");
        }
        self.to.ip("route add blackhole 10.0.0.0/12")?;
        if part == Part::Hits {
            self.to.ip("route add local 10.0.0.0/18 dev lo")?;
        }
        Ok(())
    }

    /// A command whose cost is measured.
    fn timed(&self, program: &str) -> Command {
        let mut command = self.from.command("time");
        command.args(measure::FORMAT).arg(program);
        command
    }

    /// Our scan.
    fn ours(&self, more: &[&str]) -> Result<Cost> {
        let out = self.dir.join("out");
        // It is not there the first time.
        let _ = fs::remove_dir_all(&out);
        let mut command = self.timed(&self.ours.to_string_lossy());
        let all = "scan --special --probe v1 --no-follow-up -c 1 --seed 7 -q --no-progress -f csv -o";
        measure(command.args(all.split(' ')).arg(&out).args(more))
    }

    /// Rows of the table `targets` of our last scan.
    fn targets(&self) -> Result<usize> {
        Ok(lines(&self.dir.join("out/targets.csv"), "")?.saturating_sub(1))
    }

    fn zmap(&self, more: &[&str]) -> Result<Cost> {
        let (out, nothing) = (self.file("zmap"), self.file("nothing"));
        let mut command = self.timed("zmap");
        command.args(["-i", "v", "-G", &self.gateway, "-p", "80", "-T", "1", "-c", "1", "-q", "--seed", "7"]);
        measure(command.args(["-b", &nothing, "-o", &out, "10.0.0.0/12"]).args(more))
    }

    /// One scan of everything: what it cost and how many answers it kept.
    fn scan(&self, scanner: Scanner) -> Result<(Cost, usize)> {
        Ok(match scanner {
            Scanner::Whole => (self.ours(&[&WHOLE[..], &MAX].concat())?, self.targets()?),
            Scanner::Brief => (self.ours(&[&WHOLE[..], &BRIEF, &MAX].concat())?, self.targets()?),
            Scanner::Zmap => (self.zmap(&["-r", "0"])?, lines(&self.dir.join("zmap"), "")?),
            Scanner::Masscan => {
                let out = self.file("masscan");
                let mut command = self.timed("timeout");
                command.args(["--signal=KILL", "300", "masscan", "10.0.0.0/12", "-p80", "--rate", "1000000"]);
                command.args(["--wait", "1", "-oL", &out]);
                command.args(["--interface", "v", "--router-mac", &self.gateway, "--seed", "7"]);
                command.args(["--source-ip", "192.168.77.1"]);
                // It does not always end: then it is killed, and asked once more.
                let cost = measure(&mut command).or_else(|_| measure(&mut command))?;
                (cost, lines(Path::new(&out), "open")?)
            }
        })
    }

    fn compare(&self, part: Part, runs: usize) -> Result<()> {
        self.answering(part)?;
        let mut out = io::stdout().lock();
        let what = match part {
            Part::None => "no target answers",
            Part::Hits => "one target in 64 answers",
            _ => "every target answers",
        };
        writeln!(out, "\n{what}: thousand packets a CPU second (answers kept)")?;
        let mut costs = [const { Vec::new() }; 4];
        for round in 1..=runs {
            write!(out, "{round:6}")?;
            for (scanner, costs) in Scanner::ALL.into_iter().zip(&mut costs) {
                let (cost, kept) = self.scan(scanner)?;
                write!(out, "  {} {:.0} ({kept})", scanner.name(), TARGETS / cost.cpu / 1e3)?;
                out.flush()?;
                costs.push((cost, kept));
            }
            writeln!(out)?;
        }
        let [whole, brief, zmap, masscan] = costs;
        // Who loses answers saves the work on them: each that was kept counts, too.
        let ratio = |theirs: &[(Cost, usize)], ours: &[(Cost, usize)], answers: bool| {
            let each = |(cost, kept): &(Cost, usize)| cost.cpu / if answers { *kept as f64 } else { TARGETS };
            let mut ratios: Vec<f64> =
                theirs.iter().zip(ours).map(|(theirs, ours)| each(theirs) / each(ours)).collect();
            median(&mut ratios)
        };
        for (name, ours) in [("subflow", &whole), ("brief", &brief)] {
            let peak = ours.iter().map(|(cost, _)| cost.peak_kb).max().unwrap_or(0);
            let packets = [ratio(&zmap, ours, false), ratio(&masscan, ours, false)];
            write!(out, "{name}: {:.2} x zmap, {:.2} x masscan", packets[0], packets[1])?;
            if part != Part::None {
                let kept = [ratio(&zmap, ours, true), ratio(&masscan, ours, true)];
                write!(out, "; by answers kept {:.2} and {:.2}", kept[0], kept[1])?;
            }
            writeln!(out, "; {peak} kB")?;
        }
        Ok(())
    }

    /// Packets in each 10 ms where they arrive.
    fn even(&self, runs: usize) -> Result<()> {
        self.answering(Part::None)?;
        let mut out = io::stdout().lock();
        writeln!(out, "\n{RATE} packets a second: share of a core, 10 ms off by more than a fifth")?;
        let (rate, most, capture) = (RATE.to_string(), (RATE * SECONDS).to_string(), self.file("capture"));
        for round in 1..=runs {
            write!(out, "{round:6}")?;
            for scanner in [Scanner::Brief, Scanner::Zmap] {
                let mut tcpdump = self.to.command("tcpdump");
                tcpdump.args(["-i", "v", "-n", "-B", "65536", "-s", "64", "-w", &capture, "tcp[13] == 2"]);
                let mut tcpdump = tcpdump.stderr(Stdio::null()).spawn()?;
                thread::sleep(Duration::from_secs(1));
                let cost = if scanner == Scanner::Brief {
                    self.ours(&[&WHOLE[..], &BRIEF, &["-r", &rate, "-n", &most]].concat())
                } else {
                    self.zmap(&["-r", &rate, "-n", &most])
                };
                thread::sleep(Duration::from_millis(500));
                // Its file is written as it goes: a signal that can be caught would let it write the last packets, too, which do not matter.
                tcpdump.kill()?;
                tcpdump.wait()?;
                let (off, bins) = uneven(Path::new(&capture))?;
                let share = cost?.cpu / SECONDS as f64;
                write!(out, "  {} {:.1} %, {off} of {bins}", scanner.name(), 100.0 * share)?;
                out.flush()?;
            }
            writeln!(out)?;
        }
        Ok(())
    }

    /// What a packet costs from lists, with the reading of the lists taken off, against what it costs from a prefix.
    fn v6(&self, runs: usize) -> Result<()> {
        self.answering(Part::None)?;
        self.to.ip("-6 route replace blackhole fd06::/16")?;
        let (list, block) = (self.dir.join("list"), self.dir.join("block"));
        let mut listed = io::BufWriter::new(File::create(&list)?);
        let mut blocked = io::BufWriter::new(File::create(&block)?);
        for k in 0..LISTED {
            // An order that has nothing to do with the addresses; every thousandth of them is blocked, and many that are not there.
            let place = k * 617_369 % LISTED;
            writeln!(listed, "fd06:0:{:x}:{:x}::{:x}", place >> 16, place & 0xffff, k & 0xffff)?;
            let place = if k % 1000 == 0 { k } else { k + LISTED };
            writeln!(blocked, "fd06:0:{:x}:{:x}::/64", place >> 16, place & 0xffff)?;
        }
        listed.flush()?;
        blocked.flush()?;
        let (list, block) = (list.display().to_string(), block.display().to_string());
        let six = [&["--list", &list, "--blocklist-file", &block, "-p", "80,443"][..], &BRIEF].concat();
        let mut out = io::stdout().lock();
        writeln!(
            out,
            "\n{LISTED} addresses of IPv6 less {LISTED} prefixes, two ports: thousand packets a CPU second"
        )?;
        let mut ratios = Vec::new();
        for round in 1..=runs {
            let four = self.ours(&[&WHOLE[..], &BRIEF, &MAX].concat())?;
            let reading = self.ours(&[&six[..], &["--dryrun"]].concat())?;
            let six = self.ours(&[&six[..], &MAX].concat())?;
            let sent = 2.0 * (LISTED - LISTED / 1000) as f64;
            let (four, six) = (TARGETS / four.cpu, sent / (six.cpu - reading.cpu));
            writeln!(
                out,
                "{round:6}  IPv4 {:.0}  IPv6 {:.0}  lists read in {:.2} s",
                four / 1e3,
                six / 1e3,
                reading.cpu
            )?;
            ratios.push(six / four);
        }
        writeln!(out, "IPv6: {:.2} x IPv4", median(&mut ratios))?;
        Ok(())
    }
}

/// Lines of a file that begin so.
fn lines(path: &Path, beginning: &str) -> Result<usize> {
    let file = File::open(path).with_context(|| format!("{} is missing", path.display()))?;
    let mut count = 0;
    for line in BufReader::new(file).lines() {
        count += usize::from(line?.starts_with(beginning));
    }
    Ok(count)
}

/// How many of the 10 ms of a capture hold more or less than they should by a fifth, and how many there are; the first and the last
/// are left out.
fn uneven(capture: &Path) -> Result<(usize, usize)> {
    let mut input = Input::open(&[capture.to_owned()])?;
    let mut bins: Vec<u64> = Vec::new();
    let mut first = None;
    while let Some(packet) = input.next_packet() {
        let since = packet.time_ns - *first.get_or_insert(packet.time_ns);
        let bin = usize::try_from(since / 10_000_000).unwrap_or(0);
        if bin >= bins.len() {
            bins.resize(bin + 1, 0);
        }
        bins[bin] += 1;
    }
    let whole = bins.get(1..bins.len().saturating_sub(1)).unwrap_or_default();
    let right = RATE / 100;
    Ok((whole.iter().filter(|&&count| count.abs_diff(right) > right / 5).count(), whole.len()))
}
