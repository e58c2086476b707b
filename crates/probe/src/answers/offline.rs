//! The same judgement of a capture of anybody's scan: SYNs tell what was asked, and what comes back is held against them.

use std::net::IpAddr;
use std::path::PathBuf;

use hashbrown::HashMap;
use subflow_capture::{Input, Packet};
use subflow_wire::icmp::{Family, Message};
use subflow_wire::ip::{IpPacket, protocol};
use subflow_wire::tcp::{Tcp, TcpOption};
use subflow_wire::{Dissection, dissect};

use super::answer::{Answer, Meta};
use super::evidence::Evidence;
use super::read::Quoted;
use super::repeats::Repeats;
use crate::Error;
use crate::probes::{Asked, Kind, Kinds};
use crate::rows;
use crate::targets::Target;

/// A SYN that was seen.
#[derive(Clone, Copy, Debug)]
struct Sent {
    asked: Asked,
    time_ns: i64,
    clock: Option<u32>,
}

/// Source address and port, and where the SYN went.
type Flow = (IpAddr, u16, Target);

/// Probes and answers of a capture. Memory follows the probes in it.
#[derive(Debug)]
pub struct Offline {
    sent: HashMap<Flow, Sent, foldhash::fast::RandomState>,
    targets: HashMap<Target, (Kinds, Evidence), foldhash::fast::RandomState>,
    /// Targets in the order of their first probe.
    order: Vec<Target>,
    repeats: Repeats,
}

impl Default for Offline {
    fn default() -> Self {
        Self {
            sent: HashMap::default(),
            targets: HashMap::default(),
            order: Vec::new(),
            repeats: Repeats::new(20),
        }
    }
}

impl Offline {
    /// Takes one packet; an answer becomes a row.
    pub fn packet(&mut self, packet: &Packet<'_>) -> Option<rows::Probe> {
        let Dissection::Ip(ip) = dissect(packet.link, packet.data, packet.wire_len) else { return None };
        if ip.is_later_fragment() {
            return None;
        }
        match ip.protocol {
            protocol::TCP => self.tcp(&ip, packet.time_ns),
            protocol::ICMP => self.icmp(&ip, Family::V4, packet.time_ns),
            protocol::ICMPV6 => self.icmp(&ip, Family::V6, packet.time_ns),
            _ => None,
        }
    }

    /// The verdicts, in the order in which targets were first probed.
    pub fn verdicts(&self) -> impl Iterator<Item = rows::Target> {
        self.order.iter().filter_map(|target| {
            let (sent, evidence) = self.targets.get(target)?;
            Some(evidence.row(target, *sent))
        })
    }

    fn tcp(&mut self, ip: &IpPacket<'_>, time_ns: i64) -> Option<rows::Probe> {
        let tcp = Tcp::parse(ip.payload).ok()?;
        if let Some(asked) = Asked::by(&tcp) {
            let target = Target { addr: ip.dst, port: tcp.dst_port() };
            let clock = tcp.options().find_map(|option| match option {
                TcpOption::Timestamps { value, .. } => Some(value),
                _ => None,
            });
            let sent = Sent { asked, time_ns, clock };
            // A SYN that is sent again keeps its first time: which of them is answered cannot be told.
            self.sent
                .entry((ip.src, tcp.src_port(), target))
                .and_modify(|before| {
                    if before.asked != asked {
                        *before = sent;
                    }
                })
                .or_insert(sent);
            let order = &mut self.order;
            let (kinds, _) = self.targets.entry(target).or_insert_with(|| {
                order.push(target);
                (Kinds::NONE, Evidence::default())
            });
            *kinds = kinds.with(asked.kind);
            return None;
        }
        let target = Target { addr: ip.src, port: tcp.src_port() };
        let sent = self.sent.get(&(ip.dst, tcp.dst_port(), target))?;
        if tcp.ack() != sent.asked.seq.wrapping_add(1) || !tcp.flags().ack() {
            return None;
        }
        let meta = Meta {
            time_ns,
            target,
            src_addr: ip.dst,
            src_port: tcp.dst_port(),
            ttl: ip.hop_limit,
            rtt_micros: None,
        };
        // Where the timestamp comes back it is that of this very SYN, else the time is not known for sure.
        let rtt = |echo: Option<u32>| {
            micros(sent.time_ns, time_ns).filter(|_| echo.is_some() && echo == sent.clock)
        };
        let answer = Answer::of_tcp(&sent.asked, &tcp, meta, rtt)?;
        Some(self.take(&answer))
    }

    fn icmp(&mut self, ip: &IpPacket<'_>, family: Family, time_ns: i64) -> Option<rows::Probe> {
        let message = Message::parse(family, ip.payload)?;
        let quoted = Quoted::of(&message)?;
        let sent = self.sent.get(&(quoted.src, quoted.src_port, quoted.target))?;
        if quoted.seq != sent.asked.seq {
            return None;
        }
        let meta = Meta {
            time_ns,
            target: quoted.target,
            src_addr: quoted.src,
            src_port: quoted.src_port,
            ttl: ip.hop_limit,
            rtt_micros: micros(sent.time_ns, time_ns),
        };
        let answer = quoted.answer(&sent.asked, &message, ip.src, meta);
        Some(self.take(&answer))
    }

    fn take(&mut self, answer: &Answer<'_>) -> rows::Probe {
        let repeat = self.repeats.check(answer);
        if let Some((_, evidence)) = self.targets.get_mut(&answer.target) {
            evidence.add(answer, repeat);
        }
        answer.row(repeat)
    }
}

fn micros(sent_ns: i64, time_ns: i64) -> Option<u32> {
    u32::try_from((time_ns.checked_sub(sent_ns)?) / 1000).ok()
}

/// Reads captures of a scan: `probe` is called with each answer as it comes; the verdicts are returned.
///
/// Which kinds of probe a target was sent is read from the SYNs: kinds that are not in the capture are null in its row.
pub fn classify(paths: &[PathBuf], mut probe: impl FnMut(rows::Probe)) -> Result<Vec<rows::Target>, Error> {
    let mut input = Input::open(paths)?;
    let mut offline = Offline::default();
    while let Some(packet) = input.next_packet() {
        if let Some(row) = offline.packet(&packet) {
            probe(row);
        }
    }
    Ok(offline.verdicts().collect())
}

/// All kinds, for tests of the order in which they stand in arrays.
const _: () = assert!(Kind::Join as usize == 4);
