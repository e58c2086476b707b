//! How large connections are, how long they last, and how they spread their data over subflows.

use super::Distribution;
use crate::rows::{Connection, Direction};
use std::collections::BTreeMap;
use subflow_rows::names;

/// Shorter connections have no switching rate worth the name, in seconds.
const SHORTEST: f64 = 0.1;

names! {
    /// Size classes of one direction of a connection, by unique data-level bytes.
    pub enum SizeClass {
        /// At least one byte, below 10 kB.
        Under10k => "< 10 kB",
        /// From 10 kB to below 100 kB.
        Under100k => "10 kB to 100 kB",
        /// From 100 kB to below 1 MB.
        Under1M => "100 kB to 1 MB",
        /// 1 MB and more.
        From1M => "≥ 1 MB",
    }
}

impl SizeClass {
    /// The class of so many bytes; none has none.
    pub const fn of(bytes: u64) -> Option<Self> {
        match bytes {
            0 => None,
            1..10_000 => Some(Self::Under10k),
            10_000..100_000 => Some(Self::Under100k),
            100_000..1_000_000 => Some(Self::Under1M),
            _ => Some(Self::From1M),
        }
    }
}

/// Sizes, durations, blocks and switching rates of established connections.
#[derive(Clone, Debug, Default)]
pub struct Sizes {
    /// Unique data-level bytes of a connection, both directions.
    pub bytes: Distribution,
    /// The same by direction, `c2s` and `s2c`; connections without data in it are left out.
    pub bytes_by_direction: [Distribution; 2],
    /// Durations, seconds.
    pub duration: Distribution,
    /// Blocks of each direction of connections with two or more established subflows, by the size of the direction.
    pub blocks: BTreeMap<SizeClass, Distribution>,
    /// Switching rates (1/s) of these, where the connection lasted longer than 0.1 s.
    pub switching: BTreeMap<SizeClass, Distribution>,
}

impl Sizes {
    pub(super) fn add(&mut self, row: &Connection) {
        self.bytes.add((row.bytes_c2s + row.bytes_s2c) as f64);
        self.duration.add(row.duration);
        for (direction, bytes, blocks, rate) in [
            (Direction::C2s, row.bytes_c2s, row.blocks_c2s, row.switching_rate_c2s),
            (Direction::S2c, row.bytes_s2c, row.blocks_s2c, row.switching_rate_s2c),
        ] {
            let Some(class) = SizeClass::of(bytes) else { continue };
            self.bytes_by_direction[direction.index()].add(bytes as f64);
            if row.subflows_established < 2 {
                continue;
            }
            self.blocks.entry(class).or_default().add(blocks as f64);
            if let Some(rate) = rate.filter(|_| row.duration > SHORTEST) {
                self.switching.entry(class).or_default().add(rate);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::SizeClass;

    #[test]
    fn classes_begin_at_their_lower_border() {
        for (bytes, class) in [
            (0, None),
            (1, Some(SizeClass::Under10k)),
            (9_999, Some(SizeClass::Under10k)),
            (10_000, Some(SizeClass::Under100k)),
            (100_000, Some(SizeClass::Under1M)),
            (999_999, Some(SizeClass::Under1M)),
            (1_000_000, Some(SizeClass::From1M)),
        ] {
            assert_eq!(SizeClass::of(bytes), class, "{bytes}");
        }
    }
}
