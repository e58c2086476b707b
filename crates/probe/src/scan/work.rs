//! What is still to be sent, shared between the thread that decides and those that send.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::probes::Kinds;
use crate::targets::Target;

/// A half-open connection to be reset.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reset {
    pub(super) target: Target,
    pub(super) port: u16,
    pub(super) seq: u32,
}

/// Something to send.
#[derive(Debug)]
pub(super) enum Job {
    /// All probes to the targets at these positions.
    First(Range<u64>),
    /// Some probes to some targets, in a later stage.
    Later(usize, Vec<(u64, Kinds)>),
    /// Resets.
    Resets(Vec<Reset>),
}

/// Targets, or resets, in a job at most.
pub(super) const MOST: usize = 64;
/// What waits to be sent in a stage at most; the walk of the tracker pauses then.
pub(super) const QUEUE: usize = 1 << 16;

/// The place of a job that is being sent: stage and position.
type Place = (usize, u64);

#[derive(Debug, Default)]
struct Inner {
    next: u64,
    end: u64,
    /// Targets of a first job.
    chunk: u64,
    /// For each thread, its jobs that are not entirely sent.
    under_way: Vec<Vec<Place>>,
    /// For each stage after the first, what waits.
    queues: Vec<VecDeque<(u64, Kinds)>>,
    resets: VecDeque<Reset>,
}

/// What is still to be sent.
#[derive(Debug)]
pub(super) struct Work {
    inner: Mutex<Inner>,
    pub(super) paused: AtomicBool,
    pub(super) over: AtomicBool,
    /// When the receiving thread last showed that it keeps up, in nanoseconds since `start`.
    beat: AtomicU64,
    /// For how long it may be out of sight.
    patience_ns: AtomicU64,
    start: Instant,
    /// Packets a second of each thread, as bits of a double.
    rate: AtomicU64,
    pub(super) sent: Counters,
}

/// Packets sent.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) probes: AtomicU64,
    pub(super) again: AtomicU64,
    pub(super) plain: AtomicU64,
    pub(super) resets: AtomicU64,
}

/// How far the sending is.
#[derive(Clone, Debug, Default)]
pub(super) struct Marks {
    /// The first position that no job has been made of.
    pub(super) next: u64,
    /// For each stage, the position below which everything that it holds has been sent; `None` where nothing waits.
    pub(super) unsent: Vec<Option<u64>>,
    /// For each stage after the first, how many targets wait.
    pub(super) waiting: Vec<usize>,
}

impl Work {
    pub(super) fn new(positions: Range<u64>, stages: usize, threads: usize, chunk: u64) -> Self {
        let inner = Inner {
            next: positions.start,
            end: positions.end,
            chunk: chunk.clamp(1, MOST as u64),
            under_way: vec![Vec::new(); threads],
            queues: vec![VecDeque::new(); stages.saturating_sub(1)],
            resets: VecDeque::new(),
        };
        Self {
            inner: Mutex::new(inner),
            paused: AtomicBool::new(false),
            over: AtomicBool::new(false),
            beat: AtomicU64::new(0),
            patience_ns: AtomicU64::new(u64::MAX),
            start: Instant::now(),
            rate: AtomicU64::new(f64::INFINITY.to_bits()),
            sent: Counters::default(),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        // Whoever panicked with it has left plain numbers.
        self.inner.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// A job for a thread: resets first, then the last stage, new targets at the end.
    pub(super) fn take(&self, thread: usize) -> Option<Job> {
        let mut guard = self.lock();
        let inner = &mut *guard;
        if !inner.resets.is_empty() {
            let count = inner.resets.len().min(MOST);
            return Some(Job::Resets(inner.resets.drain(..count).collect()));
        }
        let under_way = inner.under_way.get_mut(thread)?;
        for (k, queue) in inner.queues.iter_mut().enumerate().rev() {
            if let Some(&(first, _)) = queue.front() {
                let count = queue.len().min(MOST);
                under_way.push((k + 1, first));
                return Some(Job::Later(k + 1, queue.drain(..count).collect()));
            }
        }
        let first = inner.next;
        if first >= inner.end {
            return None;
        }
        inner.next = first.saturating_add(inner.chunk).min(inner.end);
        under_way.push((0, first));
        Some(Job::First(first..inner.next))
    }

    /// A thread has sent its jobs, but for the last one when `all_but_last`.
    pub(super) fn done(&self, thread: usize, all_but_last: bool) {
        if let Some(jobs) = self.lock().under_way.get_mut(thread) {
            let keep = usize::from(all_but_last);
            jobs.drain(..jobs.len().saturating_sub(keep));
        }
    }

    /// The first position that no job has been made of.
    pub(super) fn next(&self) -> u64 {
        self.lock().next
    }

    /// How far the sending is.
    pub(super) fn marks(&self) -> Marks {
        let inner = self.lock();
        let mut unsent: Vec<Option<u64>> = vec![None; inner.queues.len() + 1];
        unsent[0] = Some(inner.next);
        for (place, queue) in unsent[1..].iter_mut().zip(&inner.queues) {
            *place = queue.front().map(|&(position, _)| position);
        }
        for &(stage, first) in inner.under_way.iter().flatten() {
            if let Some(place) = unsent.get_mut(stage) {
                *place = Some(place.map_or(first, |before| before.min(first)));
            }
        }
        Marks { next: inner.next, unsent, waiting: inner.queues.iter().map(VecDeque::len).collect() }
    }

    /// Adds what a stage is to send.
    pub(super) fn add(&self, asked: &mut Vec<(usize, u64, Kinds)>, resets: &mut Vec<Reset>) {
        if asked.is_empty() && resets.is_empty() {
            return;
        }
        let mut inner = self.lock();
        for (stage, position, kinds) in asked.drain(..) {
            if let Some(queue) = stage.checked_sub(1).and_then(|k| inner.queues.get_mut(k)) {
                queue.push_back((position, kinds));
            }
        }
        // Resets are a courtesy: beyond a bound they are left to the targets' own timers.
        let room = QUEUE.saturating_sub(inner.resets.len());
        inner.resets.extend(resets.drain(..).take(room));
    }

    /// No new target from now on; the position where it ends.
    pub(super) fn end_here(&self) -> u64 {
        let mut inner = self.lock();
        inner.end = inner.next;
        inner.end
    }

    pub(super) fn resets_waiting(&self) -> usize {
        self.lock().resets.len()
    }

    /// The receiving thread keeps up.
    pub(super) fn beat(&self) {
        self.beat.store(self.start.elapsed().as_nanos() as u64, Ordering::Relaxed);
    }

    /// For how long the receiving thread may be out of sight.
    pub(super) fn set_patience(&self, patience: Duration) {
        self.patience_ns.store(u64::try_from(patience.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Whether the receiving thread has been held up, so that answers may pile up behind its back: whatever it is, a slow disk or a busy
    /// host, must not cost answers.
    pub(super) fn is_held_up(&self) -> bool {
        let now = self.start.elapsed().as_nanos() as u64;
        now.saturating_sub(self.beat.load(Ordering::Relaxed)) > self.patience_ns.load(Ordering::Relaxed)
    }

    /// Packets a second of each thread; infinite for no limit.
    pub(super) fn rate(&self) -> f64 {
        f64::from_bits(self.rate.load(Ordering::Relaxed))
    }

    pub(super) fn set_rate(&self, rate: f64) {
        self.rate.store(rate.to_bits(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probes::Kind;

    #[test]
    fn what_is_taken_counts_as_sent_only_when_it_is_done() {
        let work = Work::new(10..200, 2, 2, 64);
        assert_eq!(work.marks().unsent, [Some(10), None]);
        assert!(matches!(work.take(0), Some(Job::First(range)) if range == (10..74)));
        assert!(matches!(work.take(1), Some(Job::First(range)) if range == (74..138)));
        assert_eq!(work.marks().unsent[0], Some(10));
        assert!(matches!(work.take(0), Some(Job::First(range)) if range == (138..200)));
        work.done(0, true);
        assert_eq!(work.marks().unsent[0], Some(74));
        work.add(&mut vec![(1, 12, Kinds::only(Kind::Plain)), (1, 15, Kinds::only(Kind::V1))], &mut vec![]);
        assert_eq!((work.marks().unsent[1], work.marks().waiting), (Some(12), vec![2]));
        assert!(matches!(work.take(1), Some(Job::Later(1, jobs)) if jobs.len() == 2));
        assert_eq!(work.marks().unsent[1], Some(12));
        work.done(1, false);
        work.done(0, false);
        assert_eq!(work.marks().unsent, [Some(200), None]);
        assert!(work.take(0).is_none());
    }
}
