//! The lanes as text.

use super::axis::{decimals, round_step};
use super::lanes::{Lanes, Mark};
use super::style::Style;
use crate::text::{bytes, seconds as duration};
use std::collections::BTreeSet;
use std::fmt::Write;

/// Characters left of the lanes: ` 12 c2s `.
const MARGIN: usize = 8;
/// Heights of a bar.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// How many subflows are drawn; the others only stand in the list of paths.
const MOST_SUBFLOWS: usize = 16;

/// How many columns there are for the lanes of a page this wide.
pub(super) fn columns(width: usize) -> usize {
    width.saturating_sub(MARGIN).max(20)
}

/// The picture with its axis and legend.
pub(super) fn picture(lanes: &Lanes, style: Style) -> String {
    let mut text = format!(
        "{}  a column is {}, the highest bar {}\n",
        style.bold("Data over time"),
        duration(lanes.column),
        bytes(lanes.highest),
    );
    let mut seen: BTreeSet<Mark> = BTreeSet::new();
    for (subflow, first, last, marks) in lanes.subflows.iter().take(MOST_SUBFLOWS) {
        let mut label = format!("{subflow:>3}");
        let rows = lanes.lanes.iter().filter(|lane| lane.subflow == *subflow);
        for lane in rows {
            let bars: String = lane
                .bytes
                .iter()
                .enumerate()
                .map(|(column, &bytes)| match bytes {
                    0 if (*first..=*last).contains(&column) => '·',
                    0 => ' ',
                    _ => BARS[level(bytes, lanes.highest)],
                })
                .collect();
            let bars = bars.trim_end();
            let _ = writeln!(text, "{label} {} {}", lane.direction, style.subflow(*subflow, bars));
            label = "   ".to_owned();
        }
        if marks.iter().any(Option::is_some) {
            seen.extend(marks.iter().flatten().copied());
            let line: String = marks.iter().map(|mark| mark.map_or(' ', Mark::letter)).collect();
            let _ = writeln!(text, "{label}     {}", line.trim_end());
        }
    }
    let hidden = lanes.subflows.len().saturating_sub(MOST_SUBFLOWS);
    if hidden > 0 {
        let _ = writeln!(text, "        … and {hidden} subflows more");
    }
    axis(lanes, &mut text);
    let legend: Vec<_> = seen.iter().map(|mark| format!("{} {}", mark.letter(), mark.meaning())).collect();
    if !legend.is_empty() {
        for line in super::text::wrapped(&legend.join("   "), columns_of(lanes)) {
            let _ = writeln!(text, "{:MARGIN$}{}", "", style.dim(line));
        }
    }
    text
}

fn columns_of(lanes: &Lanes) -> usize {
    lanes.subflows.first().map_or(72, |(.., marks)| marks.len())
}

/// An eighth for anything at all, eight for the highest.
fn level(bytes: u64, highest: u64) -> usize {
    let eighths = (u128::from(bytes) * 8).div_ceil(u128::from(highest.max(1)));
    usize::try_from(eighths).unwrap_or(8).clamp(1, 8) - 1
}

/// Seconds under the lanes.
fn axis(lanes: &Lanes, text: &mut String) {
    let columns = columns_of(lanes);
    let step = round_step(lanes.column * 10.0);
    let decimals = decimals(step);
    let mut line = String::new();
    for tick in 0.. {
        let seconds = step * f64::from(tick);
        let column = (seconds / lanes.column) as usize;
        let label = format!("|{seconds:.decimals$} s");
        let at = line.chars().count();
        if column < at || column + label.chars().count() > columns {
            break;
        }
        line.push_str(&" ".repeat(column - at));
        line.push_str(&label);
    }
    let _ = writeln!(text, "{:MARGIN$}{line}", "");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_have_eight_levels() {
        let levels: Vec<_> = [1, 125, 126, 500, 875, 876, 1000].map(|bytes| level(bytes, 1000)).to_vec();
        assert_eq!(levels, [0, 0, 1, 3, 6, 7, 7]);
        assert_eq!(level(u64::MAX, u64::MAX), 7);
    }
}
