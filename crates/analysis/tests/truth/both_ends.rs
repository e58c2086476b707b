//! Captures of both ends, read as one: each packet counts once, as its sender's capture shows it.

use crate::support::run::{run, tables};
use std::collections::BTreeSet;
use subflow_analysis::rows::{Connection, Tables};
use subflow_testdata::folder;

/// Scenarios without a box that changes packets, with IPv4 and IPv6, losses, a dead path, many connections.
const SCENARIOS: [&str; 9] = [
    "01_single_v4",
    "02_dual_client",
    "04_handover_blackhole",
    "04_path_flap",
    "06_dualstack_v4first",
    "09_mp_prio",
    "10_many_short",
    "27_subflow_reset",
    "32_rtt_steps",
];

/// Payload that was sent: by the clients as their capture shows it, by the servers as theirs does.
fn sent(tables: &Tables) -> (u64, u64) {
    tables.subflows.iter().fold((0, 0), |(c2s, s2c), row| (c2s + row.bytes_c2s, s2c + row.bytes_s2c))
}

#[test]
fn each_packet_counts_once() {
    let Some(truth) = folder("truth") else { return };
    for name in SCENARIOS {
        let (client, server) =
            (tables(&truth.join(name).join("client.pcap")), tables(&truth.join(name).join("server.pcap")));
        let (mut both, _) = run(&truth.join(name), Tables::default());
        both.sort();
        assert_eq!(both.connections.len(), client.connections.len(), "{name}");
        assert_eq!(sent(&both), (sent(&client).0, sent(&server).1), "{name}: payload sent");
        let data = |tables: &Tables| -> BTreeSet<_> {
            let key = |row: &Connection| {
                (row.client_addr, row.client_port, row.fallback, row.bytes_c2s, row.bytes_s2c)
            };
            tables.connections.iter().map(key).collect()
        };
        assert_eq!(
            data(&both),
            data(&client),
            "{name}: connections with their data, as the clients saw them"
        );
        // Both ends send into the void for a while: seen together, neither falls silent, and a handover may not show.
        let handovers = |tables: &Tables| tables.connections.iter().map(|row| row.handovers).sum::<u32>();
        assert!(handovers(&both) <= handovers(&client).max(handovers(&server)), "{name}");
        let copies = both.issues.iter().find(|issue| issue.reason.contains("another capture point"));
        assert!(copies.is_some_and(|issue| issue.count > 0 && !issue.lost), "{name}: {:?}", both.issues);
    }
}
