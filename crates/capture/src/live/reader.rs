//! The thread that empties the rings.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use subflow_netio::{Ring, Trouble, wait};

use super::clock::Clock;
use super::frame;
use super::status::{Counted, Notice, State, Status};

/// A batch is sent when it holds this many packets …
const BATCH_PACKETS: usize = 4096;
/// … or this many bytes.
const BATCH_BYTES: usize = 1 << 20;
/// Batches under way between the two threads.
pub(super) const BATCHES: usize = 16;
/// How long the rings are waited for at a time.
const PATIENCE: Duration = Duration::from_millis(20);
/// How often the counters are read, and something is sent even if there are no packets.
const HEARTBEAT: Duration = Duration::from_millis(100);
/// No packet that was taken in longer ago than this is still to come from a ring that was found empty, in nanoseconds: the
/// kernel hands blocks over after [`Ring::LATENCY`], and may itself be late.
const HOLD: i64 = 2 * Ring::LATENCY.as_nanos() as i64;
/// How much earlier than one before it a packet of the same ring may be, in nanoseconds.
const DISORDER: i64 = 5_000_000;
/// After this long a ring that takes no more has handed over all it has.
const LAST_BLOCK: Duration = Duration::from_millis(3 * Ring::LATENCY.as_millis() as u64);

/// A packet of a batch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    pub(super) time_ns: i64,
    pub(super) wire_len: u32,
    pub(super) interface: u32,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Packets, and what else there is to tell.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) bytes: Vec<u8>,
    pub(super) heads: Vec<Head>,
    /// No packet of a later batch is earlier than this.
    pub(super) horizon: i64,
    pub(super) status: Option<Box<Status>>,
    pub(super) notices: Vec<Notice>,
}

impl Batch {
    /// An empty batch with the same buffers.
    pub(super) fn cleared(mut self) -> Self {
        self.bytes.clear();
        self.heads.clear();
        Self { horizon: 0, status: None, ..self }
    }

    fn is_full(&self) -> bool {
        self.heads.len() >= BATCH_PACKETS || self.bytes.len() >= BATCH_BYTES
    }
}

/// Nobody listens any more.
struct Deaf;

pub(super) struct Reader {
    rings: Vec<Ring>,
    status: Status,
    /// By ring: up to when all its packets have come.
    through: Vec<i64>,
    /// By ring: since when its interface is gone.
    gone: Vec<Option<Instant>>,
    clock: Clock,
    begin: Instant,
    batch: Batch,
    notices: Vec<Notice>,
    full: SyncSender<Batch>,
    empty: Receiver<Batch>,
    stop: Arc<AtomicBool>,
    beat: Instant,
}

impl Reader {
    pub(super) fn new(
        rings: Vec<Ring>,
        full: SyncSender<Batch>,
        empty: Receiver<Batch>,
        stop: Arc<AtomicBool>,
    ) -> Self {
        let begin = Instant::now();
        let mut reader = Self {
            status: Status { interfaces: vec![Counted::default(); rings.len()], ..Status::default() },
            through: vec![i64::MIN; rings.len()],
            gone: vec![None; rings.len()],
            rings,
            clock: Clock::new(wall(), 0),
            begin,
            batch: Batch::default(),
            notices: Vec::new(),
            full,
            empty,
            stop,
            beat: begin,
        };
        reader.look_for_trouble();
        reader
    }

    /// The counters so far.
    pub(super) fn status(&self) -> Status {
        self.status.clone()
    }

    /// Reads until it is told to stop, no interface is left, or nobody listens.
    pub(super) fn run(&mut self) {
        if let Ok(()) = self.read() {
            self.count();
            // Nobody need be left to listen.
            let _ = self.send();
        }
    }

    fn read(&mut self) -> Result<(), Deaf> {
        let mut stopped: Option<Instant> = None;
        loop {
            match wait(&self.rings, PATIENCE) {
                Ok(false) => {}
                Ok(true) => self.look_for_trouble(),
                Err(error) => {
                    self.notices.push(Notice::Failed(error.to_string()));
                    return Ok(());
                }
            }
            if stopped.is_none() && self.stop.load(Ordering::Relaxed) {
                stopped = Some(Instant::now());
                for ring in &self.rings {
                    if let Err(error) = ring.stop() {
                        self.notices.push(Notice::Failed(error.to_string()));
                        return Ok(());
                    }
                }
            }
            // What was handed over by this moment is read below.
            let looked = Instant::now();
            self.empty_rings()?;
            if self.beat.elapsed() >= HEARTBEAT {
                self.beat = Instant::now();
                self.count();
            }
            if !self.batch.heads.is_empty() || self.batch.status.is_some() || !self.notices.is_empty() {
                self.send()?;
            }
            let over = |since: &Option<Instant>| since.is_some_and(|since| looked > since + LAST_BLOCK);
            if over(&stopped) || self.gone.iter().all(over) {
                return Ok(());
            }
        }
    }

    /// Reads every block that the kernel has handed over, in turn.
    fn empty_rings(&mut self) -> Result<(), Deaf> {
        let mut some = true;
        while std::mem::take(&mut some) {
            for place in 0..self.rings.len() {
                some |= self.read_block(place);
                if self.batch.is_full() {
                    self.send()?;
                }
            }
        }
        Ok(())
    }

    /// Reads the next block of a ring, if there is one.
    fn read_block(&mut self, place: usize) -> bool {
        let steady = i64::try_from(self.begin.elapsed().as_nanos()).unwrap_or(i64::MAX);
        if self.clock.look(wall(), steady).is_some() {
            self.status.set_back_ns = self.clock.set_back();
        }
        let (Some(ring), Some(counted), Some(through)) =
            (self.rings.get_mut(place), self.status.interfaces.get_mut(place), self.through.get_mut(place))
        else {
            return false;
        };
        let link = frame::link_type(ring.framing());
        let Some(block) = ring.next_block() else {
            *through = (*through).max(self.clock.now() - HOLD);
            return false;
        };
        for frame in block.frames() {
            if frame.is_sent_to_self() {
                counted.sent_to_self += 1;
                continue;
            }
            let start = self.batch.bytes.len();
            let wire_len = frame::append(&frame, link, &mut self.batch.bytes);
            let end = self.batch.bytes.len();
            let time_ns = self.clock.steady(frame.time_ns);
            *through = (*through).max(time_ns - DISORDER);
            // The kernel keeps what it captured; a length below that is none.
            let wire_len = wire_len.max((end - start) as u32);
            self.batch.heads.push(Head { time_ns, wire_len, interface: place as u32, start, end });
        }
        if counted.state == State::Down {
            counted.state = State::Up;
            self.notices.push(Notice::Changed { interface: place as u32, state: State::Up });
        }
        true
    }

    /// Hears what has happened to the interfaces.
    fn look_for_trouble(&mut self) {
        for (place, (ring, counted)) in self.rings.iter().zip(&mut self.status.interfaces).enumerate() {
            let state = match ring.trouble() {
                None => continue,
                Some(Trouble::Down) => State::Down,
                Some(Trouble::Gone) => State::Gone,
            };
            if counted.state == State::Gone || counted.state == state {
                continue;
            }
            counted.outages += u64::from(counted.state == State::Up);
            counted.state = state;
            self.notices.push(Notice::Changed { interface: place as u32, state });
            if let Some(gone) = self.gone.get_mut(place).filter(|_| state == State::Gone) {
                *gone = Some(Instant::now());
            }
        }
    }

    /// Reads the kernel's counters.
    fn count(&mut self) {
        for (ring, counted) in self.rings.iter_mut().zip(&mut self.status.interfaces) {
            counted.fill = ring.fill();
            match ring.statistics() {
                Ok(kernel) => {
                    (counted.packets, counted.dropped) = (kernel.packets, kernel.drops);
                    counted.freezes = kernel.freezes;
                }
                Err(error) => self.notices.push(Notice::Failed(error.to_string())),
            }
        }
        self.batch.status = Some(Box::new(self.status.clone()));
    }

    fn send(&mut self) -> Result<(), Deaf> {
        let next = self.empty.try_recv().unwrap_or_default();
        let mut batch = std::mem::replace(&mut self.batch, next);
        batch.horizon = self.through.iter().copied().min().unwrap_or(i64::MAX);
        batch.notices.append(&mut self.notices);
        // Waits while the other side is busy; the rings are there for that.
        self.full.send(batch).map_err(|_| Deaf)
    }
}

/// The system's clock, in nanoseconds since the epoch.
fn wall() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}
