//! The sending half of one subflow: window, SACK scoreboard, loss detection and recovery, retransmission timer.
//!
//! A state machine without an engine: it takes acknowledgments and the time, and says what was acknowledged, what is to be
//! sent again and when it wants to be woken. The congestion window is not here; whoever drives it asks [`Sender::in_flight`]
//! and compares. Sequence numbers are offsets: 0 is the first byte after the SYN.
//!
//! Recovery is that of RFC 6675 (pipe) with limited transmit (RFC 3042) as its consequence: each SACKed segment leaves the
//! pipe, so a new one may be sent. Without SACK, duplicate acknowledgments stand for SACKed segments, which gives NewReno
//! (RFC 6582).

use std::collections::VecDeque;

use super::loss::{LossDetection, Rack};
use super::rtt::{RtoSettings, Rtt};
use super::segment::Segment;
use crate::prefetch::{prefetch, prefetch_index};
use crate::time::{Duration, Time};

/// Room for so many segments is never given back, and added at a time.
const ROOMY: usize = 32;
/// Never.
const NEVER: Time = Time::MAX;

/// How losses are found and repaired.
#[derive(Clone, Copy, Debug)]
pub struct SenderSettings {
    /// When a segment counts as lost.
    pub detection: LossDetection,
    /// Whether the receiver reports what it holds out of order (RFC 2018).
    pub sack: bool,
    /// Whether the first duplicate acknowledgments may each release a new segment (RFC 3042).
    pub limited_transmit: bool,
    /// The retransmission timer.
    pub rto: RtoSettings,
}

impl Default for SenderSettings {
    fn default() -> Self {
        Self {
            detection: LossDetection::Dupthresh(3),
            sack: true,
            limited_transmit: true,
            rto: RtoSettings::default(),
        }
    }
}

/// Whether the sender repairs losses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Phase {
    /// Nothing is missing.
    #[default]
    Open,
    /// Fast recovery, until everything that was sent before it began is acknowledged.
    Recovery,
    /// After the retransmission timer expired, until the same.
    Loss,
}

/// What one acknowledgment did.
#[derive(Clone, Copy, Debug, Default)]
pub struct Acked {
    /// Bytes that are newly known to have arrived, by cumulative acknowledgment or SACK.
    pub bytes: u64,
    /// How far the cumulative acknowledgment moved.
    pub advanced: u64,
    /// A round-trip time, of a segment that was sent once.
    pub rtt: Option<Duration>,
    /// Bytes in flight before it came.
    pub flight: u64,
    /// Losses were found and fast recovery begins: the window is to be reduced.
    pub entered: bool,
    /// A recovery (or the repair after a timeout) ended.
    pub recovered: bool,
    /// The timer's retransmissions were needless, or so a duplicate SACK says.
    pub spurious: u32,
}

/// What was counted about a sender.
#[derive(Clone, Copy, Debug, Default)]
pub struct SenderCounts {
    /// Segments sent, retransmissions included.
    pub segments: u64,
    /// Segments sent again.
    pub retransmits: u64,
    /// Expiries of the retransmission timer.
    pub timeouts: u32,
    /// Fast recoveries begun.
    pub recoveries: u32,
    /// Retransmissions that a duplicate SACK called needless.
    pub spurious: u32,
}

/// The sending half of one subflow. What an acknowledgment of what was sent in order needs is in the first three cache lines.
#[derive(Clone, Debug)]
#[repr(C, align(64))]
pub struct Sender {
    una: u64,
    nxt: u64,
    segments: VecDeque<Segment>,
    sacked: u64,
    lost: u64,
    resent: u64,
    /// End of the highest SACKed segment.
    highest: u64,
    rto_at: Time,
    phase: Phase,
    forced: bool,
    duplicates: u32,
    /// Counters.
    pub counts: SenderCounts,
    /// Round-trip time estimate.
    pub rtt: Rtt,
    rack: Rack,
    /// All below has been looked at for losses (duplicate-ACK rule).
    examined: u64,
    /// No segment below it waits for a retransmission.
    repair_from: u64,
    recovery_end: u64,
    /// The blocks of the last acknowledgment that had any: all in them is marked already.
    known: [(u64, u64); 4],
}

impl Default for Sender {
    fn default() -> Self {
        Self {
            una: 0,
            nxt: 0,
            segments: VecDeque::new(),
            sacked: 0,
            lost: 0,
            resent: 0,
            known: [(0, 0); 4],
            highest: 0,
            examined: 0,
            repair_from: 0,
            recovery_end: 0,
            phase: Phase::Open,
            forced: false,
            duplicates: 0,
            rtt: Rtt::default(),
            rto_at: NEVER,
            rack: Rack::default(),
            counts: SenderCounts::default(),
        }
    }
}

impl Sender {
    /// Asks for the memory that an acknowledgment of what was sent in order needs.
    #[inline]
    pub fn prefetch(&self) {
        prefetch(&self.una);
        prefetch(&self.rto_at);
        prefetch(&self.rtt);
    }

    /// The same for the segments that it acknowledges, two and a look at the next, and for the two that it lets out: they can only be found
    /// once the rest is there.
    #[inline]
    pub fn prefetch_segments(&self) {
        if let (Some(first), Some(last)) = (self.segments.front(), self.segments.back()) {
            let (first, last) = (std::slice::from_ref(first), std::slice::from_ref(last));
            prefetch_index(first, 0);
            prefetch_index(first, 2);
            prefetch_index(last, 1);
            prefetch_index(last, 2);
        }
    }

    /// First unacknowledged sequence number.
    #[inline]
    pub fn una(&self) -> u64 {
        self.una
    }

    /// Next sequence number.
    #[inline]
    pub fn nxt(&self) -> u64 {
        self.nxt
    }

    /// Bytes believed to be in the network: sent, neither SACKed nor lost, and retransmissions (the pipe of RFC 6675).
    #[inline]
    pub fn in_flight(&self) -> u64 {
        self.nxt - self.una - self.sacked - self.lost + self.resent
    }

    /// Whether everything sent is acknowledged.
    #[inline]
    pub fn is_idle(&self) -> bool {
        self.una == self.nxt
    }

    /// Whether losses are being repaired.
    #[inline]
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Bytes that are lost and not sent again yet.
    #[inline]
    pub fn to_repair(&self) -> u64 {
        self.lost - self.resent
    }

    /// Bytes that the receiver holds beyond a hole.
    #[inline]
    pub fn sacked(&self) -> u64 {
        self.sacked
    }

    /// Segments sent and not cumulatively acknowledged, oldest first.
    pub fn segments(&self) -> impl DoubleEndedIterator<Item = &Segment> + ExactSizeIterator {
        self.segments.iter()
    }

    /// The same, to mark them.
    pub fn segments_mut(&mut self) -> impl DoubleEndedIterator<Item = &mut Segment> + ExactSizeIterator {
        self.segments.iter_mut()
    }

    /// When the sender wants [`Sender::on_timer`] to be called: the retransmission timer or the reordering timer.
    #[inline]
    pub fn deadline(&self) -> Time {
        self.rto_at.min(self.rack.deadline)
    }

    /// Whether new data must wait although the window would take it: limited transmit is off and duplicate ACKs come in.
    #[inline]
    pub fn holds_back(&self, settings: &SenderSettings) -> bool {
        self.sacked != 0 && !settings.limited_transmit && self.phase == Phase::Open
    }

    /// Whether the next retransmission goes out whatever the window (the one that fast retransmit stands for).
    #[inline]
    pub fn forced(&self) -> bool {
        self.forced
    }

    /// Takes a new segment into the window. Returns its sequence number.
    #[inline]
    pub fn transmit(&mut self, now: Time, dsn: u64, len: u16, flags: u8, settings: &SenderSettings) -> u64 {
        let seq = self.nxt;
        if self.segments.is_empty() {
            self.rto_at = now + self.rtt.timeout(&settings.rto);
        }
        if self.segments.len() == self.segments.capacity() {
            self.segments.reserve_exact((self.segments.len() / 2).max(ROOMY));
        }
        self.segments.push_back(Segment { dsn, sent: now, seq: seq as u32, len, flags, sent_times: 1 });
        self.nxt += u64::from(len);
        self.counts.segments += 1;
        seq
    }

    /// The next lost segment, marked as sent again now, with its sequence number.
    pub fn retransmit(&mut self, now: Time, settings: &SenderSettings) -> Option<(u64, Segment)> {
        if self.to_repair() == 0 {
            self.forced = false;
            return None;
        }
        let from = self.find(self.repair_from);
        let found = self
            .segments
            .range(from..)
            .position(|s| s.flags & (Segment::LOST | Segment::RESENT) == Segment::LOST)?;
        let at = from + found;
        let una = self.una;
        let segment = &mut self.segments[at];
        segment.flags |= Segment::RESENT;
        segment.sent = now;
        segment.sent_times = segment.sent_times.saturating_add(1);
        let taken = *segment;
        let seq = widen(taken.seq, una);
        self.repair_from = seq + u64::from(taken.len);
        if settings.detection == LossDetection::Rack {
            self.rack.again.push_back((seq, now));
        }
        self.resent += u64::from(taken.len);
        self.forced = false;
        self.counts.segments += 1;
        self.counts.retransmits += 1;
        if self.rto_at == NEVER || at == 0 {
            self.rto_at = now + self.rtt.timeout(&settings.rto);
        }
        Some((seq, taken))
    }

    /// Takes an acknowledgment. `sack` are its blocks; `pure` says that it has no payload and changes no window, so that
    /// it can count as a duplicate.
    #[inline]
    pub fn on_ack(
        &mut self,
        now: Time,
        ack: u64,
        sack: &[(u64, u64)],
        pure: bool,
        settings: &SenderSettings,
    ) -> Acked {
        let mut out = Acked { flight: self.in_flight(), ..Acked::default() };
        if ack > self.nxt {
            return out;
        }
        if ack > self.una {
            self.advance(now, ack, &mut out);
            self.duplicates = 0;
            if let Some(rtt) = out.rtt {
                self.rtt.sample(rtt);
            }
            self.rto_at =
                if self.segments.is_empty() { NEVER } else { now + self.rtt.timeout(&settings.rto) };
            if self.phase == Phase::Open && self.sacked == 0 && sack.is_empty() {
                return out;
            }
        }
        self.on_trouble(now, ack, sack, pure, settings, &mut out);
        out
    }

    /// Removes what the cumulative acknowledgment covers.
    #[inline]
    fn advance(&mut self, now: Time, ack: u64, out: &mut Acked) {
        let before = self.una;
        while let Some(front) = self.segments.front() {
            let end = self.una + u64::from(front.len);
            if end > ack {
                break;
            }
            if front.flags & (Segment::SACKED | Segment::LOST | Segment::RESENT) != 0 {
                let front = *front;
                self.uncount(&front);
                if !front.is(Segment::SACKED) {
                    out.bytes += u64::from(front.len);
                    self.rack.delivered(now, &front, end, self.highest, &self.rtt);
                }
            } else {
                out.bytes += u64::from(front.len);
                if front.sent_times == 1 && out.rtt.is_none() {
                    out.rtt = Some(now - front.sent);
                }
                if self.highest > self.una {
                    let front = *front;
                    self.rack.delivered(now, &front, end, self.highest, &self.rtt);
                } else {
                    self.rack.in_order(front.sent, end);
                }
            }
            self.una = end;
            self.segments.pop_front();
        }
        out.advanced = self.una - before;
    }

    fn uncount(&mut self, segment: &Segment) {
        let len = u64::from(segment.len);
        if segment.is(Segment::SACKED) {
            self.sacked -= len;
        }
        if segment.is(Segment::LOST) {
            self.lost -= len;
        }
        if segment.is(Segment::RESENT) {
            self.resent -= len;
        }
    }

    /// Everything beyond the plain acknowledgment of what was sent in order.
    #[cold]
    fn on_trouble(
        &mut self,
        now: Time,
        ack: u64,
        sack: &[(u64, u64)],
        pure: bool,
        settings: &SenderSettings,
        out: &mut Acked,
    ) {
        if settings.sack {
            self.take_blocks(now, ack, sack, out);
        } else if pure && out.advanced == 0 && ack == self.una && !self.segments.is_empty() {
            self.duplicates += 1;
            self.take_duplicate(out);
        } else if out.advanced != 0 {
            self.forget_duplicates(ack < self.recovery_end);
        }
        if self.phase != Phase::Open && self.una >= self.recovery_end {
            self.phase = Phase::Open;
            self.forced = false;
            out.recovered = true;
            // The window that was lost may have been many times the one that is left, and segments go round through all the memory that there
            // is for them.
            if self.segments.capacity() > ROOMY + 2 * self.segments.len() {
                self.segments.shrink_to(self.segments.len() + ROOMY);
            }
        }
        self.find_losses(now, settings);
        if !settings.sack && self.phase == Phase::Recovery && out.advanced != 0 && self.to_repair() == 0 {
            // A partial acknowledgment names the next hole (RFC 6582).
            self.lose(0);
            self.forced = true;
        }
        if self.phase == Phase::Open && self.to_repair() > 0 {
            self.phase = Phase::Recovery;
            self.recovery_end = self.nxt;
            self.forced = true;
            self.counts.recoveries += 1;
            out.entered = true;
        }
    }

    fn take_blocks(&mut self, now: Time, ack: u64, sack: &[(u64, u64)], out: &mut Acked) {
        for (i, &(start, end)) in sack.iter().enumerate() {
            // A first block below the acknowledgment, or within the second one, reports a duplicate (RFC 2883).
            let inside = i == 0 && sack.get(1).is_some_and(|&(s, e)| s <= start && end <= e);
            if i == 0 && (end <= ack || inside) {
                out.spurious += 1;
                self.counts.spurious += 1;
                self.rack.duplicate_reported(now);
                continue;
            }
            if end > self.nxt || start >= end || end <= self.una {
                continue;
            }
            let (start, end) = self.news_of(start, end);
            let mut at = self.find(start.max(self.una));
            while let Some(segment) = self.segments.get(at) {
                let seq = widen(segment.seq, self.una);
                let segment_end = seq + u64::from(segment.len);
                if segment_end > end {
                    break;
                }
                if seq >= start && !segment.is(Segment::SACKED) {
                    let taken = *segment;
                    self.uncount(&taken);
                    self.segments[at].flags =
                        taken.flags & !(Segment::LOST | Segment::RESENT) | Segment::SACKED;
                    self.sacked += u64::from(taken.len);
                    out.bytes += u64::from(taken.len);
                    self.rack.delivered(now, &taken, segment_end, self.highest, &self.rtt);
                    self.highest = self.highest.max(segment_end);
                }
                at += 1;
            }
        }
        if !sack.is_empty() {
            for (i, place) in self.known.iter_mut().enumerate() {
                *place = sack.get(i).copied().unwrap_or_default();
            }
        }
    }

    /// The part of a block that the last acknowledgment's blocks did not have: blocks repeat, and mostly grow at one end.
    fn news_of(&self, start: u64, end: u64) -> (u64, u64) {
        let (mut from, mut to) = (start, end);
        for &(low, high) in &self.known {
            if low <= from && from < high {
                from = high.min(to);
            }
            if low < to && to <= high {
                to = low.max(from);
            }
        }
        (from, to)
    }

    /// Without SACK, a duplicate acknowledgment says that some segment beyond the hole has arrived; the first one that is
    /// still open stands for it.
    fn take_duplicate(&mut self, out: &mut Acked) {
        let found =
            self.segments.iter().enumerate().skip(1).find(|(_, s)| !s.is(Segment::SACKED | Segment::LOST));
        let Some((at, segment)) = found else { return };
        let len = u64::from(segment.len);
        let end = widen(segment.seq, self.una) + len;
        self.segments[at].flags |= Segment::SACKED;
        self.sacked += len;
        out.bytes += len;
        self.highest = self.highest.max(end);
    }

    /// Without SACK, a cumulative acknowledgment that moves shows where the hole really was. In recovery the rest keeps its
    /// place in the pipe's account, which a partial acknowledgment deflates by what it covers.
    fn forget_duplicates(&mut self, partial: bool) {
        if partial && self.phase != Phase::Open {
            if let Some(front) = self.segments.front_mut()
                && front.is(Segment::SACKED)
            {
                front.flags &= !Segment::SACKED;
                self.sacked -= u64::from(front.len);
            }
            return;
        }
        for segment in &mut self.segments {
            segment.flags &= !Segment::SACKED;
        }
        self.sacked = 0;
        self.rack.originals = self.una;
    }

    fn find_losses(&mut self, now: Time, settings: &SenderSettings) {
        if self.sacked == 0 && !(self.rack.seen_beyond(self.una) && self.phase != Phase::Open) {
            self.rack.deadline = NEVER;
            return;
        }
        match settings.detection {
            LossDetection::Dupthresh(threshold) => self.lose_by_count(threshold),
            LossDetection::Rack => self.lose_by_time(now),
        }
    }

    /// A segment is lost when `threshold` segments beyond it have been SACKed (RFC 6675, IsLost).
    fn lose_by_count(&mut self, threshold: u32) {
        if self.sacked == 0 {
            return;
        }
        let mut at = self.find(self.highest);
        let mut above = 0;
        while above < threshold {
            if at == 0 {
                return;
            }
            at -= 1;
            above += u32::from(self.segments[at].is(Segment::SACKED));
        }
        let edge = widen(self.segments[at].seq, self.una);
        let from = self.find(self.examined.max(self.una));
        for i in from..at {
            if !self.segments[i].is(Segment::SACKED | Segment::LOST) {
                self.lose(i);
            }
        }
        self.examined = self.examined.max(edge);
    }

    /// A segment is lost when one sent later has arrived and the reordering window has passed (RFC 8985). Segments are looked at in the
    /// order in which they were sent last, retransmissions and others apart, each up to the first that is not lost: those behind it were sent
    /// later still.
    fn lose_by_time(&mut self, now: Time) {
        let window = self.rack.window(self.phase != Phase::Open, self.sacked, &self.rtt);
        let patience = self.rack.rtt() + window;
        let mut soonest = NEVER;
        while let Some(&(seq, sent)) = self.rack.again.front() {
            let at = self.find(seq);
            let under_way = |s: &&Segment| seq >= self.una && s.is(Segment::RESENT) && s.sent == sent;
            if let Some(segment) = self.segments.get(at).filter(under_way) {
                if !self.rack.sent_before(sent, seq + u64::from(segment.len)) {
                    break;
                }
                if sent + patience > now {
                    soonest = sent + patience;
                    break;
                }
                self.lose(at);
            }
            self.rack.again.pop_front();
        }
        let mut at = self.find(self.rack.originals);
        while let Some(segment) = self.segments.get(at) {
            if !segment.is(Segment::SACKED | Segment::LOST) {
                let end = widen(segment.seq, self.una) + u64::from(segment.len);
                if !self.rack.sent_before(segment.sent, end) {
                    break;
                }
                if segment.sent + patience > now {
                    soonest = soonest.min(segment.sent + patience);
                    break;
                }
                self.lose(at);
            }
            at += 1;
        }
        self.rack.originals = self.segments.get(at).map_or(self.nxt, |s| widen(s.seq, self.una));
        self.rack.deadline = soonest;
    }

    /// Marks segment number `at` as lost, or a retransmission of it.
    fn lose(&mut self, at: usize) {
        let una = self.una;
        let Some(segment) = self.segments.get_mut(at) else { return };
        let len = u64::from(segment.len);
        if segment.is(Segment::SACKED) {
            segment.flags &= !Segment::SACKED;
            self.sacked -= len;
        }
        if segment.is(Segment::RESENT) {
            segment.flags &= !Segment::RESENT;
            self.resent -= len;
        }
        if !segment.is(Segment::LOST) {
            segment.flags |= Segment::LOST;
            self.lost += len;
        }
        self.repair_from = self.repair_from.min(widen(segment.seq, una));
    }

    /// Index of the segment that holds sequence number `seq`, or of the first one after it.
    fn find(&self, seq: u64) -> usize {
        if seq <= self.una {
            return 0;
        }
        let base = self.una as u32;
        let offset = (seq - self.una).min(u64::from(u32::MAX)) as u32;
        // Segments are mostly of one size.
        let size = u32::from(self.segments.front().map_or(1, |s| s.len)).max(1);
        let guess = (offset / size) as usize;
        if self.segments.get(guess).is_some_and(|s| s.seq.wrapping_sub(base) == offset) {
            return guess;
        }
        self.segments.partition_point(|s| s.seq.wrapping_sub(base) < offset)
    }

    /// The deadline has come. True when the retransmission timer expired, so that the window is to collapse; false when only
    /// the reordering timer did, or nothing: losses may have been found then, see [`Sender::to_repair`].
    pub fn on_timer(&mut self, now: Time, settings: &SenderSettings) -> TimerDid {
        if now >= self.rto_at && !self.segments.is_empty() {
            self.rtt.back_off();
            self.rto_at = now + self.rtt.timeout(&settings.rto);
            self.counts.timeouts += 1;
            self.rack.deadline = NEVER;
            if !settings.sack {
                self.forget_duplicates(false);
            }
            for at in 0..self.segments.len() {
                if !self.segments[at].is(Segment::SACKED) {
                    self.lose(at);
                }
            }
            self.repair_from = self.una;
            self.examined = self.nxt;
            self.phase = Phase::Loss;
            self.recovery_end = self.nxt;
            self.duplicates = 0;
            self.forced = true;
            return TimerDid::Expired;
        }
        if now >= self.rack.deadline {
            self.rack.deadline = NEVER;
            self.lose_by_time(now);
            if self.phase == Phase::Open && self.to_repair() > 0 {
                self.phase = Phase::Recovery;
                self.recovery_end = self.nxt;
                self.forced = true;
                self.counts.recoveries += 1;
                return TimerDid::Entered;
            }
            return TimerDid::Looked;
        }
        TimerDid::Nothing
    }

    /// Stops for good: nothing will be sent or acknowledged any more. Keeps the counters, gives memory back.
    pub fn stop(&mut self) {
        let (counts, rtt) = (self.counts, self.rtt);
        *self = Self { counts, rtt, una: self.nxt, nxt: self.nxt, ..Self::default() };
    }
}

/// What [`Sender::on_timer`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimerDid {
    /// The retransmission timer expired: everything outstanding is deemed lost.
    Expired,
    /// The reordering timer found losses, and fast recovery begins.
    Entered,
    /// The reordering timer looked; there may be more to retransmit.
    Looked,
    /// It was not time yet.
    Nothing,
}

/// The full number with these low bits at or above `una`.
#[inline]
fn widen(low: u32, una: u64) -> u64 {
    una + u64::from(low.wrapping_sub(una as u32))
}

#[cfg(test)]
mod tests;
