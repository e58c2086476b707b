//! Finding the next record behind damage.
//!
//! A record header has no mark, but four fields that fit together: a time near the last good one, a fraction below a
//! second, a captured length not above the original one. A place counts as a record when the headers that follow
//! from it fit as well.

use super::Header;
use crate::MAX_CAPTURED;
use crate::record::u32_at;

/// Headers in a row that make a record certain.
const CHAIN: usize = 3;

/// How far apart the times of neighbours may be, in seconds.
const NEAR: u32 = 86_400;

/// The four fields of a record header.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields {
    pub(super) seconds: u32,
    pub(super) fraction: u32,
    pub(super) captured: u32,
    pub(super) original: u32,
}

impl Fields {
    #[inline(always)]
    pub(super) fn read<const BIG: bool>(header: &[u8; 16]) -> Self {
        Self {
            seconds: u32_at::<BIG>(header, 0),
            fraction: u32_at::<BIG>(header, 4),
            captured: u32_at::<BIG>(header, 8),
            original: u32_at::<BIG>(header, 12),
        }
    }

    pub(super) fn at<const BIG: bool>(bytes: &[u8], at: usize) -> Option<Self> {
        bytes.get(at..)?.first_chunk::<16>().map(Self::read::<BIG>)
    }

    /// Whether these can be the fields of a record next to one of time `seconds`.
    pub(super) fn follows(&self, seconds: u32) -> bool {
        self.captured <= MAX_CAPTURED && self.seconds.abs_diff(seconds) <= NEAR
    }

    fn begins(&self, file: &Header, seconds: Option<u32>) -> bool {
        let near = seconds.is_none_or(|seconds| self.seconds.abs_diff(seconds) <= NEAR);
        near && self.captured > 0
            && self.captured <= self.original.min(MAX_CAPTURED)
            && u64::from(self.fraction) * u64::from(file.unit) < 1_000_000_000
    }
}

/// Whether there is a record at some place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Yes,
    No,
    /// It takes this many bytes from the place on to tell.
    Unclear(usize),
}

/// Whether a chain of records begins at `at`, after a record of time `seconds`.
pub(super) fn chain_at<const BIG: bool>(
    file: &Header,
    bytes: &[u8],
    last: bool,
    at: usize,
    seconds: Option<u32>,
) -> Verdict {
    let Some(mut fields) = Fields::at::<BIG>(bytes, at) else {
        return if last { Verdict::No } else { Verdict::Unclear(file.record_header) };
    };
    if !fields.begins(file, seconds) {
        return Verdict::No;
    }
    let mut place = at;
    for seen in 1..CHAIN {
        place += file.record_header + fields.captured as usize;
        let Some(next) = Fields::at::<BIG>(bytes, place) else {
            return match (last, seen) {
                (true, _) if place == bytes.len() => Verdict::Yes,
                (true, 1) => Verdict::No,
                (false, 1) => Verdict::Unclear(place + file.record_header - at),
                _ => Verdict::Yes,
            };
        };
        if !next.follows(fields.seconds) {
            return Verdict::No;
        }
        fields = next;
    }
    Verdict::Yes
}

/// Looks for a record from `from` on. `Ok` is its place; `Err` where the search goes on and with how many bytes.
pub(super) fn search<const BIG: bool>(
    file: &Header,
    bytes: &[u8],
    last: bool,
    from: usize,
    seconds: Option<u32>,
) -> Result<usize, (usize, usize)> {
    let mut at = from;
    loop {
        if at + file.record_header > bytes.len() {
            return Err((at.min(bytes.len()), file.record_header));
        }
        match chain_at::<BIG>(file, bytes, last, at, seconds) {
            Verdict::Yes => return Ok(at),
            Verdict::No => at += 1,
            Verdict::Unclear(need) => return Err((at, need)),
        }
    }
}
