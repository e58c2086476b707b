//! All TCP flows of a capture, each with what tells it again in another capture: keys, nonces, initial sequence numbers,
//! and a small sample of its packets.

use super::record::{End, Record, digest, record};
use std::collections::{BTreeMap, HashMap, HashSet};
use subflow_capture::Packet;
use subflow_wire::mptcp::{Join, Mptcp};
use subflow_wire::tcp::{Flags, Options, TcpOption};

/// Flows that are remembered of one capture; packets of further ones are passed over, and counted.
const MOST_FLOWS: usize = 200_000;
/// Packets of each direction of a flow that are sampled: those with the smallest digests, so that two captures of the same
/// packets sample the same ones.
const SAMPLE: usize = 16;

/// One end's packets of a flow.
#[derive(Debug, Default)]
pub(crate) struct Way {
    /// Initial sequence number, if its SYN is in the capture.
    pub(crate) isn: Option<u32>,
    /// Digest of key, token and nonce in the SYN or SYN/ACK.
    pub(crate) secret: Option<u64>,
    /// Timestamp of the SYN.
    stamp: Option<u32>,
    /// When the SYN was seen first, and how often it was.
    syn: Option<(i64, u32)>,
    /// Sampled packets by digest: when, and with which sequence number.
    pub(crate) sample: BTreeMap<u64, (i64, u32)>,
    /// Packets.
    pub(crate) packets: u64,
    /// Hop limit of the first packet.
    pub(crate) hop_limit: u8,
}

impl Way {
    fn take(&mut self, record: &Record) {
        if self.packets == 0 {
            self.hop_limit = record.hop_limit;
        }
        self.packets += 1;
        if record.has(Flags::SYN) {
            self.isn = Some(record.seq);
            self.stamp = record.stamps.map(|stamps| stamps.0);
            self.secret = secret(record);
            let (first, times) = self.syn.unwrap_or((record.time, 0));
            self.syn = Some((first, times + 1));
        }
        if record.span() > 0 && !record.has(Flags::RST) {
            self.sample(record);
        }
    }

    /// Keeps the packet if its digest is among the smallest. Options of MPTCP may be stripped on the way and are left out,
    /// unless nothing else tells packets apart.
    fn sample(&mut self, record: &Record) {
        if record.stamps.is_none() && record.head.is_none() {
            return;
        }
        let stamp = record.stamps.map(|stamps| stamps.0);
        let flags = record.flags & (Flags::SYN | Flags::FIN | Flags::ACK).0;
        let print = digest((record.len, flags, stamp, record.head.filter(|_| record.len > 0)));
        if self.sample.len() == SAMPLE {
            match self.sample.last_key_value() {
                Some((&last, _)) if print < last => drop(self.sample.pop_last()),
                _ => return,
            }
        }
        self.sample.entry(print).or_insert((record.time, record.seq));
    }
}

/// What MPTCP gives a handshake that no other one has.
fn secret(record: &Record) -> Option<u64> {
    Options::new(record.option_bytes()).mptcp().find_map(|option| match option {
        Mptcp::Capable(capable) => capable.sender_key.map(|key| digest(("key", key.0))),
        Mptcp::Join(Join::Syn { nonce, address_id, .. }) => Some(digest(("syn", nonce, address_id))),
        Mptcp::Join(Join::SynAck { nonce, hmac, .. }) => Some(digest(("synack", nonce, hmac))),
        _ => None,
    })
}

/// A TCP flow from its first packet to the SYN that uses its 4-tuple again.
#[derive(Debug)]
pub(crate) struct Flow {
    /// The ends: the sender of the first packet (of the SYN, if there is one), and the other.
    pub(crate) ends: [End; 2],
    /// First packet.
    pub(crate) start: i64,
    /// By sender, in the order of `ends`.
    pub(crate) ways: [Way; 2],
}

/// The flows of a capture.
#[derive(Debug, Default)]
pub(crate) struct Flows {
    pub(crate) flows: Vec<Flow>,
    by_ends: HashMap<(End, End), Vec<u32>>,
    /// First and last packet of the capture.
    pub(crate) span: Option<(i64, i64)>,
    /// Packets of flows beyond [`MOST_FLOWS`].
    pub(crate) passed_over: u64,
}

impl Flows {
    /// Takes a packet of the first reading.
    pub(crate) fn packet(&mut self, packet: &Packet<'_>) {
        let (first, _) = self.span.unwrap_or((packet.time_ns, packet.time_ns));
        self.span = Some((first.min(packet.time_ns), packet.time_ns));
        let Some((src, dst, record)) = record(packet) else { return };
        let (found, way) = match self.find(src, dst, record.time) {
            Some((found, way)) if !self.begins_anew(found, way, &record) => (found, way),
            _ if self.flows.len() >= MOST_FLOWS => {
                self.passed_over += 1;
                return;
            }
            _ => {
                // A SYN/ACK at the start of a capture comes from the end that was connected to.
                let answer = record.has(Flags::SYN) && record.has(Flags::ACK);
                let ends = if answer { [dst, src] } else { [src, dst] };
                let index = self.flows.len() as u32;
                let ways = [Way::default(), Way::default()];
                self.flows.push(Flow { ends, start: record.time, ways });
                self.by_ends.entry(key(src, dst)).or_default().push(index);
                (index, usize::from(answer))
            }
        };
        if let Some(flow) = self.flows.get_mut(found as usize) {
            flow.ways[way].take(&record);
        }
    }

    /// A SYN of an end whose SYN had another number: the 4-tuple is used again.
    fn begins_anew(&self, found: u32, way: usize, record: &Record) -> bool {
        let Some(flow) = self.flows.get(found as usize) else { return true };
        record.has(Flags::SYN)
            && !record.has(Flags::ACK)
            && match flow.ways[way].isn {
                Some(isn) => isn != record.seq,
                None => flow.ways[0].packets + flow.ways[1].packets > 0,
            }
    }

    /// The flow of a packet, and which end sent it.
    pub(crate) fn find(&self, src: End, dst: End, time: i64) -> Option<(u32, usize)> {
        let all = self.by_ends.get(&key(src, dst))?;
        // Few 4-tuples come back more than once or twice.
        let later = all.partition_point(|&index| self.start(index) <= time);
        let &index = all.get(later.saturating_sub(1))?;
        let flow = self.flows.get(index as usize)?;
        Some((index, usize::from(flow.ends[0] != src)))
    }

    fn start(&self, index: u32) -> i64 {
        self.flows.get(index as usize).map_or(i64::MAX, |flow| flow.start)
    }
}

/// The same key for both directions.
fn key(a: End, b: End) -> (End, End) {
    if a <= b { (a, b) } else { (b, a) }
}

/// Two flows that are one, seen in two captures. Ends are in the same order in both.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair {
    pub(crate) a: u32,
    pub(crate) b: u32,
    /// The first end of the one is the second of the other: neither capture has the SYN.
    pub(crate) crossed: bool,
}

/// Finds the flows of A in B.
pub(crate) fn pair(a: &Flows, b: &Flows, wanted: impl Fn(u32, u32) -> bool) -> Vec<Pair> {
    let mut prints: HashMap<u64, Vec<(u32, usize)>> = HashMap::new();
    for (index, flow) in b.flows.iter().enumerate() {
        for (way, print, _) in prints_of(flow) {
            prints.entry(print).or_default().push((index as u32, way));
        }
    }
    let mut candidates = Vec::new();
    for (index, flow) in a.flows.iter().enumerate() {
        let mut scores: BTreeMap<(u32, bool), u32> = BTreeMap::new();
        for (way, print, weight) in prints_of(flow) {
            // What half the flows share tells nothing.
            for &(other, other_way) in prints.get(&print).into_iter().flatten().take(64) {
                *scores.entry((other, way != other_way)).or_default() += weight;
            }
        }
        for ((other, crossed), score) in scores {
            if score >= ENOUGH && wanted(index as u32, other) {
                candidates.push((score, Pair { a: index as u32, b: other, crossed }));
            }
        }
    }
    candidates.sort_by_key(|&(score, pair)| (std::cmp::Reverse(score), pair.a, pair.b));
    let (mut used_a, mut used_b) = (HashSet::new(), HashSet::new());
    let mut pairs: Vec<Pair> = candidates
        .into_iter()
        .filter(|&(_, pair)| {
            if used_a.contains(&pair.a) || used_b.contains(&pair.b) {
                return false;
            }
            used_a.insert(pair.a) && used_b.insert(pair.b)
        })
        .map(|(_, pair)| pair)
        .collect();
    pairs.sort_by_key(|pair| (pair.a, pair.b));
    pairs
}

/// Score from which two flows are one.
const ENOUGH: u32 = 20;

/// Everything that tells a flow again: the end, a digest, and how much it counts for.
fn prints_of(flow: &Flow) -> impl Iterator<Item = (usize, u64, u32)> {
    flow.ways.iter().enumerate().flat_map(move |(way, end)| {
        let other = &flow.ways[1 - way];
        let secret = end.secret.map(|secret| (way, secret, 1000));
        let syn = end.isn.map(|isn| (way, digest(("isn", isn, end.stamp)), 100));
        // The answer to a SYN repeats its number, which a box may have rewritten in both.
        let place =
            end.isn.or(other.isn).map(|_| (way, digest(("ends", flow.ends[way], flow.ends[1 - way])), 15));
        let idle = (end.isn.is_none() && other.isn.is_none())
            .then(|| (way, digest(("ends", flow.ends[way], flow.ends[1 - way])), 15));
        let sampled = end.sample.keys().map(move |&print| (way, print, 10));
        secret.into_iter().chain(syn).chain(place).chain(idle).chain(sampled)
    })
}

/// How the two ends of a pair number their bytes: sequence number in B minus that in A.
pub(crate) fn shift(a: &Way, b: &Way) -> u32 {
    if let (Some(a), Some(b)) = (a.isn, b.isn) {
        return b.wrapping_sub(a);
    }
    let mut shifts: BTreeMap<u32, u32> = BTreeMap::new();
    for (print, &(_, seq)) in &a.sample {
        if let Some(&(_, other)) = b.sample.get(print) {
            *shifts.entry(other.wrapping_sub(seq)).or_default() += 1;
        }
    }
    shifts.into_iter().max_by_key(|&(shift, count)| (count, shift == 0)).map_or(0, |(shift, _)| shift)
}

/// Clock of B minus clock of A, give or take a one-way delay, by packets sampled in both captures; nothing when there are
/// none.
pub(crate) fn rough_offset(a: &Flows, b: &Flows, pairs: &[Pair]) -> Option<i64> {
    let mut gaps = Vec::new();
    for pair in pairs {
        let (Some(one), Some(other)) = (a.flows.get(pair.a as usize), b.flows.get(pair.b as usize)) else {
            continue;
        };
        for (way, end) in one.ways.iter().enumerate() {
            let twin = &other.ways[way ^ usize::from(pair.crossed)];
            for (print, &(time, _)) in &end.sample {
                if let Some(&(twin, _)) = twin.sample.get(print) {
                    gaps.push(twin.saturating_sub(time));
                }
            }
            // A SYN that was sent once is the same in both.
            if let (Some((time, 1)), Some((twin, 1))) = (end.syn, twin.syn) {
                gaps.push(twin.saturating_sub(time));
            }
        }
    }
    gaps.sort_unstable();
    gaps.get(gaps.len() / 2).copied()
}

/// The first value of the options that `option` picks.
pub(crate) fn option_of<T>(record: &Record, pick: impl FnMut(TcpOption<'_>) -> Option<T>) -> Option<T> {
    Options::new(record.option_bytes()).find_map(pick)
}
