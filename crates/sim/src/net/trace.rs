//! A rate and a delay that change at known times, as those of a radio do.

use crate::time::{Duration, PS_PER_S, Time};

/// From a time on: a rate and a delay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// From when.
    pub at: Time,
    /// Bits per second; 0 is an outage, in which the queue holds what it has.
    pub bps: u64,
    /// Propagation delay of what is sent from then on. Packets do not overtake: one that would waits for the one before.
    pub delay: Duration,
}

/// Steps in order of time, with what the line could have carried before each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    steps: Vec<Step>,
    /// In bits / 10^12: rate times picoseconds, so that sums are exact.
    carried: Vec<u128>,
}

const BYTE: u128 = 8 * PS_PER_S as u128;

impl Trace {
    /// A trace of steps, which are put in order; the first holds from the beginning. None without a step.
    pub fn new(mut steps: Vec<Step>) -> Option<Self> {
        steps.sort_by_key(|step| step.at);
        steps.first_mut()?.at = Time::ZERO;
        let mut carried = Vec::with_capacity(steps.len());
        let mut sum = 0u128;
        for (i, step) in steps.iter().enumerate() {
            carried.push(sum);
            let span = steps.get(i + 1).map_or(0, |next| next.at.since(step.at).0);
            sum += u128::from(step.bps) * u128::from(span);
        }
        Some(Self { steps, carried })
    }

    /// The same trace again and again, each time `period` after the last, until a time.
    #[must_use]
    pub fn repeated(&self, period: Duration, until: Time) -> Option<Self> {
        let mut steps = Vec::new();
        let mut shift = Duration::ZERO;
        loop {
            let within = self.steps.iter().filter(|step| step.at < Time::ZERO + period);
            steps.extend(within.map(|step| Step { at: step.at + shift, ..*step }));
            shift += period;
            if period == Duration::ZERO || Time::ZERO + shift >= until {
                return Self::new(steps);
            }
        }
    }

    /// The steps.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The highest rate, bits per second.
    pub fn most(&self) -> u64 {
        self.steps.iter().map(|step| step.bps).max().unwrap_or(0)
    }

    fn step_at(&self, at: u64) -> usize {
        self.steps.partition_point(|step| step.at.0 <= at).saturating_sub(1)
    }

    fn carried_at(&self, at: u64) -> u128 {
        let i = self.step_at(at);
        self.carried[i] + u128::from(self.steps[i].bps) * u128::from(at - self.steps[i].at.0)
    }

    /// Bytes that the line carries from one time to another.
    pub(super) fn bytes_between(&self, from: u64, to: u64) -> f64 {
        if to <= from {
            return 0.0;
        }
        (self.carried_at(to) - self.carried_at(from)) as f64 / BYTE as f64
    }

    /// When so many bytes have left that start at a time, ps, rounded up; none if the trace ends in an outage before.
    pub(super) fn departure(&self, start: u64, bytes: u32) -> Option<u64> {
        let target = self.carried_at(start) + u128::from(bytes) * BYTE;
        // The last step before which less than the target was carried is the one in which it is reached.
        let i = self.carried.partition_point(|&carried| carried < target).saturating_sub(1);
        let step = self.steps[i];
        let more = (target - self.carried[i]).div_ceil(u128::from(step.bps.max(1)));
        (step.bps > 0).then(|| step.at.0.saturating_add(more.min(u128::from(u64::MAX)) as u64))
    }

    pub(super) fn delay_at(&self, at: u64) -> u64 {
        self.steps[self.step_at(at)].delay.0
    }

    /// When a packet left that arrives at a time: the latest departure that fits.
    pub(super) fn departed(&self, arrives: u64) -> u64 {
        let fits = self.steps.iter().enumerate().rev().find_map(|(i, step)| {
            let departed = arrives.checked_sub(step.delay.0)?;
            let end = self.steps.get(i + 1).map_or(u64::MAX, |next| next.at.0);
            (departed >= step.at.0).then(|| departed.min(end - 1))
        });
        fits.unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace(steps: &[(u64, u64, u64)]) -> Trace {
        let step = |&(ms, bps, delay): &(u64, u64, u64)| Step {
            at: Time::ZERO + Duration::from_millis(ms),
            bps,
            delay: Duration::from_millis(delay),
        };
        Trace::new(steps.iter().map(step).collect()).expect("steps")
    }

    const MS: u64 = 1_000_000_000;

    #[test]
    fn a_packet_leaves_over_steps() {
        // 1000 bytes: 8000 bits. 8 Mb/s carries them in 1 ms; an outage and 4 Mb/s follow.
        let trace = trace(&[(0, 8_000_000, 10), (10, 0, 10), (20, 4_000_000, 30)]);
        assert_eq!(trace.departure(0, 1000), Some(MS));
        assert_eq!(trace.departure(9 * MS, 1000), Some(10 * MS));
        // 4000 bits before the outage, 4000 at half the rate after it.
        assert_eq!(trace.departure(9 * MS + MS / 2, 1000), Some(21 * MS));
        assert_eq!(trace.departure(15 * MS, 1000), Some(22 * MS));
        assert_eq!(trace.bytes_between(9 * MS, 21 * MS), 1500.0);
        assert_eq!((trace.delay_at(MS), trace.delay_at(20 * MS)), (10 * MS, 30 * MS));
        assert_eq!(trace.most(), 8_000_000);
    }

    #[test]
    fn what_never_leaves_has_no_departure() {
        let trace = trace(&[(0, 8_000_000, 1), (2, 0, 1)]);
        assert_eq!(trace.departure(0, 2000), Some(2 * MS));
        assert_eq!(trace.departure(0, 2001), None);
        assert_eq!(Trace::new(Vec::new()), None);
    }

    #[test]
    fn a_trace_repeats() {
        let once = trace(&[(0, 8_000_000, 1), (1, 4_000_000, 1)]);
        let twice = once.repeated(Duration::from_millis(2), Time(4 * MS)).expect("steps");
        let starts: Vec<u64> = twice.steps().iter().map(|step| step.at.0 / MS).collect();
        assert_eq!(starts, [0, 1, 2, 3]);
        assert_eq!(twice.bytes_between(0, 4 * MS), 3000.0);
    }
}
