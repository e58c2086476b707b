//! Round-trip time estimate and retransmission timeout (RFC 6298).

use crate::time::Duration;

/// How the retransmission timeout is derived from round-trip times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RtoSettings {
    /// Before the first sample (RFC 6298, section 2.1: 1 s).
    pub initial: Duration,
    /// Never less than this: 200 ms in Linux, 5 to 10 ms in datacenter studies, 1 s in the RFC.
    pub min: Duration,
    /// Never more than this, backoff included.
    pub max: Duration,
    /// Whether each expiry in a row doubles the timeout (RFC 6298, section 5.5).
    pub backoff: bool,
}

impl Default for RtoSettings {
    /// What Linux uses.
    fn default() -> Self {
        Self {
            initial: Duration::from_secs(1),
            min: Duration::from_millis(200),
            max: Duration::from_secs(120),
            backoff: true,
        }
    }
}

/// Smoothed round-trip time of one subflow.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rtt {
    srtt: Duration,
    variation: Duration,
    min: Duration,
    latest: Duration,
    doubled: u32,
}

impl Rtt {
    /// Takes a sample of a segment that was sent once (Karn's rule is the caller's).
    #[inline]
    pub fn sample(&mut self, rtt: Duration) {
        self.latest = rtt;
        if self.srtt == Duration::ZERO {
            self.srtt = rtt.max(Duration(1));
            self.variation = rtt / 2;
            self.min = rtt;
        } else {
            let off = Duration(self.srtt.0.abs_diff(rtt.0));
            self.variation = self.variation - self.variation / 4 + off / 4;
            self.srtt = self.srtt - self.srtt / 8 + rtt / 8;
            self.min = self.min.min(rtt);
        }
        self.doubled = 0;
    }

    /// Smoothed round-trip time, once there is a sample.
    #[inline]
    pub fn smoothed(&self) -> Option<Duration> {
        (self.srtt != Duration::ZERO).then_some(self.srtt)
    }

    /// Smoothed round-trip time, or 0 before the first sample: a subflow that nobody has measured is tried first.
    #[inline]
    pub fn smoothed_or_zero(&self) -> Duration {
        self.srtt
    }

    /// The smallest sample, or 0.
    #[inline]
    pub fn min(&self) -> Duration {
        self.min
    }

    /// The latest sample, or 0.
    #[inline]
    pub fn latest(&self) -> Duration {
        self.latest
    }

    /// The timeout expired: the next one is twice as long.
    pub fn back_off(&mut self) {
        self.doubled = (self.doubled + 1).min(16);
    }

    /// How often in a row the timeout has expired.
    pub fn expiries(&self) -> u32 {
        self.doubled
    }

    /// The retransmission timeout that counts from a transmission now.
    #[inline]
    pub fn timeout(&self, settings: &RtoSettings) -> Duration {
        let base =
            if self.srtt == Duration::ZERO { settings.initial } else { self.srtt + self.variation * 4 };
        let base = base.max(settings.min);
        let doubled = if settings.backoff { self.doubled } else { 0 };
        (base * (1 << doubled)).min(settings.max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_samples_by_hand() {
        let settings = RtoSettings { min: Duration::ZERO, ..RtoSettings::default() };
        let mut rtt = Rtt::default();
        assert_eq!(rtt.timeout(&settings), Duration::from_secs(1));
        rtt.sample(Duration::from_millis(100));
        // SRTT = R, RTTVAR = R/2, RTO = R + 4·R/2.
        assert_eq!(rtt.timeout(&settings), Duration::from_millis(300));
        rtt.sample(Duration::from_millis(180));
        // RTTVAR = 3/4·50 + 1/4·80 = 57.5, SRTT = 7/8·100 + 1/8·180 = 110.
        assert_eq!(rtt.smoothed(), Some(Duration::from_millis(110)));
        assert_eq!(rtt.timeout(&settings), Duration::from_millis(340));
        assert_eq!(rtt.min(), Duration::from_millis(100));
    }

    #[test]
    fn expiries_double_and_a_sample_ends_that() {
        let settings = RtoSettings { max: Duration::from_secs(3), ..RtoSettings::default() };
        let mut rtt = Rtt::default();
        rtt.sample(Duration::from_millis(10));
        assert_eq!(rtt.timeout(&settings), Duration::from_millis(200));
        rtt.back_off();
        rtt.back_off();
        assert_eq!(rtt.timeout(&settings), Duration::from_millis(800));
        rtt.back_off();
        rtt.back_off();
        assert_eq!(rtt.timeout(&settings), Duration::from_secs(3));
        rtt.sample(Duration::from_millis(10));
        assert_eq!(rtt.timeout(&settings), Duration::from_millis(200));
        rtt.back_off();
        let steady = RtoSettings { backoff: false, ..settings };
        assert_eq!(rtt.timeout(&steady), Duration::from_millis(200));
    }
}
