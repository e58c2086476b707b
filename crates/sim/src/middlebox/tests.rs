use super::*;
use crate::header::{OptionBytes, Payload};
use std::net::IpAddr;
use subflow_wire::Key;
use subflow_wire::mptcp::{Capable, Mptcp, Prio, subtype};
use subflow_wire::tcp::{Flags, TcpOption};

fn ends() -> (SocketAddr, SocketAddr) {
    ("10.0.0.1:4000".parse().unwrap(), "10.9.0.1:80".parse().unwrap())
}

fn capable(key: u64) -> Mptcp<'static> {
    let sender_key = Some(Key(key));
    Mptcp::Capable(Capable {
        version: 0,
        flags: 1,
        sender_key,
        receiver_key: None,
        data_len: None,
        checksum: None,
    })
}

fn syn() -> Header {
    let (client, server) = ends();
    let mut syn = Header::new(client, server, 100, 0, Flags::SYN, 1000);
    syn.options = OptionBytes::syn(1460, true, Some((1, 0)), Some(7));
    syn.options.mptcp(&capable(11)).unwrap();
    syn
}

fn syn_ack() -> Header {
    let (client, server) = ends();
    let mut syn_ack = Header::new(server, client, 500, 101, Flags::SYN | Flags::ACK, 1000);
    syn_ack.options = OptionBytes::syn(1460, true, Some((9, 1)), Some(7));
    syn_ack.options.mptcp(&capable(22)).unwrap();
    syn_ack
}

fn data(len: u16, seq: u32) -> Header {
    let (client, server) = ends();
    let mut data = Header::new(client, server, seq, 501, Flags::ACK, 1000);
    data.options = OptionBytes::segment(Some((2, 9)));
    data.options.mptcp(&Mptcp::Prio(Prio { backup: true, address_id: None, reserved: 0 })).unwrap();
    data.payload = Payload { stream: 0, dsn: 7, len, ..Payload::default() };
    data
}

fn pass(middlebox: &mut Middlebox, way: Way, header: &mut Header) -> (Action, Sent) {
    let mut sent = Sent::new();
    let action = middlebox.pass(way, header, &mut sent);
    (action, sent)
}

#[test]
fn strip_takes_options_from_the_segments_that_are_meant() {
    for (from, gone) in [
        (Segments::SYN, [true, false, false]),
        (Segments::SYN_ACK, [false, true, false]),
        (Segments::DATA, [false, false, true]),
        (Segments::ALL, [true; 3]),
    ] {
        let mut strip = Middlebox::Strip(Strip::new(from));
        let segments = [(Way::Out, syn()), (Way::In, syn_ack()), (Way::Out, data(5, 101))];
        for ((way, mut header), gone) in segments.into_iter().zip(gone) {
            let before = header;
            assert_eq!(pass(&mut strip, way, &mut header), (Action::Forward, vec![]));
            assert_eq!(header.mptcp().count(), usize::from(!gone));
            assert_eq!(header.options.padded_len(), before.options.padded_len());
            assert_eq!(header == before, !gone);
        }
    }
}

#[test]
fn strip_may_be_picky_and_may_shrink() {
    let picky = Strip { subtypes: 1 << subtype::MP_JOIN, ..Strip::new(Segments::ALL) };
    let mut header = syn();
    pass(&mut Middlebox::Strip(picky), Way::Out, &mut header);
    assert_eq!(header, syn());
    let one_way = Strip { way: Some(Way::In), nops: false, ..Strip::new(Segments::ALL) };
    let mut one_way = Middlebox::Strip(one_way);
    pass(&mut one_way, Way::Out, &mut header);
    assert_eq!(header, syn());
    let mut header = syn_ack();
    pass(&mut one_way, Way::In, &mut header);
    assert_eq!(header.options.padded_len(), 20);
}

#[test]
fn drop_lets_plain_syns_and_answers_pass() {
    let mut middlebox = Middlebox::DropSyn(DropSyn { most: 2, ..DropSyn::new() });
    assert_eq!(pass(&mut middlebox, Way::Out, &mut syn()).0, Action::Drop);
    let mut plain = syn();
    plain.options = OptionBytes::syn(1460, true, None, None);
    assert_eq!(pass(&mut middlebox, Way::Out, &mut plain).0, Action::Forward);
    assert_eq!(pass(&mut middlebox, Way::In, &mut syn_ack()).0, Action::Forward);
    assert_eq!(pass(&mut middlebox, Way::Out, &mut syn()).0, Action::Drop);
    assert_eq!(pass(&mut middlebox, Way::Out, &mut syn()).0, Action::Forward);
}

#[test]
fn a_mirror_returns_what_the_client_sent() {
    let mut mirror = Middlebox::Mirror(Mirror::new());
    let mut header = syn();
    pass(&mut mirror, Way::Out, &mut header);
    assert_eq!(header.mptcp().count(), 0);
    let mut answer = syn_ack();
    pass(&mut mirror, Way::In, &mut answer);
    assert_eq!(answer.mptcp().collect::<Vec<_>>(), [capable(11)]);
    assert_eq!(answer.options.padded_len(), 32);
}

#[test]
fn nat_translates_there_and_back() {
    let outer: IpAddr = "192.0.2.9".parse().unwrap();
    let mut nat = Middlebox::Nat(Nat::new(outer, 50_000));
    let mut out = syn();
    pass(&mut nat, Way::Out, &mut out);
    assert_eq!((out.src, out.src_port, out.dst), (outer, 50_000, ends().1.ip()));
    let mut other = syn();
    other.src_port = 4001;
    pass(&mut nat, Way::Out, &mut other);
    assert_eq!((other.src, other.src_port), (outer, 50_001));
    let mut again = data(5, 101);
    pass(&mut nat, Way::Out, &mut again);
    assert_eq!(again.src_port, 50_000);
    let mut back = syn_ack();
    (back.dst, back.dst_port) = (outer, 50_000);
    assert_eq!(pass(&mut nat, Way::In, &mut back).0, Action::Forward);
    assert_eq!((back.dst, back.dst_port), (ends().0.ip(), 4000));
    let mut stray = syn_ack();
    (stray.dst, stray.dst_port) = (outer, 50_002);
    assert_eq!(pass(&mut nat, Way::In, &mut stray).0, Action::Drop);
}

#[test]
fn change_hits_the_same_bytes_of_every_copy() {
    let mut change = Middlebox::Change(Change::new(Way::Out, 10, 4));
    pass(&mut change, Way::Out, &mut syn());
    for (seq, len, expected) in
        [(101, 10, (0, 0)), (101, 12, (10, 2)), (109, 10, (2, 4)), (112, 5, (0, 3)), (115, 5, (0, 0))]
    {
        let mut header = data(len, seq);
        pass(&mut change, Way::Out, &mut header);
        assert_eq!((header.payload.changed_at, header.payload.changed), expected, "{seq} {len}");
    }
}

#[test]
fn rewriting_is_undone_on_the_way_back() {
    let mut rewrite = Middlebox::Rewrite(Rewrite::new(5));
    let mut header = syn();
    pass(&mut rewrite, Way::Out, &mut header);
    let shift = header.seq.wrapping_sub(100);
    assert_ne!(shift, 0);
    let mut answer = syn_ack();
    answer.ack = header.seq.wrapping_add(1);
    pass(&mut rewrite, Way::In, &mut answer);
    let back = answer.seq.wrapping_sub(500);
    assert_eq!(answer.ack, 101);
    assert_ne!(back, shift);
    let mut ack = data(0, 101);
    ack.ack = answer.seq.wrapping_add(1);
    ack.options = OptionBytes::segment(None);
    ack.options.sack(&[(answer.seq.wrapping_add(10), answer.seq.wrapping_add(20))], 0);
    pass(&mut rewrite, Way::Out, &mut ack);
    assert_eq!((ack.seq, ack.ack), (101u32.wrapping_add(shift), 501));
    assert_eq!(ack.sack().unwrap().collect::<Vec<_>>(), [(510, 520)]);
}

#[test]
fn a_proxy_splices_two_connections() {
    let mut proxy = Middlebox::Proxy(Proxy::new(1400, 3));
    let mut header = syn();
    let (action, sent) = pass(&mut proxy, Way::Out, &mut header);
    assert_eq!(action, Action::Forward);
    assert_eq!(header.options.as_bytes(), [2, 4, 0x05, 0xb4]);
    let [(Way::In, answer)] = sent[..] else { panic!("{sent:?}") };
    assert_eq!((answer.src_port, answer.dst_port, answer.ack), (80, 4000, 101));
    assert_eq!(answer.flags, Flags::SYN | Flags::ACK);
    assert_eq!(answer.options.as_bytes(), [2, 4, 0x05, 0x78]);
    let own = answer.seq;

    // The client goes on before the server has answered.
    let mut early = data(5, 101);
    early.ack = own.wrapping_add(1);
    assert_eq!(pass(&mut proxy, Way::Out, &mut early), (Action::Consume, vec![]));
    // It repeats itself, so the SYN is lost; the box sends it again, and the data once.
    let (action, sent) = pass(&mut proxy, Way::Out, &mut early);
    assert_eq!((action, sent), (Action::Consume, vec![(Way::Out, header)]));
    let mut answer = syn_ack();
    let (action, sent) = pass(&mut proxy, Way::In, &mut answer);
    assert_eq!(action, Action::Consume);
    let [(Way::Out, ack), (Way::Out, data_sent)] = sent[..] else { panic!("{sent:?}") };
    assert_eq!((ack.seq, ack.ack, ack.flags, ack.dst_port), (101, 501, Flags::ACK, 80));
    assert_eq!((data_sent.seq, data_sent.ack, data_sent.payload.len), (101, 501, 5));
    assert!(data_sent.options.is_empty());

    let (client, server) = ends();
    let mut back = Header::new(server, client, 501, 106, Flags::ACK, 10);
    pass(&mut proxy, Way::In, &mut back);
    assert_eq!((back.seq, back.ack), (own.wrapping_add(1), 106));
}

#[test]
fn boxes_on_a_link_are_passed_in_order() {
    let mut boxes = Middleboxes::new();
    let (there, back) = (LinkId(3), LinkId(4));
    boxes.add(Middlebox::Rewrite(Rewrite::new(9)), there, back);
    boxes.add(Middlebox::Nat(Nat::new("192.0.2.1".parse().unwrap(), 60_000)), there, back);
    let mut sent = Vec::new();
    let mut header = syn();
    assert_eq!(boxes.pass(LinkId(5), &mut header, &mut sent), Action::Forward);
    assert_eq!(header, syn());
    boxes.pass(there, &mut header, &mut sent);
    let mut answer = syn_ack();
    (answer.dst, answer.dst_port) = (header.src, header.src_port);
    answer.ack = header.seq.wrapping_add(1);
    boxes.pass(back, &mut answer, &mut sent);
    assert_eq!((answer.dst_port, answer.ack), (4000, 101));
    assert!(sent.is_empty());
    assert_eq!(boxes.links(), [there, back]);
    assert!(header.options().any(|option| matches!(option, TcpOption::Mptcp(_))));
}
