//! IP fragments put together again, a few datagrams at a time.

use std::{collections::VecDeque, net::IpAddr};
use subflow_wire::IpPacket;

/// Datagrams in the making; the oldest gives way.
const MOST_DATAGRAMS: usize = 64;
/// Fragments of one datagram.
const MOST_FRAGMENTS: usize = 64;

/// A datagram put together.
#[derive(Debug)]
pub(crate) struct Whole {
    /// Payload bytes captured, without gaps from the start.
    pub(crate) payload: Vec<u8>,
    /// Payload bytes on the wire.
    pub(crate) payload_len: u32,
    /// Bytes from the IP header onward, had it not been cut up.
    pub(crate) total_len: u32,
}

#[derive(Debug)]
struct Datagram {
    ends: (IpAddr, IpAddr),
    identification: u32,
    protocol: u8,
    header_len: u32,
    /// Offset, length on the wire, captured bytes.
    fragments: Vec<(u32, u32, Vec<u8>)>,
    /// IPv6 extension headers at the front of the first fragment.
    headers: u32,
    /// Length on the wire, known from the last fragment.
    len: Option<u32>,
}

/// Fragments that wait for the rest of their datagram.
#[derive(Debug, Default)]
pub(crate) struct Reassembly {
    datagrams: VecDeque<Datagram>,
    /// Datagrams given up.
    pub(crate) incomplete: u64,
}

impl Reassembly {
    /// Takes a fragment; returns the datagram if this completed it.
    pub(crate) fn add(&mut self, packet: &IpPacket<'_>) -> Option<Whole> {
        let fragment = packet.fragment?;
        let same = |datagram: &Datagram| {
            datagram.ends == (packet.src, packet.dst)
                && datagram.identification == packet.identification
                && datagram.protocol == packet.protocol
        };
        let index = self.datagrams.iter().position(same).unwrap_or_else(|| {
            if self.datagrams.len() == MOST_DATAGRAMS {
                self.datagrams.pop_front();
                self.incomplete += 1;
            }
            self.datagrams.push_back(Datagram {
                ends: (packet.src, packet.dst),
                identification: packet.identification,
                protocol: packet.protocol,
                header_len: header_len(packet),
                fragments: Vec::new(),
                headers: 0,
                len: None,
            });
            self.datagrams.len() - 1
        });
        let datagram = self.datagrams.get_mut(index)?;
        let start = fragment.offset.saturating_add(fragment.headers);
        let known = datagram.fragments.iter().any(|(offset, ..)| *offset == start);
        if !known && datagram.fragments.len() < MOST_FRAGMENTS {
            datagram.fragments.push((start, packet.payload_len, packet.payload.to_vec()));
        }
        if fragment.offset == 0 {
            datagram.headers = fragment.headers;
            datagram.header_len = header_len(packet);
        }
        if !fragment.more {
            datagram.len = Some(start.saturating_add(packet.payload_len));
        }
        let whole = datagram.whole()?;
        self.datagrams.remove(index);
        Some(whole)
    }

    /// How many datagrams never became whole.
    pub(crate) fn unfinished(&self) -> u64 {
        self.incomplete + self.datagrams.len() as u64
    }
}

/// Length of the headers that the datagram would have had in one piece: without IPv6's fragment header.
fn header_len(packet: &IpPacket<'_>) -> u32 {
    let fragment_header = if packet.src.is_ipv6() { 8 } else { 0 };
    packet.total_len.saturating_sub(packet.payload_len + fragment_header)
}

impl Datagram {
    fn whole(&mut self) -> Option<Whole> {
        let len = self.len.filter(|&len| len <= 65_535)?;
        self.fragments.sort_by_key(|fragment| fragment.0);
        let mut covered = self.headers;
        for (offset, len, _) in &self.fragments {
            if *offset > covered {
                return None;
            }
            covered = covered.max(offset.saturating_add(*len));
        }
        if covered < len {
            return None;
        }
        let payload_len = len.saturating_sub(self.headers);
        let mut payload = Vec::with_capacity(payload_len as usize);
        for (offset, _, bytes) in &self.fragments {
            // Behind a fragment cut by the snap length nothing can follow.
            let offset = offset.saturating_sub(self.headers) as usize;
            let Some(skip) = payload.len().checked_sub(offset) else { break };
            payload.extend_from_slice(bytes.get(skip..).unwrap_or_default());
        }
        Some(Whole { payload, payload_len, total_len: self.header_len.saturating_add(payload_len) })
    }
}

#[cfg(test)]
mod tests {
    use super::Reassembly;
    use subflow_wire::{IpPacket, ip::Fragment};

    fn fragment(offset: u32, more: bool, payload: &[u8]) -> IpPacket<'_> {
        IpPacket {
            src: "10.0.0.1".parse().unwrap(),
            dst: "10.0.0.2".parse().unwrap(),
            protocol: 6,
            hop_limit: 64,
            traffic_class: 0,
            identification: 7,
            total_len: 20 + payload.len() as u32,
            payload_len: payload.len() as u32,
            payload,
            header: &[],
            fragment: Some(Fragment { offset, more, headers: 0 }),
        }
    }

    #[test]
    fn order_does_not_matter() {
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
            let parts =
                [fragment(0, true, b"01234567"), fragment(8, true, b"89abcdef"), fragment(16, false, b"ghi")];
            let mut reassembly = Reassembly::default();
            let mut whole = None;
            for index in order {
                assert!(whole.is_none());
                whole = reassembly.add(&parts[index]);
            }
            let whole = whole.unwrap();
            assert_eq!(whole.payload, b"0123456789abcdefghi");
            assert_eq!((whole.payload_len, whole.total_len), (19, 39));
            assert_eq!(reassembly.unfinished(), 0);
        }
    }

    #[test]
    fn missing_parts_are_counted() {
        let mut reassembly = Reassembly::default();
        assert!(reassembly.add(&fragment(8, false, b"tail")).is_none());
        assert!(reassembly.add(&fragment(8, false, b"tail")).is_none(), "a repeat completes nothing");
        assert_eq!(reassembly.unfinished(), 1);
    }
}
