//! IP fragments put together again, a few datagrams at a time.

use std::{collections::VecDeque, net::IpAddr};
use subflow_wire::IpPacket;

/// Datagrams in the making; the oldest gives way.
const MOST_DATAGRAMS: usize = 64;
/// Fragments of one datagram.
const MOST_FRAGMENTS: usize = 64;

/// Fragments of one datagram come within this time, in nanoseconds (RFC 791 speaks of 15 s, RFC 8200 of 60 s).
const PATIENCE: i64 = 60_000_000_000;

/// A datagram put together, or the first fragment of one whose rest never came.
#[derive(Debug)]
pub(crate) struct Whole {
    /// When its last needed fragment was seen.
    pub(crate) time: i64,
    /// Frame of that fragment.
    pub(crate) frame: u64,
    /// Source and destination.
    pub(crate) ends: (IpAddr, IpAddr),
    /// IP identification.
    pub(crate) identification: u32,
    /// TTL or hop limit of the first fragment.
    pub(crate) hop_limit: u8,
    /// Payload bytes captured, without gaps from the start.
    pub(crate) payload: Vec<u8>,
    /// Payload bytes on the wire.
    pub(crate) payload_len: u32,
    /// Bytes from the IP header onward, had it not been cut up.
    pub(crate) total_len: u32,
}

#[derive(Debug)]
struct Datagram {
    begin: i64,
    time: i64,
    frame: u64,
    ends: (IpAddr, IpAddr),
    identification: u32,
    hop_limit: u8,
    header_len: u32,
    /// Offset, length on the wire, captured bytes.
    fragments: Vec<(u32, u32, Vec<u8>)>,
    /// IPv6 extension headers at the front of the first fragment.
    headers: u32,
    /// Length on the wire, known from the last fragment.
    len: Option<u32>,
}

/// TCP fragments that wait for the rest of their datagram.
#[derive(Debug, Default)]
pub(crate) struct Reassembly {
    datagrams: VecDeque<Datagram>,
    /// Datagrams given up.
    pub(crate) incomplete: u64,
}

impl Reassembly {
    /// Takes a fragment; returns the datagram if this completed it.
    pub(crate) fn add(&mut self, packet: &IpPacket<'_>, time: i64, frame: u64) -> Option<Whole> {
        let fragment = packet.fragment?;
        let ends = (packet.src, packet.dst);
        let same = |datagram: &Datagram| {
            datagram.ends == ends
                && datagram.identification == packet.identification
                && (time - datagram.begin).abs() <= PATIENCE
        };
        let index = self.datagrams.iter().position(same).unwrap_or_else(|| {
            self.datagrams.push_back(Datagram {
                begin: time,
                time,
                frame,
                ends,
                identification: packet.identification,
                hop_limit: packet.hop_limit,
                header_len: header_len(packet),
                fragments: Vec::new(),
                headers: 0,
                len: None,
            });
            self.datagrams.len() - 1
        });
        let datagram = self.datagrams.get_mut(index)?;
        (datagram.time, datagram.frame) = (time, frame);
        let start = fragment.offset.saturating_add(fragment.headers);
        let known = datagram.fragments.iter().any(|(offset, ..)| *offset == start);
        if !known && datagram.fragments.len() < MOST_FRAGMENTS {
            datagram.fragments.push((start, packet.payload_len, packet.payload.to_vec()));
        }
        if fragment.offset == 0 {
            datagram.headers = fragment.headers;
            datagram.header_len = header_len(packet);
            datagram.hop_limit = packet.hop_limit;
        }
        if !fragment.more {
            datagram.len = Some(start.saturating_add(packet.payload_len));
        }
        let len = datagram.complete()?;
        Some(self.datagrams.remove(index)?.whole(len))
    }

    /// Gives up a datagram that has waited too long, or one of too many: its first fragment is usable all the same.
    /// `all` gives up every one, at the end of the capture.
    pub(crate) fn give_up(&mut self, now: i64, all: bool) -> Option<Whole> {
        loop {
            let oldest = self.datagrams.front()?;
            if !all && self.datagrams.len() <= MOST_DATAGRAMS && now - oldest.begin <= PATIENCE {
                return None;
            }
            let mut datagram = self.datagrams.pop_front()?;
            self.incomplete += 1;
            let headers = datagram.headers;
            datagram.fragments.retain(|(offset, ..)| *offset == headers);
            if let Some(&(offset, len, _)) = datagram.fragments.first() {
                return Some(datagram.whole(offset.saturating_add(len)));
            }
        }
    }
}

/// Length of the headers that the datagram would have had in one piece: without IPv6's fragment header.
fn header_len(packet: &IpPacket<'_>) -> u32 {
    let fragment_header = if packet.src.is_ipv6() { 8 } else { 0 };
    packet.total_len.saturating_sub(packet.payload_len + fragment_header)
}

impl Datagram {
    /// The length of the datagram, when no part of it is missing.
    fn complete(&mut self) -> Option<u32> {
        let len = self.len.filter(|&len| len <= 65_535)?;
        self.fragments.sort_by_key(|fragment| fragment.0);
        let mut covered = self.headers;
        for (offset, len, _) in &self.fragments {
            if *offset > covered {
                return None;
            }
            covered = covered.max(offset.saturating_add(*len));
        }
        (covered >= len).then_some(len)
    }

    fn whole(self, len: u32) -> Whole {
        let payload_len = len.saturating_sub(self.headers);
        let mut payload = Vec::with_capacity(payload_len.min(65_535) as usize);
        for (offset, _, bytes) in &self.fragments {
            // Behind a fragment cut by the snap length nothing can follow.
            let offset = offset.saturating_sub(self.headers) as usize;
            let Some(skip) = payload.len().checked_sub(offset) else { break };
            payload.extend_from_slice(bytes.get(skip..).unwrap_or_default());
        }
        Whole {
            time: self.time,
            frame: self.frame,
            ends: self.ends,
            identification: self.identification,
            hop_limit: self.hop_limit,
            payload,
            payload_len,
            total_len: self.header_len.saturating_add(payload_len),
        }
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
                whole = reassembly.add(&parts[index], 5, 6);
            }
            let whole = whole.unwrap();
            assert_eq!(whole.payload, b"0123456789abcdefghi");
            assert_eq!((whole.payload_len, whole.total_len, whole.time, whole.frame), (19, 39, 5, 6));
            assert!(reassembly.give_up(5, true).is_none());
        }
    }

    #[test]
    fn the_first_fragment_is_used_when_the_rest_is_missing() {
        let mut reassembly = Reassembly::default();
        assert!(reassembly.add(&fragment(0, true, b"01234567"), 0, 1).is_none());
        assert!(reassembly.add(&fragment(16, false, b"tail"), 0, 2).is_none());
        assert!(reassembly.give_up(1_000, false).is_none(), "the rest may still come");
        let first = reassembly.give_up(100_000_000_000, false).unwrap();
        assert_eq!((&first.payload[..], first.payload_len), (&b"01234567"[..], 8));
        assert_eq!(reassembly.incomplete, 1);
    }

    #[test]
    fn later_fragments_alone_are_only_counted() {
        let mut reassembly = Reassembly::default();
        assert!(reassembly.add(&fragment(8, false, b"tail"), 0, 1).is_none());
        assert!(reassembly.add(&fragment(8, false, b"tail"), 0, 2).is_none(), "a repeat completes nothing");
        assert!(reassembly.give_up(0, true).is_none());
        assert_eq!(reassembly.incomplete, 1);
    }
}
