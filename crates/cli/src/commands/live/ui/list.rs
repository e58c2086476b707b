//! The list of open connections.

use super::state::State;
use super::words::{ends, millis, short, span};
use crate::commands::palette::Palette;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use subflow_analysis::OpenConnection;
use subflow_analysis::rows::{Fallback, Subflow};

/// Columns of everything but the ends and the last event.
const FIXED: usize = 52;
/// Most columns for the two ends.
const WIDEST_ENDS: usize = 46;
/// From this many spare columns on, the last event of each connection is shown.
const EVENT_ROOM: usize = 24;

/// Draws the list.
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, state: &mut State, palette: Palette) {
    let width = usize::from(area.width);
    let spare = width.saturating_sub(FIXED);
    let ends_width = spare.clamp(16, WIDEST_ENDS);
    let event_width = spare.saturating_sub(ends_width + 1);
    let event_width = if event_width >= EVENT_ROOM { event_width } else { 0 };
    let rows = usize::from(area.height).saturating_sub(1);
    state.page = rows.max(1);
    scroll(state, rows);
    let heading = format!(
        "{:>6} {:ends_width$} v {:>5} {:>6} {:>5} {:>5} {:>6} {:<10} {}",
        "id",
        "client→server",
        "age",
        "subfl",
        "↑ B",
        "↓ B",
        "bit/s",
        "RTT ms",
        if event_width > 0 { "last event" } else { "" }
    );
    let mut lines = vec![Line::styled(heading.trim_end().to_owned(), palette.heading())];
    if state.open.is_empty() {
        lines.push(Line::default());
        lines.push(Line::styled("  No open Multipath TCP connections yet.", palette.faint()));
    }
    for open in state.open.iter().skip(state.scroll).take(rows) {
        let chosen = state.chosen == Some(open.connection.connection_id);
        lines.push(line(open, state, ends_width, event_width, chosen, palette));
    }
    frame.render_widget(Paragraph::new(lines), area);
}

/// Keeps the chosen line on the screen.
fn scroll(state: &mut State, rows: usize) {
    if let Some(place) = state.place() {
        state.scroll = state.scroll.clamp((place + 1).saturating_sub(rows), place);
    }
    state.scroll = state.scroll.min(state.open.len().saturating_sub(rows));
}

fn line(
    open: &OpenConnection,
    state: &State,
    ends_width: usize,
    event_width: usize,
    chosen: bool,
    palette: Palette,
) -> Line<'static> {
    let row = &open.connection;
    let up = open.subflows.iter().filter(|open| is_up(&open.subflow, open.closed));
    let backups = up.clone().filter(|open| open.subflow.backup_at_end).count();
    let backups = if backups > 0 { format!("b{backups}") } else { String::new() };
    let rtts: Vec<_> = up.clone().filter_map(|open| rtt(&open.subflow)).map(millis).collect();
    let mut rtts = rtts.join(" ");
    if rtts.chars().count() > 10 {
        rtts = rtts.chars().take(9).chain(['…']).collect();
    }
    let ends = ends((row.client_addr, row.client_port), (row.server_addr, row.server_port), ends_width);
    let text = format!(
        "{:>6} {ends:ends_width$} {} {:>5} {:>6} {:>5} {:>5} {:>6} {rtts:<10}",
        row.connection_id,
        row.version.map_or("?".to_owned(), |version| version.to_string()),
        span((state.head.now_ns.max(open.last.0) - row.start.0) as f64 / 1e9),
        format!("{}/{}{backups}", up.count(), row.subflows_attempted),
        short(row.bytes_c2s as f64),
        short(row.bytes_s2c as f64),
        short(state.rate(row.connection_id, None)),
    );
    let style = match row.fallback {
        Fallback::None => Style::new(),
        _ => palette.bad(),
    };
    let mut spans = vec![Span::styled(text, style)];
    if event_width > 0 {
        let event = match (state.feed.latest_of(row.connection_id), row.fallback) {
            (Some(line), _) => line.text.clone(),
            (None, Fallback::None) => String::new(),
            (None, fallback) => format!("fell back: {}", fallback.as_str()),
        };
        let event: String = event.chars().take(event_width).collect();
        spans.push(Span::styled(format!(" {event}"), palette.faint()));
    }
    let line = Line::from(spans);
    if chosen { line.patch_style(palette.chosen()) } else { line }
}

/// Whether data can go over it.
pub(super) fn is_up(subflow: &Subflow, closed: bool) -> bool {
    use subflow_analysis::rows::State::{Established, Midstream};
    !closed && matches!(subflow.state, Established | Midstream)
}

/// The mean round-trip time between the ends: the parts on both sides of the capture point, else the handshake's.
pub(super) fn rtt(subflow: &Subflow) -> Option<f64> {
    match (subflow.rtt_mean_c2s, subflow.rtt_mean_s2c) {
        (Some(c2s), Some(s2c)) => Some(c2s + s2c),
        (one, other) => one.or(other).or(subflow.rtt_handshake),
    }
}
