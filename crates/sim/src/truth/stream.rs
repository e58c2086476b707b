//! One direction of a subflow as one end sees it: which bytes have come, and the round-trip times that ACKs give.

use std::collections::{BTreeMap, VecDeque};

use crate::time::{Duration, Time};

/// The bytes of a direction by position: 0 is the byte after the SYN.
#[derive(Clone, Debug, Default)]
pub(super) struct Stream {
    /// Sequence number of the byte at position 0.
    origin: Option<u32>,
    /// Position after the highest byte seen.
    highest: i64,
    /// Disjoint ranges that have been seen, by their start; those that touch are one.
    seen: BTreeMap<i64, i64>,
    outstanding: VecDeque<Outstanding>,
    /// Round-trip samples.
    pub(super) rtt: Samples,
}

#[derive(Clone, Copy, Debug)]
struct Outstanding {
    end: i64,
    time: Time,
    doubtful: bool,
}

/// Count and extremes of samples.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Samples {
    pub(super) count: u64,
    sum: u128,
    least: Duration,
    most: Duration,
}

impl Samples {
    fn add(&mut self, sample: Duration) {
        self.least = if self.count == 0 { sample } else { self.least.min(sample) };
        self.most = self.most.max(sample);
        self.count += 1;
        self.sum += u128::from(sample.0);
    }

    /// Least, mean and most in seconds.
    pub(super) fn seconds(&self) -> [Option<f64>; 3] {
        if self.count == 0 {
            return [None; 3];
        }
        let mean = self.sum as f64 / self.count as f64 / 1e12;
        [Some(self.least.as_secs_f64()), Some(mean), Some(self.most.as_secs_f64())]
    }
}

impl Stream {
    /// The SYN of this direction.
    pub(super) fn syn(&mut self, seq: u32) {
        self.origin.get_or_insert(seq.wrapping_add(1));
    }

    /// Position of a sequence number, the nearest to the highest byte seen; none before the SYN.
    pub(super) fn position(&self, seq: u32) -> Option<i64> {
        let near = self.origin?.wrapping_add(self.highest as u32);
        Some(self.highest + i64::from(seq.wrapping_sub(near).cast_signed()))
    }

    /// Payload at a position: the ranges of it that are new go to `new`.
    pub(super) fn payload(&mut self, start: i64, len: u16, now: Time, new: &mut Vec<(i64, i64)>) {
        let end = start + i64::from(len);
        if start < self.highest {
            // By Karn's rule the ACK to come may be of either copy; the ACK of what lies behind a hole waits for the hole.
            for sent in self.outstanding.iter_mut().filter(|sent| sent.end > start) {
                sent.doubtful = true;
            }
        } else {
            self.outstanding.push_back(Outstanding { end, time: now, doubtful: false });
        }
        self.highest = self.highest.max(end);
        let mut at = start;
        let (mut from, mut to) = (start, end);
        let before = self.seen.range(..=start).next_back().map_or(start, |(&held, _)| held);
        let touching: Vec<_> = self.seen.range(before..=end).map(|(&a, &b)| (a, b)).collect();
        for (held, held_end) in touching {
            if held_end < start {
                continue;
            }
            if held > at {
                new.push((at, held));
            }
            at = at.max(held_end);
            (from, to) = (from.min(held), to.max(held_end));
            self.seen.remove(&held);
        }
        if at < end {
            new.push((at, end));
        }
        self.seen.insert(from, to);
    }

    /// An ACK of this direction's bytes: the sample that it gives.
    pub(super) fn acked(&mut self, ack: u32, now: Time) -> Option<Duration> {
        let ack = self.position(ack)?;
        let (mut newest, mut clean) = (None, true);
        while let Some(sent) = self.outstanding.front().filter(|sent| sent.end <= ack) {
            newest = Some(sent.time);
            clean &= !sent.doubtful;
            self.outstanding.pop_front();
        }
        let sample = now.since(newest.filter(|_| clean)?);
        self.rtt.add(sample);
        Some(sample)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_from_the_syn_and_across_the_wrap() {
        let mut stream = Stream::default();
        assert_eq!(stream.position(5), None);
        stream.syn(u32::MAX - 1);
        assert_eq!((stream.position(u32::MAX), stream.position(4)), (Some(0), Some(5)));
        let mut new = Vec::new();
        stream.payload(0, 10, Time(0), &mut new);
        stream.payload(20, 10, Time(0), &mut new);
        stream.payload(5, 20, Time(0), &mut new);
        stream.payload(0, 40, Time(0), &mut new);
        assert_eq!(new, [(0, 10), (20, 30), (10, 20), (30, 40)]);
        assert_eq!(stream.seen, BTreeMap::from([(0, 40)]));
    }

    #[test]
    fn repeated_data_gives_no_sample() {
        let mut stream = Stream::default();
        stream.syn(0);
        let mut new = Vec::new();
        for (start, time) in [(0, 100), (10, 200), (20, 300)] {
            stream.payload(start, 10, Time(time), &mut new);
        }
        assert_eq!(stream.acked(11, Time(150)), Some(Duration(50)));
        assert_eq!(stream.acked(11, Time(160)), None);
        stream.payload(20, 10, Time(400), &mut new);
        assert_eq!(stream.acked(21, Time(420)), Some(Duration(220)));
        assert_eq!(stream.acked(31, Time(500)), None);
        assert_eq!((stream.rtt.count, stream.rtt.seconds()[2]), (2, Some(220e-12)));
        assert_eq!(new, [(0, 10), (10, 20), (20, 30)]);
    }
}
