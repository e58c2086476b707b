//! Each connection against both sockets: tokens, first DSNs, bytes of both applications, reinjections, checksums.

use super::{Capture, exceptions::Why};
use crate::support::{
    exceptions::Judge,
    json::Must,
    run::{Ask, BOTH},
};
use serde_json::Value;
use subflow_analysis::rows::{Connection, Direction, Fallback, Subflow};

pub(super) fn judge(judge: &mut Judge<Why>, capture: &Capture<'_>) {
    let name = capture.name.as_str();
    for (index, truth) in capture.scenario.connections() {
        let at = |column: &str| format!("connection {index}: {column}");
        let row = capture.row_of(truth);
        judge.equal(name, &at("row"), row.is_some(), true);
        let Some(row) = row else { continue };
        judge.equal(name, &at("complete"), row.complete, true);
        numbers(judge, capture, &at, row, truth);
        bytes(judge, capture, &at, row, truth);
        subflows(judge, capture, &at, row, truth);
        if let Some(info) = info(capture, index, truth) {
            // Of a connection that fell back the kernel forgets what had been agreed.
            if row.fallback == Fallback::None {
                let checksum = info["csum_enabled"].as_u64().map(|enabled| enabled != 0);
                judge.equal(name, &at("checksum"), row.checksum, checksum);
            }
        }
    }
}

/// What the client's socket said of itself (MPTCP_INFO), where the truth has it.
fn info<'a>(capture: &'a Capture<'_>, index: usize, truth: &Value) -> Option<&'a Value> {
    truth.get("client_token")?;
    let info = &capture.scenario.truth["connections"][index]["client"]["info"];
    info.is_object().then_some(info)
}

fn numbers(
    judge: &mut Judge<Why>,
    capture: &Capture<'_>,
    at: &dyn Fn(&str) -> String,
    row: &Connection,
    truth: &Value,
) {
    let name = capture.name.as_str();
    let token = |member: &str| truth.get(member).map(|token| token.text().to_owned());
    let text = |token: Option<subflow_rows::Hex32>| token.map(|token| format!("{:08x}", token.0));
    if let Some(token) = token("client_token") {
        judge.equal(name, &at("client_token"), text(row.client_token), Some(token));
    }
    if let Some(token) = token("server_token") {
        judge.equal(name, &at("server_token"), text(row.server_token), Some(token));
    }
    let first = |member: &str| truth.get(member).map(Must::number);
    if let Some(dsn) = first("client_first_dsn") {
        judge.equal(name, &at("client_first_dsn"), row.client_first_dsn.map(|dsn| dsn.0), Some(dsn));
    }
    if let Some(dsn) = first("server_first_dsn") {
        judge.equal(name, &at("server_first_dsn"), row.server_first_dsn.map(|dsn| dsn.0), Some(dsn));
    }
}

/// What each application wrote and what the other one read.
fn bytes(
    judge: &mut Judge<Why>,
    capture: &Capture<'_>,
    at: &dyn Fn(&str) -> String,
    row: &Connection,
    truth: &Value,
) {
    let name = capture.name.as_str();
    let seen = [row.bytes_c2s + row.fast_open_bytes, row.bytes_s2c];
    let told = [
        ("app_bytes_client_to_server", "app_bytes_received_by_server"),
        ("app_bytes_server_to_client", "app_bytes_received_by_client"),
    ];
    for ((direction, seen), (sent, received)) in BOTH.into_iter().zip(seen).zip(told) {
        if let Some(sent) = truth[sent].as_u64() {
            judge.equal(name, &at(&format!("bytes {direction} of the sender")), seen, sent);
        }
        if let Some(received) = truth[received].as_u64() {
            judge.equal(name, &at(&format!("bytes {direction} of the receiver")), seen, received);
        }
    }
    // The kernel counts a mapping as sent again whether it takes another subflow or the same one.
    let again = [
        ("client_reinjected_bytes", row.reinjected_bytes_c2s + row.meta_retransmitted_bytes_c2s),
        ("server_reinjected_bytes", row.reinjected_bytes_s2c + row.meta_retransmitted_bytes_s2c),
    ];
    for (member, seen) in again {
        if let Some(told) = truth[member].as_u64() {
            judge.equal(name, &at(member), seen, told);
        }
    }
}

/// Bytes that each end's TCP had received on each subflow when it was asked, after the transfer.
fn subflows(
    judge: &mut Judge<Why>,
    capture: &Capture<'_>,
    at: &dyn Fn(&str) -> String,
    row: &Connection,
    truth: &Value,
) {
    let views = [("subflows_client_view", Direction::S2c), ("subflows_server_view", Direction::C2s)];
    let rows = capture.tables.subflows_of(row.connection_id);
    for (view, direction) in views {
        // What one end received is seen in full only where that end is.
        if capture.sees_sender(direction) || truth.get(view).is_none() {
            continue;
        }
        for told in truth[view].list() {
            let (local, remote) = (told["local"].end(), told["remote"].end());
            let mine = |row: &&&Subflow| {
                let ends = [(row.src_addr, row.src_port), (row.dst_addr, row.dst_port)];
                ends == [local, remote] || ends == [remote, local]
            };
            let column = at(&format!("{view} {} to {}", local.0, remote.0));
            let seen = rows.iter().find(mine).map(|row| match direction {
                Direction::C2s => row.unique_bytes_c2s,
                Direction::S2c => row.unique_bytes_s2c,
            });
            judge.equal(&capture.name, &column, seen, Some(told["received"].number()));
        }
    }
}
