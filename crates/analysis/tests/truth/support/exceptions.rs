//! Captures that cannot show what the truth says: each place with its reason and with what is seen there instead.

use super::findings::Findings;
use std::{collections::BTreeSet, fmt::Debug};

/// Places (`scenario/file`, column) where a capture shows another value than the truth, for one reason.
pub(crate) struct Exception<Why> {
    /// Why.
    pub(crate) why: Why,
    /// Scenario and file, column, and the value there (as `{:?}` writes it).
    pub(crate) places: &'static [(&'static str, &'static str, &'static str)],
}

/// Compares with the truth, exceptions considered.
pub(crate) struct Judge<Why: 'static> {
    /// Differences without an exception.
    pub(crate) findings: Findings,
    table: &'static [Exception<Why>],
    used: BTreeSet<(&'static str, &'static str)>,
}

impl<Why: Debug> Judge<Why> {
    /// A judge that knows these exceptions.
    pub(crate) fn new(table: &'static [Exception<Why>]) -> Self {
        Self { findings: Findings::default(), table, used: BTreeSet::new() }
    }

    /// Compares a column with the truth. With an exception for it, it must have the exception's value, and that
    /// must not be the truth.
    pub(crate) fn equal<T: PartialEq + Debug>(&mut self, capture: &str, column: &str, got: T, want: T) {
        let place = format!("{capture}: {column}");
        let mut known = self.table.iter().flat_map(|exception| {
            exception
                .places
                .iter()
                .map(move |&(capture, column, here)| (&exception.why, capture, column, here))
        });
        let Some((why, capture, column, here)) = known.find(|known| known.1 == capture && known.2 == column)
        else {
            self.findings.equal(&place, got, want);
            return;
        };
        self.used.insert((capture, column));
        if got == want {
            self.findings.holds(&place, false, || format!("is the truth; the exception ({why:?}) can go"));
        } else {
            let got = format!("{got:?}");
            self.findings.holds(&place, got == here, || {
                format!("{got}, but {here} is seen here ({why:?}); the truth is {want:?}")
            });
        }
    }

    /// Fails the test on differences, on exceptions for places that were not compared, and on too few comparisons.
    pub(crate) fn settle(mut self, at_least: usize) {
        for exception in self.table {
            for &(capture, column, _) in exception.places {
                let place = format!("{capture}: {column}");
                let used = self.used.contains(&(capture, column));
                self.findings.holds(&place, used, || {
                    format!("the exception ({:?}) is for something that is not compared", exception.why)
                });
            }
        }
        self.findings.settle(at_least);
    }
}
