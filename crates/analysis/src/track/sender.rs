//! What holds the sender of one direction back: the receive window, or that it has nothing to send.

use super::flight::Flight;

/// What a sender is waiting for, as its data and what came back for them show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// It has not begun, or nothing has come back.
    #[default]
    Unknown,
    /// Data is on the way, and more may be sent.
    Sending,
    /// Data is on the way, and less than a segment fits into the window.
    Full,
    /// Nothing is on the way, and not a byte fits into the window.
    Closed,
    /// Nothing is on the way.
    Idle,
}

/// Why nothing went on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    /// By the receive window.
    Window,
    /// Everything was acknowledged, and more came later.
    Application,
    /// Data was on the way and more could be sent, but nothing new was sent or acknowledged.
    NoProgress,
}

/// A time in which the sender was held back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pause {
    /// By what.
    pub(crate) held: Held,
    /// When it began and the frame that began it.
    pub(crate) since: (i64, u64),
    /// For how long, in nanoseconds.
    pub(crate) time: i64,
    /// Bytes on the way meanwhile.
    pub(crate) bytes: u64,
}

/// The data level of one direction as its sender must see it: RFC 8684, sections 3.3.4 and 3.3.5. Offsets are of the data
/// level.
#[derive(Debug, Default)]
pub(crate) struct Sender {
    /// After the highest byte sent.
    next: i64,
    begun: bool,
    heard: bool,
    acked: Option<i64>,
    /// When an acknowledgement moved on last, or the first byte went after everything had been acknowledged.
    waits: Option<i64>,
    /// The right edge of the window: DATA_ACK plus window, the highest so far.
    edge: Option<i64>,
    /// The largest payload, which is what a segment holds.
    segment: i64,
    state: State,
    since: (i64, u64),
    /// The last new byte or acknowledgement of one.
    moved: (i64, u64),
    /// Bytes in flight.
    pub(crate) flight: Flight,
    /// Time with a full or closed window, in nanoseconds.
    pub(crate) window_limited: i64,
    /// Time with nothing on the way, in nanoseconds.
    pub(crate) idle: i64,
    /// The part of `idle` that more data ended.
    pub(crate) application: i64,
    /// Time between two steps of which the longer ones are rows: data was on the way, the window open, nothing moved.
    pub(crate) stuck: i64,
    /// The narrowest and the widest window seen, in bytes.
    pub(crate) window: Option<(u64, u64)>,
}

impl Sender {
    /// The handshake was seen: the stream begins at offset 0 and nothing is on the way.
    pub(crate) fn begin(&mut self) {
        if !self.begun {
            self.acked.get_or_insert(0);
        }
    }

    /// New bytes up to `end` were sent, in a segment with so much payload. Pauses of any length go to `pause`.
    #[inline]
    pub(crate) fn sent(
        &mut self,
        end: i64,
        payload: i64,
        at: (i64, u64),
        patience: Option<i64>,
        mut pause: impl FnMut(Pause),
    ) {
        self.progress(at, patience, &mut pause);
        self.begun = true;
        if self.flight.bytes() == 0 {
            self.waits = Some(at.0);
        }
        self.segment = self.segment.max(payload);
        if end > self.next {
            self.next = end;
        }
        self.turn(at, true, &mut pause);
    }

    /// Everything below `offset` was acknowledged, with this window if it is known.
    #[inline]
    pub(crate) fn acked(
        &mut self,
        offset: i64,
        window: Option<u64>,
        at: (i64, u64),
        patience: Option<i64>,
        mut pause: impl FnMut(Pause),
    ) {
        self.heard = true;
        if self.acked.is_none_or(|acked| offset > acked) {
            self.progress(at, patience, &mut pause);
            self.acked = Some(offset);
            self.waits = Some(at.0);
        }
        if let Some(window) = window {
            let edge = offset + i64::try_from(window).unwrap_or(i64::MAX / 4);
            self.edge = Some(self.edge.map_or(edge, |before| before.max(edge)));
            let (least, most) = self.window.unwrap_or((window, window));
            self.window = Some((least.min(window), most.max(window)));
        }
        self.turn(at, false, &mut pause);
    }

    /// Something new was sent or acknowledged: how long had nothing moved?
    fn progress(&mut self, at: (i64, u64), patience: Option<i64>, pause: &mut impl FnMut(Pause)) {
        let time = at.0 - self.moved.0;
        if self.heard && self.state == State::Sending && patience.is_some_and(|patience| time >= patience) {
            self.stuck += time;
            pause(Pause {
                held: Held::NoProgress,
                since: self.moved,
                time,
                bytes: self.flight.bytes() as u64,
            });
        }
        self.moved = at;
    }

    /// Works out the state from here on.
    fn turn(&mut self, at: (i64, u64), data: bool, pause: &mut impl FnMut(Pause)) {
        let bytes = self.acked.map_or(0, |acked| self.next - acked).max(0);
        let before = self.flight.bytes();
        self.flight.set(bytes, at.0);
        let room = self.edge.map_or(i64::MAX, |edge| edge - self.next);
        let state = if !self.begun || self.acked.is_none() {
            State::Unknown
        } else if bytes > 0 {
            if room < self.segment { State::Full } else { State::Sending }
        } else if room <= 0 {
            State::Closed
        } else {
            State::Idle
        };
        if state == self.state {
            return;
        }
        let time = (at.0 - self.since.0).max(0);
        let held = match self.state {
            State::Full | State::Closed => {
                self.window_limited += time;
                Some(Held::Window)
            }
            State::Idle => {
                self.idle += time;
                // Only data can end it, or a window that closes.
                data.then(|| {
                    self.application += time;
                    Held::Application
                })
            }
            State::Sending | State::Unknown => None,
        };
        if let Some(held) = held {
            pause(Pause { held, since: self.since, time, bytes: before as u64 });
        }
        self.state = state;
        self.since = at;
    }

    /// The connection has ended: what was idle stays idle, what was full stays full.
    pub(crate) fn end(&mut self, time: i64, patience: Option<i64>, mut pause: impl FnMut(Pause)) {
        self.progress((time, self.moved.1), patience, &mut pause);
        let span = (time - self.since.0).max(0);
        let bytes = self.flight.bytes() as u64;
        self.flight.set(self.flight.bytes(), time);
        match self.state {
            State::Full => {
                self.window_limited += span;
                pause(Pause { held: Held::Window, since: self.since, time: span, bytes });
            }
            State::Closed | State::Idle => self.idle += span,
            State::Sending | State::Unknown => {}
        }
        self.state = State::Unknown;
    }

    /// Since when the sender waits for an acknowledgement to move on.
    pub(crate) const fn waits(&self) -> Option<i64> {
        self.waits
    }

    /// Whether data was sent and an acknowledgement seen, so that times and flights are known.
    pub(crate) const fn is_known(&self) -> bool {
        self.begun && self.heard
    }

    /// Whether the window is known.
    pub(crate) const fn knows_window(&self) -> bool {
        self.is_known() && self.edge.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::{Held, Pause, Sender};

    const MS: i64 = 1_000_000;

    /// Sends or acknowledges at a millisecond; frames count like milliseconds.
    fn sent(sender: &mut Sender, end: i64, ms: i64) -> Vec<Pause> {
        let mut pauses = Vec::new();
        sender.sent(end, 1000, (ms * MS, ms as u64), Some(200 * MS), |pause| pauses.push(pause));
        pauses
    }

    fn acked(sender: &mut Sender, offset: i64, window: u64, ms: i64) -> Vec<Pause> {
        let mut pauses = Vec::new();
        let at = (ms * MS, ms as u64);
        sender.acked(offset, Some(window), at, Some(200 * MS), |pause| pauses.push(pause));
        pauses
    }

    #[test]
    fn less_than_a_segment_of_room_is_a_full_window() {
        let mut sender = Sender::default();
        sender.begin();
        acked(&mut sender, 0, 2500, 0);
        assert_eq!(sent(&mut sender, 1000, 10), []);
        assert_eq!(sent(&mut sender, 2000, 12), [], "500 bytes of room from here on");
        let full = Pause { held: Held::Window, since: (12 * MS, 12), time: 30 * MS, bytes: 2000 };
        assert_eq!(acked(&mut sender, 1000, 2500, 42), [full]);
        assert_eq!(sender.window_limited, 30 * MS);
        // A smaller window whose right edge does not move back changes nothing (RFC 8684, section 3.3.5).
        assert_eq!(acked(&mut sender, 1000, 1200, 43), []);
        assert_eq!(sender.window, Some((1200, 2500)));
        assert_eq!(sender.flight.most(), 2000);
        // 2 ms with 1000 bytes, 30 with 2000.
        assert_eq!(sender.flight.mean(), Some((2.0 * 1e3 + 30.0 * 2e3 + 1e3) / 33.0));
    }

    #[test]
    fn a_closed_window_is_no_idleness() {
        let mut sender = Sender::default();
        sender.begin();
        acked(&mut sender, 0, 1000, 0);
        sent(&mut sender, 1000, 1);
        acked(&mut sender, 1000, 0, 5);
        let pauses = acked(&mut sender, 1000, 5000, 305);
        assert_eq!(pauses, [Pause { held: Held::Window, since: (5 * MS, 5), time: 300 * MS, bytes: 0 }]);
        assert_eq!((sender.window_limited, sender.idle), (304 * MS, 0), "4 ms full, 300 ms closed");
    }

    #[test]
    fn idle_is_application_limited_when_more_comes() {
        let mut sender = Sender::default();
        sender.begin();
        sent(&mut sender, 100, 0);
        acked(&mut sender, 100, 9000, 10);
        let idle = Pause { held: Held::Application, since: (10 * MS, 10), time: 90 * MS, bytes: 0 };
        assert_eq!(sent(&mut sender, 200, 100), [idle]);
        acked(&mut sender, 200, 9000, 110);
        sender.end(510 * MS, None, |_| panic!("no pause at the end"));
        assert_eq!((sender.idle, sender.application, sender.window_limited), (490 * MS, 90 * MS, 0));
        assert!(sender.is_known() && sender.knows_window());
    }

    #[test]
    fn nothing_moves_while_data_is_on_the_way() {
        let mut sender = Sender::default();
        sender.begin();
        acked(&mut sender, 0, 90_000, 0);
        sent(&mut sender, 3000, 0);
        acked(&mut sender, 1000, 90_000, 100);
        acked(&mut sender, 1000, 90_000, 200);
        let stuck = Pause { held: Held::NoProgress, since: (100 * MS, 100), time: 300 * MS, bytes: 2000 };
        assert_eq!(acked(&mut sender, 3000, 90_000, 400), [stuck]);
        assert_eq!(sender.stuck, 300 * MS);
        assert_eq!(sent(&mut sender, 4000, 900)[0].held, Held::Application);
        assert_eq!(sender.stuck, 300 * MS, "idle is not stuck");
    }

    #[test]
    fn without_acknowledgements_nothing_is_known() {
        let mut sender = Sender::default();
        sender.begin();
        sent(&mut sender, 1000, 0);
        assert!(!sender.is_known());
        // From the middle: what was on the way before is not known, what is acknowledged is.
        let mut sender = Sender::default();
        sent(&mut sender, 1000, 0);
        acked(&mut sender, 400, 9000, 10);
        assert!(sender.is_known());
        assert_eq!(sender.flight.bytes(), 600);
    }
}
