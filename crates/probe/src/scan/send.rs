//! A thread that sends: takes jobs, writes frames, keeps the pace.

use std::sync::atomic::Ordering;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use subflow_netio::{Error, Sender, ask_for_short_turns};

use super::track::Ask;
use super::work::{Job, MOST, Work};
use crate::network::Pacer;
use crate::probes::{Frame, Kinds, Probes};
use crate::targets::{Plan, Target};

const BATCH: usize = Sender::BATCH;
/// A job is looked up at once.
const _: () = assert!(BATCH >= MOST);
/// How long to wait when there is nothing to send.
const IDLE: Duration = Duration::from_millis(2);
/// How long to wait when the device takes no more.
const FULL: Duration = Duration::from_micros(50);
/// After how long a device that takes nothing is taken for dead: without a carrier it says that it is full.
const GIVE_UP: Duration = Duration::from_secs(10);
/// Longest sleep, so that the end and a new rate are noticed.
const LONGEST: Duration = Duration::from_millis(50);

/// What a sending thread works with.
pub(super) struct Context<'a> {
    pub(super) plan: &'a Plan,
    pub(super) probes: &'a Probes,
    pub(super) kinds: Kinds,
    pub(super) stages: &'a [Ask],
    pub(super) work: &'a Work,
}

/// The rest of a job, packet by packet.
struct Rest {
    job: Option<Job>,
    /// Its targets.
    targets: [Option<Target>; BATCH],
    /// The next entry of the job, and what is left of its kinds.
    at: usize,
    kinds: Kinds,
}

/// Frames of one batch and what they count as.
struct Batch {
    frames: [Frame; BATCH],
    len: usize,
    again: u64,
    plain: u64,
    resets: u64,
}

/// Sends until the work is over.
pub(super) fn send(context: &Context<'_>, thread: usize, sender: &mut Sender) -> Result<(), Error> {
    // Ordinary threads are asked to wait for their turn for longer than even sending allows.
    ask_for_short_turns();
    let start = Instant::now();
    let now = || start.elapsed().as_nanos() as u64;
    let limit = |rate: f64| rate.is_finite().then_some(rate);
    let work = context.work;
    let mut rate = work.rate();
    let mut pacer = Pacer::new(limit(rate), 0);
    let mut rest = Rest { job: None, targets: [None; BATCH], at: 0, kinds: Kinds::NONE };
    let mut batch = Batch { frames: [Frame::EMPTY; BATCH], len: 0, again: 0, plain: 0, resets: 0 };
    while !work.over.load(Ordering::Relaxed) {
        if work.paused.load(Ordering::Relaxed) || work.is_held_up() {
            sleep(IDLE);
            continue;
        }
        let new = work.rate();
        if new.to_bits() != rate.to_bits() {
            rate = new;
            pacer.set_rate(limit(rate));
        }
        let room = match pacer.ask(now(), BATCH) {
            Ok(room) => room,
            Err(pause) => {
                sleep(pause.min(LONGEST));
                continue;
            }
        };
        (batch.len, batch.again, batch.plain, batch.resets) = (0, 0, 0, 0);
        let mut taken = 0;
        let micros = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_micros() as u32);
        while batch.len < room {
            if rest.job.is_none() {
                rest.begin(work.take(thread), context);
                taken += 1;
                if rest.job.is_none() {
                    break;
                }
            }
            rest.fill(context, micros, room, &mut batch);
        }
        if batch.len > 0 {
            dispatch(context, sender, &batch)?;
            pacer.spend(batch.len);
        } else {
            sleep(IDLE);
        }
        if taken > 0 || rest.job.is_none() {
            work.done(thread, rest.job.is_some());
        }
    }
    Ok(())
}

/// Sends a whole batch, however often the device is full.
fn dispatch(context: &Context<'_>, sender: &mut Sender, batch: &Batch) -> Result<(), Error> {
    let mut slices: [&[u8]; BATCH] = [&[]; BATCH];
    for (slice, frame) in slices.iter_mut().zip(&batch.frames[..batch.len]) {
        *slice = frame.as_slice();
    }
    let mut left = &slices[..batch.len];
    let mut full = None;
    while !left.is_empty() {
        match sender.send(left)? {
            0 if context.work.over.load(Ordering::Relaxed) => break,
            0 if full.get_or_insert_with(Instant::now).elapsed() > GIVE_UP => return Err(Error::Down),
            0 => sleep(FULL),
            sent => {
                full = None;
                left = left.get(sent..).unwrap_or_default();
            }
        }
    }
    let counters = &context.work.sent;
    counters.probes.fetch_add(batch.len as u64 - batch.resets, Ordering::Relaxed);
    for (counter, count) in
        [(&counters.again, batch.again), (&counters.plain, batch.plain), (&counters.resets, batch.resets)]
    {
        if count > 0 {
            counter.fetch_add(count, Ordering::Relaxed);
        }
    }
    Ok(())
}

impl Rest {
    /// Looks up the targets of a job, all at once: misses in the cache then wait for one another less.
    fn begin(&mut self, job: Option<Job>, context: &Context<'_>) {
        let plan = context.plan;
        match &job {
            Some(Job::First(range)) => {
                plan.targets(range.clone(), &mut self.targets);
            }
            Some(Job::Later(_, targets)) => {
                plan.targets(targets.iter().map(|&(position, _)| position), &mut self.targets);
            }
            Some(Job::Resets(_)) | None => {}
        }
        (self.job, self.at, self.kinds) = (job, 0, Kinds::NONE);
    }

    /// Writes packets of the job into the batch until one of them ends.
    fn fill(&mut self, context: &Context<'_>, micros: u32, room: usize, batch: &mut Batch) {
        while batch.len < room {
            let (kinds, ask) = match &self.job {
                Some(Job::First(range)) => {
                    if range.start + self.at as u64 >= range.end {
                        break;
                    }
                    (context.kinds, Ask::First)
                }
                Some(Job::Later(stage, targets)) => {
                    let Some(&(_, kinds)) = targets.get(self.at) else { break };
                    (kinds, context.stages.get(*stage).copied().unwrap_or(Ask::Again))
                }
                Some(Job::Resets(resets)) => {
                    let Some(reset) = resets.get(self.at) else { break };
                    self.at += 1;
                    let frame = &mut batch.frames[batch.len];
                    if context.probes.write_reset(&reset.target, reset.port, reset.seq, frame) {
                        batch.len += 1;
                        batch.resets += 1;
                    }
                    continue;
                }
                None => return,
            };
            if self.kinds.is_empty() {
                self.kinds = kinds;
            }
            let Some(target) = self.targets.get(self.at).copied().flatten() else {
                (self.at, self.kinds) = (self.at + 1, Kinds::NONE);
                continue;
            };
            for kind in self.kinds.iter() {
                if batch.len == room {
                    return;
                }
                if context.probes.write(&target, kind, micros, &mut batch.frames[batch.len]) {
                    batch.len += 1;
                    match ask {
                        Ask::First => {}
                        Ask::Plain => batch.plain += 1,
                        Ask::Again | Ask::Confirm => batch.again += 1,
                    }
                }
                self.kinds = self.kinds.without(Kinds::only(kind));
            }
            self.at += 1;
        }
        // The batch may end exactly where the job does.
        let over = match &self.job {
            Some(Job::First(range)) => range.start + self.at as u64 >= range.end,
            Some(Job::Later(_, targets)) => self.at >= targets.len(),
            Some(Job::Resets(resets)) => self.at >= resets.len(),
            None => true,
        };
        if over && self.kinds.is_empty() {
            self.job = None;
        }
    }
}
