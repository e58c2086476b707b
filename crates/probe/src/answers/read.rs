//! From received frames to verified answers: whatever comes is believed only if it repeats what only we can know.

use std::net::IpAddr;

use subflow_wire::icmp::{Family, Message};
use subflow_wire::ip::{IpPacket, protocol};
use subflow_wire::tcp::{Options, Tcp, TcpOption};
use subflow_wire::{Dissection, LinkType, dissect};

use super::answer::{Answer, IcmpError, Meta, Packet};
use crate::probes::{Asked, Cookie, Probes, Secret, SourcePorts};
use crate::rows::AnswerKind;
use crate::targets::Target;

/// Why a packet is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejected {
    /// It is not for our addresses and ports, or none of SYN/ACK, reset and ICMP error.
    NotOurs,
    /// It is, but no probe of ours can have caused it.
    Unverified,
}

/// Recognises answers by what they repeat: addresses, ports, and the sequence number, all keyed.
#[derive(Clone, Debug)]
pub struct Reader {
    secret: Secret,
    ports: SourcePorts,
    canary: bool,
    v4: Option<IpAddr>,
    v6: Option<IpAddr>,
}

impl Reader {
    /// A reader of the answers to these probes.
    pub fn new(probes: &Probes) -> Self {
        Self {
            secret: *probes.secret(),
            ports: probes.ports(),
            canary: probes.has_canary(),
            v4: probes.source().v4.map(|(_, addr)| addr.into()),
            v6: probes.source().v6.map(|(_, addr)| addr.into()),
        }
    }

    /// Reads one frame that came at `time_ns` (nanoseconds since the Unix epoch).
    #[inline]
    pub fn read<'a>(
        &self,
        link: LinkType,
        frame: &'a [u8],
        wire_len: u32,
        time_ns: i64,
    ) -> Result<Answer<'a>, Rejected> {
        let Dissection::Ip(ip) = dissect(link, frame, wire_len) else { return Err(Rejected::NotOurs) };
        if Some(ip.dst) != if ip.dst.is_ipv4() { self.v4 } else { self.v6 } || ip.is_later_fragment() {
            return Err(Rejected::NotOurs);
        }
        match ip.protocol {
            protocol::TCP => self.read_tcp(&ip, time_ns),
            protocol::ICMP => self.read_icmp(&ip, Family::V4, time_ns),
            protocol::ICMPV6 => self.read_icmp(&ip, Family::V6, time_ns),
            _ => Err(Rejected::NotOurs),
        }
    }

    fn asked(&self, target: &Target, src_port: u16) -> Result<(Asked, Cookie), Rejected> {
        let kind = self.ports.kind(src_port).ok_or(Rejected::NotOurs)?;
        let cookie = self.secret.cookie(target, kind);
        if self.ports.port(kind, &cookie) != src_port {
            return Err(Rejected::Unverified);
        }
        Ok((Asked::of(kind, &cookie, self.canary), cookie))
    }

    fn read_tcp<'a>(&self, ip: &IpPacket<'a>, time_ns: i64) -> Result<Answer<'a>, Rejected> {
        let tcp = Tcp::parse(ip.payload).map_err(|_| Rejected::NotOurs)?;
        let target = Target { addr: ip.src, port: tcp.src_port() };
        let src_port = tcp.dst_port();
        let (asked, cookie) = self.asked(&target, src_port)?;
        if !tcp.flags().ack() || tcp.ack() != asked.seq.wrapping_add(1) {
            return Err(Rejected::Unverified);
        }
        let meta = Meta { time_ns, target, src_addr: ip.dst, src_port, ttl: ip.hop_limit, rtt_micros: None };
        let rtt = |echo: Option<u32>| elapsed(time_ns, echo?, &cookie);
        Answer::of_tcp(&asked, &tcp, meta, rtt).ok_or(Rejected::NotOurs)
    }

    fn read_icmp<'a>(&self, ip: &IpPacket<'a>, family: Family, time_ns: i64) -> Result<Answer<'a>, Rejected> {
        let message = Message::parse(family, ip.payload).ok_or(Rejected::NotOurs)?;
        let quoted = Quoted::of(&message).ok_or(Rejected::NotOurs)?;
        if quoted.src != ip.dst {
            return Err(Rejected::NotOurs);
        }
        let (asked, cookie) = self.asked(&quoted.target, quoted.src_port)?;
        if quoted.seq != asked.seq {
            return Err(Rejected::Unverified);
        }
        let meta = Meta {
            time_ns,
            target: quoted.target,
            src_addr: ip.dst,
            src_port: quoted.src_port,
            ttl: ip.hop_limit,
            rtt_micros: quoted.clock.and_then(|clock| elapsed(time_ns, clock, &cookie)),
        };
        Ok(quoted.answer(&asked, &message, ip.src, meta))
    }
}

/// What an ICMP error quotes of a SYN.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quoted {
    pub(super) src: IpAddr,
    pub(super) src_port: u16,
    pub(super) target: Target,
    pub(super) seq: u32,
    clock: Option<u32>,
}

impl Quoted {
    /// `None` for other messages, and where less than ports and sequence number is quoted. Fragments that are too big are no
    /// errors for a SYN.
    pub(super) fn of(message: &Message<'_>) -> Option<Self> {
        if message.mtu().is_some() {
            return None;
        }
        let packet = message.quote()?;
        if packet.protocol != protocol::TCP || packet.is_later_fragment() {
            return None;
        }
        let head = packet.payload.first_chunk::<8>()?;
        let target = Target { addr: packet.dst, port: u16::from_be_bytes([head[2], head[3]]) };
        let whole = Tcp::parse(packet.payload).ok();
        let clock = whole.and_then(|tcp| {
            tcp.options().find_map(|option| match option {
                TcpOption::Timestamps { value, .. } => Some(value),
                _ => None,
            })
        });
        Some(Self {
            src: packet.src,
            src_port: u16::from_be_bytes([head[0], head[1]]),
            target,
            seq: u32::from_be_bytes([head[4], head[5], head[6], head[7]]),
            clock,
        })
    }

    pub(super) fn answer<'a>(
        &self,
        asked: &Asked,
        message: &Message<'a>,
        from: IpAddr,
        meta: Meta,
    ) -> Answer<'a> {
        let (finding, mptcp) = super::judge(asked, AnswerKind::Icmp, Options::new(&[]));
        let error = IcmpError { ty: message.ty, code: message.code, from, quote: message.quote_bytes() };
        meta.answer(asked.kind, finding, mptcp, Packet::Icmp(error))
    }
}

/// Microseconds since a probe was sent, by the clock that its timestamp carried; `None` for what lies in the future or more
/// than half an hour back, as a box that makes up timestamps would have it.
fn elapsed(time_ns: i64, clock: u32, cookie: &Cookie) -> Option<u32> {
    let now = (time_ns / 1000) as u32;
    let micros = now.wrapping_sub(clock.wrapping_sub(cookie.clock));
    (micros < 1_800_000_000).then_some(micros)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answers::OptionBytes;
    use crate::probes::{Frame, Kind, Source};
    use crate::rows::Finding;
    use subflow_wire::icmp::{ErrorMessage, v4_type, v6_type};
    use subflow_wire::ip::{v4, v6};
    use subflow_wire::tcp::{self, Flags};

    const NOW_NS: i64 = 1_700_000_000_123_456_000;
    const SENT: u32 = ((NOW_NS - 50_000_000) / 1000) as u32;

    fn probes() -> Probes {
        let source = Source {
            mac: [2, 0, 0, 0, 0, 1],
            v4: Some(([2, 0, 0, 0, 0, 9], "192.0.2.1".parse().unwrap())),
            v6: Some(([2, 0, 0, 0, 0, 8], "2001:db8::1".parse().unwrap())),
        };
        Probes::new(Secret::new(5), SourcePorts::default(), source, true).unwrap()
    }

    fn target(v6: bool) -> Target {
        let addr = if v6 { "2001:db8:7::5" } else { "198.51.100.7" };
        Target { addr: addr.parse().unwrap(), port: 443 }
    }

    /// A packet with an Ethernet header around it.
    fn framed(src: IpAddr, dst: IpAddr, protocol: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = [vec![0; 12], vec![0; 200], payload.to_vec()].concat();
        let header = match (src, dst) {
            (IpAddr::V4(src), IpAddr::V4(dst)) => {
                bytes[12..14].copy_from_slice(&[8, 0]);
                v4::Header::new(src, dst, protocol).emit(payload.len(), &mut bytes[14..])
            }
            (IpAddr::V6(src), IpAddr::V6(dst)) => {
                bytes[12..14].copy_from_slice(&[0x86, 0xdd]);
                v6::Header::new(src, dst, protocol).emit(payload.len(), &mut bytes[14..])
            }
            _ => panic!("mixed families"),
        };
        bytes.truncate(14 + header.unwrap());
        bytes.extend(payload);
        bytes
    }

    /// The answer that a server gives to a probe.
    fn answer(probe: &[u8], flags: Flags, ack: u32, options: &[TcpOption<'_>]) -> Vec<u8> {
        let Dissection::Ip(ip) = dissect(LinkType::ETHERNET, probe, probe.len() as u32) else { panic!() };
        let tcp = Tcp::parse(ip.payload).unwrap();
        let header = tcp::Header {
            src_port: tcp.dst_port(),
            dst_port: tcp.src_port(),
            seq: 77,
            ack: tcp.seq().wrapping_add(ack),
            flags,
            window: 1000,
            urgent: 0,
        };
        let mut segment = [0; 60];
        let len = header.emit(ip.dst, ip.src, options, &[], &mut segment).unwrap();
        framed(ip.dst, ip.src, protocol::TCP, &segment[..len])
    }

    fn read<'a>(probes: &Probes, frame: &'a [u8]) -> Result<Answer<'a>, Rejected> {
        Reader::new(probes).read(LinkType::ETHERNET, frame, frame.len() as u32, NOW_NS)
    }

    #[test]
    fn a_syn_ack_of_ours_is_verified_and_others_are_not() {
        let probes = probes();
        let mut probe = Frame::EMPTY;
        for v6 in [false, true] {
            probes.write(&target(v6), Kind::V1, SENT, &mut probe);
            let cookie = probes.secret().cookie(&target(v6), Kind::V1);
            let options = [
                TcpOption::MaxSegmentSize(1400),
                TcpOption::Timestamps { value: 9, echo: SENT.wrapping_add(cookie.clock) },
            ];
            let frame = answer(probe.as_slice(), Flags::SYN | Flags::ACK, 1, &options);
            let got = read(&probes, &frame).unwrap();
            assert_eq!((got.target, got.kind, got.finding), (target(v6), Kind::V1, Finding::NoOption));
            assert_eq!((got.rtt_micros, got.ttl), (Some(50_000), 64));
            let Packet::Tcp { mss, window, ack, options, .. } = got.packet else { panic!() };
            assert_eq!((mss, window, ack), (Some(1400), 1000, cookie.seq.wrapping_add(1)));
            assert_eq!(options, OptionBytes::new(&frame[frame.len() - 16..]));
            let wrong = answer(probe.as_slice(), Flags::SYN | Flags::ACK, 2, &[]);
            assert_eq!(read(&probes, &wrong), Err(Rejected::Unverified));
            let data = answer(probe.as_slice(), Flags::ACK, 1, &[]);
            assert_eq!(read(&probes, &data), Err(Rejected::NotOurs));
            // The same answer from another port of the same target.
            let mut other = frame.clone();
            let at = if v6 { 54 } else { 34 };
            other[at + 1] ^= 1;
            assert_eq!(read(&probes, &other), Err(Rejected::Unverified));
            // Our own probe, seen on its way out.
            assert_eq!(read(&probes, probe.as_slice()), Err(Rejected::NotOurs));
        }
    }

    #[test]
    fn resets_need_the_acknowledgement() {
        let probes = probes();
        let mut probe = Frame::EMPTY;
        probes.write(&target(false), Kind::Join, SENT, &mut probe);
        let frame = answer(probe.as_slice(), Flags::RST | Flags::ACK, 1, &[]);
        let got = read(&probes, &frame).unwrap();
        assert_eq!((got.finding, got.rtt_micros, got.kind), (Finding::Reset, None, Kind::Join));
        let bare = answer(probe.as_slice(), Flags::RST, 1, &[]);
        assert_eq!(read(&probes, &bare), Err(Rejected::Unverified));
    }

    #[test]
    fn icmp_errors_are_verified_by_what_they_quote() {
        let probes = probes();
        let mut probe = Frame::EMPTY;
        for (v6, router) in [(false, "203.0.113.9"), (true, "2001:db8:9::9")] {
            probes.write(&target(v6), Kind::V0, SENT, &mut probe);
            let src = if v6 {
                probes.source().v6.unwrap().1.into()
            } else {
                IpAddr::V4(probes.source().v4.unwrap().1)
            };
            let packet = &probe.as_slice()[14..];
            let tcp_at = if v6 { 40 } else { 20 };
            for len in [tcp_at + 8, packet.len()] {
                let ty = if v6 { v6_type::UNREACHABLE } else { v4_type::UNREACHABLE };
                let error =
                    ErrorMessage { ty, code: 1, rest: [0; 4], quote: &packet[..len], extensions: &[] };
                let from: IpAddr = router.parse().unwrap();
                let mut message = [0; 300];
                let message_len = error.emit(from, src, &mut message).unwrap();
                let number = if v6 { protocol::ICMPV6 } else { protocol::ICMP };
                let frame = framed(from, src, number, &message[..message_len]);
                let got = read(&probes, &frame).unwrap();
                assert_eq!((got.target, got.kind, got.finding), (target(v6), Kind::V0, Finding::Icmp));
                assert_eq!(got.rtt_micros, (len == packet.len()).then_some(50_000));
                let Packet::Icmp(got) = got.packet else { panic!() };
                assert_eq!((got.ty, got.code, got.from, got.quote), (ty, 1, from, &packet[..len]));
                // A sequence number that is not ours.
                let mut forged = frame.clone();
                let seq_at = frame.len() - len + tcp_at + 4;
                forged[seq_at] ^= 1;
                assert_eq!(read(&probes, &forged), Err(Rejected::Unverified));
                // Too little is quoted.
                let cut = &frame[..frame.len() - len + tcp_at + 4];
                assert!(read(&probes, cut).is_err());
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_makes_it_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..120)) {
            let _ = read(&probes(), &bytes);
        }
    }
}
