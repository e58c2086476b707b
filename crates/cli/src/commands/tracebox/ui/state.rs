//! What is on the screen.

use super::super::board::Board;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;
use subflow_probe::network::Driven;
use subflow_probe::rows::Category;
use subflow_probe::targets::Target;
use subflow_probe::trace::Concluded;

/// Finished targets that can be looked at: the last ones.
const MOST_DONE: usize = 5000;

/// What is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pane {
    /// The list, and the path of the chosen target below it.
    List,
    /// That path alone.
    Path,
    /// What keys there are.
    Help,
}

/// Which targets are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Filter {
    /// All.
    All,
    /// Those at work.
    Active,
    /// Those of a category.
    Of(Category),
}

impl Filter {
    /// The next one.
    fn next(self) -> Self {
        let after = |category: Category| {
            let place =
                Category::ALL.iter().position(|&other| other == category).map_or(0, |place| place + 1);
            Category::ALL.get(place).map_or(Self::All, |&next| Self::Of(next))
        };
        match self {
            Self::All => Self::Active,
            Self::Active => Self::Of(Category::True),
            Self::Of(category) => after(category),
        }
    }
}

/// A line of the list.
#[derive(Clone, Copy, Debug)]
pub(super) enum Entry<'a> {
    /// At work.
    Active(Target),
    /// Finished.
    Done(&'a Concluded),
}

impl Entry<'_> {
    /// Who it is.
    pub(super) fn target(self) -> Target {
        match self {
            Self::Active(target) => target,
            Self::Done(rows) => target(rows),
        }
    }
}

fn target(rows: &Concluded) -> Target {
    Target { addr: rows.target.addr, port: rows.target.port }
}

/// Everything that is on the screen.
#[derive(Debug)]
pub(super) struct State {
    pub(super) targets: u64,
    pub(super) elapsed: Duration,
    pub(super) driven: Driven,
    pub(super) categories: [u64; 4],
    active: Vec<Target>,
    done: VecDeque<Concluded>,
    /// What is known of the chosen one while it is at work.
    so_far: Option<Concluded>,
    chosen: Option<Target>,
    pub(super) filter: Filter,
    pub(super) pane: Pane,
    /// First line of the list, and of the path.
    pub(super) first: usize,
    pub(super) scroll: usize,
    /// Lines of the list that are seen.
    pub(super) page: usize,
    /// Whether the work is done.
    pub(super) over: bool,
    pub(super) quit: bool,
}

impl State {
    /// Of nothing yet.
    pub(super) fn new(targets: u64) -> Self {
        Self {
            targets,
            elapsed: Duration::ZERO,
            driven: Driven::default(),
            categories: [0; 4],
            active: Vec::new(),
            done: VecDeque::new(),
            so_far: None,
            chosen: None,
            filter: Filter::All,
            pane: Pane::List,
            first: 0,
            scroll: 0,
            page: 1,
            over: false,
            quit: false,
        }
    }

    /// Takes news.
    pub(super) fn take(&mut self, board: Board) {
        (self.elapsed, self.driven, self.categories) = (board.elapsed, board.driven, board.categories);
        self.active = board.active;
        self.so_far = board.chosen;
        for rows in board.fresh {
            self.done.push_front(rows);
        }
        self.done.truncate(MOST_DONE);
    }

    /// The work is done.
    pub(super) fn end(&mut self) {
        self.over = true;
        self.active.clear();
        self.so_far = None;
    }

    /// The lines of the list: the finished ones, the last first, then those at work.
    pub(super) fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        let filter = self.filter;
        let active = self.active.iter().filter(move |_| matches!(filter, Filter::All | Filter::Active));
        let done = self.done.iter().filter(move |rows| match filter {
            Filter::All => true,
            Filter::Active => false,
            Filter::Of(category) => rows.target.category == category,
        });
        done.map(Entry::Done).chain(active.map(|&target| Entry::Active(target)))
    }

    /// The chosen target; the first while none was chosen.
    pub(super) fn chosen(&self) -> Option<Target> {
        self.chosen.or_else(|| self.entries().next().map(Entry::target))
    }

    /// Its place in the list.
    pub(super) fn place(&self) -> Option<usize> {
        let chosen = self.chosen()?;
        self.entries().position(|entry| entry.target() == chosen)
    }

    /// What is known of it.
    pub(super) fn rows(&self) -> Option<&Concluded> {
        let chosen = self.chosen()?;
        let so_far = self.so_far.as_ref().filter(|rows| target(rows) == chosen);
        self.done.iter().find(|rows| target(rows) == chosen).or(so_far)
    }

    /// Chooses another one, so many lines on.
    pub(super) fn step(&mut self, lines: isize) {
        let count = self.entries().count();
        let place = self.place().unwrap_or(0).saturating_add_signed(lines).min(count.saturating_sub(1));
        let chosen = self.entries().nth(place).map(Entry::target);
        if chosen.is_some() {
            self.chosen = chosen;
            self.scroll = 0;
        }
    }

    /// Lists others.
    pub(super) fn filter_next(&mut self) {
        self.filter = self.filter.next();
        (self.first, self.chosen) = (0, None);
    }
}

/// Address and port in so many columns, the middle left out if it must be.
pub(super) fn name(target: Target, width: usize) -> String {
    let text = SocketAddr::new(target.addr, target.port).to_string();
    let length = text.chars().count();
    if length <= width {
        return text;
    }
    let head = width.saturating_sub(1) / 2;
    let tail = width.saturating_sub(1) - head;
    text.chars().take(head).chain(['…']).chain(text.chars().skip(length - tail)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{clean, stripped};
    use super::*;

    #[test]
    fn the_chosen_target_stays_chosen_while_others_come() {
        let mut state = State::new(10);
        state.take(Board { fresh: vec![stripped(1), clean(2)], ..Board::default() });
        assert_eq!(state.chosen().map(|target| target.addr.to_string()).as_deref(), Some("10.0.0.2"));
        state.step(1);
        let chosen = state.chosen();
        state.take(Board {
            fresh: vec![clean(3)],
            active: vec![Target { addr: [10, 0, 0, 9].into(), port: 80 }],
            ..Board::default()
        });
        assert_eq!((state.chosen(), state.place()), (chosen, Some(2)));
        assert!(state.rows().is_some());
        state.step(100);
        assert_eq!(state.place(), Some(3));
        assert!(state.rows().is_none(), "nothing is known of it yet");
        state.end();
        assert_eq!(state.entries().count(), 3);
    }

    #[test]
    fn filters_go_round() {
        let mut state = State::new(2);
        state.take(Board { fresh: vec![stripped(1), clean(2)], ..Board::default() });
        let mut counts = Vec::new();
        for _ in 0..6 {
            state.filter_next();
            counts.push(state.entries().count());
        }
        assert_eq!((counts, state.filter), (vec![0, 1, 1, 0, 0, 2], Filter::All));
    }

    #[test]
    fn names_fit() {
        let target =
            Target { addr: "2001:db8:1234:5678:9abc:def0:1234:5678".parse().expect("an address"), port: 443 };
        assert_eq!(name(target, 60), "[2001:db8:1234:5678:9abc:def0:1234:5678]:443");
        let short = name(target, 20);
        assert!(
            short.chars().count() == 20 && short.ends_with("5678]:443") && short.contains('…'),
            "{short}"
        );
    }
}
