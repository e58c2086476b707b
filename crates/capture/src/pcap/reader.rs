//! Indexing the records of a buffer. One pass over the record headers; packets are not touched.

use super::search::{Fields, search};
use super::{HEADER_LEN, Header};
use crate::MAX_CAPTURED;
use crate::issue::{Issues, Reason};
use crate::record::{Chunk, Indexed, Record, Stop};
use crate::window::{Pushed, StepBack, Window};

/// A record up to this length that otherwise fits is a large packet, not damage.
const MAX_SKIPPED: u32 = 16 << 20;

/// Decoder state of one pcap file.
pub(crate) struct Reader {
    header: Header,
    file: u32,
    frame: u64,
    /// Seconds of the last good record.
    seconds: Option<u32>,
    /// File offset where damage began while the next record is sought.
    searching: Option<u64>,
}

/// What to do with a record whose lengths do not fit.
enum Odd {
    Accept,
    Skip,
    More(usize),
    Search,
}

impl Reader {
    pub(crate) fn new(header: Header, file: u32) -> Self {
        Self { header, file, frame: 0, seconds: None, searching: None }
    }

    /// Records so far.
    pub(crate) fn frame(&self) -> u64 {
        self.frame
    }

    /// Offset of the first record in the file.
    pub(crate) fn start() -> u64 {
        HEADER_LEN as u64
    }

    /// Indexes what is there.
    pub(crate) fn index(&mut self, chunk: Chunk<'_>, window: &mut Window, issues: &mut Issues) -> Indexed {
        if self.header.big_endian {
            self.index_as::<true>(chunk, window, issues)
        } else {
            self.index_as::<false>(chunk, window, issues)
        }
    }

    fn index_as<const BIG: bool>(
        &mut self,
        chunk: Chunk<'_>,
        window: &mut Window,
        issues: &mut Issues,
    ) -> Indexed {
        let Header { unit, record_header, link, fcs, .. } = self.header;
        let bytes = chunk.bytes;
        let mut at = chunk.start;
        if self.searching.is_some() {
            match self.search::<BIG>(chunk, at, issues) {
                Ok(found) => at = found,
                Err(stop) => return stop,
            }
        }
        loop {
            let Some(fields) = Fields::at::<BIG>(bytes, at) else {
                return self.end(chunk, at, record_header, issues);
            };
            if fields.captured > fields.original.min(MAX_CAPTURED) {
                match self.odd::<BIG>(chunk, at, fields) {
                    Odd::Accept => {}
                    Odd::Skip => {
                        let len = u64::from(fields.captured);
                        issues.add(self.file, chunk.offset(at), Reason::TooLarge { len });
                        self.frame += 1;
                        let next = at + record_header + fields.captured as usize;
                        if next <= bytes.len() {
                            at = next;
                            continue;
                        }
                        return Indexed { at, stop: Stop::Skip(record_header as u64 + len) };
                    }
                    Odd::More(need) => return Indexed { at, stop: Stop::More(need) },
                    Odd::Search => {
                        self.searching = chunk.offset(at);
                        match self.search::<BIG>(chunk, at + 1, issues) {
                            Ok(found) => at = found,
                            Err(stop) => return stop,
                        }
                        continue;
                    }
                }
            }
            let data = at + record_header;
            let next = data + fields.captured as usize;
            if next > bytes.len() {
                if chunk.last && self.seconds.is_some_and(|seconds| !fields.follows(seconds)) {
                    // More likely noise than a record that was cut.
                    self.searching = chunk.offset(at);
                    match self.search::<BIG>(chunk, at + 1, issues) {
                        Ok(found) => at = found,
                        Err(stop) => return stop,
                    }
                    continue;
                }
                return self.end(chunk, at, next - at, issues);
            }
            let wire = fields.original.max(fields.captured).saturating_sub(fcs);
            let record = Record {
                time: i64::from(fields.seconds) * 1_000_000_000
                    + i64::from(fields.fraction) * i64::from(unit),
                at: data as u32,
                captured: fields.captured.min(wire),
                wire,
                frame: (self.frame + 1) as u32,
                interface: 0,
                link,
                slot: chunk.slot,
            };
            match window.push(record) {
                Ok(Pushed::Sorted) => {}
                Ok(Pushed::TooLate) => issues.add(self.file, chunk.offset(at), Reason::OutOfOrder),
                Err(StepBack(back_ns)) => {
                    issues.add(self.file, chunk.offset(at), Reason::ClockStepsBack { back_ns });
                    return Indexed { at, stop: Stop::Barrier };
                }
            }
            if fields.captured > fields.original {
                issues.add(self.file, chunk.offset(at), Reason::CapturedAboveOriginal);
            }
            self.frame += 1;
            self.seconds = Some(fields.seconds);
            at = next;
        }
    }

    /// The bytes from `at` on are no complete record.
    #[cold]
    fn end(&mut self, chunk: Chunk<'_>, at: usize, need: usize, issues: &mut Issues) -> Indexed {
        if !chunk.last {
            return Indexed { at, stop: Stop::More(need) };
        }
        if at < chunk.bytes.len() {
            issues.add(self.file, chunk.offset(at), Reason::CutInRecord);
        }
        Indexed { at: chunk.bytes.len(), stop: Stop::More(0) }
    }

    /// The captured length is above the original one or above what is delivered.
    #[cold]
    fn odd<const BIG: bool>(&self, chunk: Chunk<'_>, at: usize, fields: Fields) -> Odd {
        let near = self.seconds.is_none_or(|seconds| fields.seconds.abs_diff(seconds) <= 86_400);
        if fields.captured > MAX_CAPTURED {
            let large = near && fields.captured <= fields.original.min(MAX_SKIPPED);
            return if large { Odd::Skip } else { Odd::Search };
        }
        // Such records exist; this is one when the next one stands where it says.
        let next = at + self.header.record_header + fields.captured as usize;
        match Fields::at::<BIG>(chunk.bytes, next) {
            Some(following) if following.follows(fields.seconds) => Odd::Accept,
            Some(_) => Odd::Search,
            None if !chunk.last => Odd::More(next + self.header.record_header - at),
            // The last one, which may be cut.
            None if near => Odd::Accept,
            None => Odd::Search,
        }
    }

    /// Looks for a record from `from` on and says what was lost.
    #[cold]
    fn search<const BIG: bool>(
        &mut self,
        chunk: Chunk<'_>,
        from: usize,
        issues: &mut Issues,
    ) -> Result<usize, Indexed> {
        let found = search::<BIG>(&self.header, chunk.bytes, chunk.last, from, self.seconds);
        chunk.settle(found, &mut self.searching, self.file, issues)
    }
}
