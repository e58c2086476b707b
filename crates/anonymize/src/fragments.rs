//! Sums over the later fragments of TCP segments: the checksum in the first fragment covers them all.

use std::{collections::HashMap, net::IpAddr};
use subflow_wire::{IpPacket, checksum::Sum};

/// Fragments of one datagram come within this time, in nanoseconds (RFC 791 speaks of 15 s, RFC 8200 of 60 s).
const PATIENCE: i64 = 60_000_000_000;

/// Where and when a later fragment was, and its sum.
#[derive(Clone, Copy, Debug)]
struct Later {
    time: i64,
    offset: u32,
    sum: u16,
}

/// Later fragments, by source, destination and identification.
#[derive(Debug, Default)]
pub(crate) struct Fragments {
    later: HashMap<(IpAddr, IpAddr, u32), Vec<Later>>,
}

impl Fragments {
    /// Takes a later fragment.
    pub(crate) fn add(&mut self, ip: &IpPacket<'_>, time: i64) {
        let Some(fragment) = ip.fragment else { return };
        let mut sum = Sum::new();
        sum.add(ip.payload);
        let later = Later { time, offset: fragment.offset, sum: sum.folded() };
        self.later.entry((ip.src, ip.dst, ip.identification)).or_default().push(later);
    }

    /// The sum over what belongs to a first fragment.
    pub(crate) fn sum(&self, ip: &IpPacket<'_>, time: i64) -> u16 {
        let Some(later) = self.later.get(&(ip.src, ip.dst, ip.identification)) else { return 0 };
        let mut sum = Sum::new();
        let mut offsets: Vec<u32> = Vec::new();
        for later in later.iter().filter(|later| (later.time - time).abs() <= PATIENCE) {
            if !offsets.contains(&later.offset) {
                offsets.push(later.offset);
                sum.add_u16(later.sum);
            }
        }
        sum.folded()
    }
}
