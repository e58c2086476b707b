//! When sending is to wait or to slow down, lest answers are lost.

/// Sending pauses when more than this share of the ring waits to be read, and goes on below a quarter of it.
const FULL: f64 = 0.5;
/// After packets were lost the rate is cut to this share, and recovers by so much a second.
const CUT: f64 = 0.7;
const RECOVER: f64 = 1.05;

/// Watches ring and losses.
#[derive(Debug)]
pub(super) struct Throttle {
    /// Packets a second that were asked for; infinite for no limit.
    wanted: f64,
    /// Packets a second that are kept to now.
    rate: f64,
    paused: bool,
    /// Packets sent, seconds and packets lost at the last look.
    sent: u64,
    seconds: f64,
    drops: u64,
    slowed: u64,
}

impl Throttle {
    /// For a rate; infinite for no limit.
    pub(super) fn new(wanted: f64) -> Self {
        Self { wanted, rate: wanted, paused: false, sent: 0, seconds: 0.0, drops: 0, slowed: 0 }
    }

    /// Packets a second that are kept to now.
    pub(super) fn rate(&self) -> f64 {
        self.rate
    }

    /// Packets that the kernel dropped.
    pub(super) fn drops(&self) -> u64 {
        self.drops
    }

    /// How often sending was held up or slowed down.
    pub(super) fn slowed(&self) -> u64 {
        self.slowed
    }

    /// Whether sending is to wait, now that this share of the ring is full.
    pub(super) fn pause(&mut self, fill: f64) -> bool {
        if !self.paused && fill > FULL {
            self.paused = true;
            self.slowed += 1;
        } else if self.paused && fill < FULL / 4.0 {
            self.paused = false;
        }
        self.paused
    }

    /// The rate from now on, after so many packets were sent in so many seconds and so many answers dropped since the beginning:
    /// lower after losses, then back to what was asked for step by step.
    pub(super) fn look(&mut self, sent: u64, seconds: f64, drops: u64) -> f64 {
        let measured = sent.saturating_sub(self.sent) as f64 / (seconds - self.seconds).max(1e-3);
        if drops > self.drops {
            self.slowed += 1;
            self.rate = (self.rate.min(measured) * CUT).max(1.0);
        } else if self.rate < self.wanted {
            self.rate = (self.rate * RECOVER).min(self.wanted);
        }
        (self.sent, self.seconds, self.drops) = (sent, seconds, drops);
        self.rate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filling_ring_pauses_until_it_is_nearly_empty() {
        let mut throttle = Throttle::new(f64::INFINITY);
        let paused: Vec<bool> =
            [0.1, 0.5, 0.6, 0.4, 0.125, 0.1, 0.5].iter().map(|&fill| throttle.pause(fill)).collect();
        assert_eq!(paused, [false, false, true, true, true, false, false]);
        assert_eq!(throttle.slowed(), 1);
    }

    #[test]
    fn losses_lower_the_rate_which_recovers() {
        let mut throttle = Throttle::new(1000.0);
        assert_eq!(throttle.look(1000, 1.0, 0), 1000.0);
        // Of 800 a second that were sent, not of the 1000 that were allowed.
        assert_eq!(throttle.look(1800, 2.0, 5), 800.0 * 0.7);
        assert!((throttle.look(2360, 3.0, 5) - 588.0).abs() < 1e-9);
        for second in 4..20 {
            throttle.look(2360 + 600 * (second - 3), second as f64, 5);
        }
        assert_eq!((throttle.rate(), throttle.drops(), throttle.slowed()), (1000.0, 5, 1));
        let mut unlimited = Throttle::new(f64::INFINITY);
        assert_eq!(unlimited.look(100_000, 1.0, 1), 70_000.0);
        assert!((unlimited.look(170_000, 2.0, 1) - 73_500.0).abs() < 1e-6);
    }
}
