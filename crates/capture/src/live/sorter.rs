//! Batches of packets into one order of time.
//!
//! A ring is nearly in order, several rings are not in order among each other. A packet is lent out when no earlier one can
//! come any more: the reader says up to when that is (`Batch::horizon`).

use std::collections::VecDeque;
use std::sync::mpsc::SyncSender;

use super::reader::Batch;

/// Batches that may wait for their time; beyond that the earliest packets are lent out at once.
const MOST_WAITING: usize = 64;

/// A packet in a batch.
#[derive(Clone, Copy, Debug)]
struct Place {
    time_ns: i64,
    batch: u64,
    index: u32,
}

/// A packet that is lent out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found<'a> {
    pub(super) time_ns: i64,
    pub(super) wire_len: u32,
    pub(super) interface: u32,
    pub(super) data: &'a [u8],
}

/// Packets that wait to be lent out.
#[derive(Default)]
pub(super) struct Sorter {
    batches: VecDeque<Batch>,
    /// Number of the first of `batches`.
    first: u64,
    order: Vec<Place>,
    next: usize,
    horizon: i64,
    all: bool,
}

impl Sorter {
    /// Takes a batch, and gives back those that are used up.
    pub(super) fn add(&mut self, batch: Batch, used: &SyncSender<Batch>) {
        self.order.drain(..self.next);
        self.next = 0;
        // Places of packets not yet lent out keep their batch; as batches are nearly in order, the first ones go first.
        let needed = self.order.iter().map(|place| place.batch).min();
        while let Some(front) = self.batches.pop_front_if(|_| needed.is_none_or(|needed| needed > self.first))
        {
            self.first += 1;
            // A full channel means that there are buffers enough.
            let _ = used.try_send(front.cleared());
        }
        self.horizon = self.horizon.max(batch.horizon);
        let number = self.first + self.batches.len() as u64;
        let sorted = |order: &[Place]| order.is_sorted_by_key(|place| place.time_ns);
        let joint = self.order.len().saturating_sub(1);
        let places = batch.heads.iter().zip(0..).map(|(head, index)| Place {
            time_ns: head.time_ns,
            batch: number,
            index,
        });
        self.order.extend(places);
        if !sorted(self.order.get(joint..).unwrap_or_default()) {
            self.order.sort_by_key(|place| place.time_ns);
        }
        self.batches.push_back(batch);
    }

    /// No more batches will come.
    pub(super) fn release_all(&mut self) {
        self.all = true;
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.next = self.order.len();
    }

    /// Whether there is a packet to lend out.
    #[inline]
    pub(super) fn is_ready(&self) -> bool {
        self.order.get(self.next).is_some_and(|place| {
            place.time_ns <= self.horizon || self.all || self.batches.len() > MOST_WAITING
        })
    }

    /// The next packet.
    #[inline]
    pub(super) fn next(&mut self) -> Option<Found<'_>> {
        let place = *self.order.get(self.next)?;
        self.next += 1;
        let batch = self.batches.get(usize::try_from(place.batch - self.first).ok()?)?;
        let head = batch.heads.get(place.index as usize)?;
        Some(Found {
            time_ns: head.time_ns,
            wire_len: head.wire_len,
            interface: head.interface,
            data: batch.bytes.get(head.start..head.end).unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::reader::Head;
    use super::*;
    use std::sync::mpsc::sync_channel;

    fn batch(times: &[i64], horizon: i64) -> Batch {
        let mut batch = Batch { horizon, ..Batch::default() };
        for &time_ns in times {
            let start = batch.bytes.len();
            batch.bytes.extend_from_slice(&time_ns.to_le_bytes());
            batch.heads.push(Head { time_ns, wire_len: 9, interface: 0, start, end: start + 8 });
        }
        batch
    }

    fn ready(sorter: &mut Sorter) -> Vec<i64> {
        let mut times = Vec::new();
        while sorter.is_ready() {
            let found = sorter.next().unwrap();
            assert_eq!(found.data, found.time_ns.to_le_bytes());
            times.push(found.time_ns);
        }
        times
    }

    #[test]
    fn packets_wait_until_no_earlier_one_can_come() {
        let (used, back) = sync_channel(4);
        let mut sorter = Sorter::default();
        sorter.add(batch(&[10, 30, 50], 20), &used);
        assert_eq!(ready(&mut sorter), [10]);
        sorter.add(batch(&[20, 40, 60], 20), &used);
        assert_eq!(ready(&mut sorter), [20]);
        sorter.add(batch(&[], 55), &used);
        assert_eq!(ready(&mut sorter), [30, 40, 50]);
        sorter.add(batch(&[], 56), &used);
        let first = back.try_recv().unwrap();
        assert!(first.heads.is_empty() && first.bytes.is_empty(), "a batch that is used up comes back");
        sorter.release_all();
        assert_eq!(ready(&mut sorter), [60]);
    }

    #[test]
    fn equal_times_keep_the_order_in_which_they_came() {
        let (used, _back) = sync_channel(4);
        let mut sorter = Sorter::default();
        let mut one = batch(&[5, 5], 0);
        one.heads[0].wire_len = 1;
        one.heads[1].wire_len = 2;
        sorter.add(one, &used);
        let mut two = batch(&[5, 4], 0);
        two.heads[0].wire_len = 3;
        sorter.add(two, &used);
        sorter.release_all();
        let order: Vec<u32> = std::iter::from_fn(|| sorter.next().map(|found| found.wire_len)).collect();
        assert_eq!(order, [9, 1, 2, 3]);
    }

    #[test]
    fn memory_is_bounded_whatever_the_clock_says() {
        let (used, _back) = sync_channel(4);
        let mut sorter = Sorter::default();
        for time in 0..1000 {
            sorter.add(batch(&[time], -1), &used);
            assert!(sorter.batches.len() <= MOST_WAITING + 1);
            ready(&mut sorter);
        }
    }
}
