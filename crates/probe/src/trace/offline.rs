//! The same comparison of a capture of probes: TCP segments tell what was sent with which hop limit, and what comes back is held
//! against them. Nothing secret is needed, so captures of other tools will do.

use std::net::IpAddr;
use std::path::PathBuf;

use hashbrown::HashMap;
use subflow_capture::{Input, Packet};
use subflow_wire::icmp::{Family, Message};
use subflow_wire::ip::{IpPacket, protocol};
use subflow_wire::tcp::{Tcp, TcpOption};
use subflow_wire::{Dissection, dissect};

use super::compare::{Quote, compare, mpls_labels};
use super::record::{Quoted, Run, Seen, Trace, asks, judge_answer};
use crate::Error;
use crate::rows::{Asks, HopAnswer};
use crate::targets::Target;

type Map<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

/// Source address and port, and where a probe went.
type Flow = (IpAddr, u16, Target);

/// A probe that was seen.
#[derive(Clone, Debug)]
struct Probe {
    time_ns: i64,
    src_addr: IpAddr,
    src_port: u16,
    asks: Asks,
    mptcp: bool,
    hop: u8,
    packet: Vec<u8>,
    tcp_at: usize,
    seen: Vec<Seen>,
}

impl Probe {
    fn tcp(&self) -> Option<Tcp<'_>> {
        Tcp::parse(self.packet.get(self.tcp_at..)?).ok()
    }
}

/// What one file shows of one target.
#[derive(Clone, Debug, Default)]
struct Side {
    probes: Vec<Probe>,
    rejected: u32,
    answers: u32,
    last_ns: i64,
}

/// Probes and answers of captures. Memory follows the probes in them.
#[derive(Debug, Default)]
pub struct Offline {
    sides: Map<(u32, IpAddr, Target), Side>,
    flows: Map<(u32, Flow), Vec<usize>>,
    /// Flows by the sequence numbers of their probes, for quotes whose addresses or ports were translated.
    numbers: Map<(u32, u32), Flow>,
    /// Targets in the order of their first probe.
    order: Vec<(IpAddr, Target)>,
    known: Map<(IpAddr, Target), ()>,
}

impl Offline {
    /// Takes one packet.
    pub fn packet(&mut self, packet: &Packet<'_>) {
        let Dissection::Ip(ip) = dissect(packet.link, packet.data, packet.wire_len) else { return };
        if ip.is_later_fragment() {
            return;
        }
        match ip.protocol {
            protocol::TCP => self.tcp(packet.file, &ip, packet.time_ns),
            protocol::ICMP => self.icmp(packet.file, &ip, Family::V4, packet.time_ns),
            protocol::ICMPV6 => self.icmp(packet.file, &ip, Family::V6, packet.time_ns),
            _ => {}
        }
    }

    fn tcp(&mut self, file: u32, ip: &IpPacket<'_>, time_ns: i64) {
        let Ok(tcp) = Tcp::parse(ip.payload) else { return };
        let back: Flow = (ip.dst, tcp.dst_port(), Target { addr: ip.src, port: tcp.src_port() });
        if self.flows.contains_key(&(file, back)) {
            self.answer(file, back, ip, &tcp, time_ns);
        } else if let Some(asks) = asks(&tcp).filter(|_| !ip.is_cut()) {
            let target = Target { addr: ip.dst, port: tcp.dst_port() };
            let flow: Flow = (ip.src, tcp.src_port(), target);
            // Data belongs to a probe's connection only where it has the option, or no connection was opened here.
            let mptcp = tcp.options().any(|option| option.kind() == subflow_wire::mptcp::KIND);
            if asks == Asks::Data && !mptcp {
                return;
            }
            self.probe(file, flow, ip, asks, mptcp, time_ns);
        }
    }

    fn probe(&mut self, file: u32, flow: Flow, ip: &IpPacket<'_>, asks: Asks, mptcp: bool, time_ns: i64) {
        let (src_addr, src_port, target) = flow;
        if self.known.insert((src_addr, target), ()).is_none() {
            self.order.push((src_addr, target));
        }
        if let Ok(tcp) = Tcp::parse(ip.payload) {
            self.numbers.insert((file, tcp.seq()), flow);
        }
        let side = self.sides.entry((file, src_addr, target)).or_default();
        let packet = [ip.header, ip.payload].concat();
        // A capture of all interfaces has a packet once for each that it passed.
        let again = |probe: &Probe| probe.packet == packet && time_ns - probe.time_ns < 1_000_000;
        if side.probes.last().is_some_and(again) {
            return;
        }
        let (hop, tcp_at) = (ip.hop_limit, ip.header.len());
        self.flows.entry((file, flow)).or_default().push(side.probes.len());
        side.last_ns = side.last_ns.max(time_ns);
        side.probes.push(Probe {
            time_ns,
            src_addr,
            src_port,
            asks,
            mptcp,
            hop,
            packet,
            tcp_at,
            seen: Vec::new(),
        });
    }

    /// A segment that comes back on the flow of a probe.
    fn answer(&mut self, file: u32, flow: Flow, ip: &IpPacket<'_>, tcp: &Tcp<'_>, time_ns: i64) {
        let (Some(numbers), Some(side)) =
            (self.flows.get(&(file, flow)), self.sides.get_mut(&(file, flow.0, flow.2)))
        else {
            return;
        };
        let flags = tcp.flags();
        let answer = match (flags.syn(), flags.ack(), flags.rst()) {
            (true, true, false) => HopAnswer::SynAck,
            (false, _, true) => HopAnswer::Reset,
            (false, true, false) => HopAnswer::Ack,
            _ => return,
        };
        let answers = |probe: &Probe| probe.tcp().is_some_and(|sent| belongs(&sent, probe, tcp, answer));
        let candidates: Vec<usize> = numbers
            .iter()
            .copied()
            .filter(|&number| {
                side.probes.get(number).is_some_and(|probe| probe.time_ns <= time_ns && answers(probe))
            })
            .collect();
        let echoed = timestamps(tcp).map(|(_, echo)| echo);
        let value = |number: &usize| {
            let probe = side.probes.get(*number)?;
            timestamps(&probe.tcp()?).map(|(value, _)| value)
        };
        let exact: Vec<usize> =
            candidates.iter().copied().filter(|number| echoed.is_some() && value(number) == echoed).collect();
        let unanswered =
            |number: &&usize| side.probes.get(**number).is_some_and(|probe| probe.seen.is_empty());
        let (number, sure) = match (exact.as_slice(), candidates.as_slice()) {
            (&[one], _) | (_, &[one]) => (one, true),
            // Which of several it answers cannot be told: the first that nothing answered yet.
            (_, all) => match all.iter().find(unanswered).or(all.first()) {
                Some(&first) => (first, false),
                None => {
                    // Whatever belongs to a connection may come; a SYN/ACK to nothing is stale or forged.
                    side.rejected += u32::from(answer == HopAnswer::SynAck);
                    return;
                }
            },
        };
        let Some(probe) = side.probes.get_mut(number) else { return };
        // A server repeats its SYN/ACK: only the first tells the time.
        if probe.seen.iter().any(|seen| seen.answer == answer) {
            return;
        }
        let finding = probe.tcp().and_then(|sent| judge_answer(&sent, answer, tcp));
        side.answers += 1;
        side.last_ns = side.last_ns.max(time_ns);
        let seen = Seen {
            sent_ns: probe.time_ns,
            time_ns: sure.then_some(time_ns),
            from: ip.src,
            answer,
            ttl: ip.hop_limit,
            icmp: None,
            quote: None,
            finding,
            options: Some(crate::answers::OptionBytes::new(tcp.option_bytes())),
            sent: probe.packet.clone(),
        };
        probe.seen.push(seen);
    }

    fn icmp(&mut self, file: u32, ip: &IpPacket<'_>, family: Family, time_ns: i64) {
        let Some(message) = Message::parse(family, ip.payload).filter(|message| message.mtu().is_none())
        else {
            return;
        };
        let Some(quoted) = message.quote().filter(|quoted| quoted.protocol == protocol::TCP) else { return };
        let Some(head) = quoted.payload.first_chunk::<8>() else { return };
        let port = |a: usize| u16::from_be_bytes([head[a], head[a + 1]]);
        let flow: Flow = (quoted.src, port(0), Target { addr: quoted.dst, port: port(2) });
        let seq = u32::from_be_bytes([head[4], head[5], head[6], head[7]]);
        let quote = Quote::of(&message);
        // The flow as it is quoted; else, where a box translated it, the one with this sequence number.
        let translated = || self.numbers.get(&(file, seq)).copied().filter(|flow| flow.0 == ip.dst);
        let flow = Some(flow).filter(|flow| self.flows.contains_key(&(file, *flow))).or_else(translated);
        let found =
            flow.and_then(|flow| Some(((file, flow.0, flow.2), self.flows.get(&(file, flow))?.clone())));
        let Some((key, numbers)) = found else { return };
        let Some(side) = self.sides.get_mut(&key) else { return };
        let matching = numbers.iter().filter_map(|&number| {
            let probe = side.probes.get(number).filter(|probe| probe.time_ns <= time_ns)?;
            let comparison = compare(&probe.packet, quote)?;
            let tcp = probe.tcp()?;
            // It has to repeat something that only this probe had.
            let same_id = ip.src.is_ipv4()
                && quoted.identification != 0
                && same_id(&probe.packet, quoted.identification);
            (tcp.seq() == seq || same_id).then_some((number, comparison))
        });
        let mut matching: Vec<_> = matching.collect();
        matching.sort_by_key(|(number, comparison)| (comparison.changes.len(), *number));
        let fewest = matching.first().map(|(_, comparison)| comparison.changes.len());
        let best = matching.iter().filter(|(_, comparison)| Some(comparison.changes.len()) == fewest).count();
        let unanswered = |number: usize| side.probes.get(number).is_some_and(|probe| probe.seen.is_empty());
        let place = matching.iter().take(best).position(|&(number, _)| unanswered(number)).unwrap_or(0);
        if matching.is_empty() {
            side.rejected += 1;
            return;
        }
        let (number, comparison) = matching.swap_remove(place);
        let Some(probe) = side.probes.get_mut(number) else { return };
        side.answers += 1;
        side.last_ns = side.last_ns.max(time_ns);
        let exceeded = message.is_time_exceeded();
        probe.seen.push(Seen {
            sent_ns: probe.time_ns,
            time_ns: (best == 1).then_some(time_ns),
            from: ip.src,
            answer: if exceeded { HopAnswer::TimeExceeded } else { HopAnswer::Unreachable },
            ttl: ip.hop_limit,
            icmp: Some((message.ty, message.code)),
            quote: Some(Quoted { comparison, extended: quote.extended, mpls: mpls_labels(&message) }),
            finding: (!exceeded).then_some(crate::rows::Finding::Icmp),
            options: None,
            sent: probe.packet.clone(),
        });
    }

    /// What was seen of each target, in the order of the first probes. Where several captures show probes of one target, that of
    /// the prober counts: it has the most of them, with the largest hop limits.
    pub fn traces(self) -> Vec<Trace> {
        let Self { mut sides, order, .. } = self;
        let mut files: Map<Target, (u32, (usize, Option<u8>))> = Map::default();
        for ((file, _, target), side) in &sides {
            let own = (side.probes.len(), side.probes.iter().map(|probe| probe.hop).max());
            let best = files.entry(*target).or_insert((*file, own));
            // Of two that show the same, the one that was named first.
            if own > best.1 || (own == best.1 && *file < best.0) {
                *best = (*file, own);
            }
        }
        let mut traces = Vec::new();
        for (src, target) in order {
            let file = files.get(&target).map(|(file, _)| *file);
            if let Some(side) = file.and_then(|file| sides.remove(&(file, src, target))) {
                traces.push(trace(target, side));
            }
        }
        traces
    }
}

/// Whether a segment can be the answer to a probe (RFC 9293, section 3.10.7).
fn belongs(sent: &Tcp<'_>, probe: &Probe, tcp: &Tcp<'_>, answer: HopAnswer) -> bool {
    let syn = sent.flags().syn();
    let next = sent.seq().wrapping_add(u32::from(syn)).wrapping_add(sent.payload().len() as u32);
    let acknowledges = tcp.flags().ack() && tcp.ack() == next;
    match answer {
        HopAnswer::SynAck => syn && tcp.flags().ack() && tcp.ack() == sent.seq().wrapping_add(1),
        HopAnswer::Reset => acknowledges || (!syn && tcp.seq() == sent.ack()),
        HopAnswer::Ack => probe.asks == Asks::Data && acknowledges,
        _ => false,
    }
}

fn timestamps(tcp: &Tcp<'_>) -> Option<(u32, u32)> {
    tcp.options().find_map(|option| match option {
        TcpOption::Timestamps { value, echo } => Some((value, echo)),
        _ => None,
    })
}

fn same_id(packet: &[u8], identification: u32) -> bool {
    packet.get(4..6).is_some_and(|id| u32::from(u16::from_be_bytes([id[0], id[1]])) == identification)
}

/// Puts the probes of one target into runs: one for each port that probes with several hop limits came from, or, where each probe
/// has a port of its own, one for all of them.
fn trace(target: Target, side: Side) -> Trace {
    let began = side.probes.first().map_or(0, |probe| probe.time_ns);
    let mut trace = Trace::new(target, began);
    trace.ended_ns = side.last_ns;
    (trace.rejected, trace.answers, trace.probes) = (side.rejected, side.answers, side.probes.len() as u32);
    let mut ports: Map<u16, (u8, bool)> = Map::default();
    for probe in &side.probes {
        let (first, many) = ports.entry(probe.src_port).or_insert((probe.hop, false));
        *many |= *first != probe.hop;
    }
    let many = |port: u16| ports.get(&port).is_some_and(|(_, many)| *many);
    let mut flows: Map<(Asks, Option<u16>), usize> = Map::default();
    let keys: Vec<(Asks, Option<u16>)> = side
        .probes
        .iter()
        .map(|probe| (probe.asks, many(probe.src_port).then_some(probe.src_port)))
        .collect();
    for (probe, key) in side.probes.into_iter().zip(keys) {
        let number = *flows.entry(key).or_insert_with(|| {
            let flow = trace.runs.iter().filter(|run| run.asks == probe.asks).count() as u32;
            trace.runs.push(Run {
                asks: probe.asks,
                mptcp: probe.mptcp,
                flow,
                round: 1,
                src_addr: probe.src_addr,
                src_port: probe.src_port,
                steps: Vec::new(),
            });
            trace.runs.len() - 1
        });
        let Some(run) = trace.runs.get_mut(number) else { continue };
        let step = run.step(probe.hop);
        step.probes += 1;
        step.last_ns = probe.time_ns;
        step.seen.extend(probe.seen);
    }
    trace
}

/// Reads captures of probes.
pub fn read(paths: &[PathBuf]) -> Result<Vec<Trace>, Error> {
    let mut input = Input::open(paths)?;
    let mut offline = Offline::default();
    while let Some(packet) = input.next_packet() {
        offline.packet(&packet);
    }
    Ok(offline.traces())
}
