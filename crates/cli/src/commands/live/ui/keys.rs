//! What keys do.

use super::state::{Pane, Sort, State};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// Lines of one page more than is seen.
const PAGE_OVERLAP: usize = 1;

/// A key was pressed.
pub(super) fn press(state: &mut State, key: KeyEvent) {
    if key.kind == KeyEventKind::Release {
        return;
    }
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    match key.code {
        KeyCode::Char('c' | 'd') if control => state.quit = true,
        KeyCode::Char('q') => state.quit = true,
        KeyCode::Esc if state.pane == Pane::List => state.quit = true,
        KeyCode::Esc | KeyCode::Backspace | KeyCode::Left => show(state, Pane::List),
        KeyCode::Char('?' | 'h') | KeyCode::F(1) => toggle(state, Pane::Help),
        KeyCode::Char('m') | KeyCode::Tab => toggle(state, Pane::Summary),
        KeyCode::Char('p' | ' ') => state.paused = !state.paused,
        KeyCode::Enter | KeyCode::Right => {
            if state.place().is_none() {
                state.step(1);
            }
            toggle(state, Pane::Detail);
        }
        KeyCode::Up | KeyCode::Char('k') => go(state, -1),
        KeyCode::Down | KeyCode::Char('j') => go(state, 1),
        KeyCode::PageUp => go(state, -page(state)),
        KeyCode::PageDown => go(state, page(state)),
        KeyCode::Home => go(state, isize::MIN),
        KeyCode::End => go(state, isize::MAX),
        KeyCode::Char('s') => sort(state, next_sort(state.sort, 1)),
        KeyCode::Char('S') => sort(state, next_sort(state.sort, Sort::ALL.len() - 1)),
        KeyCode::Char('r') => {
            state.reversed = !state.reversed;
            state.sort();
        }
        _ => {}
    }
}

fn page(state: &State) -> isize {
    state.page.saturating_sub(PAGE_OVERLAP).max(1).cast_signed()
}

/// Moves in what is shown: the list by choosing, everything else by scrolling.
fn go(state: &mut State, lines: isize) {
    match state.pane {
        Pane::List => state.step(lines),
        Pane::Detail | Pane::Summary | Pane::Help => {
            state.scroll = state.scroll.saturating_add_signed(lines).min(1 << 20);
        }
    }
}

fn toggle(state: &mut State, pane: Pane) {
    show(state, if state.pane == pane { Pane::List } else { pane });
}

fn show(state: &mut State, pane: Pane) {
    state.pane = pane;
    state.scroll = 0;
}

fn next_sort(sort: Sort, by: usize) -> Sort {
    let place = Sort::ALL.iter().position(|&other| other == sort).unwrap_or(0);
    Sort::ALL[(place + by) % Sort::ALL.len()]
}

fn sort(state: &mut State, sort: Sort) {
    state.sort = sort;
    state.sort();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn type_in(state: &mut State, codes: &[KeyCode]) {
        for &code in codes {
            press(state, KeyEvent::new(code, KeyModifiers::NONE));
        }
    }

    #[test]
    fn escape_leaves_what_is_open_before_it_quits() {
        let mut state = State::new(&[]);
        type_in(&mut state, &[KeyCode::Char('?')]);
        assert_eq!(state.pane, Pane::Help);
        type_in(&mut state, &[KeyCode::Esc]);
        assert!(state.pane == Pane::List && !state.quit);
        type_in(&mut state, &[KeyCode::Esc]);
        assert!(state.quit);
    }

    #[test]
    fn sorting_goes_round_both_ways() {
        let mut state = State::new(&[]);
        let mut seen = Vec::new();
        for _ in Sort::ALL {
            seen.push(state.sort);
            type_in(&mut state, &[KeyCode::Char('s')]);
        }
        assert_eq!(seen, Sort::ALL);
        assert_eq!(state.sort, Sort::ALL[0]);
        type_in(&mut state, &[KeyCode::Char('S')]);
        assert_eq!(state.sort, Sort::Id);
    }

    #[test]
    fn keys_on_an_empty_list_do_no_harm() {
        let mut state = State::new(&[]);
        let codes =
            [KeyCode::Enter, KeyCode::Up, KeyCode::Down, KeyCode::End, KeyCode::PageUp, KeyCode::Home];
        type_in(&mut state, &codes);
        assert_eq!((state.chosen, state.quit), (None, false));
        press(&mut state, KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL));
        assert!(state.quit);
    }
}
