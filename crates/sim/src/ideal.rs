//! The ideal completion time of a flow, the denominator of slowdown.
//!
//! **Definition.** The time from the flow's start until its last byte is at the receiver, if the flow were alone in an empty network
//! and its sender knew so: segments leave back to back at the rate of the sender's link, every switch stores and forwards, nothing is
//! lost, and no window or slow start holds anything back. This is the usual denominator (pFabric, Homa, NDP, HPCC), so that slow start counts as slowdown.
//! Where the handshake is simulated, a SYN there and a SYN/ACK back come first; the data follow at once.
//!
//! On one path it is exact to the picosecond, for any mixture of rates. Where a connection may use several paths that share no link
//! (a phone with two radios), the flow is split so that all paths finish together. Where its paths share links (a fabric, behind the link of one host), it
//! is the best of the single paths.

use crate::time::{Duration, Rate};

/// A link on a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hop {
    /// Its rate.
    pub rate: Rate,
    /// Its propagation delay.
    pub delay: Duration,
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

/// The ideal completion time over several paths, each with its way back: split when they share no link, else the best of them. `shared` says
/// whether any two share a link. The handshake is that of the first path; the others are there at once.
///
/// With a split, exact to the last segment. No path: no time.
pub fn completion_over(
    bytes: u64,
    paths: &[(&[Hop], &[Hop])],
    shared: bool,
    segments: &Segments,
) -> Duration {
    let single = paths.iter().map(|(path, back)| completion(bytes, path, back, segments)).min();
    let Some(best) = single else { return Duration::ZERO };
    if shared || paths.len() < 2 {
        return best;
    }
    let opening = paths.first().map_or(Duration::ZERO, |(path, back)| completion(0, path, back, segments));
    let enough = |time: Duration| {
        let mut left = bytes;
        for (path, _) in paths {
            left = left.saturating_sub(carried(time, left, path, segments));
        }
        left == 0
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

/// How many of `most` bytes a path brings over in a time.
fn carried(time: Duration, most: u64, path: &[Hop], segments: &Segments) -> u64 {
    let (mut low, mut high) = (0, most);
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        if transfer(middle, path, segments) <= time { low = middle } else { high = middle - 1 }
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
        let paths: [(&[Hop], &[Hop]); 2] = [(&slow, &slow), (&fast, &fast)];
        let segments = Segments { mss: 1000, overhead: 0, handshake: None };
        // 5 MB: 40 Mbit = 10 (t − .01) + 30 (t − .05) gives t = 1.04 s, but for a segment's .8 ms.
        let time = completion_over(5_000_000, &paths, false, &segments).as_secs_f64();
        assert!((time - 1.04).abs() < 0.0008, "{time}");
        // On the better path alone: 5000 · 8 / 30 ms + 50 ms.
        let alone = completion_over(5_000_000, &paths, true, &segments).as_secs_f64();
        assert!((alone - (40.0 / 30.0 + 0.05)).abs() < 1e-6, "{alone}");
        // What fits into the time before the slower start is not worth splitting.
        assert_eq!(
            completion_over(1000, &paths, false, &segments),
            completion(1000, &slow, &slow, &segments)
        );
        assert_eq!(completion_over(1000, &[], false, &segments), Duration::ZERO);
    }
}
