//! The ideal completion time of a flow, the denominator of slowdown.
//!
//! **Definition.** The time from the flow's start until its last byte is at the receiver, if the flow were alone in an empty network
//! and its sender knew so: segments leave back to back at the rate of the sender's link, every switch stores and forwards, nothing is
//! lost, and no window or slow start holds anything back. This is the usual denominator (pFabric, Homa, NDP, HPCC), so that slow start counts as slowdown.
//! Where the handshake is simulated, a SYN there and a SYN/ACK back come first; the data follow at once.
//!
//! On one path it is exact to the picosecond, for any mixture of rates. Where a connection may use several paths (a phone with two radios),
//! the flow is split so that all of them finish together; a link that some of them share carries no more than its rate.

use std::collections::BTreeMap;

use crate::time::{Duration, Rate};

/// A link on a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hop {
    /// Its rate.
    pub rate: Rate,
    /// Its propagation delay.
    pub delay: Duration,
}

/// A path that a connection may use.
#[derive(Clone, Copy, Debug)]
pub struct Path<'a> {
    /// Its links by number, to know which ones it shares with others.
    pub links: &'a [u32],
    /// The same links.
    pub hops: &'a [Hop],
    /// The way of the SYN/ACK.
    pub back: &'a [Hop],
}

/// How many bytes go on the wire for a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segments {
    /// Payload of a full segment, bytes.
    pub mss: u32,
    /// What is added to the payload of each segment on the wire, bytes: headers, options, framing.
    pub overhead: u32,
    /// Size on the wire of a SYN and of a SYN/ACK, bytes; `None` where no handshake is simulated.
    pub handshake: Option<(u32, u32)>,
}

/// The ideal completion time of `bytes` on one path. `back` is the way of the SYN/ACK.
///
/// With n segments of which n − 1 are full, the last one passes hop m right behind the others, and from there on is delayed by no
/// one, for some m: the time is the maximum over m of Σ(j ≤ m) full_j + (n − 2) max(j ≤ m) full_j + Σ(j ≥ m) last_j, plus the
/// propagation delays.
pub fn completion(bytes: u64, path: &[Hop], back: &[Hop], segments: &Segments) -> Duration {
    let opening = match segments.handshake {
        Some((syn, syn_ack)) => crossing(path, syn.into()) + crossing(back, syn_ack.into()),
        None => Duration::ZERO,
    };
    opening + transfer(bytes, path, segments)
}

/// The ideal completion time over several paths. The handshake is that of the first path; the others are there at once.
///
/// Exact to the last segment where no link is shared. Where some are, what all paths together bring over in a time is the least cut: for some of the
/// shared links what they can carry, and the other paths alone. That is never too little, so that the time is never too long. No path: no time.
pub fn completion_over(bytes: u64, paths: &[Path<'_>], segments: &Segments) -> Duration {
    let paths = paths.get(..MOST_PATHS).unwrap_or(paths);
    let single = paths.iter().map(|path| completion(bytes, path.hops, path.back, segments)).min();
    let Some(best) = single else { return Duration::ZERO };
    if paths.len() < 2 {
        return best;
    }
    let opening = paths.first().map_or(Duration::ZERO, |path| completion(0, path.hops, path.back, segments));
    let narrows = narrows(bytes, paths, segments);
    let enough = |time: Duration| {
        let alone: Vec<u64> = paths.iter().map(|path| carried(time, bytes, path.hops, segments)).collect();
        let through: Vec<u64> = narrows.iter().map(|narrow| narrow.carries(time, bytes, segments)).collect();
        (0..1usize << narrows.len()).all(|cut| {
            let chosen = || (0..narrows.len()).filter(|narrow| cut >> narrow & 1 == 1);
            let covered = chosen().fold(0, |covered, narrow| covered | narrows[narrow].paths);
            let rest = alone.iter().enumerate().filter(|(path, _)| covered >> path & 1 == 0);
            let most = chosen().map(|narrow| through[narrow]).chain(rest.map(|(_, &bytes)| bytes));
            most.fold(0u64, u64::saturating_add) >= bytes
        })
    };
    let (mut low, mut high) = (Duration::ZERO, best.saturating_sub(opening));
    if !enough(high) {
        return best;
    }
    while high.0 - low.0 > 1 {
        let middle = Duration(low.0 + (high.0 - low.0) / 2);
        if enough(middle) { high = middle } else { low = middle }
    }
    best.min(opening + high)
}

/// Paths that are looked at: hosts have a few interfaces.
const MOST_PATHS: usize = u128::BITS as usize;
/// Narrows that are looked at: a cut is any choice of them.
const MOST_NARROWS: usize = 10;

/// The slowest of the links that the same paths share.
#[derive(Clone, Copy, Debug)]
struct Narrow {
    /// A bit for each path.
    paths: u128,
    rate: Rate,
    /// The least time before it and behind it that a segment takes.
    outside: Duration,
}

/// The links that paths share.
fn narrows(bytes: u64, paths: &[Path<'_>], segments: &Segments) -> Vec<Narrow> {
    let least = bytes.min(bytes.saturating_sub(1) % u64::from(segments.mss.max(1)) + 1);
    let wire = least + u64::from(segments.overhead);
    let mut users: BTreeMap<u32, (u128, Rate, Duration)> = BTreeMap::new();
    for (number, path) in paths.iter().enumerate() {
        for (at, (&link, hop)) in path.links.iter().zip(path.hops).enumerate() {
            let whole = crossing(path.hops, wire);
            let outside = whole.saturating_sub(path.hops[at].rate.serialization(wire));
            let known = users.entry(link).or_insert((0, hop.rate, outside));
            known.0 |= 1 << number;
            known.2 = known.2.min(outside);
        }
    }
    let mut narrows: Vec<Narrow> = Vec::new();
    for (paths, rate, outside) in users.into_values().filter(|(paths, ..)| paths.count_ones() > 1) {
        match narrows.iter_mut().find(|narrow| narrow.paths == paths) {
            Some(narrow) if narrow.rate <= rate => {}
            Some(narrow) => *narrow = Narrow { paths, rate, outside },
            None => narrows.push(Narrow { paths, rate, outside }),
        }
    }
    narrows.sort_by_key(|narrow| narrow.rate);
    narrows.truncate(MOST_NARROWS);
    narrows
}

impl Narrow {
    /// How many of `most` bytes pass in a time.
    fn carries(&self, time: Duration, most: u64, segments: &Segments) -> u64 {
        let mss = u64::from(segments.mss.max(1));
        let takes = |bytes: u64| {
            self.rate.serialization(bytes + bytes.div_ceil(mss) * u64::from(segments.overhead)) + self.outside
        };
        largest(most, |bytes| bytes == 0 || takes(bytes) <= time)
    }
}

/// How many of `most` bytes a path brings over in a time.
fn carried(time: Duration, most: u64, path: &[Hop], segments: &Segments) -> u64 {
    largest(most, |bytes| transfer(bytes, path, segments) <= time)
}

/// The largest number up to `most` that fits, where 0 does and all below one that does.
fn largest(most: u64, fits: impl Fn(u64) -> bool) -> u64 {
    let (mut low, mut high) = (0, most);
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        if fits(middle) { low = middle } else { high = middle - 1 }
    }
    low
}

/// A single packet of so many bytes on the wire.
fn crossing(path: &[Hop], wire: u64) -> Duration {
    path.iter().fold(Duration::ZERO, |sum, hop| sum + hop.rate.serialization(wire) + hop.delay)
}

/// The data alone.
fn transfer(bytes: u64, path: &[Hop], segments: &Segments) -> Duration {
    if bytes == 0 {
        return Duration::ZERO;
    }
    let mss = u64::from(segments.mss.max(1));
    let count = bytes.div_ceil(mss);
    let full = mss + u64::from(segments.overhead);
    let last = bytes - (count - 1) * mss + u64::from(segments.overhead);
    if count == 1 {
        return crossing(path, last);
    }
    let mut behind = path.iter().fold(Duration::ZERO, |sum, hop| sum + hop.rate.serialization(last));
    let (mut before, mut slowest, mut longest) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
    let mut propagation = Duration::ZERO;
    for hop in path {
        let time = hop.rate.serialization(full);
        before += time;
        slowest = slowest.max(time);
        propagation += hop.delay;
        longest = longest.max(before + slowest * (count - 2) + behind);
        behind = behind - hop.rate.serialization(last);
    }
    propagation + longest
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PLAIN: Segments = Segments { mss: 1460, overhead: 40, handshake: None };

    fn hop(gbps: u64, ns: u64) -> Hop {
        Hop { rate: Rate::from_gbps(gbps), delay: Duration::from_nanos(ns) }
    }

    #[test]
    fn store_and_forward() {
        // 1500 bytes take 1.2 µs at 10 Gb/s; two hops of 1 µs.
        let path = [hop(10, 1000), hop(10, 1000)];
        assert_eq!(completion(1460, &path, &path, &PLAIN), Duration::from_nanos(4400));
        // Ten segments: nine more at the same rate behind it.
        assert_eq!(completion(14_600, &path, &path, &PLAIN), Duration::from_nanos(4400 + 9 * 1200));
        // One byte more: a packet of 41 bytes, 32.8 ns, queues at the second hop behind the tenth.
        assert_eq!(completion(14_601, &path, &path, &PLAIN), Duration(4_400_000 + 9 * 1_200_000 + 32_800));
        // The handshake: 60 bytes (48 ns) there, 40 (32 ns) back, twice each, and 4 µs.
        let opening = Segments { handshake: Some((60, 40)), ..PLAIN };
        assert_eq!(
            completion(1460, &path, &path, &opening),
            Duration::from_nanos(4400 + 2 * 48 + 2 * 32 + 4000)
        );
        assert_eq!(completion(0, &path, &path, &PLAIN), Duration::ZERO);
    }

    #[test]
    fn the_slowest_link_sets_the_pace() {
        // 10 Gb/s, 1 Gb/s, 10 Gb/s: 1.2 + 12 + 1.2 µs for the first, 12 µs for each of the others.
        let path = [hop(10, 0), hop(1, 0), hop(10, 0)];
        assert_eq!(completion(14_600, &path, &path, &PLAIN), Duration::from_nanos(14_400 + 9 * 12_000));
    }

    /// Packet by packet through queues.
    fn simulated(bytes: u64, path: &[Hop], segments: &Segments) -> Duration {
        let mut free = vec![Duration::ZERO; path.len()];
        let mut arrival = Duration::ZERO;
        let mut left = bytes;
        while left > 0 {
            let payload = left.min(u64::from(segments.mss));
            left -= payload;
            arrival = Duration::ZERO;
            for (hop, free) in path.iter().zip(&mut free) {
                *free = (*free).max(arrival) + hop.rate.serialization(payload + u64::from(segments.overhead));
                arrival = *free + hop.delay;
            }
        }
        arrival
    }

    proptest! {
        #[test]
        fn exact_for_any_rates(
            bytes in 1u64..60_000,
            rates in proptest::collection::vec(1_000_000u64..100_000_000_000, 1..7),
            delay in 0u64..10_000_000,
            overhead in 0u32..100,
        ) {
            let path: Vec<Hop> = rates
                .iter()
                .map(|&bps| Hop { rate: Rate::from_bps(bps), delay: Duration(delay) })
                .collect();
            let segments = Segments { overhead, ..PLAIN };
            prop_assert_eq!(completion(bytes, &path, &path, &segments), simulated(bytes, &path, &segments));
        }
    }

    #[test]
    fn two_radios_share_the_work() {
        let slow = Hop { rate: Rate::from_mbps(10), delay: Duration::from_millis(10) };
        let fast = Hop { rate: Rate::from_mbps(30), delay: Duration::from_millis(50) };
        let (slow, fast) = ([slow], [fast]);
        let path = |links, hops| Path { links, hops, back: hops };
        let paths = [path(&[0], &slow), path(&[1], &fast)];
        let segments = Segments { mss: 1000, overhead: 0, handshake: None };
        // 5 MB: 40 Mbit = 10 (t − .01) + 30 (t − .05) gives t = 1.04 s, but for a segment's .8 ms.
        let time = completion_over(5_000_000, &paths, &segments).as_secs_f64();
        assert!((time - 1.04).abs() < 0.0008, "{time}");
        // On the better path alone: 5000 · 8 / 30 ms + 50 ms.
        let alone = completion_over(5_000_000, &paths[1..], &segments).as_secs_f64();
        assert!((alone - (40.0 / 30.0 + 0.05)).abs() < 1e-6, "{alone}");
        // What fits into the time before the slower start is not worth splitting.
        assert_eq!(completion_over(1000, &paths, &segments), completion(1000, &slow, &slow, &segments));
        assert_eq!(completion_over(1000, &[], &segments), Duration::ZERO);
    }

    #[test]
    fn what_paths_share_carries_no_more_than_its_rate() {
        let hop = |mbps, ms| Hop { rate: Rate::from_mbps(mbps), delay: Duration::from_millis(ms) };
        let segments = Segments { mss: 1000, overhead: 0, handshake: None };
        let time = |shared: u64| {
            let (slow, fast) = ([hop(10, 10), hop(shared, 0)], [hop(30, 50), hop(shared, 0)]);
            let paths = [
                Path { links: &[0, 2], hops: &slow, back: &slow },
                Path { links: &[1, 2], hops: &fast, back: &fast },
            ];
            completion_over(5_000_000, &paths, &segments).as_secs_f64()
        };
        // Fast enough not to matter; then the 40 Mbit at its rate, behind the 10 ms and a segment of the better path.
        assert!((time(1000) - 1.04).abs() < 0.0009, "{}", time(1000));
        assert!((time(20) - (2.0 + 0.010 + 0.0008)).abs() < 0.0009, "{}", time(20));
        // Slower than either path: nothing is gained by a second one.
        assert!((time(5) - (8.0 + 0.010 + 0.0008)).abs() < 0.0009, "{}", time(5));
    }

    #[test]
    fn two_interfaces_at_either_end_are_cut_where_they_are_narrowest() {
        let hop = |mbps| Hop { rate: Rate::from_mbps(mbps), delay: Duration::ZERO };
        // Links 0 and 1 leave one host with 10 and 20 Mb/s, links 2 and 3 come to the other one with 25 and 1000.
        let (from, to) = ([hop(10), hop(20)], [hop(25), hop(1000)]);
        let hops: Vec<[Hop; 2]> = from.iter().flat_map(|&a| to.map(|b| [a, b])).collect();
        let links = [[0, 2], [0, 3], [1, 2], [1, 3]];
        let paths: Vec<Path<'_>> =
            links.iter().zip(&hops).map(|(links, hops)| Path { links, hops, back: hops }).collect();
        let segments = Segments { mss: 1000, overhead: 0, handshake: None };
        let time = completion_over(3_750_000, &paths, &segments).as_secs_f64();
        assert!((time - 1.0).abs() < 0.002, "{time}");
        // More paths than anybody has.
        let many: Vec<Path<'_>> = paths.iter().copied().cycle().take(150).collect();
        let same = completion_over(3_750_000, &many, &segments).as_secs_f64();
        assert!((same - time).abs() < 1e-9, "{same}");
    }
}
