//! Connections written down segment by segment, for tests of frames, captures and truth: real keys, tokens, HMACs and numbers, without
//! a network and without algorithms.

#![allow(dead_code, reason = "each test uses a part of it")]

use std::net::SocketAddr;

use subflow_sim::header::{Header, OptionBytes, Payload};
use subflow_sim::observe::{Close, End, Fact, Fallback, Handshake, Observer, Sight};
use subflow_sim::{Duration, Time};
use subflow_wire::Key;
use subflow_wire::keys::{Version, add_addr_hmac, join_hmac, leftmost64};
use subflow_wire::mptcp::{
    AddAddr, Capable, Dsn, Dss, Fail, FastClose, Join, Mapping, Mptcp, Prio, RemoveAddr, TcpRst,
};
use subflow_wire::tcp::Flags;

/// The keys whose tokens and numbers are known from elsewhere.
pub(crate) const KEYS: [Key; 2] = [Key(0xb49d_03c2_011d_7aba), Key(0x8fb9_c7b4_93f3_3d4b)];
/// Time from one end to the other.
pub(crate) const DELAY: Duration = Duration::from_millis(10);
const NONCES: [u32; 2] = [0x0102_0304, 0x0506_0708];

/// A subflow.
#[derive(Clone, Debug)]
struct Sub {
    ends: [SocketAddr; 2],
    opener: End,
    isn: [u32; 2],
    next: [u32; 2],
}

enum Happening {
    Segment { from: End, sub: usize, header: Header, lost: bool },
    Fact { end: End, fact: Fact },
}

/// A connection being written down. Each segment is sent after the one before it has arrived.
pub(crate) struct Script {
    pub(crate) connection: u32,
    pub(crate) version: Version,
    pub(crate) checksum: bool,
    subs: Vec<Sub>,
    /// Next data-level offset and what the other end has, by sender.
    next: [u64; 2],
    acked: [u64; 2],
    held: [Vec<(u64, u64)>; 2],
    now: Time,
    happenings: Vec<(Time, Happening)>,
    identification: u16,
}

impl Script {
    pub(crate) fn new(version: Version) -> Self {
        Self {
            connection: 0,
            version,
            checksum: false,
            subs: Vec::new(),
            next: [0; 2],
            acked: [0; 2],
            held: Default::default(),
            now: Time::ZERO,
            happenings: Vec::new(),
            identification: 1,
        }
    }

    /// Lets time pass.
    pub(crate) fn wait(&mut self, time: Duration) {
        self.now += time;
    }

    pub(crate) fn now(&self) -> Time {
        self.now
    }

    pub(crate) fn idsn(&self, of: End) -> u64 {
        KEYS[of.index()].idsn(self.version)
    }

    fn fact(&mut self, end: End, fact: Fact) {
        self.happenings.push((self.now, Happening::Fact { end, fact }));
    }

    fn clock(&self) -> u32 {
        (self.now.0 / 1_000_000_000) as u32 + 1000
    }

    fn base(&mut self, sub: usize, from: End, flags: Flags) -> Header {
        let it = &self.subs[sub];
        let (this, other) = (from.index(), from.other().index());
        let mut header =
            Header::new(it.ends[this], it.ends[other], it.next[this], it.next[other], flags, 501);
        header.identification = self.identification;
        self.identification += 1;
        header.payload = Payload {
            stream: Payload::stream(self.connection, from == End::Server),
            dsn: self.idsn(from).wrapping_add(1).wrapping_add(self.next[this]),
            ..Payload::default()
        };
        if !flags.ack() {
            header.ack = 0;
        }
        header.options = if flags.syn() {
            OptionBytes::syn(1460, true, Some((self.clock(), 0)), Some(7))
        } else {
            OptionBytes::segment(Some((self.clock(), self.clock() - 10)))
        };
        header
    }

    /// Sends a segment; it arrives, or is lost, before the next one is sent.
    fn send(&mut self, sub: usize, from: End, header: Header, lost: bool) {
        let taken = header.payload.len as u32 + u32::from(header.flags.syn()) + u32::from(header.flags.fin());
        let next = &mut self.subs[sub].next[from.index()];
        let end = header.seq.wrapping_add(taken);
        if taken > 0 && (end.wrapping_sub(*next) as i32) > 0 {
            *next = end;
        }
        self.happenings.push((self.now, Happening::Segment { from, sub, header, lost }));
        self.now = self.now + DELAY + Duration::from_micros(1);
    }

    fn capable(&self, keys: usize, data_len: Option<u16>) -> Mptcp<'static> {
        Mptcp::Capable(Capable {
            version: self.version.into(),
            flags: 0x01 | if self.checksum { 0x80 } else { 0 },
            sender_key: (keys > 0).then_some(KEYS[0]),
            receiver_key: (keys > 1).then_some(KEYS[1]),
            data_len,
            checksum: data_len.filter(|_| self.checksum).map(|_| 0),
        })
    }

    fn add_sub(&mut self, opener: End, client: &str, server: &str) -> usize {
        let n = self.subs.len() as u32;
        let isn = [0x1000_0000 + 0x0100_0000 * n, 0xffff_ff00 - 0x0100_0000 * n];
        let ends = [client.parse().unwrap(), server.parse().unwrap()];
        self.subs.push(Sub { ends, opener, isn, next: isn });
        n as usize
    }

    /// The initial handshake.
    pub(crate) fn open(&mut self, client: &str, server: &str) {
        let sub = self.add_sub(End::Client, client, server);
        let mut syn = self.base(sub, End::Client, Flags::SYN);
        syn.options.mptcp(&self.capable(usize::from(self.version == Version::V0), None)).unwrap();
        self.send(sub, End::Client, syn, false);
        let mut syn_ack = self.base(sub, End::Server, Flags::SYN | Flags::ACK);
        let server_only = Mptcp::Capable(Capable {
            sender_key: Some(KEYS[1]),
            ..match self.capable(1, None) {
                Mptcp::Capable(capable) => capable,
                _ => unreachable!(),
            }
        });
        syn_ack.options.mptcp(&server_only).unwrap();
        self.send(sub, End::Server, syn_ack, false);
        let version = self.version;
        for end in [End::Client, End::Server] {
            for of in [End::Client, End::Server] {
                self.fact(end, Fact::Key { of, key: KEYS[of.index()], version });
            }
        }
        self.fact(End::Client, Fact::Handshake { subflow: 0, state: Handshake::Established });
        let mut ack = self.base(sub, End::Client, Flags::ACK);
        ack.options.mptcp(&self.capable(2, None)).unwrap();
        self.send(sub, End::Client, ack, false);
        self.fact(End::Server, Fact::Handshake { subflow: 0, state: Handshake::Established });
    }

    /// The initial handshake with a server that does not know the option.
    pub(crate) fn open_plain_answer(&mut self, client: &str, server: &str) {
        let sub = self.add_sub(End::Client, client, server);
        let mut syn = self.base(sub, End::Client, Flags::SYN);
        syn.options.mptcp(&self.capable(usize::from(self.version == Version::V0), None)).unwrap();
        self.send(sub, End::Client, syn, false);
        let syn_ack = self.base(sub, End::Server, Flags::SYN | Flags::ACK);
        self.fact(End::Server, Fact::Fallback { subflow: 0, kind: Fallback::SynAck });
        self.send(sub, End::Server, syn_ack, false);
        self.fact(End::Client, Fact::Handshake { subflow: 0, state: Handshake::Established });
        self.fact(End::Client, Fact::Fallback { subflow: 0, kind: Fallback::SynAck });
        let ack = self.base(sub, End::Client, Flags::ACK);
        self.send(sub, End::Client, ack, false);
        self.fact(End::Server, Fact::Handshake { subflow: 0, state: Handshake::Established });
    }

    /// A join; its number.
    pub(crate) fn join(
        &mut self,
        opener: End,
        client: &str,
        server: &str,
        address_id: u8,
        backup: bool,
    ) -> usize {
        let sub = self.add_sub(opener, client, server);
        let (this, other) = (opener.index(), opener.other().index());
        let token = KEYS[other].token(self.version);
        let mut syn = self.base(sub, opener, Flags::SYN);
        let join = Join::Syn { backup, address_id, token, nonce: NONCES[this], reserved: 0 };
        syn.options.mptcp(&Mptcp::Join(join)).unwrap();
        self.send(sub, opener, syn, false);
        let mut syn_ack = self.base(sub, opener.other(), Flags::SYN | Flags::ACK);
        let hmac = join_hmac(self.version, KEYS[other], KEYS[this], NONCES[other], NONCES[this]);
        let join = Join::SynAck {
            backup,
            address_id: 9,
            hmac: leftmost64(&hmac),
            nonce: NONCES[other],
            reserved: 0,
        };
        syn_ack.options.mptcp(&Mptcp::Join(join)).unwrap();
        self.send(sub, opener.other(), syn_ack, false);
        let subflow = sub as u32;
        self.fact(opener, Fact::Handshake { subflow, state: Handshake::Established });
        let mut ack = self.base(sub, opener, Flags::ACK);
        let hmac = join_hmac(self.version, KEYS[this], KEYS[other], NONCES[this], NONCES[other]);
        ack.options.mptcp(&Mptcp::Join(Join::Ack { hmac, reserved: 0 })).unwrap();
        self.send(sub, opener, ack, false);
        self.fact(opener.other(), Fact::Handshake { subflow, state: Handshake::Established });
        self.ack(sub, opener.other());
        sub
    }

    fn number(&self, of: End, offset: u64) -> Dsn {
        let dsn = self.idsn(of).wrapping_add(1).wrapping_add(offset);
        match self.version {
            Version::V0 => Dsn::Short(dsn as u32),
            Version::V1 => Dsn::Long(dsn),
        }
    }

    fn dss(&self, sub: usize, from: End, seq: u32, map: Option<(u64, u16, bool)>) -> Mptcp<'static> {
        let this = from.index();
        let mapping = map.map(|(offset, len, fin)| Mapping {
            dsn: self.number(from, offset),
            subflow_seq: if len == 0 { 0 } else { seq.wrapping_sub(self.subs[sub].isn[this]) },
            len: len + u16::from(fin),
            checksum: self.checksum.then_some(0),
        });
        let data_ack = Some(self.number(from.other(), self.acked[from.other().index()]));
        Mptcp::Dss(Dss { data_ack, mapping, data_fin: map.is_some_and(|map| map.2), reserved: 0 })
    }

    /// Data at an offset of the data level; `lost` segments never arrive.
    pub(crate) fn data_at(&mut self, sub: usize, from: End, offset: u64, len: u16, lost: bool) {
        let mut header = self.base(sub, from, Flags::ACK | Flags::PSH);
        header.payload.dsn = self.idsn(from).wrapping_add(1).wrapping_add(offset);
        header.payload.len = len;
        header.options.mptcp(&self.dss(sub, from, header.seq, Some((offset, len, false)))).unwrap();
        self.send(sub, from, header, lost);
        self.next[from.index()] = self.next[from.index()].max(offset + u64::from(len));
        if !lost {
            self.arrive(from, offset, len);
        }
    }

    /// What has arrived without holes is acknowledged at the data level.
    fn arrive(&mut self, from: End, offset: u64, len: u16) {
        let acked = &mut self.acked[from.index()];
        let held = &mut self.held[from.index()];
        held.push((offset, offset + u64::from(len)));
        held.sort_unstable();
        for &(start, end) in held.iter() {
            if start <= *acked {
                *acked = (*acked).max(end);
            }
        }
    }

    /// New data and its ACK.
    pub(crate) fn data(&mut self, sub: usize, from: End, len: u16) {
        self.data_at(sub, from, self.next[from.index()], len, false);
        self.ack(sub, from.other());
    }

    /// New data that is lost on the way.
    pub(crate) fn lost_data(&mut self, sub: usize, from: End, len: u16) {
        self.data_at(sub, from, self.next[from.index()], len, true);
    }

    /// The bytes from a subflow position on again, as TCP does.
    pub(crate) fn retransmit(&mut self, sub: usize, from: End, position: u32, offset: u64, len: u16) {
        let mut header = self.base(sub, from, Flags::ACK | Flags::PSH);
        header.seq = self.subs[sub].isn[from.index()].wrapping_add(1).wrapping_add(position);
        header.payload.dsn = self.idsn(from).wrapping_add(1).wrapping_add(offset);
        header.payload.len = len;
        header.options.mptcp(&self.dss(sub, from, header.seq, Some((offset, len, false)))).unwrap();
        self.send(sub, from, header, false);
        self.arrive(from, offset, len);
        self.ack(sub, from.other());
    }

    /// New data without any option, after a fallback.
    pub(crate) fn plain_data(&mut self, from: End, len: u16) {
        let mut header = self.base(0, from, Flags::ACK | Flags::PSH);
        header.payload.len = len;
        self.send(0, from, header, false);
        self.next[from.index()] += u64::from(len);
        let ack = self.base(0, from.other(), Flags::ACK);
        self.send(0, from.other(), ack, false);
    }

    /// A pure ACK.
    pub(crate) fn ack(&mut self, sub: usize, from: End) {
        let mut header = self.base(sub, from, Flags::ACK);
        header.options.mptcp(&self.dss(sub, from, 0, None)).unwrap();
        self.send(sub, from, header, false);
    }

    /// An ACK that carries another option instead.
    fn control(&mut self, sub: usize, from: End, option: Mptcp<'_>, dss: bool) {
        let mut header = self.base(sub, from, Flags::ACK);
        if dss {
            header.options.mptcp(&self.dss(sub, from, 0, None)).unwrap();
        }
        header.options.mptcp(&option).unwrap();
        self.send(sub, from, header, false);
    }

    /// ADD_ADDR, and its echo in version 1.
    pub(crate) fn announce(&mut self, sub: usize, from: End, address_id: u8, addr: &str) {
        let addr = addr.parse().unwrap();
        let (this, other) = (from.index(), from.other().index());
        let version = self.version.into();
        let hmac = (version == 1).then(|| add_addr_hmac(KEYS[this], KEYS[other], address_id, addr, None));
        let option = AddAddr { version, echo: false, address_id, addr, port: None, hmac, reserved: 0 };
        self.control(sub, from, Mptcp::AddAddr(option), false);
        if version == 1 {
            let echo = AddAddr { echo: true, hmac: None, ..option };
            self.control(sub, from.other(), Mptcp::AddAddr(echo), false);
        }
    }

    pub(crate) fn withdraw(&mut self, sub: usize, from: End, ids: &[u8]) {
        self.control(sub, from, Mptcp::RemoveAddr(RemoveAddr { ids, reserved: 0 }), true);
    }

    pub(crate) fn prio(&mut self, sub: usize, from: End, backup: bool) {
        let prio = Prio { backup, address_id: None, reserved: 0 };
        self.control(sub, from, Mptcp::Prio(prio), true);
    }

    /// DATA_FIN without data, and the DATA_ACK.
    pub(crate) fn data_fin(&mut self, sub: usize, from: End) {
        let offset = self.next[from.index()];
        let mut header = self.base(sub, from, Flags::ACK);
        header.options.mptcp(&self.dss(sub, from, 0, Some((offset, 0, true)))).unwrap();
        self.send(sub, from, header, false);
        self.next[from.index()] += 1;
        self.acked[from.index()] = self.next[from.index()];
        self.ack(sub, from.other());
    }

    /// FINs of both ends.
    pub(crate) fn close(&mut self, sub: usize) {
        for from in [End::Client, End::Server] {
            let fin = self.base(sub, from, Flags::FIN | Flags::ACK);
            self.send(sub, from, fin, false);
        }
        let ack = self.base(sub, End::Client, Flags::ACK);
        self.send(sub, End::Client, ack, false);
    }

    pub(crate) fn closed(&mut self, close: Close) {
        for end in [End::Client, End::Server] {
            self.fact(end, Fact::Closed(close));
        }
    }

    pub(crate) fn reset(&mut self, sub: usize, from: End, reason: Option<u8>) {
        let mut header = self.base(sub, from, Flags::RST | Flags::ACK);
        header.options = OptionBytes::new();
        if let Some(reason) = reason {
            header.options.mptcp(&Mptcp::TcpRst(TcpRst { flags: 0, reason })).unwrap();
        }
        self.send(sub, from, header, false);
    }

    pub(crate) fn fast_close(&mut self, sub: usize, from: End) {
        let key = KEYS[from.other().index()];
        let close = Mptcp::FastClose(FastClose { key, reserved: 0 });
        self.control(sub, from, close, false);
        self.reset(sub, from.other(), None);
        self.closed(Close::FastClose);
    }

    /// The receiver's checksum failed on the only subflow: MP_FAIL, then an infinite mapping by both.
    pub(crate) fn fail(&mut self, from: End) {
        let dsn = self.idsn(from.other()).wrapping_add(1).wrapping_add(self.acked[from.other().index()]);
        self.fact(from, Fact::Fallback { subflow: 0, kind: Fallback::Checksum });
        self.control(0, from, Mptcp::Fail(Fail { dsn, reserved: 0 }), true);
        self.fact(from.other(), Fact::Fallback { subflow: 0, kind: Fallback::Checksum });
    }

    /// Data with the infinite mapping.
    pub(crate) fn infinite(&mut self, from: End, len: u16) {
        let mut header = self.base(0, from, Flags::ACK | Flags::PSH);
        header.payload.len = len;
        let mapping = Mapping {
            dsn: self.number(from, self.next[from.index()]),
            subflow_seq: header.seq.wrapping_sub(self.subs[0].isn[from.index()]),
            len: 0,
            checksum: self.checksum.then_some(0),
        };
        let dss = Dss { data_ack: None, mapping: Some(mapping), data_fin: false, reserved: 0 };
        header.options.mptcp(&Mptcp::Dss(dss)).unwrap();
        self.send(0, from, header, false);
        self.next[from.index()] += u64::from(len);
        let ack = self.base(0, from.other(), Flags::ACK);
        self.send(0, from.other(), ack, false);
    }

    /// Changes the last segment: what a middlebox would.
    pub(crate) fn changed(&mut self, change: impl Fn(&mut Header)) {
        let last = self.happenings.iter_mut().rev().find_map(|(_, happening)| match happening {
            Happening::Segment { header, .. } => Some(header),
            Happening::Fact { .. } => None,
        });
        change(last.unwrap());
    }

    /// Lets it all happen before an observer.
    pub(crate) fn play(self, observer: &mut impl Observer) {
        let connection = self.connection;
        let mut segments = Vec::new();
        let mut order = Vec::new();
        for (time, happening) in self.happenings {
            match happening {
                Happening::Fact { end, fact } => order.push((time, None, Some((end, fact)))),
                Happening::Segment { from, sub, header, lost } => {
                    let index = segments.len();
                    segments.push((from, sub as u32, header));
                    order.push((time, Some((index, false)), None));
                    if !lost {
                        order.push((time + DELAY, Some((index, true)), None));
                    }
                }
            }
        }
        order.sort_by_key(|happening| happening.0);
        for (now, segment, fact) in order {
            if let Some((end, fact)) = fact {
                observer.fact(now, connection, end, fact);
            }
            let Some((index, arrives)) = segment else { continue };
            let (from, subflow, header): &mut (End, u32, Header) = &mut segments[index];
            let end = if arrives { from.other() } else { *from };
            let at = Sight { now, connection, subflow: *subflow, end };
            if arrives {
                observer.arrived(at, header);
            } else {
                observer.sent(at, header);
            }
        }
    }
}

/// The scripts that stand for everything: name and connection.
pub(crate) fn all() -> Vec<(String, Script)> {
    let mut scripts = Vec::new();
    for version in [Version::V0, Version::V1] {
        for v6 in [false, true] {
            for checksum in [false, true] {
                let name = format!("{version:?} {} {checksum}", if v6 { "v6" } else { "v4" });
                scripts.push((format!("whole {name}"), whole(version, v6, checksum)));
            }
        }
        scripts.push((format!("fallback {version:?}"), fallback(version)));
        scripts.push((format!("checksum {version:?}"), checksum_fails(version)));
        scripts.push((format!("fastclose {version:?}"), aborted(version)));
        scripts.push((format!("handover {version:?}"), handover(version)));
    }
    scripts
}

fn addresses(v6: bool) -> [&'static str; 4] {
    if v6 {
        ["[2001:db8:1::1]:40000", "[2001:db8:9::1]:443", "[2001:db8:2::1]:40001", "[2001:db8:8::1]:443"]
    } else {
        ["10.0.1.1:40000", "10.9.0.1:443", "10.0.2.1:40001", "10.8.0.1:443"]
    }
}

/// Two joins, an announcement with its echo, a reinjection, a retransmission, a changed priority, a withdrawn address, DATA_FINs.
fn whole(version: Version, v6: bool, checksum: bool) -> Script {
    let [client, server, client2, server2] = addresses(v6);
    let mut script = Script::new(version);
    script.checksum = checksum;
    script.open(client, server);
    script.data(0, End::Client, 1000);
    script.data(0, End::Server, 1400);
    let announced = if v6 { "2001:db8:8::1" } else { "10.8.0.1" };
    script.announce(0, End::Server, 2, announced);
    let second = script.join(End::Client, client2, server, 1, false);
    let third = script.join(End::Client, client2, server2, 1, true);
    script.data(second, End::Client, 900);
    // Lost on the initial subflow, sent again on the second; then again by TCP.
    script.lost_data(0, End::Client, 500);
    script.data(second, End::Client, 100);
    script.data_at(second, End::Client, 1900, 500, false);
    script.ack(second, End::Server);
    script.retransmit(0, End::Client, 1000, 1900, 500);
    script.prio(second, End::Client, true);
    script.data(third, End::Server, 1300);
    script.withdraw(0, End::Client, &[1]);
    script.data_fin(0, End::Client);
    script.data_fin(0, End::Server);
    for sub in [0, second, third] {
        script.close(sub);
    }
    script.closed(Close::DataFin);
    script
}

/// No MP_CAPABLE in the SYN/ACK.
fn fallback(version: Version) -> Script {
    let [client, server, ..] = addresses(false);
    let mut script = Script::new(version);
    script.open_plain_answer(client, server);
    script.plain_data(End::Client, 300);
    script.plain_data(End::Server, 1400);
    script.close(0);
    script.closed(Close::Fin);
    script
}

/// A checksum that fails on the only subflow.
fn checksum_fails(version: Version) -> Script {
    let [client, server, ..] = addresses(false);
    let mut script = Script::new(version);
    script.checksum = true;
    script.open(client, server);
    script.data(0, End::Client, 600);
    script.data_at(0, End::Server, 0, 800, false);
    script.changed(|header| (header.payload.changed_at, header.payload.changed) = (10, 5));
    script.fail(End::Client);
    script.infinite(End::Server, 700);
    script.infinite(End::Client, 200);
    script.plain_data(End::Server, 400);
    script.plain_data(End::Server, 400);
    script.close(0);
    script.closed(Close::Fin);
    script
}

/// MP_FASTCLOSE.
fn aborted(version: Version) -> Script {
    let [client, server, ..] = addresses(false);
    let mut script = Script::new(version);
    script.open(client, server);
    script.data(0, End::Client, 10);
    script.data(0, End::Server, 1400);
    script.fast_close(0, End::Client);
    script
}

/// A subflow dies, data goes on on another.
fn handover(version: Version) -> Script {
    let [client, server, client2, _] = addresses(false);
    let mut script = Script::new(version);
    script.open(client, server);
    script.data(0, End::Server, 1400);
    script.data(0, End::Server, 1400);
    let second = script.join(End::Client, client2, server, 1, true);
    script.lost_data(0, End::Server, 1400);
    script.wait(Duration::from_millis(500));
    script.data_at(second, End::Server, 2800, 1400, false);
    script.ack(second, End::Client);
    for _ in 0..20 {
        script.data(second, End::Server, 1400);
    }
    script.data_fin(second, End::Server);
    script.data_fin(second, End::Client);
    script.close(second);
    script.closed(Close::DataFin);
    script
}
