//! Differences between rows and truth, gathered so that a test tells all of them at once.

use std::fmt::Debug;

/// What a test has found so far.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    compared: usize,
    differences: Vec<String>,
}

impl Findings {
    /// Compares two values; `place` says which file, connection and column they stand for.
    #[expect(clippy::needless_pass_by_value, reason = "callers compare what they have just made")]
    pub(crate) fn equal<T: PartialEq<U> + Debug, U: Debug>(&mut self, place: &str, got: T, want: U) {
        self.compared += 1;
        if got != want {
            self.differences.push(format!("{place}: {got:?}, but the truth is {want:?}"));
        }
    }

    /// Notes what must hold.
    pub(crate) fn holds(&mut self, place: &str, holds: bool, otherwise: impl FnOnce() -> String) {
        self.compared += 1;
        if !holds {
            self.differences.push(format!("{place}: {}", otherwise()));
        }
    }

    /// Fails the test if anything differed, or if too little was compared for the test to mean anything.
    pub(crate) fn settle(self, at_least: usize) {
        assert!(
            self.differences.is_empty(),
            "{} of {} comparisons differ:\n  {}",
            self.differences.len(),
            self.compared,
            self.differences.join("\n  ")
        );
        assert!(self.compared >= at_least, "only {} comparisons; the truth has more", self.compared);
    }
}
