//! A middlebox in user space between two interfaces: forwards frames, and does to some targets what boxes on the Internet do to
//! the options of Multipath TCP. Which behaviour a target has is told by the last part of its address.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use subflow_netio::{Config, Ring, Sender, wait};
use subflow_wire::icmp::{ErrorMessage, v4_type, v6_type};
use subflow_wire::ip::{IpPacket, protocol, v4, v6};
use subflow_wire::mptcp::{self, Capable, Mptcp};
use subflow_wire::tcp::{Flags, Header, Tcp, TcpOption};
use subflow_wire::{Dissection, Key, LinkType, checksum, dissect};

/// What happens to the packets of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Behaviour {
    /// Nothing.
    Pass,
    /// A server in user space speaks version 0.
    ServerV0,
    /// A server in user space speaks both versions.
    ServerBoth,
    /// The SYN becomes its own SYN/ACK, all options with it.
    MirrorAll,
    /// The SYN/ACK of a plain server gets the options of Multipath TCP that the SYN had.
    MirrorMptcp,
    /// The options become padding in SYNs.
    StripSyn,
    /// The options become padding in SYN/ACKs.
    StripSynAck,
    /// The options are taken out of SYN/ACKs, which become shorter.
    ShrinkSynAck,
    /// SYNs with the option vanish.
    Drop,
    /// SYNs with the option are reset.
    Reset,
    /// The box ends connections itself, in plain TCP.
    ProxyTcp,
    /// The box ends connections itself, in Multipath TCP.
    ProxyMptcp,
    /// Everything vanishes.
    Filter,
    /// A router says that there is no such host, if it has not said so to somebody just before.
    Unreachable,
    /// The box answers version 1 with version 0.
    WrongVersion,
    /// The first SYN of each connection gets lost.
    LoseFirst,
    /// SYN/ACKs come twice.
    Twice,
}

/// The behaviour of each target: last part of its address, whether Multipath TCP or plain TCP listens behind it (or nothing),
/// and what a scan is to find.
pub(crate) const TARGETS: &[(u8, Behaviour, Option<bool>, &str)] = &[
    (1, Behaviour::Pass, Some(true), "supports_v1"),
    (2, Behaviour::ServerV0, None, "supports_v0"),
    (3, Behaviour::ServerBoth, None, "supports_both"),
    (4, Behaviour::MirrorAll, None, "mirrored"),
    (5, Behaviour::MirrorMptcp, Some(false), "mirrored"),
    // The server gets a SYN without the option and answers as one of plain TCP: only a look at the path can tell.
    (6, Behaviour::StripSyn, Some(true), "plain_tcp"),
    (7, Behaviour::StripSynAck, Some(true), "stripped"),
    (8, Behaviour::ShrinkSynAck, Some(true), "plain_tcp"),
    (9, Behaviour::Drop, Some(true), "dropped_with_option"),
    (10, Behaviour::Reset, Some(true), "reset_with_option"),
    (11, Behaviour::ProxyTcp, Some(true), "plain_tcp"),
    // A proxy that speaks the protocol supports it; that it is not the target only the path can tell.
    (12, Behaviour::ProxyMptcp, Some(false), "supports_v1"),
    (13, Behaviour::Pass, Some(false), "plain_tcp"),
    (14, Behaviour::Pass, None, "closed"),
    (15, Behaviour::Filter, Some(true), "filtered"),
    (16, Behaviour::Unreachable, None, "unreachable"),
    (17, Behaviour::Unreachable, None, "unreachable"),
    (18, Behaviour::Unreachable, None, "unreachable"),
    (19, Behaviour::WrongVersion, None, "malformed"),
    (20, Behaviour::LoseFirst, Some(true), "supports_v1"),
    (21, Behaviour::LoseFirst, Some(false), "plain_tcp"),
    (22, Behaviour::Twice, Some(true), "supports_v1"),
];

/// Least time between two ICMP errors.
const ICMP_EVERY: Duration = Duration::from_millis(60);

/// Forwards between two interfaces until the standard input ends.
pub(crate) fn forward(mut arguments: impl Iterator<Item = String>) -> Result<(), String> {
    let names: [String; 2] =
        [arguments.next().ok_or("an interface lacks")?, arguments.next().ok_or("an interface lacks")?];
    let words = |error: subflow_netio::Error| error.to_string();
    let open = |name: &String| {
        let config =
            Config { interface: name.clone(), snap_len: 2000, ring_bytes: 4 << 20, promiscuous: true };
        // Everything, but not what is sent.
        let all = subflow_netio::Instruction { code: 0x06, jump_true: 0, jump_false: 0, k: 2000 };
        Ring::open_filtered(&config, &[all])
    };
    let mut rings = [open(&names[0]).map_err(words)?, open(&names[1]).map_err(words)?];
    let mut senders =
        [Sender::open(&names[0], false).map_err(words)?, Sender::open(&names[1], false).map_err(words)?];
    let ended = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&ended);
    std::thread::spawn(move || {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        told.store(true, Ordering::Relaxed);
    });
    writeln!(std::io::stdout(), "\nforwarding").map_err(|error| error.to_string())?;
    let mut state =
        Box { behaviours: TARGETS.iter().map(|&(part, what, ..)| (part, what)).collect(), ..Box::default() };
    while !ended.load(Ordering::Relaxed) {
        wait(&rings, Duration::from_millis(10)).map_err(words)?;
        for from in 0..2 {
            let mut out: [Vec<Vec<u8>>; 2] = [Vec::new(), Vec::new()];
            while let Some(block) = rings[from].next_block() {
                for frame in block.frames() {
                    for (back, bytes) in state.frame(frame.data, from == 0) {
                        out[if back { from } else { 1 - from }].push(bytes);
                    }
                }
            }
            for (sender, frames) in senders.iter_mut().zip(&out) {
                for frame in frames {
                    while sender.send(&[frame]).map_err(words)? == 0 {}
                }
            }
        }
    }
    Ok(())
}

/// The port and sequence number of a SYN, and its options of Multipath TCP.
type Asked = (u16, Vec<u8>);

#[derive(Default)]
struct Box {
    behaviours: HashMap<u8, Behaviour>,
    last_icmp: Option<Instant>,
    seen: HashMap<(IpAddr, u16), u32>,
    asked: HashMap<(IpAddr, u16), Vec<Asked>>,
}

/// A frame to send, and whether back to where its cause came from.
type Out = Vec<(bool, Vec<u8>)>;

impl Box {
    /// What becomes of a frame, which comes from the scanner's side or from the targets'.
    fn frame(&mut self, bytes: &[u8], outward: bool) -> Out {
        let pass = || vec![(false, bytes.to_vec())];
        let Dissection::Ip(ip) = dissect(LinkType::ETHERNET, bytes, bytes.len() as u32) else {
            return pass();
        };
        let Ok(tcp) = Tcp::parse(ip.payload) else { return pass() };
        if ip.protocol != protocol::TCP {
            return pass();
        }
        let target = if outward { ip.dst } else { ip.src };
        let part = match target {
            IpAddr::V4(addr) => addr.octets()[3],
            IpAddr::V6(addr) => addr.octets()[15],
        };
        let Some(&behaviour) = self.behaviours.get(&part) else { return pass() };
        if outward {
            self.outward(behaviour, bytes, &ip, &tcp)
        } else {
            self.homeward(behaviour, bytes, &ip, &tcp)
        }
    }

    fn outward(&mut self, behaviour: Behaviour, bytes: &[u8], ip: &IpPacket<'_>, tcp: &Tcp<'_>) -> Out {
        let pass = || vec![(false, bytes.to_vec())];
        let syn = tcp.flags().syn() && !tcp.flags().ack();
        let has_option = tcp.options().first_mptcp().is_some();
        let own_end = matches!(
            behaviour,
            Behaviour::ServerV0
                | Behaviour::ServerBoth
                | Behaviour::MirrorAll
                | Behaviour::ProxyTcp
                | Behaviour::ProxyMptcp
                | Behaviour::WrongVersion
        );
        if !syn {
            return if own_end || behaviour == Behaviour::Filter { vec![] } else { pass() };
        }
        let (mut version0, mut version1) = (false, false);
        for option in tcp.options().mptcp() {
            if let Mptcp::Capable(capable) = option {
                version0 |= capable.version == 0 && capable.sender_key.is_some();
                version1 |= capable.version == 1;
            }
        }
        let key = Key(0x1122_3344_5566_7788 ^ u64::from(tcp.seq()));
        let capable = |version| {
            let flags = Capable::HMAC;
            TcpOption::Mptcp(Mptcp::Capable(Capable {
                version,
                flags,
                sender_key: Some(key),
                receiver_key: None,
                data_len: None,
                checksum: None,
            }))
        };
        let answer = |options: &[TcpOption<'_>]| {
            vec![(true, answer(bytes, ip, tcp, Flags::SYN | Flags::ACK, options))]
        };
        let none: &[TcpOption<'_>] = &[];
        match behaviour {
            Behaviour::Filter => vec![],
            Behaviour::Drop if has_option => vec![],
            Behaviour::Reset if has_option => {
                vec![(true, self::answer(bytes, ip, tcp, Flags::RST | Flags::ACK, none))]
            }
            Behaviour::StripSyn => vec![(false, padded(bytes, ip, tcp))],
            Behaviour::ServerV0 if version0 => answer(&with_common(tcp, &[capable(0)])),
            Behaviour::ServerBoth if version1 => answer(&with_common(tcp, &[capable(1)])),
            Behaviour::ServerBoth if version0 => answer(&with_common(tcp, &[capable(0)])),
            Behaviour::WrongVersion if version1 || version0 => {
                answer(&with_common(tcp, &[capable(u8::from(!version1))]))
            }
            Behaviour::ProxyMptcp if version1 => answer(&with_common(tcp, &[capable(1)])),
            Behaviour::ServerV0
            | Behaviour::ServerBoth
            | Behaviour::WrongVersion
            | Behaviour::ProxyMptcp
            | Behaviour::ProxyTcp => answer(&with_common(tcp, none)),
            Behaviour::MirrorAll => answer(&tcp.options().collect::<Vec<_>>()),
            Behaviour::MirrorMptcp => {
                self.asked
                    .entry((ip.dst, tcp.src_port()))
                    .or_default()
                    .push((tcp.src_port(), tcp.option_bytes().to_vec()));
                // The server must not answer with an option of its own.
                vec![(false, padded(bytes, ip, tcp))]
            }
            Behaviour::Unreachable => {
                if self.last_icmp.is_some_and(|last| last.elapsed() < ICMP_EVERY) {
                    return vec![];
                }
                self.last_icmp = Some(Instant::now());
                vec![(true, unreachable(bytes, ip))]
            }
            Behaviour::LoseFirst => {
                let times = self.seen.entry((ip.dst, tcp.src_port())).or_insert(0);
                *times += 1;
                if *times == 1 { vec![] } else { pass() }
            }
            _ => pass(),
        }
    }

    fn homeward(&mut self, behaviour: Behaviour, bytes: &[u8], ip: &IpPacket<'_>, tcp: &Tcp<'_>) -> Out {
        let pass = || vec![(false, bytes.to_vec())];
        if !(tcp.flags().syn() && tcp.flags().ack()) {
            return if behaviour == Behaviour::Filter { vec![] } else { pass() };
        }
        match behaviour {
            Behaviour::StripSynAck => vec![(false, padded(bytes, ip, tcp))],
            Behaviour::ShrinkSynAck => {
                let options: Vec<_> =
                    tcp.options().filter(|option| !matches!(option, TcpOption::Mptcp(_))).collect();
                vec![(false, rebuilt(bytes, ip, tcp, &options))]
            }
            Behaviour::MirrorMptcp => {
                let asked = self.asked.get(&(ip.src, tcp.dst_port())).and_then(|asked| asked.last()).cloned();
                let (_, sent) = asked.unwrap_or_default();
                let mirrored: Vec<_> = subflow_wire::tcp::Options::new(&sent)
                    .filter(|option| matches!(option, TcpOption::Mptcp(_)))
                    .collect();
                let options: Vec<_> = tcp
                    .options()
                    .filter(|option| !matches!(option, TcpOption::Mptcp(_) | TcpOption::End))
                    .chain(mirrored)
                    .collect();
                vec![(false, rebuilt(bytes, ip, tcp, &options))]
            }
            Behaviour::Twice => vec![(false, bytes.to_vec()), (false, bytes.to_vec())],
            _ => pass(),
        }
    }
}

/// The options that a server has, with further ones.
fn with_common<'a>(syn: &Tcp<'_>, more: &[TcpOption<'a>]) -> Vec<TcpOption<'a>> {
    let mut options = vec![TcpOption::MaxSegmentSize(1400), TcpOption::SackPermitted];
    for option in syn.options() {
        if let TcpOption::Timestamps { value, .. } = option {
            options.push(TcpOption::Timestamps { value: 7, echo: value });
        }
    }
    options.extend_from_slice(more);
    options
}

/// A frame with the link header of another, an IP header between two addresses and a payload.
fn framed(link: &[u8], src: IpAddr, dst: IpAddr, number: u8, payload: &[u8]) -> Vec<u8> {
    let mut header = [0; 40];
    let len = match (src, dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => {
            v4::Header::new(src, dst, number).emit(payload.len(), &mut header)
        }
        (IpAddr::V6(src), IpAddr::V6(dst)) => {
            v6::Header::new(src, dst, number).emit(payload.len(), &mut header)
        }
        _ => panic!("mixed families"),
    };
    [link, &header[..len.expect("room")], payload].concat()
}

/// The link header of a frame that goes back.
fn returned(bytes: &[u8]) -> Vec<u8> {
    [&bytes[6..12], &bytes[..6], &bytes[12..14]].concat()
}

/// An answer to a SYN.
fn answer(
    bytes: &[u8],
    ip: &IpPacket<'_>,
    syn: &Tcp<'_>,
    flags: Flags,
    options: &[TcpOption<'_>],
) -> Vec<u8> {
    let header = Header {
        src_port: syn.dst_port(),
        dst_port: syn.src_port(),
        seq: 1,
        ack: syn.seq().wrapping_add(1),
        flags,
        window: 65_000,
        urgent: 0,
    };
    let mut segment = [0; 60];
    let len = header.emit(ip.dst, ip.src, options, &[], &mut segment).expect("options that fit");
    framed(&returned(bytes), ip.dst, ip.src, protocol::TCP, &segment[..len])
}

/// The frame with other options.
fn rebuilt(bytes: &[u8], ip: &IpPacket<'_>, tcp: &Tcp<'_>, options: &[TcpOption<'_>]) -> Vec<u8> {
    let mut segment = [0; 60];
    let len = Header::from(tcp).emit(ip.src, ip.dst, options, &[], &mut segment).expect("options that fit");
    framed(&bytes[..14], ip.src, ip.dst, protocol::TCP, &segment[..len])
}

/// The frame with padding over its options of Multipath TCP.
fn padded(bytes: &[u8], ip: &IpPacket<'_>, tcp: &Tcp<'_>) -> Vec<u8> {
    let segment_at = bytes.len() - ip.payload.len();
    let mut out = bytes.to_vec();
    let mut at = segment_at + 20;
    for option in tcp.options() {
        if option.kind() == mptcp::KIND {
            out[at..at + option.len()].fill(1);
        }
        at += option.len();
    }
    let segment = &mut out[segment_at..];
    segment[16..18].fill(0);
    let sum = checksum::transport(ip.src, ip.dst, protocol::TCP, segment);
    segment[16..18].copy_from_slice(&sum.to_be_bytes());
    out
}

/// "Host unreachable" from a router.
fn unreachable(bytes: &[u8], ip: &IpPacket<'_>) -> Vec<u8> {
    let (router, ty, code): (IpAddr, u8, u8) = if ip.src.is_ipv4() {
        ("192.168.77.99".parse().expect("an address"), v4_type::UNREACHABLE, 1)
    } else {
        ("fd77::99".parse().expect("an address"), v6_type::UNREACHABLE, 3)
    };
    // RFC 792: the IP header and 8 bytes. RFC 4443: as much as fits.
    let packet = &bytes[14..];
    let quote = if ip.src.is_ipv4() { &packet[..28] } else { packet };
    let mut message = [0; 300];
    let error = ErrorMessage { ty, code, rest: [0; 4], quote, extensions: &[] };
    let len = error.emit(router, ip.src, &mut message).expect("room");
    let number = if ip.src.is_ipv4() { protocol::ICMP } else { protocol::ICMPV6 };
    framed(&returned(bytes), router, ip.src, number, &message[..len])
}
