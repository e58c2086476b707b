//! What must be remembered of each flow while its packets pass: sequence numbers, nonces and keys of its handshake.

use std::{collections::HashMap, net::IpAddr};
use subflow_wire::{
    keys::{Key, Version},
    mptcp::{Dsn, Join, Mptcp},
    tcp::Tcp,
};

/// An address and a port.
pub(crate) type End = (IpAddr, u16);

/// The two ends of a flow, lower one first, so that both directions give the same key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct FlowKey {
    pub(crate) ends: [End; 2],
}

impl FlowKey {
    /// The key of a packet, and which side of it sent the packet.
    pub(crate) fn of(from: End, to: End) -> (Self, usize) {
        if from <= to { (Self { ends: [from, to] }, 0) } else { (Self { ends: [to, from] }, 1) }
    }
}

/// A flow with MPTCP options. Pairs are indexed by the side of the key.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Flow {
    /// Initial sequence numbers.
    pub(crate) isn: [Option<u32>; 2],
    /// Whether a SYN carried data (TCP Fast Open).
    pub(crate) fast_open: bool,
    /// Random numbers of a join.
    pub(crate) nonces: [Option<u32>; 2],
    /// Keys that MP_CAPABLE has shown on this flow.
    pub(crate) keys: [Option<Key>; 2],
    /// Version of that MP_CAPABLE.
    pub(crate) version: Option<Version>,
    /// Token of a join, and the side that it belongs to.
    pub(crate) token: Option<(usize, u32)>,
    opener: Option<(usize, u32)>,
}

/// All flows with MPTCP options, and how far the data sequence numbers of each key have come.
#[derive(Debug, Default)]
pub(crate) struct Flows {
    flows: HashMap<FlowKey, Flow>,
    near: HashMap<Key, u64>,
}

impl Flows {
    /// Takes what a packet tells of its flow; returns what is known of it then, or nothing while it has shown no MPTCP.
    pub(crate) fn see(&mut self, key: FlowKey, side: usize, tcp: &Tcp<'_>, len: u32) -> Option<Flow> {
        let flags = tcp.flags();
        if tcp.options().first_mptcp().is_none() {
            return self.flows.get(&key).copied();
        }
        let flow = self.flows.entry(key).or_default();
        if flags.syn() {
            if !flags.ack() && flow.opener != Some((side, tcp.seq())) {
                *flow = Flow { opener: Some((side, tcp.seq())), ..Flow::default() };
            }
            flow.isn[side] = Some(tcp.seq());
            flow.fast_open |= len > 0;
        }
        for option in tcp.options().mptcp() {
            match option {
                Mptcp::Capable(option) => {
                    if option.sender_key.is_some() {
                        flow.version = Version::try_from(option.version).ok().or(flow.version);
                    }
                    flow.keys[side] = flow.keys[side].or(option.sender_key);
                    flow.keys[1 - side] = flow.keys[1 - side].or(option.receiver_key);
                }
                Mptcp::Join(Join::Syn { token, nonce, .. }) if flags.syn() => {
                    flow.token = Some((1 - side, token));
                    flow.nonces[side] = Some(nonce);
                }
                Mptcp::Join(Join::SynAck { nonce, .. }) if flags.syn() => flow.nonces[side] = Some(nonce),
                _ => {}
            }
        }
        Some(*flow)
    }

    /// All 64 bits of a data sequence number that the holder of this key sends; nothing when only half of them is there
    /// and nobody knows the other.
    pub(crate) fn widen(&mut self, sender: Option<(Key, Version)>, dsn: Dsn) -> Option<u64> {
        let Some((key, version)) = sender else {
            return match dsn {
                Dsn::Long(dsn) => Some(dsn),
                Dsn::Short(_) => None,
            };
        };
        let near = self.near.entry(key).or_insert_with(|| key.idsn(version));
        let wide = dsn.widen(*near);
        if wide.wrapping_sub(*near).cast_signed() > 0 {
            *near = wide;
        }
        Some(wide)
    }
}
