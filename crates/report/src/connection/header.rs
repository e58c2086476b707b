//! What the connection as a whole was.

use super::One;
use super::list::notable;
use super::style::Style;
use super::text::{end, wrapped};
use crate::text::{bytes, counted, grouped, seconds as duration};
use std::fmt::Write;
use subflow_analysis::rows::Fallback;
use subflow_rows::Hex32;
use subflow_store::time::Rfc3339;

/// The lines above everything else.
pub(super) fn header(one: &One<'_>, style: Style) -> String {
    let row = one.connection;
    let mut text = String::new();
    let title = format!("Connection {}", row.connection_id);
    let (client, server) = (end(row.client_addr, row.client_port), end(row.server_addr, row.server_port));
    // Two long addresses take a line each.
    let mut ends = wrapped(&format!("{client} → {server}"), 80 - title.len() - 2).into_iter();
    let indent = " ".repeat(title.len() + 2);
    let _ = writeln!(text, "{}  {}", style.bold(title), ends.next().unwrap_or_default());
    ends.for_each(|part| text.push_str(&format!("{indent}{part}\n")));
    let version =
        row.version.map_or_else(|| "version unknown".to_owned(), |version| format!("version {version}"));
    let token =
        |token: Option<Hex32>| token.map_or_else(|| "unknown".to_owned(), |token| format!("{:08x}", token.0));
    let checksum = match row.checksum {
        Some(true) => ", DSS checksums",
        _ => "",
    };
    let mut line = |name: &str, value: String| {
        let _ = writeln!(text, "  {name:<11} {value}");
    };
    line("MPTCP", format!("{version}{checksum}"));
    line("tokens", format!("{} (client), {} (server)", token(row.client_token), token(row.server_token)));
    line("start", format!("{}, {} long", Rfc3339(row.start.0), duration(row.duration)));
    line("packets", format!("{}, {} from the IP header onward", grouped(row.packets), bytes(row.wire_bytes)));
    line("data", both(row.bytes_c2s, row.bytes_s2c));
    repeats(&mut line, "reinjected", row.reinjected_bytes_c2s, row.reinjected_bytes_s2c);
    repeats(&mut line, "resent", row.retransmitted_bytes_c2s, row.retransmitted_bytes_s2c);
    line(
        "subflows",
        format!("{} attempted, {} established", row.subflows_attempted, row.subflows_established),
    );
    if row.addresses_announced > 0 {
        line("announced", counted(u64::from(row.addresses_announced), "address"));
    }
    let fallback =
        if row.fallback == Fallback::None { String::new() } else { format!(", fallback: {}", row.fallback) };
    let complete = if row.complete { "" } else { ", handshake not in the capture" };
    line("end", format!("{}{fallback}{complete}", row.close));
    let notable = notable(row);
    if !notable.is_empty() {
        line("notable", style.alarm(notable.join(", ")));
    }
    text
}

fn both(c2s: u64, s2c: u64) -> String {
    format!("c2s {} B, s2c {} B", grouped(c2s), grouped(s2c))
}

fn repeats(line: &mut impl FnMut(&str, String), name: &str, c2s: u64, s2c: u64) {
    if c2s + s2c > 0 {
        line(name, both(c2s, s2c));
    }
}
