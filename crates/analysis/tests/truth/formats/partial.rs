//! Containers that hold a part of the base: what is there gives the rows of that part.

use super::{BASE, PACKETS, base};
use crate::support::{
    compare::{EXACT, Tolerance, differences},
    run::{Ask, run, tables, tables_where},
};
use subflow_analysis::rows::{State, Tables};
use subflow_capture::Packet;
use subflow_testdata::folder;
use subflow_wire::{Dissection, dissect, tcp::Tcp};

/// The base's rows as they stand, but for the numbers of frames.
const RENUMBERED: Tolerance = Tolerance { without: &["frame"], ..EXACT };

/// IP version and TCP source port.
fn flow(packet: &Packet<'_>) -> (bool, u16) {
    let Dissection::Ip(ip) = dissect(packet.link, packet.data, packet.wire_len) else { panic!("not IP") };
    (ip.src.is_ipv6(), Tcp::parse(ip.payload).expect("a whole header").src_port())
}

#[test]
fn a_cut_file_keeps_what_stands_before_the_cut() {
    let Some(folder) = folder("formats") else { return };
    let (cut, packets) = run(&folder.join("cut_in_packet.pcap"), Tables::default());
    assert_eq!(packets, 106);
    let prefix = tables_where(&folder.join(BASE), |packet| packet.frame <= 106);
    assert_eq!(differences(&prefix, &cut, EXACT), [""; 0]);
    assert_eq!(cut.issues.len(), 1, "{:?}", cut.issues);
    assert!(cut.issues[0].reason.contains("ends inside a packet") && cut.issues[0].lost);
    assert!(cut.issues[0].offset.is_some_and(|offset| offset < 73_201), "{:?}", cut.issues[0].offset);
}

#[test]
fn a_file_without_packets_has_no_rows() {
    let Some(folder) = folder("formats") else { return };
    for (name, issues) in [("cut_after_header.pcap", 0), ("cut_in_header.pcap", 1)] {
        let (tables, packets) = run(&folder.join(name), Tables::default());
        assert_eq!(packets, 0, "{name}");
        assert_eq!(differences(&Tables::default(), &tables, EXACT), [""; 0], "{name}");
        assert_eq!(tables.issues.len(), issues, "{name}: {:?}", tables.issues);
        assert!(tables.issues.iter().all(|issue| issue.lost && issue.reason.contains("file header")));
    }
}

#[test]
fn one_family_gives_its_subflow() {
    let Some(folder) = folder("formats") else { return };
    for (name, v6, packets) in [("lt_ipv4_228.pcap", false, 16), ("lt_ipv6_229.pcap", true, 148)] {
        let part = tables(&folder.join(name));
        assert_eq!(part.tcp_packets(), packets, "{name}");
        let wanted = tables_where(&folder.join(BASE), |packet| flow(packet).0 == v6);
        assert_eq!(differences(&wanted, &part, RENUMBERED), [""; 0], "{name}");
        assert!(part.issues.is_empty(), "{name}: {:?}", part.issues);
        let row = &part.connections[0];
        assert_eq!((part.connections.len(), row.subflows_attempted), (1, 1), "{name}");
        assert_eq!(row.complete, v6, "{name}: the initial subflow is the IPv6 one");
        let data = if v6 { (30_057, 60_000) } else { (0, 0) };
        assert_eq!((row.bytes_c2s, row.bytes_s2c), data, "{name}");
    }
}

#[test]
fn one_direction_is_still_a_connection() {
    let Some(folder) = folder("formats") else { return };
    let part = tables(&folder.join("one_direction_s2c.pcap"));
    let wanted = tables_where(&folder.join(BASE), |packet| flow(packet).1 == 5001);
    assert_eq!(differences(&wanted, &part, RENUMBERED), [""; 0]);
    let (row, whole) = (&part.connections[0], &base(&folder).connections[0]);
    assert_eq!(part.connections.len(), 1, "both subflows belong to it");
    assert_eq!((row.bytes_c2s, row.bytes_s2c, row.complete), (0, 60_000, false));
    assert_eq!((row.client_addr, row.client_port), (whole.client_addr, whole.client_port));
    assert_eq!((row.server_key, row.server_token), (whole.server_key, whole.server_token));
    assert_eq!((row.client_key, row.client_token), (None, None), "the client's key went the other way");
    let packets: Vec<_> = part.subflows.iter().map(|row| (row.packets_c2s, row.packets_s2c)).collect();
    assert_eq!(packets.iter().map(|packets| packets.0).sum::<u64>(), 0);
    assert_eq!(packets.iter().map(|packets| packets.1).sum::<u64>(), row.packets);
}

#[test]
fn packets_of_unknown_interfaces_are_skipped() {
    let Some(folder) = folder("formats") else { return };
    let (tables, packets) = run(&folder.join("ng_epb_bad_iface.pcapng"), Tables::default());
    assert_eq!(tables.issues.len(), 1, "{:?}", tables.issues);
    assert!(tables.issues[0].lost && tables.issues[0].reason.contains("interface"));
    assert_eq!(packets + tables.issues[0].count, PACKETS);
    // Every fifth packet, from the first on, names the interface that there is.
    let wanted = tables_where(&folder.join(BASE), |packet| packet.frame % 5 == 1);
    assert_eq!(differences(&wanted, &tables, EXACT), [""; 0]);
}

#[test]
fn a_snap_length_within_the_header_leaves_the_traffic() {
    let Some(folder) = folder("formats") else { return };
    let base = base(&folder);
    let sum = |tables: &Tables| {
        let rows = tables.traffic.iter();
        rows.map(|row| (row.family, row.service_port, row.packets, row.bytes)).collect::<Vec<_>>()
    };
    for name in ["snap_054.pcap", "snap_060.pcap"] {
        let tables = tables(&folder.join(name));
        let mut wanted = sum(&base);
        if name == "snap_054.pcap" {
            // Nothing is left behind the IPv6 header, so not even ports.
            wanted[1].1 = None;
        }
        assert_eq!(sum(&tables), wanted, "{name}");
        assert!(tables.connections.is_empty() && tables.traffic.iter().all(|row| !row.mptcp), "{name}");
        // The header of TCP over IPv6 is cut, that over IPv4 is whole, without its options.
        let cut = tables.issues.iter().find(|issue| issue.reason.contains("TCP header cut"));
        assert_eq!(
            cut.map(|issue| (issue.count, issue.lost)),
            Some((148, true)),
            "{name}: {:?}",
            tables.issues
        );
    }
}

#[test]
fn a_snap_length_within_the_options_leaves_what_fits() {
    let Some(folder) = folder("formats") else { return };
    let (whole, tables) = (base(&folder), tables(&folder.join("snap_096.pcap")));
    assert_eq!(tables.tcp_packets(), PACKETS);
    // Over IPv4 everything fits, so the join is there, with the token of a connection that does not show.
    let row = &tables.connections[0];
    assert_eq!((tables.connections.len(), row.packets, row.complete), (1, 16, false));
    assert_eq!(row.server_token, whole.connections[0].server_token);
    let (join, known) = (&tables.subflows[0], &whole.subflows[1]);
    assert_eq!((join.state, join.address_id), (State::Established, known.address_id));
    assert_eq!((join.src_addr, join.src_port), (known.src_addr, known.src_port));
    assert_eq!(join.hmac_ok, None, "without keys nobody can tell");
}

#[test]
fn options_that_a_snap_length_cuts_are_told() {
    let Some(folder) = folder("formats") else { return };
    // Of the options over IPv6 only a part is there: those packets look like plain TCP, so an issue has to say why.
    let issues = tables(&folder.join("snap_096.pcap")).issues;
    assert!(issues.iter().any(|issue| issue.lost), "options are missing, and no issue says so: {issues:?}");
}
