//! Colours on a terminal.

use std::fmt::Display;

/// Whether colours are wanted, and which one is whose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Whether the text may hold ANSI escape sequences.
    pub colour: bool,
}

/// Colours of subflows in order, repeated when there are more: green, blue, magenta, yellow, cyan, red.
const SUBFLOWS: [u8; 6] = [32, 34, 35, 33, 36, 31];

impl Style {
    /// Text in a subflow's colour.
    pub(super) fn subflow(self, id: u32, text: impl Display) -> String {
        self.wrap(SUBFLOWS[id as usize % SUBFLOWS.len()], text)
    }

    /// A heading.
    pub(super) fn bold(self, text: impl Display) -> String {
        self.wrap(1, text)
    }

    /// Something less important.
    pub(super) fn dim(self, text: impl Display) -> String {
        self.wrap(2, text)
    }

    /// Something that went wrong.
    pub(super) fn alarm(self, text: impl Display) -> String {
        self.wrap(31, text)
    }

    fn wrap(self, code: u8, text: impl Display) -> String {
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_colour_text_is_plain() {
        assert_eq!(Style::default().subflow(1, "x"), "x");
        assert_eq!(Style { colour: true }.subflow(7, "x"), "\x1b[34mx\x1b[0m");
    }
}
