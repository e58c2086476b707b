//! Where a packet lies in the buffers, and how decoders hand packets over.

use crate::Reason;
use crate::issue::Issues;

/// One indexed packet: 32 bytes, so that a buffer full of small packets has a small index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    /// Nanoseconds since the epoch.
    pub(crate) time: i64,
    /// Start of the captured bytes within their slot.
    pub(crate) at: u32,
    /// Captured bytes.
    pub(crate) captured: u32,
    /// Bytes on the wire.
    pub(crate) wire: u32,
    /// Low half of the record's number in its file.
    pub(crate) frame: u32,
    /// Number of the interface in its file.
    pub(crate) interface: u32,
    /// LINKTYPE_ number.
    pub(crate) link: u16,
    /// Which buffer of the stream holds the bytes.
    pub(crate) slot: u16,
}

/// Whether record number `a` comes before `b`; only numbers of one window are compared, so wrapping is safe.
pub(crate) fn frame_before(a: u32, b: u32) -> bool {
    (a.wrapping_sub(b) as i32) < 0
}

/// A filled buffer with the part that is still to be indexed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chunk<'a> {
    /// Everything filled in.
    pub(crate) bytes: &'a [u8],
    /// Where indexing goes on.
    pub(crate) start: usize,
    /// Offset of `bytes[0]` in the uncompressed file.
    pub(crate) base: u64,
    /// The buffer's number.
    pub(crate) slot: u16,
    /// Whether the file ends with these bytes.
    pub(crate) last: bool,
}

impl Chunk<'_> {
    /// What the search for the next record behind damage came to: its place, or why it cannot be told yet. `searching`
    /// is the file offset where the damage began; it is cleared, and the damage recorded, once the search is over.
    pub(crate) fn settle(
        &self,
        found: Result<usize, (usize, usize)>,
        searching: &mut Option<u64>,
        file: u32,
        issues: &mut Issues,
    ) -> Result<usize, Indexed> {
        let begin = searching.unwrap_or(self.base);
        let length = |to: usize| (self.base + to as u64).saturating_sub(begin);
        match found {
            Ok(at) => {
                issues.add(file, Some(begin), Reason::Damaged { skipped: length(at) });
                *searching = None;
                Ok(at)
            }
            Err((at, need)) if !self.last => Err(Indexed { at, stop: Stop::More(need) }),
            Err(_) => {
                issues.add(file, Some(begin), Reason::Lost { dropped: length(self.bytes.len()) });
                *searching = None;
                Err(Indexed { at: self.bytes.len(), stop: Stop::More(0) })
            }
        }
    }

    /// Offset in the uncompressed file of a place in this chunk.
    pub(crate) fn offset(&self, at: usize) -> Option<u64> {
        Some(self.base + at as u64)
    }
}

/// How far indexing came, and why it stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Indexed {
    /// Everything before this place is done.
    pub(crate) at: usize,
    pub(crate) stop: Stop,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The next item needs this many bytes from `at` on.
    More(usize),
    /// This many bytes from `at` on are of no use, most of them not yet read.
    Skip(u64),
    /// The next record is so much earlier that everything before it has to leave first.
    Barrier,
}

/// The four bytes at `at` as a number; 0 beyond the end (callers have checked the length).
#[inline(always)]
pub(crate) fn u32_at<const BIG: bool>(bytes: &[u8], at: usize) -> u32 {
    match bytes.get(at..).and_then(|rest| rest.first_chunk::<4>()) {
        Some(word) if BIG => u32::from_be_bytes(*word),
        Some(word) => u32::from_le_bytes(*word),
        None => 0,
    }
}

/// The two bytes at `at` as a number; 0 beyond the end.
#[inline(always)]
pub(crate) fn u16_at<const BIG: bool>(bytes: &[u8], at: usize) -> u16 {
    match bytes.get(at..).and_then(|rest| rest.first_chunk::<2>()) {
        Some(word) if BIG => u16::from_be_bytes(*word),
        Some(word) => u16::from_le_bytes(*word),
        None => 0,
    }
}
