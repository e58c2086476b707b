//! What contradicts the RFCs is found, each thing by its name, and what does not is left alone.

use crate::lab::{
    ACK, C2S, CLIENT, CLIENT2, Joining, KEYS, Lab, Path, S2C, SERVER, SYN, SYN_ACK, Shot, VERSIONS, capable,
    capable_syn, data, data_ack, data_fin, dsn, join, map, open,
};
use subflow_analysis::rows::{EventKind, Finding, Tables};
use subflow_wire::{
    keys::{Key, Version},
    mptcp::{AddAddr, Capable, Dsn, Dss, FastClose, Mapping, Mptcp, Prio, RemoveAddr, TcpRst},
};

/// The findings by name.
fn found(tables: &Tables) -> Vec<Finding> {
    tables.events.iter().filter_map(|event| event.finding).collect()
}

/// The findings of an open connection to which something is done.
fn after(version: Version, act: impl Fn(&mut Lab, &mut Path)) -> Tables {
    let (mut lab, mut path) = (Lab::new(), Path::new(CLIENT, SERVER));
    open(&mut lab, &mut path, version);
    act(&mut lab, &mut path);
    lab.analyze()
}

#[test]
fn an_ordinary_connection_has_nothing_to_find() {
    for version in VERSIONS {
        let tables = after(version, |lab, path| {
            let mut second = Path::new(CLIENT2, SERVER);
            data(lab, path, version, C2S, 0, 100);
            join(lab, &mut second, &Joining::new(C2S, version, 1));
            data(lab, &mut second, version, S2C, 0, 100);
            data(lab, &mut second, version, C2S, 100, 50);
            lab.send(path, S2C, &Shot::new(ACK, &[data_ack(version, C2S, 150)], 0));
            data_fin(lab, path, version, C2S, 150);
        });
        assert_eq!(found(&tables), []);
    }
}

#[test]
fn events_and_findings_name_their_rule() {
    let withdrawal = |lab: &mut Lab, path: &mut Path| {
        lab.send(path, S2C, &Shot::new(ACK, &[Mptcp::RemoveAddr(RemoveAddr { ids: &[9], reserved: 0 })], 0));
    };
    for (version, rules) in [
        (VERSIONS[0], ["RFC 6824, section 3.7", "RFC 6824, section 3.4.2"]),
        (VERSIONS[1], ["RFC 8684, section 3.8", "RFC 8684, section 3.4.2"]),
    ] {
        let tables = after(version, withdrawal);
        assert_eq!(found(&tables), [Finding::RemoveAddrUnknown]);
        assert_eq!(tables.events[0].kind, EventKind::Advice);
        let told: Vec<_> = tables.events.iter().filter_map(|event| event.rule).collect();
        assert_eq!(told, rules);
        assert_eq!(tables.events[1].finding, None);
    }
}

#[test]
fn mappings_may_be_repeated_but_not_changed() {
    for version in VERSIONS {
        let again = after(version, |lab, path| {
            let seq = path.next[C2S];
            data(lab, path, version, C2S, 0, 100);
            // Only a part of the mapping, on the same bytes.
            let shot = Shot { seq: Some(seq), ..Shot::new(ACK, &[map(version, C2S, 0, 1, 50)], 50) };
            lab.send(path, C2S, &shot);
        });
        assert_eq!(found(&again), []);
        let changed = after(version, |lab, path| {
            let seq = path.next[C2S];
            data(lab, path, version, C2S, 0, 100);
            for _ in 0..2 {
                let shot = Shot { seq: Some(seq), ..Shot::new(ACK, &[map(version, C2S, 700, 1, 100)], 100) };
                lab.send(path, C2S, &shot);
            }
        });
        assert_eq!(found(&changed), [Finding::MappingContradicts]);
        assert!(changed.events[0].detail.contains("offset 700"), "{}", changed.events[0].detail);
    }
}

#[test]
fn data_end_once_and_for_all() {
    for version in VERSIONS {
        let tables = after(version, |lab, path| {
            data(lab, path, version, C2S, 0, 100);
            data_fin(lab, path, version, C2S, 100);
            data(lab, path, version, C2S, 100, 20);
            data_fin(lab, path, version, C2S, 120);
        });
        assert_eq!(found(&tables), [Finding::DataAfterDataFin, Finding::DataFinMoved]);
    }
}

#[test]
fn an_acknowledgement_of_what_was_never_sent() {
    for version in VERSIONS {
        let tables = after(version, |lab, path| {
            data(lab, path, version, C2S, 0, 100);
            lab.send(path, S2C, &Shot::new(ACK, &[data_ack(version, C2S, 5000)], 0));
        });
        assert_eq!(found(&tables), [Finding::DataAckBeyondData]);
    }
}

#[test]
fn addresses_and_their_ids() {
    let announce = |id: u8, addr: &str| {
        let addr = addr.parse().unwrap();
        Mptcp::AddAddr(AddAddr {
            version: 0,
            echo: false,
            address_id: id,
            addr,
            port: None,
            hmac: None,
            reserved: 0,
        })
    };
    let tables = after(VERSIONS[0], |lab, path| {
        for (id, addr) in [(3, "198.18.0.1"), (3, "198.18.0.1"), (4, "10.9.9.9"), (4, "10.9.9.10")] {
            lab.send(path, C2S, &Shot::new(ACK, &[announce(id, addr)], 0));
        }
        lab.send(path, C2S, &Shot::new(ACK, &[Mptcp::RemoveAddr(RemoveAddr { ids: &[4], reserved: 0 })], 0));
        lab.send(path, C2S, &Shot::new(ACK, &[announce(4, "10.9.9.11")], 0));
    });
    assert_eq!(found(&tables), [Finding::UnreachableAddressAnnounced, Finding::AddressIdReused]);
    assert_eq!(tables.events[1].frame, 7);
}

#[test]
fn an_announcement_without_its_hmac_or_echo() {
    let tables = after(VERSIONS[1], |lab, path| {
        let addr = "10.9.9.9".parse().unwrap();
        let option =
            AddAddr { version: 1, echo: false, address_id: 3, addr, port: None, hmac: None, reserved: 0 };
        lab.send(path, S2C, &Shot::new(ACK, &[Mptcp::AddAddr(option)], 0));
        lab.send(path, S2C, &Shot::new(ACK, &[Mptcp::AddAddr(option)], 0));
    });
    assert_eq!(found(&tables), [Finding::AddAddrHmacMissing, Finding::AddAddrNotEchoed]);
    assert!(tables.events[1].detail.contains("announced 2 times"), "{}", tables.events[1].detail);
}

#[test]
fn options_where_they_do_not_belong() {
    for version in VERSIONS {
        let tables = after(version, |lab, path| {
            let reset = Mptcp::TcpRst(TcpRst { flags: 0, reason: 0 });
            lab.send(path, C2S, &Shot::new(ACK, &[reset], 0));
            let close = Mptcp::FastClose(FastClose { key: Key(7), reserved: 0 });
            lab.send(path, C2S, &Shot::new(ACK, &[close], 0));
            let mut second = Path::new(CLIENT2, SERVER);
            let joining = Joining::new(C2S, version, 1);
            lab.send(&mut second, C2S, &Shot::new(SYN, &[joining.syn()], 0));
            let prio = Mptcp::Prio(Prio { backup: true, address_id: None, reserved: 0 });
            lab.send(&mut second, C2S, &Shot::new(ACK, &[prio], 0));
        });
        let all = [Finding::TcpRstWithoutRst, Finding::FastCloseKeyWrong, Finding::PrioUnestablished];
        assert_eq!(found(&tables), all);
    }
}

#[test]
fn flags_of_the_handshake() {
    let version = VERSIONS[1];
    let flagged = |option: Mptcp<'static>, flags: u8| match option {
        Mptcp::Capable(option) => Mptcp::Capable(Capable { flags, ..option }),
        other => other,
    };
    let (mut lab, mut path) = (Lab::new(), Path::new(CLIENT, SERVER));
    lab.send(&mut path, C2S, &Shot::new(SYN, &[flagged(capable_syn(version), 0x40)], 0));
    // Checksums, and no joins to this address.
    lab.send(&mut path, S2C, &Shot::new(SYN_ACK, &[flagged(capable(version, &KEYS[1..]), 0xa1)], 0));
    lab.send(&mut path, C2S, &Shot::new(ACK, &[capable(version, &KEYS)], 0));
    let mut second = Path::new(CLIENT2, SERVER);
    join(&mut lab, &mut second, &Joining::new(C2S, version, 1));
    data(&mut lab, &mut path, version, C2S, 0, 10);
    let all = [
        Finding::CapableFlagB,
        Finding::CapableNoAlgorithm,
        Finding::ChecksumFlagDropped,
        Finding::JoinForbidden,
        Finding::ChecksumMissing,
    ];
    assert_eq!(found(&lab.analyze()), all);
}

/// Zero bytes add nothing to a ones' complement sum: only the numbers of the mapping do.
fn checksum(dsn: u64, subflow_seq: u32, len: u16) -> u16 {
    let words =
        [dsn >> 48, dsn >> 32, dsn >> 16, dsn, u64::from(subflow_seq >> 16), subflow_seq.into(), len.into()];
    let mut sum: u64 = words.iter().map(|word| word & 0xffff).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

#[test]
fn checksums_are_verified_over_whole_mappings() {
    for version in VERSIONS {
        let with = |option: Mptcp<'static>| match option {
            Mptcp::Capable(option) => Mptcp::Capable(Capable { flags: 0x81, ..option }),
            other => other,
        };
        let (mut lab, mut path) = (Lab::new(), Path::new(CLIENT, SERVER));
        lab.send(&mut path, C2S, &Shot::new(SYN, &[with(capable_syn(version))], 0));
        lab.send(&mut path, S2C, &Shot::new(SYN_ACK, &[with(capable(version, &KEYS[1..]))], 0));
        lab.send(&mut path, C2S, &Shot::new(ACK, &[with(capable(version, &KEYS))], 0));
        let mapping = |offset: i64, off: u16| {
            let (subflow_seq, number) = (1 + offset as u32, dsn(version, C2S, offset));
            let sum = checksum(number, subflow_seq, 100) ^ off;
            let mapping = Mapping { dsn: Dsn::Long(number), subflow_seq, len: 100, checksum: Some(sum) };
            Mptcp::Dss(Dss { data_ack: None, mapping: Some(mapping), data_fin: false, reserved: 0 })
        };
        // One in a packet, one in three of which one comes twice, one of which a packet is lost, one that is wrong.
        lab.send(&mut path, C2S, &Shot::new(ACK, &[mapping(0, 0)], 100));
        for bytes in [33, 1, 66] {
            lab.send(&mut path, C2S, &Shot::new(ACK, &[mapping(100, 0)], bytes));
        }
        let old = path.next[C2S].wrapping_sub(66);
        lab.send(&mut path, C2S, &Shot { seq: Some(old), ..Shot::new(ACK, &[mapping(100, 0)], 66) });
        let lost = lab.count() + 1;
        for bytes in [40, 20, 40] {
            lab.send(&mut path, C2S, &Shot::new(ACK, &[mapping(200, 0)], bytes));
        }
        lab.send(&mut path, C2S, &Shot::new(ACK, &[mapping(300, 5)], 50));
        lab.send(&mut path, C2S, &Shot::new(ACK, &[mapping(300, 5)], 50));
        lab.keep(|number| number != lost);
        let tables = lab.analyze();
        let row = &tables.connections[0];
        let verdicts = (row.checksums_right, row.checksums_wrong, row.checksums_unverified);
        assert_eq!(verdicts, (Some(2), Some(1), Some(1)));
        assert_eq!(found(&tables), [Finding::ChecksumWrong]);
        assert!(tables.events[0].detail.contains("data bytes 300 to 399"), "{}", tables.events[0].detail);
    }
}

#[test]
fn data_on_a_backup_only_while_a_regular_subflow_lives() {
    for version in VERSIONS {
        for (regular_lives, expected) in [(true, vec![Finding::BackupUsed]), (false, vec![])] {
            let tables = after(version, |lab, path| {
                let mut second = Path::new(CLIENT2, SERVER);
                join(lab, &mut second, &Joining { backup: true, ..Joining::new(C2S, version, 1) });
                data(lab, path, version, S2C, 0, 100);
                if !regular_lives {
                    lab.wait(5000);
                }
                lab.send(path, C2S, &Shot::new(ACK, &[data_ack(version, S2C, 100)], 0));
                if !regular_lives {
                    lab.wait(5000);
                }
                data(lab, &mut second, version, S2C, 100, 100);
            });
            assert_eq!(found(&tables), expected);
        }
    }
}
