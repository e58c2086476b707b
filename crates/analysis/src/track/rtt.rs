//! Round-trip times: Karn's rule on data and ACKs, TCP timestamps, and the statistics of the samples.

use std::collections::VecDeque;

/// Outstanding segments remembered a direction; older ones give no sample.
const MOST_OUTSTANDING: usize = 4096;
/// Timestamp values remembered a direction.
const MOST_TIMESTAMPS: usize = 512;

/// Count, mean, deviation and extremes of samples in nanoseconds (Welford's algorithm).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Stats {
    count: u64,
    mean: f64,
    squares: f64,
    min: i64,
    max: i64,
}

impl Stats {
    /// Takes one sample. A negative one, across a clock that was set back, says nothing.
    pub(crate) fn add(&mut self, sample_ns: i64) {
        if sample_ns < 0 {
            return;
        }
        if self.count == 0 {
            (self.min, self.max) = (sample_ns, sample_ns);
        }
        self.count += 1;
        let delta = sample_ns as f64 - self.mean;
        self.mean += delta / self.count as f64;
        self.squares += delta * (sample_ns as f64 - self.mean);
        self.min = self.min.min(sample_ns);
        self.max = self.max.max(sample_ns);
    }

    /// How many samples.
    pub(crate) const fn count(&self) -> u64 {
        self.count
    }

    /// The mean in seconds.
    pub(crate) fn mean(&self) -> Option<f64> {
        (self.count > 0).then_some(self.mean / 1e9)
    }

    /// The shortest in seconds.
    pub(crate) fn min(&self) -> Option<f64> {
        (self.count > 0).then_some(self.min as f64 / 1e9)
    }

    /// The longest in seconds.
    pub(crate) fn max(&self) -> Option<f64> {
        (self.count > 0).then_some(self.max as f64 / 1e9)
    }

    /// The standard deviation (of the sample) in seconds.
    pub(crate) fn deviation(&self) -> Option<f64> {
        (self.count > 1).then(|| (self.squares / (self.count - 1) as f64).sqrt() / 1e9)
    }
}

#[derive(Clone, Copy, Debug)]
struct Sent {
    end: i64,
    time: i64,
    repeated: bool,
}

/// Samples from data to the ACK that covers it; an ACK that covers repeated bytes gives none (Karn's rule).
#[derive(Debug, Default)]
pub(crate) struct Karn {
    outstanding: VecDeque<Sent>,
    /// The samples.
    pub(crate) stats: Stats,
}

impl Karn {
    /// New bytes up to position `end` were seen.
    pub(crate) fn sent(&mut self, end: i64, time: i64) {
        if self.outstanding.len() == MOST_OUTSTANDING {
            self.outstanding.pop_front();
        }
        self.outstanding.push_back(Sent { end, time, repeated: false });
    }

    /// Bytes from position `start` on were repeated or filled a hole: the ACK to come may be of that copy.
    pub(crate) fn repeated(&mut self, start: i64) {
        for sent in self.outstanding.iter_mut().rev().take_while(|sent| sent.end > start) {
            sent.repeated = true;
        }
    }

    /// An ACK up to position `ack` was seen; returns the sample that it gives, in nanoseconds.
    pub(crate) fn acked(&mut self, ack: i64, time: i64) -> Option<i64> {
        let mut newest = None;
        let mut clean = true;
        while let Some(sent) = self.outstanding.front().filter(|sent| sent.end <= ack) {
            newest = Some(sent.time);
            clean &= !sent.repeated;
            self.outstanding.pop_front();
        }
        let sample = time - newest.filter(|_| clean)?;
        self.stats.add(sample);
        (sample >= 0).then_some(sample)
    }
}

/// Samples from a TCP timestamp value to its first echo (RFC 7323).
#[derive(Debug, Default)]
pub(crate) struct Timestamps {
    sent: VecDeque<(u32, i64)>,
    last: Option<u32>,
    /// The samples.
    pub(crate) stats: Stats,
}

impl Timestamps {
    /// A segment with this timestamp value was seen.
    pub(crate) fn sent(&mut self, value: u32, time: i64) {
        if self.last != Some(value) {
            self.last = Some(value);
            if self.sent.len() == MOST_TIMESTAMPS {
                self.sent.pop_front();
            }
            self.sent.push_back((value, time));
        }
    }

    /// The other side echoed this value; returns the sample that it gives, in nanoseconds.
    pub(crate) fn echoed(&mut self, value: u32, time: i64) -> Option<i64> {
        let mut sample = None;
        while let Some(&(sent, at)) =
            self.sent.front().filter(|front| value.wrapping_sub(front.0) as i32 >= 0)
        {
            self.sent.pop_front();
            if sent == value {
                self.stats.add(time - at);
                sample = Some(time - at).filter(|&sample| sample >= 0);
            }
        }
        sample
    }
}

#[cfg(test)]
mod tests {
    use super::{Karn, Stats, Timestamps};

    #[test]
    fn statistics_of_known_samples() {
        let mut stats = Stats::default();
        assert_eq!((stats.mean(), stats.deviation()), (None, None));
        for sample in [2, 4, 4, 4, 5, 5, 7, 9] {
            stats.add(sample * 1_000_000_000);
        }
        assert_eq!((stats.count(), stats.min(), stats.max()), (8, Some(2.0), Some(9.0)));
        assert!((stats.mean().unwrap() - 5.0).abs() < 1e-12);
        assert!((stats.deviation().unwrap() - (32.0f64 / 7.0).sqrt()).abs() < 1e-12);
    }

    #[test]
    fn an_ack_samples_the_newest_segment_it_covers() {
        let mut karn = Karn::default();
        karn.sent(100, 10);
        karn.sent(200, 20);
        karn.sent(300, 30);
        karn.acked(200, 70);
        assert_eq!((karn.stats.count(), karn.stats.min()), (1, Some(50e-9)));
        karn.acked(200, 80);
        assert_eq!(karn.stats.count(), 1, "a second ACK of the same is no sample");
    }

    #[test]
    fn repeated_segments_give_no_sample() {
        let mut karn = Karn::default();
        karn.sent(100, 10);
        karn.sent(200, 20);
        karn.repeated(100);
        karn.acked(200, 70);
        assert_eq!(karn.stats.count(), 0);
    }

    #[test]
    fn timestamps_sample_the_first_echo() {
        let mut stamps = Timestamps::default();
        stamps.sent(u32::MAX, 10);
        stamps.sent(u32::MAX, 20);
        stamps.sent(0, 30);
        stamps.echoed(u32::MAX, 110);
        stamps.echoed(u32::MAX, 120);
        assert_eq!((stamps.stats.count(), stamps.stats.max()), (1, Some(100e-9)));
        stamps.echoed(0, 131);
        assert_eq!(stamps.stats.count(), 2);
    }
}
