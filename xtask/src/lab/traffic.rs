//! The transfers, and the capture of them.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::Args;
use super::net::{Lab, Namespace, SERVER};
use crate::shell::{execute, output, words};

const PROGRAM: &str = include_str!("transfer.py");
const PORT: &str = "5001";

/// What the applications say.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) client_sent: u64,
    pub(super) client_received: u64,
    pub(super) server_sent: u64,
    pub(super) server_received: u64,
}

/// Runs the transfers while the client's side is captured.
pub(super) fn run(lab: &Lab, args: &Args, capture: &Path) -> Result<Told> {
    let tcpdump = Tcpdump::start(lab.client(), capture)?;
    let script = lab.dir().join("transfer.py");
    std::fs::write(&script, PROGRAM)?;
    let program = |namespace: &Namespace, role: &str| {
        let mut command = namespace.command("python3");
        command.arg(&script).args([role, SERVER, PORT]);
        command.args([u64::from(args.connections), args.up, args.down].map(|number| number.to_string()));
        command
    };
    let mut server = Running(program(lab.server(), "server").stdout(Stdio::piped()).spawn()?);
    let mut says = BufReader::new(server.0.stdout.take().context("no pipe")?);
    let mut line = String::new();
    says.read_line(&mut line)?;
    if line.trim() != "ready" {
        bail!("the server did not start");
    }
    let from_client = output(&mut program(lab.client(), "client"))?;
    let mut from_server = String::new();
    says.read_to_string(&mut from_server)?;
    server.0.wait()?;
    tcpdump.stop()?;
    let ((client_sent, client_received), (server_sent, server_received)) =
        (sums(&from_client)?, sums(&from_server)?);
    Ok(Told { client_sent, client_received, server_sent, server_received })
}

/// Sums of the two columns.
fn sums(text: &str) -> Result<(u64, u64)> {
    text.lines().try_fold((0, 0), |(sent, received), line| {
        let (more_sent, more_received) = line.split_once(' ').context("two numbers a connection")?;
        Ok((sent + more_sent.parse::<u64>()?, received + more_received.parse::<u64>()?))
    })
}

/// A program that is ended when it is no longer wanted.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Tcpdump(Running);

impl Tcpdump {
    /// Starts a capture of all interfaces, headers only, and waits until it listens.
    fn start(namespace: &Namespace, capture: &Path) -> Result<Self> {
        let mut command = namespace.command("tcpdump");
        command
            .args(["-i", "any", "-s", "160", "-B", "16384", "-U", "-Z", "root", "-w"])
            .arg(capture)
            .arg("tcp");
        let mut tcpdump = Running(command.stderr(Stdio::piped()).spawn()?);
        let mut says = BufReader::new(tcpdump.0.stderr.take().context("no pipe")?);
        let mut line = String::new();
        while !line.contains("listening on") {
            line.clear();
            if says.read_line(&mut line)? == 0 {
                bail!("tcpdump did not start");
            }
        }
        // What it says at its end is read away, so that it never waits for us.
        std::thread::spawn(move || std::io::copy(&mut says, &mut std::io::sink()));
        Ok(Self(tcpdump))
    }

    /// Lets the last packets come, then ends it as Ctrl-C would.
    fn stop(mut self) -> Result<()> {
        sleep(Duration::from_millis(1500));
        let process = self.0.0.id().to_string();
        let interrupt: &mut Command = &mut words("kill -INT");
        execute(interrupt.arg(process))?;
        self.0.0.wait()?;
        Ok(())
    }
}
