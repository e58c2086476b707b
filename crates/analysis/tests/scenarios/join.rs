//! Further subflows: who may open them, and how they can fail.

use crate::lab::{
    ACK, C2S, CLIENT, CLIENT2, Joining, Lab, Path, RST, S2C, SERVER, SYN, SYN_ACK, Shot, VERSIONS, data,
    data_ack, join, open,
};
use subflow_analysis::rows::{EventKind, Opener, State};
use subflow_wire::mptcp::{Join, Mptcp, TcpRst};

#[test]
fn either_end_may_join() {
    for version in VERSIONS {
        for opener in [C2S, S2C] {
            let (mut lab, mut path) = (Lab::new(), Path::new(CLIENT, SERVER));
            open(&mut lab, &mut path, version);
            lab.wait(197);
            let mut second = Path::new(CLIENT2, "192.0.2.2:80");
            join(&mut lab, &mut second, &Joining { backup: true, ..Joining::new(opener, version, 4) });
            data(&mut lab, &mut second, version, S2C, 0, 700);
            let tables = lab.analyze();
            let row = &tables.subflows[1];
            assert_eq!(tables.connections.len(), 1);
            assert_eq!(row.opener, if opener == C2S { Opener::Client } else { Opener::Server });
            assert_eq!((row.src_addr, row.src_port), second.ends[opener]);
            assert_eq!((row.state, row.hmac_ok, row.backup), (State::Established, Some(true), true));
            assert_eq!((row.address_id, row.join_delay), (Some(4), Some(0.2)));
            assert_eq!((row.bytes_c2s, row.bytes_s2c), (0, 700), "directions are the connection's");
            assert_eq!(tables.connections[0].bytes_s2c, 700);
            assert_eq!(tables.connections[0].second_subflow_delay, Some(0.2));
        }
    }
}

/// What becomes of a join in which only the first `packets` of the handshake are seen, then perhaps a reset.
fn failed(
    packets: usize,
    reset: bool,
    joining: &Joining,
    spoil: impl Fn(Mptcp<'static>) -> Mptcp<'static>,
) -> (State, Option<&'static str>) {
    let (mut lab, mut path) = (Lab::new(), Path::new(CLIENT, SERVER));
    open(&mut lab, &mut path, joining.version);
    let mut second = Path::new(CLIENT2, SERVER);
    let shots = [(C2S, SYN, joining.syn()), (S2C, SYN_ACK, joining.syn_ack()), (C2S, ACK, joining.ack())];
    for (direction, flags, option) in shots.into_iter().take(packets) {
        lab.send(&mut second, direction, &Shot::new(flags, &[spoil(option)], 0));
    }
    if reset {
        lab.send(&mut second, S2C, &Shot::new(RST, &[Mptcp::TcpRst(TcpRst { flags: 0, reason: 3 })], 0));
    }
    let tables = lab.analyze();
    assert_eq!(tables.connections[0].subflows_attempted, 2);
    let established = tables.subflows[1].state == State::Established;
    assert_eq!(tables.connections[0].subflows_established, 1 + u32::from(established));
    (tables.subflows[1].state, tables.subflows[1].reset_reason)
}

#[test]
fn joins_fail_in_many_ways() {
    for version in VERSIONS {
        let joining = Joining::new(C2S, version, 1);
        assert_eq!(failed(1, false, &joining, |option| option).0, State::SynLost);
        let (state, reason) = failed(1, true, &joining, |option| option);
        assert_eq!(state, State::Refused);
        assert!(reason.is_some_and(|reason| reason.contains("prohibited")), "{reason:?}");
        assert_eq!(failed(2, false, &joining, |option| option).0, State::Unconfirmed);
        assert_eq!(failed(2, true, &joining, |option| option).0, State::Reset);
        assert_eq!(
            failed(3, true, &joining, |option| option).0,
            State::Reset,
            "the reset answers the third ACK"
        );
        assert_eq!(failed(3, false, &joining, |option| option).0, State::Established);
        let wrong = |option| match option {
            Mptcp::Join(Join::Ack { .. }) => Mptcp::Join(Join::Ack { hmac: [9; 20], reserved: 0 }),
            other => other,
        };
        assert_eq!(failed(3, true, &joining, wrong).0, State::Reset);
        assert_eq!(failed(3, false, &joining, wrong).0, State::Unconfirmed);
    }
}

#[test]
fn a_wrong_hmac_is_a_violation() {
    for version in VERSIONS {
        let (mut lab, mut path) = (Lab::new(), Path::new(CLIENT, SERVER));
        open(&mut lab, &mut path, version);
        let (joining, mut second) = (Joining::new(C2S, version, 1), Path::new(CLIENT2, SERVER));
        lab.send(&mut second, C2S, &Shot::new(SYN, &[joining.syn()], 0));
        let Mptcp::Join(Join::SynAck { backup, address_id, nonce, .. }) = joining.syn_ack() else {
            unreachable!()
        };
        let wrong = Mptcp::Join(Join::SynAck { backup, address_id, hmac: 1, nonce, reserved: 0 });
        lab.send(&mut second, S2C, &Shot::new(SYN_ACK, &[wrong], 0));
        let tables = lab.analyze();
        assert_eq!(tables.subflows[1].hmac_ok, Some(false));
        assert_eq!(tables.events[0].kind, EventKind::Violation);
        assert!(tables.events[0].detail.contains("HMAC"));
    }
}

#[test]
fn an_answer_without_the_option_is_stripped() {
    let joining = Joining::new(C2S, VERSIONS[1], 1);
    let (mut lab, mut path) = (Lab::new(), Path::new(CLIENT, SERVER));
    open(&mut lab, &mut path, joining.version);
    let mut second = Path::new(CLIENT2, SERVER);
    lab.send(&mut second, C2S, &Shot::new(SYN, &[joining.syn()], 0));
    lab.send(&mut second, S2C, &Shot::new(SYN_ACK, &[], 0));
    assert_eq!(lab.analyze().subflows[1].state, State::Stripped);
}

#[test]
fn a_lost_third_ack_is_made_up_by_what_follows() {
    for version in VERSIONS {
        let (mut lab, mut path) = (Lab::new(), Path::new(CLIENT, SERVER));
        open(&mut lab, &mut path, version);
        let mut second = Path::new(CLIENT2, SERVER);
        join(&mut lab, &mut second, &Joining::new(C2S, version, 1));
        let lost = lab.count() - 1;
        data(&mut lab, &mut second, version, S2C, 0, 100);
        lab.keep(|number| number != lost);
        assert_eq!(lab.analyze().subflows[1].state, State::Established);
    }
}

#[test]
fn joins_by_one_unknown_token_share_a_connection() {
    for version in VERSIONS {
        let mut lab = Lab::new();
        for (port, id) in [(40_001, 1), (40_002, 2)] {
            let mut path = Path::new(&format!("10.0.1.1:{port}"), SERVER);
            join(&mut lab, &mut path, &Joining::new(C2S, version, id));
        }
        let tables = lab.analyze();
        assert_eq!((tables.connections.len(), tables.subflows.len()), (1, 2));
        let row = &tables.connections[0];
        assert!(!row.complete && row.server_token.is_some() && row.client_token.is_none());
        assert_eq!(tables.subflows[0].hmac_ok, None, "without keys it cannot be judged");
    }
}

#[test]
fn unused_subflows_have_a_reason() {
    let version = VERSIONS[1];
    for (backup, late, expected) in [(true, false, "backup"), (false, true, "late"), (false, false, "other")]
    {
        let (mut lab, mut path) = (Lab::new(), Path::new(CLIENT, SERVER));
        open(&mut lab, &mut path, version);
        data(&mut lab, &mut path, version, C2S, 0, 100);
        let mut second = Path::new(CLIENT2, SERVER);
        join(&mut lab, &mut second, &Joining { backup, ..Joining::new(C2S, version, 1) });
        if !late {
            data(&mut lab, &mut path, version, C2S, 100, 100);
            lab.send(&mut path, S2C, &Shot::new(ACK, &[data_ack(version, C2S, 200)], 0));
        }
        let tables = lab.analyze();
        assert_eq!((tables.subflows[0].unused, tables.subflows[1].unused), (None, Some(expected)));
    }
}
