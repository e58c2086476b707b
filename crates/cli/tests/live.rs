//! `subflow live`, as far as it goes without load (for that see `cargo xtask lab`): what it says, what it needs, how it ends.
#![cfg(target_os = "linux")]

mod support;

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use support::subflow;

const NOBODY: &str = "65534";

/// A network namespace with a veth pair in it, `a` and `b`; removed when dropped.
struct Namespace(String);

impl Namespace {
    /// Makes one; none, said loudly, where this is not root.
    fn new(name: &str) -> Option<Self> {
        if !is_root() {
            eprintln!("skipped: network namespaces need root");
            return None;
        }
        let namespace = Self(format!("subflow-test-{}-{name}", std::process::id()));
        if !run(Command::new("ip").args(["netns", "add", &namespace.0])) {
            eprintln!("skipped: no network namespaces here");
            return None;
        }
        namespace.ip("link set dev lo up");
        namespace.ip("link add name a type veth peer name b");
        namespace.ip("addr add 10.78.0.1/24 dev a");
        namespace.ip("link set dev a up");
        namespace.ip("link set dev b up");
        Some(namespace)
    }

    fn ip(&self, line: &str) {
        assert!(run(Command::new("ip").args(["-n", &self.0]).args(line.split(' '))), "ip {line}");
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.env("XDG_CONFIG_HOME", "/nonexistent").args(["netns", "exec", &self.0, program]);
        command
    }

    /// Packets on `a` and on loopback: a datagram to nobody each, so that the kernel asks for its address.
    fn traffic(&self) {
        let script = "for i in 1 2 3 4 5; do
            echo hello > /dev/udp/10.78.0.$((i + 1))/9; echo hello > /dev/udp/127.0.0.1/9; done; true";
        assert!(run(self.command("bash").args(["-c", script]).stderr(Stdio::null())));
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        run(Command::new("ip").args(["netns", "delete", &self.0]));
    }
}

fn is_root() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().any(|line| line.starts_with("Uid:\t0\t0"))
}

fn run(command: &mut Command) -> bool {
    command.status().is_ok_and(|status| status.success())
}

fn program() -> &'static str {
    env!("CARGO_BIN_EXE_subflow")
}

fn told(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
    (text(&output.stdout), text(&output.stderr))
}

/// `subflow live` at work: from when it listens.
struct Running {
    child: Child,
    stderr: BufReader<ChildStderr>,
}

impl Running {
    fn start(mut command: Command) -> Self {
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
        let mut stderr = BufReader::new(child.stderr.take().expect("a pipe"));
        let mut line = String::new();
        stderr.read_line(&mut line).expect("a line");
        assert!(line.starts_with("listening on "), "{line}");
        Self { child, stderr }
    }

    /// Waits for a line with these words.
    fn wait_for(&mut self, words: &str) {
        let mut line = String::new();
        while !line.contains(words) {
            line.clear();
            assert!(self.stderr.read_line(&mut line).expect("a line") > 0, "it ended without '{words}'");
        }
    }

    fn interrupt(&self) {
        assert!(run(Command::new("kill").args(["-INT", &self.child.id().to_string()])));
    }

    /// Exit code, standard output and the rest of standard error.
    fn end(mut self) -> (Option<i32>, String, String) {
        let (mut out, mut rest) = (String::new(), String::new());
        self.child.stdout.take().expect("a pipe").read_to_string(&mut out).expect("UTF-8");
        self.stderr.read_to_string(&mut rest).expect("UTF-8");
        (self.child.wait().expect("it ends").code(), out, rest)
    }
}

#[test]
fn an_unknown_interface_comes_with_those_there_are() {
    let output = subflow().args(["live", "-i", "no-such"]).output().expect("runs");
    let (stdout, stderr) = told(&output);
    assert_eq!((output.status.code(), stdout.as_str()), (Some(1), ""));
    assert!(stderr.starts_with("error: there is no interface 'no-such'\nhint: there are lo"), "{stderr}");
    assert!(stderr.ends_with("; any stands for all of them\n"), "{stderr}");
}

#[test]
fn who_may_not_is_told_how_to() {
    let mut command = if is_root() {
        let mut command = Command::new("setpriv");
        command.env("XDG_CONFIG_HOME", "/nonexistent").args([
            "--reuid",
            NOBODY,
            "--regid",
            NOBODY,
            "--clear-groups",
            program(),
        ]);
        command
    } else {
        let mut command = Command::new(program());
        command.env("XDG_CONFIG_HOME", "/nonexistent");
        command
    };
    let output = command.args(["live", "-i", "lo"]).output().expect("runs");
    let (stdout, stderr) = told(&output);
    assert_eq!((output.status.code(), stdout.as_str()), (Some(1), ""), "{stderr}");
    assert_eq!(
        stderr,
        "error: not permitted to capture on lo\n\
         hint: allow it once with: sudo setcap cap_net_raw+ep $(which subflow)\n"
    );
}

#[test]
fn one_capability_is_enough() {
    let Some(namespace) = Namespace::new("cap") else { return };
    let mut command = namespace.command("setpriv");
    command.args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"]);
    command.args(["--bounding-set", "-all,+net_raw", "--inh-caps", "-all,+net_raw"]);
    command.args(["--ambient-caps", "-all,+net_raw", "--no-new-privs", program()]);
    command.args(["live", "-i", "any", "-n", "5"]);
    let running = Running::start(command);
    namespace.traffic();
    let (code, stdout, stderr) = running.end();
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!(stdout, "No MPTCP connections, no TCP packets\n");
    assert!(
        stderr.starts_with("5 packets in ") && stderr.contains(" on any, 0 dropped by the kernel\n"),
        "{stderr}"
    );
}

#[test]
fn an_interface_that_vanishes_ends_it_with_the_results() {
    let Some(namespace) = Namespace::new("gone") else { return };
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("a.pcap");
    let mut command = namespace.command(program());
    command.args(["live", "-i", "a", "-w"]).arg(&file);
    let running = Running::start(command);
    namespace.traffic();
    namespace.ip("link delete dev a");
    let (code, stdout, stderr) = running.end();
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stdout.starts_with("No MPTCP connections, no TCP packets\n"), "{stdout}");
    assert!(stdout.contains("a     the interface went down "), "told in the table of issues: {stdout}");
    assert!(stderr.contains("error: a is gone: the interface was removed while capturing\n"), "{stderr}");
    assert!(!stderr.contains("\n0 packets"), "{stderr}");
    let recorded = std::fs::metadata(&file).expect("a recording").len();
    assert!(recorded > 24, "{recorded} bytes, {stderr}");
}

#[test]
fn an_interface_that_goes_down_is_waited_for() {
    let Some(namespace) = Namespace::new("down") else { return };
    let mut command = namespace.command(program());
    command.args(["live", "-i", "a,lo"]);
    let mut running = Running::start(command);
    namespace.ip("link set dev a down");
    running.wait_for("warning: a is down: waiting for it to come up");
    namespace.ip("link set dev a up");
    namespace.traffic();
    running.wait_for("warning: a is up again");
    running.interrupt();
    let (code, stdout, stderr) = running.end();
    assert_eq!(code, Some(0), "an ordinary end: {stderr}");
    assert!(stdout.starts_with("No MPTCP connections, no TCP packets\n"), "{stdout}");
    assert!(stdout.contains("a     the interface went down "), "told in the table of issues: {stdout}");
    assert!(stderr.contains(" on a, lo, 0 dropped by the kernel\n"), "{stderr}");
}

#[test]
fn a_reader_that_goes_away_ends_it() {
    let Some(namespace) = Namespace::new("pipe") else { return };
    let mut command = namespace.command(program());
    command.args(["live", "-i", "lo", "-d", "0.5", "-f", "json"]);
    let mut running = Running::start(command);
    drop(running.child.stdout.take());
    let mut rest = String::new();
    running.stderr.read_to_string(&mut rest).expect("UTF-8");
    assert_eq!(running.child.wait().expect("it ends").code(), Some(0), "{rest}");
    assert!(!rest.contains("error"), "{rest}");
}

#[test]
fn rows_come_in_any_form_and_the_recording_reads_again() {
    let Some(namespace) = Namespace::new("rows") else { return };
    let dir = tempfile::tempdir().expect("a folder");
    for name in ["x.pcap", "x.pcapng"] {
        let file = dir.path().join(name);
        let mut command = namespace.command(program());
        command.args(["live", "-i", "lo", "-n", "4", "-f", "jsonl", "-t", "traffic,issues", "-w"]).arg(&file);
        let running = Running::start(command);
        namespace.traffic();
        let (code, stdout, stderr) = running.end();
        assert_eq!((code, stdout.as_str()), (Some(0), ""), "no TCP, no rows: {stderr}");
        assert!(stderr.contains("4 packets recorded in "), "{stderr}");
        let path = file.to_str().expect("UTF-8");
        let analyzed = subflow().args(["analyze", "-v", path]).output().expect("runs");
        assert!(told(&analyzed).1.contains("4 packets of 1 file in "), "{:?}", told(&analyzed));
    }
}
