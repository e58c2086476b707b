//! Whether two packets are one, seen on both sides of a NAT.

use crate::{flow::End, segment::Segment};

/// Both sides of a NAT see the same packet within this time, in nanoseconds.
const NAT_DELAY: i64 = 1_000_000_000;

/// What a NAT changes in a packet, and what it leaves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sight {
    ends: (End, End),
    time: i64,
    seq: u32,
    hop_limit: u8,
}

impl Sight {
    /// A segment between these ends.
    pub(crate) fn of(ends: (End, End), segment: &Segment<'_>) -> Self {
        Self { ends, time: segment.time, seq: segment.seq, hop_limit: segment.hop_limit }
    }

    /// When.
    pub(crate) const fn time(&self) -> i64 {
        self.time
    }

    /// Whether the two are one packet on both sides of a NAT: forwarded, so of another hop limit, and with another
    /// address at one end. A scan with one key for all, or a flood with one nonce, is many packets.
    pub(crate) fn is_beyond_nat(&self, other: &Self) -> bool {
        let changed = [self.ends.0.0 != other.ends.0.0, self.ends.1.0 != other.ends.1.0];
        self.seq == other.seq
            && self.hop_limit != other.hop_limit
            && changed[0] != changed[1]
            && (self.time - other.time).abs() < NAT_DELAY
    }
}
