//! Servers and boxes of every kind that a verification has to tell apart, behind a router, over both families.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::IpAddr;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use subflow_netio::{Config, Instruction, Ring, Sender, wait};
use subflow_probe::rows::Verification;
use subflow_rows::Row;
use subflow_wire::keys::Version;

use crate::responder::{Fault, Meddling, Responder, meddle, read};
use crate::support::{Lab, Process, await_line, say};

/// Who is behind the addresses of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Server {
    /// The kernel: Multipath TCP version 1 on port 80, plain TCP on port 81.
    Kernel,
    /// Ours.
    Own(Version, Fault),
}

/// Targets with the same server and the same box before it: 10.6.GROUP.0/24 and fd06::GROUP:0/112.
struct Group {
    number: u8,
    server: Server,
    port: u16,
    meddling: Option<Meddling>,
    /// What is tried, and what has to come out.
    version: u8,
    conclusion: &'static str,
    /// Targets of each family.
    count: u32,
}

const fn group(number: u8, server: Server, version: u8, conclusion: &'static str, count: u32) -> Group {
    Group { number, server, port: 80, meddling: None, version, conclusion, count }
}

const PROXIED: u8 = 5;
const TLS: u8 = 28;

const GROUPS: &[Group] = &[
    group(1, Server::Kernel, 1, "true_support", 100),
    group(2, Server::Own(Version::V0, Fault::None), 0, "true_support", 100),
    Group { meddling: Some(Meddling::SwapServerKey), ..group(3, Server::Kernel, 1, "key_rewritten", 100) },
    Group { meddling: Some(Meddling::StripData), ..group(4, Server::Kernel, 1, "stripped_in_data", 100) },
    group(PROXIED, Server::Kernel, 1, "proxied", 100),
    Group { port: 81, ..group(6, Server::Kernel, 1, "falls_back", 100) },
    group(7, Server::Own(Version::V1, Fault::WrongKey), 1, "key_rewritten", 100),
    // Right in everything but the HMAC, which is made from another key.
    group(8, Server::Own(Version::V1, Fault::WrongHmac), 1, "key_rewritten", 100),
    group(9, Server::Own(Version::V0, Fault::WrongHmac), 0, "key_rewritten", 10),
    group(10, Server::Own(Version::V0, Fault::WrongKey), 0, "key_rewritten", 10),
    group(11, Server::Own(Version::V1, Fault::Fail), 1, "falls_back", 10),
    group(12, Server::Own(Version::V1, Fault::Infinite), 1, "falls_back", 10),
    group(13, Server::Own(Version::V0, Fault::Unmapped), 0, "falls_back", 10),
    group(14, Server::Own(Version::V1, Fault::ResetJoins), 1, "refuses_joins", 10),
    group(15, Server::Own(Version::V0, Fault::PlainJoins), 0, "refuses_joins", 10),
    group(16, Server::Own(Version::V1, Fault::Mirror), 1, "mirrored", 10),
    group(17, Server::Own(Version::V0, Fault::Mirror), 0, "mirrored", 10),
    Group {
        meddling: Some(Meddling::ShrinkData),
        ..group(18, Server::Own(Version::V0, Fault::None), 0, "stripped_in_data", 10)
    },
    Group { meddling: Some(Meddling::SwapClientKey), ..group(19, Server::Kernel, 1, "key_rewritten", 10) },
    group(20, Server::Own(Version::V1, Fault::DropSyn), 1, "dropped_with_option", 10),
    group(21, Server::Own(Version::V1, Fault::ResetSyn), 1, "reset_with_option", 10),
    group(22, Server::Own(Version::V1, Fault::Block), 1, "blocked_in_data", 10),
    Group { port: 82, ..group(23, Server::Kernel, 1, "closed", 10) },
    group(24, Server::Own(Version::V1, Fault::Dead), 1, "filtered", 10),
    group(25, Server::Own(Version::V1, Fault::Mute), 1, "no_tcp", 10),
    Group { port: 83, ..group(27, Server::Kernel, 1, "true_support", 10) },
    Group { port: 443, ..group(TLS, Server::Kernel, 1, "true_support", 10) },
    // Asked for version 0, a server of version 1 is one of plain TCP.
    group(26, Server::Kernel, 0, "falls_back", 10),
];

impl Group {
    fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        let number = self.number;
        (1..=self.count).flat_map(move |k| {
            let v4 = IpAddr::from([10, 6, number, k as u8]);
            let v6 = IpAddr::from([0xfd06, 0, 0, 0, 0, 0, u16::from(number), k as u16]);
            [v4, v6]
        })
    }

    fn of(addr: IpAddr) -> Option<&'static Self> {
        let number = match addr {
            IpAddr::V4(addr) => match addr.octets() {
                [10, 6, number, _] => number,
                _ => return None,
            },
            IpAddr::V6(addr) => match addr.segments() {
                [0xfd06, 0, 0, 0, 0, 0, number, _] => u8::try_from(number).ok()?,
                _ => return None,
            },
        };
        GROUPS.iter().find(|group| group.number == number)
    }
}

/// The box: `meddler IN OUT`, until the standard input ends.
pub(crate) fn meddler(mut arguments: impl Iterator<Item = String>) -> Result<(), String> {
    let names: [String; 2] =
        [arguments.next().ok_or("an interface lacks")?, arguments.next().ok_or("an interface lacks")?];
    let words = |error: subflow_netio::Error| error.to_string();
    let open = |name: &String| {
        let config =
            Config { interface: name.clone(), snap_len: 2000, ring_bytes: 8 << 20, promiscuous: true };
        let all = Instruction { code: 0x06, jump_true: 0, jump_false: 0, k: 2000 };
        Ring::open_filtered(&config, &[all])
    };
    let mut rings = [open(&names[0]).map_err(words)?, open(&names[1]).map_err(words)?];
    let mut senders =
        [Sender::open(&names[0], false).map_err(words)?, Sender::open(&names[1], false).map_err(words)?];
    let ended = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&ended);
    std::thread::spawn(move || {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        told.store(true, Ordering::Relaxed);
    });
    writeln!(std::io::stdout(), "\nforwarding").map_err(|error| error.to_string())?;
    let mut servers: HashMap<IpAddr, Responder> = HashMap::new();
    while !ended.load(Ordering::Relaxed) {
        wait(&rings, Duration::from_millis(10)).map_err(words)?;
        for from in 0..2 {
            let mut out: [Vec<Vec<u8>>; 2] = [Vec::new(), Vec::new()];
            while let Some(block) = rings[from].next_block() {
                for frame in block.frames() {
                    for (back, bytes) in pass(&mut servers, frame.data, from == 0) {
                        out[if back { from } else { 1 - from }].push(bytes);
                    }
                }
            }
            for (sender, frames) in senders.iter_mut().zip(&out) {
                for frame in frames {
                    while sender.send(&[frame]).map_err(words)? == 0 {}
                }
            }
        }
    }
    Ok(())
}

/// What becomes of a frame: frames, and whether they go back to where it came from.
fn pass(servers: &mut HashMap<IpAddr, Responder>, bytes: &[u8], outward: bool) -> Vec<(bool, Vec<u8>)> {
    let same = || vec![(false, bytes.to_vec())];
    let Some((link, packet)) = bytes.split_at_checked(14) else { return same() };
    let Some((ip, tcp)) = read(packet) else { return same() };
    let target = if outward { ip.dst } else { ip.src };
    let Some(group) = Group::of(target) else { return same() };
    let port = if outward { tcp.dst_port() } else { tcp.src_port() };
    // Other ports are the kernel's, and closed.
    if port != group.port {
        return same();
    }
    let total = ip.total_len as usize;
    let packet = packet.get(..total).unwrap_or(packet);
    let change = |packet: &[u8]| group.meddling.map_or(packet.to_vec(), |what| meddle(what, packet));
    match group.server {
        Server::Kernel => vec![(false, [link, &change(packet)].concat())],
        Server::Own(version, fault) => {
            let server = servers.entry(target).or_insert_with(|| Responder::new(version, fault));
            let back = [&bytes[6..12], &bytes[..6], &bytes[12..14]].concat();
            let answers = server.packet(&change(packet));
            answers.iter().map(|answer| (true, [back.clone(), change(answer)].concat())).collect()
        }
    }
}

/// Servers of HTTP: `PORT,PROTOCOL` for each, `PORT,PROTOCOL,eager` for one that answers and ends at the first data,
/// `PORT,PROTOCOL,tls,CERTIFICATE,KEY`, and `PORT,PROTOCOL,ADDRESS,PORT` for a relay to another server.
const SERVERS: &str = "import asyncio, socket, ssl, sys\n\
async def serve(reader, writer):\n\
\x20   try:\n\
\x20       await asyncio.wait_for(reader.readuntil(b'\\r\\n\\r\\n'), 30)\n\
\x20       writer.write(b'HTTP/1.1 200 OK\\r\\nConnection: close\\r\\n\\r\\n' + b'x' * 2000)\n\
\x20       await writer.drain()\n\
\x20   except Exception: pass\n\
\x20   finally: writer.close()\n\
async def eager(reader, writer):\n\
\x20   try:\n\
\x20       await reader.read(1000)\n\
\x20       writer.write(b'HTTP/1.1 200 OK\\r\\n\\r\\n')\n\
\x20       await writer.drain()\n\
\x20   except Exception: pass\n\
\x20   finally: writer.close()\n\
async def pump(reader, writer):\n\
\x20   try:\n\
\x20       while data := await reader.read(65536):\n\
\x20           writer.write(data)\n\
\x20           await writer.drain()\n\
\x20   except Exception: pass\n\
\x20   finally: writer.close()\n\
def relay(host, port):\n\
\x20   async def handle(reader, writer):\n\
\x20       there = await asyncio.open_connection(host, port)\n\
\x20       await asyncio.gather(pump(reader, there[1]), pump(there[0], writer))\n\
\x20   return handle\n\
async def main():\n\
\x20   keep = []\n\
\x20   for entry in sys.argv[1:]:\n\
\x20       port, protocol, *to = entry.split(',')\n\
\x20       s = socket.socket(socket.AF_INET6, socket.SOCK_STREAM, int(protocol))\n\
\x20       s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)\n\
\x20       s.bind(('::', int(port)))\n\
\x20       s.listen(4096)\n\
\x20       s.setblocking(False)\n\
\x20       context = None\n\
\x20       if to[:1] == ['tls']:\n\
\x20           context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)\n\
\x20           context.load_cert_chain(to[1], to[2])\n\
\x20           to = []\n\
\x20       handler = eager if to == ['eager'] else relay(to[0], int(to[1])) if to else serve\n\
\x20       keep.append(await asyncio.start_server(handler, sock=s, backlog=4096, ssl=context))\n\
\x20   print('listening', flush=True)\n\
\x20   await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)\n\
asyncio.run(main())\n";

fn servers(lab: &Lab, namespace: char, entries: &[&str]) -> Option<Process> {
    let arguments: Vec<&str> = ["-c", SERVERS].into_iter().chain(entries.iter().copied()).collect();
    let mut process = lab.start(namespace, "python3", &arguments);
    let out = process.0.stdout.as_mut().expect("piped");
    let mut beginning = [0; 9];
    if out.read_exact(&mut beginning).is_ok() && &beginning == b"listening" {
        return Some(process);
    }
    say("skipped: no server for Multipath TCP (python3 and a kernel with MPTCP are needed)");
    None
}

/// Verifier, router with a proxy, box, servers.
struct Built {
    lab: Lab,
    proxy: bool,
    tls: bool,
    _processes: Vec<Process>,
}

fn build() -> Option<Built> {
    let lab = Lab::new(4)?;
    lab.link('a', 'b');
    lab.link('b', 'c');
    lab.link('c', 'd');
    lab.route('a', 'b', 1);
    for (namespace, part) in [('b', 1), ('d', 2)] {
        lab.ip(namespace, &format!("addr add 10.77.2.{part}/24 dev toc"));
        lab.ip(namespace, &format!("-6 addr add fd77:2::{part}/64 dev toc nodad"));
    }
    for end in ["tob", "tod"] {
        lab.ip('c', &format!("link set {end} promisc on"));
    }
    lab.ip('a', "route add default via 10.77.1.2");
    lab.ip('a', "-6 route add default via fd77:1::2");
    lab.ip('b', "route add 10.6.0.0/16 via 10.77.2.2");
    lab.ip('b', "-6 route add fd06::/64 via fd77:2::2");
    lab.ip('d', "route add default via 10.77.2.1");
    lab.ip('d', "-6 route add default via fd77:2::1");
    lab.ip('d', "route add local 10.6.0.0/16 dev lo");
    lab.ip('d', "-6 route add local fd06::/64 dev lo");
    for namespace in ['b', 'd'] {
        for variable in ["net.core.somaxconn=8192", "net.ipv4.tcp_max_syn_backlog=8192"] {
            lab.set(namespace, variable);
        }
    }
    let (certificate, key) = (lab.file("certificate"), lab.file("key"));
    let (certificate, key) = (certificate.display().to_string(), key.display().to_string());
    let arguments = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=lab", "-days", "2"];
    let out = ["-keyout", &key, "-out", &certificate];
    let made = Command::new("openssl").args(arguments).args(out).stderr(Stdio::null()).status();
    let tls = made.is_ok_and(|status| status.success());
    let secure = format!("443,262,tls,{certificate},{key}");
    let mut entries = vec!["80,262", "81,0", "83,262,eager"];
    if tls {
        entries.push(&secure);
    } else {
        say("skipped: no TLS (openssl is needed)");
    }
    let web = servers(&lab, 'd', &entries)?;
    let relay = servers(&lab, 'b', &["3128,262,10.77.2.2,81"])?;
    let rules = format!(
        "table inet proxy {{\nchain in {{\ntype nat hook prerouting priority -100\n\
         ip daddr 10.6.{PROXIED}.0/24 tcp dport 80 redirect to :3128\n\
         ip6 daddr fd06::{PROXIED:x}:0/112 tcp dport 80 redirect to :3128\n}}\n}}\n"
    );
    std::fs::write(lab.file("rules"), rules).expect("a file");
    let file = lab.file("rules");
    let mut nft = lab.start('b', "nft", &["-f", &file.display().to_string()]);
    let proxy = nft.0.wait().is_ok_and(|status| status.success());
    if !proxy {
        say("skipped: no proxy (nft is needed)");
    }
    let mut meddler = lab.role('c', "meddler tob tod");
    await_line(&mut meddler, "forwarding");
    Some(Built { lab, proxy, tls, _processes: vec![web, relay, meddler] })
}

/// Columns of a row by name.
fn column(name: &str) -> usize {
    Verification::SCHEMA.columns.iter().position(|column| column.name == name).expect("a column")
}

fn rows(lab: &Lab) -> Vec<Vec<String>> {
    lab.lines("verifications.csv").iter().map(|line| line.split(';').map(str::to_owned).collect()).collect()
}

#[test]
fn every_kind_of_server_gets_its_conclusion() {
    let Some(Built { lab, proxy, tls, _processes }) = build() else { return };
    let mut list = String::new();
    let mut expected = BTreeMap::new();
    let is_there = |group: &&Group| (proxy || group.number != PROXIED) && (tls || group.number != TLS);
    for group in GROUPS.iter().filter(is_there) {
        for addr in group.addresses() {
            writeln!(list, "{addr} {} v{}", group.port, group.version).expect("a string");
            expected.insert(addr, group);
        }
    }
    std::fs::write(lab.file("list"), list).expect("a file");
    let resets = lab.counter('a', "snmp", "Tcp:", "OutRsts");
    let begin = Instant::now();
    let (file, out) = (lab.file("list"), lab.folder.path());
    lab.complete(
        'a',
        &format!(
            "verify list={} out={} rate=8000 at_once=600 again=0.5 quiet",
            file.display(),
            out.display()
        ),
    );
    say(&format!("{} verifications in {:.1} s", expected.len(), begin.elapsed().as_secs_f64()));
    assert_eq!(lab.counter('a', "snmp", "Tcp:", "OutRsts"), resets, "the kernel has answered");
    let rows = rows(&lab);
    assert_eq!(rows.len(), expected.len(), "a row for each target");
    let [addr, conclusion, hmac, join, near, far] =
        ["addr", "conclusion", "hmac_ok", "join", "synack_hops", "echo_hops"].map(column);
    let response = column("response");
    let mut errors = Vec::new();
    for row in &rows {
        let group = expected[&row[addr].parse::<IpAddr>().expect("an address")];
        let wrong_hmac = matches!(group.server, Server::Own(_, Fault::WrongHmac));
        let right = row[conclusion] == group.conclusion
            && (!wrong_hmac || row[hmac] == "false")
            && (group.conclusion != "true_support" || row[hmac] == "true")
            && (group.conclusion != "true_support" || group.port == 83 || row[join] == "carried")
            && (group.number != TLS || row[response] == "TLS handshake")
            && (group.number != PROXIED || row[near] == "1" && row[far] == "2");
        if !right {
            errors.push(format!("group {} should be {}: {}", group.number, group.conclusion, row.join(" ")));
        }
    }
    assert!(errors.is_empty(), "{} errors:\n{}", errors.len(), errors[..errors.len().min(30)].join("\n"));
}

#[test]
fn nothing_is_left_behind_after_a_kill() {
    let Some(Built { lab, .. }) = build() else { return };
    let list: String = GROUPS[0].addresses().map(|addr| format!("{addr} 80 v1\n")).collect();
    std::fs::write(lab.file("list"), list).expect("a file");
    let (file, out) = (lab.file("list"), lab.folder.path());
    let mut verifier = lab.role(
        'a',
        &format!("verify list={} out={} rate=300 at_once=50 quiet", file.display(), out.display()),
    );
    while rows(&lab).is_empty() {
        assert!(verifier.0.try_wait().expect("a process").is_none());
        std::thread::sleep(Duration::from_millis(20));
    }
    verifier.0.kill().expect("a kill");
    verifier.0.wait().expect("an end");
    // Neither a listening socket nor a packet socket nor a rule.
    for file in ["/proc/net/tcp", "/proc/net/tcp6", "/proc/net/packet"] {
        assert_eq!(lab.read('a', file).lines().count(), 1, "{file}");
    }
}
