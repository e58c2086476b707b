//! What the work shows to the screen: one thread puts it up, the other takes it down.

use crate::commands::ends::Ends;
use std::sync::Mutex;
use std::time::Duration;
use subflow_probe::network::Driven;
use subflow_probe::targets::Target;
use subflow_probe::trace::Concluded;

/// Targets at work that are listed.
pub(super) const MOST_ACTIVE: usize = 500;
/// Finished targets that wait to be shown; of more the oldest are only counted.
pub(super) const MOST_FRESH: usize = 2000;

/// How things stand.
#[derive(Debug, Default)]
pub(super) struct Board {
    /// Since the beginning.
    pub(super) elapsed: Duration,
    /// Counts.
    pub(super) driven: Driven,
    /// Targets by category, in the order of the categories.
    pub(super) categories: [u64; 4],
    /// Targets that were finished since the last look.
    pub(super) fresh: Vec<Concluded>,
    /// Targets at work.
    pub(super) active: Vec<Target>,
    /// What is known so far of the chosen one, if it is at work.
    pub(super) chosen: Option<Concluded>,
}

/// What the two threads share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    board: Mutex<Option<Board>>,
    chosen: Mutex<Option<Target>>,
    pub(super) ends: Ends,
}

impl Shared {
    /// Puts a board up; what nobody has seen of the one before stays on it.
    pub(super) fn put(&self, mut board: Board) {
        if let Ok(mut place) = self.board.lock() {
            if let Some(before) = place.take() {
                let newer = std::mem::replace(&mut board.fresh, before.fresh);
                board.fresh.extend(newer);
                let old = board.fresh.len().saturating_sub(MOST_FRESH);
                board.fresh.drain(..old);
            }
            *place = Some(board);
        }
    }

    /// Takes the board, if there is a new one.
    pub(super) fn take(&self) -> Option<Board> {
        self.board.lock().ok()?.take()
    }

    /// Says which target is looked at.
    pub(super) fn choose(&self, target: Option<Target>) {
        if let Ok(mut chosen) = self.chosen.lock() {
            *chosen = target;
        }
    }

    /// Which target is looked at.
    pub(super) fn chosen(&self) -> Option<Target> {
        *self.chosen.lock().ok()?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_counts_and_nothing_unseen_is_lost() {
        let shared = Shared::default();
        assert!(shared.take().is_none());
        let board = |sent, fresh: usize| Board {
            driven: Driven { sent, ..Driven::default() },
            fresh: vec![super::super::ui::testing::stripped(1); fresh],
            ..Board::default()
        };
        shared.put(board(1, 2));
        shared.put(board(2, 3));
        let taken = shared.take().expect("a board");
        assert_eq!((taken.driven.sent, taken.fresh.len()), (2, 5));
        shared.put(board(3, MOST_FRESH));
        shared.put(board(4, 1));
        assert_eq!(shared.take().map(|board| board.fresh.len()), Some(MOST_FRESH));
        assert!(!shared.ends.is_over());
        drop(shared.ends.over_when_dropped());
        assert!(shared.ends.is_over());
    }
}
