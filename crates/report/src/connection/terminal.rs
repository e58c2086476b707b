//! The whole connection as text for a terminal.

use super::One;
use super::condense::condense;
use super::header::header;
use super::lanes::Lanes;
use super::paths::paths;
use super::picture::{columns, picture};
use super::style::Style;
use super::text::wrapped;
use super::timeline::{Entry, Kind, timeline};
use crate::text::grouped;
use std::fmt::Write;

/// Entries of the timeline that are shown unless all are asked for.
const MOST_ENTRIES: usize = 60;

/// How the text is to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terminal {
    /// Columns of the terminal.
    pub width: usize,
    /// Whether every entry is shown, however many there are.
    pub all: bool,
    /// Colours.
    pub style: Style,
}

/// Header, paths, picture and timeline.
pub fn render(one: &One<'_>, terminal: Terminal) -> String {
    let Terminal { width, all, style } = terminal;
    let entries = timeline(one);
    let lanes = Lanes::new(one, &entries, columns(width));
    let mut text = header(one, style);
    text.push('\n');
    text.push_str(&paths(one, style, all));
    text.push('\n');
    if lanes.highest > 0 {
        text.push_str(&picture(&lanes, style));
        text.push('\n');
    }
    let (shown, left_out) = if all { (entries, None) } else { condense(&entries, MOST_ENTRIES) };
    let heading = "Timeline";
    let _ = writeln!(text, "{}  seconds, frames, subflow, who", style.bold(heading));
    for (index, entry) in shown.iter().enumerate() {
        if let Some((at, count)) = left_out
            && at == index
        {
            let _ = writeln!(text, "{:14}… {} entries left out; --all shows them", "", grouped(count));
        }
        text.push_str(&line(one, entry, width, style));
    }
    text
}

/// One entry: time, frames, subflow, who, and what, over several lines where it must be.
fn line(one: &One<'_>, entry: &Entry, width: usize, style: Style) -> String {
    let frames = match entry.frames {
        None => String::new(),
        Some((first, last)) if first == last => format!("#{first}"),
        Some((first, last)) => format!("#{first}-{last}"),
    };
    let subflow = entry.subflow.map_or_else(String::new, |id| id.to_string());
    let who = entry.direction.map_or("", subflow_analysis::rows::Direction::as_str);
    let left = format!("{:>11.6} {frames:<12} {subflow:>2} {who:<3} ", one.seconds(entry.time));
    let margin = left.chars().count();
    let mut text = entry.text();
    if entry.until > entry.time {
        text.push_str(&format!(", until {:.3} s", one.seconds(entry.until)));
    }
    let mut lines = wrapped(&text, width.saturating_sub(margin).max(20)).into_iter();
    let colour = |line: String| match (entry.kind, entry.subflow) {
        (
            Kind::Handover | Kind::Fallback | Kind::Reset | Kind::FastClose | Kind::Failure | Kind::Violation,
            _,
        ) => style.alarm(line),
        (_, Some(subflow)) => style.subflow(subflow, line),
        (_, None) => line,
    };
    let mut out = format!("{left}{}\n", colour(lines.next().unwrap_or_default()));
    for line in lines {
        let _ = writeln!(out, "{:margin$}{}", "", colour(line));
    }
    out
}
