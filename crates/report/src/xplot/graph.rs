//! The file format: a header of titles, then drawing commands, each under the colour that was named last.

use std::fmt::{Display, Write};
use subflow_rows::Time;

/// A colour by its name in xplot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Colour {
    White,
    Green,
    Red,
    Blue,
    Yellow,
    Purple,
    Orange,
    Magenta,
    Pink,
}

/// Colours of subflows, in order; repeated when there are more. Red is for reinjections.
const SUBFLOWS: [Colour; 6] =
    [Colour::Green, Colour::Blue, Colour::Purple, Colour::Orange, Colour::Magenta, Colour::Pink];

impl Colour {
    /// That of a subflow.
    pub(super) const fn subflow(id: u32) -> Self {
        SUBFLOWS[id as usize % SUBFLOWS.len()]
    }

    const fn name(self) -> &'static str {
        match self {
            Self::White => "white",
            Self::Green => "green",
            Self::Red => "red",
            Self::Blue => "blue",
            Self::Yellow => "yellow",
            Self::Purple => "purple",
            Self::Orange => "orange",
            Self::Magenta => "magenta",
            Self::Pink => "pink",
        }
    }
}

/// A graph in the making: time to the right.
#[derive(Debug)]
pub(super) struct Graph {
    text: String,
    colour: Option<Colour>,
}

impl Graph {
    /// An empty graph; `kind` is `unsigned`, `signed` or `double`.
    pub(super) fn new(title: &str, kind: &str, label: &str) -> Self {
        let text = format!("timeval {kind}\ntitle\n{title}\nxlabel\ntime\nylabel\n{label}\n");
        Self { text, colour: None }
    }

    fn colour(&mut self, colour: Colour) {
        if self.colour.replace(colour) != Some(colour) {
            let _ = writeln!(self.text, "{}", colour.name());
        }
    }

    /// A line between two points.
    pub(super) fn line(&mut self, colour: Colour, from: (Time, &dyn Display), to: (Time, &dyn Display)) {
        self.colour(colour);
        let _ = writeln!(self.text, "line {} {} {} {}", stamp(from.0), from.1, stamp(to.0), to.1);
    }

    /// A mark: `dot`, `diamond`, `x`, `uarrow` …
    pub(super) fn mark(&mut self, colour: Colour, mark: &str, at: (Time, &dyn Display)) {
        self.colour(colour);
        let _ = writeln!(self.text, "{mark} {} {}", stamp(at.0), at.1);
    }

    /// A text above a point.
    pub(super) fn text(&mut self, colour: Colour, at: (Time, &dyn Display), text: &str) {
        self.mark(colour, "atext", at);
        // A line of its own; a line break within it would be a command.
        let _ = writeln!(self.text, "{}", text.replace(['\n', '\r'], " "));
    }

    /// The file's text.
    pub(super) fn finish(mut self) -> String {
        self.text.push_str("go\n");
        self.text
    }
}

/// Seconds since 1970, in microseconds.
fn stamp(time: Time) -> String {
    let micros = time.0.div_euclid(1000);
    format!("{}.{:06}", micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_is_named_when_it_changes() {
        let mut graph = Graph::new("a", "unsigned", "bytes");
        let at = Time(1_500_000_999);
        graph.line(Colour::Green, (at, &0), (at, &10));
        graph.mark(Colour::Green, "dot", (at, &5));
        graph.text(Colour::Red, (at, &5), "R");
        assert_eq!(
            graph.finish(),
            "timeval unsigned\ntitle\na\nxlabel\ntime\nylabel\nbytes\ngreen\nline 1.500000 0 1.500000 10\n\
             dot 1.500000 5\nred\natext 1.500000 5\nR\ngo\n"
        );
    }
}
