//! What is kept of the targets of a run for a report at its end.

use super::totals::Totals;
use subflow_probe::rows::Category;
use subflow_probe::trace::Concluded;

/// Targets whose paths are kept, and shown one by one; the totals are over all.
pub const MOST_KEPT: usize = 2000;

/// Targets as they come, and what they come to together. Where there are more than [`MOST_KEPT`], affected ones are kept before others.
#[derive(Clone, Debug, Default)]
pub struct Collected {
    /// What all come to.
    pub totals: Totals,
    kept: Vec<Kept>,
    /// Places in `kept` of targets that make room for affected ones.
    others: Vec<usize>,
}

/// A target with all its rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept {
    /// The rows.
    pub rows: Concluded,
    /// What was known of it before, say the verdict of a scan; empty for nothing.
    pub before: String,
}

impl Collected {
    /// Takes a target; `before` says what was known of it, as the verdict of a scan does, and is empty otherwise.
    pub fn add(&mut self, rows: Concluded, before: &str) {
        self.totals.add(&rows.target, before);
        let affected = rows.target.category == Category::MiddleboxAffected;
        let kept = Kept { rows, before: before.to_owned() };
        if self.kept.len() < MOST_KEPT {
            if !affected {
                self.others.push(self.kept.len());
            }
            self.kept.push(kept);
        } else if affected
            && let Some(place) = self.others.pop()
            && let Some(other) = self.kept.get_mut(place)
        {
            *other = kept;
        }
    }

    /// The targets that are kept, in the order in which they came, but for affected ones that took the places of others.
    pub fn kept(&self) -> &[Kept] {
        &self.kept
    }

    /// Targets that are not.
    pub fn left_out(&self) -> u64 {
        self.totals.targets.saturating_sub(self.kept.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{stripped, traced};
    use super::*;
    use subflow_probe::rows::Behaviour;

    #[test]
    fn affected_targets_are_kept_before_others() {
        let clean = Concluded {
            target: traced(Category::True, Some(Behaviour::PassThrough)),
            hops: Vec::new(),
            modifications: Vec::new(),
        };
        let mut collected = Collected::default();
        (0..MOST_KEPT + 10).for_each(|_| collected.add(clean.clone(), ""));
        (0..5).for_each(|_| collected.add(stripped(), "plain_tcp"));
        let affected = collected.kept().iter().filter(|kept| kept.before == "plain_tcp").count();
        assert_eq!((collected.kept().len(), affected, collected.left_out()), (MOST_KEPT, 5, 15));
        assert_eq!(collected.totals.targets, MOST_KEPT as u64 + 15);
        (0..2 * MOST_KEPT).for_each(|_| collected.add(stripped(), "plain_tcp"));
        assert!(collected.kept().iter().all(|kept| kept.before == "plain_tcp"));
    }
}
