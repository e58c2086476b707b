//! Namespaces, the links between them, and processes in them; all gone when they are dropped.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard};

/// Names the role of a process and its arguments, a line each.
pub(crate) const ROLE: &str = "SUBFLOW_LAB_ROLE";

/// One lab at a time: they are measured against their load.
static TURN: Mutex<()> = Mutex::new(());
static NUMBER: AtomicU32 = AtomicU32::new(0);

/// Namespaces, named from `a` on, and a folder for files.
pub(crate) struct Lab {
    prefix: String,
    names: Vec<char>,
    pub(crate) folder: tempfile::TempDir,
    _turn: MutexGuard<'static, ()>,
}

/// A process; killed and waited for when it is dropped.
pub(crate) struct Process(pub(crate) Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) fn say(words: &str) {
    // Past the harness's capture of output.
    let _ = writeln!(std::io::stderr(), "{words}");
}

fn run(program: &str, arguments: &[&str]) -> Result<String, String> {
    let output =
        Command::new(program).args(arguments).output().map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(format!("{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr).trim()))
}

/// How the names of our namespaces begin; the process's id follows.
const PREFIX: &str = "sfp";

/// Removes what tests that were killed have left.
fn remove_stale() {
    for line in run("ip", &["netns", "list"]).unwrap_or_default().lines() {
        let name = line.split(' ').next().unwrap_or_default();
        let process = name.strip_prefix(PREFIX).and_then(|rest| rest.split_once('-'));
        let process = process.and_then(|(id, _)| id.parse::<u32>().ok());
        if process.is_some_and(|id| !Path::new("/proc").join(id.to_string()).exists()) {
            let _ = run("ip", &["netns", "del", name]);
        }
    }
}

impl Lab {
    /// A lab with so many namespaces; `None`, said loudly, where that is not possible.
    pub(crate) fn new(namespaces: usize) -> Option<Self> {
        let turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        remove_stale();
        let prefix = format!("{PREFIX}{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let folder = tempfile::tempdir().expect("a folder for files");
        let mut lab = Self { prefix, names: Vec::new(), folder, _turn: turn };
        for name in ('a'..='z').take(namespaces) {
            if let Err(error) = run("ip", &["netns", "add", &lab.name(name)]) {
                say(&format!("skipped: no network namespaces ({error})"));
                return None;
            }
            lab.names.push(name);
            lab.ip(name, "link set lo up");
            lab.set(name, "net.ipv6.conf.default.accept_dad=0");
            lab.set(name, "net.ipv6.conf.all.disable_ipv6=0");
        }
        Some(lab)
    }

    fn name(&self, namespace: char) -> String {
        format!("{}{namespace}", self.prefix)
    }

    /// Runs `ip` in a namespace.
    pub(crate) fn ip(&self, namespace: char, arguments: &str) {
        let name = self.name(namespace);
        let all: Vec<&str> = ["-n", &name].into_iter().chain(arguments.split(' ')).collect();
        run("ip", &all).unwrap();
    }

    /// Sets a variable of the kernel in a namespace, `name=value`.
    pub(crate) fn set(&self, namespace: char, variable: &str) {
        let (name, value) = variable.split_once('=').expect("name=value");
        let path = format!("/proc/sys/{}", name.replace('.', "/"));
        let script = format!("echo {value} > {path}");
        run("ip", &["netns", "exec", &self.name(namespace), "sh", "-c", &script]).unwrap();
    }

    /// Links two namespaces; the ends are called `to` and the name of the other.
    pub(crate) fn link(&self, a: char, b: char) {
        let ends = [(a, format!("to{b}")), (b, format!("to{a}"))];
        let (left, right) = (self.name(a), self.name(b));
        let [(_, one), (_, two)] = &ends;
        let arguments =
            ["link", "add", one, "netns", &left, "type", "veth", "peer", "name", two, "netns", &right];
        run("ip", &arguments).unwrap();
        for (namespace, end) in &ends {
            self.ip(*namespace, &format!("link set {end} up"));
            // Checksums as they are on a wire.
            let name = self.name(*namespace);
            let off = [
                "netns", "exec", &name, "ethtool", "-K", end, "tx", "off", "gro", "off", "gso", "off", "tso",
                "off",
            ];
            if let Err(error) = run("ip", &off) {
                say(&format!("checksums stay partial: {error}"));
            }
        }
    }

    /// Gives the ends of a link the addresses 10.77.N.1 and .2, fd77:N::1 and ::2, and makes both sides routers that tell of every
    /// packet that they cannot forward.
    pub(crate) fn route(&self, a: char, b: char, number: u8) {
        for (namespace, end, part) in [(a, b, 1), (b, a, 2)] {
            self.ip(namespace, &format!("addr add 10.77.{number}.{part}/24 dev to{end}"));
            self.ip(namespace, &format!("-6 addr add fd77:{number:x}::{part}/64 dev to{end} nodad"));
            for variable in [
                "net.ipv4.ip_forward=1",
                "net.ipv6.conf.all.forwarding=1",
                "net.ipv4.icmp_ratelimit=0",
                "net.ipv4.icmp_msgs_per_sec=100000",
                "net.ipv6.icmp.ratelimit=0",
            ] {
                self.set(namespace, variable);
            }
        }
    }

    /// A counter of the kernel in a namespace, of the lines of /proc/net/snmp or netstat that begin so.
    pub(crate) fn counter(&self, namespace: char, file: &str, beginning: &str, name: &str) -> u64 {
        let text = self.read(namespace, &format!("/proc/net/{file}"));
        let mut lines = text.lines().filter(|line| line.starts_with(beginning));
        let (names, values) = (lines.next().expect("names"), lines.next().expect("values"));
        let at = names.split(' ').position(|field| field == name).expect("the counter");
        values.split(' ').nth(at).and_then(|value| value.parse().ok()).expect("a number")
    }

    /// Reads a file of the kernel in a namespace.
    pub(crate) fn read(&self, namespace: char, path: &str) -> String {
        run("ip", &["netns", "exec", &self.name(namespace), "cat", path]).unwrap()
    }

    /// Starts a program in a namespace.
    pub(crate) fn start(&self, namespace: char, program: &str, arguments: &[&str]) -> Process {
        let child = Command::new("ip")
            .args(["netns", "exec", &self.name(namespace), program])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        Process(child.expect("ip runs"))
    }

    /// A server in a namespace that takes connections, answers what comes with a short HTTP response and closes when the client does:
    /// whether it speaks Multipath TCP, address and port of each. `None`, said loudly, where it cannot be had.
    pub(crate) fn serve(&self, namespace: char, sockets: &[(bool, &str, u16)]) -> Option<Process> {
        let script = "import selectors, socket, sys\n\
            sel = selectors.DefaultSelector()\n\
            for entry in sys.argv[1:]:\n\
            \x20   mptcp, addr, port = entry.split(',')\n\
            \x20   family = socket.AF_INET6 if ':' in addr else socket.AF_INET\n\
            \x20   s = socket.socket(family, socket.SOCK_STREAM, 262 if mptcp == 'true' else 0)\n\
            \x20   s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)\n\
            \x20   if family == socket.AF_INET6 and addr != '::': s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)\n\
            \x20   s.setsockopt(socket.IPPROTO_IP, 15, 1)\n\
            \x20   s.bind((addr, int(port)))\n\
            \x20   s.listen(4096)\n\
            \x20   s.setblocking(False)\n\
            \x20   sel.register(s, selectors.EVENT_READ, True)\n\
            print('listening', flush=True)\n\
            while True:\n\
            \x20   for key, _ in sel.select():\n\
            \x20       try:\n\
            \x20           if key.data:\n\
            \x20               c, _ = key.fileobj.accept()\n\
            \x20               c.setblocking(False)\n\
            \x20               sel.register(c, selectors.EVENT_READ, False)\n\
            \x20           elif key.fileobj.recv(65536):\n\
            \x20               key.fileobj.send(b'HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok')\n\
            \x20           else:\n\
            \x20               raise OSError('closed')\n\
            \x20       except BlockingIOError:\n\
            \x20           pass\n\
            \x20       except OSError:\n\
            \x20           if not key.data:\n\
            \x20               sel.unregister(key.fileobj)\n\
            \x20               key.fileobj.close()\n";
        let entries: Vec<String> =
            sockets.iter().map(|(mptcp, addr, port)| format!("{mptcp},{addr},{port}")).collect();
        let arguments: Vec<&str> =
            ["-c", script].into_iter().chain(entries.iter().map(String::as_str)).collect();
        self.listening(namespace, &arguments)
    }

    /// Loads rules of nftables in a namespace; false, said loudly, where that is not possible.
    pub(crate) fn nft(&self, namespace: char, rules: &str) -> bool {
        if let Err(error) = run("nft", &["--version"]) {
            say(&format!("skipped: no nftables ({error})"));
            return false;
        }
        let file = self.file(&format!("rules-{namespace}"));
        fs::write(&file, rules).expect("a file");
        let path = file.to_string_lossy();
        run("ip", &["netns", "exec", &self.name(namespace), "nft", "-f", &path]).unwrap();
        true
    }

    /// Starts a script of python3 that says when it listens.
    fn listening(&self, namespace: char, arguments: &[&str]) -> Option<Process> {
        let mut process = self.start(namespace, "python3", arguments);
        let out = process.0.stdout.as_mut().expect("piped");
        let mut line = String::new();
        let read = BufReader::with_capacity(1, out).read_line(&mut line);
        if read.is_ok() && line.starts_with("listening") {
            return Some(process);
        }
        say("skipped: no server for Multipath TCP (python3 and a kernel with MPTCP are needed)");
        None
    }

    /// Starts one of our roles in a namespace.
    pub(crate) fn role(&self, namespace: char, role: &str) -> Process {
        let own = std::env::current_exe().expect("the name of this program");
        let child = Command::new("ip")
            .args(["netns", "exec", &self.name(namespace)])
            .arg(own)
            .args(["role", "--exact", "--nocapture", "--test-threads=1"])
            .env(ROLE, role.split_whitespace().collect::<Vec<_>>().join("\n"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        Process(child.expect("ip runs"))
    }

    /// Runs one of our roles to its end.
    pub(crate) fn complete(&self, namespace: char, role: &str) {
        let mut process = self.role(namespace, role);
        let status = process.0.wait().expect("it ends");
        assert!(status.success(), "{role}: {status}");
    }

    /// A file of the lab.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The lines of a file of the lab.
    pub(crate) fn lines(&self, name: &str) -> Vec<String> {
        let text = fs::read_to_string(self.file(name)).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        for name in &self.names {
            let _ = run("ip", &["netns", "del", &self.name(*name)]);
        }
    }
}

/// Waits for a line of a process that begins so.
pub(crate) fn await_line(process: &mut Process, beginning: &str) -> String {
    let out = process.0.stdout.as_mut().expect("piped");
    let mut lines = BufReader::with_capacity(1, out).lines();
    loop {
        let line = lines.next().unwrap_or_else(|| panic!("it ended before '{beginning}'")).expect("text");
        if let Some(at) = line.find(beginning) {
            return line[at..].to_owned();
        }
    }
}

/// A server for TCP, or for Multipath TCP, on addresses of a namespace; `None`, said loudly, where it cannot be had.
pub(crate) fn listen(lab: &Lab, namespace: char, sockets: &[(bool, &str, u16)]) -> Option<Process> {
    let script = "import socket, sys, time\n\
        keep = []\n\
        for entry in sys.argv[1:]:\n\
        \x20   mptcp, addr, port = entry.split(',')\n\
        \x20   family = socket.AF_INET6 if ':' in addr else socket.AF_INET\n\
        \x20   s = socket.socket(family, socket.SOCK_STREAM, 262 if mptcp == 'true' else 0)\n\
        \x20   if family == socket.AF_INET6 and addr != '::': s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)\n\
        \x20   s.setsockopt(socket.IPPROTO_IP, 15, 1)\n\
        \x20   s.bind((addr, int(port)))\n\
        \x20   s.listen(4096)\n\
        \x20   keep.append(s)\n\
        print('listening', flush=True)\n\
        sys.stdin.read()\n";
    let entries: Vec<String> =
        sockets.iter().map(|(mptcp, addr, port)| format!("{mptcp},{addr},{port}")).collect();
    let arguments: Vec<&str> = ["-c", script].into_iter().chain(entries.iter().map(String::as_str)).collect();
    lab.listening(namespace, &arguments)
}
