//! How wide the terminal is, and whether it shows colours.

use ratatui::crossterm::terminal;
use std::env;
use std::io::{self, IsTerminal};
use subflow_report::connection::Style;

/// Columns where nothing tells.
const DEFAULT: usize = 80;
/// A page narrower or wider than this is hard to read.
const SENSIBLE: std::ops::RangeInclusive<usize> = 40..=240;

/// Columns of the terminal, or of COLUMNS; 80 where standard output goes elsewhere.
pub(super) fn columns() -> usize {
    let said = env::var("COLUMNS").ok().and_then(|columns| columns.trim().parse().ok());
    let seen = || {
        let there = io::stdout().is_terminal().then(terminal::size)?;
        there.ok().map(|(columns, _)| usize::from(columns))
    };
    said.or_else(seen).unwrap_or(DEFAULT).clamp(*SENSIBLE.start(), *SENSIBLE.end())
}

/// Colours on a terminal, unless NO_COLOR says otherwise.
pub(super) fn style() -> Style {
    let choice = anstream::AutoStream::choice(&io::stdout());
    Style { colour: choice != anstream::ColorChoice::Never }
}
