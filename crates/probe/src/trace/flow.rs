//! The packets of one flow: all alike but for the hop limit and a number, so that they take one path and each answer tells what it
//! answers.
//!
//! Addresses, ports, sequence number and flow label are the same in all probes of a flow: routers that spread load by them send all
//! the same way, and a server takes the second SYN for the first one again. The number of the probe stands in the timestamp, which a
//! SYN/ACK returns, and in the identification of IPv4 or the window of IPv6, which short quotes have. All else is a
//! keyed function of target and flow: who has not seen a probe cannot make up its answer.

use std::hash::Hasher;
use std::net::IpAddr;

use siphasher::sip128::{Hasher128, SipHasher13};
use subflow_wire::ip::IpPacket;
use subflow_wire::tcp::{Flags, Header, Tcp, TcpOption};

use super::language::{OptionSpec, Values};
use crate::answers::OptionBytes;
use crate::network::Head;
use crate::rows::Asks;
use crate::targets::{Target, mix};

/// Probes of one flow: more cannot be told apart.
pub(super) const MOST: u16 = 1 << NUMBER_BITS;
const NUMBER_BITS: u32 = 10;
/// The window of a SYN over IPv4; over IPv6 the lowest bits are the probe's number.
const WINDOW: u16 = 64_240;
const WINDOW_V6: u16 = 0xf800;

/// What all packets of a flow have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Flow {
    pub(super) target: Target,
    pub(super) src: IpAddr,
    pub(super) src_port: u16,
    pub(super) seq: u32,
    /// Timestamp of the probe with number 0.
    clock: u32,
    mask: u16,
    label: u32,
    pub(super) key: u64,
    canary: [u8; 2],
    pub(super) what: What,
}

/// What a flow's packets are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// SYNs with these options.
    Syn(OptionSpec),
    /// Data on a connection that was opened: flags ACK and PSH.
    Data {
        /// What is acknowledged.
        ack: u32,
        /// The timestamp that is returned; `None` where the other side has none.
        echo: Option<u32>,
        /// Further options.
        options: OptionBytes,
        /// The data.
        payload: Vec<u8>,
    },
}

/// What makes a flow's secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Id {
    pub(super) asks: Asks,
    pub(super) flow: u32,
    pub(super) round: u32,
}

impl Flow {
    pub(super) fn new(seed: u64, target: Target, (src, src_port): (IpAddr, u16), id: Id, what: What) -> Self {
        let mut hasher = SipHasher13::new_with_keys(mix(seed), mix(seed ^ 0x7261_6365));
        match target.addr {
            IpAddr::V4(addr) => hasher.write(&addr.octets()),
            IpAddr::V6(addr) => hasher.write(&addr.octets()),
        }
        hasher.write_u16(target.port);
        hasher.write_u8(id.asks as u8);
        hasher.write_u32(id.flow);
        hasher.write_u32(id.round);
        let hash = hasher.finish128();
        let rest = mix(hash.h1 ^ mix(hash.h2));
        // One label a flow, whatever is asked: paths that go by it do not differ for the control.
        let label = mix(seed ^ u64::from(id.flow)) as u32 & 0xf_ffff;
        Self {
            target,
            src,
            src_port,
            seq: hash.h1 as u32,
            // Far from where it would go round: timestamps must not go back.
            clock: (hash.h1 >> 32) as u32 & 0x3fff_ffff | 0x1000_0000,
            mask: rest as u16,
            label: label.max(1),
            key: hash.h2,
            canary: [(rest >> 16) as u8, (rest >> 24) as u8],
            what,
        }
    }

    fn values(&self, number: u16) -> Values {
        Values { clock: self.clock.wrapping_add(u32::from(number)), key: self.key, canary: self.canary }
    }

    fn identification(&self, number: u16) -> u16 {
        // 0 would be the kernel's to choose.
        match self.mask ^ number {
            0 => 1 << 15,
            id => id,
        }
    }

    fn window(&self, number: u16) -> u16 {
        if self.src.is_ipv4() { WINDOW } else { WINDOW_V6 | (self.mask ^ number) & (MOST - 1) }
    }

    /// Writes the probe of a number into `out`, which it replaces.
    pub(super) fn write(&self, number: u16, hop: u8, out: &mut Vec<u8>) {
        let (identification, flow_label) = (self.identification(number), self.label);
        let head =
            Head { hop_limit: hop, identification, flow_label, ..Head::new(self.src, self.target.addr) };
        let mut header = Header {
            src_port: self.src_port,
            dst_port: self.target.port,
            seq: self.seq,
            flags: Flags::SYN,
            window: self.window(number),
            ..Header::default()
        };
        let raw = |bytes| TcpOption::Malformed { kind: 0, bytes, reason: "" };
        // Options and addresses fit, for they were checked when the flow was made.
        let written = match &self.what {
            What::Syn(spec) => {
                let options = spec.render(&self.values(number));
                head.segment(&header, &[raw(options.as_slice())], &[], out)
            }
            What::Data { ack, echo, options, payload } => {
                header.ack = *ack;
                header.flags = Flags::ACK | Flags::PSH;
                let value = self.values(number).clock;
                let clock =
                    echo.map(|echo| [TcpOption::Nop, TcpOption::Nop, TcpOption::Timestamps { value, echo }]);
                let all: Vec<_> = clock.into_iter().flatten().chain([raw(options.as_slice())]).collect();
                head.segment(&header, &all, payload, out)
            }
        };
        if written.is_err() {
            out.clear();
        }
    }

    /// A timestamp later than those of all probes.
    pub(super) fn later(&self) -> u32 {
        self.clock.wrapping_add(u32::from(MOST))
    }

    /// Goes on with a connection: its packets begin with this number.
    pub(super) fn continue_at(&mut self, seq: u32) {
        self.seq = seq;
        // Above any timestamp of a handshake, which is below 2^30 and some.
        self.clock |= 1 << 30;
    }

    /// The number that a timestamp stands for.
    pub(super) fn by_clock(&self, clock: u32) -> Option<u16> {
        u16::try_from(clock.wrapping_sub(self.clock)).ok().filter(|&number| number < MOST)
    }

    fn by_identification(&self, identification: u32) -> Option<u16> {
        let id = u16::try_from(identification).ok()?;
        let number = if id == 1 << 15 && self.mask < MOST { self.mask } else { self.mask ^ id };
        (number < MOST).then_some(number)
    }

    fn by_window(&self, window: u16) -> Option<u16> {
        (self.src.is_ipv6() && window & !(MOST - 1) == WINDOW_V6).then_some((window ^ self.mask) & (MOST - 1))
    }

    /// How a quote shows that it is of this flow, and which probe it quotes as far as that shows; `None` when it is of no packet of
    /// this flow. Boxes may have changed ports or numbers, not both in one: something keyed must be as it was sent.
    pub(super) fn quoted(&self, quoted: &IpPacket<'_>, sent: u16) -> Option<Option<u16>> {
        let head = quoted.payload.first_chunk::<8>()?;
        let port = |at: usize| u16::from_be_bytes([head[at], head[at + 1]]);
        let seq = u32::from_be_bytes([head[4], head[5], head[6], head[7]]);
        let tcp = Tcp::parse(quoted.payload).ok();
        let clock = tcp.and_then(|tcp| timestamps(&tcp)).and_then(|(value, _)| self.by_clock(value));
        let known = |number: &u16| *number < sent;
        let clock = clock.filter(known);
        let id =
            self.src.is_ipv4().then(|| self.by_identification(quoted.identification)).flatten().filter(known);
        let window = tcp.and_then(|tcp| self.by_window(tcp.window())).filter(known);
        let same_seq = seq == self.seq;
        let same_ports =
            port(0) == self.src_port && port(2) == self.target.port && quoted.dst == self.target.addr;
        let first = quoted.header.first_chunk::<4>().map(|word| u32::from_be_bytes(*word) & 0xf_ffff);
        let same_label = self.src.is_ipv6() && first == Some(self.label);
        let of_this = same_seq || (same_ports && (clock.is_some() || id.is_some() || same_label));
        of_this.then(|| clock.or(id).or(window))
    }
}

/// The timestamps of a segment: its own, and the one that it returns.
pub(super) fn timestamps(tcp: &Tcp<'_>) -> Option<(u32, u32)> {
    tcp.options().find_map(|option| match option {
        TcpOption::Timestamps { value, echo } => Some((value, echo)),
        _ => None,
    })
}
