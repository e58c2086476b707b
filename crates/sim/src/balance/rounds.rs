//! Round trips by sequence numbers, with the marked fraction of each: what FlowBender and PLB decide on.

/// Counts what is acknowledged and marked in rounds.
///
/// A round ends with the first ACK at or beyond the next sequence number that was to be sent when the round began.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rounds {
    end: u64,
    acked: u64,
    marked: u64,
}

impl Rounds {
    /// Books an ACK of `acked` bytes, `marked` of them with an ECN echo. `una` is the first byte not acknowledged, `nxt` the next to be sent.
    /// Yields the marked fraction of the round when it ends.
    pub fn on_ack(&mut self, una: u64, nxt: u64, acked: u64, marked: u64) -> Option<f64> {
        self.acked += acked;
        self.marked += marked.min(acked);
        if una < self.end || self.acked == 0 {
            return None;
        }
        let fraction = self.marked as f64 / self.acked as f64;
        self.begin(nxt);
        Some(fraction)
    }

    /// A round begins that ends when `nxt` is acknowledged.
    pub fn begin(&mut self, nxt: u64) {
        *self = Self { end: nxt, acked: 0, marked: 0 };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_is_a_window_of_data() {
        let mut rounds = Rounds::default();
        assert_eq!(rounds.on_ack(0, 10, 0, 0), None, "nothing acknowledged");
        assert_eq!(rounds.on_ack(1, 10, 1, 1), Some(1.0));
        for una in 2..10 {
            assert_eq!(rounds.on_ack(una, 20, 1, u64::from(una < 5)), None);
        }
        // 9 bytes since the last, 3 of them marked.
        assert_eq!(rounds.on_ack(10, 20, 1, 0), Some(3.0 / 9.0));
        assert_eq!(rounds.on_ack(25, 30, 15, 99), Some(1.0), "not more marks than bytes");
    }
}
