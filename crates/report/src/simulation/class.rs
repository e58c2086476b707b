//! Classes of flows by size.

use crate::text::bytes;
use subflow_sim::rows::Flow;

/// Upper ends of the classes, bytes.
const ENDS: [u64; 4] = [10_000, 100_000, 1_000_000, 10_000_000];

/// Flows with sizes above one limit and up to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Class {
    /// Flows are larger than this.
    above: u64,
    /// And at most this large; `None` where there is no limit.
    to: Option<u64>,
}

impl Class {
    /// Flows of any size.
    pub(super) const ALL: Self = Self { above: 0, to: None };
    /// Short flows: to 100 kB.
    pub(super) const SHORT: Self = Self { above: 0, to: Some(100_000) };

    /// The classes, from the smallest.
    pub(super) fn each() -> impl Iterator<Item = Self> {
        let above = std::iter::once(0).chain(ENDS);
        above.zip(ENDS.into_iter().map(Some).chain([None])).map(|(above, to)| Self { above, to })
    }

    /// Whether a flow of a known size is in it.
    pub(super) fn holds(self, flow: &Flow) -> bool {
        flow.size
            .is_some_and(|size| (size > self.above || self.above == 0) && self.to.is_none_or(|to| size <= to))
    }

    /// Its name: `to 10 kB`, `10 kB to 100 kB`, `over 10 MB`, `all sizes`.
    pub(super) fn name(self) -> String {
        match (self.above, self.to) {
            (0, None) => "all sizes".to_owned(),
            (0, Some(to)) => format!("to {}", bytes(to)),
            (above, None) => format!("over {}", bytes(above)),
            (above, Some(to)) => format!("{} to {}", bytes(above), bytes(to)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tables::flow;
    use super::*;

    #[test]
    fn every_size_is_in_one_class() {
        let names: Vec<_> = Class::each().map(Class::name).collect();
        assert_eq!(names, ["to 10 kB", "10 kB to 100 kB", "100 kB to 1 MB", "1 MB to 10 MB", "over 10 MB"]);
        for (size, class) in [(0, 0), (1, 0), (10_000, 0), (10_001, 1), (1_000_000, 2), (10_000_001, 4)] {
            let flow = Flow { size: Some(size), ..flow(0, 0, 1.0) };
            let held: Vec<_> = Class::each().map(|class| class.holds(&flow)).collect();
            assert_eq!(held.iter().filter(|held| **held).count(), 1);
            assert!(held[class], "{size}");
            assert!(Class::ALL.holds(&flow));
        }
        assert!(!Class::ALL.holds(&Flow { size: None, ..flow(0, 0, 1.0) }));
    }
}
