//! The figures of MPTCP connections, computed from tshark's fields byte by byte and with nothing of subflow.
//!
//! It is slow and keeps everything: every byte of a subflow, and every byte of data, has a place in an array.

use super::{End, Packet, packets::Mapping};
use std::collections::BTreeMap;

/// One direction of a subflow.
#[derive(Debug, Default)]
pub(crate) struct Half {
    pub(crate) packets: u64,
    /// Payload bytes.
    pub(crate) bytes: u64,
    /// Payload bytes, each subflow sequence number once.
    pub(crate) unique: u64,
    /// Packets that repeat some of them.
    pub(crate) repeating_packets: u64,
    /// Data-level bytes carried first by another subflow.
    pub(crate) reinjected: u64,
    isn: Option<u32>,
    /// Number of the packet, sequence number, length.
    segments: Vec<(usize, u32, u32)>,
    mappings: Vec<Mapping>,
}

/// A subflow: tshark's TCP stream.
#[derive(Debug)]
pub(crate) struct Subflow {
    /// Sender of its first packet, receiver of it.
    pub(crate) ends: [End; 2],
    /// From that sender, and to it.
    pub(crate) halves: [Half; 2],
    /// Which of them the connection's client is.
    pub(crate) client: usize,
    capable_syn: bool,
    syn_ack: bool,
    syn_ack_capable: bool,
    third_ack: bool,
    join_ack: bool,
    join: bool,
    token: Option<u32>,
}

impl Subflow {
    /// Whether its handshake was completed.
    pub(crate) fn established(&self) -> bool {
        if self.join { self.join_ack } else { self.syn_ack && self.third_ack }
    }
}

/// One side of a connection.
#[derive(Debug, Default)]
pub(crate) struct Side {
    pub(crate) key: Option<u64>,
    pub(crate) token: Option<u32>,
    pub(crate) idsn: Option<u64>,
    /// Data-level bytes that it sent, each once.
    pub(crate) data: u64,
    /// Those carried again by another subflow; every copy counts.
    pub(crate) reinjected: u64,
    /// Those carried again by the same subflow under new subflow sequence numbers.
    pub(crate) again: u64,
    /// Those that came after others with higher numbers.
    pub(crate) out_of_order: u64,
    /// Runs of packets on one subflow.
    pub(crate) blocks: u64,
}

/// A connection: tshark's MPTCP stream.
#[derive(Debug, Default)]
pub(crate) struct Connection {
    pub(crate) version: Option<u8>,
    /// Client and server.
    pub(crate) sides: [Side; 2],
    pub(crate) subflows: Vec<Subflow>,
    /// The SYN/ACK of the initial subflow came without MP_CAPABLE.
    pub(crate) fell_back: bool,
}

/// The connections of a capture by tshark's numbers.
pub(crate) fn connections(packets: &[Packet]) -> BTreeMap<u32, Connection> {
    // A stream belongs to the connection that any of its packets does.
    let mut owners = BTreeMap::new();
    for packet in packets {
        if let Some(owner) = packet.mptcp_stream {
            owners.insert(packet.stream, owner);
        }
    }
    let mut connections: BTreeMap<u32, Connection> = BTreeMap::new();
    let mut places: BTreeMap<u32, usize> = BTreeMap::new();
    for (number, packet) in packets.iter().enumerate() {
        let Some(owner) = owners.get(&packet.stream) else { continue };
        let connection = connections.entry(*owner).or_default();
        let place = *places.entry(packet.stream).or_insert_with(|| {
            connection.subflows.push(Subflow::begun_by(packet));
            connection.subflows.len() - 1
        });
        connection.take(place, number, packet);
    }
    connections.values_mut().for_each(Connection::settle);
    connections
}

impl Subflow {
    fn begun_by(packet: &Packet) -> Self {
        Self {
            ends: [packet.from.clone(), packet.to.clone()],
            halves: [Half::default(), Half::default()],
            client: 0,
            capable_syn: false,
            syn_ack: false,
            syn_ack_capable: false,
            third_ack: false,
            join_ack: false,
            join: false,
            token: None,
        }
    }
}

impl Connection {
    fn take(&mut self, place: usize, number: usize, packet: &Packet) {
        let subflow = &mut self.subflows[place];
        let from = usize::from(packet.from != subflow.ends[0]);
        let half = &mut subflow.halves[from];
        half.packets += 1;
        half.bytes += u64::from(packet.len);
        if packet.len > 0 {
            half.segments.push((number, packet.seq, packet.len));
        }
        half.mappings.extend(packet.mapping);
        if packet.syn() {
            half.isn.get_or_insert(packet.seq);
        }
        match (packet.syn(), packet.ack()) {
            (true, false) => {
                subflow.join |= packet.has(1);
                subflow.capable_syn |= packet.has(0);
                subflow.token = subflow.token.or(packet.receiver_token);
            }
            (true, true) => {
                subflow.syn_ack = true;
                subflow.syn_ack_capable |= packet.has(0);
            }
            _ => {
                subflow.third_ack |= from == 0 && subflow.syn_ack;
                subflow.join_ack |= from == 0 && packet.has(1);
            }
        }
        if packet.has(0) {
            self.version = self.version.or(packet.version);
            let side = &mut self.sides[from];
            side.key = side.key.or(packet.key);
            side.token = side.token.or(packet.token);
            side.idsn = side.idsn.or(packet.idsn);
        }
    }

    fn settle(&mut self) {
        self.fell_back = self.subflows.iter().any(|s| s.capable_syn && s.syn_ack && !s.syn_ack_capable);
        if self.sides.iter().all(|side| side.token.is_none()) {
            // Joins alone: their token is that of whom they join.
            self.sides[1].token = self.subflows.iter().find_map(|subflow| subflow.token);
        }
        for subflow in &mut self.subflows {
            // Who joins by the client's token is the server.
            subflow.client = usize::from(subflow.token.is_some() && subflow.token == self.sides[0].token);
        }
        for side in 0..2 {
            let mut carried = Vec::new();
            for (place, subflow) in self.subflows.iter_mut().enumerate() {
                let half = &mut subflow.halves[subflow.client ^ side];
                let idsn = self.sides[side].idsn;
                half.unroll(idsn, self.fell_back, |number, data| carried.push((number, place, data)));
            }
            carried.sort_by_key(|(number, ..)| *number);
            for (place, bytes) in self.sides[side].carry(&carried) {
                let subflow = &mut self.subflows[place];
                subflow.halves[subflow.client ^ side].reinjected += bytes;
            }
        }
    }
}

impl Half {
    /// Sequence number of the SYN.
    pub(crate) fn isn(&self) -> Option<u32> {
        self.isn
    }

    /// Goes through the segments; hands out the data-level places of the bytes that are new on this subflow.
    fn unroll(&mut self, idsn: Option<u64>, plain: bool, mut carries: impl FnMut(usize, Vec<u32>)) {
        let Some(isn) = self.isn else { return };
        let place = |seq: u32| seq.wrapping_sub(isn).wrapping_sub(1) as usize;
        let end = self.segments.iter().map(|&(_, seq, len)| place(seq) + len as usize).max().unwrap_or(0);
        assert!(end < 1 << 28, "a subflow too long for this test");
        let mut data: Vec<Option<u32>> = vec![None; end];
        for mapping in &self.mappings {
            let (start, at, len) = match (*mapping, idsn) {
                (Mapping::First(len), _) => (0, 0, len),
                (Mapping::Dss { dsn, long, subflow_seq, len }, Some(idsn)) => {
                    let offset = dsn.wrapping_sub(idsn).wrapping_sub(1);
                    let offset = if long { offset } else { offset & 0xffff_ffff };
                    (
                        subflow_seq.wrapping_sub(1) as usize,
                        u32::try_from(offset).expect("within the data"),
                        len,
                    )
                }
                _ => continue,
            };
            for (byte, at) in data.iter_mut().skip(start).take(usize::from(len)).zip(at..) {
                *byte = Some(at);
            }
        }
        let mut seen = vec![false; end];
        for &(number, seq, len) in &self.segments {
            let range = place(seq)..place(seq) + len as usize;
            let fresh: Vec<usize> = range.filter(|&byte| !std::mem::replace(&mut seen[byte], true)).collect();
            self.unique += fresh.len() as u64;
            self.repeating_packets += u64::from(fresh.len() < len as usize);
            let places = fresh.iter().filter_map(|&byte| match data[byte] {
                None if plain => u32::try_from(byte).ok(),
                mapped => mapped,
            });
            carries(number, places.collect());
        }
    }
}

impl Side {
    /// Goes through what the subflows carried in order of time; yields bytes carried again by subflow.
    fn carry(&mut self, carried: &[(usize, usize, Vec<u32>)]) -> Vec<(usize, u64)> {
        let end = carried.iter().flat_map(|(.., data)| data).max().map_or(0, |&last| last as usize + 1);
        assert!(end < 1 << 28, "a connection too long for this test");
        let mut holders: Vec<Option<usize>> = vec![None; end];
        let mut copies = Vec::new();
        let (mut highest, mut last) = (0, None);
        for (_, subflow, data) in carried.iter().filter(|(.., data)| !data.is_empty()) {
            self.blocks += u64::from(last.replace(subflow) != Some(subflow));
            let mut copied = 0;
            for byte in data.iter().map(|&byte| byte as usize) {
                match holders[byte] {
                    None => {
                        self.data += 1;
                        self.out_of_order += u64::from(byte < highest);
                        holders[byte] = Some(*subflow);
                    }
                    Some(first) if first == *subflow => self.again += 1,
                    Some(_) => copied += 1,
                }
            }
            highest = data.iter().map(|&byte| byte as usize + 1).fold(highest, usize::max);
            self.reinjected += copied;
            copies.push((*subflow, copied));
        }
        copies
    }
}
