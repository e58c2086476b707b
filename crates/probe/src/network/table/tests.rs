//! Talks without a network: what is sent, what comes, and when they end.

use super::*;
use crate::network::Head;
use subflow_wire::icmp::{ErrorMessage, v4_type};
use subflow_wire::ip::v4;
use subflow_wire::tcp::{Flags, Header};

/// Sends a SYN to its address and one to another, and remembers what it is told.
struct Talker {
    remote: IpAddr,
    other: IpAddr,
    seq: u32,
    heard: Vec<String>,
    over: bool,
}

impl Talk for Talker {
    fn remote(&self) -> IpAddr {
        self.remote
    }

    fn begin(&mut self, now: Nanos, out: &mut Out) {
        let mut bytes = Vec::new();
        let (local, mut header) =
            (out.local(), Header { dst_port: 80, flags: Flags::SYN, ..Header::default() });
        for (n, to) in [(0, self.remote), (1, self.other)] {
            (header.src_port, header.seq) = (local.port(n), self.seq + u32::from(n));
            Head::new(local.addr, to).segment(&header, &[], &[], &mut bytes).unwrap();
            out.send(n.into(), &bytes);
        }
        out.wake(now + 100);
    }

    fn packet(&mut self, _now: Nanos, packet: &Received<'_>, _out: &mut Out) {
        self.heard.push(packet.ip.src.to_string());
    }

    fn timer(&mut self, now: Nanos, _out: &mut Out) {
        self.heard.push(format!("at {now}"));
        self.over = true;
    }

    fn is_over(&self) -> bool {
        self.over
    }
}

fn addr(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn talker(remote: &str, seq: u32) -> Talker {
    Talker { remote: addr(remote), other: addr("203.0.113.99"), seq, heard: Vec::new(), over: false }
}

fn segment(src: &str, dst: &str, to: u16) -> Vec<u8> {
    let mut bytes = Vec::new();
    let header = Header { src_port: 80, dst_port: to, flags: Flags::SYN | Flags::ACK, ..Header::default() };
    Head::new(addr(src), addr(dst)).segment(&header, &[], &[], &mut bytes).unwrap();
    bytes
}

/// "Time exceeded" that quotes a segment.
fn exceeded(quote: &[u8]) -> Vec<u8> {
    let mut message = [0; 200];
    let (from, to) = ("192.0.2.254".parse().unwrap(), "192.0.2.1".parse().unwrap());
    let error = ErrorMessage { ty: v4_type::TIME_EXCEEDED, code: 0, rest: [0; 4], quote, extensions: &[] };
    let len = error.emit(IpAddr::V4(from), IpAddr::V4(to), &mut message).unwrap();
    let mut bytes = vec![0; 20];
    v4::Header::new(from, to, protocol::ICMP).emit(len, &mut bytes).unwrap();
    bytes.extend(&message[..len]);
    bytes
}

#[test]
fn packets_find_their_talks() {
    let mut table = Table::new((61_000, 61_063), 10);
    let way = Way { interface: 0, link: None, source: addr("192.0.2.1") };
    for (remote, seq) in [("198.51.100.1", 1000), ("198.51.100.2", 2000)] {
        let place = table.enter(talker(remote, seq));
        table.set_out(place, way, 5);
    }
    assert_eq!((table.so_far.active, table.queue.len(), table.next_timer()), (2, 4, Some(105)));
    let sent: Vec<Vec<u8>> = table.queue.iter().map(|queued| queued.packet.clone()).collect();
    let ports: Vec<u16> =
        sent.iter().map(|bytes| Received::parse(0, bytes).unwrap().tcp().unwrap().src_port()).collect();
    // Two talks that follow each other send from different ports.
    assert_eq!(ports, [61_007, 61_008, 61_014, 61_015]);
    // From its address, whatever the port; from the other address, by the port.
    table.receive(6, &segment("198.51.100.2", "192.0.2.1", 61_000));
    table.receive(6, &segment("203.0.113.99", "192.0.2.1", 61_015));
    // By the quoted destination; by the sequence number alone, where a box has changed the destination.
    table.receive(6, &exceeded(&sent[2]));
    let mut redirected = sent[3].clone();
    redirected[16..20].copy_from_slice(&[10, 0, 0, 1]);
    table.receive(6, &exceeded(&redirected));
    assert_eq!((table.so_far.received, table.so_far.strays), (4, 0));
    let heard = |table: &Table<Talker>, place: usize| table.slots[place].as_ref().unwrap().talk.heard.clone();
    assert_eq!(heard(&table, 1), ["198.51.100.2", "203.0.113.99", "192.0.2.254", "192.0.2.254"]);
    assert_eq!(heard(&table, 0), [""; 0]);
    // To somebody else, from nobody, about nothing of ours.
    table.receive(6, &segment("198.51.100.2", "192.0.2.7", 61_000));
    table.receive(6, &segment("203.0.113.99", "192.0.2.1", 61_030));
    redirected[24] ^= 0x55;
    table.receive(6, &exceeded(&redirected));
    table.receive(6, &[0x45, 0, 0]);
    assert_eq!((table.so_far.received, table.so_far.strays), (7, 3));
}

#[test]
fn a_talk_ends_when_it_is_over_and_has_sent_all() {
    let mut table = Table::new((61_000, 61_063), 1);
    let way = Way { interface: 0, link: None, source: addr("192.0.2.1") };
    let place = table.enter(talker("198.51.100.1", 1000));
    table.set_out(place, way, 5);
    // Another one with its address has to wait, and nobody else has room.
    assert!(!table.has_room());
    table.waiting.push_back(talker("198.51.100.1", 3000));
    assert!(table.waiting_and_free().is_none());
    table.wake(104);
    table.wake(105);
    let mut ended = Vec::new();
    let mut watch = |talk: Talker| {
        ended.push(talk.heard);
        Ok(())
    };
    table.hand_over(&mut watch).unwrap();
    assert_eq!(table.so_far.finished, 0);
    // Its packets leave.
    for queued in table.queue.drain(..) {
        let slot = table.slots[queued.place].as_mut().unwrap();
        slot.queued -= 1;
    }
    table.call(place, |_, _| {});
    table.hand_over(&mut watch).unwrap();
    assert_eq!((table.so_far.finished, table.so_far.active), (1, 0));
    assert_eq!(ended, [["at 105"]]);
    assert!(table.has_room() && table.waiting_and_free().is_some());
    assert!(table.by_other.is_empty() && table.by_seq.is_empty() && table.by_remote.is_empty());
}
