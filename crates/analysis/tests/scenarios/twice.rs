//! Packets captured twice.

use crate::lab::{C2S, CLIENT, CLIENT2, Joining, Lab, Path, S2C, SERVER, VERSIONS, data, join, open};

#[test]
fn copies_of_a_mirror_port_are_left_out() {
    for (version, client, server) in
        [(VERSIONS[0], CLIENT, SERVER), (VERSIONS[1], "[2001:db8::1]:40000", "[2001:db8::2]:80")]
    {
        for hop_limit in [None, Some(63)] {
            let (mut lab, mut path) = (Lab::new(), Path::new(client, server));
            open(&mut lab, &mut path, version);
            for k in 0..20 {
                data(&mut lab, &mut path, version, S2C, 1000 * k, 1000);
                lab.repeat_last(1_000, hop_limit);
            }
            let tables = lab.analyze();
            assert_eq!(tables.connections[0].packets, 23);
            assert_eq!(tables.connections[0].retransmitted_bytes_s2c, 0);
            assert_eq!(tables.issues.len(), 1);
            assert_eq!(tables.issues[0].count, 20);
        }
    }
}

#[test]
fn without_copies_nothing_is_left_out() {
    let (mut lab, mut path) = (Lab::new(), Path::new(CLIENT, SERVER));
    open(&mut lab, &mut path, VERSIONS[1]);
    for k in 0..20 {
        data(&mut lab, &mut path, VERSIONS[1], S2C, 1000 * k, 1000);
    }
    let tables = lab.analyze();
    assert_eq!((tables.issues.len(), tables.connections[0].packets), (0, 23));
}

#[test]
fn both_sides_of_a_nat_are_one_connection() {
    for version in VERSIONS {
        let mut lab = Lab::new();
        let (mut inside, mut outside) = (Path::new(CLIENT, SERVER), Path::new("203.0.113.9:61000", SERVER));
        let (mut inside2, mut outside2) =
            (Path::new(CLIENT2, SERVER), Path::new("203.0.113.9:61001", SERVER));
        (outside.hop_limit, outside2.hop_limit) = (63, 63);
        open(&mut lab, &mut inside, version);
        open(&mut lab, &mut outside, version);
        let joining = Joining::new(C2S, version, 1);
        join(&mut lab, &mut inside2, &joining);
        join(&mut lab, &mut outside2, &joining);
        for path in [&mut inside, &mut outside] {
            data(&mut lab, path, version, S2C, 0, 1000);
        }
        for path in [&mut inside2, &mut outside2] {
            data(&mut lab, path, version, S2C, 1000, 1000);
        }
        let tables = lab.analyze();
        assert_eq!((tables.connections.len(), tables.subflows.len()), (1, 2));
        let row = &tables.connections[0];
        assert_eq!((row.client_addr, row.bytes_s2c, row.reinjected_bytes_s2c), (inside.ends[0].0, 2000, 0));
        assert_eq!(tables.issues[0].count, 8, "the outside is a copy");
    }
}

#[test]
fn one_key_for_many_targets_is_many_connections() {
    for version in VERSIONS {
        let mut lab = Lab::new();
        for target in 1..=50 {
            open(&mut lab, &mut Path::new(CLIENT, &format!("198.18.0.{target}:80")), version);
        }
        let tables = lab.analyze();
        assert_eq!((tables.connections.len(), tables.issues.len()), (50, 0));
    }
}

#[test]
fn one_nonce_from_many_addresses_is_many_joins() {
    for version in VERSIONS {
        let mut lab = Lab::new();
        open(&mut lab, &mut Path::new(CLIENT, SERVER), version);
        for source in 1..=50 {
            let mut path = Path::new(&format!("198.18.0.{source}:40000"), SERVER);
            join(&mut lab, &mut path, &Joining::new(C2S, version, 1));
        }
        let tables = lab.analyze();
        assert_eq!((tables.connections.len(), tables.subflows.len(), tables.issues.len()), (1, 51, 0));
    }
}
