//! ECMP: every switch hashes addresses and ports of a packet and takes that one of its shortest ways (RFC 2992).
//!
//! `way = H(source, destination, source port, destination port[, V][, TTL], salt of the switch) mod ways`. Where all switches use the same
//! hash without salt, a switch only sees flows for which the switches before it have already made the same choice, and its own choices
//! collapse (polarisation). A salt of its own for each switch, or the TTL in the hash, which differs at each hop, cures that.

use crate::net::{Fork, InterfaceId, Network, PathId};
use crate::random::{Purpose, Random, mix};

/// What switches see of a flow in one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FlowTuple {
    /// The interface that sends.
    pub from: InterfaceId,
    /// The interface that receives.
    pub to: InterfaceId,
    /// The sender's port.
    pub from_port: u16,
    /// The receiver's port.
    pub to_port: u16,
}

impl FlowTuple {
    /// The tuple of the other direction.
    #[must_use]
    pub const fn reversed(self) -> Self {
        Self { from: self.to, to: self.from, from_port: self.to_port, to_port: self.from_port }
    }

    pub(super) const fn hash(self) -> u64 {
        let addresses = (self.from.0 as u64) << 32 | self.to.0 as u64;
        let ports = (self.from_port as u64) << 16 | self.to_port as u64;
        mix(mix(addresses) ^ ports)
    }
}

/// How the switches hash.
#[derive(Clone, Debug)]
pub struct Ecmp {
    /// Salt of each switch, by number of node; empty: none.
    salts: Vec<u64>,
    ttl: bool,
}

/// The TTL (or hop limit) with which hosts send, before V is added.
pub const INITIAL_TTL: u8 = 64;

impl Ecmp {
    /// Switches with salts of their own, drawn from the seed's stream for hashing, or all with the same hash; with the TTL in the hash, or without.
    pub fn new(net: &Network, seed: u64, salted: bool, ttl: bool) -> Self {
        let mut random = Random::new(seed, Purpose::Hashing);
        let salts =
            if salted { net.graph().nodes().iter().map(|_| random.next_u64()).collect() } else { Vec::new() };
        Self { salts, ttl }
    }

    /// The way that a switch takes of those it has.
    fn choose(&self, hash: u64, fork: Fork, ttl: u8) -> u32 {
        let salt = self.salts.get(fork.switch.0 as usize).copied().unwrap_or(0);
        let seen = if self.ttl { u64::from(ttl.wrapping_sub(fork.passed)) + 1 } else { 0 };
        let hash = if salt | seen == 0 { hash } else { mix(hash ^ salt ^ seen << 56) };
        (hash % u64::from(fork.ways.max(1))) as u32
    }

    /// The path of a flow whose packets are sent with the TTL `INITIAL_TTL + v`. Where the TTL is not in the hash, V is taken for a header field
    /// that is (such as the source port or the flow label), the same at every switch. None when there is no way.
    pub fn path(&self, net: &mut Network, flow: FlowTuple, v: u32) -> Option<PathId> {
        let ttl = INITIAL_TTL.wrapping_add(v as u8);
        let hash = if self.ttl || v == 0 { flow.hash() } else { mix(flow.hash() ^ u64::from(v) << 32) };
        net.walk(flow.from, flow.to, |fork| self.choose(hash, fork, ttl))
    }
}
