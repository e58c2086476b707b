//! Packet hops per CPU-second of a random permutation on fat-trees, with acknowledgments through the network.
//!
//! Run with `cargo bench -p subflow-sim --bench permutation [-- k [tcp|dctcp|mptcp [milliseconds of simulated time [runs [dupack]]]]]`. Losses
//! are detected as hosts do today, by time (RACK), or with `dupack` by duplicate acknowledgments. All cases run in turn, five times unless said
//! otherwise, and of each the fastest run is told, since other processes (and, on shared machines, neighbours, for minutes on end) only ever take
//! from it; the median shows how much they took. CPU time and the largest resident size are those of the process itself, from /proc (Linux); the
//! largest size is that of all cases so far. The last word is a fingerprint of all that came out,
//! flow by flow and link by link: a change that is to make the simulator faster and nothing else leaves it as it is.

use subflow_sim::balance::{Ecmp, FlowTuple};
use subflow_sim::congestion::Algorithm;
use subflow_sim::net::{InterfaceId, LinkSettings};
use subflow_sim::random::{Purpose, Random};
use subflow_sim::topology::FatTree;
use subflow_sim::transport::LossDetection;
use subflow_sim::world::{FlowSpec, Transport, Ways, World};
use subflow_sim::{Duration, Network, Rate, Time, run};

/// Bytes on the wire of a full segment, about.
const PACKET: u64 = 1500;

/// One run: who, how many subflows (0: plain TCP).
#[derive(Clone)]
struct Case {
    name: &'static str,
    transport: Transport,
    subflows: u16,
    /// Buffer in packets, and threshold of marks.
    buffer: u64,
    mark: Option<u64>,
}

fn cases() -> Vec<Case> {
    vec![
        Case {
            name: "tcp",
            transport: Transport::datacenter(Algorithm::NewReno),
            subflows: 0,
            buffer: 100,
            mark: None,
        },
        Case {
            name: "dctcp",
            transport: Transport::datacenter(Algorithm::Dctcp),
            subflows: 0,
            buffer: 250,
            mark: Some(65 * PACKET),
        },
        Case {
            name: "mptcp-8",
            transport: Transport::datacenter(Algorithm::Lia).multipath(8),
            subflows: 8,
            buffer: 100,
            mark: None,
        },
    ]
}

/// CPU seconds of this process so far, in user mode and in the kernel.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_whitespace().collect();
    let ticks: u64 = fields.iter().skip(11).take(2).filter_map(|f| f.parse::<u64>().ok()).sum();
    ticks as f64 / 100.0
}

/// The largest resident size of this process so far, in MB.
fn peak_megabytes() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or("");
    line.split_whitespace().nth(1).and_then(|kb| kb.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}

fn permutation(hosts: u32, seed: u64) -> Vec<u32> {
    let mut random = Random::new(seed, Purpose::Workload);
    let mut to: Vec<u32> = (0..hosts).collect();
    loop {
        random.shuffle(&mut to);
        if to.iter().enumerate().all(|(from, &to)| from as u32 != to) {
            return to;
        }
    }
}

/// What one run took and carried.
struct Run {
    cpu: f64,
    hops: u64,
    delivered: u64,
    fingerprint: u64,
}

/// A number that changes with anything that was found (FNV-1a of all of it in writing).
fn fingerprint(net: &Network, world: &World) -> u64 {
    let outcomes = (0..world.flows() as u32).map(|flow| format!("{:?}", world.outcome(flow)));
    let links = net.snapshot().into_iter().map(|counters| format!("{counters:?}"));
    let bytes = |text: String| text.into_bytes();
    outcomes
        .chain(links)
        .flat_map(bytes)
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

fn measure(k: u32, case: &Case, milliseconds: u64, rate: Rate) -> Run {
    let link = LinkSettings::new(rate, Duration::from_micros(1)).buffer(case.buffer * PACKET);
    let link = match case.mark {
        Some(bytes) => link.mark(bytes),
        None => link,
    };
    let graph = FatTree::new(k, 1, &link).graph().expect("k fits");
    let mut net = Network::new(graph, 1);
    let ecmp = Ecmp::new(&net, 1, true, false);
    let mut world = World::new(vec![case.transport.clone()]);
    let hosts = k * k * k / 4;
    let mut random = Random::new(1, Purpose::Hashing);
    for (from, to) in permutation(hosts, 1).into_iter().enumerate() {
        let paths = (0..case.subflows.max(1)).map(|_| {
            let tuple = FlowTuple {
                from: InterfaceId(from as u32),
                to: InterfaceId(to),
                from_port: random.next_u32() as u16,
                to_port: 5001,
            };
            let there = ecmp.path(&mut net, tuple, 0).expect("connected");
            (there, ecmp.path(&mut net, tuple.reversed(), 0).expect("connected"))
        });
        let paths = paths.collect();
        world.add_flow(
            &mut net,
            FlowSpec { start: Time::ZERO, after: None, bytes: u64::MAX, class: 0, ways: Ways::Fixed(paths) },
        );
    }
    let begun = cpu_seconds();
    run(&mut net, &mut world, Time::ZERO + Duration::from_millis(milliseconds));
    let took = cpu_seconds() - begun;
    let delivered: u64 = (0..hosts).filter_map(|flow| world.outcome(flow)).map(|o| o.delivered).sum();
    Run { cpu: took, hops: net.hops(), delivered, fingerprint: fingerprint(&net, &world) }
}

/// A case on a fat-tree, and its runs so far.
struct Row {
    k: u32,
    case: Case,
    milliseconds: u64,
    runs: Vec<Run>,
    peak: f64,
}

impl Row {
    fn measure(&mut self, rate: Rate) {
        self.runs.push(measure(self.k, &self.case, self.milliseconds, rate));
        self.runs.sort_by(|a, b| a.cpu.total_cmp(&b.cpu));
        if self.runs.len() == 1 {
            self.peak = peak_megabytes();
        }
    }

    fn tell(&self, rate: Rate) {
        let Some(fastest) = self.runs.first() else { return };
        let Self { k, case, peak, .. } = self;
        let hosts = u64::from(k * k * k / 4);
        let most = rate.bytes_in(Duration::from_millis(self.milliseconds)) * hosts;
        let millions = fastest.hops as f64 / 1e6;
        let line = format!(
            "{:8} k={k:2} hosts={hosts:4} hops={millions:6.1} M cpu={:5.2} s  {:5.1} M hops/s (median {:4.1})  goodput {:4.1} %  peak {peak:5.1} MB  {:016x}\n",
            case.name,
            fastest.cpu,
            millions / fastest.cpu,
            millions / self.runs[self.runs.len() / 2].cpu,
            100.0 * fastest.delivered as f64 / most as f64,
            fastest.fingerprint,
        );
        std::io::Write::write_all(&mut std::io::stdout(), line.as_bytes()).expect("standard output takes it");
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let number = |i: usize| arguments.get(i).and_then(|a| a.parse::<u64>().ok());
    let ks: Vec<u32> = number(0).map_or(vec![8, 12, 16], |k| vec![k as u32]);
    let name = arguments.get(1).map(String::as_str).unwrap_or("");
    let by_time = !arguments.iter().any(|argument| argument == "dupack");
    let rate = Rate::from_gbps(10);
    let mut rows = Vec::new();
    for mut case in cases().into_iter().filter(|case| case.name.starts_with(name)) {
        if by_time {
            case.transport.sender.detection = LossDetection::Rack;
        }
        for &k in &ks {
            let usual = match k {
                8 => 60,
                12 => 25,
                _ => 12,
            };
            let milliseconds = number(2).unwrap_or(usual);
            rows.push(Row { k, case: case.clone(), milliseconds, runs: Vec::new(), peak: 0.0 });
        }
    }
    for _ in 0..number(3).unwrap_or(5).max(1) {
        rows.iter_mut().for_each(|row| row.measure(rate));
    }
    rows.iter().for_each(|row| row.tell(rate));
}
