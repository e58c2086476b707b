//! The receiving half of one subflow: what has arrived, what is out of order, and when to acknowledge it.
//!
//! Delayed acknowledgments follow RFC 5681, section 4.2: at least every `every` segments, at once for what is out of order,
//! repeats or fills a hole. The ECN echo is that of RFC 3168 or, exact to the segment under delayed acknowledgments, that of
//! RFC 8257, section 3.2.

use super::ranges::Ranges;
use crate::prefetch::prefetch;
use crate::time::{Duration, Time};

/// What a receiver echoes of congestion marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum EcnEcho {
    /// Nothing.
    #[default]
    None,
    /// RFC 3168: every acknowledgment from the first mark on, until the sender says that it has reduced its window.
    Classic,
    /// RFC 8257: each acknowledgment says whether what it acknowledges was marked.
    Exact,
}

/// When a receiver acknowledges.
#[derive(Clone, Copy, Debug)]
pub struct AckSettings {
    /// In-order segments that one acknowledgment may cover: 1 for none delayed, 2 by RFC 5681.
    pub every: u8,
    /// Longest delay of an acknowledgment (Linux: 40 ms).
    pub timeout: Duration,
    /// Segments at the beginning that are acknowledged at once, as Linux does in its quick-ACK mode.
    pub quick: u8,
    /// ECN echo.
    pub ecn: EcnEcho,
}

impl Default for AckSettings {
    fn default() -> Self {
        Self { every: 2, timeout: Duration::from_millis(40), quick: 0, ecn: EcnEcho::None }
    }
}

/// What to do after a segment has arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reaction {
    /// First acknowledge what came before this segment, with this ECN echo: the mark has changed (RFC 8257).
    pub before: Option<(u64, bool)>,
    /// Acknowledge now; else by [`Receiver::deadline`].
    pub now: bool,
    /// Bytes that had not arrived before.
    pub fresh: u64,
}

/// What was counted about a receiver.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReceiverCounts {
    /// Segments with data or a FIN.
    pub segments: u64,
    /// Segments that came when an earlier one was missing.
    pub out_of_order: u64,
    /// Segments that brought nothing new: needless retransmissions.
    pub duplicates: u64,
    /// Segments with a congestion mark.
    pub marked: u64,
    /// Acknowledgments sent.
    pub acks: u64,
}

/// The receiving half of one subflow. What data in order needs is in the first cache line.
#[derive(Clone, Debug)]
#[repr(C, align(64))]
pub struct Receiver {
    nxt: u64,
    deadline: Time,
    /// Counters.
    pub counts: ReceiverCounts,
    pending: u8,
    /// The mark of the last segment (RFC 8257: DCTCP.CE), or that an echo is owed (RFC 3168).
    marked: bool,
    /// Whether `held` holds something.
    has_hole: bool,
    /// Whether `repeated` is something.
    has_repeated: bool,
    /// Whether the last two duplicates began at the same place.
    repeated_again: bool,
    held: Ranges,
    /// Where the last duplicate began.
    last_repeat: Option<u64>,
    /// A duplicate to report in the next acknowledgment.
    repeated: (u64, u64),
}

impl Default for Receiver {
    fn default() -> Self {
        Self {
            nxt: 0,
            deadline: Time::MAX,
            pending: 0,
            marked: false,
            has_hole: false,
            has_repeated: false,
            repeated_again: false,
            held: Ranges::default(),
            last_repeat: None,
            repeated: (0, 0),
            counts: ReceiverCounts::default(),
        }
    }
}

impl Receiver {
    /// Asks for the memory that data needs.
    #[inline]
    pub fn prefetch(&self) {
        prefetch(&self.nxt);
    }

    /// The same for what is beyond a hole, which can only be known once the rest is there.
    #[inline]
    pub fn prefetch_hole(&self) {
        if self.has_hole {
            prefetch(&self.held);
        }
    }

    /// The same for the last of what is held there.
    #[inline]
    pub fn prefetch_held(&self) {
        if self.has_hole {
            self.held.prefetch();
        }
    }

    /// The next sequence number that is missing: the cumulative acknowledgment.
    #[inline]
    pub fn nxt(&self) -> u64 {
        self.nxt
    }

    /// When an acknowledgment is to be sent at the latest.
    #[inline]
    pub fn deadline(&self) -> Time {
        self.deadline
    }

    /// Whether segments are held beyond a hole.
    #[inline]
    pub fn has_hole(&self) -> bool {
        self.has_hole
    }

    /// Whether an acknowledgment needs SACK blocks.
    #[inline]
    pub fn needs_blocks(&self) -> bool {
        self.has_hole || self.has_repeated
    }

    /// Whether the next acknowledgment carries the ECN echo.
    #[inline]
    pub fn echo(&self) -> bool {
        self.marked
    }

    /// The sender has reduced its window (CWR): a classic echo ends.
    pub fn reduced(&mut self, settings: &AckSettings) {
        if settings.ecn == EcnEcho::Classic {
            self.marked = false;
        }
    }

    /// A segment of `len` sequence numbers at `seq` has arrived; `marked` is its congestion mark.
    #[inline]
    pub fn on_segment(
        &mut self,
        now: Time,
        seq: u64,
        len: u64,
        marked: bool,
        settings: &AckSettings,
    ) -> Reaction {
        self.counts.segments += 1;
        self.counts.marked += u64::from(marked);
        let mut out = Reaction { before: None, now: false, fresh: 0 };
        match settings.ecn {
            EcnEcho::None => {}
            EcnEcho::Classic => self.marked |= marked,
            EcnEcho::Exact => {
                if marked != self.marked {
                    if self.pending > 0 {
                        out.before = Some((self.nxt, self.marked));
                        self.pending = 0;
                    }
                    self.marked = marked;
                }
            }
        }
        if seq == self.nxt && !self.has_hole {
            self.nxt += len;
            out.fresh = len;
            self.pending += 1;
            if self.pending >= settings.every || self.counts.segments <= u64::from(settings.quick) {
                out.now = true;
            } else if self.pending == 1 {
                self.deadline = now + settings.timeout;
            }
            return out;
        }
        self.out_of_line(seq, len, &mut out);
        out
    }

    #[cold]
    fn out_of_line(&mut self, seq: u64, len: u64, out: &mut Reaction) {
        out.now = true;
        let end = seq + len;
        if end <= self.nxt {
            self.duplicate(seq, end);
            return;
        }
        if seq > self.nxt {
            out.fresh = self.held.insert(seq, end);
            self.has_hole = true;
            if out.fresh == 0 {
                self.duplicate(seq, end);
            } else {
                self.counts.out_of_order += 1;
            }
            return;
        }
        out.fresh = self.held.insert(self.nxt, end);
        self.nxt = self.held.take_through(self.nxt);
        self.has_hole = !self.held.is_empty();
    }

    fn duplicate(&mut self, seq: u64, end: u64) {
        self.counts.duplicates += 1;
        self.repeated = (seq, end);
        self.has_repeated = true;
        self.repeated_again = self.last_repeat.replace(seq) == Some(seq);
    }

    /// Whether the last segment was a needless retransmission for the second time on end, once: then acknowledgments do not arrive.
    pub const fn take_repeated_again(&mut self) -> bool {
        std::mem::replace(&mut self.repeated_again, false)
    }

    /// An acknowledgment goes out now: nothing is owed any more.
    #[inline]
    pub fn acknowledged(&mut self) {
        self.pending = 0;
        self.deadline = Time::MAX;
        self.counts.acks += 1;
    }

    /// Whether an acknowledgment is owed and its time has come.
    #[inline]
    pub fn is_due(&self, now: Time) -> bool {
        now >= self.deadline
    }

    /// SACK blocks for the acknowledgment that goes out now, a duplicate first (RFC 2883). Returns how many.
    pub fn take_blocks(&mut self, out: &mut [(u64, u64)]) -> usize {
        let mut count = 0;
        if std::mem::take(&mut self.has_repeated)
            && let Some(first) = out.first_mut()
        {
            *first = self.repeated;
            count = 1;
            // Inside data that is held, the block that contains it comes second, which `blocks` does as it was touched last.
        }
        count + self.held.blocks(&mut out[count..])
    }

    /// Gives memory back; keeps the counters and what was received.
    pub fn stop(&mut self) {
        self.held.clear();
        self.has_hole = false;
        self.deadline = Time::MAX;
        self.pending = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MSS: u64 = 1000;

    fn settings(every: u8, ecn: EcnEcho) -> AckSettings {
        AckSettings { every, ecn, ..AckSettings::default() }
    }

    #[test]
    fn every_second_segment_or_after_the_timeout() {
        let settings = settings(2, EcnEcho::None);
        let mut receiver = Receiver::default();
        assert!(!receiver.on_segment(Time(5), 0, MSS, false, &settings).now);
        assert_eq!(receiver.deadline(), Time(5) + Duration::from_millis(40));
        assert!(receiver.on_segment(Time(6), MSS, MSS, false, &settings).now);
        receiver.acknowledged();
        assert_eq!((receiver.nxt(), receiver.deadline()), (2 * MSS, Time::MAX));
    }

    #[test]
    fn holes_are_acknowledged_at_once_with_blocks() {
        let settings = settings(2, EcnEcho::None);
        let mut receiver = Receiver::default();
        let mut blocks = [(0, 0); 4];
        assert!(receiver.on_segment(Time(0), MSS, MSS, false, &settings).now);
        assert_eq!(receiver.take_blocks(&mut blocks), 1);
        assert_eq!((blocks[0], receiver.nxt()), ((1000, 2000), 0));
        // The same again: a duplicate SACK, then the range that holds it.
        let again = receiver.on_segment(Time(0), MSS, MSS, false, &settings);
        assert_eq!((again.now, again.fresh), (true, 0));
        assert_eq!(receiver.take_blocks(&mut blocks), 2);
        assert_eq!(blocks[..2], [(1000, 2000), (1000, 2000)]);
        let fills = receiver.on_segment(Time(0), 0, MSS, false, &settings);
        assert_eq!((fills.now, fills.fresh, receiver.nxt()), (true, MSS, 2000));
        assert!(!receiver.needs_blocks());
        assert_eq!((receiver.counts.out_of_order, receiver.counts.duplicates), (1, 1));
        // Below the acknowledgment.
        assert!(receiver.on_segment(Time(0), 0, MSS, false, &settings).now);
        assert_eq!(receiver.take_blocks(&mut blocks), 1);
        assert_eq!(blocks[0], (0, 1000));
    }

    #[test]
    fn exact_echo_splits_a_delayed_acknowledgment() {
        // RFC 8257, figure 1: a change of the mark acknowledges what came before with the old echo.
        let settings = settings(2, EcnEcho::Exact);
        let mut receiver = Receiver::default();
        assert_eq!(receiver.on_segment(Time(0), 0, MSS, false, &settings).before, None);
        let marked = receiver.on_segment(Time(1), MSS, MSS, true, &settings);
        assert_eq!((marked.before, marked.now), (Some((1000, false)), false));
        let second = receiver.on_segment(Time(2), 2 * MSS, MSS, true, &settings);
        assert_eq!((second.before, second.now, receiver.echo()), (None, true, true));
        receiver.acknowledged();
        // Nothing is pending, so nothing is split.
        let clear = receiver.on_segment(Time(3), 3 * MSS, MSS, false, &settings);
        assert_eq!((clear.before, receiver.echo()), (None, false));
    }

    #[test]
    fn classic_echo_lasts_until_the_window_was_reduced() {
        let settings = settings(1, EcnEcho::Classic);
        let mut receiver = Receiver::default();
        receiver.on_segment(Time(0), 0, MSS, true, &settings);
        receiver.on_segment(Time(0), MSS, MSS, false, &settings);
        assert!(receiver.echo());
        receiver.reduced(&settings);
        assert!(!receiver.echo());
    }
}
