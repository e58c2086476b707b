//! Many conversations side by side, under one rate.

use std::io;

use super::table::Table;
use super::{Channel, Nanos, Pacer, Talk};
use crate::Error;
use crate::Stop;

/// How often [`Watch::tick`] is told, and how long the end may go unnoticed.
const TICK_NS: Nanos = 100_000_000;
/// How long a next hop that is being asked for may go unnoticed.
const ASKING_NS: Nanos = 20_000_000;
/// A talk is begun only when what waits to be sent takes no longer than this, so that no talk waits long for its turn.
const QUEUE_SECONDS: f64 = 0.02;
/// Packets sent between two looks at what has come.
const BURST: usize = 64;
/// How long to wait when the system takes no more.
const FULL_NS: Nanos = 1_000_000;
/// When packets were lost for our slowness the rate is cut to this share, and recovers by so much each tick.
const CUT: f64 = 0.7;
const RECOVER: f64 = 1.02;

/// What became of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Driven {
    /// Talks that have ended, those without a way included.
    pub finished: u64,
    /// Talks that are on.
    pub active: u64,
    /// Packets sent.
    pub sent: u64,
    /// Packets that came to our ports or quoted packets of ours.
    pub received: u64,
    /// Of these, those that belonged to no talk.
    pub strays: u64,
    /// Packets that the kernel dropped because we were too slow.
    pub drops: u64,
}

/// Is told what happens. A closure that takes finished talks is one.
pub trait Watch<T> {
    /// A talk has ended. An error ends the run.
    fn finished(&mut self, talk: T) -> io::Result<()>;
    /// About ten times a second: how far the run is, and the talks that are on.
    fn tick<'a>(&mut self, _so_far: &Driven, _active: impl Iterator<Item = &'a T>)
    where
        T: 'a,
    {
    }
}

impl<T, F: FnMut(T) -> io::Result<()>> Watch<T> for F {
    fn finished(&mut self, talk: T) -> io::Result<()> {
        self(talk)
    }
}

/// Runs talks, at most `at_once` at a time, sending at most `rate` packets a second (`None`: as fast as it goes). Memory follows
/// `at_once`, not the number of talks. When `stop` is asked once no talk is begun any more, the second time all ends at once.
pub fn drive<T: Talk>(
    channel: &mut Channel,
    talks: impl IntoIterator<Item = T>,
    at_once: usize,
    rate: Option<f64>,
    stop: &Stop,
    watch: &mut impl Watch<T>,
) -> Result<Driven, Error> {
    if rate.is_some_and(|rate| !(rate.is_finite() && rate > 0.0)) {
        return Err(Error::Setting { what: "the rate must be a number above 0" });
    }
    let (wanted, mut rate) = (rate, rate);
    let start = channel.now();
    let mut talks = talks.into_iter().fuse();
    let mut table = Table::new(channel.ports(), at_once.max(1));
    let mut pacer = Pacer::new(rate, 0);
    let queue_room = rate.map_or(BURST, |rate| ((rate * QUEUE_SECONDS) as usize).clamp(1, BURST));
    let mut next_tick = start + TICK_NS;
    let mut exhausted = false;
    while stop.times() < 2 {
        let mut now = channel.now();
        table.ask_again(channel, now);
        table.wake(now);
        while stop.times() == 0 && table.has_room() && table.queue.len() < queue_room {
            // What had to wait for another talk with its address comes first.
            let next = match table.waiting_and_free() {
                Some(talk) => Some(talk),
                None if table.waiting.len() >= table.at_once => None,
                None => talks.next(),
            };
            let Some(talk) = next else {
                exhausted = table.waiting.len() < table.at_once;
                break;
            };
            table.begin(talk, channel, now)?;
        }
        let crowded = table.queue.len() >= queue_room;
        table.hand_over(watch)?;
        let passed = |now: Nanos| u64::try_from(now - start).unwrap_or(0);
        let mut pause = None;
        let mut left = BURST;
        while left > 0 && !table.queue.is_empty() {
            let room = match pacer.ask(passed(now), left) {
                Ok(room) => room.min(table.queue.len()),
                Err(wait) => {
                    pause = Some(now.saturating_add(wait.as_nanos() as Nanos));
                    break;
                }
            };
            let mut sent = 0;
            while sent < room && table.send(channel)? {
                sent += 1;
            }
            pacer.spend(sent);
            now = channel.now();
            if sent < room {
                // The system's queue is full.
                pause = Some(now + FULL_NS);
                break;
            }
            left -= sent;
        }
        table.hand_over(watch)?;
        let over = exhausted || stop.times() > 0;
        if table.so_far.active == 0 && over && (table.waiting.is_empty() || stop.times() > 0) {
            break;
        }
        let mut until = next_tick.min(table.next_timer().unwrap_or(Nanos::MAX));
        if !table.asking.is_empty() {
            until = until.min(now + ASKING_NS);
        }
        if !table.queue.is_empty() {
            until = until.min(pause.unwrap_or(now));
        } else if crowded {
            until = now;
        }
        channel.receive(until, |time, bytes| table.receive(time, bytes))?;
        table.hand_over(watch)?;
        if now >= next_tick {
            next_tick = now + TICK_NS;
            let drops = channel.drops()?;
            if let (Some(wanted), Some(rate)) = (wanted, rate.as_mut()) {
                *rate = if drops > table.so_far.drops {
                    (*rate * CUT).max(1.0)
                } else {
                    (*rate * RECOVER).min(wanted)
                };
                pacer.set_rate(Some(*rate));
            }
            table.so_far.drops = drops;
            watch.tick(&table.so_far, table.slots.iter().flatten().map(|slot| &slot.talk));
        }
    }
    table.so_far.drops = channel.drops()?;
    Ok(table.so_far)
}
