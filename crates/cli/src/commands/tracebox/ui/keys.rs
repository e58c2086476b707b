//! What keys do.

use super::state::{Pane, State};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

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
        KeyCode::Enter | KeyCode::Right => toggle(state, Pane::Path),
        KeyCode::Char('f') | KeyCode::Tab => state.filter_next(),
        KeyCode::Up | KeyCode::Char('k') => go(state, -1),
        KeyCode::Down | KeyCode::Char('j') => go(state, 1),
        KeyCode::PageUp => go(state, -page(state)),
        KeyCode::PageDown => go(state, page(state)),
        KeyCode::Home => go(state, isize::MIN),
        KeyCode::End => go(state, isize::MAX),
        KeyCode::Char('n') => state.step(1),
        KeyCode::Char('p') => state.step(-1),
        _ => {}
    }
}

fn page(state: &State) -> isize {
    state.page.saturating_sub(1).max(1).cast_signed()
}

/// Moves in what is shown: the list by choosing, everything else by scrolling.
fn go(state: &mut State, lines: isize) {
    match state.pane {
        Pane::List => state.step(lines),
        Pane::Path | Pane::Help => state.scroll = state.scroll.saturating_add_signed(lines).min(1 << 20),
    }
}

fn toggle(state: &mut State, pane: Pane) {
    show(state, if state.pane == pane { Pane::List } else { pane });
}

fn show(state: &mut State, pane: Pane) {
    state.pane = pane;
    state.scroll = 0;
}

#[cfg(test)]
mod tests {
    use super::super::super::board::Board;
    use super::super::testing::stripped;
    use super::*;

    fn pressed(state: &mut State, code: KeyCode) {
        press(state, KeyEvent::new(code, KeyModifiers::NONE));
    }

    #[test]
    fn keys_choose_open_and_leave() {
        let mut state = State::new(3);
        state.take(Board { fresh: (1..=3).map(stripped).collect(), ..Board::default() });
        state.page = 10;
        pressed(&mut state, KeyCode::Down);
        assert_eq!(state.place(), Some(1));
        pressed(&mut state, KeyCode::End);
        assert_eq!(state.place(), Some(2));
        pressed(&mut state, KeyCode::Enter);
        assert_eq!(state.pane, Pane::Path);
        pressed(&mut state, KeyCode::Down);
        assert_eq!((state.place(), state.scroll), (Some(2), 1));
        pressed(&mut state, KeyCode::Char('p'));
        assert_eq!((state.place(), state.scroll), (Some(1), 0));
        pressed(&mut state, KeyCode::Esc);
        assert!(state.pane == Pane::List && !state.quit);
        press(&mut state, KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL));
        assert!(state.quit);
    }
}
