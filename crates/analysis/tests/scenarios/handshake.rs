//! The initial handshake, whatever part of it was captured.

use crate::lab::{
    ACK, C2S, CLIENT, KEYS, Lab, Path, S2C, SERVER, SYN, SYN_ACK, Shot, VERSIONS, capable, capable_syn, data,
    open,
};
use subflow_analysis::rows::{Close, EventKind, Fallback, State};
use subflow_rows::{Hex32, Hex64};
use subflow_wire::keys::Version;

#[test]
fn keys_tokens_and_first_numbers_are_known() {
    // Vectors of two keys, worked out with a reference implementation of SHA-1 and SHA-256.
    let expected = [
        (Version::V0, [0x0aae_a959, 0x7b14_451d], [0xbb48_414b_5d50_7697, 0x3ca0_a8cd_b095_384d_u64]),
        (Version::V1, [0xad88_d4f6, 0x7ae7_2cca], [0xf63b_f958_2b0c_154b, 0xf4ca_be74_fb67_3f76]),
    ];
    for (version, tokens, idsns) in expected {
        let (mut lab, mut path) = (Lab::new(), Path::new(CLIENT, SERVER));
        open(&mut lab, &mut path, version);
        let tables = lab.analyze();
        let row = &tables.connections[0];
        assert_eq!((tables.connections.len(), row.version), (1, Some(version as u8)));
        assert_eq!((row.client_key, row.server_key), (Some(Hex64(KEYS[0].0)), Some(Hex64(KEYS[1].0))));
        assert_eq!((row.client_token, row.server_token), (Some(Hex32(tokens[0])), Some(Hex32(tokens[1]))));
        assert_eq!((row.client_idsn, row.server_idsn), (Some(Hex64(idsns[0])), Some(Hex64(idsns[1]))));
        assert_eq!(row.client_first_dsn, Some(Hex64(idsns[0].wrapping_add(1))));
        assert!(row.complete);
        assert_eq!((row.fallback, row.close, row.checksum), (Fallback::None, Close::Open, Some(false)));
        assert_eq!((row.subflows_attempted, row.subflows_established), (1, 1));
        assert_eq!(tables.subflows[0].rtt_handshake, Some(0.001));
    }
}

#[test]
fn any_packet_of_the_handshake_will_do() {
    for version in VERSIONS {
        for first in 0..3 {
            let (mut lab, mut path) = (Lab::new(), Path::new(CLIENT, SERVER));
            open(&mut lab, &mut path, version);
            data(&mut lab, &mut path, version, C2S, 0, 100);
            lab.keep(|number| number >= first);
            let tables = lab.analyze();
            let row = &tables.connections[0];
            assert_eq!(tables.connections.len(), 1);
            assert_eq!((row.client_addr, row.client_port), Path::new(CLIENT, SERVER).ends[0]);
            assert_eq!((row.server_key, row.client_key), (Some(Hex64(KEYS[1].0)), Some(Hex64(KEYS[0].0))));
            assert_eq!((row.bytes_c2s, row.complete), (100, first == 0), "{version:?} from packet {first}");
        }
    }
}

#[test]
fn repeated_syns_are_one_attempt() {
    for version in VERSIONS {
        let (mut lab, mut path) = (Lab::new(), Path::new(CLIENT, SERVER));
        let syn = Shot { seq: Some(path.isn[C2S]), ..Shot::new(SYN, &[capable_syn(version)], 0) };
        lab.send(&mut path, C2S, &syn);
        lab.wait(1000);
        lab.send(&mut path, C2S, &syn);
        let synack =
            Shot { seq: Some(path.isn[S2C]), ..Shot::new(SYN_ACK, &[capable(version, &KEYS[1..])], 0) };
        lab.send(&mut path, S2C, &synack);
        lab.wait(1000);
        lab.send(&mut path, S2C, &synack);
        lab.send(&mut path, C2S, &Shot::new(ACK, &[capable(version, &KEYS)], 0));
        let tables = lab.analyze();
        assert_eq!((tables.connections.len(), tables.subflows.len()), (1, 1));
        assert_eq!(tables.subflows[0].state, State::Established);
        assert_eq!(tables.subflows[0].rtt_handshake, None, "which SYN was answered is not known");
    }
}

#[test]
fn a_syn_may_offer_both_versions() {
    for (answer, events) in [(Version::V0, 0), (Version::V1, 0)] {
        let (mut lab, mut path) = (Lab::new(), Path::new(CLIENT, SERVER));
        let both = [capable_syn(Version::V0), capable_syn(Version::V1)];
        lab.send(&mut path, C2S, &Shot::new(SYN, &both, 0));
        lab.send(&mut path, S2C, &Shot::new(SYN_ACK, &[capable(answer, &KEYS[1..])], 0));
        lab.send(&mut path, C2S, &Shot::new(ACK, &[capable(answer, &KEYS)], 0));
        let tables = lab.analyze();
        let row = &tables.connections[0];
        assert_eq!((row.version, row.fallback), (Some(answer as u8), Fallback::None));
        assert_eq!(row.client_token, Some(Hex32(KEYS[0].token(answer))));
        assert_eq!(row.server_token, Some(Hex32(KEYS[1].token(answer))));
        assert_eq!(tables.events.len(), events);
    }
}

#[test]
fn an_answer_in_a_version_not_offered_is_told() {
    let (mut lab, mut path) = (Lab::new(), Path::new(CLIENT, SERVER));
    lab.send(&mut path, C2S, &Shot::new(SYN, &[capable_syn(Version::V1)], 0));
    lab.send(&mut path, S2C, &Shot::new(SYN_ACK, &[capable(Version::V0, &KEYS[1..])], 0));
    let tables = lab.analyze();
    assert_eq!(tables.events[0].kind, EventKind::Violation);
    assert!(tables.events[0].detail.contains("did not offer"), "{}", tables.events[0].detail);
    assert_eq!(tables.connections[0].fallback, Fallback::SynAck);
    // Unless the client goes on with it.
    lab.send(&mut path, C2S, &Shot::new(ACK, &[capable(Version::V0, &KEYS)], 0));
    assert_eq!(lab.analyze().connections[0].fallback, Fallback::None);
}

#[test]
fn an_unanswered_syn_is_a_lost_one() {
    let (mut lab, mut path) = (Lab::new(), Path::new(CLIENT, SERVER));
    lab.send(&mut path, C2S, &Shot::new(SYN, &[capable_syn(Version::V1)], 0));
    let tables = lab.analyze();
    assert_eq!(tables.subflows[0].state, State::SynLost);
    assert_eq!((tables.connections[0].subflows_established, tables.connections[0].complete), (0, false));
}

#[test]
fn another_key_in_the_third_ack_is_told() {
    for version in VERSIONS {
        let (mut lab, mut path) = (Lab::new(), Path::new(CLIENT, SERVER));
        lab.send(&mut path, C2S, &Shot::new(SYN, &[capable_syn(version)], 0));
        lab.send(&mut path, S2C, &Shot::new(SYN_ACK, &[capable(version, &KEYS[1..])], 0));
        let swapped = [KEYS[0], subflow_wire::Key(7)];
        lab.send(&mut path, C2S, &Shot::new(ACK, &[capable(version, &swapped)], 0));
        let tables = lab.analyze();
        assert_eq!(tables.events.len(), 1);
        assert!(tables.events[0].detail.contains("another key of the server"));
    }
}
