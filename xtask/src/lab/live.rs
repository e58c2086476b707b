//! `subflow live` under load: what it says is what `subflow analyze` says of its recording.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{env, fs, thread};

use anyhow::{Context, Result, bail};

use super::net::Namespace;
use crate::shell::{execute, have, loud, program, root, words};

/// Packets that are sent a second.
pub(super) const RATE: u64 = 100_000;
/// Tables that a live capture and its recording share, all but `issues`.
const TABLES: [&str; 7] =
    ["traffic", "connections", "subflows", "announcements", "reinjections", "events", "hosts"];

/// Load for so many seconds from one namespace to the other, whose end is watched and recorded.
pub(super) fn run(from: &Namespace, to: &Namespace, dir: &Path, seconds: u64, rate: u64) -> Result<()> {
    for (namespace, device) in [(from, "c1"), (to, "s1")] {
        if have("ethtool") {
            let mut command = namespace.command("ethtool");
            command.args(["-K", device]).args("tx off gro off gso off tso off".split(' '));
            execute(command.stdout(Stdio::null()))?;
        } else {
            loud("ethtool is not installed: offloads stay on");
        }
    }
    let subflow = program()?;
    let recording = dir.join("live.pcapng");
    let tables = dir.join("live");
    let mut live = to.command(&subflow.to_string_lossy());
    live.args(["live", "-i", "s1", "-f", "csv", "-w"]).arg(&recording).arg("-o").arg(&tables);
    let live = Running::start(&mut live)?;
    let replay = from
        .command(&env::current_exe()?.to_string_lossy())
        .args(["replay", "c1"])
        .arg(load())
        .args(["--rate", &rate.to_string(), "--seconds", &seconds.to_string()])
        .status()?;
    // The last packets come.
    thread::sleep(Duration::from_millis(500));
    let told = live.stop()?;
    if !replay.success() {
        bail!("the load failed");
    }
    eprint!("{told}");
    let again = dir.join("again");
    execute(Command::new(&subflow).args(["analyze", "-q", "-f", "csv", "-o"]).arg(&again).arg(&recording))?;
    let mut rows = 0;
    for table in TABLES {
        let read = |folder: &Path| {
            let path = folder.join(format!("{table}.csv"));
            fs::read_to_string(&path).with_context(|| format!("no {}", path.display()))
        };
        let (seen, recorded) = (read(&tables)?, read(&again)?);
        if seen != recorded {
            bail!("table {table} of the live capture is not that of its recording");
        }
        rows += seen.lines().count() - 1;
    }
    let (packets, dropped) = counts(&told).context("no line with packets and drops")?;
    let sent = rate * seconds;
    eprintln!("{sent} packets sent, {packets} analysed and recorded, {dropped} dropped and counted");
    eprintln!("{rows} rows in {} tables are the same live and from the recording", TABLES.len());
    // Neighbour discovery and the like come on top; nothing may be missing without being counted.
    if packets + dropped < sent {
        bail!("{} packets are neither recorded nor counted as dropped", sent - packets - dropped);
    }
    Ok(())
}

/// What to send: the trace for measuring, else a bundled capture.
fn load() -> PathBuf {
    let trace = subflow_testdata::root().join("perf/kernel-v1.pcap.zst");
    if trace.is_file() { trace } else { root().join("examples/handover.pcap.zst") }
}

/// `N packets in T on s1, M dropped by the kernel`
fn counts(told: &str) -> Option<(u64, u64)> {
    let line = told.lines().find(|line| line.ends_with(" dropped by the kernel"))?;
    let number = |text: &str| text.replace(',', "").parse().ok();
    let packets = number(line.split(' ').next()?)?;
    let dropped = number(line.rsplit(' ').nth(4)?)?;
    Some((packets, dropped))
}

/// `subflow live`, which is ended when it is no longer wanted.
struct Running {
    child: Child,
    says: thread::JoinHandle<String>,
}

impl Running {
    /// Starts it and waits until it listens.
    fn start(command: &mut Command) -> Result<Self> {
        let mut child = command.stderr(Stdio::piped()).spawn()?;
        let mut says = BufReader::new(child.stderr.take().context("no pipe")?);
        let mut line = String::new();
        says.read_line(&mut line)?;
        if !line.starts_with("listening on") {
            let _ = child.wait();
            bail!("subflow live did not start: {line}");
        }
        let says = thread::spawn(move || {
            let mut text = String::new();
            let _ = says.read_to_string(&mut text);
            text
        });
        Ok(Self { child, says })
    }

    /// Ends it as Ctrl-C would, and returns what it said.
    fn stop(mut self) -> Result<String> {
        // `ip netns exec` has become the program itself.
        execute(words("kill -INT").arg(self.child.id().to_string()))?;
        let status = self.child.wait()?;
        let text = self.says.join().unwrap_or_default();
        if !status.success() {
            bail!("subflow live failed: {text}");
        }
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::counts;

    #[test]
    fn counts_are_read_from_what_is_said() {
        let told = "interrupted\n1,234 packets in 5.01 s on s1, 56,789 dropped by the kernel\nmore\n";
        assert_eq!(counts(told), Some((1234, 56_789)));
        assert_eq!(counts("nothing"), None);
    }
}
