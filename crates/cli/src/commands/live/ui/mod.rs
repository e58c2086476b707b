//! The screen: what goes on, drawn twice a second, and keys.

mod detail;
mod draw;
mod feed;
mod help;
mod keys;
mod list;
mod state;
mod words;

use super::snapshot::Shared;
use crate::commands::palette::Palette;
use crate::failure::Failure;
use crate::interrupt;
use ratatui::crossterm::event::{self, Event};
use state::State;
use std::time::{Duration, Instant};
use subflow_capture::live::Interface;

/// How often a new snapshot is asked for.
const REFRESH: Duration = Duration::from_millis(500);
/// How long a key is waited for at a time.
const PATIENCE: Duration = Duration::from_millis(50);

/// Shows what goes on until a key or the end of the capture ends it.
pub(super) fn run(interfaces: &[Interface], shared: &Shared) -> Result<(), Failure> {
    let failed = |error| Failure::failed(format!("cannot use the terminal: {error}"));
    // Also sees to it that the terminal is put back in order whatever happens.
    let mut terminal = ratatui::try_init().map_err(|error| {
        failed(error)
            .hint("without a screen: add --format table for a summary at the end, or -o DIR for tables")
    })?;
    let palette = Palette::new();
    let mut state = State::new(interfaces);
    let mut drawing = || -> std::io::Result<()> {
        let mut asked: Option<Instant> = None;
        let mut changed = true;
        while !state.quit && !shared.ends.is_over() && !interrupt::is_pressed() {
            if asked.is_none_or(|asked| asked.elapsed() >= REFRESH) {
                shared.ask(state.wants_summary(terminal.size()?));
                asked = Some(Instant::now());
            }
            if let Some(snapshot) = shared.take() {
                state.take(*snapshot);
                changed = true;
            }
            if std::mem::take(&mut changed) {
                terminal.draw(|frame| draw::draw(frame, &mut state, palette))?;
            }
            if event::poll(PATIENCE)? {
                match event::read()? {
                    Event::Key(key) => keys::press(&mut state, key),
                    Event::Resize(..) => {}
                    _ => continue,
                }
                changed = true;
                asked = asked.filter(|_| !state.impatient());
            }
        }
        Ok(())
    };
    let drawn = drawing();
    ratatui::restore();
    drawn.map_err(failed)
}
