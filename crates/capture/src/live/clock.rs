//! Times that go on when the clock is set back.
//!
//! Packets carry the time of the system's clock. When that is set back, packets from before and after would mix; so the time
//! that the clock lost is added from then on. That it was set back shows beside the clock that only goes forward; which
//! packets came before shows in their times, as none can be later than now.

/// A clock that is behind by more than this was set back, in nanoseconds; what it drifts between two looks is less.
const NOTABLE: i64 = 100_000_000;
/// A packet may be later than the last look at the clock by this much, in nanoseconds.
const MARGIN: i64 = 50_000_000;

/// Turns times of the system's clock into times that do not go back.
#[derive(Debug)]
pub(super) struct Clock {
    wall: i64,
    steady: i64,
    /// What is added to times from after the last time that it was set back, and from before.
    shift: i64,
    before: i64,
}

impl Clock {
    /// Starts with a look at the system's clock and at the one that only goes forward, in nanoseconds.
    pub(super) fn new(wall: i64, steady: i64) -> Self {
        Self { wall, steady, shift: 0, before: 0 }
    }

    /// Looks at both clocks. Returns what the first was set back by, if it was.
    pub(super) fn look(&mut self, wall: i64, steady: i64) -> Option<i64> {
        let expected = self.wall.saturating_add(steady - self.steady);
        let back = expected.saturating_sub(wall);
        (self.wall, self.steady) = (wall, steady);
        if back < NOTABLE {
            return None;
        }
        self.before = self.shift;
        self.shift = self.shift.saturating_add(back);
        Some(back)
    }

    /// Now, as packets are timed.
    pub(super) fn now(&self) -> i64 {
        self.wall.saturating_add(self.shift)
    }

    /// The time to give to a packet that carries this one.
    #[inline]
    pub(super) fn steady(&self, time: i64) -> i64 {
        let shift = if time > self.wall.saturating_add(MARGIN) { self.before } else { self.shift };
        time.saturating_add(shift)
    }

    /// All that the clock was set back by.
    pub(super) fn set_back(&self) -> i64 {
        self.shift
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    #[test]
    fn times_stay_while_the_clock_runs_or_is_set_forward() {
        let mut clock = Clock::new(1000 * SECOND, 5 * SECOND);
        assert_eq!(clock.look(1001 * SECOND, 6 * SECOND), None);
        assert_eq!(clock.steady(1001 * SECOND - 7), 1001 * SECOND - 7);
        assert_eq!(clock.look(2000 * SECOND, 7 * SECOND), None);
        // A little drift is none of our business.
        assert_eq!(clock.look(2001 * SECOND - NOTABLE / 2, 8 * SECOND), None);
        assert_eq!((clock.steady(2000 * SECOND), clock.set_back()), (2000 * SECOND, 0));
    }

    #[test]
    fn times_go_on_when_it_is_set_back() {
        let mut clock = Clock::new(10_000 * SECOND, 0);
        assert_eq!(clock.look(10_001 * SECOND - 3600 * SECOND, SECOND), Some(3600 * SECOND));
        // One that was taken in before is read after.
        assert_eq!(clock.steady(10_000 * SECOND), 10_000 * SECOND);
        assert_eq!(clock.steady(6401 * SECOND), 10_001 * SECOND);
        assert_eq!((clock.now(), clock.set_back()), (10_001 * SECOND, 3600 * SECOND));
        assert_eq!(clock.look(6400 * SECOND, 2 * SECOND), Some(2 * SECOND));
        assert_eq!(clock.steady(6400 * SECOND), 10_002 * SECOND);
    }
}
