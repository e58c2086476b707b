//! A link: a drop-tail queue with ECN marking, a line of some rate, and a delay.
//!
//! The queue has a virtual clock: `busy_until` is when the last accepted packet will have left. What waits at time t is what the line
//! can carry in `busy_until - t`, so drop, mark and arrival are all known when a packet enters, and a packet costs one event a hop. For a
//! FIFO queue this is exact.

use super::trace::Trace;
use crate::random::Random;
use crate::time::{Duration, PS_PER_S, Rate, Time};

/// What a link is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkSettings {
    /// Rate of the line.
    pub rate: Rate,
    /// Propagation delay.
    pub delay: Duration,
    /// Bytes that fit in its queue, those of the packet on the line that have not left included. A packet that does not fit is dropped. More than
    /// 4 GB are 4 GB.
    pub buffer: u64,
    /// ECN threshold K in bytes: a packet that finds more than this in the queue (itself not counted, what has not left of the packet on
    /// the line counted) is marked if it is ECN-capable. None: never.
    pub mark: Option<u64>,
    /// Probability of random loss on the line, after the queue.
    pub loss: f64,
    /// Rate and delay that change; takes the place of `rate` and `delay`.
    pub trace: Option<Trace>,
}

impl LinkSettings {
    /// A line with a rate and a delay, without limit, marks or loss.
    pub const fn new(rate: Rate, delay: Duration) -> Self {
        Self { rate, delay, buffer: u64::MAX, mark: None, loss: 0.0, trace: None }
    }

    /// The same with a buffer in bytes.
    #[must_use]
    pub const fn buffer(mut self, bytes: u64) -> Self {
        self.buffer = bytes;
        self
    }

    /// The same with an ECN threshold in bytes.
    #[must_use]
    pub const fn mark(mut self, bytes: u64) -> Self {
        self.mark = Some(bytes);
        self
    }

    /// The same with random loss.
    #[must_use]
    pub const fn loss(mut self, probability: f64) -> Self {
        self.loss = probability;
        self
    }

    /// The same with a rate and delay that follow a trace.
    #[must_use]
    pub fn trace(mut self, trace: Trace) -> Self {
        self.trace = Some(trace);
        self
    }
}

/// Why a packet was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Why {
    /// The queue was full.
    Full,
    /// Random loss on the line.
    Loss,
    /// The link had failed, or failed while the packet was on it.
    Down,
    /// A middlebox dropped it.
    Middlebox,
    /// It had no path.
    NoRoute,
}

/// Counters of a link since the beginning.
///
/// At every moment `packets_in = packets_out + dropped + lost + failed + queued + in flight`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Counters {
    /// Packets that came to the link.
    pub packets_in: u64,
    /// Their bytes.
    pub bytes_in: u64,
    /// Packets that left at the other end.
    pub packets_out: u64,
    /// Packets that wait, or of which a part has not been sent.
    pub queued: u64,
    /// Packets sent in full that have not arrived.
    pub in_flight: u64,
    /// Packets dropped because the queue was full.
    pub dropped: u64,
    /// Their bytes.
    pub bytes_dropped: u64,
    /// Packets lost at random.
    pub lost: u64,
    /// Packets lost because the link was down or went down.
    pub failed: u64,
    /// Packets marked.
    pub marked: u64,
    /// Bytes that left the queue: what the line has carried.
    pub bytes_carried: u64,
    /// Longest queue in bytes, right after a packet entered.
    pub longest: u64,
    /// Queue in bytes, now.
    pub queue: u64,
    /// Time-weighted mean of the queue in bytes.
    pub mean_queue: f64,
}

/// The link is down.
pub(super) const DOWN: u32 = 1;
/// It has a middlebox before it.
pub(super) const INTERCEPTED: u32 = 2;
/// Random loss, a trace, a rate at which a byte does not take whole picoseconds, or a delay beyond 4 ms.
const SPECIAL: u32 = 4;

/// What every packet touches: one line of the cache.
#[derive(Clone, Debug)]
#[repr(align(64))]
pub(super) struct Link {
    /// When the last accepted packet will have left, ps.
    pub(super) busy_until: u64,
    /// What a byte takes, ps; 0 where that is not a whole number.
    byte_time: u32,
    /// [`DOWN`] and the others.
    pub(super) status: u32,
    /// Propagation, ps (not on special links).
    delay: u32,
    /// Longest queue allowed, bytes.
    room: u32,
    /// A packet that finds more than this is marked, bytes.
    mark: u32,
    marked: u32,
    /// Packets accepted.
    packets: u64,
    /// Their bytes.
    bytes: u64,
    /// Longest queue, ps.
    longest: u64,
    /// Integral of the queue over time, as if nothing came after: byte ps.
    area: f64,
}

const _: () = assert!(size_of::<Link>() == 64);

/// What few packets touch.
#[derive(Clone, Debug)]
pub(super) struct Cold {
    settings: LinkSettings,
    random: Random,
    /// What rounding has left over in this busy period, in 1/rate ps.
    carry: u64,
    /// On traces: the last arrival, which none may overtake; the longest queue in bytes.
    last_arrival: u64,
    longest: u64,
    dropped: u64,
    bytes_dropped: u64,
    lost: u64,
    /// Lost on entry, as the link was down; in all.
    refused: u64,
    bytes_refused: u64,
    failed: u64,
    bytes_failed: u64,
}

/// What becomes of a packet at the entry of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// It will have left at the first time, ps, and be at the other end at the second; with a mark or not.
    Accepted { departs: u64, arrives: u64, marked: bool },
    /// It is lost.
    Lost(Why),
}

impl Link {
    pub(super) fn new(settings: &LinkSettings, random: Random) -> (Self, Cold) {
        let byte_time = 8 * PS_PER_S / settings.rate.bps();
        let whole = (8 * PS_PER_S).is_multiple_of(settings.rate.bps()) && byte_time <= u64::from(u32::MAX);
        let far = settings.delay.0 > u64::from(u32::MAX);
        let special = !whole || far || settings.loss > 0.0 || settings.trace.is_some();
        let bounded = |bytes: u64| u32::try_from(bytes).unwrap_or(u32::MAX);
        let link = Self {
            busy_until: 0,
            byte_time: if whole { byte_time as u32 } else { 0 },
            status: if special { SPECIAL } else { 0 },
            delay: if far { 0 } else { settings.delay.0 as u32 },
            room: bounded(settings.buffer),
            mark: settings.mark.map_or(u32::MAX, bounded),
            marked: 0,
            packets: 0,
            bytes: 0,
            longest: 0,
            area: 0.0,
        };
        let cold = Cold {
            settings: settings.clone(),
            random,
            carry: 0,
            last_arrival: 0,
            longest: 0,
            dropped: 0,
            bytes_dropped: 0,
            lost: 0,
            refused: 0,
            bytes_refused: 0,
            failed: 0,
            bytes_failed: 0,
        };
        (link, cold)
    }

    /// A packet of so many bytes enters. The caller looks after [`DOWN`] and [`INTERCEPTED`].
    #[inline]
    pub(super) fn enter(
        &mut self,
        cold: &mut [Cold],
        index: usize,
        now: u64,
        bytes: u32,
        capable: bool,
    ) -> Entry {
        if self.status & SPECIAL != 0 {
            return self.enter_special(&mut cold[index], now, bytes, capable);
        }
        match self.pass(now, bytes, capable) {
            Some((departs, marked)) => {
                Entry::Accepted { departs, arrives: departs + u64::from(self.delay), marked }
            }
            None => cold[index].drop(bytes),
        }
    }

    /// Whether a packet need only [`pass`](Self::pass).
    #[inline]
    pub(super) const fn is_plain(&self) -> bool {
        self.status == 0
    }

    /// A packet of so many bytes enters a link that is not special: when it will have left, ps, and whether with a mark. None, and nothing has
    /// happened, when it does not fit.
    #[inline(always)]
    pub(super) fn pass(&mut self, now: u64, bytes: u32, capable: bool) -> Option<(u64, bool)> {
        let takes = u64::from(bytes) * u64::from(self.byte_time);
        let start = self.busy_until.max(now);
        let wait = start - now;
        let queue = wait + takes;
        if queue > u64::from(self.room) * u64::from(self.byte_time) {
            return None;
        }
        let marked = capable && wait > u64::from(self.mark) * u64::from(self.byte_time);
        self.marked += u32::from(marked);
        self.accept(bytes, wait, takes);
        self.longest = self.longest.max(queue);
        self.busy_until = start + takes;
        Some((self.busy_until, marked))
    }

    /// Propagation of a link that is not special, ps.
    #[inline]
    pub(super) const fn delay(&self) -> u64 {
        self.delay as u64
    }

    /// Counts a packet that waits, and then leaves evenly.
    #[inline]
    fn accept(&mut self, bytes: u32, wait: u64, takes: u64) {
        self.packets += 1;
        self.bytes += u64::from(bytes);
        // Signed numbers convert in one instruction; both are far below 2^63.
        self.area += f64::from(bytes) * ((2 * wait + takes) as i64 as f64 * 0.5);
    }

    #[inline(never)]
    fn enter_special(&mut self, cold: &mut Cold, now: u64, bytes: u32, capable: bool) -> Entry {
        let start = self.busy_until.max(now);
        let wait = start - now;
        let (departs, marked, delay);
        if let Some(trace) = &cold.settings.trace {
            let before = trace.bytes_between(now, start);
            if before + f64::from(bytes) > cold.settings.buffer as f64 {
                return cold.drop(bytes);
            }
            let Some(end) = trace.departure(start, bytes) else { return cold.refuse(bytes) };
            departs = end;
            marked = capable && cold.settings.mark.is_some_and(|mark| before > mark as f64);
            delay = trace.delay_at(departs);
            cold.longest = cold.longest.max((before + f64::from(bytes)).round() as u64);
        } else {
            let takes = if self.byte_time > 0 {
                u64::from(bytes) * u64::from(self.byte_time)
            } else {
                // The sum over a busy period is rounded, not each packet, so errors do not add up.
                let rate = cold.settings.rate.bps();
                if wait == 0 {
                    cold.carry = rate / 2;
                }
                let exact = u128::from(bytes) * 8 * u128::from(PS_PER_S) + u128::from(cold.carry);
                cold.carry = (exact % u128::from(rate)) as u64;
                (exact / u128::from(rate)) as u64
            };
            // The rounded end of a busy period is at most half a picosecond off, and so is the rounded limit.
            let slack = u64::from(self.byte_time == 0);
            let limit = |bytes: u32| cold.settings.rate.serialization(bytes.into()).0 + slack;
            if wait + takes > limit(self.room) {
                return cold.drop(bytes);
            }
            departs = start + takes;
            marked = capable && wait > limit(self.mark);
            delay = cold.settings.delay.0;
            self.longest = self.longest.max(wait + takes);
        }
        self.marked += u32::from(marked);
        self.accept(bytes, wait, departs - start);
        self.busy_until = departs;
        // The line is busy with a packet that is lost on it.
        if cold.settings.loss > 0.0 && cold.random.chance(cold.settings.loss) {
            cold.lost += 1;
            return Entry::Lost(Why::Loss);
        }
        cold.last_arrival = cold.last_arrival.max(departs.saturating_add(delay));
        Entry::Accepted { departs, arrives: cold.last_arrival, marked }
    }

    /// Bytes in the queue.
    pub(super) fn queue(&self, cold: &Cold, now: u64) -> u64 {
        let wait = self.busy_until.saturating_sub(now);
        match &cold.settings.trace {
            Some(trace) => trace.bytes_between(now, now + wait).round() as u64,
            None => bytes_of(wait, cold.settings.rate),
        }
    }

    /// What waits and flies is lost: so many packets.
    pub(super) fn fail(&mut self, cold: &mut Cold, now: u64, packets: u64) {
        let queue = self.queue(cold, now);
        self.area -= self.rest(queue, now);
        self.busy_until = self.busy_until.min(now);
        self.status |= DOWN;
        cold.failed += packets;
        cold.bytes_failed += queue;
    }

    /// What the queue will add to the integral if nothing comes.
    fn rest(&self, queue: u64, now: u64) -> f64 {
        queue as f64 * self.busy_until.saturating_sub(now) as f64 * 0.5
    }

    /// When a packet that arrives at a time had left the queue, ps.
    pub(super) fn departed(&self, cold: &Cold, arrives: u64) -> u64 {
        match &cold.settings.trace {
            Some(trace) => trace.departed(arrives),
            None => arrives - cold.settings.delay.0,
        }
    }

    /// All that is counted; `packets_out`, `queued` and `in_flight` by the caller.
    pub(super) fn counters(&self, cold: &Cold, now: Time) -> Counters {
        let queue = self.queue(cold, now.0);
        let longest = match &cold.settings.trace {
            Some(_) => cold.longest,
            None => bytes_of(self.longest, cold.settings.rate),
        };
        let mean = (self.area - self.rest(queue, now.0)) / now.0.max(1) as f64;
        Counters {
            packets_in: self.packets + cold.dropped + cold.refused,
            bytes_in: self.bytes + cold.bytes_dropped + cold.bytes_refused,
            packets_out: 0,
            queued: 0,
            in_flight: 0,
            dropped: cold.dropped,
            bytes_dropped: cold.bytes_dropped,
            lost: cold.lost,
            failed: cold.failed,
            marked: self.marked.into(),
            bytes_carried: self.bytes.saturating_sub(cold.bytes_failed).saturating_sub(queue),
            longest,
            queue,
            mean_queue: mean.max(0.0),
        }
    }
}

/// The bytes that a line carries in a time, to the nearest.
fn bytes_of(ps: u64, rate: Rate) -> u64 {
    let whole = 8 * u128::from(PS_PER_S);
    ((u128::from(ps) * u128::from(rate.bps()) + whole / 2) / whole) as u64
}

impl Cold {
    #[cold]
    fn drop(&mut self, bytes: u32) -> Entry {
        self.dropped += 1;
        self.bytes_dropped += u64::from(bytes);
        Entry::Lost(Why::Full)
    }

    #[cold]
    pub(super) fn refuse(&mut self, bytes: u32) -> Entry {
        self.refused += 1;
        self.failed += 1;
        self.bytes_refused += u64::from(bytes);
        Entry::Lost(Why::Down)
    }

    pub(super) const fn settings(&self) -> &LinkSettings {
        &self.settings
    }
}
