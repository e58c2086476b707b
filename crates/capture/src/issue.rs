//! What could not be read, and where: damage is counted, never fatal.

use std::fmt;

/// Something that could not be read as it stands. Equal reasons of one file are one issue with a count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    /// Index into [`Input::files`](crate::Input::files).
    pub file: u32,
    /// Where it was first met: bytes from the start of the uncompressed file; `None` where no place can be named.
    pub offset: Option<u64>,
    /// What it was.
    pub reason: Reason,
    /// How often it was met.
    pub count: u64,
}

impl fmt::Display for Issue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.reason)?;
        if let Some(offset) = self.offset {
            write!(f, " at byte {offset}")?;
        }
        if self.count > 1 {
            write!(f, " ({} times)", self.count)?;
        }
        Ok(())
    }
}

/// Why a piece of an input is missing or was changed on the way in. Figures are those of the first case, sizes are
/// in bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// The file cannot be opened, or reading it failed half-way.
    #[error("cannot be read: {0}")]
    Unreadable(String),
    /// A folder or pattern among the inputs names no capture.
    #[error("no capture found here")]
    NoCapture,
    /// The first bytes are those of no known capture format; the text says what they look like.
    #[error("not a capture: {0}")]
    NotACapture(String),
    /// The file has no bytes at all.
    #[error("the file is empty")]
    Empty,
    /// Too few bytes for the header that every capture starts with.
    #[error("file ends inside the file header")]
    CutInFileHeader,
    /// The last record or block is not complete; everything before it was read.
    #[error("file ends inside a packet record")]
    CutInRecord,
    /// The compressed data ends before its end mark; everything before was read.
    #[error("compressed data ends early")]
    CompressedCut,
    /// The decompressor gave up; everything before was read.
    #[error("compressed data is damaged: {0}")]
    CompressedDamaged(String),
    /// Bytes that are no records; reading went on behind them.
    #[error("{skipped} bytes of damaged records were skipped")]
    Damaged {
        /// Sum over all cases.
        skipped: u64,
    },
    /// Bytes that are no records, and nothing readable behind them.
    #[error("the last {dropped} bytes hold no readable record")]
    Lost {
        /// Bytes up to the end of the file.
        dropped: u64,
    },
    /// A packet larger than [`MAX_CAPTURED`](crate::MAX_CAPTURED) was skipped.
    #[error("a packet of {len} bytes is too large and was skipped")]
    TooLarge {
        /// Captured length that the record claims.
        len: u64,
    },
    /// The captured length is above the original length; the original length was raised.
    #[error("captured length is larger than the original length")]
    CapturedAboveOriginal,
    /// The clock of the capture was set back by more than can be sorted: packets are passed on as they stand.
    #[error("clock steps back by {:.3} s", *back_ns as f64 / 1e9)]
    ClockStepsBack {
        /// Size of the first step in nanoseconds.
        back_ns: i64,
    },
    /// A packet is later than the sorting window is long: it was passed on out of order.
    #[error("a packet stands too late in the file to be put in time order")]
    OutOfOrder,
    /// A pcapng block whose length is impossible or not repeated at its end.
    #[error("pcapng block of type {kind:#010x} has the impossible length {len}")]
    BadBlockLength {
        /// Block type.
        kind: u32,
        /// Total length that it claims.
        len: u32,
    },
    /// A pcapng block too short for the fields of its type, or a section header without byte-order mark.
    #[error("pcapng block of type {kind:#010x} is malformed")]
    BadBlock {
        /// Block type.
        kind: u32,
    },
    /// A packet names an interface that its section does not describe; it was skipped.
    #[error("packet of interface {interface}, which the file does not describe, was skipped")]
    UnknownInterface {
        /// Number of the interface within its section.
        interface: u32,
    },
    /// More interfaces in a section than are kept; packets of the others are skipped.
    #[error("more than {limit} interfaces in one section")]
    TooManyInterfaces {
        /// How many are kept.
        limit: u32,
    },
    /// Simple packet blocks carry no time; they were given that of the packet before.
    #[error("packet without a time")]
    NoTime,
    /// Packets came faster than they were read: the kernel dropped them.
    #[error("packets were dropped by the kernel because they came faster than they were analysed")]
    DroppedByKernel,
    /// The interface was down for a while, or went away.
    #[error("the interface went down")]
    InterfaceDown,
    /// The system handed packets over too late to be put in order; they were given the time of the packet before.
    #[error("packets that the system handed over late were given the time of the packet before")]
    HandedOverLate,
    /// The clock was set back during a live capture; times go on by the old clock.
    #[error("the clock was set back by {:.3} s; times go on by the old clock", *back_ns as f64 / 1e9)]
    ClockSetBack {
        /// Nanoseconds.
        back_ns: i64,
    },
}

impl Reason {
    /// Whether bytes of the input are missing from what was delivered (a `--strict` reader objects), as opposed to
    /// oddities that lose nothing: a clock set back, disorder, lengths that were put right, packets without a time.
    pub fn loses_data(&self) -> bool {
        !matches!(
            self,
            Reason::CapturedAboveOriginal
                | Reason::ClockStepsBack { .. }
                | Reason::OutOfOrder
                | Reason::NoTime
                | Reason::InterfaceDown
                | Reason::HandedOverLate
                | Reason::ClockSetBack { .. }
        )
    }

    fn same_kind(&self, other: &Reason) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

/// The issues of all files. At most one entry per file and kind of reason, so that damage cannot fill the memory.
#[derive(Debug, Default)]
pub(crate) struct Issues {
    list: Vec<Issue>,
}

impl Issues {
    /// Counts one more case.
    pub(crate) fn add(&mut self, file: u32, offset: Option<u64>, reason: Reason) {
        let known =
            self.list.iter_mut().rev().find(|known| known.file == file && known.reason.same_kind(&reason));
        let Some(known) = known else {
            self.list.push(Issue { file, offset, reason, count: 1 });
            return;
        };
        known.count += 1;
        if let (Reason::Damaged { skipped: sum }, Reason::Damaged { skipped: more }) =
            (&mut known.reason, &reason)
        {
            *sum = sum.saturating_add(*more);
        }
    }

    pub(crate) fn as_slice(&self) -> &[Issue] {
        &self.list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_reasons_of_a_file_are_counted_together() {
        let mut issues = Issues::default();
        issues.add(0, Some(24), Reason::Damaged { skipped: 5 });
        issues.add(0, Some(90), Reason::Damaged { skipped: 7 });
        issues.add(1, Some(24), Reason::Damaged { skipped: 1 });
        issues.add(0, None, Reason::NoTime);
        assert_eq!(issues.as_slice().len(), 3);
        assert_eq!(
            issues.as_slice()[0].to_string(),
            "12 bytes of damaged records were skipped at byte 24 (2 times)"
        );
        assert!(issues.as_slice()[0].reason.loses_data());
        assert!(!Reason::NoTime.loses_data());
    }
}
