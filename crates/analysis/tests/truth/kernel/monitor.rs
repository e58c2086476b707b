//! What `ip mptcp monitor` told at both ends: subflows established, addresses announced.

use super::{Capture, exceptions::Why};
use crate::support::{exceptions::Judge, json::Must};
use serde_json::Value;
use std::net::IpAddr;
use subflow_analysis::rows::{Announcement, Direction, Opener, State, Subflow};

pub(super) fn judge(judge: &mut Judge<Why>, capture: &Capture<'_>) {
    for (side, end) in [("client", Direction::C2s), ("server", Direction::S2c)] {
        let Some(events) = capture.scenario.truth["summary"]["path_events"][side].as_array() else {
            continue;
        };
        for event in events {
            match event["event"].text() {
                "SF_ESTABLISHED" => established(judge, capture, side, event),
                "ANNOUNCED" => announced(judge, capture, end, event),
                _ => {}
            }
        }
    }
}

fn addr(event: &Value, side: char) -> IpAddr {
    let member = |family: char| event.get(format!("{side}addr{family}")).map(|addr| addr.text().parse());
    member('4').or(member('6')).expect("an address").expect("of either family")
}

fn number<T: std::str::FromStr>(event: &Value, member: &str) -> Option<T> {
    event.get(member)?.text().parse().ok()
}

fn established(judge: &mut Judge<Why>, capture: &Capture<'_>, side: &str, event: &Value) {
    let local = (addr(event, 's'), number(event, "sport").unwrap_or_default());
    let remote = (addr(event, 'd'), number(event, "dport").unwrap_or_default());
    let mine = |row: &&Subflow| {
        let ends = [(row.src_addr, row.src_port), (row.dst_addr, row.dst_port)];
        ends == [local, remote] || ends == [remote, local]
    };
    let at = |column: &str| format!("{side} {}:{}-{}:{}: {column}", local.0, local.1, remote.0, remote.1);
    let row = capture.tables.subflows.iter().find(mine);
    judge.equal(&capture.name, &at("row"), row.is_some(), true);
    let Some(row) = row else { return };
    judge.equal(&capture.name, &at("opener"), row.opener, Opener::Client);
    // The opener's address id is local to the client and remote to the server.
    let id = number(event, if side == "client" { "locid" } else { "remid" });
    judge.equal(&capture.name, &at("address_id"), row.address_id, id);
    if side == "client" {
        // The client takes a join for established that the server may still refuse.
        return;
    }
    judge.equal(&capture.name, &at("state"), row.state, State::Established);
    judge.equal(&capture.name, &at("backup"), row.backup, event["backup"] == "1");
    judge.equal(&capture.name, &at("hmac_ok"), row.hmac_ok, Some(true));
}

fn announced(judge: &mut Judge<Why>, capture: &Capture<'_>, end: Direction, event: &Value) {
    let (told, id) = (addr(event, 'd'), number(event, "remid"));
    let from = end.reverse();
    let mine = |row: &&Announcement| row.direction == from && row.addr == told && !row.echo;
    let at = |column: &str| format!("announcement of {told} by {from}, id {id:?}: {column}");
    let row = capture.tables.announcements.iter().filter(mine).find(|row| Some(row.address_id) == id);
    judge.equal(&capture.name, &at("row"), row.is_some(), true);
    let Some(row) = row else { return };
    judge.equal(&capture.name, &at("hmac_ok"), row.hmac_ok, Some(true));
    judge.equal(&capture.name, &at("echoed"), row.echoed, Some(true));
    // The event has the port of the connection where the option has none.
    let port: Option<u16> = number(event, "dport");
    judge.equal(&capture.name, &at("port"), row.port.is_none() || row.port == port, true);
    let joined = |row: &&Subflow| row.subflow_id != 0 && row.dst_addr == told && row.opener == Opener::Client;
    let port = row.port;
    let joins = capture.tables.subflows.iter().filter(joined);
    let joined = joins.filter(|row| port.is_none_or(|port| row.dst_port == port)).count() > 0;
    judge.equal(&capture.name, &at("joined"), row.joined, joined);
}
