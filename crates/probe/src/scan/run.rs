//! The scan itself: threads that send, and this one, which receives, decides and writes rows.

use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use subflow_netio::{Config, Error as NetError, Ring, Sender, wait};
use subflow_rows::Time;
use subflow_wire::LinkType;

use super::campaign;
use super::filter;
use super::network::{self, Network};
use super::send::{Context, send};
use super::settings::{Resets, Settings};
use super::sink::{Progress, Sink, Stop};
use super::state::State;
use super::track::{Ask, Tracker, silent};
use super::work::{QUEUE, Reset, Work};
use crate::Error;
use crate::answers::{Packet, Reader, Rejected, Repeats};
use crate::probes::{Probes, Secret};
use crate::rows::{AnswerKind, Campaign, End};
use crate::targets::Plan;

/// How often the tracker looks what is next.
const TICK: Duration = Duration::from_millis(10);
/// How often rows are flushed, the state is written and progress is told.
const SECOND: Duration = Duration::from_secs(1);
/// Answers that are remembered to tell repeated ones: 2^20 of 4 bytes.
const REMEMBERED_BITS: u32 = 20;
/// Sending pauses when more than this share of the ring waits to be read, and goes on below a quarter of it.
const FULL: f64 = 0.5;
/// After packets were lost the rate is cut to this share, and recovers by so much a second.
const CUT: f64 = 0.7;
const RECOVER: f64 = 1.05;

/// What became of a scan.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The row of table `campaigns`.
    pub campaign: Campaign,
    /// How far it came.
    pub progress: Progress,
    /// What ended it early, in words.
    pub trouble: Option<String>,
}

/// Runs a scan to its end, or until it is stopped. What can be found wrong before the first packet is an error; after that
/// every end is an [`Outcome`], with what was found kept.
pub fn run<S: Sink>(plan: &Plan, settings: &Settings, sink: &mut S, stop: &Stop) -> Result<Outcome, Error> {
    settings.check(plan)?;
    let started_ns = unix_ns();
    let mut state = match &settings.state {
        Some(path) if settings.resume => {
            let state = State::read(path, plan, settings)?;
            State { resumed: state.resumed + 1, ..state }
        }
        _ => State::new(plan, settings, started_ns),
    };
    let network = network::find(plan, settings)?;
    let secret = Secret::new(plan.seed());
    let probes = Probes::new(secret, settings.source_ports, network.source, settings.canary)
        .map_err(|_| Error::Setting { what: "the options do not fit a TCP header" })?;
    let ring = open_ring(settings, &network, &probes)?;
    let senders: Result<Vec<_>, _> =
        (0..settings.threads).map(|thread| open_sender(settings, &network, thread)).collect();
    let senders = senders?;
    if let Some(path) = &settings.state {
        state.write(path)?;
    }
    let begin = state.settled;
    let cooldown_ns = u64::try_from(settings.cooldown.as_nanos()).unwrap_or(u64::MAX);
    let tracker = Tracker::new(settings.kinds, settings.retries, settings.follow_up, cooldown_ns, begin);
    let stages: Vec<Ask> = tracker.stages().collect();
    let wanted = settings.packet_rate(plan).unwrap_or(f64::INFINITY);
    // Small jobs at low rates, so that a stopped scan has little under way.
    let chunk = if wanted.is_finite() { (wanted / 200.0) as u64 } else { u64::MAX };
    let work = Work::new(begin..plan.len(), stages.len(), settings.threads, chunk);
    work.set_rate(wanted / settings.threads as f64);
    let mut campaign = campaign::begin(plan, settings, &network, started_ns, begin);
    let mut scan = Scan {
        plan,
        settings,
        work: &work,
        reader: Reader::new(&probes),
        tracker,
        repeats: Repeats::new(REMEMBERED_BITS),
        resets: match settings.resets {
            Resets::Auto => !network.own,
            Resets::Always => true,
            Resets::Never => false,
        },
        end: plan.len(),
        wanted,
        rate: wanted,
        start: Instant::now(),
        progress: Progress { targets: plan.len(), probed: begin, settled: begin, ..Progress::default() },
        asked: Vec::new(),
        to_reset: Vec::new(),
        recent: (0, 0.0),
    };
    let context = Context { plan, probes: &probes, kinds: settings.kinds, stages: &stages, work: &work };
    sink.campaign(&campaign);
    let (end, trouble) = thread::scope(|scope| {
        let threads: Vec<_> = senders
            .into_iter()
            .enumerate()
            .map(|(number, mut sender)| {
                let context = &context;
                scope.spawn(move || send(context, number, &mut sender))
            })
            .collect();
        let failed = || threads.iter().any(thread::ScopedJoinHandle::is_finished);
        let ended = scan.receive(&mut [ring], sink, stop, &mut state, failed);
        work.over.store(true, Ordering::Relaxed);
        let sending: Vec<_> = threads.into_iter().map(thread::ScopedJoinHandle::join).collect();
        let sending = sending.into_iter().find_map(|result| match result {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some((End::Interface, error.to_string())),
            Err(_) => Some((End::Interface, "a sending thread broke down".to_owned())),
        });
        match (ended, sending) {
            (Ok(_), Some((end, words))) => (end, Some(words)),
            (Ok(end), None) => (end, None),
            (Err((end, words)), sending) => (end, Some(sending.map_or(words, |(_, words)| words))),
        }
    });
    scan.counts();
    campaign::count(&mut campaign, &scan.progress);
    campaign.end = Some(Time(unix_ns()));
    campaign.ended = Some(end);
    sink.campaign(&campaign);
    Ok(Outcome { campaign, progress: scan.progress, trouble })
}

/// The fast way where there is one, else the one that always is.
fn open_sender(settings: &Settings, network: &Network, thread: usize) -> Result<Sender, NetError> {
    let queue = u32::try_from(thread).unwrap_or(u32::MAX);
    if settings.bypass
        && settings.fast
        && let Ok(sender) = Sender::open_fast(&network.interface, queue)
    {
        return Ok(sender);
    }
    Sender::open(&network.interface, settings.bypass)
}

fn open_ring(settings: &Settings, network: &Network, probes: &Probes) -> Result<Ring, Error> {
    let config = Config {
        interface: network.interface.clone(),
        snap_len: 256,
        ring_bytes: settings.ring_bytes,
        promiscuous: false,
    };
    let source = &network.source;
    let (v4, v6) = (source.v4.map(|(_, addr)| addr), source.v6.map(|(_, addr)| addr));
    Ok(Ring::open_filtered(&config, &filter::answers(v4, v6, probes.ports().range()))?)
}

/// What the receiving thread works with.
struct Scan<'a> {
    plan: &'a Plan,
    settings: &'a Settings,
    work: &'a Work,
    reader: Reader,
    tracker: Tracker,
    repeats: Repeats,
    resets: bool,
    /// The position where the scan ends; less than all when it is stopped.
    end: u64,
    wanted: f64,
    /// Packets a second that are kept to now.
    rate: f64,
    start: Instant,
    progress: Progress,
    asked: Vec<(usize, u64, crate::probes::Kinds)>,
    to_reset: Vec<Reset>,
    /// Packets sent and seconds at the last look at the rate.
    recent: (u64, f64),
}

/// Why a scan ended before its time, and what to tell of it.
type Trouble = (End, String);

impl Scan<'_> {
    fn receive<S: Sink>(
        &mut self,
        rings: &mut [Ring; 1],
        sink: &mut S,
        stop: &Stop,
        state: &mut State,
        failed: impl Fn() -> bool,
    ) -> Result<End, Trouble> {
        let net = |error: NetError| (End::Interface, error.to_string());
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
            outcome.map_err(|error| (End::Output, format!("rows cannot be written: {error}")))?;
            if trouble && rings[0].trouble().is_some() || failed() {
                self.save(sink, state)?;
                return Err((End::Interface, "the interface is down or cannot send".to_owned()));
            }
            self.mind_the_ring(&mut rings[0]).map_err(net)?;
            let over = self.tracker.settled() >= self.end && self.work.resets_waiting() == 0;
            if now >= next_second || over {
                next_second = now + SECOND;
                self.save(sink, state)?;
                self.mind_losses(&mut rings[0]).map_err(net)?;
                self.counts();
                sink.progress(&self.progress);
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

    /// Reads what the ring holds.
    fn drain<S: Sink>(&mut self, ring: &mut Ring, sink: &mut S) -> std::io::Result<()> {
        // A few blocks at a time, so that there is always time for the rest.
        for _ in 0..4 {
            self.work.beat();
            let Some(block) = ring.next_block() else { break };
            // Asked after the block was handed over: whatever is in it was sent before.
            let next = self.work.next();
            for frame in block.frames() {
                self.frame(&frame, next, sink)?;
            }
        }
        Ok(())
    }

    /// Takes one frame; targets from position `next` on have not been probed.
    fn frame<S: Sink>(
        &mut self,
        frame: &subflow_netio::Frame<'_>,
        next: u64,
        sink: &mut S,
    ) -> std::io::Result<()> {
        let answer = match self.reader.read(LinkType::ETHERNET, frame.data, frame.wire_len, frame.time_ns) {
            Ok(answer) => answer,
            Err(Rejected::Unverified) => {
                self.progress.unverified += 1;
                return Ok(());
            }
            Err(Rejected::NotOurs) => return Ok(()),
        };
        let Some(position) = self.plan.position_of(&answer.target).filter(|&position| position < next) else {
            // A target of another shard, or of an earlier scan with the same seed.
            self.progress.unverified += 1;
            return Ok(());
        };
        let repeat = self.repeats.check(&answer);
        self.progress.answers += 1;
        self.progress.repeats += u64::from(repeat);
        if self.resets
            && let Packet::Tcp { kind: AnswerKind::SynAck, ack, .. } = answer.packet
        {
            self.to_reset.push(Reset { target: answer.target, port: answer.src_port, seq: ack });
        }
        let settled = self.tracker.answer(position, &answer, repeat);
        sink.probe(answer.row(repeat))?;
        settled.map_or(Ok(()), |row| sink.target(row))
    }

    /// Hands out what is to be sent next, and settles whose time has come.
    fn tick<S: Sink>(&mut self, sink: &mut S) -> std::io::Result<()> {
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
        let settled = self.tracker.settled();
        sink.flush().map_err(|error| (End::Output, format!("rows cannot be written: {error}")))?;
        state.settled = settled;
        match &self.settings.state {
            Some(path) => state.write(path).map_err(|error| (End::Output, error.to_string())),
            None => Ok(()),
        }
    }

    /// Lets the sending wait while the ring is too full.
    fn mind_the_ring(&mut self, ring: &mut Ring) -> Result<(), NetError> {
        let fill = ring.fill();
        let paused = self.work.paused.load(Ordering::Relaxed);
        if !paused && fill > FULL {
            self.work.paused.store(true, Ordering::Relaxed);
            self.progress.slowed += 1;
        } else if paused && fill < FULL / 4.0 {
            self.work.paused.store(false, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Lowers the rate after packets were lost, and lets it recover.
    fn mind_losses(&mut self, ring: &mut Ring) -> Result<(), NetError> {
        let drops = ring.statistics()?.drops;
        let (sent, seconds) =
            (self.work.sent.probes.load(Ordering::Relaxed), self.start.elapsed().as_secs_f64());
        let measured = (sent - self.recent.0) as f64 / (seconds - self.recent.1).max(1e-3);
        if drops > self.progress.drops {
            self.progress.slowed += 1;
            self.rate = (self.rate.min(measured) * CUT).max(1.0);
        } else if self.rate < self.wanted {
            self.rate = (self.rate * RECOVER).min(self.wanted);
        }
        self.progress.drops = drops;
        self.recent = (sent, seconds);
        self.work.set_rate(self.rate / self.settings.threads as f64);
        Ok(())
    }

    fn counts(&mut self) {
        let sent = &self.work.sent;
        let progress = &mut self.progress;
        progress.seconds = self.start.elapsed().as_secs_f64();
        progress.settled = self.tracker.settled();
        progress.sent = sent.probes.load(Ordering::Relaxed);
        progress.sent_again = sent.again.load(Ordering::Relaxed);
        progress.sent_plain = sent.plain.load(Ordering::Relaxed);
        progress.sent_resets = sent.resets.load(Ordering::Relaxed);
        progress.late = self.tracker.late();
        progress.rate = self.rate;
    }
}

/// Nanoseconds since the Unix epoch.
fn unix_ns() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |time| i64::try_from(time.as_nanos()).unwrap_or(i64::MAX))
}
