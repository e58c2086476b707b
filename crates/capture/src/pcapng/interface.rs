//! What an interface description says about the packets that name it.

use super::block::options;
use crate::record::{u16_at, u32_at};

const IF_TSRESOL: u16 = 9;
const IF_FCSLEN: u16 = 13;
const IF_TSOFFSET: u16 = 14;

/// From ticks to nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resolution {
    /// Nanoseconds per tick.
    Times(u64),
    /// Ticks per nanosecond; 0 stands for more than 64 bits can count.
    Per(u64),
    /// A tick is 2 to the minus this many seconds.
    Binary(u8),
}

impl Resolution {
    /// From the byte of the if_tsresol option.
    pub(super) fn from_option(byte: u8) -> Self {
        let exponent = byte & 0x7f;
        if byte & 0x80 != 0 {
            return Resolution::Binary(exponent);
        }
        match exponent {
            0..=9 => Resolution::Times(10_u64.pow(u32::from(9 - exponent))),
            // Beyond 10^-28 every 64-bit count of ticks is below a nanosecond.
            _ => Resolution::Per(10_u64.checked_pow(u32::from(exponent - 9)).unwrap_or(0)),
        }
    }

    #[inline(always)]
    fn nanoseconds(self, ticks: u64) -> i64 {
        match self {
            Resolution::Times(factor) => ticks.saturating_mul(factor).min(i64::MAX as u64) as i64,
            Resolution::Per(divisor) => {
                ticks.checked_div(divisor).map_or(0, |time| time.min(i64::MAX as u64) as i64)
            }
            Resolution::Binary(exponent) => {
                ((u128::from(ticks) * 1_000_000_000) >> exponent).min(i64::MAX as u128) as i64
            }
        }
    }
}

/// One interface of a section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Description {
    /// LINKTYPE_ number.
    pub(super) link: u16,
    pub(super) snaplen: u32,
    pub(super) resolution: Resolution,
    /// Nanoseconds to add to every time.
    pub(super) offset: i64,
    /// Bytes of frame check sequence at the end of each frame on the wire.
    pub(super) fcs: u32,
}

impl Description {
    /// Reads an interface description block; `None` when it is too short.
    pub(super) fn parse<const BIG: bool>(block: &[u8]) -> Option<Self> {
        let end = block.len().checked_sub(4)?;
        let body = block.get(16..end)?;
        let mut description = Self {
            link: u16_at::<BIG>(block, 8),
            snaplen: u32_at::<BIG>(block, 12),
            resolution: Resolution::Times(1000),
            offset: 0,
            fcs: 0,
        };
        for (code, value) in options::<BIG>(body) {
            match (code, value) {
                (IF_TSRESOL, [byte]) => description.resolution = Resolution::from_option(*byte),
                (IF_FCSLEN, [byte]) => description.fcs = u32::from(*byte),
                (IF_TSOFFSET, [_, _, _, _, _, _, _, _]) => {
                    let (high, low) = if BIG { (0, 4) } else { (4, 0) };
                    let bits =
                        u64::from(u32_at::<BIG>(value, high)) << 32 | u64::from(u32_at::<BIG>(value, low));
                    description.offset = (bits as i64).saturating_mul(1_000_000_000);
                }
                _ => {}
            }
        }
        Some(description)
    }

    /// The time of a packet in nanoseconds since the epoch.
    #[inline(always)]
    pub(super) fn time(&self, ticks: u64) -> i64 {
        self.resolution.nanoseconds(ticks).saturating_add(self.offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolutions_are_powers_of_ten_and_of_two() {
        let time = |byte, ticks| Resolution::from_option(byte).nanoseconds(ticks);
        assert_eq!(time(6, 1_500_000), 1_500_000_000);
        assert_eq!(time(9, 1_500_000_000), 1_500_000_000);
        assert_eq!(time(3, 1500), 1_500_000_000);
        assert_eq!(time(0, 2), 2_000_000_000);
        assert_eq!(time(12, 1_500_000_000_000), 1_500_000_000);
        assert_eq!(time(127, u64::MAX), 0);
        assert_eq!(time(0x80 | 10, 1536), 1_500_000_000);
        assert_eq!(time(0x80, 3), 3_000_000_000);
        assert_eq!(time(0xff, u64::MAX), 0);
        assert_eq!(time(0, u64::MAX), i64::MAX, "saturates");
    }
}
