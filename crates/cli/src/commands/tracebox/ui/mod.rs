//! The screen: how far the work is, the targets, the path of one of them.

mod draw;
mod keys;
mod state;
#[cfg(test)]
pub(super) mod testing;

use super::board::Shared;
use crate::commands::palette::Palette;
use crate::failure::Failure;
use crate::interrupt;
use ratatui::crossterm::event::{self, Event};
use state::State;
use std::time::Duration;

/// How long a key is waited for at a time.
const PATIENCE: Duration = Duration::from_millis(50);

/// Shows the work, and what came of it, until a key ends it.
pub(super) fn run(targets: u64, shared: &Shared) -> Result<(), Failure> {
    let failed = |error| Failure::failed(format!("cannot use the terminal: {error}"));
    // Also sees to it that the terminal is put back in order whatever happens.
    let mut terminal = ratatui::try_init().map_err(|error| {
        failed(error).hint("leave out --tui: there is a progress bar, and a report at the end")
    })?;
    let palette = Palette::new();
    let mut state = State::new(targets);
    let mut drawing = || -> std::io::Result<()> {
        let mut changed = true;
        while !state.quit && !interrupt::is_pressed() {
            if let Some(board) = shared.take() {
                state.take(board);
                changed = true;
            } else if shared.ends.is_over() && !state.over {
                state.end();
                changed = true;
            }
            if std::mem::take(&mut changed) {
                terminal.draw(|frame| draw::draw(frame, &mut state, palette))?;
                shared.choose(state.chosen());
            }
            if event::poll(PATIENCE)? {
                match event::read()? {
                    Event::Key(key) => keys::press(&mut state, key),
                    Event::Resize(..) => {}
                    _ => continue,
                }
                changed = true;
            }
        }
        Ok(())
    };
    let drawn = drawing();
    ratatui::restore();
    drawn.map_err(failed)
}
