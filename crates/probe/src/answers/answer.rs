//! One verified answer as a value.

use std::net::IpAddr;

use subflow_rows::{Hex64, Time};
use subflow_wire::tcp::Tcp;

use super::finding::{Common, Mptcp, look};
use crate::probes::{Asked, Kind};
use crate::rows::{AnswerKind, Finding, Probe};
use crate::targets::{Target, hex};

/// The option bytes of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OptionBytes {
    bytes: [u8; 40],
    len: u8,
}

impl OptionBytes {
    /// The first 40 bytes of what a header holds.
    pub fn new(options: &[u8]) -> Self {
        let len = options.len().min(40);
        let mut bytes = [0; 40];
        bytes[..len].copy_from_slice(&options[..len]);
        Self { bytes, len: len as u8 }
    }

    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

/// An ICMP error that quotes a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IcmpError<'a> {
    /// Type.
    pub ty: u8,
    /// Code.
    pub code: u8,
    /// Who says so.
    pub from: IpAddr,
    /// The quoted packet as far as it is quoted.
    pub quote: &'a [u8],
}

/// What came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packet<'a> {
    /// A SYN/ACK or a reset.
    Tcp {
        /// Which of them.
        kind: AnswerKind,
        /// Receive window.
        window: u16,
        /// What it acknowledges: our sequence number after the SYN.
        ack: u32,
        /// Maximum segment size.
        mss: Option<u16>,
        /// All options.
        options: OptionBytes,
    },
    /// An error message.
    Icmp(IcmpError<'a>),
}

/// A verified answer to a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer<'a> {
    /// When it came, in nanoseconds since the Unix epoch.
    pub time_ns: i64,
    /// Who was asked.
    pub target: Target,
    /// Address that asked.
    pub src_addr: IpAddr,
    /// Port that asked.
    pub src_port: u16,
    /// What was asked.
    pub kind: Kind,
    /// Time to live, or hop limit.
    pub ttl: u8,
    /// Microseconds from probe to answer, where the answer tells.
    pub rtt_micros: Option<u32>,
    /// What it says about Multipath TCP.
    pub finding: Finding,
    /// What its option of Multipath TCP holds.
    pub mptcp: Mptcp,
    /// What came.
    pub packet: Packet<'a>,
}

impl<'a> Answer<'a> {
    /// The answer that a TCP segment is; `None` for what is neither SYN/ACK nor reset. `rtt` makes microseconds from probe to answer
    /// of the timestamp that it returns.
    #[inline]
    pub(super) fn of_tcp(
        asked: &Asked,
        tcp: &Tcp<'_>,
        meta: Meta,
        rtt: impl FnOnce(Option<u32>) -> Option<u32>,
    ) -> Option<Self> {
        let flags = tcp.flags();
        let kind = match (flags.syn(), flags.ack(), flags.rst()) {
            (true, true, false) => AnswerKind::SynAck,
            (false, _, true) => AnswerKind::Reset,
            _ => return None,
        };
        let (finding, mptcp, Common { mss, echo }) = look(asked, kind, tcp.options());
        let meta = Meta { rtt_micros: rtt(echo), ..meta };
        let packet = Packet::Tcp {
            kind,
            window: tcp.window(),
            ack: tcp.ack(),
            mss,
            options: OptionBytes::new(tcp.option_bytes()),
        };
        Some(meta.answer(asked.kind, finding, mptcp, packet))
    }

    /// What kind of packet it is.
    pub fn answer_kind(&self) -> AnswerKind {
        match self.packet {
            Packet::Tcp { kind, .. } => kind,
            Packet::Icmp(_) => AnswerKind::Icmp,
        }
    }

    /// Its row of table `probes`.
    pub fn row(&self, repeat: bool) -> Probe {
        let mut row = Probe {
            time: Time(self.time_ns),
            addr: self.target.addr,
            port: self.target.port,
            src_addr: self.src_addr,
            src_port: self.src_port,
            kind: self.kind,
            answer: self.answer_kind(),
            finding: self.finding,
            repeat,
            from_addr: None,
            ttl: self.ttl,
            rtt: self.rtt_micros.map(|micros| f64::from(micros) / 1e6),
            window: None,
            mss: None,
            options: None,
            mptcp_version: self.mptcp.version,
            mptcp_flags: self.mptcp.flags,
            mptcp_key: self.mptcp.key.map(|key| Hex64(key.0)),
            reset_reason: self.mptcp.reset_reason,
            canary_returned: self.mptcp.canary_returned,
            icmp_type: None,
            icmp_code: None,
            quote: None,
        };
        match &self.packet {
            Packet::Tcp { window, mss, options, .. } => {
                row.window = Some(*window);
                row.mss = *mss;
                row.options = Some(hex(options.as_slice()));
            }
            Packet::Icmp(error) => {
                row.from_addr = (error.from != self.target.addr).then_some(error.from);
                (row.icmp_type, row.icmp_code) = (Some(error.ty), Some(error.code));
                row.quote = Some(hex(error.quote));
            }
        }
        row
    }
}

/// What is known of an answer apart from its packet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Meta {
    pub(super) time_ns: i64,
    pub(super) target: Target,
    pub(super) src_addr: IpAddr,
    pub(super) src_port: u16,
    pub(super) ttl: u8,
    pub(super) rtt_micros: Option<u32>,
}

impl Meta {
    pub(super) fn answer(self, kind: Kind, finding: Finding, mptcp: Mptcp, packet: Packet<'_>) -> Answer<'_> {
        let Self { time_ns, target, src_addr, src_port, ttl, rtt_micros } = self;
        Answer { time_ns, target, src_addr, src_port, kind, ttl, rtt_micros, finding, mptcp, packet }
    }
}
