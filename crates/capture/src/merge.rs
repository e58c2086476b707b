//! Many files as one, in time order.
//!
//! The stream with the earliest packet runs until it reaches the time of the next one. Files that are not yet due
//! are closed: each is opened a second before its first packet, so that months of rotated captures need a few open
//! files.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::Packet;
use crate::issue::Issues;
use crate::record::Record;
use crate::stream::{LARGE_SLOT, SMALL_SLOT, Stream};

/// Buffers are made smaller as more files are open at once, so that all of them stay within a few times this.
const SLOT_BUDGET: usize = 1 << 20;

/// Size of the buffers of a file that is opened when so many others are open.
pub(crate) fn slot_size(open: usize) -> usize {
    (SLOT_BUDGET / (open + 1)).clamp(SMALL_SLOT, LARGE_SLOT)
}

/// A file to be opened later.
#[derive(Debug)]
pub(crate) struct Pending {
    /// No packet of it is earlier than this.
    pub(crate) start: i64,
    pub(crate) file: u32,
}

/// Opens a pending file with buffers of some size; `None` when it cannot be read any more (then it says so itself).
pub(crate) type Opener<'a> = dyn FnMut(u32, usize, &mut Issues) -> Option<Stream> + 'a;

/// The open streams and the files to come.
#[derive(Default)]
pub(crate) struct Merge {
    streams: Vec<Stream>,
    /// Places in `streams` whose file has ended.
    ended: Vec<usize>,
    /// The stream that runs, if one does, and until when it needs not be compared with the others.
    current: usize,
    running: bool,
    limit: i64,
    /// The others by the time of their next packet, then by the order of the inputs.
    waiting: BinaryHeap<Reverse<(i64, u32, usize)>>,
    /// Files to come, the next one last.
    pending: Vec<Pending>,
}

impl Merge {
    /// Adds a file that is open already.
    pub(crate) fn add(&mut self, mut stream: Stream, issues: &mut Issues) {
        let Some(time) = stream.peek(issues) else { return };
        let file = stream.file;
        let index = match self.ended.pop() {
            Some(index) => {
                if let Some(place) = self.streams.get_mut(index) {
                    *place = stream;
                }
                index
            }
            None => {
                self.streams.push(stream);
                self.streams.len() - 1
            }
        };
        self.waiting.push(Reverse((time, file, index)));
    }

    /// Sets the files to be opened later.
    pub(crate) fn set_pending(&mut self, mut pending: Vec<Pending>) {
        pending.sort_by_key(|pending| Reverse((pending.start, pending.file)));
        self.pending = pending;
    }

    /// Files that are open now.
    pub(crate) fn open_files(&self) -> usize {
        self.streams.len() - self.ended.len()
    }

    /// The next record when it is that of the running stream and nothing has to be compared or read.
    #[inline(always)]
    pub(crate) fn next_clear(&mut self) -> Option<Record> {
        self.streams.get_mut(self.current)?.window.pop_clear(self.limit)
    }

    /// The next record of any stream.
    #[inline(never)]
    pub(crate) fn next(&mut self, open: &mut Opener<'_>, issues: &mut Issues) -> Option<Record> {
        self.put_back(issues);
        self.open_due(open, issues);
        let Reverse((_, file, index)) = self.waiting.pop()?;
        let other =
            self.waiting.peek().map_or(
                i64::MAX,
                |&Reverse((time, other, _))| {
                    if other > file { time } else { time.saturating_sub(1) }
                },
            );
        let due = self.pending.last().map_or(i64::MAX, |pending| pending.start.saturating_sub(1));
        self.limit = other.min(due);
        self.current = index;
        self.running = true;
        self.streams.get_mut(index)?.window.pop()
    }

    /// The packet of a record that was just taken.
    #[inline(always)]
    pub(crate) fn packet(&self, record: Record) -> Option<Packet<'_>> {
        Some(self.streams.get(self.current)?.packet(record))
    }

    /// Ends the run of the current stream.
    fn put_back(&mut self, issues: &mut Issues) {
        if !std::mem::take(&mut self.running) {
            return;
        }
        let Some(stream) = self.streams.get_mut(self.current) else { return };
        match stream.peek(issues) {
            Some(time) => self.waiting.push(Reverse((time, stream.file, self.current))),
            None => {
                stream.close();
                self.ended.push(self.current);
            }
        }
    }

    /// Opens the files whose first packet may be the next.
    fn open_due(&mut self, open: &mut Opener<'_>, issues: &mut Issues) {
        while let Some(next) = self.pending.last() {
            if self.waiting.peek().is_some_and(|&Reverse((time, ..))| next.start > time) {
                return;
            }
            let file = next.file;
            self.pending.pop();
            if let Some(stream) = open(file, slot_size(self.open_files()), issues) {
                self.add(stream, issues);
            }
        }
    }
}
