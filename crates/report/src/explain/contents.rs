//! What there is to explain in each connection of a capture.

use super::words::counted;
use crate::connection::notable;
use crate::text::bytes;
use std::net::SocketAddr;
use subflow_analysis::rows::{Connection, EventKind, Tables};

/// One line a connection: its number, its ends, and what there is to explain, most of it first.
pub fn contents(tables: &Tables) -> Vec<String> {
    let mut lines: Vec<(usize, u64, String)> = tables
        .connections
        .iter()
        .map(|connection| {
            let items = items(tables, connection);
            let end = |addr, port| SocketAddr::from((addr, port)).to_string();
            let line = format!(
                "{:>4}  {} → {}  {}",
                connection.connection_id,
                end(connection.client_addr, connection.client_port),
                end(connection.server_addr, connection.server_port),
                if items.is_empty() { "nothing out of the ordinary".to_owned() } else { items.join(", ") }
            );
            (items.len(), connection.connection_id, line)
        })
        .collect();
    lines.sort_by_key(|&(items, id, _)| (std::cmp::Reverse(items), id));
    lines.into_iter().map(|line| line.2).collect()
}

fn items(tables: &Tables, connection: &Connection) -> Vec<String> {
    let id = connection.connection_id;
    let mut items = notable(connection);
    let again = connection.retransmitted_bytes_c2s + connection.retransmitted_bytes_s2c;
    if again > 0 {
        items.push(format!("{} retransmitted", bytes(again)));
    }
    for (kind, noun) in [(EventKind::Violation, "violation"), (EventKind::Advice, "piece")] {
        let count = tables.events.iter().filter(|row| row.connection_id == id && row.kind == kind).count();
        if count > 0 {
            let text = counted(count as u64, noun);
            items.push(if noun == "piece" { format!("{text} of advice") } else { text });
        }
    }
    let unused = tables.subflows.iter().filter(|row| row.connection_id == id && row.unused.is_some()).count();
    if unused > 0 {
        items.push(counted(unused as u64, "unused subflow"));
    }
    items
}
