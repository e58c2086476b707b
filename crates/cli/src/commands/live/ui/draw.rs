//! Where things stand on the screen.

use super::feed::Tone;
use super::state::{Pane, State};
use super::words::{clock, short};
use super::{detail, help, list};
use crate::commands::palette::Palette;
use crate::text::grouped;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use subflow_store::time::Rfc3339;

/// Lines of events on a small screen, their heading included.
const FEW_EVENTS: u16 = 7;
/// Columns of the summary where it has a place of its own.
const SUMMARY_WIDTH: u16 = 101;
/// What the summary does not have before the end.
const SO_FAR: &str = "So far. Hosts, packets and bytes by service are added up at the end.";

/// Draws everything.
pub(super) fn draw(frame: &mut Frame<'_>, state: &mut State, palette: Palette) {
    let area = frame.area();
    let wide = State::is_wide(area.as_size());
    let below = if wide { area.height / 2 } else { FEW_EVENTS.min(area.height / 3) };
    let rows = Layout::vertical([
        Constraint::Length(3),
        Constraint::Min(1),
        Constraint::Length(below),
        Constraint::Length(1),
    ]);
    let [head, middle, below, foot] = rows.areas(area);
    header(frame, head, state, palette);
    match state.pane {
        Pane::List => list::draw(frame, middle, state, palette),
        Pane::Detail => page(frame, middle, state, detail::lines(state, palette)),
        Pane::Summary => page(frame, middle, state, summary(state, palette)),
        Pane::Help => {
            page(frame, middle, state, help::LINES.iter().map(|&line| heading(line, palette)).collect());
        }
    }
    if wide {
        let columns = Layout::horizontal([Constraint::Min(1), Constraint::Length(SUMMARY_WIDTH)]);
        let [left, right] = columns.areas(below);
        events(frame, left, state, palette);
        let text = summary(state, palette);
        frame.render_widget(Paragraph::new(text), right);
    } else {
        events(frame, below, state, palette);
    }
    footer(frame, foot, state, palette);
}

fn header(frame: &mut Frame<'_>, area: Rect, state: &State, palette: Palette) {
    let head = &state.head;
    let width = usize::from(area.width);
    let elapsed = clock(head.elapsed.as_secs());
    let pause = if state.paused { "  PAUSED" } else { "" };
    let name = format!(" subflow live  {}{pause}", state.interfaces);
    let room = width.saturating_sub(elapsed.len() + 2);
    let name: String = name.chars().take(room).collect();
    let title = format!("{name:room$} {elapsed} ");
    let dropped = head.status.dropped();
    let drops = format!("{} dropped", grouped(dropped));
    let drops = Span::styled(drops, if dropped > 0 { palette.bad() } else { Style::new() });
    let fill = head.status.fill();
    let ring = format!("ring {:.0} %", fill * 100.0);
    let ring = Span::styled(ring, if fill > 0.5 { palette.bad() } else { Style::new() });
    let rates = format!(
        " {} packets/s  {}bit/s  {} packets  ",
        grouped(state.packet_rate as u64),
        short(state.bit_rate),
        grouped(head.packets)
    );
    let listed = head.view.open.min(u64::try_from(state.open.len()).unwrap_or(u64::MAX));
    let shown = if head.view.open > listed && listed > 0 {
        format!(" (the {} busiest are listed)", grouped(listed))
    } else {
        String::new()
    };
    let order = if state.reversed { ", turned round" } else { "" };
    let connections = format!(
        " MPTCP connections: {} seen, {} open{shown}; by {}{order}",
        grouped(head.connections),
        grouped(head.view.open),
        state.sort.name(),
    );
    let lines = vec![
        Line::styled(title, palette.title()),
        Line::from(vec![Span::raw(rates), drops, Span::raw("  "), ring]),
        Line::raw(connections),
    ];
    frame.render_widget(Paragraph::new(lines), area);
}

/// Lines that can be scrolled.
fn page(frame: &mut Frame<'_>, area: Rect, state: &mut State, lines: Vec<Line<'static>>) {
    let rows = usize::from(area.height);
    state.page = rows;
    state.scroll = state.scroll.min(lines.len().saturating_sub(rows));
    let shown: Vec<_> = lines.into_iter().skip(state.scroll).take(rows).collect();
    frame.render_widget(Paragraph::new(shown), area);
}

fn summary(state: &State, palette: Palette) -> Vec<Line<'static>> {
    match &state.summary {
        Some(text) => std::iter::once(Line::styled(SO_FAR, palette.faint()))
            .chain(text.lines().map(|line| heading(line, palette)))
            .collect(),
        None => vec![Line::styled("One moment …", palette.faint())],
    }
}

/// Lines that are not indented are headings.
fn heading(line: &str, palette: Palette) -> Line<'static> {
    let is_heading = line.chars().next().is_some_and(|first| !first.is_whitespace());
    if is_heading { Line::styled(line.to_owned(), palette.heading()) } else { Line::raw(line.to_owned()) }
}

fn events(frame: &mut Frame<'_>, area: Rect, state: &State, palette: Palette) {
    let mut lines = vec![Line::styled("Events", palette.heading())];
    let rows = usize::from(area.height).saturating_sub(1);
    for event in state.feed.last(rows) {
        let style = match event.tone {
            Tone::Good => palette.good(),
            Tone::Notable => palette.notable(),
            Tone::Bad => palette.bad(),
            Tone::Plain => Style::new(),
        };
        let of = event.connection.map_or_else(String::new, |id| id.to_string());
        lines.push(Line::from(vec![
            Span::styled(format!("{} {of:>6} ", of_day(event.time_ns)), palette.faint()),
            Span::styled(event.text.clone(), style),
        ]));
    }
    frame.render_widget(Paragraph::new(lines), area);
}

/// The time of the day (UTC), to the millisecond.
fn of_day(time_ns: i64) -> String {
    let text = Rfc3339(time_ns).to_string();
    text.get(11..23).unwrap_or_default().to_owned()
}

fn footer(frame: &mut Frame<'_>, area: Rect, state: &State, palette: Palette) {
    let text = match state.pane {
        Pane::List => " q quit  ? help  ↑↓ choose  Enter subflows  s sort  r turn  m summary  p pause",
        Pane::Detail | Pane::Summary | Pane::Help => {
            " q quit  Esc back  ↑↓ scroll  m summary  ? help  p pause"
        }
    };
    frame.render_widget(Paragraph::new(Line::styled(text, palette.faint())), area);
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    #[test]
    fn every_pane_fits_any_screen() {
        for (width, height) in [(1, 1), (20, 5), (80, 24), (200, 50)] {
            for pane in [Pane::List, Pane::Detail, Pane::Summary, Pane::Help] {
                let mut state = State::new(&[]);
                state.interfaces = "eth0".to_owned();
                state.pane = pane;
                let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a screen");
                terminal.draw(|frame| draw(frame, &mut state, Palette::plain())).expect("draws");
                if (width, height) == (80, 24) {
                    let text = terminal.backend().to_string();
                    assert!(text.contains("subflow live  eth0") && text.contains("q quit"), "{text}");
                }
            }
        }
    }
}
