//! `…_gput_N.csv`: goodput in Mbyte/s by DATA_ACKs: of every so many of them (1), since the first (2), and over the last so many (3).

use super::flight::between;
use super::ordered::before;
use super::step::{Step, stamp};
use std::fmt::Write;

/// How many DATA_ACKs make an average: the value that mptcptrace's own guide uses (`-G 20`).
const WINDOW: usize = 20;

/// A DATA_ACK.
#[derive(Clone, Copy, Debug)]
struct Ack {
    time: i64,
    number: u32,
}

/// One direction's goodput.
#[derive(Debug, Default)]
pub(super) struct Goodput {
    pub(super) text: String,
    first: Option<Ack>,
    /// The one at which the present bucket began.
    bucket_began: Option<Ack>,
    in_bucket: usize,
    /// The last ones, in a ring.
    last: [Option<Ack>; WINDOW],
    at: usize,
    full: bool,
    acked: u64,
}

impl Goodput {
    pub(super) fn ack(&mut self, step: &Step, number: u32) {
        let ack = Ack { time: step.time, number };
        let (Some(first), Some(began)) = (self.first, self.bucket_began) else {
            (self.first, self.bucket_began) = (Some(ack), Some(ack));
            self.put(0, ack);
            self.at = 1;
            return;
        };
        let previous = self.last.get((self.at + WINDOW - 1) % WINDOW).copied().flatten().unwrap_or(began);
        if !before(previous.number, number) || !before(began.number, number) {
            return;
        }
        if self.in_bucket == WINDOW {
            self.full = true;
            self.line(ack, f64::from(number.wrapping_sub(began.number)), began, 1);
            self.in_bucket = 0;
            self.bucket_began = Some(ack);
        } else {
            self.in_bucket += 1;
        }
        self.put(self.at, ack);
        if self.full || self.in_bucket >= 1 {
            self.acked += u64::from(number.wrapping_sub(previous.number));
            self.line(ack, self.acked as f64, first, 2);
        }
        self.at = (self.at + 1) % WINDOW;
        if self.full
            && let Some(oldest) = self.last.get(self.at).copied().flatten()
        {
            self.line(ack, f64::from(number.wrapping_sub(oldest.number)), oldest, 3);
        }
    }

    fn put(&mut self, at: usize, ack: Ack) {
        if let Some(place) = self.last.get_mut(at) {
            *place = Some(ack);
        }
    }

    fn line(&mut self, ack: Ack, bytes: f64, since: Ack, colour: u8) {
        let rate = bytes / between(since.time, ack.time) / 1e6;
        let _ = writeln!(self.text, "{},{rate:.6},{colour},0,0", stamp(ack.time));
    }
}
