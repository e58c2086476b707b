//! Where things stand on the screen.

use super::state::{Entry, Filter, Pane, State, name};
use crate::commands::palette::Palette;
use crate::text::{grouped, seconds};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use std::net::IpAddr;
use subflow_probe::rows::Category;
use subflow_probe::trace::Concluded;
use subflow_report::tracebox::{Lookups, Path, words};

/// From this width on the path stands beside the list.
const WIDE: u16 = 140;
/// Columns of the list beside a path.
const LIST_WIDTH: u16 = 64;

/// What keys there are.
const HELP: &[&str] = &[
    "Keys",
    "  ↑ ↓ PgUp PgDn   choose a target (in its path: scroll)",
    "  Enter           its path alone; again, or Esc: back to the list",
    "  n p             the next or previous target",
    "  f or Tab        list others: all, at work, or of one category",
    "  ? q             this page; end: no target is begun any more, and what was",
    "                  found is printed",
    "",
    "Categories",
    "  true support    the target itself answers with Multipath TCP",
    "  middlebox       a box on the way changes, answers or drops the option",
    "  plain TCP       the target itself answers without the option",
    "  unresponsive    the target opens no connection, with or without it",
    "",
    "Paths",
    "  as sent         a router quoted the probe as it was sent",
    "  the same        it quoted the change that was made before it",
];

/// Draws everything.
pub(super) fn draw(frame: &mut Frame<'_>, state: &mut State, palette: Palette) {
    let area = frame.area();
    let rows = Layout::vertical([Constraint::Length(4), Constraint::Min(1), Constraint::Length(1)]);
    let [head, middle, foot] = rows.areas(area);
    header(frame, head, state, palette);
    match state.pane {
        Pane::List if area.width >= WIDE => {
            let [left, right] = Layout::horizontal([Constraint::Length(LIST_WIDTH), Constraint::Min(1)])
                .spacing(1)
                .areas(middle);
            list(frame, left, state, palette);
            path(frame, right, state, palette);
        }
        Pane::List => {
            // The path needs its hops and the sentence; the list keeps a third.
            let hops = state.rows().map_or(3, |rows| lines(rows, area.width, palette).len());
            let hops = u16::try_from(hops).unwrap_or(u16::MAX).min(middle.height * 2 / 3);
            let [above, below] =
                Layout::vertical([Constraint::Min(1), Constraint::Length(hops)]).spacing(1).areas(middle);
            list(frame, above, state, palette);
            path(frame, below, state, palette);
        }
        Pane::Path => path(frame, middle, state, palette),
        Pane::Help => {
            scrolled(frame, middle, state, HELP.iter().map(|&line| heading(line, palette)).collect());
        }
    }
    let text = match state.pane {
        Pane::List => " q end  ? help  ↑↓ choose  Enter path  f filter",
        Pane::Path => " q end  Esc back  ↑↓ scroll  n p next, previous  ? help",
        Pane::Help => " q end  Esc back  ↑↓ scroll",
    };
    frame.render_widget(Paragraph::new(Line::styled(text, palette.faint())), foot);
}

fn header(frame: &mut Frame<'_>, area: Rect, state: &State, palette: Palette) {
    let width = usize::from(area.width);
    let elapsed = seconds(state.elapsed.as_secs_f64());
    let name = format!(" subflow tracebox  {}", if state.over { "done: q ends" } else { "at work" });
    let room = width.saturating_sub(elapsed.chars().count() + 2);
    let name: String = name.chars().take(room).collect();
    let title = format!("{name:room$} {elapsed} ");
    let done = state.driven.finished;
    let drops = match state.driven.drops {
        0 => Span::raw(""),
        drops => Span::styled(format!("  {} dropped", grouped(drops)), palette.bad()),
    };
    let counts = Line::from(vec![
        Span::raw(format!(
            " {} of {} done  {} at work  {} packets sent",
            grouped(done),
            grouped(state.targets),
            grouped(state.driven.active),
            grouped(state.driven.sent)
        )),
        drops,
    ]);
    let room = width.saturating_sub(2);
    let share = if state.targets == 0 { 0.0 } else { done as f64 / state.targets as f64 };
    let full = ((room as f64 * share) as usize).min(room);
    let bar = Line::from(vec![
        Span::raw(" "),
        Span::styled("━".repeat(full), palette.good()),
        Span::styled("─".repeat(room - full), palette.faint()),
    ]);
    let mut spans = vec![Span::raw(" ")];
    for (&category, &count) in Category::ALL.iter().zip(&state.categories) {
        spans.push(Span::styled(
            format!("{} {}", words::category(category), grouped(count)),
            of(category, count, palette),
        ));
        spans.push(Span::raw("  "));
    }
    let lines = vec![Line::styled(title, palette.title()), counts, bar, Line::from(spans)];
    frame.render_widget(Paragraph::new(lines), area);
}

fn of(category: Category, count: u64, palette: Palette) -> Style {
    match category {
        _ if count == 0 => palette.faint(),
        Category::True => palette.good(),
        Category::MiddleboxAffected => palette.bad(),
        Category::Plain => Style::new(),
        Category::Unresponsive => palette.notable(),
    }
}

fn list(frame: &mut Frame<'_>, area: Rect, state: &mut State, palette: Palette) {
    let rows = usize::from(area.height).saturating_sub(1);
    state.page = rows.max(1);
    let count = state.entries().count();
    if let Some(place) = state.place() {
        state.first = state.first.clamp((place + 1).saturating_sub(rows.max(1)), place);
    }
    state.first = state.first.min(count.saturating_sub(rows));
    let room = usize::from(area.width).saturating_sub(46).clamp(14, 47);
    let what = match state.filter {
        Filter::All => "target".to_owned(),
        Filter::Active => "target (at work)".to_owned(),
        Filter::Of(category) => format!("target ({})", words::category(category)),
    };
    let head = format!(" {what:room$} {:<13} {:<11} {:<10} {}", "category", "the path", "where", "sure");
    let mut lines = vec![Line::styled(head, palette.heading())];
    if count == 0 {
        let none = if state.filter == Filter::All { "  Nothing yet." } else { "  None like this. f: others" };
        lines.push(Line::styled(none, palette.faint()));
    }
    let chosen = state.chosen();
    for entry in state.entries().skip(state.first).take(rows) {
        let target = entry.target();
        let name = name(target, room);
        let line = match entry {
            Entry::Active(_) => Line::styled(format!(" {name:room$} at work …"), palette.faint()),
            Entry::Done(rows) => {
                let row = &rows.target;
                let place = match (row.after_hop, row.before_hop) {
                    (Some(after), Some(before)) => format!("hop {after}–{before}"),
                    (None, Some(before)) => format!("to hop {before}"),
                    _ => String::new(),
                };
                let text = format!(
                    " {name:room$} {:<13} {:<11} {place:<10} {}",
                    words::category(row.category),
                    words::behaviour(row.behaviour),
                    row.confidence
                );
                Line::styled(text, of(row.category, 1, palette))
            }
        };
        lines.push(if chosen == Some(target) { line.patch_style(palette.chosen()) } else { line });
    }
    frame.render_widget(Paragraph::new(lines), area);
}

fn path(frame: &mut Frame<'_>, area: Rect, state: &mut State, palette: Palette) {
    let shown = match (state.rows(), state.chosen()) {
        (Some(rows), _) => lines(rows, area.width, palette),
        (None, Some(target)) => {
            vec![Line::styled(format!(" {target}: nothing came back yet."), palette.faint())]
        }
        (None, None) => Vec::new(),
    };
    scrolled(frame, area, state, shown);
}

/// Lines of which those from the scroll on are seen.
fn scrolled(frame: &mut Frame<'_>, area: Rect, state: &mut State, lines: Vec<Line<'static>>) {
    let rows = usize::from(area.height);
    if state.pane != Pane::List {
        state.page = rows;
    }
    state.scroll = state.scroll.min(lines.len().saturating_sub(rows));
    let seen: Vec<_> = lines.into_iter().skip(state.scroll).take(rows).collect();
    frame.render_widget(Paragraph::new(seen), area);
}

/// The path of a target: who, the sentence, hop by hop.
fn lines(rows: &Concluded, width: u16, palette: Palette) -> Vec<Line<'static>> {
    let width = usize::from(width);
    let lookups = Lookups::default();
    let path = Path::of(rows, &lookups);
    let target = std::net::SocketAddr::new(rows.target.addr, rows.target.port);
    let mut lines = vec![Line::styled(format!(" {target}"), palette.heading())];
    for part in folded(&words::sentence(rows), width.saturating_sub(2)) {
        lines.push(Line::raw(format!(" {part}")));
    }
    let longest =
        |line: &subflow_report::tracebox::Line<'_>| line.addrs.first().map_or(1, |a| a.to_string().len());
    let addr = path.lines.iter().map(longest).max().unwrap_or(7).max(7);
    let rest = width.saturating_sub(addr + 27);
    let plain = if path.lanes.iter().any(|lane| !lane.asking) { (rest / 3).min(30) } else { 0 };
    let with = rest.saturating_sub(plain + 1);
    let head = format!(
        " {:>5} {:addr$} {:>8} {:<8} {:with$} {}",
        "hop",
        "address",
        "RTT",
        "quoted",
        "with MPTCP",
        if plain > 0 { "control" } else { "" }
    );
    lines.push(Line::styled(head.trim_end().to_owned(), palette.heading()));
    for (place, line) in path.lines.iter().enumerate() {
        let who = match line.addrs.as_slice() {
            [] => "*".to_owned(),
            [one] => one.to_string(),
            [first, others @ ..] => more(*first, others.len(), addr),
        };
        let front = format!(
            " {:>5} {who:addr$} {:>8} {:<8} ",
            line.number(),
            line.rtt.map(seconds).unwrap_or_default(),
            line.quote.map(words::quote).unwrap_or_default()
        );
        let style = if path.is_marked(place) { palette.bad() } else { Style::new() };
        let asked = folded(&path.words(place, true), with.max(8));
        let control = folded(&path.words(place, false), plain.max(8));
        for at in 0..asked.len().max(control.len()).max(1) {
            let front = if at == 0 { front.clone() } else { " ".repeat(front.chars().count()) };
            let text = asked.get(at).map(String::as_str).unwrap_or_default();
            let mut spans = vec![Span::raw(front), Span::styled(format!("{text:with$}"), style)];
            if plain > 0 {
                spans
                    .push(Span::raw(format!(" {}", control.get(at).map(String::as_str).unwrap_or_default())));
            }
            lines.push(Line::from(spans));
        }
    }
    for back in &path.back {
        for part in folded(&format!("on the way back: {back}"), width.saturating_sub(2)) {
            lines.push(Line::styled(format!(" {part}"), palette.bad()));
        }
    }
    lines
}

/// The first address, and how many others there are.
fn more(first: IpAddr, others: usize, width: usize) -> String {
    let (text, more) = (first.to_string(), format!(" +{others}"));
    let room = width.saturating_sub(more.len());
    text.chars().take(room).collect::<String>() + &more
}

/// Words in lines of so many columns.
fn folded(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Lines that are not indented are headings.
fn heading(line: &str, palette: Palette) -> Line<'static> {
    let is_heading = line.chars().next().is_some_and(|first| !first.is_whitespace());
    if is_heading { Line::styled(line.to_owned(), palette.heading()) } else { Line::raw(line.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::super::super::board::Board;
    use super::super::testing::{clean, stripped};
    use super::*;
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use std::time::Duration;
    use subflow_probe::network::Driven;
    use subflow_probe::targets::Target;

    fn state() -> State {
        let mut state = State::new(1000);
        state.take(Board {
            elapsed: Duration::from_millis(3210),
            driven: Driven { finished: 12, active: 2, sent: 1234, ..Driven::default() },
            categories: [7, 4, 1, 0],
            fresh: (1..=12)
                .map(|number| if number % 3 == 0 { stripped(number) } else { clean(number) })
                .collect(),
            active: vec![Target { addr: [10, 0, 0, 77].into(), port: 443 }],
            chosen: None,
        });
        state
    }

    fn screen(state: &mut State, width: u16, height: u16) -> String {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a screen");
        terminal.draw(|frame| draw(frame, state, Palette::plain())).expect("draws");
        terminal.backend().to_string()
    }

    #[test]
    fn a_small_screen_has_all_that_matters() {
        insta::assert_snapshot!(screen(&mut state(), 80, 24));
    }

    #[test]
    fn a_wide_screen_has_the_path_beside_the_list() {
        let text = screen(&mut state(), 200, 30);
        let line = text
            .lines()
            .find(|line| line.contains("│ 10.0.0.12:80") || line.contains("\" 10.0.0.12:80"))
            .expect("in the list");
        assert!(line.contains("middlebox"), "{line}");
        assert!(text.contains("MPTCP option padded over") && text.contains("at work …"), "{text}");
    }

    #[test]
    fn every_pane_fits_any_screen() {
        for (width, height) in [(1, 1), (20, 5), (40, 12), (80, 24), (139, 40), (140, 40), (250, 70)] {
            for pane in [Pane::List, Pane::Path, Pane::Help] {
                let mut state = state();
                state.pane = pane;
                state.scroll = 1000;
                screen(&mut state, width, height);
                let mut empty = State::new(0);
                empty.pane = pane;
                screen(&mut empty, width, height);
            }
        }
    }

    #[test]
    fn the_end_is_said() {
        let mut state = state();
        state.end();
        assert!(screen(&mut state, 80, 24).contains("done: q ends"));
    }
}
