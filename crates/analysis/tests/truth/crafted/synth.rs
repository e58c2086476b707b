//! `synth_server_trace`: a server's view of a mixed population, with the tables of a server study as its truth.

use super::trace;
use crate::support::{findings::Findings, json::Must, run::run};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use subflow_analysis::{
    rows::{Connection, Fallback, Tables},
    summary::{Summary, is_mptcp, service},
};
use subflow_testdata::folder;

/// Connections that the study counts: established, and MPTCP after the handshake.
fn established(tables: &Tables) -> Vec<&Connection> {
    let rows = tables.connections.iter();
    rows.filter(|row| row.subflows_established > 0 && is_mptcp(row.fallback)).collect()
}

/// A histogram as the truth writes it: numbers as text.
fn histogram(values: impl Iterator<Item = u32>) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for value in values {
        *counts.entry(value.to_string()).or_default() += 1;
    }
    counts
}

fn told(table: &Value) -> BTreeMap<String, u64> {
    table.as_object().unwrap().iter().map(|(name, count)| (name.clone(), count.number())).collect()
}

#[test]
fn every_table_through_rows() {
    let Some(folder) = folder("crafted") else { return };
    let (truth, tables) = trace(&folder, "synth_server_trace");
    let truth = &truth["tables"];
    let mut findings = Findings::default();
    let number = |member: &str| truth[member].number();
    let packets = |mptcp: bool| {
        let rows = tables.traffic.iter().filter(|row| row.mptcp == mptcp);
        rows.map(|row| row.packets).sum::<u64>()
    };
    findings.equal("packets_total", packets(true) + packets(false), number("packets_total"));
    findings.equal("packets_mptcp_connections", packets(true), number("packets_mptcp_connections"));
    findings.equal("packets_plain", packets(false), number("packets_plain"));

    let all = &tables.connections;
    let rows = established(&tables);
    let versions = |version: u8| rows.iter().filter(|row| row.version == Some(version)).count() as u64;
    findings.equal("mptcp_syn_seen", all.len() as u64, number("mptcp_syn_seen"));
    findings.equal("mptcp_established", rows.len() as u64, number("mptcp_established"));
    findings.equal("mptcp_established_v0", versions(0), number("mptcp_established_v0"));
    findings.equal("mptcp_established_v1", versions(1), number("mptcp_established_v1"));
    let fallbacks = all.iter().filter(|row| row.fallback != Fallback::None).count() as u64;
    findings.equal("fallback", fallbacks, number("fallback"));
    let initial_v6 = rows.iter().filter(|row| row.client_addr.is_ipv6()).count() as u64;
    findings.equal("initial_v6", initial_v6, number("initial_v6"));

    let mut ports = histogram(rows.iter().map(|row| u32::from(row.server_port)));
    let named = told(&truth["by_port"]);
    let others: u64 =
        ports.iter().filter(|(port, _)| !named.contains_key(*port)).map(|(_, count)| count).sum();
    ports.retain(|port, _| named.contains_key(port));
    findings.equal("by_port", ports, named);
    findings.equal("other_ports", others, number("other_ports"));

    let attempted = histogram(rows.iter().map(|row| row.subflows_attempted));
    findings.equal("subflows_attempted_hist", attempted, told(&truth["subflows_attempted_hist"]));
    let subflows = histogram(rows.iter().map(|row| row.subflows_established));
    findings.equal("subflows_established_hist", subflows, told(&truth["subflows_established_hist"]));

    let announcing = rows.iter().filter(|row| row.addresses_announced > 0).count() as u64;
    findings.equal("connections_with_add_addr", announcing, number("connections_with_add_addr"));
    let announced: Vec<_> = tables.announcements.iter().filter(|row| !row.echo).collect();
    findings.equal("add_addr_total", announced.len() as u64, number("add_addr_total"));
    let distinct: BTreeSet<_> = announced.iter().map(|row| row.addr).collect();
    findings.equal("add_addr_distinct", distinct.len() as u64, number("add_addr_distinct"));
    let mut classes: BTreeMap<String, (u64, BTreeSet<_>)> = BTreeMap::new();
    for row in &announced {
        let class = classes.entry(row.class.to_owned()).or_default();
        class.0 += 1;
        class.1.insert(row.addr);
    }
    let totals: BTreeMap<_, _> = classes.iter().map(|(name, class)| (name.clone(), class.0)).collect();
    findings.equal("add_addr_classes", totals, told(&truth["add_addr_classes"]));
    let sizes: BTreeMap<_, _> =
        classes.iter().map(|(name, class)| (name.clone(), class.1.len() as u64)).collect();
    findings.equal("add_addr_classes_distinct", sizes, told(&truth["add_addr_classes_distinct"]));

    let sum = |column: fn(&Connection) -> u64| rows.iter().map(|row| column(row)).sum::<u64>();
    let data = [sum(|row| row.bytes_c2s), sum(|row| row.bytes_s2c)];
    findings.equal("data_bytes", data, truth["data_bytes"].pair());
    let reinjected = [sum(|row| row.reinjected_bytes_c2s), sum(|row| row.reinjected_bytes_s2c)];
    findings.equal("reinjected_bytes", reinjected, truth["reinjected_bytes"].pair());
    let with =
        rows.iter().filter(|row| row.reinjected_bytes_c2s + row.reinjected_bytes_s2c > 0).count() as u64;
    findings.equal("connections_with_reinjection", with, number("connections_with_reinjection"));
    let by_row: BTreeSet<_> = tables.reinjections.iter().map(|row| row.connection_id).collect();
    findings.equal("connections in reinjections", by_row.len() as u64, with);
    let bytes: u64 = tables.reinjections.iter().map(|row| row.bytes).sum();
    findings.equal("bytes in reinjections", bytes, reinjected[0] + reinjected[1]);
    let again = sum(|row| row.retransmitted_bytes_c2s + row.retransmitted_bytes_s2c);
    findings.equal("tcp_retransmitted_bytes", again, number("tcp_retransmitted_bytes"));
    let aborted = tables.events.iter().filter(|row| row.kind.as_str() == "fastclose").count() as u64;
    findings.equal("fastclose", aborted, number("fastclose"));
    findings.settle(25);
}

#[test]
fn every_table_through_the_summary() {
    let Some(folder) = folder("crafted") else { return };
    let (truth, tables) = trace(&folder, "synth_server_trace");
    let truth = &truth["tables"];
    let (summary, packets) = run(&folder.join("synth_server_trace.pcap"), Summary::default());
    let mut findings = Findings::default();
    let number = |member: &str| truth[member].number();
    findings.equal("packets read", packets, number("packets_total"));
    findings.equal("tcp", summary.tcp.total.packets, number("packets_total"));
    findings.equal("tcp by family", summary.tcp.ipv4.packets + summary.tcp.ipv6.packets, packets);
    findings.equal("mptcp", summary.mptcp.total.packets, number("packets_mptcp_connections"));
    let plain = summary.tcp.total.packets - summary.mptcp.total.packets;
    findings.equal("plain", plain, number("packets_plain"));
    findings.equal("connections", summary.connections, number("mptcp_syn_seen"));
    findings.equal("established", summary.established, number("mptcp_established"));
    let version = |version| summary.versions.get(&Some(version)).copied();
    findings.equal("v0", version(0), Some(number("mptcp_established_v0")));
    findings.equal("v1", version(1), Some(number("mptcp_established_v1")));
    let fallbacks = summary.fallbacks.iter().filter(|(kind, _)| **kind != Fallback::None);
    findings.equal("fallbacks", fallbacks.map(|(_, count)| count).sum::<u64>(), number("fallback"));

    let mut others = number("other_ports");
    for (port, count) in told(&truth["by_port"]) {
        let used = summary.services.get(service(port.parse().ok())).map(|service| service.connections);
        findings.equal(&format!("service of port {port}"), used, Some(count));
        others += count;
    }
    let all: u64 = summary.services.values().map(|service| service.connections).sum();
    findings.equal("all services", all, others);
    let all: u64 = summary.services.values().map(|service| service.mptcp.packets).sum();
    findings.equal("all services' MPTCP packets", all, summary.mptcp.total.packets);

    let text = |counts: &BTreeMap<u32, u64>| {
        counts.iter().map(|(subflows, count)| (subflows.to_string(), *count)).collect::<BTreeMap<_, _>>()
    };
    findings.equal("attempted", text(&summary.attempted), told(&truth["subflows_attempted_hist"]));
    findings.equal("subflows", text(&summary.subflows), told(&truth["subflows_established_hist"]));
    findings.equal("announcing", summary.announcing, number("connections_with_add_addr"));
    let announced = summary.announced.iter();
    let totals: BTreeMap<_, _> =
        announced.clone().map(|(class, seen)| ((*class).to_owned(), seen.announcements)).collect();
    findings.equal("announcements by class", totals, told(&truth["add_addr_classes"]));
    let sizes: BTreeMap<_, _> =
        announced.map(|(class, seen)| ((*class).to_owned(), seen.addresses.len() as u64)).collect();
    findings.equal("addresses by class", sizes, told(&truth["add_addr_classes_distinct"]));
    findings.equal("data_bytes", summary.data_bytes, truth["data_bytes"].pair());
    findings.equal("reinjected_bytes", summary.reinjected_bytes, truth["reinjected_bytes"].pair());
    findings.equal("reinjecting", summary.reinjected.with_any, number("connections_with_reinjection"));
    findings.equal("retransmitted", summary.retransmitted_bytes, number("tcp_retransmitted_bytes"));
    let closed = summary.closes.iter().find(|(close, _)| close.as_str() == "fastclose");
    findings.equal("fastclose", closed.map(|(_, count)| *count), Some(number("fastclose")));
    // The study counts as clients whoever opened an established connection; the hosts table knows them all.
    let clients: BTreeSet<_> = established(&tables).iter().map(|row| row.client_addr).collect();
    findings.equal("clients of established connections", clients.len() as u64, number("client_hosts"));
    let clients: BTreeSet<_> = tables.connections.iter().map(|row| row.client_addr).collect();
    findings.equal("clients", summary.clients, clients.len() as u64);
    findings.settle(27);
}

#[test]
fn plain_connections_are_no_rows() {
    let Some(folder) = folder("crafted") else { return };
    let (truth, tables) = trace(&folder, "synth_server_trace");
    let plain = truth["plain"].list();
    assert_eq!(plain.len() as u64, truth["tables"]["plain_tcp"].number());
    let clients: BTreeSet<_> =
        tables.connections.iter().map(|row| (row.client_addr, row.client_port)).collect();
    let mut ports: BTreeMap<u16, u64> = BTreeMap::new();
    for truth in plain {
        assert!(!clients.contains(&truth["client"].end()), "{}", truth["client"]);
        *ports.entry(truth["server"].end().1).or_default() += truth["packets"].number();
    }
    let mut seen: BTreeMap<u16, u64> = BTreeMap::new();
    for row in tables.traffic.iter().filter(|row| !row.mptcp) {
        *seen.entry(row.service_port.expect("whole headers")).or_default() += row.packets;
    }
    assert_eq!(seen, ports, "packets of plain TCP by port");
}
