//! A box that removes Multipath TCP options (Honda et al., IMC 2011: some paths do from SYNs, fewer from data).

use subflow_wire::mptcp::Mptcp;
use subflow_wire::tcp::TcpOption;

use super::Way;
use crate::header::Header;

/// Which segments a box acts on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Segments {
    /// SYNs without ACK.
    pub syn: bool,
    /// SYN/ACKs.
    pub syn_ack: bool,
    /// All others.
    pub data: bool,
}

impl Segments {
    /// SYNs alone.
    pub const SYN: Self = Self { syn: true, syn_ack: false, data: false };
    /// SYN/ACKs alone.
    pub const SYN_ACK: Self = Self { syn: false, syn_ack: true, data: false };
    /// Everything after the handshake's first two segments.
    pub const DATA: Self = Self { syn: false, syn_ack: false, data: true };
    /// All.
    pub const ALL: Self = Self { syn: true, syn_ack: true, data: true };

    /// Whether a segment is one of them.
    pub const fn contain(self, header: &Header) -> bool {
        match (header.flags.syn(), header.flags.ack()) {
            (true, false) => self.syn,
            (true, true) => self.syn_ack,
            _ => self.data,
        }
    }
}

/// Removes Multipath TCP options.
#[derive(Clone, Debug)]
pub struct Strip {
    /// From which segments.
    pub from: Segments,
    /// Of these ways only; all when `None`.
    pub way: Option<Way>,
    /// Only options of these subtypes, a bit each (`1 << subtype`).
    pub subtypes: u16,
    /// NOPs take their place; otherwise the header shrinks.
    pub nops: bool,
    /// Segments changed so far.
    pub changed: u64,
}

impl Strip {
    /// Every option from these segments, NOPs in their place.
    pub const fn new(from: Segments) -> Self {
        Self { from, way: None, subtypes: u16::MAX, nops: true, changed: 0 }
    }

    pub(super) fn pass(&mut self, way: Way, header: &mut Header) {
        if !self.from.contain(header) || self.way.is_some_and(|only| only != way) {
            return;
        }
        let subtypes = self.subtypes;
        let meant =
            |option: &Mptcp<'_>| option.subtype().is_none_or(|number| subtypes >> number.min(15) & 1 == 1);
        let gone = header.options.retain(self.nops, |option| match option {
            TcpOption::Mptcp(option) => !meant(option),
            _ => true,
        });
        self.changed += u64::from(gone > 0);
    }
}
