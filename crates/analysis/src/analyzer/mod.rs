//! The analyser: packets in, rows out, in one pass.

mod adopt;
mod expire;
mod view;

use crate::{
    connection::{Connection, Counters, Subflow},
    duplicates::{Before, Copies, Print, Recent},
    flow::{FlowIndex, FlowKey, Slab},
    issues::{IssueTable, Oddity},
    options::Options,
    reassembly::{Reassembly, Whole},
    rows::{Direction, Issue, Sink},
    segment::Segment,
    traffic::{HostTable, TrafficTable},
};
use hashbrown::HashMap;
use subflow_capture::{Input, Packet};
use subflow_wire::{
    Dissection, IpPacket, dissect,
    tcp::{self, Tcp, TcpError},
};
pub use view::{OpenConnection, OpenSubflow, View};

/// IP protocol number of TCP.
const TCP: u8 = 6;
/// A flow without MPTCP options in so many packets is plain TCP.
const LOOKS: u16 = 64;
/// After a SYN without the option only so many more are looked at.
const LOOKS_AFTER_SYN: u16 = 4;
/// A copy of the SYN this long after the handshake, in nanoseconds, is none.
const LATEST_SYN: i64 = 10_000_000_000;
/// Packets between two looks for what has ended; more when there are many flows, so that looking stays cheap.
const FEWEST_BETWEEN_SWEEPS: usize = 32_768;
/// Connections that have closed are looked for once in so many nanoseconds: whoever watches a quiet line waits for their
/// rows.
const LONGEST_WAIT: i64 = 5_000_000_000;

/// What a flow turned out to be.
#[derive(Debug)]
enum Role {
    /// Plain TCP, as far as is known.
    Plain,
    /// A subflow seen on the other side of a NAT: every packet of it is a copy.
    Copy,
    /// A subflow of the connection with this number.
    Subflow {
        connection: u32,
        /// Direction of what side 0 of the key sends.
        low: Direction,
        subflow: Box<Subflow>,
    },
}

/// A TCP flow.
#[derive(Debug)]
struct Flow {
    key: FlowKey,
    role: Role,
    /// Packets and bytes by side of the key.
    counters: Counters,
    copies: Copies,
    last: i64,
    /// Side and sequence number of the SYN.
    opener: Option<(usize, u32)>,
    looks: u16,
    /// FIN seen from side 0, 1; RST seen.
    fins: [bool; 2],
    reset: bool,
}

impl Flow {
    fn new(key: FlowKey, time: i64) -> Self {
        Self {
            key,
            role: Role::Plain,
            counters: Counters::default(),
            copies: Copies::default(),
            last: time,
            opener: None,
            looks: 0,
            fins: [false; 2],
            reset: false,
        }
    }

    fn closed(&self) -> bool {
        self.reset || self.fins == [true; 2]
    }

    /// Whether both sides have spoken, or the handshake was not seen.
    fn answered(&self) -> bool {
        self.opener.is_none() || self.counters.packets.iter().all(|&packets| packets > 0)
    }

    /// Whether its handshake lies so far back that a SYN can only begin another connection.
    fn is_old(&self, now: i64) -> bool {
        match &self.role {
            Role::Subflow { subflow, .. } => subflow.confirm_time.is_some_and(|time| now - time > LATEST_SYN),
            _ => false,
        }
    }

    /// The port of the side that was connected to; without a SYN the lower port.
    fn service_port(&self) -> u16 {
        let (low, high) = (self.key.end(0).1, self.key.end(1).1);
        match self.opener {
            Some((0, _)) => high,
            Some(_) => low,
            None => low.min(high),
        }
    }
}

/// Rebuilds Multipath TCP connections from packets in time order and hands rows to a [`Sink`] as they become final.
///
/// One pass; memory follows the connections that are open, not the packets (tables `traffic` and `hosts` follow the
/// number of services and hosts).
#[derive(Debug)]
pub struct Analyzer<S> {
    options: Options,
    sink: S,
    flows: Slab<Flow>,
    index: FlowIndex,
    connections: Slab<Box<Connection>>,
    /// From tokens to the connection and the side that owns the token.
    tokens: HashMap<u32, (u32, Direction), foldhash::fast::RandomState>,
    next_id: u64,
    traffic: TrafficTable,
    hosts: HostTable,
    issues: IssueTable,
    reassembly: Reassembly,
    recent: Recent,
    packets: u64,
    /// Packets seen on the other side of a NAT, too.
    nat_copies: u64,
    events_lost: u64,
    since_sweep: usize,
    since_look: usize,
    last_look: i64,
}

impl<S: Sink> Analyzer<S> {
    /// An analyser that writes to `sink`.
    pub fn new(options: Options, sink: S) -> Self {
        Self {
            options,
            sink,
            flows: Slab::default(),
            index: FlowIndex::default(),
            connections: Slab::default(),
            tokens: HashMap::default(),
            next_id: 0,
            traffic: TrafficTable::default(),
            hosts: HostTable::default(),
            issues: IssueTable::default(),
            reassembly: Reassembly::default(),
            recent: Recent::default(),
            packets: 0,
            nat_copies: 0,
            events_lost: 0,
            since_sweep: 0,
            since_look: 0,
            last_look: 0,
        }
    }

    /// Connections begun so far.
    pub fn connections(&self) -> u64 {
        self.next_id
    }

    /// Packets taken so far.
    pub fn packets(&self) -> u64 {
        self.packets
    }

    /// Notes something about the input for table `issues`.
    pub fn issue(&mut self, issue: Issue) {
        self.issues.add(issue);
    }

    /// Notes what could not be read of an input (complete once it has been read to its end), and what its files are
    /// called.
    pub fn input_issues(&mut self, input: &Input) {
        self.issues.name_files(input.files().iter().map(|file| file.name.clone()));
        for issue in input.issues() {
            let file = usize::try_from(issue.file).ok().and_then(|index| input.files().get(index));
            self.issue(Issue {
                file: file.map_or_else(String::new, |file| file.name.clone()),
                offset: issue.offset,
                reason: issue.reason.to_string(),
                count: issue.count,
                lost: issue.reason.loses_data(),
            });
        }
    }

    /// Takes the next packet.
    pub fn packet(&mut self, packet: &Packet<'_>) {
        if !self.options.filter.takes_time(packet.time_ns) {
            return;
        }
        self.packets += 1;
        self.issues.at(packet.file, packet.frame);
        self.recent.at((packet.file, packet.interface));
        match dissect(packet.link, packet.data, packet.wire_len) {
            Dissection::Ip(ip) if ip.protocol != TCP => {}
            Dissection::Ip(ip) if ip.fragment.is_some() => {
                if let Some(whole) = self.reassembly.add(&ip, packet.time_ns, packet.frame) {
                    self.reassembled(&whole);
                }
                while let Some(first) = self.reassembly.give_up(packet.time_ns, false) {
                    self.reassembled(&first);
                }
            }
            Dissection::Ip(ip) => self.tcp(&ip, packet.time_ns, packet.frame),
            Dissection::NotIp => {}
            Dissection::UnknownLink(link) => self.issues.count(Oddity::UnknownLink(link)),
            Dissection::Malformed(malformed) => {
                self.issues.count(Oddity::Damaged(malformed.layer, malformed.reason));
            }
        }
    }

    /// A datagram that came in fragments.
    fn reassembled(&mut self, whole: &Whole) {
        let ip = IpPacket {
            src: whole.ends.0,
            dst: whole.ends.1,
            protocol: TCP,
            hop_limit: whole.hop_limit,
            traffic_class: 0,
            identification: whole.identification,
            total_len: whole.total_len,
            payload_len: whole.payload_len,
            payload: &whole.payload,
            header: &[],
            fragment: None,
        };
        self.tcp(&ip, whole.time, whole.frame);
    }

    fn tcp(&mut self, ip: &IpPacket<'_>, time: i64, frame: u64) {
        let tcp = match Tcp::parse(ip.payload) {
            Ok(tcp) => tcp,
            Err(error) => {
                self.headless(ip, error);
                return;
            }
        };
        if tcp.options_cut() {
            let beyond = tcp.header_len() as u32 > ip.payload_len;
            self.issues.count(if beyond { Oddity::OffsetBeyond } else { Oddity::OptionsCut });
        }
        let (key, side) = FlowKey::of(ip.src, tcp.src_port(), ip.dst, tcp.dst_port());
        let number = self.flow(key, side, &tcp, time);
        let Some(flow) = self.flows.get_mut(number) else { return };

        let segment = match flow.role {
            // Bare flows without a chance of MPTCP cost no walk through their options.
            Role::Copy => None,
            Role::Plain if flow.looks >= LOOKS => None,
            _ => Some(Segment::of(tcp, (ip.payload_len, ip.total_len), ip.hop_limit, time, frame)),
        };
        let print = Print {
            flow: (number, side),
            seq: tcp.seq(),
            ack: tcp.ack(),
            checksum: tcp.checksum(),
            flags: tcp.flags().0,
            window: tcp.window(),
            timestamp: segment.and_then(|segment| segment.timestamps).map_or(0, |(value, _)| value),
            len: ip.payload_len.saturating_sub(tcp.header_len() as u32),
            identification: ip.identification,
            hop_limit: ip.hop_limit,
        };
        if let Some(before) = self.recent.seen(&print, time, flow.copies) {
            flow.copies.note(before);
            self.issues.count(match before {
                Before::Here => Oddity::Copy,
                Before::Elsewhere => Oddity::FarCopy,
            });
            return;
        }
        flow.counters.packets[side] += 1;
        flow.counters.bytes[side] += u64::from(ip.total_len);
        flow.last = flow.last.max(time);
        let flags = tcp.flags();
        flow.fins[side] |= flags.fin();
        flow.reset |= flags.rst();
        if let Some(segment) = segment {
            if matches!(flow.role, Role::Plain) {
                let wasted = if flags.syn() && !flags.ack() { LOOKS - LOOKS_AFTER_SYN } else { 1 };
                if segment.has_mptcp() {
                    self.adopt(number, side, &segment);
                } else {
                    flow.looks = flow.looks.saturating_add(wasted);
                }
            }
            self.feed(number, side, &segment);
        }
        self.since_sweep += 1;
        self.since_look += 1;
        if self.since_sweep >= FEWEST_BETWEEN_SWEEPS.max(2 * self.flows.len()) {
            self.since_sweep = 0;
            self.sweep(time);
        } else if time.saturating_sub(self.last_look) > LONGEST_WAIT
            && self.since_look >= self.connections.numbers().len()
        {
            self.since_look = 0;
            self.last_look = time;
            self.end_closed(time);
        }
    }

    /// A TCP packet without a usable header is traffic all the same, unless it never had one.
    fn headless(&mut self, ip: &IpPacket<'_>, error: TcpError) {
        let ports = tcp::ports(ip.payload);
        let stump = ip.payload_len < tcp::HEADER_LEN as u32;
        let oddity = match error {
            TcpError::Short if stump => Oddity::Stump,
            TcpError::Short => Oddity::HeaderCut,
            TcpError::BadOffset => Oddity::BadOffset,
        };
        self.issues.count(oddity);
        if stump {
            return;
        }
        let filter = &self.options.filter;
        let (from, to) = ports.unwrap_or_default();
        if filter.takes_plain() && filter.takes_flow((ip.src, from), (ip.dst, to)) {
            let port = ports.map(|(from, to)| from.min(to));
            self.traffic.add(ip.src.is_ipv6(), false, port, 1, u64::from(ip.total_len));
        }
    }

    /// The flow of a packet: the one known by its key, unless that has ended and this begins another.
    fn flow(&mut self, key: FlowKey, side: usize, tcp: &Tcp<'_>, time: i64) -> u32 {
        let known = self.index.get(&key).filter(|&number| !self.expire(number, time));
        let flags = tcp.flags();
        let syn = flags.syn() && !flags.ack();
        if let Some(number) = known
            && let Some(flow) = self.flows.get_mut(number)
        {
            let reused = syn
                && match flow.opener {
                    Some((opener, isn)) => {
                        opener == side && (isn != tcp.seq() || flow.reset || flow.is_old(time))
                    }
                    None => true,
                };
            if !reused {
                return number;
            }
            self.displace(number, time);
        }
        let mut flow = Flow::new(key, time);
        if syn {
            flow.opener = Some((side, tcp.seq()));
        } else if flags.syn() {
            flow.opener = Some((1 - side, tcp.ack().wrapping_sub(1)));
        }
        let number = self.flows.insert(flow);
        self.index.set(key, number);
        number
    }

    /// Gives a segment to the connection of its flow.
    fn feed(&mut self, number: u32, side: usize, segment: &Segment<'_>) {
        let Some(Flow { role: Role::Subflow { connection, low, subflow }, .. }) = self.flows.get_mut(number)
        else {
            return;
        };
        let connection_number = *connection;
        let Some(connection) = self.connections.get_mut(connection_number) else { return };
        let direction = if side == 0 { *low } else { low.reverse() };
        connection.segment(subflow, direction, segment);
        if connection.new_tokens {
            connection.new_tokens = false;
            let tokens = connection.tokens;
            for (direction, token) in [Direction::C2s, Direction::S2c].into_iter().zip(tokens) {
                if let Some(token) = token {
                    self.learn_token(connection_number, direction, token);
                }
            }
        }
        let Some(connection) = self.connections.get_mut(connection_number) else { return };
        if let Some(detail) = &mut connection.detail {
            detail.drain((!connection.copy).then_some(&mut self.sink));
        }
        if connection.has_many_rows() {
            let ends = (connection.client, connection.server);
            let kept = !connection.copy
                && self.options.filter.takes_connection(connection.id)
                && self.options.filter.takes_flow(ends.0, ends.1);
            for row in connection.take_rows().filter(|_| kept) {
                self.sink.row(row);
            }
        }
    }
}
