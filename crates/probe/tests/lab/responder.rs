//! A server of Multipath TCP in user space, version 0 or 1, without sockets, clocks and timers, and with faults to order; and boxes that
//! change packets on their way. It takes IP packets and yields IP packets; what is lost comes again because its client
//! repeats it.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

use subflow_wire::checksum::dss_checksum;
use subflow_wire::ip::{IpPacket, protocol, v4, v6};
use subflow_wire::keys::{Version, join_hmac, leftmost64};
use subflow_wire::mptcp::{AddAddr, Capable, Dsn, Dss, Fail, Join, Mapping, Mptcp, TcpRst};
use subflow_wire::tcp::{Flags, Header, Tcp, TcpOption};
use subflow_wire::{Dissection, Key, LinkType, dissect};

/// What a server does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Fault {
    /// Nothing wrong.
    None,
    /// It answers with one key and counts from another.
    WrongKey,
    /// Right in everything but the HMAC of a join, which is made from another key.
    WrongHmac,
    /// DATA_ACKs from another key than ours.
    WrongAck,
    /// DATA_ACKs for a byte more than was sent.
    BadAck,
    /// DATA_ACKs for nothing.
    NoAck,
    /// No option behind the SYN/ACK.
    NoSignal,
    /// Right DATA_ACKs, and data without mapping.
    Unmapped,
    /// MP_FAIL upon the first data.
    Fail,
    /// The infinite mapping with its first data.
    Infinite,
    /// Joins are reset.
    ResetJoins,
    /// Joins get no answer.
    IgnoreJoins,
    /// Joins are answered by plain TCP.
    PlainJoins,
    /// The third ACK of a join is reset.
    DropJoins,
    /// The third ACK of a join gets no answer.
    MuteJoins,
    /// Flag C.
    ForbidJoins,
    /// It answers the first data, whatever it is, ends, and takes no join from then on.
    Eager,
    /// It knows no hash: its DATA_ACKs follow our mappings, its data sequence numbers our DATA_ACKs.
    Copy,
    /// It never answers with data.
    Silent,
    /// The same, and joins are reset.
    SilentAlone,
    /// It returns every option of Multipath TCP as it came.
    Mirror,
    /// A proper SYN/ACK; every later option comes back as it was sent.
    MirrorData,
    /// A proper first subflow; an MP_JOIN comes back as it was sent.
    MirrorJoin,
    /// The SYN/ACK speaks another version.
    OtherVersion,
    /// SYNs are answered, and nothing else.
    Mute,
    /// SYNs are answered, and data is reset.
    ResetData,
    /// Plain TCP.
    Plain,
    /// Segments with the option that are no SYN vanish; plain ones are answered.
    Block,
    /// SYNs with the option vanish.
    DropSyn,
    /// SYNs with the option are reset.
    ResetSyn,
    /// Everything is reset.
    Closed,
    /// Nothing is answered.
    Dead,
    /// Wrong DSS checksums on data.
    BadChecksum,
}

/// A connection at the data level.
#[derive(Debug)]
struct Connection {
    client: Key,
    /// The key that was shown and the one that is used.
    shown: Key,
    used: Key,
    token: u32,
    checksum: bool,
    /// Next byte expected and next byte sent.
    rcv: u64,
    snd: u64,
    request: Vec<u8>,
    answered: bool,
}

/// A subflow.
#[derive(Debug)]
struct Subflow {
    connection: Option<usize>,
    iss: u32,
    irs: u32,
    rcv: u32,
    snd: u32,
    clock: Option<u32>,
    /// Random numbers of a join: theirs and ours.
    join: Option<(u32, u32)>,
    proven: bool,
    fin: bool,
    plain_request: Vec<u8>,
}

/// What a server knows.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    subflows: HashMap<(SocketAddr, SocketAddr), Subflow>,
    connections: Vec<Connection>,
}

/// A server.
#[derive(Debug)]
pub(crate) struct Responder {
    pub(crate) version: Version,
    pub(crate) fault: Fault,
    pub(crate) checksum: bool,
    pub(crate) announce: Option<IpAddr>,
    /// Length of its answer.
    pub(crate) answer: usize,
    /// Whether it panics when its client breaks the rules.
    pub(crate) strict: bool,
    /// What it knows.
    pub(crate) memory: Memory,
    /// Joins whose HMAC was right, and wrong.
    pub(crate) joins: [u32; 2],
}

fn hash(mut x: u64) -> u64 {
    x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ x >> 31
}

/// An IP packet with a segment in it.
pub(crate) fn packet(
    (src, dst): (SocketAddr, SocketAddr),
    (seq, ack): (u32, u32),
    flags: Flags,
    options: &[TcpOption<'_>],
    payload: &[u8],
) -> Vec<u8> {
    let header =
        Header { src_port: src.port(), dst_port: dst.port(), seq, ack, flags, window: 60_000, urgent: 0 };
    let mut out = vec![0; 100 + payload.len()];
    let len = Header::segment_len(options, payload);
    let at = ip_header(src.ip(), dst.ip(), protocol::TCP, len, &mut out);
    header.emit(src.ip(), dst.ip(), options, payload, &mut out[at..]).expect("options that fit");
    out.truncate(at + len);
    out
}

/// Writes an IP header; its length.
fn ip_header(src: IpAddr, dst: IpAddr, number: u8, len: usize, out: &mut [u8]) -> usize {
    match (src, dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => {
            v4::Header { identification: 7, ..v4::Header::new(src, dst, number) }.emit(len, out)
        }
        (IpAddr::V6(src), IpAddr::V6(dst)) => v6::Header::new(src, dst, number).emit(len, out),
        _ => panic!("mixed families"),
    }
    .expect("room")
}

/// The segment in an IP packet.
pub(crate) fn read(bytes: &[u8]) -> Option<(IpPacket<'_>, Tcp<'_>)> {
    let Dissection::Ip(ip) = dissect(LinkType::RAW, bytes, bytes.len() as u32) else { return None };
    if ip.protocol != protocol::TCP {
        return None;
    }
    let tcp = Tcp::parse(ip.payload).ok()?;
    Some((ip, tcp))
}

fn clock(tcp: &Tcp<'_>) -> Option<u32> {
    tcp.options().find_map(|option| match option {
        TcpOption::Timestamps { value, .. } => Some(value),
        _ => None,
    })
}

impl Responder {
    pub(crate) fn new(version: Version, fault: Fault) -> Self {
        Self {
            version,
            fault,
            checksum: false,
            announce: None,
            answer: 300,
            strict: true,
            memory: Memory::default(),
            joins: [0; 2],
        }
    }

    /// What it answers to a packet.
    pub(crate) fn packet(&mut self, bytes: &[u8]) -> Vec<Vec<u8>> {
        let Some((ip, tcp)) = read(bytes) else { return vec![] };
        let client = SocketAddr::new(ip.src, tcp.src_port());
        let server = SocketAddr::new(ip.dst, tcp.dst_port());
        let flags = tcp.flags();
        let ends = (client, server);
        if self.strict {
            // There is room for an answer. The unit is 128 bytes behind the SYN.
            assert!(flags.rst() || tcp.window() >= 100, "window {}", tcp.window());
            let right = subflow_wire::checksum::transport(ip.src, ip.dst, protocol::TCP, ip.payload);
            assert_eq!(right, 0, "checksum of a segment");
        }
        let has_option = tcp.options().first_mptcp().is_some();
        match self.fault {
            Fault::Dead => return vec![],
            Fault::DropSyn if flags.syn() && has_option => return vec![],
            Fault::Block if !flags.syn() && has_option => return vec![],
            Fault::Closed => return refuse(ends, &tcp, &[]),
            Fault::ResetSyn if flags.syn() && has_option => return refuse(ends, &tcp, &[]),
            _ => {}
        }
        if flags.rst() {
            self.memory.subflows.remove(&ends);
            return vec![];
        }
        if flags.syn() {
            return self.syn(ends, &tcp);
        }
        self.segment(ends, &tcp)
    }

    fn syn(&mut self, ends: (SocketAddr, SocketAddr), tcp: &Tcp<'_>) -> Vec<Vec<u8>> {
        let (client, server) = ends;
        let seed = hash(u64::from(client.port()) << 32 ^ u64::from(tcp.seq())) ^ hash(server.port().into());
        let mut options = vec![TcpOption::MaxSegmentSize(1400), TcpOption::SackPermitted];
        let clock = clock(tcp);
        if let Some(echo) = clock {
            options.push(TcpOption::Timestamps { value: 7, echo });
        }
        let mut subflow = Subflow {
            connection: None,
            iss: seed as u32,
            irs: tcp.seq(),
            rcv: tcp.seq().wrapping_add(1),
            snd: (seed as u32).wrapping_add(1),
            clock,
            join: None,
            proven: false,
            fin: false,
            plain_request: Vec::new(),
        };
        let asked: Vec<Mptcp<'_>> = tcp.options().mptcp().collect();
        if self.fault == Fault::Mirror {
            options.extend(asked.iter().copied().map(TcpOption::Mptcp));
        } else if self.fault != Fault::Plain {
            match asked.first() {
                Some(Mptcp::Capable(capable)) if capable.version == u8::from(self.version) => {
                    options.push(TcpOption::Mptcp(Mptcp::Capable(self.capable(capable, seed, &mut subflow))));
                }
                Some(&Mptcp::Join(Join::Syn { token, nonce, .. })) => {
                    match self.join(token, nonce, seed, &mut subflow) {
                        Joined::Answer(join) => {
                            let echoed = Mptcp::Join(Join::Syn {
                                backup: false,
                                address_id: 0,
                                token,
                                nonce,
                                reserved: 0,
                            });
                            let mirror = self.fault == Fault::MirrorJoin;
                            options.push(TcpOption::Mptcp(if mirror { echoed } else { join }));
                        }
                        Joined::Plain => {}
                        Joined::Silence => return vec![],
                        Joined::Refusal => {
                            let reason = TcpOption::Mptcp(Mptcp::TcpRst(TcpRst { flags: 0, reason: 3 }));
                            let known = self.version == Version::V1;
                            return refuse(
                                ends,
                                tcp,
                                if known { std::slice::from_ref(&reason) } else { &[] },
                            );
                        }
                    }
                }
                _ => {}
            }
        }
        let numbers = (subflow.iss, subflow.rcv);
        self.memory.subflows.insert(ends, subflow);
        vec![packet((server, client), numbers, Flags::SYN | Flags::ACK, &options, &[])]
    }

    fn capable(&mut self, asked: &Capable, seed: u64, subflow: &mut Subflow) -> Capable {
        let shown = Key(hash(seed));
        let used = if self.fault == Fault::WrongKey { Key(!shown.0) } else { shown };
        let checksum = self.checksum || asked.checksum_required();
        subflow.connection = Some(self.memory.connections.len());
        self.memory.connections.push(Connection {
            client: asked.sender_key.unwrap_or(Key(0)),
            shown,
            used,
            token: used.token(self.version),
            checksum,
            rcv: asked.sender_key.map_or(0, |key| key.idsn(self.version).wrapping_add(1)),
            snd: if self.fault == Fault::Copy { 1 } else { used.idsn(self.version).wrapping_add(1) },
            request: Vec::new(),
            answered: false,
        });
        let mut flags = Capable::HMAC;
        if checksum {
            flags |= Capable::CHECKSUM_REQUIRED;
        }
        if self.fault == Fault::ForbidJoins {
            flags |= Capable::DENY_JOIN;
        }
        let mut version = u8::from(self.version);
        if self.fault == Fault::OtherVersion {
            version ^= 1;
        }
        Capable {
            version,
            flags,
            sender_key: Some(shown),
            receiver_key: None,
            data_len: None,
            checksum: None,
        }
    }

    fn join(&mut self, token: u32, nonce: u32, seed: u64, subflow: &mut Subflow) -> Joined {
        let found = self.memory.connections.iter().position(|connection| connection.token == token);
        let Some(at) = found else { return Joined::Refusal };
        match self.fault {
            Fault::Eager if self.memory.connections[at].answered => return Joined::Refusal,
            Fault::ResetJoins | Fault::SilentAlone | Fault::Copy => return Joined::Refusal,
            Fault::IgnoreJoins => return Joined::Silence,
            Fault::PlainJoins => return Joined::Plain,
            _ => {}
        }
        let connection = &self.memory.connections[at];
        let ours = hash(seed) as u32;
        let key = if self.fault == Fault::WrongHmac { Key(!connection.used.0) } else { connection.used };
        let hmac = join_hmac(self.version, key, connection.client, ours, nonce);
        subflow.connection = Some(at);
        subflow.join = Some((nonce, ours));
        Joined::Answer(Mptcp::Join(Join::SynAck {
            backup: false,
            address_id: 0,
            hmac: leftmost64(&hmac),
            nonce: ours,
            reserved: 0,
        }))
    }

    fn segment(&mut self, ends: (SocketAddr, SocketAddr), tcp: &Tcp<'_>) -> Vec<Vec<u8>> {
        let (client, server) = ends;
        let Some(subflow) = self.memory.subflows.get_mut(&ends) else {
            return vec![packet((server, client), (tcp.ack(), 0), Flags::RST, &[], &[])];
        };
        let payload = tcp.payload();
        if self.fault == Fault::Mute {
            return vec![];
        }
        if self.fault == Fault::ResetData && !payload.is_empty() {
            return refuse(ends, tcp, &[]);
        }
        subflow.clock = clock(tcp).or(subflow.clock);
        let ours: Vec<Mptcp<'_>> = tcp.options().mptcp().collect();
        let is_new = tcp.seq() == subflow.rcv;
        let relative = subflow.rcv.wrapping_sub(subflow.irs);
        if is_new {
            subflow.rcv = subflow.rcv.wrapping_add(payload.len() as u32);
        }
        let mut fin = false;
        if is_new && tcp.flags().fin() {
            subflow.rcv = subflow.rcv.wrapping_add(1);
            fin = !subflow.fin;
            subflow.fin = true;
        }
        let Some(at) = subflow.connection else {
            if is_new {
                subflow.plain_request.extend(payload);
            }
            let complete = subflow.plain_request.ends_with(b"\r\n\r\n");
            let answer = if is_new && complete && !payload.is_empty() && self.fault != Fault::Silent {
                answer_of(self.answer)
            } else {
                Vec::new()
            };
            let mirrored: Vec<TcpOption<'_>> = match self.fault {
                Fault::Mirror => ours.iter().copied().map(TcpOption::Mptcp).collect(),
                _ => Vec::new(),
            };
            return emit(subflow, ends, &mirrored, &answer, fin, !payload.is_empty() || fin);
        };
        let connection = &mut self.memory.connections[at];
        let version = self.version;
        let mut out = Vec::new();
        let mut data_fin = false;
        let mut has_signal = false;
        for option in &ours {
            match *option {
                Mptcp::Capable(capable) => {
                    has_signal = true;
                    connection.client = capable.sender_key.unwrap_or(connection.client);
                    if connection.rcv == 0 {
                        connection.rcv = connection.client.idsn(version).wrapping_add(1);
                    }
                    if is_new && !payload.is_empty() {
                        if self.strict {
                            let right = dss_checksum(connection.rcv, 1, payload.len() as u16, payload);
                            assert_eq!(capable.checksum, connection.checksum.then_some(right), "checksum");
                            assert_eq!(capable.receiver_key, Some(connection.shown), "our key comes back");
                        }
                        connection.rcv = connection.rcv.wrapping_add(payload.len() as u64);
                        connection.request.extend(payload);
                    }
                }
                Mptcp::Dss(dss) => {
                    has_signal = true;
                    if let (Fault::Copy, Some(ack)) = (self.fault, dss.data_ack) {
                        connection.snd = ack.widen(0);
                    }
                    if let Some(mapping) = dss.mapping {
                        if self.fault == Fault::Copy {
                            connection.rcv = mapping.dsn.widen(0);
                        }
                        let dsn = mapping.dsn.widen(connection.rcv);
                        let bytes = dss.mapped_bytes();
                        if self.strict {
                            assert_eq!(usize::from(bytes), payload.len(), "a mapping for each segment");
                            let right = dss_checksum(dsn, mapping.subflow_seq, mapping.len, payload);
                            assert_eq!(mapping.checksum, connection.checksum.then_some(right), "checksum");
                            let place = if bytes == 0 { 0 } else { relative };
                            assert!(!is_new || mapping.subflow_seq == place, "place of a mapping");
                        }
                        if dsn == connection.rcv {
                            connection.rcv = connection.rcv.wrapping_add(u64::from(mapping.len));
                            connection.request.extend(payload);
                            data_fin = dss.data_fin;
                        }
                    }
                }
                Mptcp::Join(Join::Ack { hmac, .. }) => {
                    let (theirs, mine) = subflow.join.expect("a join");
                    let right = join_hmac(version, connection.client, connection.used, theirs, mine);
                    self.joins[usize::from(right != hmac)] += 1;
                    if right != hmac || self.fault == Fault::DropJoins {
                        return vec![packet((server, client), (subflow.snd, 0), Flags::RST, &[], &[])];
                    }
                    if self.fault == Fault::MuteJoins {
                        return vec![];
                    }
                    subflow.proven = true;
                    has_signal = true;
                }
                _ => {}
            }
        }
        if subflow.join.is_some() && !subflow.proven {
            return vec![];
        }
        if !has_signal && is_new {
            connection.request.extend(payload);
        }
        let behind = match self.fault {
            Fault::WrongAck => hash(connection.rcv),
            Fault::BadAck => connection.rcv.wrapping_add(1),
            Fault::Copy if self.version == Version::V1 && connection.request.len() < 50 => 1,
            Fault::NoAck => connection.client.idsn(version).wrapping_add(1),
            _ => connection.rcv,
        };
        let width = |number: u64| match version {
            Version::V0 => Dsn::Short(number as u32),
            Version::V1 => Dsn::Long(number),
        };
        let signals = !matches!(self.fault, Fault::NoSignal | Fault::MirrorData) && has_signal;
        let mut options = Vec::new();
        let mut signal = Dss { data_ack: Some(width(behind)), mapping: None, data_fin: false, reserved: 0 };
        if data_fin || fin || !payload.is_empty() || has_signal && subflow.join.is_some() {
            match self.fault {
                Fault::Fail => {
                    options.push(TcpOption::Mptcp(Mptcp::Fail(Fail { dsn: connection.rcv, reserved: 0 })));
                }
                Fault::MirrorData => options.extend(ours.iter().copied().map(TcpOption::Mptcp)),
                _ if signals => options.push(TcpOption::Mptcp(Mptcp::Dss(signal))),
                _ => {}
            }
            out.extend(emit(subflow, ends, &options, &[], false, true));
        }
        if let Some(addr) = self.announce.take()
            && signals
        {
            let hmac = (version == Version::V1).then(|| {
                subflow_wire::keys::add_addr_hmac(connection.used, connection.client, 2, addr, None)
            });
            let announced = AddAddr {
                version: version.into(),
                echo: false,
                address_id: 2,
                addr,
                port: None,
                hmac,
                reserved: 0,
            };
            out.extend(emit(subflow, ends, &[TcpOption::Mptcp(Mptcp::AddAddr(announced))], &[], false, true));
        }
        let mute = matches!(self.fault, Fault::Silent | Fault::SilentAlone);
        let eager = self.fault == Fault::Eager && !connection.request.is_empty();
        if (eager || connection.request.ends_with(b"\r\n\r\n")) && !connection.answered && !mute {
            connection.answered = true;
            let answer = answer_of(self.answer);
            for piece in answer.chunks(1000) {
                let subflow_seq = subflow.snd.wrapping_sub(subflow.iss);
                let mut mapping = Mapping {
                    dsn: width(connection.snd),
                    subflow_seq,
                    len: piece.len() as u16,
                    checksum: connection
                        .checksum
                        .then(|| dss_checksum(connection.snd, subflow_seq, piece.len() as u16, piece)),
                };
                if self.fault == Fault::Eager {
                    // With a DATA_FIN.
                    let len = mapping.len + 1;
                    let checksum = dss_checksum(connection.snd, subflow_seq, len, piece);
                    (mapping.len, mapping.checksum) = (len, connection.checksum.then_some(checksum));
                    signal.data_fin = true;
                }
                if self.fault == Fault::BadChecksum {
                    mapping.checksum = mapping.checksum.map(|checksum| checksum ^ 0x55);
                }
                if self.fault == Fault::Infinite {
                    mapping.len = 0;
                }
                signal.mapping = Some(mapping);
                let mapped = [TcpOption::Mptcp(Mptcp::Dss(signal))];
                let plain = !signals || self.fault == Fault::Unmapped;
                out.extend(emit(subflow, ends, if plain { &[] } else { &mapped }, piece, false, true));
                connection.snd = connection.snd.wrapping_add(piece.len() as u64);
            }
        }
        if fin {
            out.extend(emit(subflow, ends, &[], &[], true, true));
        }
        out
    }
}

enum Joined {
    Answer(Mptcp<'static>),
    Plain,
    Silence,
    Refusal,
}

fn answer_of(len: usize) -> Vec<u8> {
    let mut answer = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_vec();
    answer.resize(len.max(answer.len()), b'x');
    answer
}

/// A reset in answer to a segment.
fn refuse(ends: (SocketAddr, SocketAddr), tcp: &Tcp<'_>, options: &[TcpOption<'_>]) -> Vec<Vec<u8>> {
    let (client, server) = ends;
    if tcp.flags().rst() {
        return vec![];
    }
    if tcp.flags().ack() {
        return vec![packet((server, client), (tcp.ack(), 0), Flags::RST, options, &[])];
    }
    let ack = tcp.seq().wrapping_add(1);
    vec![packet((server, client), (0, ack), Flags::RST | Flags::ACK, options, &[])]
}

/// A segment of the server; nothing when there is no reason for one.
fn emit(
    subflow: &mut Subflow,
    ends: (SocketAddr, SocketAddr),
    options: &[TcpOption<'_>],
    payload: &[u8],
    fin: bool,
    wanted: bool,
) -> Vec<Vec<u8>> {
    if !wanted {
        return vec![];
    }
    let (client, server) = ends;
    let mut all = Vec::new();
    if let Some(echo) = subflow.clock {
        all.extend([TcpOption::Nop, TcpOption::Nop, TcpOption::Timestamps { value: 8, echo }]);
    }
    all.extend_from_slice(options);
    let flags = Flags::ACK | if fin { Flags::FIN } else { Flags(0) };
    let bytes = packet((server, client), (subflow.snd, subflow.rcv), flags, &all, payload);
    subflow.snd = subflow.snd.wrapping_add(payload.len() as u32 + u32::from(fin));
    vec![bytes]
}

/// What a box does to packets on their way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Meddling {
    /// The server's key in SYN/ACKs becomes another one, and what the client sends back becomes the right one again.
    SwapServerKey,
    /// Our key becomes another one on its way to the server.
    SwapClientKey,
    /// The option becomes padding in packets that are no SYN.
    StripData,
    /// The option is taken out of packets that are no SYN.
    ShrinkData,
}

/// What another key is.
fn swapped(key: Key) -> Key {
    Key(key.0 ^ 0x5a5a_5a5a_5a5a_5a5a)
}

/// The packet behind a box.
pub(crate) fn meddle(what: Meddling, bytes: &[u8]) -> Vec<u8> {
    let Some((ip, tcp)) = read(bytes) else { return bytes.to_vec() };
    let is_answer = tcp.flags().syn() && tcp.flags().ack();
    let change = |option: TcpOption<'_>| -> Vec<u8> {
        let mut own = [0; 40];
        let len = option.emit(&mut own).expect("room");
        let same = own[..len].to_vec();
        let TcpOption::Mptcp(mptcp) = option else { return same };
        let capable = match (what, mptcp) {
            (Meddling::StripData, _) if !tcp.flags().syn() => return vec![1; len],
            (Meddling::ShrinkData, _) if !tcp.flags().syn() => return vec![],
            (Meddling::SwapServerKey, Mptcp::Capable(capable)) if is_answer => {
                Capable { sender_key: capable.sender_key.map(swapped), ..capable }
            }
            (Meddling::SwapServerKey, Mptcp::Capable(capable)) => {
                Capable { receiver_key: capable.receiver_key.map(swapped), ..capable }
            }
            (Meddling::SwapClientKey, Mptcp::Capable(capable)) if !is_answer => {
                Capable { sender_key: capable.sender_key.map(swapped), ..capable }
            }
            _ => return same,
        };
        let mut out = [0; 40];
        let len = Mptcp::Capable(capable).emit(&mut out).expect("room");
        out[..len].to_vec()
    };
    let mut options: Vec<u8> = tcp.options().flat_map(change).collect();
    options.resize(options.len().next_multiple_of(4), 0);
    let list: Vec<TcpOption<'_>> = subflow_wire::tcp::Options::new(&options).collect();
    let mut out = vec![0; bytes.len() + 60];
    let header = Header::from(&tcp);
    let len = Header::segment_len(&list, tcp.payload());
    let at = ip_header(ip.src, ip.dst, protocol::TCP, len, &mut out);
    // The same hop limit.
    match ip.src {
        IpAddr::V4(_) => {
            out[8] = ip.hop_limit;
            out[10..12].fill(0);
            let sum = subflow_wire::checksum::ones_complement(&out[..at]);
            out[10..12].copy_from_slice(&sum.to_be_bytes());
        }
        IpAddr::V6(_) => out[7] = ip.hop_limit,
    }
    header.emit(ip.src, ip.dst, &list, tcp.payload(), &mut out[at..]).expect("options that fit");
    out.truncate(at + len);
    out
}
