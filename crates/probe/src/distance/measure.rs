//! The probes of a measurement and what answers them; a part of a talk.

use subflow_wire::ip::protocol;
use subflow_wire::mptcp::{Capable, Mptcp};
use subflow_wire::tcp::{Flags, Header, TcpOption};

use super::search::{FULL, Search};
use super::{Distances, Kind};
use crate::network::{Head, Nanos, Out, Received, What};
use crate::targets::{Target, mix};

/// Ports that are used one after the other.
const PORTS: u16 = 32;
/// An answer is waited for four round trips and a bit, as long as is allowed at most.
const ROUND_TRIPS: Nanos = 4;
const EXTRA_NS: Nanos = 100_000_000;
const LEAST_NS: Nanos = 200_000_000;
const WINDOW: u16 = 64_240;

/// How to measure.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Which distances, in the order of [`Kind::ALL`].
    pub kinds: [bool; 3],
    /// Whether SYNs to the open port ask for Multipath TCP.
    pub mptcp: bool,
    /// A port that is closed, most likely.
    pub closed_port: u16,
    /// The first of 32 ports of [`Local::port`](crate::network::Local::port) that probes come from.
    pub first_port: u16,
    /// Packets are numbered from here on: the talk's own must have less.
    pub first_id: u32,
    /// What makes sequence numbers, so that answers cannot be guessed.
    pub secret: u64,
    /// How long answers are waited for, in nanoseconds, before the round trip is known.
    pub patience: Nanos,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            kinds: [true; 3],
            mptcp: true,
            closed_port: 40_961,
            first_port: 32,
            first_id: 1 << 16,
            secret: 0,
            patience: 1_000_000_000,
        }
    }
}

/// A probe.
#[derive(Clone, Copy, Debug)]
struct Ask {
    kind: Kind,
    limit: u8,
    port: u16,
    seq: u32,
    id: u32,
    sent: Option<Nanos>,
    /// Until when it is waited for, from when it is sent on.
    until: Option<Nanos>,
    open: bool,
}

/// Measures the distances of a target, as a part of a talk with its address: the talk passes on its calls, and
/// wakes it at [`wake_at`](Self::wake_at).
#[derive(Clone, Debug)]
pub struct Measure {
    target: Target,
    settings: Settings,
    searches: [Search; 3],
    asks: Vec<Ask>,
    count: u32,
    rtt: Option<Nanos>,
    begun: bool,
    /// Whether the port that was thought closed is open.
    closed_is_open: bool,
    packet: Vec<u8>,
}

impl Measure {
    /// A measurement of an open port and its host.
    pub fn new(target: Target, settings: Settings) -> Self {
        Self {
            target,
            settings,
            searches: [Search::new(), Search::new(), Search::new()],
            asks: Vec::new(),
            count: 0,
            rtt: None,
            begun: false,
            closed_is_open: false,
            packet: Vec::new(),
        }
    }

    /// It begins.
    pub fn begin(&mut self, out: &mut Out) {
        self.begun = true;
        self.go_on(out);
    }

    /// Takes a packet; whether it answers one of the measurement's.
    pub fn packet(&mut self, packet: &Received<'_>, out: &mut Out) -> bool {
        let found = match &packet.what {
            What::Tcp(tcp) if packet.ip.src == self.target.addr && tcp.flags().ack() => {
                let seq = tcp.ack().wrapping_sub(1);
                let place = self.asks.iter().position(|ask| {
                    ask.kind != Kind::Echo
                        && (ask.seq, ask.port) == (seq, tcp.dst_port())
                        && self.port_of(ask.kind) == tcp.src_port()
                });
                let Some(&ask) = place.and_then(|place| self.asks.get(place)) else { return false };
                let (opened, reset) = (tcp.flags().syn(), tcp.flags().rst());
                if opened {
                    self.reset(ask.port, tcp.src_port(), tcp.ack(), out);
                }
                let open = ask.kind == Kind::SynAck;
                self.closed_is_open |= opened && !open;
                // What the other of the two says is no distance of this kind.
                if !(if open { opened } else { reset }) {
                    return true;
                }
                place.map(|place| (place, true))
            }
            What::Icmp(message) if message.is_time_exceeded() => {
                self.exceeded(message).map(|place| (place, false))
            }
            What::Icmp(message) if packet.ip.src == self.target.addr && !message.is_error() => {
                let Some((port, sequence)) = message.echo() else { return false };
                let is_it =
                    |ask: &Ask| ask.kind == Kind::Echo && (ask.port, ask.seq as u16) == (port, sequence);
                self.asks.iter().position(is_it).map(|place| (place, true))
            }
            _ => return false,
        };
        let Some((place, answered)) = found else { return false };
        let Some(ask) = self.asks.get_mut(place) else { return false };
        ask.open = false;
        let search = &mut self.searches[ask.kind as usize];
        if answered {
            search.answered(ask.limit, packet.ip.hop_limit);
            if let Some(rtt) = ask.sent.map(|sent| (packet.time - sent).max(0)) {
                self.rtt = Some(self.rtt.map_or(rtt, |known| known.max(rtt)));
            }
        } else {
            search.exceeded(ask.limit);
        }
        self.go_on(out);
        true
    }

    /// A packet has left; whether it was one of the measurement's.
    pub fn sent(&mut self, id: u32, at: Nanos) -> bool {
        let patience = self.rtt.map_or(self.settings.patience, |rtt| {
            (ROUND_TRIPS * rtt + EXTRA_NS).clamp(LEAST_NS.min(self.settings.patience), self.settings.patience)
        });
        if let Some(ask) = self.asks.iter_mut().find(|ask| ask.id == id) {
            (ask.sent, ask.until) = (Some(at), Some(at.saturating_add(patience)));
        }
        id >= self.settings.first_id
    }

    /// Time has passed; may be called at any time.
    pub fn timer(&mut self, now: Nanos, out: &mut Out) {
        for ask in &mut self.asks {
            if ask.open && ask.until.is_some_and(|until| until <= now) {
                ask.open = false;
                self.searches[ask.kind as usize].silent(ask.limit);
            }
        }
        self.go_on(out);
    }

    /// When [`timer`](Self::timer) is to be called.
    pub fn wake_at(&self) -> Option<Nanos> {
        self.asks.iter().filter(|ask| ask.open).filter_map(|ask| ask.until).min()
    }

    /// Whether all is measured. Not before it has begun.
    pub fn is_over(&self) -> bool {
        self.begun && self.asks.iter().all(|ask| !ask.open)
    }

    /// What is known so far.
    pub fn distances(&self) -> Distances {
        let [syn_ack, reset, echo] = self.searches.each_ref().map(Search::distance);
        Distances { syn_ack, reset, echo }
    }

    /// Whether the port that was thought closed accepts connections, as where a proxy takes whatever comes.
    pub fn closed_port_is_open(&self) -> bool {
        self.closed_is_open
    }

    fn port_of(&self, kind: Kind) -> u16 {
        if kind == Kind::SynAck { self.target.port } else { self.settings.closed_port }
    }

    /// The probe that a router says ran out of hops.
    fn exceeded(&self, message: &subflow_wire::icmp::Message<'_>) -> Option<usize> {
        let quote = message.quote()?;
        let head = quote.payload.first_chunk::<8>()?;
        let word = |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let is_it = |ask: &Ask| match (ask.kind, quote.protocol) {
            (Kind::Echo, protocol::ICMP | protocol::ICMPV6) => {
                quote.dst == self.target.addr
                    && word(4) == u32::from(ask.port) << 16 | u32::from(ask.seq as u16)
            }
            // The number alone, for boxes rewrite the rest.
            (Kind::SynAck | Kind::Reset, protocol::TCP) => word(4) == ask.seq,
            _ => false,
        };
        self.asks.iter().position(is_it)
    }

    /// Begins the next round of each search whose last one is over.
    fn go_on(&mut self, out: &mut Out) {
        for kind in Kind::ALL {
            let under_way = self.asks.iter().any(|ask| ask.open && ask.kind == kind);
            if under_way || !self.begun || !self.settings.kinds[kind as usize] {
                continue;
            }
            for limit in self.searches[kind as usize].next() {
                self.ask(kind, limit, out);
            }
        }
    }

    fn ask(&mut self, kind: Kind, limit: u8, out: &mut Out) {
        let number = self.count;
        self.count += 1;
        let local = out.local();
        let port = local.port(self.settings.first_port + (number % u32::from(PORTS)) as u16);
        let random = mix(mix(self.settings.secret ^ u64::from(number) << 40 ^ u64::from(self.target.port)));
        // An echo's sequence number tells its limit.
        let seq = if kind == Kind::Echo { number << 8 | u32::from(limit) } else { (random >> 32) as u32 };
        let identification = (number as u16) << 8 | u16::from(limit.max(1));
        let head = Head { hop_limit: limit, identification, ..Head::new(local.addr, self.target.addr) };
        let written = match kind {
            Kind::Echo => head.echo(port, seq as u16, &random.to_be_bytes(), &mut self.packet),
            Kind::SynAck | Kind::Reset => {
                let capable = Capable {
                    version: 1,
                    flags: Capable::HMAC,
                    sender_key: None,
                    receiver_key: None,
                    data_len: None,
                    checksum: None,
                };
                let options = [
                    TcpOption::MaxSegmentSize(if local.addr.is_ipv4() { 1460 } else { 1440 }),
                    TcpOption::SackPermitted,
                    TcpOption::Timestamps { value: random as u32, echo: 0 },
                    TcpOption::Nop,
                    TcpOption::WindowScale(7),
                    TcpOption::Mptcp(Mptcp::Capable(capable)),
                ];
                let count = options.len() - usize::from(!self.settings.mptcp || kind == Kind::Reset);
                let header = Header {
                    src_port: port,
                    dst_port: self.port_of(kind),
                    seq,
                    flags: Flags::SYN,
                    window: WINDOW,
                    ..Header::default()
                };
                head.segment(&header, options.get(..count).unwrap_or(&[]), &[], &mut self.packet)
            }
        };
        let id = self.settings.first_id.saturating_add(number);
        // Another family than ours cannot be asked.
        let open = written.is_ok();
        self.asks.push(Ask { kind, limit, port, seq, id, sent: None, until: None, open });
        if open {
            out.send(id, &self.packet);
        }
    }

    /// Closes what a SYN/ACK has opened.
    fn reset(&mut self, from: u16, to: u16, seq: u32, out: &mut Out) {
        let header = Header { src_port: from, dst_port: to, seq, flags: Flags::RST, ..Header::default() };
        let head = Head { hop_limit: FULL, ..Head::new(out.local().addr, self.target.addr) };
        if head.segment(&header, &[], &[], &mut self.packet).is_ok() {
            out.send(u32::MAX, &self.packet);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Local;
    use std::net::IpAddr;
    use subflow_wire::icmp::{ErrorMessage, emit_echo};
    use subflow_wire::ip::{v4, v6};

    /// A path: how far each kind is answered, and which routers are silent.
    struct Path {
        hops: [Option<u8>; 3],
        silent: &'static [u8],
    }

    fn packet(src: IpAddr, dst: IpAddr, protocol: u8, hop_limit: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; 40];
        let len = match (src, dst) {
            (IpAddr::V4(src), IpAddr::V4(dst)) => {
                let header = v4::Header { hop_limit, ..v4::Header::new(src, dst, protocol) };
                header.emit(payload.len(), &mut bytes)
            }
            (IpAddr::V6(src), IpAddr::V6(dst)) => {
                let header = v6::Header { hop_limit, ..v6::Header::new(src, dst, protocol) };
                header.emit(payload.len(), &mut bytes)
            }
            _ => panic!(),
        };
        bytes.truncate(len.unwrap());
        bytes.extend_from_slice(payload);
        bytes
    }

    impl Path {
        /// What comes back for a packet.
        fn answer(&self, bytes: &[u8], router: IpAddr) -> Option<Vec<u8>> {
            let sent = Received::parse(0, bytes).unwrap();
            let (src, dst, limit) = (sent.ip.src, sent.ip.dst, sent.ip.hop_limit);
            let kind = match sent.tcp() {
                Some(tcp) if tcp.flags().rst() => return None,
                Some(tcp) if tcp.dst_port() == 443 => Kind::SynAck,
                Some(_) => Kind::Reset,
                None => Kind::Echo,
            };
            // Who does not answer is the last hop all the same.
            let hops = self.hops[kind as usize].unwrap_or(9);
            let v6 = src.is_ipv6();
            let mut message = [0; 300];
            if limit < hops {
                if self.silent.contains(&limit) {
                    return None;
                }
                let ty = if v6 { 3 } else { 11 };
                let error = ErrorMessage { ty, code: 0, rest: [0; 4], quote: bytes, extensions: &[] };
                let len = error.emit(router, src, &mut message).unwrap();
                return Some(packet(router, src, if v6 { 58 } else { 1 }, 64, &message[..len]));
            }
            self.hops[kind as usize]?;
            let len = match sent.tcp() {
                Some(tcp) => {
                    let flags = if kind == Kind::SynAck { Flags::SYN } else { Flags::RST } | Flags::ACK;
                    let header = Header {
                        src_port: tcp.dst_port(),
                        dst_port: tcp.src_port(),
                        ack: tcp.seq().wrapping_add(1),
                        flags,
                        ..Header::default()
                    };
                    header.emit(dst, src, &[], &[], &mut message).unwrap()
                }
                None => {
                    let echo = sent.icmp().unwrap().echo().unwrap();
                    emit_echo(dst, src, true, echo, b"", &mut message).unwrap()
                }
            };
            let number = match kind {
                Kind::Echo if v6 => 58,
                Kind::Echo => 1,
                _ => 6,
            };
            Some(packet(dst, src, number, 65 - hops, &message[..len]))
        }
    }

    /// Measures a path; the distances, packets that were sent, and nanoseconds.
    fn measure(path: &Path, v6: bool) -> (Distances, u32, Nanos) {
        let (ours, theirs, router) = if v6 {
            ("2001:db8::1", "2001:db8:7::5", "2001:db8::9")
        } else {
            ("192.0.2.1", "198.51.100.7", "192.0.2.9")
        };
        let target = Target { addr: theirs.parse().unwrap(), port: 443 };
        let mut out = Out::new(Local::new(ours.parse().unwrap(), 61_000, 64, 60));
        let mut measure = Measure::new(target, Settings { secret: 5, ..Settings::default() });
        let (mut now, mut packets) = (0, 0);
        assert!(!measure.is_over());
        measure.begin(&mut out);
        while !measure.is_over() {
            let sending: Vec<(u32, Vec<u8>)> =
                out.packets().map(|(id, bytes)| (id, bytes.to_vec())).collect();
            out.clear();
            for (id, bytes) in &sending {
                packets += 1;
                assert!(measure.sent(*id, now));
                if let Some(answer) = path.answer(bytes, router.parse().unwrap()) {
                    let received = Received::parse(now + 10_000_000, &answer).unwrap();
                    assert!(measure.packet(&received, &mut out));
                }
            }
            if out.packets().count() == 0 && !measure.is_over() {
                now = measure.wake_at().unwrap();
                measure.timer(now, &mut out);
            }
        }
        // The last resets.
        (measure.distances(), packets + out.packets().count() as u32, now)
    }

    #[test]
    fn servers_and_proxies() {
        for v6 in [false, true] {
            let (found, packets, time) = measure(&Path { hops: [Some(5); 3], silent: &[] }, v6);
            let five = super::super::Distance { hops: Some(5), beyond: 4, back: Some(5) };
            assert_eq!(found, Distances { syn_ack: five, reset: five, echo: five });
            assert_eq!((found.proxy(), time), (Some(false), 0));
            // Five of each kind, and a reset for each of the three SYN/ACKs.
            assert_eq!(packets, 18);
            let (found, ..) = measure(&Path { hops: [Some(3), Some(5), Some(5)], silent: &[] }, v6);
            assert_eq!((found.syn_ack.hops, found.reset.hops, found.proxy()), (Some(3), Some(5), Some(true)));
            // All routers silent: time passes.
            let all = &[1, 2, 3, 4, 5, 6];
            let (found, _, time) = measure(&Path { hops: [Some(3), Some(5), Some(5)], silent: all }, v6);
            assert_eq!((found.syn_ack.hops, found.echo.hops, found.proxy()), (Some(3), Some(5), Some(true)));
            assert!((400_000_000..1_500_000_000).contains(&time), "{time}");
            let (found, ..) = measure(&Path { hops: [Some(5), None, None], silent: &[] }, v6);
            assert_eq!((found.reset.hops, found.proxy()), (None, None));
        }
    }

    #[test]
    fn nobody_there() {
        let (found, packets, time) = measure(&Path { hops: [None; 3], silent: &[1, 2, 3] }, false);
        assert_eq!((found, packets, time), (Distances::default(), 9, 3_000_000_000));
    }

    #[test]
    fn what_does_not_fit_is_not_believed() {
        let target = Target { addr: "198.51.100.7".parse().unwrap(), port: 443 };
        let ours: IpAddr = "192.0.2.1".parse().unwrap();
        let mut out = Out::new(Local::new(ours, 61_000, 64, 0));
        let settings = Settings { kinds: [true, false, false], ..Settings::default() };
        let mut measure = Measure::new(target, settings);
        measure.begin(&mut out);
        let port = out.local().port(settings.first_port);
        let header = Header {
            src_port: 443,
            dst_port: port,
            ack: 77,
            flags: Flags::SYN | Flags::ACK,
            ..Header::default()
        };
        let mut segment = [0; 20];
        header.emit(target.addr, ours, &[], &[], &mut segment).unwrap();
        let bytes = packet(target.addr, ours, 6, 60, &segment);
        assert!(!measure.packet(&Received::parse(0, &bytes).unwrap(), &mut out));
        assert_eq!(measure.distances(), Distances::default());
    }
}
