use super::*;
use crate::header::Payload;
use crate::observe::{Close, Handshake};
use crate::time::Duration;
use std::net::SocketAddr;
use subflow_wire::Key;
use subflow_wire::keys::Version;
use subflow_wire::mptcp::{Capable, Join};
use subflow_wire::tcp::Flags;

const KEY: Key = Key(0xb49d_03c2_011d_7aba);

/// A run in which every segment takes a millisecond.
struct Run {
    truth: Truth,
    now: Time,
}

impl Run {
    fn new() -> Self {
        let mut truth = Truth::new(Settings { epoch_ns: 0, ..Settings::default() });
        truth.fact(Time::ZERO, 0, End::Client, Fact::Key { of: End::Client, key: KEY, version: Version::V1 });
        Self { truth, now: Time::ZERO }
    }

    fn ends(subflow: u32) -> [SocketAddr; 2] {
        [SocketAddr::from(([10, 0, subflow as u8, 1], 4000)), SocketAddr::from(([10, 9, 0, 1], 80))]
    }

    fn syn(&mut self, subflow: u32) {
        let [client, server] = Self::ends(subflow);
        let mut header = Header::new(client, server, 999, 0, Flags::SYN, 100);
        let option = if subflow == 0 {
            let (sender_key, receiver_key) = (None, None);
            let capable =
                Capable { version: 1, flags: 1, sender_key, receiver_key, data_len: None, checksum: None };
            Mptcp::Capable(capable)
        } else {
            Mptcp::Join(Join::Syn { backup: subflow == 2, address_id: 3, token: 1, nonce: 2, reserved: 0 })
        };
        header.options.mptcp(&option).unwrap();
        self.pass(subflow, End::Client, header, true);
        let fact = Fact::Handshake { subflow, state: Handshake::Established };
        for end in [End::Client, End::Server] {
            self.truth.fact(self.now, 0, end, fact);
        }
    }

    fn pass(&mut self, subflow: u32, from: End, mut header: Header, arrives: bool) {
        let sight = |now, end| Sight { now, connection: 0, subflow, end };
        self.truth.sent(sight(self.now, from), &mut header);
        self.now += Duration::from_millis(1);
        if arrives {
            self.truth.arrived(sight(self.now, from.other()), &header);
        } else {
            self.truth.lost(sight(self.now, from), LinkId(7), &header, Why::Full);
        }
    }

    /// Data of the client at a position of the subflow and an offset of the data level.
    fn data(&mut self, subflow: u32, position: u32, offset: u64, len: u16, arrives: bool) {
        let [client, server] = Self::ends(subflow);
        let mut header = Header::new(client, server, 1000 + position, 1, Flags::ACK, 100);
        let dsn = KEY.idsn(Version::V1).wrapping_add(1 + offset);
        header.payload = Payload { stream: 0, dsn, len, ..Payload::default() };
        self.pass(subflow, End::Client, header, arrives);
    }

    fn ack(&mut self, subflow: u32, position: u32) {
        let [client, server] = Self::ends(subflow);
        let header = Header::new(server, client, 1, 1000 + position, Flags::ACK, 100);
        self.pass(subflow, End::Server, header, true);
    }
}

#[test]
fn each_end_counts_what_it_saw() {
    let mut run = Run::new();
    run.syn(0);
    run.syn(2);
    run.data(0, 0, 0, 100, true);
    run.ack(0, 100);
    // Lost at offset 100, carried by the other subflow with 50 bytes more, then repeated.
    run.data(0, 100, 100, 100, false);
    run.data(2, 0, 100, 150, true);
    run.data(0, 100, 100, 100, true);
    run.truth.fact(run.now, 0, End::Client, Fact::Closed(Close::Reset));
    let tables = run.truth.finish();

    let [client, server] = &tables.connections[..] else { panic!("{:?}", tables.connections) };
    assert_eq!((client.vantage, server.vantage), (End::Client, End::Server));
    assert_eq!((client.bytes_c2s, server.bytes_c2s), (250, 250));
    // The client saw its first copy go, the server only the second, after the other subflow's.
    assert_eq!((client.reinjected_bytes_c2s, client.retransmitted_bytes_c2s), (100, 100));
    assert_eq!((server.reinjected_bytes_c2s, server.retransmitted_bytes_c2s), (100, 0));
    assert_eq!((client.close, server.close), (Some(Close::Reset), None));
    assert_eq!((client.subflows_attempted, client.subflows_established, client.version), (2, 2, Some(1)));
    assert_eq!((client.blocks_c2s, server.blocks_c2s), (2, 3));

    let copies: Vec<_> =
        tables.reinjections.iter().map(|it| (it.vantage, it.dsn, it.bytes, it.from_subflow)).collect();
    assert_eq!(copies, [(End::Client, 100, 100, 0), (End::Server, 100, 100, 1)]);
    let carried: Vec<_> =
        tables.mappings.iter().map(|it| (it.carried, it.dsn, it.arrived.is_some())).collect();
    let expected = [
        (Carried::New, 0, true),
        (Carried::New, 100, false),
        (Carried::New, 100, true),
        (Carried::Retransmission, 100, true),
    ];
    assert_eq!(carried, expected);
    let [dropped] = &tables.drops[..] else { panic!() };
    assert_eq!((dropped.link, dropped.why, dropped.bytes, dropped.dsn), (7, "full", 100, Some(100)));
    // 2 ms between data and ACK at the client, none at the server, where the ACK leaves at once.
    let rtts: Vec<_> = tables.rtts.iter().map(|it| (it.vantage, it.rtt)).collect();
    assert_eq!(rtts, [(End::Server, 0.0), (End::Client, 0.002)]);
    let join = tables.subflows.iter().find(|it| it.vantage == End::Server && it.subflow == 2).unwrap();
    assert_eq!((join.subflow_id, join.backup, join.address_id, join.data_bytes_c2s), (1, true, 3, 150));
}

#[test]
fn data_that_goes_on_after_silence_is_a_handover_whatever_fins_go_into_the_void() {
    for answered in [false, true] {
        let mut run = Run::new();
        run.syn(0);
        run.syn(1);
        run.data(0, 0, 0, 100, true);
        run.ack(0, 100);
        run.data(1, 0, 100, 100, true);
        run.now += Duration::from_secs(1);
        let [client, server] = Run::ends(0);
        let fin = Header::new(client, server, 1100, 1, Flags::FIN | Flags::ACK, 100);
        run.pass(0, End::Client, fin, answered);
        if answered {
            run.ack(0, 101);
        }
        run.data(1, 100, 200, 100, true);
        run.ack(1, 200);
        let tables = run.truth.finish();
        let handovers = if answered { 0 } else { 1 };
        assert_eq!(tables.connections[0].handovers, handovers);
        let told =
            tables.events.iter().filter(|it| it.kind == EventKind::Handover && it.vantage == End::Client);
        assert_eq!(told.count() as u32, handovers);
    }
}

#[test]
fn an_end_that_saw_no_option_takes_no_part() {
    let mut run = Run::new();
    let [client, server] = Run::ends(0);
    let mut syn = Header::new(client, server, 999, 0, Flags::SYN, 100);
    let plain = syn;
    let capable = Capable {
        version: 1,
        flags: 1,
        sender_key: None,
        receiver_key: None,
        data_len: None,
        checksum: None,
    };
    syn.options.mptcp(&Mptcp::Capable(capable)).unwrap();
    let at = |end| Sight { now: Time::ZERO, connection: 0, subflow: 0, end };
    run.truth.sent(at(End::Client), &mut syn);
    run.truth.arrived(at(End::Server), &plain);
    let tables = run.truth.finish();
    assert_eq!(tables.connections.iter().map(|it| it.vantage).collect::<Vec<_>>(), [End::Client]);
}
