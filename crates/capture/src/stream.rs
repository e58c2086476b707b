//! The packets of one file in order: buffers are filled with large reads and indexed in place, so that a packet is
//! neither copied nor allocated on its way. Only the incomplete record at the end of a buffer moves on to the next.

use std::io::{self, Read};

use crate::issue::{Issues, Reason};
use crate::record::{Chunk, Record, Stop};
use crate::source::{Bytes, Content, Source, failure};
use crate::window::Window;
use crate::{Compression, Packet, pcap, pcapng};
use subflow_wire::LinkType;

/// Size of a buffer in bytes when few files are open: six of them and their index nearly fit a core's cache.
pub(crate) const LARGE_SLOT: usize = 256 << 10;

/// Size of a buffer when very many files are open at once.
pub(crate) const SMALL_SLOT: usize = 8 << 10;

/// No record or block that is looked into is larger than this.
const MAX_SLOT: usize = 1 << 20;

enum Decoder {
    Pcap(pcap::Reader),
    Pcapng(pcapng::Reader),
}

#[derive(Default)]
struct Slot {
    bytes: Vec<u8>,
    filled: usize,
    /// File offset of the first byte.
    base: u64,
}

/// One open file.
pub(crate) struct Stream {
    /// Index of the file among the inputs.
    pub(crate) file: u32,
    /// Records that may leave, in order.
    pub(crate) window: Window,
    source: Bytes,
    compression: Option<Compression>,
    decoder: Decoder,
    slots: Vec<Slot>,
    slot_size: usize,
    /// The buffer filled last, how far it is indexed, and why no further.
    current: usize,
    at: usize,
    stop: Stop,
    /// File offset of the next byte to read.
    offset: u64,
    /// The file ends with the current buffer.
    last: bool,
    done: bool,
}

impl Stream {
    /// A stream over a file that was looked at; gives back what else the file is.
    pub(crate) fn new(source: Source, file: u32, slot_size: usize) -> Result<Stream, Content> {
        let (decoder, bytes, offset) = match source.content {
            Content::Pcap(header, bytes) => {
                (Decoder::Pcap(pcap::Reader::new(header, file)), bytes, pcap::Reader::start())
            }
            Content::Pcapng(bytes) => (Decoder::Pcapng(pcapng::Reader::new(file)), bytes, 0),
            other => return Err(other),
        };
        Ok(Stream {
            file,
            window: Window::default(),
            source: bytes,
            compression: source.compression,
            decoder,
            slots: Vec::new(),
            slot_size,
            current: 0,
            at: 0,
            stop: Stop::More(1),
            offset,
            last: false,
            done: false,
        })
    }

    /// Time of the next packet, after reading as far as needed to know it; `None` at the end of the file.
    pub(crate) fn peek(&mut self, issues: &mut Issues) -> Option<i64> {
        self.peek_within(u64::MAX, issues)
    }

    /// The same, but gives up when it takes more than so many bytes.
    pub(crate) fn peek_within(&mut self, budget: u64, issues: &mut Issues) -> Option<i64> {
        loop {
            if let Some(time) = self.window.peek() {
                return Some(time);
            }
            if self.done || self.offset > budget {
                return None;
            }
            self.refill(issues);
        }
    }

    /// The packet of a record that just left the window.
    #[inline(always)]
    pub(crate) fn packet(&self, record: Record) -> Packet<'_> {
        let start = record.at as usize;
        let data = self
            .slots
            .get(usize::from(record.slot))
            .and_then(|slot| slot.bytes.get(start..start + record.captured as usize))
            .unwrap_or_default();
        let newest = match &self.decoder {
            Decoder::Pcap(reader) => reader.frame(),
            Decoder::Pcapng(reader) => reader.frame(),
        };
        Packet {
            time_ns: record.time,
            wire_len: record.wire,
            link: LinkType(record.link),
            interface: record.interface,
            file: self.file,
            frame: newest - u64::from((newest as u32).wrapping_sub(record.frame)),
            data,
        }
    }

    /// Lets go of the file and the buffers.
    pub(crate) fn close(&mut self) {
        self.done = true;
        self.source = Box::new(io::empty());
        self.slots = Vec::new();
        self.window = Window::default();
    }

    /// Indexes more of the file. Everything that could leave has left.
    fn refill(&mut self, issues: &mut Issues) {
        match self.stop {
            Stop::Barrier => self.window.resume(self.current as u16),
            _ if self.last => {
                self.done = true;
                self.window.release();
                return;
            }
            Stop::More(need) => self.fill(need, issues),
            Stop::Skip(bytes) => self.skip(bytes, issues),
        }
        let Some(slot) = self.slots.get(self.current) else {
            self.done = true;
            return;
        };
        let chunk = Chunk {
            bytes: slot.bytes.get(..slot.filled).unwrap_or_default(),
            start: self.at,
            base: slot.base,
            slot: self.current as u16,
            last: self.last,
        };
        let indexed = match &mut self.decoder {
            Decoder::Pcap(reader) => reader.index(chunk, &mut self.window, issues),
            Decoder::Pcapng(reader) => reader.index(chunk, &mut self.window, issues),
        };
        if let (true, Stop::Skip(_)) = (self.last, indexed.stop) {
            issues.add(self.file, chunk.offset(indexed.at), Reason::CutInRecord);
        }
        self.at = indexed.at;
        self.stop = indexed.stop;
        self.window.end(self.last || self.stop == Stop::Barrier);
    }

    /// Fills a free buffer: first with what is left of the current one, then with at least `need` bytes in all, if
    /// the file has them.
    fn fill(&mut self, need: usize, issues: &mut Issues) {
        let free = (0..self.slots.len())
            .find(|&slot| slot != self.current && !self.window.is_live(slot as u16))
            .unwrap_or(self.slots.len());
        if free == self.slots.len() {
            self.slots.push(Slot::default());
        }
        let mut slot = self.slots.get_mut(free).map(std::mem::take).unwrap_or_default();
        let old = self.slots.get(self.current);
        let tail = old.and_then(|old| old.bytes.get(self.at..old.filled)).unwrap_or_default();
        let size = self.slot_size.max(need.min(MAX_SLOT)).max(tail.len() + 1);
        if slot.bytes.len() < size {
            slot.bytes.resize(size, 0);
        }
        if let Some(front) = slot.bytes.get_mut(..tail.len()) {
            front.copy_from_slice(tail);
        }
        slot.filled = tail.len();
        slot.base = self.offset - tail.len() as u64;
        self.read_into(&mut slot, issues);
        if let Some(place) = self.slots.get_mut(free) {
            *place = slot;
        }
        self.current = free;
        self.at = 0;
        self.window.begin(free as u16);
    }

    fn read_into(&mut self, slot: &mut Slot, issues: &mut Issues) {
        while let Some(space) = slot.bytes.get_mut(slot.filled..).filter(|space| !space.is_empty()) {
            match self.source.read(space) {
                Ok(0) => {
                    self.last = true;
                    return;
                }
                Ok(read) => {
                    slot.filled += read;
                    self.offset += read as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    issues.add(self.file, Some(self.offset), failure(self.compression, &error));
                    self.last = true;
                    return;
                }
            }
        }
    }

    /// Passes over bytes that are of no use, and fills a buffer with what follows.
    fn skip(&mut self, bytes: u64, issues: &mut Issues) {
        let there = self.slots.get(self.current).map_or(0, |slot| slot.filled - self.at) as u64;
        let rest = bytes.saturating_sub(there);
        let begin = self.offset - there;
        match io::copy(&mut self.source.by_ref().take(rest), &mut io::sink()) {
            Ok(passed) => {
                self.offset += passed;
                self.last = passed < rest;
            }
            Err(error) => {
                issues.add(self.file, Some(self.offset), failure(self.compression, &error));
                self.last = true;
            }
        }
        if self.last {
            issues.add(self.file, Some(begin), Reason::CutInRecord);
        }
        if let Some(slot) = self.slots.get(self.current) {
            self.at = slot.filled;
        }
        self.fill(1, issues);
    }
}
