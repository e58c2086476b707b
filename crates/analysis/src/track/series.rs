//! What happened in one interval of time, in one direction.

use super::rtt::Stats;

/// Sums and extremes of one interval.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Bin {
    /// Number of the interval, from the connection's start.
    pub(crate) index: i64,
    /// First moment after it; everything is after it before the first one.
    end: i64,
    used: bool,
    /// Packets.
    pub(crate) packets: u64,
    /// Bytes from the IP header onward.
    pub(crate) wire_bytes: u64,
    /// Payload bytes.
    pub(crate) bytes: u64,
    /// Data-level bytes seen for the first time.
    pub(crate) data_bytes: u64,
    /// Payload bytes whose subflow sequence numbers had been seen before.
    pub(crate) retransmitted: u64,
    /// Data-level bytes that another subflow had carried first.
    pub(crate) reinjected: u64,
    /// Round-trip times sampled.
    pub(crate) rtt: Stats,
    /// The most in flight, once anything was.
    pub(crate) flight: Option<i64>,
    /// The narrowest window seen.
    pub(crate) window: Option<u64>,
}

impl Bin {
    /// Whether this time is in the interval, or before it.
    #[inline]
    pub(crate) const fn holds(&self, time: i64) -> bool {
        self.used && time < self.end
    }

    /// Goes to the interval of `time`, of this width and counted from `start`; hands back the one before if anything
    /// was in it. Time that runs backward stays in its interval.
    pub(crate) fn turn(&mut self, time: i64, start: i64, width: i64) -> Option<Self> {
        if time < self.end {
            self.used = true;
            return None;
        }
        self.next(time, start, width)
    }

    fn next(&mut self, time: i64, start: i64, width: i64) -> Option<Self> {
        let width = width.max(1);
        let index = (time - start).max(0) / width;
        let end = start.saturating_add((index + 1).saturating_mul(width));
        let before = std::mem::replace(self, Self { index, end, used: true, ..Self::default() });
        before.used.then_some(before)
    }

    /// The last interval, if anything was in it.
    pub(crate) fn take(&mut self) -> Option<Self> {
        let last = std::mem::take(self);
        last.used.then_some(last)
    }

    /// So many bytes are in flight now.
    #[inline]
    pub(crate) fn in_flight(&mut self, bytes: i64) {
        self.flight = self.flight.max(Some(bytes));
    }

    /// This window was advertised.
    #[inline]
    pub(crate) fn advertised(&mut self, window: u64) {
        self.window = Some(self.window.map_or(window, |before| before.min(window)));
    }
}

#[cfg(test)]
mod tests {
    use super::Bin;

    #[test]
    fn intervals_count_from_the_start() {
        let mut bin = Bin::default();
        assert!(bin.turn(1_000, 1_000, 100).is_none());
        bin.packets += 1;
        assert!(bin.turn(1_099, 1_000, 100).is_none());
        bin.packets += 1;
        let first = bin.turn(1_100, 1_000, 100).unwrap();
        assert_eq!((first.index, first.packets), (0, 2));
        bin.packets += 1;
        assert!(bin.turn(1_050, 1_000, 100).is_none(), "back in time stays");
        let second = bin.turn(1_950, 1_000, 100).unwrap();
        assert_eq!((second.index, second.packets), (1, 1));
        assert_eq!(bin.take().unwrap().index, 9);
        assert!(bin.take().is_none());
    }
}
