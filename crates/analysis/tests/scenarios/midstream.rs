//! Connections whose handshake is not in the capture.

use crate::lab::{
    ACK, C2S, CLIENT, CLIENT2, Joining, Lab, Path, S2C, SERVER, Shot, VERSIONS, data, data_ack, join, map,
    open,
};
use subflow_analysis::rows::State;
use subflow_wire::keys::Version;

#[test]
fn subflows_find_each_other_by_their_numbers() {
    for version in VERSIONS {
        let (mut lab, mut first, mut second) =
            (Lab::new(), Path::new(CLIENT, SERVER), Path::new(CLIENT2, SERVER));
        open(&mut lab, &mut first, version);
        join(&mut lab, &mut second, &Joining::new(C2S, version, 1));
        let handshakes = lab.count();
        for k in 0..4 {
            data(&mut lab, &mut first, version, S2C, 2000 * k, 1000);
            data(&mut lab, &mut second, version, S2C, 2000 * k + 1000, 1000);
            lab.send(&mut first, C2S, &Shot::new(ACK, &[data_ack(version, S2C, 2000 * (k + 1))], 0));
        }
        data(&mut lab, &mut second, version, S2C, 0, 500);
        lab.keep(|number| number >= handshakes);
        let tables = lab.analyze();
        let row = &tables.connections[0];
        assert_eq!((tables.connections.len(), row.complete, row.subflows_attempted), (1, false, 2));
        assert!(tables.subflows.iter().all(|row| row.state == State::Midstream && row.join_delay.is_none()));
        assert_eq!((row.bytes_s2c, row.reinjected_bytes_s2c), (8000, 500));
        assert_eq!((row.client_addr, row.client_port), first.ends[0]);
        assert_eq!(row.server_token, None);
    }
}

#[test]
fn strangers_stay_strangers() {
    let mut lab = Lab::new();
    let mut first = Path::new(CLIENT, SERVER);
    let mut other = Path::new("10.9.9.9:50000", "198.51.100.7:443");
    data(&mut lab, &mut first, Version::V1, S2C, 0, 1000);
    data(&mut lab, &mut other, Version::V1, S2C, 1 << 40, 1000);
    assert_eq!(lab.analyze().connections.len(), 2);
}

#[test]
fn the_middle_of_a_long_mapping_is_placed_once_its_bounds_are_known() {
    let version = Version::V1;
    let (mut lab, mut path) = (Lab::new(), Path::new(CLIENT, SERVER));
    open(&mut lab, &mut path, version);
    let from = lab.count() + 1;
    for _ in 0..3 {
        lab.send(&mut path, S2C, &Shot::new(ACK, &[map(version, S2C, 0, 1, 3000)], 1000));
    }
    data(&mut lab, &mut path, version, S2C, 3000, 500);
    data(&mut lab, &mut path, version, S2C, 1500, 500);
    lab.keep(|number| number >= from);
    let row = &lab.analyze().connections[0];
    assert_eq!(row.bytes_s2c, 2500, "two thirds of the long mapping and the next one");
    assert_eq!(row.meta_retransmitted_bytes_s2c, 500, "known to lie inside what was seen");
}

#[test]
fn one_direction_is_enough() {
    for version in VERSIONS {
        for seen in [C2S, S2C] {
            let (mut lab, mut path) = (Lab::new(), Path::new(CLIENT, SERVER));
            open(&mut lab, &mut path, version);
            let mut directions = vec![C2S, S2C, C2S];
            for k in 0..5 {
                data(&mut lab, &mut path, version, seen, 100 * k, 100);
                lab.send(&mut path, 1 - seen, &Shot::new(ACK, &[data_ack(version, seen, 100 * (k + 1))], 0));
                directions.extend([seen, 1 - seen]);
            }
            lab.keep(|number| directions[number] == seen);
            let tables = lab.analyze();
            let row = &tables.connections[0];
            assert_eq!((tables.connections.len(), row.complete), (1, false));
            assert_eq!([row.bytes_c2s, row.bytes_s2c][seen], 500);
        }
    }
}
