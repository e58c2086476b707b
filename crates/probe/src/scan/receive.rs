//! The thread that receives: it reads answers, decides what is sent next, settles targets and hands on rows.

use std::hint::black_box;
use std::io;
use std::ops::Range;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use subflow_netio::{Error as NetError, Frames, Ring, ask_for_short_turns, wait};
use subflow_wire::LinkType;

use super::settings::Settings;
use super::sink::{Progress, Sink};
use super::state::State;
use super::throttle::Throttle;
use super::track::{Tracker, silent};
use super::work::{QUEUE, Reset, Work};
use crate::Stop;
use crate::answers::{Answer, Mark, Packet, Reader, Rejected, Repeats};
use crate::probes::{Kinds, Probes};
use crate::rows::{AnswerKind, End};
use crate::targets::Plan;

/// How often the tracker looks what is next.
const TICK: Duration = Duration::from_millis(10);
/// How often rows are flushed, the state is written and progress is told.
const SECOND: Duration = Duration::from_secs(1);
/// Answers that are remembered to tell repeated ones: 2^20 of 4 bytes.
const REMEMBERED_BITS: u32 = 20;
/// Blocks that are read before there is time for the rest.
const BLOCKS: usize = 16;
/// Answers that are looked at together, so that misses in the cache do not wait for one another.
const TOGETHER: usize = 32;

/// Bytes that an answer takes of the ring at most, with its headers there.
const ANSWER_BYTES: f64 = 400.0;
/// Answers a second that are reckoned with where there is no limit to the probes.
const FASTEST: f64 = 1e6;

/// Why a scan ended before its time, and what to tell of it.
pub(super) type Trouble = (End, String);

/// An answer, and where what is known of its target lies.
struct Verified<'a> {
    answer: Answer<'a>,
    position: u64,
    mark: Mark,
}

/// What the receiving thread works with.
pub(super) struct Receiver<'a> {
    plan: &'a Plan,
    settings: &'a Settings,
    work: &'a Work,
    reader: Reader,
    tracker: Tracker,
    repeats: Repeats,
    throttle: Throttle,
    /// Whether half-open connections are reset by us.
    resets: bool,
    /// The position where the scan ends; less than all when it is stopped.
    end: u64,
    start: Instant,
    progress: Progress,
    asked: Vec<(usize, u64, Kinds)>,
    to_reset: Vec<Reset>,
}

impl<'a> Receiver<'a> {
    /// `resets` says whether half-open connections are reset by us, `wanted` how many packets a second may be sent.
    pub(super) fn new(
        (plan, settings): (&'a Plan, &'a Settings),
        work: &'a Work,
        probes: &Probes,
        tracker: Tracker,
        resets: bool,
        wanted: f64,
    ) -> Self {
        let Range { start: begin, end } = tracker.settled()..plan.len();
        Self {
            plan,
            settings,
            work,
            reader: Reader::new(probes),
            tracker,
            repeats: Repeats::new(REMEMBERED_BITS),
            throttle: Throttle::new(wanted),
            resets,
            end,
            start: Instant::now(),
            progress: Progress { targets: end, probed: begin, settled: begin, ..Progress::default() },
            asked: Vec::new(),
            to_reset: Vec::new(),
        }
    }

    /// Receives until everything is settled, or until something ends it early. `failed` says whether a sending thread is over.
    pub(super) fn receive<S: Sink>(
        &mut self,
        rings: &mut [Ring; 1],
        sink: &mut S,
        stop: &Stop,
        state: &mut State,
        failed: impl Fn() -> bool,
    ) -> Result<End, Trouble> {
        let net = |error: NetError| (End::Interface, error.to_string());
        // Until half of the ring is full, each probe being answered, sending need not wait for this thread.
        let most = self.throttle.rate().min(FASTEST) * ANSWER_BYTES;
        self.work.set_patience(rings[0].endurance(most) / 2);
        ask_for_short_turns();
        let mut stopped = None;
        let (mut next_tick, mut next_second) = (Instant::now(), Instant::now() + SECOND);
        loop {
            let trouble = wait(rings, TICK).map_err(net)?;
            let mut outcome = self.drain(&mut rings[0], sink);
            let now = Instant::now();
            if outcome.is_ok() && now >= next_tick {
                next_tick = now + TICK;
                outcome = self.tick(sink);
            }
            outcome.map_err(|error| unwritten(&error))?;
            if trouble && rings[0].trouble().is_some() || failed() {
                self.save(sink, state)?;
                return Err((End::Interface, "the interface is down or cannot send".to_owned()));
            }
            self.work.paused.store(self.throttle.pause(rings[0].fill()), Ordering::Relaxed);
            let over = self.tracker.settled() >= self.end && self.work.resets_waiting() == 0;
            if now >= next_second || over {
                next_second = now + SECOND;
                self.save(sink, state)?;
                self.look(&mut rings[0]).map_err(net)?;
                sink.progress(&self.progress());
            }
            if over {
                return Ok(stopped.unwrap_or(End::Complete));
            }
            let late = self.settings.max_runtime.is_some_and(|most| self.start.elapsed() >= most);
            if stopped.is_none() && (stop.times() > 0 || late) {
                stopped = Some(if stop.times() > 0 { End::Stopped } else { End::OutOfTime });
                self.end = self.work.end_here();
            }
            if stop.times() > 1 {
                self.save(sink, state)?;
                return Ok(End::Stopped);
            }
        }
    }

    /// Reads what the ring holds, a few blocks at a time.
    fn drain<S: Sink>(&mut self, ring: &mut Ring, sink: &mut S) -> io::Result<()> {
        for _ in 0..BLOCKS {
            self.work.beat();
            let Some(block) = ring.next_block() else { break };
            // Asked after the block was handed over: whatever is in it was sent before.
            let next = self.work.next();
            let mut frames = block.frames();
            let mut answers = Vec::with_capacity(TOGETHER);
            while self.read(&mut frames, next, &mut answers) {
                self.take(&answers, sink)?;
                answers.clear();
            }
        }
        Ok(())
    }

    /// Reads the next frames; targets from position `next` on have not been probed. Returns whether there were any.
    fn read<'f>(&mut self, frames: &mut Frames<'f>, next: u64, answers: &mut Vec<Verified<'f>>) -> bool {
        let mut some = false;
        for frame in frames.take(TOGETHER) {
            some = true;
            match self.reader.read(LinkType::ETHERNET, frame.data, frame.wire_len, frame.time_ns) {
                Ok(answer) => match self.plan.position_of(&answer.target) {
                    Some(position) if position < next => {
                        answers.push(Verified { mark: Mark::of(&answer), answer, position });
                    }
                    // A target of another shard, or of an earlier scan with the same seed.
                    _ => self.progress.unverified += 1,
                },
                Err(Rejected::Unverified) => self.progress.unverified += 1,
                Err(Rejected::NotOurs) => {}
            }
        }
        some
    }

    /// Takes some answers.
    fn take<S: Sink>(&mut self, answers: &[Verified<'_>], sink: &mut S) -> io::Result<()> {
        let fetched = answers.iter().fold(0, |sum, verified| {
            sum ^ self.repeats.touch(verified.mark) ^ u32::from(self.tracker.touch(verified.position))
        });
        black_box(fetched);
        for Verified { answer, position, mark } in answers {
            let repeat = self.repeats.check_mark(*mark);
            self.progress.answers += 1;
            self.progress.repeats += u64::from(repeat);
            if self.resets
                && let Packet::Tcp { kind: AnswerKind::SynAck, ack, .. } = answer.packet
            {
                self.to_reset.push(Reset { target: answer.target, port: answer.src_port, seq: ack });
            }
            let settled = self.tracker.answer(*position, answer, repeat);
            if sink.takes_probes() {
                sink.probe(answer.row(repeat))?;
            }
            if let Some(row) = settled {
                sink.target(row)?;
            }
        }
        Ok(())
    }

    /// Hands out what is to be sent next, and settles whose time has come.
    fn tick<S: Sink>(&mut self, sink: &mut S) -> io::Result<()> {
        let now = self.start.elapsed().as_nanos() as u64;
        let marks = self.work.marks();
        for (stage, unsent) in marks.unsent.iter().enumerate() {
            let walked = self.tracker.walked(stage);
            let below = unsent.map_or(walked, |first| if stage == 0 { first } else { first.min(walked) });
            self.tracker.sent(stage, below, now);
        }
        let mut room: Vec<usize> =
            marks.waiting.iter().map(|&waiting| QUEUE.saturating_sub(waiting)).collect();
        let (plan, all, asked) = (self.plan, self.settings.report_silent, &mut self.asked);
        let result = self.tracker.walk(
            now,
            |stage, position, kinds| {
                asked.push((stage, position, kinds));
                room.get_mut(stage - 1).is_some_and(|room| {
                    *room = room.saturating_sub(1);
                    *room > 0
                })
            },
            |position, sent, evidence| {
                if evidence.is_none() && !all {
                    return Ok(());
                }
                let Some(target) = plan.target(position) else { return Ok(()) };
                sink.target(evidence.map_or_else(|| silent(&target, sent), |known| known.row(&target, sent)))
            },
        );
        self.work.add(&mut self.asked, &mut self.to_reset);
        self.progress.probed = marks.unsent.first().copied().flatten().unwrap_or(marks.next);
        result
    }

    /// Flushes the rows, then writes the state that counts on them.
    fn save<S: Sink>(&mut self, sink: &mut S, state: &mut State) -> Result<(), Trouble> {
        // Read before the rows are flushed: rows of these targets have been handed on.
        let settled = self.tracker.settled();
        sink.flush().map_err(|error| unwritten(&error))?;
        state.settled = settled;
        match &self.settings.state {
            Some(path) => state.write(path).map_err(|error| (End::Output, error.to_string())),
            None => Ok(()),
        }
    }

    /// Lowers the rate after packets were lost, and lets it recover.
    fn look(&mut self, ring: &mut Ring) -> Result<(), NetError> {
        let drops = ring.statistics()?.drops;
        let sent = self.work.sent.probes.load(Ordering::Relaxed);
        let rate = self.throttle.look(sent, self.start.elapsed().as_secs_f64(), drops);
        self.work.set_rate(rate / self.settings.threads as f64);
        Ok(())
    }

    /// How far the scan is.
    pub(super) fn progress(&self) -> Progress {
        let sent = &self.work.sent;
        Progress {
            seconds: self.start.elapsed().as_secs_f64(),
            settled: self.tracker.settled(),
            sent: sent.probes.load(Ordering::Relaxed),
            sent_again: sent.again.load(Ordering::Relaxed),
            sent_plain: sent.plain.load(Ordering::Relaxed),
            sent_resets: sent.resets.load(Ordering::Relaxed),
            late: self.tracker.late(),
            drops: self.throttle.drops(),
            slowed: self.throttle.slowed(),
            rate: self.throttle.rate(),
            ..self.progress
        }
    }
}

fn unwritten(error: &io::Error) -> Trouble {
    (End::Output, format!("rows cannot be written: {error}"))
}
