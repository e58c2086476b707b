//! Bytes in flight over time.

/// Bytes sent and not acknowledged: the most, and the mean over the time in which there were any.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Flight {
    bytes: i64,
    since: i64,
    most: i64,
    byte_ns: u128,
    busy: i64,
}

impl Flight {
    /// From this moment on so many bytes are in flight.
    #[inline]
    pub(crate) fn set(&mut self, bytes: i64, time: i64) {
        if self.bytes > 0 && time > self.since {
            let span = time - self.since;
            self.byte_ns += u128::from(self.bytes as u64) * u128::from(span as u64);
            self.busy += span;
        }
        self.since = self.since.max(time);
        self.bytes = bytes.max(0);
        self.most = self.most.max(self.bytes);
    }

    /// Bytes in flight now.
    pub(crate) const fn bytes(&self) -> i64 {
        self.bytes
    }

    /// The most at a time, in bytes.
    pub(crate) const fn most(&self) -> u64 {
        self.most as u64
    }

    /// The mean in bytes, over the time in which anything was in flight and until the last change.
    pub(crate) fn mean(&self) -> Option<f64> {
        (self.busy > 0).then(|| self.byte_ns as f64 / self.busy as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::Flight;

    #[test]
    fn the_mean_is_over_the_time_with_anything_in_flight() {
        let mut flight = Flight::default();
        assert_eq!((flight.most(), flight.mean()), (0, None));
        flight.set(1000, 100);
        flight.set(3000, 200);
        flight.set(0, 300);
        flight.set(500, 1300);
        flight.set(0, 1400);
        assert_eq!((flight.most(), flight.mean()), (3000, Some(450_000.0 / 300.0)));
        assert_eq!(flight.bytes(), 0);
    }
}
