//! Many runs of one scenario: schemes × loads × seeds, on all cores, with results in order, to be resumed after an interruption.
//!
//! Runs are independent, so that they are spread over threads, never cut up inside. Results are handed over one by one in the order of the
//! jobs, whatever the number of threads: the same plan gives the same bytes.

mod folder;

pub use folder::{Folder, FolderError};

use crate::scenario::Scenario;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// One run of a sweep.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Job {
    /// Its number, from 0.
    pub run_id: u32,
    /// Which of the scenario's schemes.
    pub scheme: usize,
    /// Which of the scenario's loads; none for workloads without a load.
    pub load: Option<f64>,
    /// The seed.
    pub seed: u64,
}

/// All runs of a scenario: by load, then seed, then scheme, so that what is compared pairwise comes together.
pub fn jobs(scenario: &Scenario) -> Vec<Job> {
    let loads: Vec<Option<f64>> = match &scenario.loads[..] {
        [] => vec![None],
        loads => loads.iter().copied().map(Some).collect(),
    };
    let mut jobs = Vec::new();
    for &load in &loads {
        for &seed in &scenario.seeds {
            for scheme in 0..scenario.schemes.len() {
                jobs.push(Job { run_id: jobs.len() as u32, scheme, load, seed });
            }
        }
    }
    jobs
}

/// How many threads there are room for.
pub fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

/// What workers share.
struct Board<T> {
    next: usize,
    handed: usize,
    ready: BTreeMap<usize, T>,
    stopped: bool,
}

/// Runs jobs on so many threads (at least one). `run` does one job on some thread; `each` gets its result on this thread, in the order of the jobs, and
/// says whether to go on. Results that wait for an earlier one are at most twice as many as threads, so that memory does not grow
/// with the plan.
///
/// # Errors
/// The first one of `each`; jobs that run then are finished and thrown away.
///
/// # Panics
/// When `run` does.
pub fn sweep<T: Send, E>(
    jobs: &[Job],
    threads: usize,
    run: impl Fn(&Job) -> T + Sync,
    mut each: impl FnMut(&Job, T) -> Result<bool, E>,
) -> Result<(), E> {
    let threads = threads.clamp(1, jobs.len().max(1));
    let board = Mutex::new(Board { next: 0, handed: 0, ready: BTreeMap::new(), stopped: false });
    let changed = Condvar::new();
    let work = || {
        // A panic of a run must not leave the others waiting for its result.
        let _guard = StopOnPanic(&board, &changed);
        loop {
            let mut shared = lock(&board);
            while shared.next >= shared.handed + 3 * threads && !shared.stopped {
                shared = changed.wait(shared).unwrap_or_else(PoisonError::into_inner);
            }
            let number = shared.next;
            let Some(job) = jobs.get(number).filter(|_| !shared.stopped) else { return };
            shared.next += 1;
            drop(shared);
            let result = run(job);
            lock(&board).ready.insert(number, result);
            changed.notify_all();
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
        let outcome = hand_over(jobs, &board, &changed, &mut each);
        lock(&board).stopped = true;
        changed.notify_all();
        outcome
    })
}

fn hand_over<T, E>(
    jobs: &[Job],
    board: &Mutex<Board<T>>,
    changed: &Condvar,
    each: &mut impl FnMut(&Job, T) -> Result<bool, E>,
) -> Result<(), E> {
    for (number, job) in jobs.iter().enumerate() {
        let mut shared = lock(board);
        let result = loop {
            if let Some(result) = shared.ready.remove(&number) {
                break result;
            }
            if shared.stopped {
                return Ok(());
            }
            shared = changed.wait(shared).unwrap_or_else(PoisonError::into_inner);
        };
        shared.handed = number + 1;
        drop(shared);
        changed.notify_all();
        if !each(job, result)? {
            return Ok(());
        }
    }
    Ok(())
}

fn lock<T>(board: &Mutex<Board<T>>) -> MutexGuard<'_, Board<T>> {
    board.lock().unwrap_or_else(PoisonError::into_inner)
}

struct StopOnPanic<'a, T>(&'a Mutex<Board<T>>, &'a Condvar);

impl<T> Drop for StopOnPanic<'_, T> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            lock(self.0).stopped = true;
            self.1.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::builtin;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn many(n: u32) -> Vec<Job> {
        (0..n).map(|run_id| Job { run_id, scheme: 0, load: None, seed: u64::from(run_id) }).collect()
    }

    #[test]
    fn jobs_are_loads_by_seeds_by_schemes() {
        let scenario = builtin("oversubscribed").unwrap().scenario().unwrap();
        let jobs = jobs(&scenario);
        assert_eq!(jobs.len(), 3 * 5 * 4);
        assert_eq!(jobs[0], Job { run_id: 0, scheme: 0, load: Some(0.2), seed: 1 });
        assert_eq!(jobs[5], Job { run_id: 5, scheme: 1, load: Some(0.2), seed: 2 });
        assert_eq!(jobs[59], Job { run_id: 59, scheme: 3, load: Some(0.6), seed: 5 });
        let scenario = builtin("incast").unwrap().scenario().unwrap();
        assert_eq!(super::jobs(&scenario)[0].load, None);
    }

    #[test]
    fn results_come_in_order_and_do_not_pile_up() {
        let (waiting, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let mut seen = Vec::new();
        let run = |job: &Job| {
            // The first jobs take longest.
            std::thread::sleep(std::time::Duration::from_micros(u64::from(200 - job.run_id)));
            most.fetch_max(waiting.fetch_add(1, Ordering::SeqCst), Ordering::SeqCst);
            job.seed * 2
        };
        let result: Result<(), ()> = sweep(&many(200), 4, run, |job, result| {
            waiting.fetch_sub(1, Ordering::SeqCst);
            seen.push((job.run_id, result));
            Ok(true)
        });
        assert_eq!(result, Ok(()));
        assert_eq!(seen, (0..200).map(|n| (n, 2 * u64::from(n))).collect::<Vec<_>>());
        assert!(most.into_inner() <= 12);
    }

    #[test]
    fn it_stops_when_told() {
        let ran = AtomicUsize::new(0);
        let run = |_: &Job| ran.fetch_add(1, Ordering::SeqCst);
        let failed =
            sweep(&many(1000), 2, run, |job, _| if job.run_id == 3 { Err("full") } else { Ok(true) });
        assert_eq!(failed, Err("full"));
        assert!(ran.load(Ordering::SeqCst) <= 10);
        let stopped: Result<(), ()> = sweep(&many(1000), 2, run, |job, _| Ok(job.run_id < 3));
        assert_eq!(stopped, Ok(()));
        assert!(ran.load(Ordering::SeqCst) <= 20);
        let nothing: Result<(), ()> = sweep(&[], 0, run, |_, _| Ok(true));
        assert_eq!(nothing, Ok(()));
    }

    #[test]
    #[should_panic(expected = "a scoped thread panicked")]
    fn a_panic_is_not_a_deadlock() {
        let run = |job: &Job| assert_ne!(job.run_id, 5, "on purpose");
        let _: Result<(), ()> = sweep(&many(50), 3, run, |_, ()| Ok(true));
    }
}
