//! Time order within one file.
//!
//! Records that are not earlier than everything before them (nearly all) stay where they are, in the index of their
//! buffer. The few late ones go to a heap. What leaves is the smaller of both heads, once the *watermark* has passed
//! it: no record still to come can be put before the watermark. It follows the newest time at a distance of
//! [`SLACK_NS`], or of [`DEPTH`] buffers when those hold less time. A record later than that is passed on where the
//! watermark stands. All this depends on the file's bytes alone, not on when packets are asked for.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};

use crate::record::{Record, frame_before};

/// How late a record may be to be put in its place, in nanoseconds.
pub(crate) const SLACK_NS: i64 = 1_000_000_000;

/// A record may be put in its place over a distance of at least `DEPTH - 1` buffers.
const DEPTH: usize = 5;

/// A record is earlier than anything that could still be sorted: the clock was set back by so many nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StepBack(pub(crate) i64);

/// What pushing a record came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pushed {
    /// It will come out in time order.
    Sorted,
    /// It will come out as early as still possible, after later ones.
    TooLate,
}

struct Late {
    key: i64,
    record: Record,
}

impl Ord for Late {
    /// Reversed, as `BinaryHeap` has the largest on top.
    fn cmp(&self, other: &Self) -> Ordering {
        other.key.cmp(&self.key).then_with(|| {
            if self.record.frame == other.record.frame {
                Ordering::Equal
            } else if frame_before(self.record.frame, other.record.frame) {
                Ordering::Greater
            } else {
                Ordering::Less
            }
        })
    }
}
impl PartialOrd for Late {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl PartialEq for Late {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Late {}

/// The records of one buffer.
#[derive(Default)]
struct Lane {
    records: Vec<Record>,
    /// How many of its late records wait in the heap.
    late: usize,
}

/// The records of one file that were indexed and did not leave yet.
pub(crate) struct Window {
    lanes: Vec<Lane>,
    /// Lanes in file order, the one that is emptied in front.
    order: VecDeque<usize>,
    /// The lane that is emptied, its next record, and how far no further check is needed.
    current: usize,
    head: usize,
    clear: usize,
    late: BinaryHeap<Late>,
    /// The lane that is being filled, taken out of `lanes` meanwhile.
    filling: Lane,
    filling_lane: usize,
    /// Latest time so far.
    newest: i64,
    /// `newest` after each of the last buffers.
    newest_after: VecDeque<i64>,
    /// `newest` of `DEPTH` buffers ago.
    floor: i64,
    watermark: i64,
}

impl Default for Window {
    fn default() -> Self {
        Self {
            lanes: Vec::new(),
            order: VecDeque::new(),
            current: 0,
            head: 0,
            clear: 0,
            late: BinaryHeap::new(),
            filling: Lane::default(),
            filling_lane: 0,
            newest: i64::MIN,
            newest_after: VecDeque::new(),
            floor: i64::MIN,
            watermark: i64::MIN,
        }
    }
}

impl Window {
    /// Begins to take the records of a buffer. The buffer must not be [`live`](Self::is_live).
    pub(crate) fn begin(&mut self, slot: u16) {
        self.newest_after.push_back(self.newest);
        if self.newest_after.len() >= DEPTH {
            self.floor = self.floor.max(self.newest_after.pop_front().unwrap_or(i64::MIN));
        }
        self.take(slot);
    }

    fn take(&mut self, slot: u16) {
        let lane = usize::from(slot);
        if self.lanes.len() <= lane {
            self.lanes.resize_with(lane + 1, Lane::default);
        }
        self.filling_lane = lane;
        if let Some(lane) = self.lanes.get_mut(lane) {
            self.filling = std::mem::take(lane);
        }
        self.filling.records.clear();
    }

    /// Takes a record.
    #[inline(always)]
    pub(crate) fn push(&mut self, record: Record) -> Result<Pushed, StepBack> {
        if record.time >= self.newest {
            self.newest = record.time;
            self.filling.records.push(record);
            return Ok(Pushed::Sorted);
        }
        self.push_late(record)
    }

    #[cold]
    fn push_late(&mut self, record: Record) -> Result<Pushed, StepBack> {
        if record.time < self.newest.saturating_sub(SLACK_NS) {
            return Err(StepBack(self.newest.saturating_sub(record.time)));
        }
        let key = record.time.max(self.floor);
        self.late.push(Late { key, record });
        self.filling.late += 1;
        Ok(if key > record.time { Pushed::TooLate } else { Pushed::Sorted })
    }

    /// Ends a buffer; with `release` everything may leave (the file ends, or the clock steps back).
    pub(crate) fn end(&mut self, release: bool) {
        let lane = self.filling_lane;
        if !self.filling.records.is_empty() {
            self.order.push_back(lane);
        }
        if let Some(place) = self.lanes.get_mut(lane) {
            *place = std::mem::take(&mut self.filling);
        }
        self.watermark =
            if release { i64::MAX } else { self.newest.saturating_sub(SLACK_NS).max(self.floor) };
    }

    /// Nothing more will come: everything may leave.
    pub(crate) fn release(&mut self) {
        self.watermark = i64::MAX;
    }

    /// Goes on with the rest of a buffer after everything before has left: time begins anew.
    pub(crate) fn resume(&mut self, slot: u16) {
        self.newest = i64::MIN;
        self.floor = i64::MIN;
        self.newest_after.clear();
        self.newest_after.push_back(i64::MIN);
        self.drop_empty_lanes();
        self.take(slot);
    }

    /// The next record when no check is needed and it is not later than `limit`.
    #[inline(always)]
    pub(crate) fn pop_clear(&mut self, limit: i64) -> Option<Record> {
        if self.head >= self.clear {
            return None;
        }
        let record = *self.lanes.get(self.current)?.records.get(self.head)?;
        if record.time > limit {
            return None;
        }
        self.head += 1;
        Some(record)
    }

    /// Time of the next record that may leave; `None` when more of the file has to be indexed first.
    pub(crate) fn peek(&mut self) -> Option<i64> {
        if self.head >= self.clear {
            self.look_ahead();
        }
        if self.head < self.clear {
            return Some(self.lanes.get(self.current)?.records.get(self.head)?.time);
        }
        self.late.peek().filter(|late| late.key <= self.watermark).map(|late| late.record.time)
    }

    /// Takes the record that [`peek`](Self::peek) saw.
    pub(crate) fn pop(&mut self) -> Option<Record> {
        self.peek()?;
        if let Some(record) = self.pop_clear(i64::MAX) {
            return Some(record);
        }
        let late = self.late.pop()?;
        if let Some(lane) = self.lanes.get_mut(usize::from(late.record.slot)) {
            lane.late = lane.late.saturating_sub(1);
        }
        Some(late.record)
    }

    /// Finds how many records of the current lane may leave before the first late one.
    fn look_ahead(&mut self) {
        self.drop_empty_lanes();
        self.clear = self.head;
        let Some(lane) = self.order.front().and_then(|&lane| self.lanes.get(lane)) else { return };
        let rest = lane.records.get(self.head..).unwrap_or_default();
        let watermark = self.watermark;
        let mut count = match rest.last() {
            Some(last) if last.time <= watermark => rest.len(),
            _ => rest.partition_point(|record| record.time <= watermark),
        };
        if let Some(late) = self.late.peek().filter(|late| late.key <= watermark) {
            let before = |record: &&Record| {
                record.time < late.key
                    || record.time == late.key && frame_before(record.frame, late.record.frame)
            };
            count = rest.iter().take(count).take_while(before).count();
        }
        self.clear += count;
    }

    fn drop_empty_lanes(&mut self) {
        while let Some(&front) = self.order.front() {
            self.current = front;
            if self.lanes.get(front).is_some_and(|lane| self.head < lane.records.len()) {
                return;
            }
            self.order.pop_front();
            self.head = 0;
            self.clear = 0;
        }
        self.head = 0;
        self.clear = 0;
    }

    /// Whether records that did not leave yet lie in this buffer.
    pub(crate) fn is_live(&mut self, slot: u16) -> bool {
        if self.head >= self.clear {
            self.drop_empty_lanes();
        }
        let lane = usize::from(slot);
        self.order.contains(&lane) || self.lanes.get(lane).is_some_and(|lane| lane.late > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(frame: u32, time: i64, slot: u16) -> Record {
        Record { time, at: 0, captured: 0, wire: 0, frame, interface: 0, link: 1, slot }
    }

    fn drain(window: &mut Window) -> Vec<u32> {
        std::iter::from_fn(|| window.pop().map(|record| record.frame)).collect()
    }

    #[test]
    fn late_records_are_put_in_their_place_and_ties_keep_file_order() {
        let mut window = Window::default();
        window.begin(0);
        for (frame, time) in [(1, 10), (2, 30), (3, 20), (4, 30), (5, 20), (6, 40), (7, 10)] {
            assert_eq!(window.push(record(frame, time, 0)), Ok(Pushed::Sorted));
        }
        window.end(false);
        assert_eq!(window.pop(), None, "a record still to come could be earlier");
        assert!(window.is_live(0));
        window.release();
        assert_eq!(drain(&mut window), [1, 7, 3, 5, 2, 4, 6]);
        assert!(!window.is_live(0));
    }

    #[test]
    fn records_leave_when_the_newest_is_a_second_later() {
        let mut window = Window::default();
        window.begin(0);
        window.push(record(1, 0, 0)).unwrap();
        window.push(record(2, SLACK_NS - 1, 0)).unwrap();
        window.end(false);
        assert_eq!(window.pop(), None);
        window.begin(1);
        window.push(record(3, SLACK_NS, 1)).unwrap();
        window.push(record(4, 0, 1)).unwrap();
        window.end(false);
        assert_eq!(drain(&mut window), [1, 4], "late by a second exactly");
        assert!(window.is_live(0) && window.is_live(1));
    }

    #[test]
    fn records_leave_when_enough_buffers_follow() {
        let mut window = Window::default();
        for slot in 0..=DEPTH as u16 {
            window.begin(slot);
            window.push(record(u32::from(slot), i64::from(slot) * 10, slot)).unwrap();
            window.end(false);
        }
        assert_eq!(drain(&mut window), [0]);
        window.begin(0);
        assert_eq!(window.push(record(100, 9, 0)), Ok(Pushed::TooLate), "10 has been let go");
        assert_eq!(window.push(record(101, 11, 0)), Ok(Pushed::Sorted));
        window.end(true);
        assert_eq!(drain(&mut window), [1, 100, 101, 2, 3, 4, 5]);
    }

    #[test]
    fn a_step_back_is_refused_until_everything_before_has_left() {
        let mut window = Window::default();
        window.begin(0);
        window.push(record(1, 5 * SLACK_NS, 0)).unwrap();
        assert_eq!(window.push(record(2, 3 * SLACK_NS, 0)), Err(StepBack(2 * SLACK_NS)));
        window.end(true);
        assert_eq!(drain(&mut window), [1]);
        window.resume(0);
        assert_eq!(window.push(record(2, 3 * SLACK_NS, 0)), Ok(Pushed::Sorted));
        window.end(true);
        assert_eq!(drain(&mut window), [2]);
    }

    #[test]
    fn frame_numbers_may_wrap() {
        assert!(frame_before(u32::MAX, 3));
        assert!(!frame_before(3, u32::MAX));
    }
}
