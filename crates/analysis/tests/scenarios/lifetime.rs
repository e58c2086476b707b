//! When flows and connections begin and end, and what the filters keep.

use crate::lab::{
    ACK, C2S, CLIENT, CLIENT2, FIN_ACK, Joining, Lab, Path, S2C, SERVER, SYN, SYN_ACK, Shot, VERSIONS, data,
    data_fin, join, open,
};
use subflow_analysis::{
    Filter, Options,
    rows::{Close, Family},
};
use subflow_wire::keys::Version;

#[test]
fn a_new_syn_on_an_old_tuple_is_a_new_connection() {
    for version in VERSIONS {
        let mut lab = Lab::new();
        for isn in [1000, 900_000] {
            let mut path = Path::new(CLIENT, SERVER);
            path.isn[C2S] = isn;
            path.next[C2S] = isn;
            open(&mut lab, &mut path, version);
            data(&mut lab, &mut path, version, C2S, 0, 100);
        }
        let tables = lab.analyze();
        assert_eq!(tables.connections.iter().map(|row| row.bytes_c2s).collect::<Vec<_>>(), [100, 100]);
        assert_eq!(tables.subflows[0].reset_reason, Some("4-tuple used again"));
    }
}

#[test]
fn silence_ends_a_connection() {
    let version = Version::V1;
    for (silence_ms, connections) in [(3_000_000, 1), (4_000_000, 2)] {
        let (mut lab, mut path) = (Lab::new(), Path::new(CLIENT, SERVER));
        open(&mut lab, &mut path, version);
        data(&mut lab, &mut path, version, C2S, 0, 100);
        lab.wait(silence_ms);
        data(&mut lab, &mut path, version, C2S, 100, 100);
        let tables = lab.analyze();
        assert_eq!(tables.connections.len(), connections);
        if connections == 2 {
            assert_eq!(
                (tables.connections[0].close, tables.connections[1].complete),
                (Close::Timeout, false)
            );
        }
    }
}

#[test]
fn data_fin_both_ways_is_a_proper_close() {
    for version in VERSIONS {
        let (mut lab, mut path) = (Lab::new(), Path::new(CLIENT, SERVER));
        open(&mut lab, &mut path, version);
        data_fin(&mut lab, &mut path, version, C2S, 0);
        data_fin(&mut lab, &mut path, version, S2C, 0);
        lab.send(&mut path, C2S, &Shot::new(FIN_ACK, &[], 0));
        lab.send(&mut path, S2C, &Shot::new(FIN_ACK, &[], 0));
        assert_eq!(lab.analyze().connections[0].close, Close::DataFin);
    }
}

/// An MPTCP connection on port 80 joined from elsewhere, and a plain one on port 443 over IPv6.
fn mixed() -> Lab {
    let (mut lab, mut first, mut second) =
        (Lab::new(), Path::new(CLIENT, SERVER), Path::new(CLIENT2, SERVER));
    open(&mut lab, &mut first, Version::V1);
    join(&mut lab, &mut second, &Joining::new(C2S, Version::V1, 1));
    let mut plain = Path::new("[2001:db8::1]:50000", "[2001:db8::2]:443");
    lab.send(&mut plain, C2S, &Shot::new(SYN, &[], 0));
    lab.send(&mut plain, S2C, &Shot::new(SYN_ACK, &[], 0));
    lab.send(&mut plain, C2S, &Shot::new(ACK, &[], 100));
    lab
}

#[test]
fn traffic_is_counted_by_family_kind_and_service() {
    let tables = mixed().analyze();
    let rows: Vec<_> = tables
        .traffic
        .iter()
        .map(|row| (row.family, row.mptcp, row.service_port, row.packets, row.bytes))
        .collect();
    let mptcp = 6 * 40 + (4 + 12 + 20) + (12 + 16 + 24);
    assert_eq!(
        rows,
        [(Family::Ipv4, true, Some(80), 6, mptcp), (Family::Ipv6, false, Some(443), 3, 3 * 60 + 100),]
    );
    assert_eq!(tables.hosts.len(), 3);
    let server = tables.hosts.iter().find(|host| host.connections_as_server == 1).unwrap();
    assert_eq!((server.packets, server.joins), (6, 1));
}

#[test]
fn filters_keep_whole_connections() {
    let lab = mixed();
    let run = |filter: Filter| {
        let tables = lab.analyze_with(Options { filter, ..Options::default() });
        (tables.connections.len(), tables.subflows.len(), tables.traffic.len())
    };
    assert_eq!(run(Filter { ports: vec![80], ..Filter::default() }), (1, 2, 1));
    assert_eq!(run(Filter { ports: vec![443], ..Filter::default() }), (0, 0, 1));
    let joined_from = vec!["10.0.1.0/24".parse().unwrap()];
    assert_eq!(run(Filter { hosts: joined_from, ..Filter::default() }), (1, 2, 1));
    assert_eq!(run(Filter { connections: vec![0], ..Filter::default() }), (1, 2, 1));
    assert_eq!(run(Filter { connections: vec![1], ..Filter::default() }), (0, 0, 0));
    let late = lab.now;
    assert_eq!(run(Filter { since_ns: Some(late), ..Filter::default() }), (0, 0, 0));
    assert_eq!(run(Filter { until_ns: Some(late), ..Filter::default() }), (1, 2, 2));
}
