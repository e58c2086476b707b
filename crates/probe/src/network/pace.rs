//! Packets at an even pace: little and often, sleeping in between.

use std::time::Duration;

/// Shortest sleep: a thousand times a second is even enough over 10 ms, and costs little.
const QUANTUM_NS: f64 = 1e6;
/// What is not sent in time within so many quanta is not caught up with, so that a stall is not followed by a burst.
const CATCH_UP: f64 = 2.0;

/// Says how many packets may leave when.
#[derive(Clone, Debug)]
pub struct Pacer {
    /// Packets a nanosecond; infinite for no limit.
    rate: f64,
    credit: f64,
    last_ns: u64,
}

impl Pacer {
    /// From now on, `rate` packets a second; `None` for no limit.
    pub fn new(rate: Option<f64>, now_ns: u64) -> Self {
        Self { rate: rate.map_or(f64::INFINITY, |rate| rate / 1e9), credit: 0.0, last_ns: now_ns }
    }

    /// Another rate from now on.
    pub fn set_rate(&mut self, rate: Option<f64>) {
        self.rate = rate.map_or(f64::INFINITY, |rate| rate / 1e9);
    }

    /// How many packets may leave now, at most `most`; when none, how long to sleep.
    pub fn ask(&mut self, now_ns: u64, most: usize) -> Result<usize, Duration> {
        if self.rate.is_infinite() {
            return Ok(most);
        }
        let passed = now_ns.saturating_sub(self.last_ns) as f64;
        self.last_ns = now_ns.max(self.last_ns);
        let cap = (CATCH_UP * QUANTUM_NS * self.rate).max(1.0);
        self.credit = (self.credit + passed * self.rate).min(cap);
        // A whole quantum's worth at once, or a single packet at low rates.
        let worth = (QUANTUM_NS * self.rate).clamp(1.0, most as f64);
        // Float sums fall short by a hair.
        if self.credit + 1e-9 >= worth {
            return Ok(((self.credit + 1e-9) as usize).clamp(1, most));
        }
        Err(Duration::from_nanos(((worth - self.credit) / self.rate).ceil() as u64))
    }

    /// So many have left.
    pub fn spend(&mut self, packets: usize) {
        if self.rate.is_finite() {
            self.credit -= packets as f64;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lets a pacer run for a while; each sleep takes `late_ns` longer than asked. Packets in each 10 ms.
    fn bins(rate: f64, seconds: u64, late_ns: u64) -> Vec<u32> {
        let mut pacer = Pacer::new(Some(rate), 0);
        let mut now = 0_u64;
        let mut bins = vec![0_u32; (seconds * 100) as usize];
        while let Some(bin) = bins.get_mut((now / 10_000_000) as usize) {
            match pacer.ask(now, 64) {
                Ok(packets) => {
                    pacer.spend(packets);
                    *bin += packets as u32;
                }
                Err(sleep) => now += sleep.as_nanos() as u64 + late_ns,
            }
        }
        bins
    }

    #[test]
    fn the_rate_is_kept_and_even_over_10_ms() {
        for rate in [1000.0, 10_000.0, 123_456.0, 1e6] {
            for late_ns in [0, 60_000, 300_000] {
                let bins = bins(rate, 10, late_ns);
                let total: u64 = bins.iter().map(|&n| u64::from(n)).sum();
                assert!(
                    (total as f64 - 10.0 * rate).abs() <= 0.002 * 10.0 * rate + 2.0,
                    "{rate} {late_ns}: {total}"
                );
                let even = rate / 100.0;
                let worst = bins.iter().map(|&n| (f64::from(n) - even).abs()).fold(0.0, f64::max);
                assert!(worst <= 0.2 * even + 1.0, "{rate} {late_ns}: {worst} of {even}");
            }
        }
    }

    #[test]
    fn a_stall_is_not_made_up_by_a_burst() {
        let mut pacer = Pacer::new(Some(10_000.0), 0);
        assert_eq!(pacer.ask(1_000_000_000, 1000), Ok(20));
    }

    #[test]
    fn less_than_one_a_second_and_no_limit() {
        let mut slow = Pacer::new(Some(0.5), 0);
        assert_eq!(slow.ask(0, 64), Err(Duration::from_secs(2)));
        assert_eq!(slow.ask(2_000_000_000, 64), Ok(1));
        slow.spend(1);
        assert_eq!(slow.ask(2_000_000_000, 64), Err(Duration::from_secs(2)));
        assert_eq!(Pacer::new(None, 0).ask(0, 64), Ok(64));
    }
}
