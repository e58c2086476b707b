//! Boxes of every kind between a client of `check` and its server, one a port: each must be told for what it is, over IPv4 and IPv6.

use std::collections::{BTreeMap, HashMap};
use std::io::Write;

use crate::chain::{Behaviour, Chain, Path, Quote, Stage, target};
use crate::support::{Lab, Process, await_line};

/// Our end, and the server's, of each family.
const CLIENT: [&str; 2] = ["10.77.0.1", "fd77::1"];
const SERVER: [&str; 2] = ["10.78.0.2", "fd78::2"];

/// What the box does at each port, as rules of nft in its forwarding chain.
const RULES: &str = "
table inet box {
  chain forward {
    type filter hook forward priority 0; policy accept;
    tcp dport 81 tcp flags & (syn|ack) == syn reset tcp option mptcp
    tcp sport 82 tcp flags & (syn|ack) == (syn|ack) reset tcp option mptcp
    tcp dport 83 tcp flags & (syn|ack) == syn tcp option mptcp exists drop
    tcp dport 84 tcp flags & (syn|ack) == syn tcp option mptcp exists reject with tcp reset
    tcp dport 85 tcp flags & (syn|ack) == syn tcp option maxseg size set 1200
    tcp sport 85 tcp flags & (syn|ack) == (syn|ack) tcp option maxseg size set 1100
    tcp dport 86 tcp flags & (syn|ack) == syn reset tcp option timestamp
    tcp dport 86 tcp flags & (syn|ack) == syn reset tcp option sack-perm
    tcp dport 88 drop
    tcp dport 89 tcp flags & syn == 0 reset tcp option mptcp
    tcp sport 89 tcp flags & syn == 0 reset tcp option mptcp
    tcp dport 90 tcp flags & syn == 0 tcp option mptcp exists drop
    tcp dport 92 tcp flags & syn == 0 reset tcp option mptcp
    tcp dport 98 tcp flags & (syn|ack) == syn tcp option mptcp subtype 1 reset tcp option mptcp
    tcp dport 99 tcp flags & (syn|ack) == syn tcp option mptcp subtype 1 drop
  }
  chain inward {
    type nat hook prerouting priority -100;
    tcp dport 93 redirect to :3093
    tcp dport 94 redirect to :3094
    tcp dport 95 redirect to :3095
  }
  chain outward {
    type nat hook postrouting priority 100;
    tcp dport 96 masquerade
  }
}
";

/// What each port is to be found.
const VERDICTS: &[(u16, &str)] = &[
    // The one that drops comes first: the kernel must not draw its conclusions for the others.
    (83, "dropped"),
    (80, "works"),
    (81, "stripped_syn"),
    (82, "stripped_syn_ack"),
    (84, "reset"),
    (85, "works"),
    (86, "works"),
    (87, "closed"),
    (88, "unreachable"),
    (89, "stripped_data"),
    (90, "stalled"),
    (91, "server_without"),
    (92, "stripped_data"),
    (93, "proxied"),
    (94, "proxied"),
    (95, "proxied"),
    (96, "works"),
    (98, "works"),
    (99, "works"),
];

/// Accepts at 3093, 3094 and 3095 and relays to 93, 94 and 95 of the server: TCP to TCP, Multipath TCP to both.
const RELAY: &str = "
import socket, sys, threading
def pump(a, b):
    try:
        while True:
            data = a.recv(65536)
            if not data: break
            b.sendall(data)
    except OSError: pass
    for s in (a, b):
        try: s.shutdown(socket.SHUT_RDWR)
        except OSError: pass
def serve(l, family, outside, addr, port):
    while True:
        a, _ = l.accept()
        b = socket.socket(family, socket.SOCK_STREAM, outside)
        b.connect((addr, port))
        threading.Thread(target=pump, args=(a, b), daemon=True).start()
        threading.Thread(target=pump, args=(b, a), daemon=True).start()
for family, addr in ((socket.AF_INET, sys.argv[1]), (socket.AF_INET6, sys.argv[2])):
    for port, inside, outside in ((93, 0, 0), (94, 262, 262), (95, 262, 0)):
        l = socket.socket(family, socket.SOCK_STREAM, inside)
        l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6: l.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        l.bind(('', 3000 + port))
        l.listen(16)
        threading.Thread(target=serve, args=(l, family, outside, addr, port), daemon=True).start()
print('relaying', flush=True)
sys.stdin.read()
";

/// A client, a box that routes and does as the rules say, and a server's namespace.
fn routed(rules: &str) -> Option<Lab> {
    let lab = Lab::new(3)?;
    if !std::path::Path::new("/proc/sys/net/mptcp").exists() {
        let _ = writeln!(std::io::stderr(), "skipped: this kernel has no Multipath TCP");
        return None;
    }
    lab.link('a', 'b');
    lab.link('b', 'c');
    for (namespace, end, v4, v6) in [
        ('a', "tob", "10.77.0.1/24", "fd77::1/64"),
        ('b', "toa", "10.77.0.2/24", "fd77::2/64"),
        ('b', "toc", "10.78.0.1/24", "fd78::1/64"),
        ('c', "tob", "10.78.0.2/24", "fd78::2/64"),
    ] {
        lab.ip(namespace, &format!("addr add {v4} dev {end}"));
        lab.ip(namespace, &format!("-6 addr add {v6} dev {end} nodad"));
    }
    lab.set('b', "net.ipv4.ip_forward=1");
    lab.set('b', "net.ipv6.conf.all.forwarding=1");
    for (namespace, v4, v6) in [('a', "10.77.0.2", "fd77::2"), ('c', "10.78.0.1", "fd78::1")] {
        lab.ip(namespace, &format!("route add default via {v4}"));
        lab.ip(namespace, &format!("-6 route add default via {v6}"));
    }
    lab.nft('b', rules).then_some(lab)
}

fn serve(lab: &Lab, namespace: char, arguments: &str) -> Process {
    let mut server = lab.role(namespace, &format!("check {arguments}"));
    await_line(&mut server, "listening");
    server
}

/// The columns of a row by their names.
pub(crate) type Columns = HashMap<String, String>;

pub(crate) fn rows(lab: &Lab, name: &str) -> Vec<Columns> {
    let columns = |line: &String| {
        line.split('\t')
            .filter_map(|cell| cell.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    };
    lab.lines(name).iter().map(columns).collect()
}

/// Runs checks side by side, each with arguments of its own, and returns the rows of each.
fn side_by_side(lab: &Lab, arguments: &[String]) -> Vec<Vec<Columns>> {
    let folder = |number: usize| lab.file(&number.to_string());
    let start = |(number, arguments): (usize, &String)| {
        let _ = std::fs::remove_dir_all(folder(number));
        std::fs::create_dir(folder(number)).expect("a folder");
        lab.role('a', &format!("check connect=1.5 answer=2 {arguments} out={}", folder(number).display()))
    };
    let clients: Vec<Process> = arguments.iter().enumerate().map(start).collect();
    for mut client in clients {
        assert!(client.0.wait().expect("it ends").success());
    }
    (0..arguments.len()).map(|number| rows(lab, &format!("{number}/checks.tsv"))).collect()
}

fn host(server: &str) -> String {
    if server.contains(':') { format!("[{server}]") } else { server.to_owned() }
}

/// Checks both families with further arguments, side by side unless what counters say counts; rows by family and port.
fn check(lab: &Lab, ports: &[u16], more: &str, alone: bool) -> BTreeMap<(usize, u16), Columns> {
    let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
    let arguments = SERVER.map(|server| format!("server={}:{} {more}", host(server), ports.join(",")));
    let found: Vec<Vec<Columns>> = if alone {
        arguments.iter().flat_map(|arguments| side_by_side(lab, std::slice::from_ref(arguments))).collect()
    } else {
        side_by_side(lab, &arguments)
    };
    let number = |row: &Columns| row["port"].parse().expect("a port");
    let of = |(family, rows): (usize, Vec<Columns>)| {
        rows.into_iter().map(move |row| ((family, number(&row)), row))
    };
    found.into_iter().enumerate().flat_map(of).collect()
}

fn agree(found: &BTreeMap<(usize, u16), Columns>, expected: impl Fn(u16) -> Option<&'static str>) {
    let mut errors = Vec::new();
    for ((family, port), row) in found {
        if let Some(verdict) = expected(*port)
            && row["verdict"] != verdict
        {
            errors.push(format!(
                "{}, port {port}: {} instead of {verdict}: {row:?}",
                CLIENT[*family], row["verdict"]
            ));
        }
    }
    assert!(errors.is_empty(), "{}", errors.join("\n"));
}

fn servers(lab: &Lab, more: &str) -> [Process; 2] {
    let ports: Vec<String> = VERDICTS
        .iter()
        .map(|(port, _)| port)
        .filter(|&&port| port != 87 && port != 91)
        .map(u16::to_string)
        .collect();
    [
        serve(lab, 'c', &format!("serve={} {more}", ports.join(","))),
        serve(lab, 'c', &format!("serve=91 tcp {more}")),
    ]
}

fn relay(lab: &Lab) -> Process {
    let mut relay = lab.start('b', "python3", &["-c", RELAY, SERVER[0], SERVER[1]]);
    await_line(&mut relay, "relaying");
    relay
}

#[test]
fn check_tells_every_box_for_what_it_is() {
    let Some(lab) = routed(RULES) else { return };
    let _servers = servers(&lab, "");
    let _relay = relay(&lab);
    let ports: Vec<u16> = VERDICTS.iter().map(|&(port, _)| port).collect();
    let found = check(&lab, &ports, "", false);
    assert_eq!(found.len(), 2 * ports.len());
    agree(&found, |port| VERDICTS.iter().find(|&&(known, _)| known == port).map(|&(_, verdict)| verdict));
    for family in 0..2 {
        let row = |port: u16| &found[&(family, port)];
        let is = |port: u16, expected: &[(&str, &str)]| {
            for (name, value) in expected {
                assert_eq!(
                    row(port)[*name],
                    *value,
                    "{}, port {port}: {name}\n{:?}",
                    CLIENT[family],
                    row(port)
                );
            }
        };
        is(
            80,
            &[
                ("local_addr", CLIENT[family]),
                ("interface", "tob"),
                ("local_sight", "packets"),
                ("server_sight", "packets"),
            ],
        );
        is(
            80,
            &[
                ("syn", "kept"),
                ("syn_ack", "kept"),
                ("data_c2s", "kept"),
                ("data_s2c", "kept"),
                ("end_to_end", "true"),
            ],
        );
        is(
            80,
            &[
                ("nat", "false"),
                ("syn_changes", ""),
                ("syn_ack_changes", ""),
                ("hops", "1"),
                ("hops_back", "1"),
            ],
        );
        is(
            80,
            &[("join", "joined"), ("kept", "true"), ("mptcp_tries", "1"), ("tcp_tries", "1"), ("error", "-")],
        );
        is(81, &[("syn", "padded"), ("kept", "false"), ("join", "-"), ("server_mptcp", "true")]);
        is(82, &[("syn", "kept"), ("syn_ack", "padded")]);
        is(
            83,
            &[
                ("mptcp", "timed_out"),
                ("tcp", "complete"),
                ("mptcp_tries", "2"),
                ("tcp_tries", "2"),
                ("server_sight", "-"),
            ],
        );
        // The box resets, being the next hop.
        is(84, &[("mptcp", "reset"), ("tcp", "complete"), ("reset_hops", "0")]);
        is(
            85,
            &[
                ("syn_changes", "mss"),
                ("mss_arrived", "1200"),
                ("syn_ack_changes", "mss"),
                ("mss_back_arrived", "1100"),
            ],
        );
        is(86, &[("syn_changes", "timestamps sack"), ("syn", "kept")]);
        is(87, &[("mptcp", "reset"), ("tcp", "reset")]);
        is(88, &[("mptcp", "timed_out"), ("tcp", "timed_out"), ("mptcp_tries", "1")]);
        is(89, &[("negotiated", "true"), ("syn", "kept"), ("syn_ack", "kept"), ("data_c2s", "padded")]);
        is(90, &[("mptcp", "stalled"), ("tcp", "complete"), ("negotiated", "true")]);
        is(91, &[("server_mptcp", "false"), ("syn", "kept"), ("server_sight", "packets")]);
        is(92, &[("negotiated", "true"), ("data_c2s", "padded")]);
        is(93, &[("negotiated", "false"), ("end_to_end", "false")]);
        is(94, &[("negotiated", "true"), ("kept", "true"), ("end_to_end", "false")]);
        is(95, &[("negotiated", "true"), ("kept", "true"), ("end_to_end", "false")]);
        let box_addr = ["10.78.0.1", "fd78::1"][family];
        is(96, &[("nat", "true"), ("seen_addr", box_addr), ("syn", "kept"), ("join", "joined")]);
        is(98, &[("join", "no_option")]);
        is(99, &[("join", "silent")]);
    }
}

#[test]
fn check_without_the_right_to_see_packets_tells_less_and_nothing_wrong() {
    let Some(lab) = routed(RULES) else { return };
    let _servers = servers(&lab, "blind");
    let _relay = relay(&lab);
    // Where the option got lost after the SYN, the system's word does not always say; nobody's fault is never called a box's, nor the reverse.
    let blind: &[(u16, &[&str])] = &[
        (83, &["dropped"]),
        (80, &["works"]),
        (81, &["stripped_syn"]),
        (82, &["stripped_syn_ack"]),
        (84, &["reset"]),
        (87, &["closed"]),
        (89, &["stripped_data"]),
        (90, &["stalled"]),
        // The system of this server keeps the SYN, so that its passage is known all the same.
        (91, &["server_without"]),
        (94, &["proxied"]),
        (95, &["proxied"]),
        (96, &["works"]),
    ];
    let ports: Vec<u16> = blind.iter().map(|&(port, _)| port).collect();
    let found = check(&lab, &ports, "blind", true);
    assert_eq!(found.len(), 2 * ports.len());
    for ((family, port), row) in &found {
        let (_, allowed) = blind.iter().find(|(known, _)| known == port).expect("known");
        assert!(allowed.contains(&row["verdict"].as_str()), "{} port {port}: {row:?}", CLIENT[*family]);
        assert_eq!((row["local_sight"].as_str(), row["join"].as_str()), ("system", "-"));
        if *port == 91 {
            assert_eq!((row["server_sight"].as_str(), row["syn"].as_str()), ("saved_syn", "kept"));
        }
    }
}

#[test]
fn check_with_the_right_at_one_end_tells_what_that_end_can_know() {
    let Some(lab) = routed(RULES) else { return };
    let expected = |port| {
        Some(match port {
            80 => "works",
            81 => "stripped_syn",
            82 => "stripped_syn_ack",
            _ => "stripped_data",
        })
    };
    for (server, client) in [("blind", ""), ("", "blind")] {
        let _server = serve(&lab, 'c', &format!("serve=80,81,82,89 {server}"));
        let found = check(&lab, &[80, 81, 82, 89], client, true);
        agree(&found, expected);
        for row in found.values() {
            let sights = if client.is_empty() { ("packets", "system") } else { ("system", "packets") };
            assert_eq!((row["local_sight"].as_str(), row["server_sight"].as_str()), sights);
        }
    }
}

/// What a box in the second of three routers does, what is to be found, and what the row has to say beside.
type Along = (Behaviour, &'static str, &'static [(&'static str, &'static str)]);

const ALONG: &[Along] = &[
    (Behaviour::Pass, "works", &[("hops", "3"), ("hops_back", "3"), ("join", "joined"), ("nat", "false")]),
    (Behaviour::Strip, "stripped_syn", &[("syn", "padded")]),
    (Behaviour::Shrink, "stripped_syn", &[("syn", "removed")]),
    (Behaviour::StripData, "stripped_data", &[("data_c2s", "padded")]),
    (Behaviour::StripSynAck, "stripped_syn_ack", &[("syn_ack", "padded")]),
    (Behaviour::ShrinkSynAck, "stripped_syn_ack", &[("syn_ack", "removed")]),
    (Behaviour::Drop, "dropped", &[("tcp", "complete")]),
    (Behaviour::Reset, "reset", &[("reset_hops", "1")]),
    (Behaviour::DropAll, "unreachable", &[]),
    (Behaviour::Mirror, "mirrored", &[("syn_ack", "mirrored")]),
    (Behaviour::MirrorMptcp, "mirrored", &[("syn", "padded"), ("syn_ack", "mirrored")]),
    (
        Behaviour::Sequence(false),
        "works",
        &[("syn_changes", "sequence"), ("end_to_end", "true"), ("join", "joined")],
    ),
    (Behaviour::Nat(false), "works", &[("nat", "true"), ("syn_changes", "")]),
    (Behaviour::Redirect(false), "works", &[("nat", "true"), ("syn_changes", "")]),
    (Behaviour::Mss, "works", &[("syn_changes", "mss"), ("mss_arrived", "1300"), ("syn_ack_changes", "mss")]),
    (Behaviour::NoTimestamps, "works", &[("syn_changes", "timestamps")]),
    (Behaviour::NoSack, "works", &[("syn_changes", "sack")]),
    (Behaviour::Reorder, "works", &[("syn_changes", "order")]),
    (Behaviour::Window, "works", &[("syn_changes", "window")]),
    (Behaviour::Duplicate, "works", &[("syn", "altered"), ("end_to_end", "true")]),
    (Behaviour::Dscp, "works", &[("syn_changes", ""), ("syn", "kept")]),
    // The ends expect other numbers than they get: they fall back in time, or wait for ever.
    (Behaviour::SwapKey, "altered|stalled", &[]),
    // Plain TCP fares no better.
    (Behaviour::Payload, "handshake_only", &[("tcp", "stalled"), ("syn_ack", "kept")]),
];

/// The paths of the chain for checks.
pub(crate) fn paths() -> Vec<Path> {
    let along = |&(behaviour, ..): &Along| Path::clean(3, Quote::Full).with(2, behaviour, Stage::After);
    ALONG.iter().map(along).collect()
}

#[test]
fn check_tells_what_boxes_among_routers_do() {
    let Some(chain) = Chain::new("check") else { return };
    let lab = &chain.lab;
    let _server = serve(lab, 'c', "serve=443");
    let mut wrong = Vec::new();
    for (number, (behaviour, verdict, beside)) in ALONG.iter().enumerate() {
        let arguments =
            [false, true].map(|v6| format!("server={}:443", host(&target(number as u16, v6).to_string())));
        for found in side_by_side(lab, &arguments) {
            assert_eq!(found.len(), 1);
            let row = &found[0];
            let is_right = verdict.split('|').any(|verdict| row["verdict"] == verdict);
            if !is_right || beside.iter().any(|(name, value)| row[*name] != *value) {
                wrong.push(format!(
                    "{behaviour:?}: {verdict} {beside:?} instead of {} {row:?}",
                    row["verdict"]
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Two ways to the server, of which one has a box that strips.
#[test]
fn check_goes_out_of_every_interface() {
    let Some(lab) = Lab::new(5) else { return };
    for (router, near, far) in [('b', 82, 83), ('d', 84, 85)] {
        lab.link('a', router);
        lab.link(router, 'c');
        for (namespace, end, v4, v6) in [
            ('a', format!("to{router}"), format!("10.{near}.0.1/24"), format!("fd{near}::1/64")),
            (router, "toa".to_owned(), format!("10.{near}.0.2/24"), format!("fd{near}::2/64")),
            (router, "toc".to_owned(), format!("10.{far}.0.1/24"), format!("fd{far}::1/64")),
            ('c', format!("to{router}"), format!("10.{far}.0.2/24"), format!("fd{far}::2/64")),
        ] {
            lab.ip(namespace, &format!("addr add {v4} dev {end}"));
            lab.ip(namespace, &format!("-6 addr add {v6} dev {end} nodad"));
        }
        lab.set(router, "net.ipv4.ip_forward=1");
        lab.set(router, "net.ipv6.conf.all.forwarding=1");
        // The server's own address is on neither network. The first router has the better route.
        lab.ip('a', &format!("route add 10.86.0.1/32 via 10.{near}.0.2 metric {near}"));
        lab.ip('a', &format!("-6 route add fd86::1/128 via fd{near}::2 metric {near}"));
        lab.ip(router, &format!("route add 10.86.0.1/32 via 10.{far}.0.2"));
        lab.ip(router, &format!("-6 route add fd86::1/128 via fd{far}::2"));
        // The second way is one that only a rule knows of.
        if router == 'd' {
            for (family, from, via) in [("-4", "10.87.0.1", "10.84.0.2"), ("-6", "fd87::1", "fd84::2")] {
                lab.ip('a', &format!("{family} addr add {from} dev tod"));
                lab.ip('a', &format!("{family} route add default via {via} table 87"));
                lab.ip('a', &format!("{family} rule add from {from} table 87"));
            }
            lab.ip('c', "route add 10.87.0.1 via 10.85.0.1");
            lab.ip('c', "-6 route add fd87::1 via fd85::1");
            lab.ip('d', "route add 10.87.0.1 via 10.84.0.1");
            lab.ip('d', "-6 route add fd87::1 via fd84::1");
        }
        lab.ip('c', &format!("route add 10.{near}.0.0/24 via 10.{far}.0.1"));
        lab.ip('c', &format!("-6 route add fd{near}::/64 via fd{far}::1"));
    }
    for (namespace, variable) in [('a', "all"), ('c', "all"), ('b', "all"), ('d', "all")] {
        lab.set(namespace, &format!("net.ipv4.conf.{variable}.rp_filter=0"));
    }
    lab.ip('c', "addr add 10.86.0.1/32 dev lo");
    lab.ip('c', "-6 addr add fd86::1/128 dev lo nodad");
    // A network from which no way leads to the server.
    lab.link('a', 'e');
    lab.ip('a', "addr add 172.31.0.1/16 dev toe");
    lab.ip('a', "-6 addr add fd31::1/64 dev toe nodad");
    let rules = "table inet box {\n chain forward {\n type filter hook forward priority 0; policy accept;\n\
        tcp flags & (syn|ack) == syn reset tcp option mptcp\n }\n}\n";
    if !lab.nft('d', rules) {
        return;
    }
    let _server = serve(&lab, 'c', "serve=443");
    let out = lab.folder.path().display();
    for host in ["10.86.0.1", "[fd86::1]"] {
        lab.complete('a', &format!("check server={host}:443 out={out}"));
    }
    let mut found: Vec<(String, String, String)> = rows(&lab, "checks.tsv")
        .into_iter()
        .map(|row| (row["local_addr"].clone(), row["interface"].clone(), row["verdict"].clone()))
        .collect();
    let expected = [
        ("10.82.0.1", "tob", "works"),
        ("10.84.0.1", "tod", "stripped_syn"),
        ("10.87.0.1", "tod", "stripped_syn"),
        ("fd82::1", "tob", "works"),
        ("fd84::1", "tod", "stripped_syn"),
        ("fd87::1", "tod", "stripped_syn"),
    ];
    found.sort();
    assert_eq!(
        found,
        expected.map(|(addr, interface, verdict)| (
            addr.to_owned(),
            interface.to_owned(),
            verdict.to_owned()
        ))
    );
}

#[test]
fn check_needs_no_rights() {
    let Some(lab) = routed("table inet none {\n}\n") else { return };
    let _server = serve(&lab, 'c', "serve=80");
    let own = std::env::current_exe().expect("the name of this program");
    let out = lab.folder.path().display().to_string();
    let role = format!("SUBFLOW_LAB_ROLE=check\nserver={}:80\nout={out}", SERVER[0]);
    let arguments = [
        "--reuid=65534",
        "--clear-groups",
        "--bounding-set=-all",
        "env",
        &role,
        own.to_str().expect("a name"),
        "role",
        "--exact",
        "--nocapture",
    ];
    // Nobody may write there.
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    std::fs::set_permissions(lab.folder.path(), open).expect("permissions");
    let mut client = lab.start('a', "setpriv", &arguments);
    let status = client.0.wait().expect("it ends");
    if !status.success() {
        let _ =
            writeln!(std::io::stderr(), "skipped: no setpriv, or one that nobody may run this program by");
        return;
    }
    let rows = rows(&lab, "checks.tsv");
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0]["verdict"].as_str(), rows[0]["local_sight"].as_str()), ("works", "system"));
    assert_eq!((rows[0]["server_sight"].as_str(), rows[0]["interface"].as_str()), ("packets", "tob"));
}

#[test]
fn check_does_not_blame_the_path_for_what_the_ends_leave_out() {
    let Some(lab) = routed(RULES) else { return };
    let servers = [serve(&lab, 'c', "serve=80,81,83")];
    // A patient client lets its kernel leave the option out after silence, which it then does for all connections.
    let found = check(&lab, &[83, 80], "connect=8", true);
    agree(&found, |port| if port == 83 { None } else { Some("not_sent") });
    assert_eq!(found[&(0, 83)]["verdict"], "dropped", "{:?}", found[&(0, 83)]);
    lab.set('a', "net.mptcp.blackhole_timeout=0");
    agree(&check(&lab, &[80], "", false), |_| Some("works"));
    lab.set('a', "net.mptcp.enabled=0");
    agree(&check(&lab, &[80, 87], "", false), |port| Some(if port == 80 { "not_sent" } else { "closed" }));
    lab.set('a', "net.mptcp.enabled=1");
    drop(servers);
    // A server that has none listens with plain TCP, and keeps the SYN.
    lab.set('c', "net.mptcp.enabled=0");
    let _server = serve(&lab, 'c', "serve=80,81 blind");
    agree(&check(&lab, &[80, 81], "", false), |port| {
        Some(if port == 80 { "server_without" } else { "stripped_syn" })
    });
}

#[test]
fn check_against_a_server_that_is_none_of_ours() {
    let Some(lab) = routed(RULES) else { return };
    let script = "import socket, sys, threading\n\
        def serve(l, say):\n\
        \x20   while True:\n\
        \x20       a, _ = l.accept()\n\
        \x20       a.recv(100)\n\
        \x20       if say: a.sendall(b'220 what do you want?\\r\\n')\n\
        \x20       threading.Timer(9, a.close).start()\n\
        for port, mptcp, say in ((80, True, True), (82, True, True), (85, False, True), (86, True, False)):\n\
        \x20   l = socket.socket(socket.AF_INET6, socket.SOCK_STREAM, 262 if mptcp else 0)\n\
        \x20   l.bind(('::', port))\n\
        \x20   l.listen(9)\n\
        \x20   threading.Thread(target=serve, args=(l, say), daemon=True).start()\n\
        print('listening', flush=True)\n\
        sys.stdin.read()\n";
    let mut server = lab.start('c', "python3", &["-c", script]);
    await_line(&mut server, "listening");
    let found = check(&lab, &[80, 82, 85, 86], "answer=1", false);
    agree(&found, |port| {
        Some(match port {
            80 => "works",
            // Padding in the SYN/ACK is a box's, whoever answers.
            82 => "stripped_syn_ack",
            85 => "fell_back",
            _ => "handshake_only",
        })
    });
    assert!(found.values().all(|row| row["server_sight"] == "-"));
}

/// A forwarder in user space takes options out whole or returns them.
#[test]
fn check_tells_boxes_that_leave_no_padding() {
    let Some(lab) = Lab::new(3) else { return };
    lab.link('a', 'b');
    lab.link('b', 'c');
    for (namespace, v4, v6) in
        [('a', "192.168.77.1/24", "fd77::1/64"), ('c', "192.168.77.2/24", "fd77::2/64")]
    {
        lab.ip(namespace, &format!("addr add {v4} dev tob"));
        lab.ip(namespace, &format!("-6 addr add {v6} dev tob nodad"));
    }
    for end in ["toa", "toc"] {
        lab.ip('b', &format!("link set {end} promisc on"));
    }
    lab.ip('a', "route add default via 192.168.77.2");
    lab.ip('a', "-6 route add default via fd77::2");
    lab.ip('c', "route add local 10.6.0.0/24 dev lo");
    lab.ip('c', "-6 route add local fd06::/120 dev lo");
    let mut forwarder = lab.role('b', "box toa toc");
    await_line(&mut forwarder, "forwarding");
    let _server = serve(&lab, 'c', "serve=80");
    // The last part of the address is the behaviour of the box.
    let expected = [
        (1, "works"),
        (5, "mirrored"),
        (6, "stripped_syn"),
        (7, "stripped_syn_ack"),
        (8, "stripped_syn_ack"),
        (9, "dropped"),
        (10, "reset"),
    ];
    let addresses = |part: u8| [format!("10.6.0.{part}"), format!("fd06::{part:x}")];
    let arguments: Vec<String> = expected
        .iter()
        .flat_map(|&(part, _)| addresses(part))
        .map(|addr| format!("server={}:80", host(&addr)))
        .collect();
    let rows: Vec<Columns> = side_by_side(&lab, &arguments).into_iter().flatten().collect();
    assert_eq!(rows.len(), 2 * expected.len());
    for (row, (part, verdict)) in rows.iter().zip(expected.iter().flat_map(|entry| [entry, entry])) {
        assert_eq!(row["verdict"], *verdict, "{part}: {row:?}");
    }
    assert_eq!(rows[8]["syn_ack"], "removed", "{:?}", rows[8]);
}
