//! Options that steer a connection.

use crate::lab::{
    ACK, C2S, CLIENT, CLIENT2, FIN_ACK, Joining, KEYS, Lab, Path, RST, S2C, SERVER, SYN, SYN_ACK, Shot,
    VERSIONS, data, join, open,
};
use subflow_analysis::rows::{Close, Direction, EventKind, Finding, State};
use subflow_wire::{
    keys::{Version, add_addr_hmac},
    mptcp::{AddAddr, FastClose, Mptcp, Prio, RemoveAddr, TcpRst},
};

fn announce(version: Version, echo: bool, hmac: Option<u64>) -> Mptcp<'static> {
    Mptcp::AddAddr(AddAddr {
        version: version as u8,
        echo,
        address_id: 3,
        addr: "192.0.2.2".parse().unwrap(),
        port: None,
        hmac,
        reserved: 0,
    })
}

#[test]
fn an_announcement_its_echo_and_the_join_that_follows() {
    let version = Version::V1;
    let right = add_addr_hmac(KEYS[1], KEYS[0], 3, "192.0.2.2".parse().unwrap(), None);
    for hmac in [right, right ^ 1] {
        let (mut lab, mut path) = (Lab::new(), Path::new(CLIENT, SERVER));
        open(&mut lab, &mut path, version);
        lab.send(&mut path, S2C, &Shot::new(ACK, &[announce(version, false, Some(hmac))], 0));
        lab.send(&mut path, C2S, &Shot::new(ACK, &[announce(version, true, None)], 0));
        let mut second = Path::new(CLIENT2, "192.0.2.2:80");
        join(&mut lab, &mut second, &Joining::new(C2S, version, 1));
        let tables = lab.analyze();
        let [told, echo] = &tables.announcements[..] else { panic!("two rows") };
        assert_eq!((told.direction, told.echo, told.echoed), (Direction::S2c, false, Some(true)));
        assert_eq!((told.hmac_ok, told.joined, told.class), (Some(hmac == right), true, "v4 documentation"));
        assert_eq!(
            (echo.direction, echo.echo, echo.echoed, echo.hmac_ok),
            (Direction::C2s, true, None, None)
        );
        assert_eq!(tables.connections[0].addresses_announced, 1);
        let violations = tables.events.iter().filter(|event| event.kind == EventKind::Violation).count();
        assert_eq!(violations, usize::from(hmac != right));
    }
}

#[test]
fn version_0_announces_without_echo_or_hmac() {
    let (mut lab, mut path) = (Lab::new(), Path::new(CLIENT, SERVER));
    open(&mut lab, &mut path, Version::V0);
    lab.send(&mut path, S2C, &Shot::new(ACK, &[announce(Version::V0, false, None)], 0));
    lab.send(&mut path, S2C, &Shot::new(ACK, &[announce(Version::V0, false, None)], 0));
    let tables = lab.analyze();
    let rows: Vec<_> =
        tables.announcements.iter().map(|row| (row.hmac_ok, row.echoed, row.joined, row.repeated)).collect();
    assert_eq!(rows, [(None, None, false, false), (None, None, false, true)]);
}

#[test]
fn priorities_withdrawals_and_reset_reasons_are_events() {
    for version in VERSIONS {
        let (mut lab, mut first, mut second) =
            (Lab::new(), Path::new(CLIENT, SERVER), Path::new(CLIENT2, SERVER));
        open(&mut lab, &mut first, version);
        join(&mut lab, &mut second, &Joining::new(C2S, version, 1));
        data(&mut lab, &mut second, version, S2C, 0, 10);
        let prio = Mptcp::Prio(Prio { backup: true, address_id: None, reserved: 0 });
        lab.send(&mut second, C2S, &Shot::new(ACK, &[prio], 0));
        lab.send(
            &mut first,
            S2C,
            &Shot::new(ACK, &[Mptcp::RemoveAddr(RemoveAddr { ids: &[4, 5], reserved: 0 })], 0),
        );
        let reason = Mptcp::TcpRst(TcpRst { flags: TcpRst::TRANSIENT, reason: 5 });
        lab.wait(5000);
        lab.send(&mut second, S2C, &Shot::new(RST, &[reason], 0));
        let tables = lab.analyze();
        let found: Vec<_> = tables.events.iter().map(|event| (event.kind, event.subflow_id)).collect();
        // Nobody had used the ids that are withdrawn, which is worth a piece of advice.
        let kinds = [
            (EventKind::MpPrio, 1),
            (EventKind::Advice, 0),
            (EventKind::RemoveAddr, 0),
            (EventKind::TcpRst, 1),
        ];
        assert_eq!(found, kinds);
        assert_eq!(tables.events[1].finding, Some(Finding::RemoveAddrUnknown));
        assert_eq!(tables.events[2].detail, "withdraws address id 4, 5");
        let row = &tables.subflows[1];
        assert_eq!((row.backup, row.backup_at_end, row.state), (false, true, State::Established));
        assert!(row.reset_reason.is_some_and(|reason| reason.contains("performance")));
    }
}

#[test]
fn fastclose_ends_the_connection() {
    for version in VERSIONS {
        let (mut lab, mut path) = (Lab::new(), Path::new(CLIENT, SERVER));
        open(&mut lab, &mut path, version);
        data(&mut lab, &mut path, version, C2S, 0, 10);
        let option = Mptcp::FastClose(FastClose { key: KEYS[1], reserved: 0 });
        lab.send(&mut path, C2S, &Shot::new(ACK, &[option], 0));
        lab.send(&mut path, S2C, &Shot::new(RST, &[], 0));
        let tables = lab.analyze();
        assert_eq!(tables.connections[0].close, Close::FastClose);
        assert_eq!(tables.events[0].kind, EventKind::FastClose);
        assert_eq!(tables.events[0].detail, "abort of the connection");
    }
}

#[test]
fn unknown_options_are_kept_as_violations() {
    let (mut lab, mut path) = (Lab::new(), Path::new(CLIENT, SERVER));
    open(&mut lab, &mut path, Version::V1);
    let unknown = Mptcp::Unknown { subtype: 12, bytes: &[30, 4, 0xc0, 0] };
    lab.send(&mut path, C2S, &Shot::new(ACK, &[unknown], 0));
    let tables = lab.analyze();
    assert_eq!(tables.events[0].detail, "unknown MPTCP subtype 12");
}

#[test]
fn a_silent_subflow_whose_data_goes_on_elsewhere_is_a_handover() {
    for version in VERSIONS {
        let (mut lab, mut first, mut second) =
            (Lab::new(), Path::new(CLIENT, SERVER), Path::new(CLIENT2, SERVER));
        open(&mut lab, &mut first, version);
        join(&mut lab, &mut second, &Joining::new(C2S, version, 1));
        data(&mut lab, &mut first, version, C2S, 0, 1000);
        lab.send(&mut first, S2C, &Shot::new(ACK, &[], 0));
        // Repeats into the void are not a sign of life.
        for k in 1..4 {
            data(&mut lab, &mut first, version, C2S, k * 1000, 1000);
            lab.wait(300);
        }
        data(&mut lab, &mut second, version, C2S, 4000, 1000);
        assert_eq!(lab.analyze().connections[0].handovers, 0, "nobody has been heard from there yet");
        lab.send(&mut second, S2C, &Shot::new(ACK, &[], 0));
        let tables = lab.analyze();
        assert_eq!(tables.connections[0].handovers, 1);
        let event = tables.events.iter().find(|event| event.kind == EventKind::Handover).unwrap();
        assert_eq!(event.detail, "subflow 0 fell silent, data went on on subflow 1");
        // At the end one side closes both, into the void on the one that is dead.
        lab.send(&mut first, C2S, &Shot::new(FIN_ACK, &[], 0));
        lab.wait(300);
        data(&mut lab, &mut second, version, C2S, 5000, 1000);
        lab.send(&mut second, S2C, &Shot::new(ACK, &[], 0));
        assert_eq!(lab.analyze().connections[0].handovers, 1);
        // Had it been answered, it would have closed the subflow.
        lab.send(&mut first, S2C, &Shot::new(FIN_ACK, &[], 0));
        assert_eq!(lab.analyze().connections[0].handovers, 0);
    }
}

#[test]
fn a_reset_alone_shows_a_connection() {
    let (mut lab, mut path) = (Lab::new(), Path::new(CLIENT, SERVER));
    lab.send(&mut path, C2S, &Shot::new(RST, &[Mptcp::TcpRst(TcpRst { flags: 0, reason: 1 })], 0));
    let tables = lab.analyze();
    assert_eq!((tables.connections.len(), tables.connections[0].complete), (1, false));
    let kinds: Vec<_> = tables.events.iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [EventKind::TcpRst]);
}

#[test]
fn a_reset_after_a_bare_syn_shows_no_connection() {
    let (mut lab, mut path) = (Lab::new(), Path::new(CLIENT, SERVER));
    lab.send(&mut path, C2S, &Shot::new(SYN, &[], 0));
    lab.send(&mut path, S2C, &Shot::new(SYN_ACK, &[], 0));
    lab.send(&mut path, C2S, &Shot::new(RST, &[Mptcp::TcpRst(TcpRst { flags: 0, reason: 6 })], 0));
    assert_eq!(lab.analyze().connections.len(), 0);
}
