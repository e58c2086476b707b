//! Packet hops per second of CPU time of the bare network: hosts of a fat-tree send in a permutation with fixed windows, and ACKs come back.
//!
//! `cargo run --release -p subflow-sim --example blast [K] [WINDOW] [MILLISECONDS] [SUBFLOWS]`

use std::io::Write;

use subflow_sim::balance::{Ecmp, FlowTuple};
use subflow_sim::net::{Endpoint, InterfaceId, LinkSettings, Network, Packet, PacketId, PathId, flags, run};
use subflow_sim::random::{Purpose, Random};
use subflow_sim::time::{Duration, Rate, Time};
use subflow_sim::topology::FatTree;

struct Flow {
    there: PathId,
    back: PathId,
    next: u64,
}

/// Answers every packet with an ACK, and every ACK with a packet.
struct Blast {
    flows: Vec<Flow>,
    window: u32,
    lost: u64,
}

impl Endpoint for Blast {
    fn start(&mut self, net: &mut Network, flow: u32) {
        let state = &mut self.flows[flow as usize];
        for _ in 0..self.window {
            let seq = state.next;
            state.next += 1448;
            let packet = Packet { subflow: flow, path: state.there, seq, len: 1448, ..Packet::default() };
            let id = net.alloc(packet);
            net.send(id);
        }
    }

    fn arrive(&mut self, net: &mut Network, id: PacketId) {
        let packet = net.packet_mut(id);
        let flow = &mut self.flows[packet.subflow as usize];
        packet.hop = 0;
        if packet.flags & flags::ACK == 0 {
            packet.flags = flags::ACK;
            packet.path = flow.back;
        } else {
            packet.flags = 0;
            packet.path = flow.there;
            packet.seq = flow.next;
            packet.len = 1448;
            flow.next += 1448;
        }
        net.send(id);
    }

    fn timer(&mut self, _: &mut Network, _: u32) {}

    fn dropped(
        &mut self,
        _: &mut Network,
        _: subflow_sim::net::LinkId,
        _: PacketId,
        _: subflow_sim::net::Why,
    ) {
        self.lost += 1;
    }
}

/// CPU time of this process in seconds, user and system, as the scheduler counts it.
fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let nanoseconds: f64 = text.split_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or(0.0);
    nanoseconds / 1e9
}

/// Peak resident memory in megabytes.
fn peak_megabytes() -> f64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|n| n.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}

fn main() {
    let arguments: Vec<u64> = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let argument = |n: usize, default| arguments.get(n).copied().unwrap_or(default);
    let (k, window, ms, subflows) = (argument(0, 8), argument(1, 30), argument(2, 20), argument(3, 1));
    let link = LinkSettings::new(Rate::from_gbps(10), Duration::from_micros(1)).buffer(1_000_000);
    let mut net = Network::new(FatTree::new(k as u32, 1, &link).graph().expect("a size"), 1);
    let ecmp = Ecmp::new(&net, 1, true, false);
    let hosts = net.graph().interfaces().len() as u32;
    let mut random = Random::new(1, Purpose::Workload);
    let mut to: Vec<u32> = (0..hosts).collect();
    random.shuffle(&mut to);
    let mut blast = Blast { flows: Vec::new(), window: window as u32, lost: 0 };
    for (from, to) in (0..hosts).zip(to) {
        for subflow in 0..subflows {
            let flow = FlowTuple {
                from: InterfaceId(from),
                to: InterfaceId(to),
                from_port: 40_000 + subflow as u16,
                to_port: 80,
            };
            let (there, back) = (ecmp.path(&mut net, flow, 0), ecmp.path(&mut net, flow.reversed(), 0));
            if let (Some(there), Some(back)) = (there, back) {
                net.set_start(Time(random.below(10_000_000)), blast.flows.len() as u32);
                blast.flows.push(Flow { there, back, next: 0 });
            }
        }
    }
    let before = cpu_seconds();
    run(&mut net, &mut blast, Time::ZERO + Duration::from_millis(ms));
    let seconds = cpu_seconds() - before;
    let hops = net.hops() as f64;
    let mut out = std::io::stdout().lock();
    let _ = writeln!(
        out,
        "k {k} window {window} subflows {subflows}: {hops} hops, {} packets, {} lost, {seconds:.3} CPU-s, {:.2} M hops/CPU-s, {:.1} MB",
        net.packets(),
        blast.lost,
        hops / seconds / 1e6,
        peak_megabytes()
    );
}
