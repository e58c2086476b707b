//! The data level: mappings, repeats, order, round-trip times.

use crate::lab::{
    ACK, C2S, CLIENT, CLIENT2, Joining, KEYS, Lab, Path, S2C, SERVER, SYN, SYN_ACK, Shot, VERSIONS, capable,
    capable_syn, data, data_ack, data_fin, dsn, join, map, open,
};
use subflow_analysis::rows::{Close, ReinjectionCause};
use subflow_wire::{
    keys::Version,
    mptcp::{Capable, Dsn, Dss, Mapping, Mptcp},
};

/// A connection with two subflows.
fn two(version: Version) -> (Lab, Path, Path) {
    let (mut lab, mut first, mut second) =
        (Lab::new(), Path::new(CLIENT, SERVER), Path::new(CLIENT2, SERVER));
    open(&mut lab, &mut first, version);
    join(&mut lab, &mut second, &Joining::new(C2S, version, 1));
    (lab, first, second)
}

#[test]
fn a_long_mapping_repeated_on_its_segments_counts_once() {
    for version in VERSIONS {
        let (mut lab, mut path) = (Lab::new(), Path::new(CLIENT, SERVER));
        open(&mut lab, &mut path, version);
        for _ in 0..3 {
            lab.send(&mut path, C2S, &Shot::new(ACK, &[map(version, C2S, 0, 1, 3000)], 1000));
        }
        let tables = lab.analyze();
        assert_eq!(tables.connections[0].bytes_c2s, 3000);
        assert_eq!(tables.subflows[0].mapped_bytes_c2s, 3000);
        assert_eq!(tables.connections[0].meta_retransmitted_bytes_c2s, 0);
    }
}

#[test]
fn segments_without_an_option_belong_to_the_mapping_before() {
    for version in VERSIONS {
        let (mut lab, mut path) = (Lab::new(), Path::new(CLIENT, SERVER));
        open(&mut lab, &mut path, version);
        lab.send(&mut path, C2S, &Shot::new(ACK, &[map(version, C2S, 0, 1, 3000)], 1000));
        lab.send(&mut path, C2S, &Shot::new(ACK, &[], 2000 - 600));
        lab.send(&mut path, C2S, &Shot::new(ACK, &[], 600));
        assert_eq!(lab.analyze().connections[0].bytes_c2s, 3000);
    }
}

#[test]
fn a_mapping_may_come_late() {
    let version = Version::V1;
    let (mut lab, mut path) = (Lab::new(), Path::new(CLIENT, SERVER));
    open(&mut lab, &mut path, version);
    lab.send(&mut path, C2S, &Shot::new(ACK, &[map(version, C2S, 0, 1, 2000)], 1000));
    lab.send(&mut path, C2S, &Shot::new(ACK, &[], 1000));
    lab.swap_last();
    let tables = lab.analyze();
    assert_eq!((tables.connections[0].bytes_c2s, tables.events.len()), (2000, 0));
}

#[test]
fn reinjections_are_told_by_byte() {
    for version in VERSIONS {
        let (mut lab, mut first, mut second) = two(version);
        data(&mut lab, &mut first, version, S2C, 0, 1000);
        data(&mut lab, &mut first, version, S2C, 1000, 1000);
        lab.wait(500);
        // 200 bytes of the first segment, all of the second, and 100 new ones.
        data(&mut lab, &mut second, version, S2C, 800, 1300);
        // A copy of the copy counts again.
        data(&mut lab, &mut second, version, S2C, 800, 100);
        let tables = lab.analyze();
        let row = &tables.connections[0];
        assert_eq!((row.bytes_s2c, row.reinjected_bytes_s2c), (2100, 1300));
        assert_eq!((row.meta_retransmitted_bytes_s2c, row.reinjected_bytes_c2s), (0, 0));
        let found: Vec<_> = tables
            .reinjections
            .iter()
            .map(|row| (row.dsn, row.bytes, row.from_subflow, row.to_subflow))
            .collect();
        assert_eq!(found, [(800, 200, Some(0), 1), (1000, 1000, Some(0), 1), (800, 100, Some(0), 1)]);
        assert_eq!(tables.reinjections[0].delay, Some(0.502));
        assert_eq!(tables.reinjections[0].useful, None);
        // The first subflow had been silent for half a second.
        let row = &tables.reinjections[0];
        assert_eq!((row.cause, row.cause_frame), (Some(ReinjectionCause::HolderTimeout), None));
        assert_eq!(row.from_frame, Some(7));
        assert_eq!(tables.subflows[1].reinjected_bytes_s2c, 1300);
        let row = &tables.connections[0];
        assert_eq!((row.blocks_s2c, row.blocks_c2s), (2, 0));
    }
}

#[test]
fn a_copy_of_acknowledged_bytes_is_useless() {
    let version = Version::V1;
    let (mut lab, mut first, mut second) = two(version);
    data(&mut lab, &mut first, version, S2C, 0, 1000);
    lab.send(&mut first, C2S, &Shot::new(ACK, &[data_ack(version, S2C, 1000)], 0));
    data(&mut lab, &mut second, version, S2C, 0, 1000);
    assert_eq!(lab.analyze().reinjections[0].useful, Some(false));
}

#[test]
fn repeats_on_one_subflow_are_no_reinjections() {
    for version in VERSIONS {
        let (mut lab, mut path, _) = two(version);
        data(&mut lab, &mut path, version, C2S, 0, 1000);
        let again = Shot {
            seq: Some(path.next[C2S].wrapping_sub(1000)),
            ..Shot::new(ACK, &[map(version, C2S, 0, 1, 1000)], 1000)
        };
        lab.wait(300);
        lab.send(&mut path, C2S, &again);
        // The same data under new subflow numbers: a repeat at the data level.
        data(&mut lab, &mut path, version, C2S, 500, 500);
        let row = &lab.analyze().connections[0];
        assert_eq!((row.bytes_c2s, row.reinjected_bytes_c2s), (1000, 0));
        assert_eq!((row.retransmitted_bytes_c2s, row.meta_retransmitted_bytes_c2s), (1000, 500));
    }
}

#[test]
fn late_data_is_out_of_order() {
    for version in VERSIONS {
        let (mut lab, mut first, mut second) = two(version);
        data(&mut lab, &mut first, version, C2S, 1000, 1000);
        data(&mut lab, &mut second, version, C2S, 0, 1000);
        data(&mut lab, &mut second, version, C2S, 2000, 1000);
        let row = &lab.analyze().connections[0];
        assert_eq!((row.bytes_c2s, row.out_of_order_bytes_c2s, row.blocks_c2s), (3000, 1000, 2));
    }
}

#[test]
fn short_numbers_are_widened_over_their_wrap() {
    for version in VERSIONS {
        let (mut lab, mut path) = (Lab::new(), Path::new(CLIENT, SERVER));
        open(&mut lab, &mut path, version);
        // From just below the wrap of the low half to beyond it, in both widths.
        let to_wrap = 0x1_0000_0000 - i64::from(dsn(version, C2S, 0) as u32);
        let steps = [
            (0, false),
            (to_wrap - 1500, true),
            (to_wrap - 500, false),
            (to_wrap + 500, true),
            (to_wrap + 1500, false),
        ];
        for (offset, long) in steps {
            let full = dsn(version, C2S, offset);
            let relative = path.next[C2S].wrapping_sub(path.isn[C2S]);
            let dss = Mptcp::Dss(Dss {
                data_ack: None,
                mapping: Some(Mapping {
                    dsn: if long { Dsn::Long(full) } else { Dsn::Short(full as u32) },
                    subflow_seq: relative,
                    len: 1000,
                    checksum: None,
                }),
                data_fin: false,
                reserved: 0,
            });
            lab.send(&mut path, C2S, &Shot::new(ACK, &[dss], 1000));
        }
        let row = &lab.analyze().connections[0];
        assert_eq!(
            (row.bytes_c2s, row.out_of_order_bytes_c2s, row.meta_retransmitted_bytes_c2s),
            (5000, 0, 0)
        );
    }
}

#[test]
fn data_may_ride_on_the_third_ack() {
    let (mut lab, mut path) = (Lab::new(), Path::new(CLIENT, SERVER));
    lab.send(&mut path, C2S, &Shot::new(SYN, &[capable_syn(Version::V1)], 0));
    lab.send(&mut path, S2C, &Shot::new(SYN_ACK, &[capable(Version::V1, &KEYS[1..])], 0));
    let option = Mptcp::Capable(Capable {
        version: 1,
        flags: 0x01,
        sender_key: Some(KEYS[0]),
        receiver_key: Some(KEYS[1]),
        data_len: Some(700),
        checksum: None,
    });
    // The option is repeated on every segment of the data that it maps.
    lab.send(&mut path, C2S, &Shot::new(ACK, &[option], 400));
    lab.send(&mut path, C2S, &Shot::new(ACK, &[option], 300));
    data(&mut lab, &mut path, Version::V1, C2S, 700, 100);
    let row = &lab.analyze().connections[0];
    assert_eq!((row.bytes_c2s, row.meta_retransmitted_bytes_c2s, row.retransmitted_bytes_c2s), (800, 0, 0));
}

#[test]
fn bytes_in_the_syn_lie_before_the_data() {
    for taken in [true, false] {
        let (mut lab, mut path) = (Lab::new(), Path::new(CLIENT, SERVER));
        lab.send(&mut path, C2S, &Shot::new(SYN, &[capable_syn(Version::V1)], 50));
        if !taken {
            path.next[C2S] = path.isn[C2S].wrapping_add(1);
        }
        lab.send(&mut path, S2C, &Shot::new(SYN_ACK, &[capable(Version::V1, &KEYS[1..])], 0));
        lab.send(&mut path, C2S, &Shot::new(ACK, &[capable(Version::V1, &KEYS)], 0));
        lab.send(&mut path, C2S, &Shot::new(ACK, &[map(Version::V1, C2S, 0, 1, 400)], 400));
        let row = &lab.analyze().connections[0];
        assert_eq!((row.fast_open_bytes, row.bytes_c2s), (50, 400), "taken: {taken}");
        assert_eq!(row.retransmitted_bytes_c2s, 0);
    }
}

#[test]
fn data_fin_takes_a_number_but_no_byte() {
    for version in VERSIONS {
        let (mut lab, mut path) = (Lab::new(), Path::new(CLIENT, SERVER));
        open(&mut lab, &mut path, version);
        data(&mut lab, &mut path, version, C2S, 0, 100);
        // DATA_FIN with data: the mapping is one longer than the payload.
        let dss = Mptcp::Dss(Dss {
            data_ack: None,
            mapping: Some(Mapping {
                dsn: Dsn::Long(dsn(version, C2S, 100)),
                subflow_seq: 101,
                len: 51,
                checksum: None,
            }),
            data_fin: true,
            reserved: 0,
        });
        lab.send(&mut path, C2S, &Shot::new(ACK, &[dss], 50));
        data_fin(&mut lab, &mut path, version, S2C, 0);
        let tables = lab.analyze();
        let row = &tables.connections[0];
        assert_eq!((row.bytes_c2s, row.bytes_s2c, row.close), (150, 0, Close::DataFin));
        let details: Vec<_> = tables.events.iter().map(|event| event.detail.as_str()).collect();
        assert_eq!(details, ["end of data at offset 150", "end of data at offset 0"]);
    }
}

#[test]
fn round_trips_follow_karns_rule() {
    let version = Version::V1;
    let (mut lab, mut path) = (Lab::new(), Path::new(CLIENT, SERVER));
    open(&mut lab, &mut path, version);
    for k in 0..3 {
        data(&mut lab, &mut path, version, C2S, k * 100, 100);
        lab.wait(19 + 10 * k);
        lab.send(&mut path, S2C, &Shot::new(ACK, &[data_ack(version, C2S, (k + 1) * 100)], 0));
    }
    data(&mut lab, &mut path, version, C2S, 300, 100);
    lab.wait(500);
    let again = Shot {
        seq: Some(path.next[C2S].wrapping_sub(100)),
        ..Shot::new(ACK, &[map(version, C2S, 300, 301, 100)], 100)
    };
    lab.send(&mut path, C2S, &again);
    lab.send(&mut path, S2C, &Shot::new(ACK, &[data_ack(version, C2S, 400)], 0));
    let tables = lab.analyze();
    let row = &tables.subflows[0];
    assert_eq!((row.rtt_samples_c2s, row.rtt_samples_s2c), (3, 0));
    let near = |value: Option<f64>, expected: f64| (value.unwrap() - expected).abs() < 1e-9;
    assert!(near(row.rtt_min_c2s, 0.020) && near(row.rtt_mean_c2s, 0.030) && near(row.rtt_max_c2s, 0.040));
    assert!(near(row.rtt_dev_c2s, 0.010));
    // At the data level the repeat is the same carriage, so its DATA_ACK samples the first one.
    assert!(near(tables.connections[0].data_rtt_mean_c2s, (0.020 + 0.030 + 0.040 + 0.502) / 4.0));
}

#[test]
fn a_keepalive_is_no_retransmission() {
    let version = Version::V0;
    let (mut lab, mut path) = (Lab::new(), Path::new(CLIENT, SERVER));
    open(&mut lab, &mut path, version);
    data(&mut lab, &mut path, version, C2S, 0, 100);
    lab.send(&mut path, S2C, &Shot::new(ACK, &[data_ack(version, C2S, 100)], 0));
    lab.wait(60_000);
    let keepalive = Shot { seq: Some(path.next[C2S].wrapping_sub(1)), ..Shot::new(ACK, &[], 1) };
    lab.send(&mut path, C2S, &keepalive);
    let row = &lab.analyze().subflows[0];
    assert_eq!((row.retransmitted_bytes_c2s, row.bytes_c2s), (0, 100));
}

#[test]
fn one_byte_sent_again_with_its_mapping_is_a_retransmission() {
    let version = Version::V0;
    let (mut lab, mut path) = (Lab::new(), Path::new(CLIENT, SERVER));
    open(&mut lab, &mut path, version);
    data(&mut lab, &mut path, version, C2S, 0, 1);
    // The ACK passes the capture point, then is late or lost.
    lab.send(&mut path, S2C, &Shot::new(ACK, &[data_ack(version, C2S, 1)], 0));
    lab.wait(250);
    let again = map(version, C2S, 0, 1, 1);
    let seq = Some(path.next[C2S].wrapping_sub(1));
    lab.send(&mut path, C2S, &Shot { seq, ..Shot::new(ACK, &[again], 1) });
    let row = &lab.analyze().subflows[0];
    assert_eq!((row.retransmitted_bytes_c2s, row.bytes_c2s), (1, 2));
}
