//! The receiver's reorder queue of one direction: which data-level bytes wait for lower ones, how long, and for whom.

use std::collections::VecDeque;

/// Runs of bytes that wait; with more, the lowest missing bytes are given up.
const MOST_WAITING: usize = 16_384;

/// Bytes that arrived before lower ones.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    start: i64,
    end: i64,
    arrived: i64,
}

/// A time in which bytes waited for one lowest missing byte, ended by its arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Blocked {
    /// When it became the lowest missing byte that others wait for, and the frame that showed it.
    pub(crate) since: (i64, u64),
    /// How long until it arrived, in nanoseconds.
    pub(crate) time: i64,
    /// How many bytes waited when it arrived.
    pub(crate) bytes: u64,
    /// Waiting bytes times time, in byte nanoseconds.
    pub(crate) byte_ns: u128,
}

/// The reorder queue. Offsets are of the data level, each byte handed over once, when it is first seen.
#[derive(Debug, Default)]
pub(crate) struct Reorder {
    /// The lowest byte that has not arrived.
    missing: Option<i64>,
    /// Sorted and disjoint, all above `missing`.
    waiting: VecDeque<Waiting>,
    bytes: u64,
    /// Since when others wait for `missing`, and what they waited by `counted`.
    since: (i64, u64),
    counted: i64,
    byte_ns: u128,
    /// Bytes that were handed on in order, those that never waited included.
    pub(crate) delivered: u64,
    /// Those of them that had to wait; what came with one time stamp has no order.
    pub(crate) queued: u64,
    /// What all of them waited, in byte nanoseconds.
    pub(crate) waited: u128,
    /// The longest that a byte waited, in nanoseconds.
    pub(crate) longest: i64,
    /// The most bytes that waited at a time.
    pub(crate) most: u64,
    /// Time in which bytes waited for one that came, in nanoseconds.
    pub(crate) blocked: i64,
}

impl Reorder {
    /// The stream begins at this offset, whatever is seen first.
    pub(crate) fn begin(&mut self, offset: i64) {
        if self.waiting.is_empty() {
            self.missing.get_or_insert(offset);
        }
    }

    /// The bytes `start..end` arrive for the first time. Tells for how long others waited for the first of them.
    #[inline]
    pub(crate) fn arrive(&mut self, start: i64, end: i64, time: i64, frame: u64) -> Option<Blocked> {
        let missing = *self.missing.get_or_insert(start);
        if start > missing {
            self.hold(start, end, time, frame);
            return None;
        }
        self.delivered += (end - start) as u64;
        if end <= missing {
            return None; // Given up, or from before the first byte seen.
        }
        self.missing = Some(end);
        if self.waiting.is_empty() {
            return None;
        }
        Some(self.filled(end, time, frame))
    }

    /// The lowest missing byte has come, and all below `end`.
    fn filled(&mut self, end: i64, time: i64, frame: u64) -> Blocked {
        self.count(time);
        let blocked = Blocked {
            since: self.since,
            time: (time - self.since.0).max(0),
            bytes: self.bytes,
            byte_ns: std::mem::take(&mut self.byte_ns),
        };
        self.blocked += blocked.time;
        self.release(end, Some(time));
        self.since = (time, frame);
        blocked
    }

    /// Everything below `offset` has been acknowledged: the receiver has what was not seen here. What waited for it is
    /// let go without being counted.
    #[inline]
    pub(crate) fn acked(&mut self, offset: i64, time: i64, frame: u64) {
        if self.missing.is_some_and(|missing| offset > missing) {
            self.skip(offset, time, frame);
        }
    }

    fn skip(&mut self, offset: i64, time: i64, frame: u64) {
        self.count(time);
        self.byte_ns = 0;
        while let Some(front) = self.waiting.front_mut().filter(|front| front.start < offset) {
            let to = front.end.min(offset);
            self.bytes -= (to - front.start) as u64;
            front.start = to;
            if front.start == front.end {
                self.waiting.pop_front();
            }
        }
        self.missing = Some(offset);
        self.release(offset, None);
        self.since = (time, frame);
    }

    fn hold(&mut self, start: i64, end: i64, time: i64, frame: u64) {
        if self.waiting.is_empty() {
            self.since = (time, frame);
            self.counted = time;
        } else {
            self.count(time);
        }
        let run = Waiting { start, end, arrived: time };
        self.bytes += (end - start) as u64;
        match self.waiting.back() {
            Some(last) if last.start > start => {
                let index = self.waiting.partition_point(|run| run.start < start);
                self.waiting.insert(index, run);
            }
            _ => self.waiting.push_back(run),
        }
        if self.waiting.len() > MOST_WAITING
            && let Some(first) = self.waiting.front()
        {
            self.skip(first.start, time, frame);
        }
    }

    /// Lets go what has no gap below it any more; `arrived` is when the last gap was filled, if that was seen.
    fn release(&mut self, mut next: i64, arrived: Option<i64>) {
        while let Some(front) = self.waiting.front().copied().filter(|front| front.start <= next) {
            self.waiting.pop_front();
            let bytes = (front.end - front.start) as u64;
            self.bytes -= bytes;
            next = next.max(front.end);
            if let Some(arrived) = arrived {
                let waited = (arrived - front.arrived).max(0);
                self.delivered += bytes;
                self.queued += if waited > 0 { bytes } else { 0 };
                self.waited += u128::from(bytes) * waited.unsigned_abs() as u128;
                self.longest = self.longest.max(waited);
            }
        }
        self.missing = Some(next);
    }

    /// Brings the waiting up to this moment.
    pub(crate) fn count(&mut self, time: i64) {
        if time > self.counted {
            self.most = self.most.max(self.bytes);
            self.byte_ns += u128::from(self.bytes) * (time - self.counted) as u128;
            self.counted = time;
        }
    }

    /// Mean wait of all delivered bytes in seconds; those that never waited count as 0.
    pub(crate) fn mean(&self) -> Option<f64> {
        (self.delivered > 0).then(|| self.waited as f64 / self.delivered as f64 / 1e9)
    }
}

#[cfg(test)]
mod tests {
    use super::{Blocked, MOST_WAITING, Reorder};
    use proptest::prelude::*;

    #[test]
    fn bytes_wait_for_the_lowest_missing_one() {
        let mut queue = Reorder::default();
        queue.begin(0);
        assert_eq!(queue.arrive(0, 100, 10, 1), None);
        assert_eq!(queue.arrive(300, 400, 20, 2), None);
        assert_eq!(queue.arrive(500, 600, 30, 3), None);
        // 10 ns with 100 bytes, 20 ns with 200.
        let first = Blocked { since: (20, 2), time: 30, bytes: 200, byte_ns: 1000 + 4000 };
        assert_eq!(queue.arrive(100, 200, 50, 4), Some(first));
        assert_eq!((queue.delivered, queue.queued), (200, 0), "still a gap at 200");
        let second = Blocked { since: (50, 4), time: 10, bytes: 200, byte_ns: 2000 };
        assert_eq!(queue.arrive(200, 300, 60, 5), Some(second));
        assert_eq!((queue.delivered, queue.queued, queue.longest), (400, 100, 40));
        let third = Blocked { since: (60, 5), time: 40, bytes: 100, byte_ns: 4000 };
        assert_eq!(queue.arrive(400, 500, 100, 6), Some(third));
        assert_eq!((queue.delivered, queue.queued, queue.most), (600, 200, 200));
        // 100 bytes for 40 ns, 100 for 70 ns: as much as the three times together.
        assert_eq!(queue.waited, 4000 + 7000);
        assert_eq!(queue.waited, first.byte_ns + second.byte_ns + third.byte_ns);
        assert_eq!((queue.longest, queue.blocked), (70, 80));
        assert_eq!(queue.mean(), Some(11_000.0 / 600.0 / 1e9));
    }

    #[test]
    fn bytes_that_only_the_acknowledgement_shows_charge_nobody() {
        let mut queue = Reorder::default();
        queue.begin(0);
        queue.arrive(100, 200, 0, 1);
        queue.arrive(300, 400, 10, 2);
        queue.acked(150, 20, 3);
        queue.acked(150, 30, 3);
        assert_eq!((queue.delivered, queue.waited, queue.blocked), (0, 0, 0));
        let blocked = queue.arrive(200, 300, 40, 4);
        assert_eq!(blocked, Some(Blocked { since: (20, 3), time: 20, bytes: 100, byte_ns: 2000 }));
        assert_eq!((queue.delivered, queue.queued, queue.waited), (200, 100, 3000));
    }

    #[test]
    fn a_stream_seen_from_the_middle_begins_where_it_is_seen() {
        let mut queue = Reorder::default();
        assert_eq!(queue.arrive(500, 600, 0, 1), None);
        assert_eq!(queue.arrive(400, 500, 5, 2), None);
        assert_eq!((queue.delivered, queue.queued), (200, 0));
    }

    #[test]
    fn what_never_comes_is_given_up() {
        let mut queue = Reorder::default();
        queue.begin(0);
        for k in 1..=MOST_WAITING as i64 + 10 {
            queue.arrive(k * 20, k * 20 + 10, k, 1);
        }
        assert!(queue.waiting.len() <= MOST_WAITING);
        assert_eq!(queue.delivered, 0);
        assert_eq!(queue.bytes, queue.waiting.len() as u64 * 10);
    }

    proptest! {
        /// Against a byte-by-byte model: what each byte waits, and who is charged for it.
        #[test]
        fn agrees_with_a_byte_model(
            order in Just((0..40i64).collect::<Vec<_>>()).prop_shuffle(),
            gaps in prop::collection::vec((1i64..5, 0usize..3, 0i64..4), 40),
        ) {
            // Segment k has 1 to 4 bytes and comes on one of three subflows.
            let mut starts = vec![0];
            for gap in &gaps {
                starts.push(starts.last().unwrap() + gap.0);
            }
            let total = *starts.last().unwrap() as usize;
            let mut queue = Reorder::default();
            queue.begin(0);
            let mut arrived = vec![None::<i64>; total];
            let (mut charged, mut blocked_time) = ([0u128; 3], [0i64; 3]);
            let (mut model_charged, mut model_time) = ([0u128; 3], [0i64; 3]);
            let (mut waited, mut longest, mut now) = (0u128, 0i64, 0i64);
            for (frame, &segment) in order.iter().enumerate() {
                let (_, subflow, step) = gaps[segment as usize];
                let (start, end) = (starts[segment as usize], starts[segment as usize + 1]);
                // The nanoseconds until now, one by one: who is it that all wait for?
                let missing = arrived.iter().position(Option::is_none).unwrap();
                let holding = arrived[missing..].iter().flatten().count();
                if holding > 0 {
                    let fills = order[frame..].iter().find(|&&other| {
                        (starts[other as usize]..starts[other as usize + 1]).contains(&(missing as i64))
                    });
                    let blamed = gaps[*fills.unwrap() as usize].1;
                    model_charged[blamed] += holding as u128 * step as u128;
                    model_time[blamed] += step;
                }
                now += step;
                for byte in start..end {
                    arrived[byte as usize] = Some(now);
                }
                let after = arrived.iter().position(Option::is_none).unwrap_or(total);
                for at in arrived[missing..after.max(missing)].iter().flatten() {
                    waited += (now - at) as u128;
                    longest = longest.max(now - at);
                }
                if let Some(blocked) = queue.arrive(start, end, now, frame as u64) {
                    charged[subflow] += blocked.byte_ns;
                    blocked_time[subflow] += blocked.time;
                }
            }
            prop_assert_eq!(queue.delivered, total as u64);
            prop_assert_eq!(queue.waited, waited);
            prop_assert_eq!(queue.longest, longest);
            prop_assert_eq!(charged, model_charged);
            prop_assert_eq!(blocked_time, model_time);
            prop_assert_eq!(charged.iter().sum::<u128>(), waited);
            prop_assert_eq!(queue.blocked, blocked_time.iter().sum::<i64>());
        }
    }
}
