//! Which connections there are, for somebody who has to choose one.

use super::style::Style;
use super::text::{end, wrapped};
use crate::text::{bytes, counted, seconds as duration};
use std::fmt::Write;
use subflow_analysis::rows::{Close, Connection, Fallback};
use subflow_store::time::Rfc3339;

/// Columns for the ends and what is notable.
const WIDTH: usize = 70;

/// What sets a connection apart, in a few words each.
pub fn notable(row: &Connection) -> Vec<String> {
    let mut words = Vec::new();
    if row.handovers > 0 {
        words.push(counted(u64::from(row.handovers), "handover"));
    }
    if row.fallback != Fallback::None {
        words.push(format!("fallback ({})", row.fallback));
    }
    let failed = row.subflows_attempted.saturating_sub(row.subflows_established);
    if failed > 0 && row.fallback == Fallback::None {
        words.push(counted(u64::from(failed), "failed subflow"));
    }
    let reinjected = row.reinjected_bytes_c2s + row.reinjected_bytes_s2c;
    if reinjected > 0 {
        words.push(format!("{} reinjected", bytes(reinjected)));
    }
    match row.close {
        Close::FastClose => words.push("fastclose".to_owned()),
        Close::Reset => words.push("reset".to_owned()),
        Close::Timeout => words.push("timeout".to_owned()),
        _ => {}
    }
    if !row.complete {
        words.push("no handshake".to_owned());
    }
    words
}

/// Two or three lines for each connection, at most `most` of them.
pub fn list(connections: &[Connection], most: usize, style: Style) -> String {
    let mut text =
        format!("{}\n", style.bold("  id  start (UTC)          duration  subflows        c2s        s2c"));
    for row in connections.iter().take(most) {
        let start = Rfc3339(row.start.0).to_string();
        let start = start.get(..19).unwrap_or(&start).replace('T', " ");
        let subflows = format!("{}/{}", row.subflows_established, row.subflows_attempted);
        let line = format!(
            "{:>4}  {start}  {:>8}  {subflows:>8}  {:>9}  {:>9}",
            row.connection_id,
            duration(row.duration),
            bytes(row.bytes_c2s),
            bytes(row.bytes_s2c),
        );
        let _ = writeln!(text, "{}", line.trim_end());
        let (client, server) = (end(row.client_addr, row.client_port), end(row.server_addr, row.server_port));
        let ends = format!("{client} → {server}");
        let notable = notable(row).join(", ");
        // On one line where there is room.
        if notable.is_empty() || ends.chars().count() + notable.chars().count() > WIDTH {
            for part in wrapped(&ends, WIDTH) {
                let _ = writeln!(text, "      {}", style.dim(part));
            }
            for part in wrapped(&notable, WIDTH).into_iter().filter(|part| !part.is_empty()) {
                let _ = writeln!(text, "      {}", style.alarm(part));
            }
        } else {
            let _ = writeln!(text, "      {}   {}", style.dim(ends), style.alarm(notable));
        }
    }
    let hidden = connections.len().saturating_sub(most);
    if hidden > 0 {
        let _ = writeln!(text, "   … and {} more", counted(hidden as u64, "connection"));
    }
    text
}
