//! What there is to explain in each connection of a capture.

use super::words::{counted, grouped};
use std::net::SocketAddr;
use subflow_analysis::rows::{Close, Connection, EventKind, Fallback, State, Tables};

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
    let mut items = Vec::new();
    if connection.fallback != Fallback::None {
        items.push(format!("fallback ({})", connection.fallback));
    }
    if connection.handovers > 0 {
        items.push(counted(u64::from(connection.handovers), "handover"));
    }
    let failed = tables.subflows.iter().filter(|row| {
        row.connection_id == id
            && row.subflow_id > 0
            && !matches!(row.state, State::Established | State::Midstream)
    });
    let failed = failed.count() as u64;
    if failed > 0 {
        items.push(counted(failed, "failed join"));
    }
    match connection.close {
        Close::FastClose => items.push("aborted by MP_FASTCLOSE".to_owned()),
        Close::Reset => items.push("reset".to_owned()),
        _ => {}
    }
    let reinjected = connection.reinjected_bytes_c2s + connection.reinjected_bytes_s2c;
    if reinjected > 0 {
        items.push(format!("{} B reinjected", grouped(reinjected)));
    }
    let again = connection.retransmitted_bytes_c2s + connection.retransmitted_bytes_s2c;
    if again > 0 {
        items.push(format!("{} B retransmitted", grouped(again)));
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
