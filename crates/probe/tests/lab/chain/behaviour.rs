//! What boxes do to segments on their way out and home.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use subflow_wire::mptcp;

use super::packet::Packet;
use super::{MPTCP, PLAIN};

/// What a box does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Behaviour {
    /// Nothing.
    Pass,
    /// The options of Multipath TCP become padding, in everything that goes out.
    Strip,
    /// They are taken out, and the header becomes shorter.
    Shrink,
    /// They become padding in everything but SYNs.
    StripData,
    /// They become padding in the SYN/ACK alone.
    StripSynAck,
    /// They are taken out of the SYN/ACK.
    ShrinkSynAck,
    /// SYNs with them vanish.
    Drop,
    /// SYNs with them are reset.
    Reset,
    /// SYNs vanish, whatever they carry.
    DropAll,
    /// A SYN becomes its own SYN/ACK, with all of its options.
    Mirror,
    /// The SYN/ACK gets the options of Multipath TCP that the SYN had; the server sees none.
    MirrorMptcp,
    /// The box answers as a server of plain TCP for ports 80 and 81; nothing goes on.
    Proxy,
    /// The same as a server of Multipath TCP.
    ProxyMptcp,
    /// The keys in SYN and SYN/ACK are changed.
    SwapKey,
    /// Sequence numbers are shifted; with `true` quotes show the old ones.
    Sequence(bool),
    /// Source address and port are changed; with `true` quotes show the old ones.
    Nat(bool),
    /// The destination becomes the target beside it; with `true` quotes show the old one.
    Redirect(bool),
    /// The maximum segment size is lowered.
    Mss,
    /// The hop limit is set to this.
    Limit(u8),
    /// DSCP is set to 0x2e (expedited forwarding).
    Dscp,
    /// Timestamps are taken out.
    NoTimestamps,
    /// SACK-permitted becomes padding.
    NoSack,
    /// The options come in reverse order.
    Reorder,
    /// Options of Multipath TCP come twice, where there is room.
    Duplicate,
    /// The payload is changed.
    Payload,
    /// The window is changed.
    Window,
    /// The checksum becomes wrong.
    Checksum,
}

/// What becomes of a segment at a box.
pub(crate) enum Fate {
    /// It goes on as it now is.
    On,
    /// It vanishes.
    Gone,
    /// The box answers it.
    Answered(Packet),
}

/// What boxes have to remember.
#[derive(Default)]
pub(crate) struct Memory {
    /// By the source port of the network's outside, and whether it is IPv6: who came from there.
    nat: HashMap<(u16, bool), IpAddr>,
    /// By target and port: the options of Multipath TCP of the SYN.
    asked: HashMap<(IpAddr, u16), Vec<Vec<u8>>>,
}

/// What sequence numbers are shifted by.
const SHIFT: u32 = 0x1357_9bdf;
/// What keys are changed by.
const SWAP: u8 = 0xa5;
/// What ports are changed by.
const PORTS: u16 = 0x2000;
const TIMESTAMPS: u8 = 8;
const SACK_PERMITTED: u8 = 4;
const MSS: u8 = 2;
const CLAMPED: u16 = 1300;

/// The address of a network's outside.
pub(crate) fn outside(v6: bool) -> IpAddr {
    if v6 {
        Ipv6Addr::new(0xfd66, 0, 0, 0, 0, 0, 0, 0x66).into()
    } else {
        Ipv4Addr::new(10, 66, 0, 66).into()
    }
}

/// The target beside, and back: they come in pairs.
fn beside(addr: IpAddr) -> IpAddr {
    match addr {
        IpAddr::V4(addr) => Ipv4Addr::from(u32::from(addr) ^ 1).into(),
        IpAddr::V6(addr) => Ipv6Addr::from(u128::from(addr) ^ 1).into(),
    }
}

impl Behaviour {
    /// What it does to a segment on its way out.
    pub(crate) fn outward(self, packet: &mut Packet, memory: &mut Memory) -> Fate {
        let (syn, asks) = (packet.is_syn(), packet.option(mptcp::KIND).is_some());
        match self {
            Self::Pass | Self::StripSynAck | Self::ShrinkSynAck => {}
            Self::Strip => packet.pad(mptcp::KIND),
            Self::Shrink => packet.remove(mptcp::KIND),
            Self::StripData if !syn => packet.pad(mptcp::KIND),
            Self::StripData => {}
            Self::Drop if syn && asks => return Fate::Gone,
            Self::DropAll if syn => return Fate::Gone,
            Self::Reset if syn && asks => return Fate::Answered(answer(packet, 0x14, vec![])),
            Self::Drop | Self::DropAll | Self::Reset => {}
            Self::Mirror if syn => return Fate::Answered(answer(packet, 0x12, packet.options.clone())),
            Self::MirrorMptcp if syn => {
                let asked =
                    packet.options.iter().filter(|option| option[0] == mptcp::KIND).cloned().collect();
                memory.asked.insert((packet.dst(), packet.src_port()), asked);
                packet.pad(mptcp::KIND);
            }
            Self::MirrorMptcp => {}
            Self::Mirror => return Fate::Gone,
            // Other ports are none of its business.
            Self::Proxy | Self::ProxyMptcp if ![MPTCP, PLAIN].contains(&packet.dst_port()) => {}
            Self::Proxy | Self::ProxyMptcp => return proxy(packet, self == Self::ProxyMptcp),
            Self::SwapKey => swap_keys(packet),
            Self::Sequence(_) => packet.set_seq(packet.seq().wrapping_add(SHIFT)),
            Self::Nat(_) => {
                memory.nat.insert((packet.src_port() ^ PORTS, packet.is_v6()), packet.src());
                packet.set_src_port(packet.src_port() ^ PORTS);
                packet.set_src(outside(packet.is_v6()));
            }
            Self::Redirect(_) => packet.set_dst(beside(packet.dst())),
            Self::Mss => clamp(packet),
            Self::Limit(limit) => *packet.hop_limit() = limit,
            Self::Dscp => packet.set_traffic_class(0x2e << 2),
            Self::NoTimestamps => packet.remove(TIMESTAMPS),
            Self::NoSack => packet.pad(SACK_PERMITTED),
            Self::Reorder => {
                // The end of options stays at the end.
                packet.remove(0);
                packet.options.reverse();
            }
            Self::Duplicate => duplicate(packet),
            Self::Payload => packet.payload.iter_mut().for_each(|byte| *byte ^= 0x20),
            Self::Window => packet.window().copy_from_slice(&1234_u16.to_be_bytes()),
            Self::Checksum => packet.broken = true,
        }
        Fate::On
    }

    /// What it does to a segment on its way home.
    pub(crate) fn homeward(self, packet: &mut Packet, memory: &mut Memory) -> Fate {
        let opens = packet.is_syn_ack();
        match self {
            Self::StripSynAck if opens => packet.pad(mptcp::KIND),
            Self::ShrinkSynAck if opens => packet.remove(mptcp::KIND),
            Self::StripData if !opens => packet.pad(mptcp::KIND),
            Self::MirrorMptcp if opens => {
                let asked = memory.asked.get(&(packet.src(), packet.dst_port()));
                packet.options.extend(asked.into_iter().flatten().cloned());
            }
            Self::SwapKey => swap_keys(packet),
            Self::Sequence(_) if packet.has_ack() => packet.set_ack(packet.ack().wrapping_sub(SHIFT)),
            Self::Nat(_) => {
                let Some(&inside) = memory.nat.get(&(packet.dst_port(), packet.is_v6())) else {
                    return Fate::Gone;
                };
                packet.set_dst(inside);
                packet.set_dst_port(packet.dst_port() ^ PORTS);
            }
            Self::Redirect(_) => packet.set_src(beside(packet.src())),
            Self::Mss if opens => clamp(packet),
            _ => {}
        }
        Fate::On
    }

    /// A packet that a router beyond the box is about to quote, as the box lets the quote through.
    pub(crate) fn quoted(self, packet: &mut Packet, memory: &Memory) {
        match self {
            Self::Sequence(true) => packet.set_seq(packet.seq().wrapping_sub(SHIFT)),
            Self::Nat(true) => {
                if let Some(&inside) = memory.nat.get(&(packet.src_port(), packet.is_v6())) {
                    packet.set_src(inside);
                    packet.set_src_port(packet.src_port() ^ PORTS);
                }
            }
            Self::Redirect(true) => packet.set_dst(beside(packet.dst())),
            _ => {}
        }
    }
}

/// The answer of a box in a server's name.
pub(super) fn answer(packet: &Packet, flags: u8, options: Vec<Vec<u8>>) -> Packet {
    let mut answer = packet.clone();
    answer.set_src(packet.dst());
    answer.set_dst(packet.src());
    answer.set_src_port(packet.dst_port());
    answer.set_dst_port(packet.src_port());
    let len = packet.payload.len() as u32 + u32::from(packet.is_syn());
    let opens = flags & 2 != 0;
    answer.set_seq(if opens { 0x4200_0000 } else { packet.ack() });
    answer.set_ack(packet.seq().wrapping_add(len));
    answer.tcp[13] = flags;
    answer.tcp[12] = 0;
    *answer.hop_limit() = 64;
    answer.set_traffic_class(0);
    answer.payload.clear();
    (answer.options, answer.broken) = (options, false);
    answer
}

/// A server in the box.
fn proxy(packet: &Packet, multipath: bool) -> Fate {
    if packet.is_reset() {
        return Fate::Gone;
    }
    if !packet.is_syn() {
        // Data is acknowledged; an acknowledgement alone is not answered.
        return if packet.payload.is_empty() {
            Fate::Gone
        } else {
            Fate::Answered(answer(packet, 0x10, vec![]))
        };
    }
    let mut options = vec![vec![MSS, 4, 5, 0xb4], vec![1], vec![1], vec![SACK_PERMITTED, 2]];
    let asked = packet.option(mptcp::KIND);
    if multipath && asked.is_some_and(|option| option[2] == 0x01) {
        options.push([&[mptcp::KIND, 12, 0x01, 0x01][..], &[0x77; 8]].concat());
    }
    Fate::Answered(answer(packet, 0x12, options))
}

/// Changes the keys in MP_CAPABLE.
fn swap_keys(packet: &mut Packet) {
    for option in packet.options.iter_mut().filter(|option| option[0] == mptcp::KIND && option[2] >> 4 == 0) {
        for byte in option.iter_mut().skip(4).take(8) {
            *byte ^= SWAP;
        }
    }
}

fn clamp(packet: &mut Packet) {
    for option in packet.options.iter_mut().filter(|option| option[0] == MSS) {
        let before = u16::from_be_bytes([option[2], option[3]]);
        option[2..4].copy_from_slice(&before.min(CLAMPED).to_be_bytes());
    }
}

fn duplicate(packet: &mut Packet) {
    let twice: Vec<Vec<u8>> =
        packet.options.iter().filter(|option| option[0] == mptcp::KIND).cloned().collect();
    packet.options.extend(twice);
    while packet.options.iter().map(Vec::len).sum::<usize>() > 40 {
        packet.options.pop();
    }
}
