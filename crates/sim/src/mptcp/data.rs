//! The data level of one direction, sender's side: what is new, what must go again on another subflow, how far the receiver lets it.

use std::collections::VecDeque;

/// What a scheduler finds when it asks for something to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Supply {
    /// These bytes.
    Chunk {
        /// Offset of the first byte.
        dsn: u64,
        /// How many.
        len: u16,
        /// They were sent before, on another subflow.
        again: bool,
    },
    /// There is data, but the receive window has no room for it.
    Blocked,
    /// There is nothing to send.
    Empty,
}

/// The sending side of one direction's data. Numbers are offsets: 0 is the first byte.
#[derive(Clone, Debug)]
pub struct DataSender {
    /// What the application has given so far; [`DataSender::ENDLESS`] for a flow that does not end.
    written: u64,
    nxt: u64,
    una: u64,
    /// End of the receive window: no byte at or beyond it may be sent.
    edge: u64,
    /// What is to be carried again: where, how much, and the number of the subflow that has it.
    again: VecDeque<(u64, u16, u16)>,
    /// Bytes sent again on another subflow.
    pub reinjected_bytes: u64,
}

impl DataSender {
    /// Size of a flow that does not end.
    pub const ENDLESS: u64 = u64::MAX;

    /// Nothing to send yet, and a receive window.
    pub fn new(window: u64) -> Self {
        Self { written: 0, nxt: 0, una: 0, edge: window, again: VecDeque::new(), reinjected_bytes: 0 }
    }

    /// The application gives `bytes` more.
    pub fn write(&mut self, bytes: u64) {
        self.written = self.written.saturating_add(bytes);
    }

    /// What the application has given so far.
    #[inline]
    pub fn written(&self) -> u64 {
        self.written
    }

    /// The next new byte.
    #[inline]
    pub fn nxt(&self) -> u64 {
        self.nxt
    }

    /// The first byte that is not acknowledged at the data level.
    #[inline]
    pub fn una(&self) -> u64 {
        self.una
    }

    /// Whether all that was given was sent once.
    #[inline]
    pub fn all_sent(&self) -> bool {
        self.nxt == self.written
    }

    /// A data acknowledgment with a receive window. True when it moved something.
    #[inline]
    pub fn on_ack(&mut self, ack: u64, window: u64) -> bool {
        let mut moved = false;
        if ack > self.una && ack <= self.nxt {
            self.una = ack;
            moved = true;
        }
        let edge = ack.saturating_add(window);
        if edge > self.edge {
            self.edge = edge;
            moved = true;
        }
        moved
    }

    /// These bytes, which subflow number `from` has, are to be carried by another one too, before anything new.
    pub fn reinject(&mut self, dsn: u64, len: u16, from: u16) {
        self.again.push_back((dsn, len, from));
    }

    /// Whether something waits to be carried again.
    #[inline]
    pub fn has_reinjections(&self) -> bool {
        !self.again.is_empty()
    }

    /// What to send next, at most `chunk` bytes: what must be carried again, then what is new. Takes it.
    #[inline]
    pub fn next(&mut self, chunk: u16) -> Supply {
        if !self.again.is_empty()
            && let Some(again) = self.next_again()
        {
            return again;
        }
        let left = self.written - self.nxt;
        if left == 0 {
            return Supply::Empty;
        }
        let len = left.min(u64::from(chunk));
        if self.nxt + len > self.edge {
            return Supply::Blocked;
        }
        let dsn = self.nxt;
        self.nxt += len;
        Supply::Chunk { dsn, len: len as u16, again: false }
    }

    #[cold]
    fn next_again(&mut self) -> Option<Supply> {
        while let Some((dsn, len, _)) = self.again.pop_front() {
            if dsn + u64::from(len) > self.una {
                self.reinjected_bytes += u64::from(len);
                return Some(Supply::Chunk { dsn, len, again: true });
            }
        }
        None
    }

    /// The subflow that has the chunk that is to be carried again next; what has arrived by now is forgotten.
    pub fn peek_again(&mut self) -> Option<u16> {
        while let Some(&(dsn, len, from)) = self.again.front() {
            if dsn + u64::from(len) > self.una {
                return Some(from);
            }
            self.again.pop_front();
        }
        None
    }

    /// Takes what is to be carried again out of the way for a moment, so that [`DataSender::next`] gives what is new.
    pub fn set_again_aside(&mut self) -> VecDeque<(u64, u16, u16)> {
        std::mem::take(&mut self.again)
    }

    /// Puts it back.
    pub fn take_again_back(&mut self, again: VecDeque<(u64, u16, u16)>) {
        self.again = again;
    }

    /// The DATA_FIN takes a number of its own.
    pub fn take_fin_number(&mut self) -> u64 {
        let dsn = self.nxt;
        self.nxt += 1;
        self.written += 1;
        self.edge = self.edge.saturating_add(1);
        dsn
    }

    /// Nothing more will be sent.
    pub fn stop(&mut self) {
        self.again = VecDeque::new();
        self.written = self.nxt;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_data_up_to_the_window_and_the_rest_later() {
        let mut data = DataSender::new(3000);
        assert_eq!(data.next(1000), Supply::Empty);
        data.write(3500);
        for dsn in [0, 1000, 2000] {
            assert_eq!(data.next(1000), Supply::Chunk { dsn, len: 1000, again: false });
        }
        assert_eq!(data.next(1000), Supply::Blocked);
        assert!(data.on_ack(1000, 3000));
        assert!(!data.on_ack(1000, 3000));
        assert_eq!(data.next(1000), Supply::Chunk { dsn: 3000, len: 500, again: false });
        assert_eq!(data.next(1000), Supply::Empty);
        assert!(data.all_sent());
    }

    #[test]
    fn what_is_to_be_carried_again_goes_first_unless_it_has_arrived() {
        let mut data = DataSender::new(10_000);
        data.write(3000);
        data.next(1000);
        data.next(1000);
        data.reinject(0, 1000, 1);
        data.reinject(1000, 1000, 1);
        data.on_ack(1000, 10_000);
        assert_eq!(data.peek_again(), Some(1));
        assert_eq!(data.next(1000), Supply::Chunk { dsn: 1000, len: 1000, again: true });
        assert_eq!(data.next(1000), Supply::Chunk { dsn: 2000, len: 1000, again: false });
        assert_eq!(data.reinjected_bytes, 1000);
    }
}
