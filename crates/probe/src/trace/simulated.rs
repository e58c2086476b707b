//! A path that is simulated: routers, boxes and a server, in virtual time.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use subflow_wire::Key;
use subflow_wire::icmp::{ErrorMessage, emit_echo, v4_type, v6_type};
use subflow_wire::ip::{protocol, v4, v6};
use subflow_wire::keys::Version;
use subflow_wire::mptcp::{Capable, Dsn, Dss, Mptcp};
use subflow_wire::tcp::{Flags, Header, Tcp, TcpOption};

use super::*;
use crate::network::{Local, Nanos, Out, Received, Talk, What};
use crate::targets::Target;

pub(super) const MS: Nanos = 1_000_000;

/// What a box does to a probe: another packet, or none.
pub(super) type Mangle = fn(Vec<u8>) -> Option<Vec<u8>>;

/// A path.
#[derive(Clone)]
pub(super) struct Net {
    pub(super) v6: bool,
    /// Hops to the target.
    pub(super) distance: u8,
    pub(super) silent: &'static [u8],
    /// Bytes that routers quote.
    pub(super) quoted: usize,
    /// Works behind this hop.
    pub(super) mangle: (u8, Mangle),
    /// Who speaks for the target from this hop on.
    pub(super) proxy: Option<u8>,
    /// Whether SYN/ACKs have timestamps.
    pub(super) clock: bool,
    pub(super) closed: bool,
    /// Time for one hop.
    pub(super) hop: Nanos,
    /// Of each router, the probes that it has answered, and how many it leaves out before each.
    pub(super) skip: u32,
}

impl Default for Net {
    fn default() -> Self {
        Self {
            v6: false,
            distance: 5,
            silent: &[],
            quoted: 1000,
            mangle: (0, Some),
            proxy: None,
            clock: true,
            closed: false,
            hop: MS,
            skip: 0,
        }
    }
}

pub(super) fn ip(src: IpAddr, dst: IpAddr, number: u8, hop_limit: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; 40];
    let len = match (src, dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => {
            v4::Header { hop_limit, ..v4::Header::new(src, dst, number) }.emit(payload.len(), &mut bytes)
        }
        (IpAddr::V6(src), IpAddr::V6(dst)) => {
            v6::Header { hop_limit, ..v6::Header::new(src, dst, number) }.emit(payload.len(), &mut bytes)
        }
        _ => panic!("mixed families"),
    };
    bytes.truncate(len.unwrap());
    bytes.extend(payload);
    bytes
}

impl Net {
    pub(super) fn router(&self, hop: u8) -> IpAddr {
        if self.v6 { format!("2001:db8:9::{hop}").parse().unwrap() } else { IpAddr::from([203, 0, 113, hop]) }
    }

    /// What comes back for a packet, and after how long.
    fn answer(&self, bytes: &[u8], count: &mut BTreeMap<u8, u32>) -> Option<(Nanos, Vec<u8>)> {
        let sent = Received::parse(0, bytes).unwrap();
        let (src, dst, limit) = (sent.ip.src, sent.ip.dst, sent.ip.hop_limit);
        let is_port = |port| sent.tcp().is_some_and(|tcp| tcp.dst_port() == port);
        let end = self.proxy.filter(|_| is_port(80)).unwrap_or(self.distance);
        let mut packet = bytes.to_vec();
        for hop in 1..=limit.min(end) {
            if self.mangle.0 > 0 && hop > self.mangle.0 && hop == self.mangle.0 + 1 {
                packet = (self.mangle.1)(packet)?;
            }
        }
        let later = |hop: u8| 2 * Nanos::from(hop) * self.hop;
        if limit < end {
            let asked = count.entry(limit).or_insert(0);
            *asked += 1;
            if self.silent.contains(&limit) || *asked <= self.skip {
                return None;
            }
            let mut quote = tests::expired(&packet);
            quote.truncate(self.quoted);
            let (ty, number) = if self.v6 {
                (v6_type::TIME_EXCEEDED, protocol::ICMPV6)
            } else {
                (v4_type::TIME_EXCEEDED, protocol::ICMP)
            };
            let mut message = vec![0; 400];
            let error = ErrorMessage { ty, code: 0, rest: [0; 4], quote: &quote, extensions: &[] };
            let len = error.emit(self.router(limit), src, &mut message).unwrap();
            return Some((later(limit), ip(self.router(limit), src, number, 65 - limit, &message[..len])));
        }
        let mut out = vec![0; 100];
        if let What::Icmp(message) = &sent.what {
            let len = emit_echo(dst, src, true, message.echo().unwrap(), b"", &mut out).unwrap();
            let number = if self.v6 { protocol::ICMPV6 } else { protocol::ICMP };
            return Some((later(end), ip(dst, src, number, 65 - end, &out[..len])));
        }
        let arrived = Received::parse(0, &packet).unwrap();
        let tcp = arrived.tcp().unwrap();
        if tcp.flags().rst() || (tcp.flags() == Flags::ACK) {
            return None;
        }
        let len = self.serve(tcp, &arrived, is_port(80) && !self.closed, &mut out);
        Some((later(end), ip(dst, src, protocol::TCP, 65 - end, &out[..len])))
    }

    /// A server of version 1.
    fn serve(&self, tcp: &Tcp<'_>, arrived: &Received<'_>, open: bool, out: &mut [u8]) -> usize {
        let theirs = Key(0x8fb9_c7b4_93f3_3d4b);
        let mut options = vec![TcpOption::MaxSegmentSize(1400)];
        let len = tcp.payload().len() as u32 + u32::from(tcp.flags().syn());
        let mut header = Header {
            src_port: tcp.dst_port(),
            dst_port: tcp.src_port(),
            seq: 5000,
            ack: tcp.seq().wrapping_add(len),
            flags: Flags::SYN | Flags::ACK,
            window: 1000,
            urgent: 0,
        };
        for option in tcp.options() {
            match option {
                TcpOption::Timestamps { value, .. } if self.clock => {
                    options.push(TcpOption::Timestamps { value: 77, echo: value });
                }
                TcpOption::Mptcp(Mptcp::Capable(capable)) if capable.version == 1 && tcp.flags().syn() => {
                    let answer = Capable { sender_key: Some(theirs), ..capable };
                    options.push(TcpOption::Mptcp(Mptcp::Capable(answer)));
                }
                TcpOption::Mptcp(Mptcp::Capable(capable)) if !tcp.flags().syn() => {
                    assert_eq!(capable.receiver_key, Some(theirs));
                    let next = capable.sender_key.unwrap().idsn(Version::V1).wrapping_add(1 + u64::from(len));
                    let dss =
                        Dss { data_ack: Some(Dsn::Long(next)), mapping: None, data_fin: false, reserved: 0 };
                    options.push(TcpOption::Mptcp(Mptcp::Dss(dss)));
                }
                _ => {}
            }
        }
        if !tcp.flags().syn() {
            (header.seq, header.flags) = (5001, Flags::ACK);
            options.remove(0);
        }
        if !open {
            (header.seq, header.flags) = (0, Flags::RST | Flags::ACK);
            options.clear();
        }
        header.emit(arrived.ip.dst, arrived.ip.src, &options, &[], out).unwrap()
    }

    pub(super) fn addrs(&self) -> (IpAddr, IpAddr) {
        tests::addrs(self.v6)
    }
}

/// Runs a path to its end; `more` may put further packets in: it is given each that is sent, with its time.
pub(super) fn converse(
    net: &Net,
    settings: Settings,
    mut more: impl FnMut(Nanos, &[u8]) -> Vec<(Nanos, Vec<u8>)>,
) -> (Path, Vec<Vec<u8>>) {
    let (ours, theirs) = net.addrs();
    let target = Target { addr: theirs, port: 80 };
    let mut out = Out::new(Local::new(ours, 61_000, 64, 5));
    let mut path = Path::new(target, Arc::new(Settings { seed: 7, ..settings }));
    let start: Nanos = 1_700_000_000_000_000_000;
    let mut now = start;
    let mut coming: BTreeMap<(Nanos, u32), Vec<u8>> = BTreeMap::new();
    let (mut serial, mut timer, mut all) = (0, None, Vec::new());
    let mut count = BTreeMap::new();
    path.begin(now, &mut out);
    loop {
        // What is to be sent leaves, half a millisecond apart.
        loop {
            timer = out.timer().unwrap_or(timer);
            let sending: Vec<(u32, Vec<u8>)> =
                out.packets().map(|(id, bytes)| (id, bytes.to_vec())).collect();
            out.clear();
            if sending.is_empty() {
                break;
            }
            for (id, bytes) in sending {
                now += MS / 100;
                path.sent(id, now, &mut out);
                let answer = net.answer(&bytes, &mut count).map(|(delay, answer)| (now + delay, answer));
                for (at, packet) in answer.into_iter().chain(more(now, &bytes)) {
                    serial += 1;
                    coming.insert((at, serial), packet);
                }
                all.push(bytes);
                timer = out.timer().unwrap_or(timer);
            }
        }
        if path.is_over() {
            return (path, all);
        }
        let next = coming.keys().next().copied();
        match (next, timer) {
            (Some((at, serial)), timer) if timer.is_none_or(|timer| at <= timer) => {
                now = now.max(at);
                let packet = coming.remove(&(at, serial)).unwrap();
                path.packet(now, &Received::parse(at, &packet).unwrap(), &mut out);
            }
            (_, Some(at)) => {
                now = now.max(at);
                timer = None;
                path.timer(now, &mut out);
            }
            (None, None) | (Some(_), None) => panic!("it waits for nothing"),
        }
        assert!(now - start < 100_000 * MS, "it does not end");
    }
}

pub(super) fn alone(net: &Net) -> Concluded {
    converse(net, Settings::default(), |_, _| vec![]).0.conclude()
}

pub(super) fn option_at(packet: &[u8]) -> Option<(usize, usize)> {
    let ip = if packet[0] >> 4 == 4 { 20 } else { 40 };
    // Echo requests are none.
    (packet[if ip == 20 { 9 } else { 6 }] == protocol::TCP).then_some(())?;
    let mut at = ip + 20;
    for option in Tcp::parse(&packet[ip..]).unwrap().options() {
        if option.kind() == 30 {
            return Some((at, at + option.len()));
        }
        at += option.len();
    }
    None
}

pub(super) fn pad(mut packet: Vec<u8>) -> Option<Vec<u8>> {
    if let Some((from, to)) = option_at(&packet) {
        packet[from..to].fill(1);
        tests::mend(&mut packet);
    }
    Some(packet)
}

pub(super) fn drop(packet: Vec<u8>) -> Option<Vec<u8>> {
    option_at(&packet).is_none().then_some(packet)
}
