//! One connection with its subflows.

use super::list::{is_up, rtt};
use super::state::State;
use super::words::{end, millis, short, span};
use crate::commands::palette::Palette;
use ratatui::style::Style;
use ratatui::text::Line;
use subflow_analysis::OpenSubflow;
use subflow_analysis::rows::{Fallback, Opener};

/// The lines of the chosen connection.
pub(super) fn lines(state: &State, palette: Palette) -> Vec<Line<'static>> {
    let Some(open) = state.detail() else {
        return vec![Line::styled("The connection has ended. Esc: back to the list.", palette.faint())];
    };
    let row = &open.connection;
    let version = row.version.map_or("unknown version".to_owned(), |version| format!("version {version}"));
    let age = span((state.head.now_ns.max(open.last.0) - row.start.0) as f64 / 1e9);
    let fallback = match row.fallback {
        Fallback::None => String::new(),
        fallback => format!(", fell back ({})", fallback.as_str()),
    };
    let mut lines = vec![
        Line::styled(
            format!(
                "Connection {}: {} → {}",
                row.connection_id,
                end(row.client_addr, row.client_port),
                end(row.server_addr, row.server_port)
            ),
            palette.heading(),
        ),
        Line::from(format!("  {version}, open for {age}{fallback}")),
        Line::from(format!(
            "  data: {}B from the client, {}B from the server, {}bit/s",
            short(row.bytes_c2s as f64),
            short(row.bytes_s2c as f64),
            short(state.rate(row.connection_id, None))
        )),
        Line::from(format!(
            "  repeated: {}B reinjected, {}B retransmitted; {} addresses announced",
            short((row.reinjected_bytes_c2s + row.reinjected_bytes_s2c) as f64),
            short((row.retransmitted_bytes_c2s + row.retransmitted_bytes_s2c) as f64),
            row.addresses_announced
        )),
        Line::default(),
        Line::styled(
            format!(
                "{:>3} {:11} {:6} {:>5} {:>6} {:>6} {:>6} {:>6} {:>6}  {}",
                "id", "state", "opener", "age", "RTT ms", "↑ B", "↓ B", "bit/s", "rtx B", "notes"
            ),
            palette.heading(),
        ),
    ];
    for subflow in &open.subflows {
        lines.extend(of_subflow(subflow, state, palette));
    }
    lines
}

/// Two lines: figures, and the ends.
fn of_subflow(open: &OpenSubflow, state: &State, palette: Palette) -> [Line<'static>; 2] {
    let row = &open.subflow;
    let up = is_up(row, open.closed);
    let named = match row.state {
        subflow_analysis::rows::State::Established if open.closed => "closed",
        other => other.as_str(),
    };
    let mut notes = Vec::new();
    if row.backup_at_end {
        notes.push("backup".to_owned());
    } else if row.backup {
        notes.push("was backup".to_owned());
    }
    notes.extend(row.reset_reason.map(|reason| format!("reset: {reason}")));
    if row.hmac_ok == Some(false) {
        notes.push("wrong HMAC".to_owned());
    }
    let opener = if row.opener == Opener::Client { "client" } else { "server" };
    let figures = format!(
        "{:>3} {named:11} {opener:6} {:>5} {:>6} {:>6} {:>6} {:>6} {:>6}  {}",
        row.subflow_id,
        span((state.head.now_ns - row.start.0) as f64 / 1e9),
        rtt(row).map_or("-".to_owned(), millis),
        short(row.bytes_c2s as f64),
        short(row.bytes_s2c as f64),
        short(state.rate(row.connection_id, Some(row.subflow_id))),
        short((row.retransmitted_bytes_c2s + row.retransmitted_bytes_s2c) as f64),
        notes.join(", ")
    );
    let style = if up { Style::new() } else { palette.faint() };
    let ends = format!("    {} → {}", end(row.src_addr, row.src_port), end(row.dst_addr, row.dst_port));
    [Line::styled(figures.trim_end().to_owned(), style), Line::styled(ends, palette.faint())]
}
