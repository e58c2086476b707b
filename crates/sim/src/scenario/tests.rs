//! Scenarios that are right, and what is said of those that are not.

use super::*;
use crate::balance::{Policy, flowbender::Patience};
use crate::congestion::Algorithm;
use crate::net::LinkId;
use crate::random::{Purpose, Random};
use crate::transport::{EcnEcho, LossDetection};
use crate::workload::ENDLESS;
use proptest::prelude::*;

const SMALL: &str = r#"
name = "small"
duration = "1 s"
seeds = [3, 5]

[topology]
kind = "fat-tree"
k = 4
oversubscription = 2
rate = "10 Gb/s"
delay = "1 us"
mark = "65 packets"
fabric.buffer = "300 KB"

[workload]
kind = "poisson"
load = [0.2, 0.6]
sizes = "web-search"
arrive = "10 ms"

[transport]
congestion = "dctcp"
min_rto = "5 ms"

[[failure]]
between = ["agg0.1", "core3"]
at = "2 ms"

[[scheme]]
name = "ecmp"

[[scheme]]
name = "bend"
balance = { kind = "flowbender", rounds = 2, rounds_most = 4 }
transport.detection = "rack"

[[scheme]]
name = "mptcp"
transport = { congestion = "olia", ecn = false }
mptcp.subflows = 8
"#;

fn parse(text: &str) -> Result<Scenario, Error> {
    Scenario::parse(text, "x.toml", &mut |name| match name {
        "sizes.txt" => Ok("100 0.5\n200 1".to_owned()),
        "bad.txt" => Ok("100 0.5\n200 2".to_owned()),
        "flows.txt" => Ok("0 1 2 300".to_owned()),
        "radio.txt" => Ok("0 1e6 0.01\n1 2e6 0.02".to_owned()),
        _ => Err(io::Error::new(io::ErrorKind::NotFound, "no such file")),
    })
}

/// What is said when a part of [`SMALL`] is replaced.
fn wrong(from: &str, to: &str) -> String {
    assert!(SMALL.contains(from), "{from}");
    parse(&SMALL.replacen(from, to, 1)).expect_err("an error").to_string()
}

#[test]
fn everything_is_understood() {
    let it = parse(SMALL).unwrap();
    assert_eq!(
        (it.name.as_str(), it.seeds.as_slice(), it.loads.as_slice()),
        ("small", &[3, 5][..], &[0.2, 0.6][..])
    );
    assert_eq!(it.duration, Duration::from_secs(1));
    let Topology::FatTree(tree) = &it.topology else { panic!("no fat-tree") };
    assert_eq!((tree.k, tree.hosts, tree.up.mark, tree.up.buffer), (4, 4, Some(97_500), u64::MAX));
    assert_eq!((tree.fabric.buffer, tree.fabric.mark), (300_000, Some(97_500)));
    // 16 edge uplinks of 10 Gb/s for 32 hosts.
    assert_eq!(it.topology.capacity(true), Some(160e9));
    assert_eq!(it.topology.capacity(false), Some(320e9));
    let Workload::Poisson { capacity, .. } = &it.workload else { panic!("not Poisson") };
    assert_eq!(*capacity, 160e9);

    let [ecmp, bend, mptcp] = &it.schemes[..] else { panic!("not three") };
    assert_eq!(ecmp.balance, Balance { kind: BalanceKind::Hash(Policy::Fixed), salted: true, ttl: false });
    assert_eq!((ecmp.transport.algorithm, ecmp.transport.ecn), (Algorithm::Dctcp, true));
    assert_eq!(ecmp.transport.sender.rto.min, Duration::from_millis(5));
    assert_eq!(ecmp.transport.ack.ecn, EcnEcho::Exact);
    assert!(ecmp.transport.multipath.is_none());
    assert_eq!(it.schemes[2].transport.ack.ecn, EcnEcho::None);
    let BalanceKind::Hash(Policy::FlowBender(bender)) = &bend.balance.kind else { panic!("no FlowBender") };
    assert_eq!((bender.patience, bender.threshold), (Patience::Between(2, 4), 0.05));
    assert_eq!(bend.transport.sender.detection, LossDetection::Rack);
    assert_eq!(mptcp.transport.algorithm, Algorithm::Olia);
    assert_eq!(mptcp.transport.multipath.as_ref().map(|multipath| multipath.subflows), Some(8));
    assert_eq!(mptcp.transport.sender.rto.min, Duration::from_millis(5), "from [transport]");

    let graph = it.topology.graph().unwrap();
    let [there, back] = it.failures[0].links;
    assert_eq!(graph.link_name(there), "agg0.1 -> core3");
    assert_eq!(graph.link_name(back), "core3 -> agg0.1");
}

#[test]
fn errors_name_line_and_key_and_know_better() {
    let said = [
        ("k = 4", "kk = 4", "x.toml:6: topology.k: missing"),
        ("delay = ", "dealy = ", "x.toml:11: topology.dealy: unknown key; did you mean \"delay\"?"),
        (
            "kind = \"fat-tree\"",
            "kind = \"fattree\"",
            "x.toml:7: topology.kind: \"fattree\" is unknown; did you mean \"fat-tree\"?",
        ),
        ("10 Gb/s", "10 Gb", "x.toml:10: topology.rate: unit \"Gb\" is unknown; did you mean \"Gb/s\"?"),
        ("k = 4", "k = 5", "x.toml:7: topology.kind: k must be even, 2 to 64, not 5"),
        ("load = [0.2, 0.6]", "load = [0.2, 6]", "x.toml:17: workload.load: 6 is not between 0 and 1.5"),
        (
            "congestion = \"dctcp\"",
            "congestion = \"dctpc\"",
            "x.toml:22: transport.congestion: \"dctpc\" is unknown; did you mean \"dctcp\"?",
        ),
        (
            "rounds_most = 4",
            "rounds_most = 1",
            "x.toml:34: scheme[1].balance.rounds_most: 1 is below rounds, 2",
        ),
        ("min_rto", "min_rot", "x.toml:23: transport.min_rot: unknown key; did you mean \"min_rto\"?"),
        ("name = \"bend\"", "name = \"ecmp\"", "x.toml:33: scheme[1].name: \"ecmp\" is empty or there twice"),
        (
            "core3",
            "core9",
            "x.toml:26: failure[0].between: there is no node \"core9\"; did you mean \"core0\"?",
        ),
        (
            "core3",
            "edge1.0",
            "x.toml:26: failure[0].between: there is no cable between \"agg0.1\" and \"edge1.0\"",
        ),
        (
            "seeds = [3, 5]",
            "seeds = [3, 3]",
            "x.toml:4: seeds: there must be at least one seed, and none twice",
        ),
        ("[workload]", "[worklaod]", "x.toml: workload: missing"),
        (
            "sizes = \"web-search\"",
            "sizes_file = \"bad.txt\"",
            "x.toml:18: workload.sizes_file: bad.txt: line 2: share 2 is not between 0 and 1",
        ),
        (
            "sizes = \"web-search\"",
            "sizes_file = \"gone.txt\"",
            "x.toml:18: workload.sizes_file: gone.txt: no such file",
        ),
        (
            "sizes = \"web-search\"",
            "",
            "x.toml:15: workload.sizes: 0 of sizes, sizes_file and bytes are given; there must be one",
        ),
        ("ecn = false", "ecn = 1", "x.toml:39: scheme[2].transport.ecn: a integer instead of true or false"),
    ];
    for (from, to, expected) in said {
        assert_eq!(wrong(from, to), expected);
    }
    let capture = "[[capture]]\nhost = 0\nfile = \"a.pcapng\"\n[[failure]]";
    assert_eq!(
        wrong("[[failure]]", capture),
        "x.toml:25: capture: needs transport.handshake = true, which scheme \"ecmp\" has not"
    );
    assert_eq!(
        wrong("min_rto", "handshake = true\nmin_rto"),
        "x.toml:30: scheme: scheme \"bend\" has handshakes, which are simulated with ECMP and salts only"
    );
    let syntax = wrong("k = 4", "k = = 4");
    assert!(syntax.starts_with("x.toml:8: "), "{syntax}");
}

#[test]
fn files_are_read() {
    let it = parse(&SMALL.replace("sizes = \"web-search\"", "sizes_file = \"sizes.txt\"")).unwrap();
    let Workload::Poisson { sizes, .. } = &it.workload else { panic!("not Poisson") };
    assert_eq!(sizes.mean(), 100.0);
    let head = "name = 'a'\nduration = 1\n[topology]\nkind = 'phone'\n\
                wifi = { trace = 'radio.txt', buffer = '20 packets' }\n\
                cellular = { rate = '5 Mb/s', up.rate = '1 Mb/s' }\n";
    let it = parse(&format!(
        "{head}[workload]\nkind = 'flows'\nflow = [{{ from = 'phone', to = 1, bytes = 'endless' }}]"
    ))
    .unwrap();
    let Topology::Phone(phone) = &it.topology else { panic!("no phone") };
    assert_eq!(phone.wifi.0.trace.as_ref().map(|trace| trace.most()), Some(2_000_000));
    assert_eq!((phone.cellular.0.rate.bps(), phone.cellular.1.rate.bps()), (1_000_000, 5_000_000));
    assert_eq!(it.workload.flows(2, None, 1)[0].bytes, ENDLESS);
    let error =
        parse(&format!("{head}[workload]\nkind = 'replay'\nfile = 'flows.txt'")).unwrap_err().to_string();
    assert_eq!(
        error,
        "x.toml:9: workload.file: flows.txt: line 1: destination 2 is not among the 2 hosts 0 to 1"
    );
}

#[test]
fn a_network_of_ones_own() {
    let text = r#"
name = "own"
duration = "1 s"
seed_count = 4
[topology]
kind = "custom"
rate = "1 Gb/s"
delay = "1 ms"
switch = [{ name = "a" }, { name = "b", tier = 1 }]
link = [{ between = ["a", "b"], down.rate = "2 Gb/s" }]
[[topology.host]]
name = "x"
switch = "a"
[[topology.host]]
name = "y"
interface = [{ switch = "b", v4 = "10.9.8.7" }, { switch = "a", rate = "5 Mb/s" }]
[workload]
kind = "incast"
receiver = "y"
senders = 1
bytes = 1000
[[capture]]
host = "x"
file = "x.pcapng"
[[middlebox]]
between = ["a", "b"]
kind = "strip"
data = false
[transport]
handshake = true
"#;
    let it = parse(text).unwrap();
    assert_eq!(it.seeds, [1, 2, 3, 4]);
    assert_eq!(
        it.workload,
        Workload::Incast { receiver: 1, senders: 1, bytes: 1000, start: crate::Time::ZERO }
    );
    let graph = it.topology.graph().unwrap();
    assert_eq!(graph.interfaces().len(), 3);
    assert_eq!(graph.edges()[1].settings.rate.bps(), 2_000_000_000);
    assert_eq!(it.captures[0].place, CapturePlace::Host(0));
    let strip = BoxKind::Strip { syn: true, syn_ack: true, data: false };
    assert_eq!(it.middleboxes, [Middlebox { kind: strip, links: [LinkId(0), LinkId(1)] }]);
    assert_eq!(it.schemes[0].name, "ecmp");
}

#[test]
fn built_in_scenarios_are_right() {
    for builtin in BUILTINS {
        let it = builtin.scenario().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(it.name, builtin.name);
        assert!(it.description.len() > 80);
        let hosts = it.topology.graph().unwrap().hosts().count() as u32;
        let flows = it.workload.flows(hosts, it.loads.first().copied(), it.seeds[0]);
        assert!(!flows.is_empty() && flows.iter().all(|flow| flow.src < hosts && flow.dst < hosts));
    }
    assert_eq!(builtin("incast").map(|it| it.name), Some("incast"));
    assert_eq!(builtin("nothing"), None);
}

proptest! {
    /// Whatever is cut from a scenario or put into it, there is a scenario or an error.
    #[test]
    fn no_text_upsets_it(seed: u64) {
        let random = &mut Random::new(seed, Purpose::Workload);
        let mut text: Vec<char> = SMALL.chars().collect();
        for _ in 0..1 + random.below(4) {
            let at = random.below(text.len() as u64) as usize;
            let until = (at + random.below(12) as usize).min(text.len());
            let put: Vec<char> = match random.below(4) {
                0 => vec![],
                1 => "-1".chars().collect(),
                2 => "99999999999999999999".chars().collect(),
                _ => vec!['"'],
            };
            text.splice(at..until, put);
        }
        let text: String = text.into_iter().collect();
        if let Err(error) = parse(&text) {
            prop_assert!(error.to_string().starts_with("x.toml"));
        }
    }
}
