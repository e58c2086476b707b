//! Counts over a whole capture: packets, connections, joins, fallbacks, handovers, TCP's own retransmissions.

use super::{Capture, Vantage, exceptions::Why};
use crate::support::{
    exceptions::Judge,
    json::Must,
    run::{Ask, BOTH},
};
use subflow_analysis::{
    rows::{Direction, Fallback, State, Subflow},
    summary::is_mptcp,
};

pub(super) fn judge(judge: &mut Judge<Why>, capture: &Capture<'_>) {
    let (tables, name) = (&capture.tables, capture.name.as_str());
    let scenario = capture.scenario;
    let kernel = &scenario.truth["summary"]["kernel"];
    // What a capture with several interfaces held is not in the truth.
    if let Some(captured) = capture.truth["captured"].as_u64() {
        judge.equal(name, "packets", tables.tcp_packets(), captured);
    }
    let connections = tables.connections.len() as u64;
    judge.equal(name, "connections", connections, kernel.count("mp_capable_syn_sent"));
    let rows = tables.connections.iter().filter(|row| row.subflows_established > 0 && is_mptcp(row.fallback));
    judge.equal(name, "MPTCP connections", rows.count() as u64, kernel.count("mp_capable_ack_received"));
    judge.equal(name, "fallbacks", fallbacks(capture), fell_back(capture));
    let handovers: u32 = tables.connections.iter().map(|row| row.handovers).sum();
    judge.equal(name, "handovers", handovers, u32::from(scenario.truth["expected"]["handover"] == true));
    judge.equal(name, "versions", tables.connections.iter().all(|row| row.version == Some(1)), true);
    judge.equal(name, "issues", tables.issues.len(), 0);
    joins(judge, capture);
    retransmissions(judge, capture);
}

fn fallbacks(capture: &Capture<'_>) -> u64 {
    capture.tables.connections.iter().filter(|row| row.fallback != Fallback::None).count() as u64
}

/// Connections that fell back, as the kernels count them: each place of fallback has its counter, and both ends may
/// count the same one.
fn fell_back(capture: &Capture<'_>) -> u64 {
    let counters = [
        "MPTcpExtMPCapableFallbackSYNACK",
        "MPTcpExtMPCapableFallbackACK",
        "MPTcpExtDssFallback",
        "MPTcpExtInfiniteMapTx",
        "MPTcpExtMPCapableSYNTXDrop",
    ];
    let both = BOTH.into_iter().flat_map(|host| counters.map(|name| capture.scenario.counter(host, name)));
    both.max().unwrap_or(0)
}

/// Joins asked for and accepted, each counted by the kernel on whose side the capture is.
fn joins(judge: &mut Judge<Why>, capture: &Capture<'_>) {
    let name = capture.name.as_str();
    let count = |states: &[State]| {
        let joins = capture.tables.subflows.iter().filter(|row| row.subflow_id != 0);
        joins.filter(|row| states.is_empty() || states.contains(&row.state)).count() as u64
    };
    let kernel = |client: &str, server: &str| match capture.vantage {
        Vantage::Client | Vantage::Between => capture.scenario.counter(Direction::C2s, client),
        Vantage::Server => capture.scenario.counter(Direction::S2c, server),
    };
    let asked = kernel("MPTcpExtMPJoinSynTx", "MPTcpExtMPJoinSynRx");
    judge.equal(name, "joins attempted", count(&[]), asked);
    let accepted = capture.scenario.counter(Direction::S2c, "MPTcpExtMPJoinAckRx");
    judge.equal(name, "joins established", count(&[State::Established]), accepted);
    let unknown = capture.scenario.counter(Direction::S2c, "MPTcpExtMPJoinNoTokenFound");
    judge.equal(name, "joins refused", count(&[State::Refused]), unknown);
    if capture.vantage == Vantage::Client {
        let answered = capture.scenario.counter(Direction::C2s, "MPTcpExtMPJoinSynAckRx");
        let states = [State::Established, State::Reset, State::Unconfirmed];
        judge.equal(name, "joins answered", count(&states), answered);
    }
}

/// Packets that TCP sent again, where the capture sees all that the sender sent. The kernel's counter has SYNs and
/// bare FINs, too, and plain TCP.
fn retransmissions(judge: &mut Judge<Why>, capture: &Capture<'_>) {
    for host in BOTH {
        if !capture.sees_sender(host) {
            continue;
        }
        let column = |row: &Subflow| match host {
            Direction::C2s => row.retransmitted_packets_c2s,
            Direction::S2c => row.retransmitted_packets_s2c,
        };
        let sent_again: u64 = capture.tables.subflows.iter().map(column).sum();
        let truth = capture.scenario.counter(host, "TcpRetransSegs");
        judge.equal(&capture.name, &format!("retransmitted_packets {host}"), sent_again, truth);
    }
}
