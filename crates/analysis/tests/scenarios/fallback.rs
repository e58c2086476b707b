//! Every way to fall back to plain TCP.

use crate::lab::{
    ACK, C2S, CLIENT, CLIENT2, FIN_ACK, Joining, KEYS, Lab, Path, S2C, SERVER, SYN, SYN_ACK, Shot, VERSIONS,
    capable, capable_syn, data, dsn, join, map, open,
};
use subflow_analysis::rows::{Close, EventKind, Fallback};
use subflow_wire::mptcp::{Dsn, Dss, Fail, Mapping, Mptcp};

/// Plain data both ways and a plain close.
fn finish_plain(lab: &mut Lab, path: &mut Path) {
    lab.send(path, C2S, &Shot::new(ACK, &[], 200));
    lab.send(path, S2C, &Shot::new(ACK, &[], 500));
    lab.send(path, C2S, &Shot::new(FIN_ACK, &[], 0));
    lab.send(path, S2C, &Shot::new(FIN_ACK, &[], 0));
}

fn check(lab: &Lab, fallback: Fallback, bytes: (u64, u64)) {
    let tables = lab.analyze();
    let row = &tables.connections[0];
    assert_eq!((row.fallback, (row.bytes_c2s, row.bytes_s2c), row.close), (fallback, bytes, Close::Fin));
    assert_eq!(tables.events.iter().filter(|event| event.kind == EventKind::Fallback).count(), 1);
    assert_eq!(tables.traffic.iter().map(|row| row.mptcp).collect::<Vec<_>>(), [true]);
}

#[test]
fn no_option_in_the_answer() {
    for version in VERSIONS {
        let (mut lab, mut path) = (Lab::new(), Path::new(CLIENT, SERVER));
        lab.send(&mut path, C2S, &Shot::new(SYN, &[capable_syn(version)], 0));
        lab.send(&mut path, S2C, &Shot::new(SYN_ACK, &[], 0));
        lab.send(&mut path, C2S, &Shot::new(ACK, &[], 0));
        finish_plain(&mut lab, &mut path);
        check(&lab, Fallback::SynAck, (200, 500));
    }
}

#[test]
fn the_clients_own_option_in_the_answer() {
    for version in VERSIONS {
        let (mut lab, mut path) = (Lab::new(), Path::new(CLIENT, SERVER));
        lab.send(&mut path, C2S, &Shot::new(SYN, &[capable_syn(version)], 0));
        lab.send(&mut path, S2C, &Shot::new(SYN_ACK, &[capable_syn(version)], 0));
        finish_plain(&mut lab, &mut path);
        check(&lab, Fallback::Mirror, (200, 500));
    }
}

#[test]
fn the_syn_tried_again_without_the_option() {
    for version in VERSIONS {
        let (mut lab, mut path) = (Lab::new(), Path::new(CLIENT, SERVER));
        let seq = Some(path.isn[C2S]);
        lab.send(&mut path, C2S, &Shot { seq, ..Shot::new(SYN, &[capable_syn(version)], 0) });
        lab.wait(1000);
        lab.send(&mut path, C2S, &Shot { seq, ..Shot::new(SYN, &[], 0) });
        lab.send(&mut path, S2C, &Shot::new(SYN_ACK, &[], 0));
        finish_plain(&mut lab, &mut path);
        check(&lab, Fallback::Syn, (200, 500));
    }
}

#[test]
fn no_option_on_the_first_data() {
    for version in VERSIONS {
        let (mut lab, mut path) = (Lab::new(), Path::new(CLIENT, SERVER));
        lab.send(&mut path, C2S, &Shot::new(SYN, &[capable_syn(version)], 0));
        lab.send(&mut path, S2C, &Shot::new(SYN_ACK, &[capable(version, &KEYS[1..])], 0));
        lab.send(&mut path, C2S, &Shot::new(ACK, &[], 0));
        finish_plain(&mut lab, &mut path);
        check(&lab, Fallback::FirstData, (200, 500));
    }
}

#[test]
fn options_gone_in_the_middle() {
    for version in VERSIONS {
        let (mut lab, mut path) = (Lab::new(), Path::new(CLIENT, SERVER));
        open(&mut lab, &mut path, version);
        data(&mut lab, &mut path, version, C2S, 0, 1000);
        data(&mut lab, &mut path, version, S2C, 0, 1000);
        finish_plain(&mut lab, &mut path);
        check(&lab, Fallback::Later, (1200, 1500));
    }
}

#[test]
fn a_failed_checksum_and_an_infinite_mapping() {
    for version in VERSIONS {
        let (mut lab, mut path) = (Lab::new(), Path::new(CLIENT, SERVER));
        open(&mut lab, &mut path, version);
        data(&mut lab, &mut path, version, C2S, 0, 1000);
        let fail = Mptcp::Fail(Fail { dsn: dsn(version, C2S, 0), reserved: 0 });
        lab.send(&mut path, S2C, &Shot::new(ACK, &[fail], 0));
        assert_eq!(lab.analyze().connections[0].fallback, Fallback::None, "MP_FAIL alone is none yet");
        let infinite = Mptcp::Dss(Dss {
            data_ack: None,
            mapping: Some(Mapping {
                dsn: Dsn::Long(dsn(version, C2S, 1000)),
                subflow_seq: 1001,
                len: 0,
                checksum: Some(0),
            }),
            data_fin: false,
            reserved: 0,
        });
        lab.send(&mut path, C2S, &Shot::new(ACK, &[infinite], 300));
        finish_plain(&mut lab, &mut path);
        check(&lab, Fallback::Checksum, (1500, 500));
        let kinds: Vec<_> = lab.analyze().events.iter().map(|event| event.kind).collect();
        assert_eq!(kinds, [EventKind::MpFail, EventKind::InfiniteMapping, EventKind::Fallback]);
    }
}

#[test]
fn plain_data_on_a_joined_subflow_is_a_violation_only() {
    for version in VERSIONS {
        let (mut lab, mut first, mut second) =
            (Lab::new(), Path::new(CLIENT, SERVER), Path::new(CLIENT2, SERVER));
        open(&mut lab, &mut first, version);
        join(&mut lab, &mut second, &Joining::new(C2S, version, 1));
        data(&mut lab, &mut first, version, C2S, 0, 100);
        lab.send(&mut second, C2S, &Shot::new(ACK, &[map(version, C2S, 100, 1, 100)], 100));
        lab.send(&mut second, C2S, &Shot::new(ACK, &[], 300));
        let tables = lab.analyze();
        assert_eq!((tables.connections[0].fallback, tables.connections[0].bytes_c2s), (Fallback::None, 200));
        assert!(tables.events[0].detail.contains("300 payload bytes that no mapping covers"));
    }
}
