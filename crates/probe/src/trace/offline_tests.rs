//! Captures built by hand: stale answers, probes that look alike, translated quotes, and no capture at all.

use subflow_capture::Packet;
use subflow_wire::LinkType;
use subflow_wire::icmp::{ErrorMessage, v4_type};
use subflow_wire::ip::{protocol, v4};
use subflow_wire::tcp::{Flags, Header, Tcp, TcpOption};

use super::offline::Offline;
use super::tests::{V1, addrs, expired, packet};
use super::*;
use crate::rows::{Behaviour, HopAnswer};

const MS: i64 = 1_000_000;

fn take(offline: &mut Offline, time_ns: i64, data: &[u8]) {
    let wire_len = data.len() as u32;
    offline.packet(&Packet { time_ns, wire_len, link: LinkType::RAW, interface: 0, file: 0, frame: 0, data });
}

fn ip(from_router: bool, number: u8, payload: &[u8]) -> Vec<u8> {
    let (std::net::IpAddr::V4(ours), std::net::IpAddr::V4(theirs)) = addrs(false) else { panic!() };
    let src = if from_router { [203, 0, 113, 9].into() } else { theirs };
    let mut bytes = vec![0; 20];
    v4::Header { hop_limit: 60, ..v4::Header::new(src, ours, number) }
        .emit(payload.len(), &mut bytes)
        .unwrap();
    bytes.extend(payload);
    bytes
}

fn exceeded(quote: &[u8]) -> Vec<u8> {
    let (ours, theirs) = addrs(false);
    let mut message = [0; 300];
    let error = ErrorMessage { ty: v4_type::TIME_EXCEEDED, code: 0, rest: [0; 4], quote, extensions: &[] };
    let len = error.emit(theirs, ours, &mut message).unwrap();
    ip(true, protocol::ICMP, &message[..len])
}

fn syn_ack(probe: &[u8], ack: u32, echo: Option<u32>) -> Vec<u8> {
    let (ours, theirs) = addrs(false);
    let tcp = Tcp::parse(&probe[20..]).unwrap();
    let header = Header {
        src_port: tcp.dst_port(),
        dst_port: tcp.src_port(),
        seq: 1,
        ack: tcp.seq().wrapping_add(ack),
        flags: Flags::SYN | Flags::ACK,
        ..Header::default()
    };
    let options: Vec<_> = echo.map(|echo| TcpOption::Timestamps { value: 5, echo }).into_iter().collect();
    let mut segment = [0; 60];
    let len = header.emit(theirs, ours, &options, &[], &mut segment).unwrap();
    ip(false, protocol::TCP, &segment[..len])
}

#[test]
fn old_tool_stale_answers_accepted() {
    let mut offline = Offline::default();
    let probe = packet(false, 3, &V1, b"");
    take(&mut offline, 10 * MS, &probe);
    // A SYN/ACK to another sequence number, and a quote of another probe from the same port.
    take(&mut offline, 11 * MS, &syn_ack(&probe, 100, None));
    let mut other = expired(&probe);
    other[24] ^= 1;
    other[4] ^= 1;
    take(&mut offline, 12 * MS, &exceeded(&other));
    let traces = offline.traces();
    assert_eq!((traces.len(), traces[0].rejected, traces[0].answers), (1, 2, 0));
    assert!(conclude(&traces[0]).hops.iter().all(|hop| hop.answer == HopAnswer::Silent));
}

#[test]
fn old_tool_wrong_delays() {
    let mut offline = Offline::default();
    let mut probe = packet(false, 3, &V1, b"");
    take(&mut offline, 10 * MS, &probe);
    // Sent again as it was: which of the two is answered cannot be told, so there is no delay.
    take(&mut offline, 1010 * MS, &probe);
    take(&mut offline, 1015 * MS, &syn_ack(&probe, 1, None));
    let found = conclude(&offline.traces()[0]);
    assert_eq!((found.hops[0].answer, found.hops[0].rtt, found.hops[0].probes), (HopAnswer::SynAck, None, 2));
    // With another timestamp it can.
    let mut offline = Offline::default();
    take(&mut offline, 10 * MS, &probe);
    let first = u32::from_be_bytes([probe[48], probe[49], probe[50], probe[51]]);
    probe[51] ^= 1;
    take(&mut offline, 1010 * MS, &probe);
    take(&mut offline, 1015 * MS, &syn_ack(&probe, 1, Some(first)));
    let found = conclude(&offline.traces()[0]);
    assert_eq!(found.hops[0].rtt, Some(1.005));
}

#[test]
fn quotes_of_translated_probes_are_known_by_their_number() {
    let mut offline = Offline::default();
    for hop in 1..=3 {
        let probe = packet(false, hop, &V1, b"");
        take(&mut offline, i64::from(hop) * 10 * MS, &probe);
        let mut quote = expired(&probe);
        if hop > 1 {
            // Address and port of the sender, as behind a translator.
            quote[15] ^= 0x40;
            quote[21] ^= 0x01;
        }
        take(&mut offline, (i64::from(hop) * 10 + 2) * MS, &exceeded(&quote));
    }
    let probe = packet(false, 4, &V1, b"");
    take(&mut offline, 90 * MS, &probe);
    take(&mut offline, 95 * MS, &syn_ack(&probe, 1, Some(1000)));
    let found = conclude(&offline.traces()[0]);
    assert_eq!(found.target.behaviour, Some(Behaviour::Nat), "{:?}", found.target);
    assert_eq!((found.target.after_hop, found.target.before_hop), (Some(1), Some(2)));
}

proptest::proptest! {
    #[test]
    fn no_packets_make_it_panic(packets in proptest::collection::vec(proptest::collection::vec(proptest::prelude::any::<u8>(), 0..90), 0..6), kinds in proptest::collection::vec(0u8..4, 6)) {
        let mut offline = Offline::default();
        take(&mut offline, 1, &packet(false, 3, &V1, b""));
        for (bytes, kind) in packets.iter().zip(&kinds) {
            let bytes = match kind {
                0 => bytes.clone(),
                1 => exceeded(bytes),
                2 => ip(false, protocol::TCP, bytes),
                _ => {
                    let mut probe = expired(&packet(false, 3, &V1, b""));
                    for (place, byte) in probe.iter_mut().zip(bytes) { *place ^= byte & 0x11; }
                    exceeded(&probe)
                }
            };
            take(&mut offline, 2, &bytes);
        }
        for trace in offline.traces() {
            let found = conclude(&trace);
            let _ = words::sentence(&found.target, &found.modifications);
            let _ = classic::json(&trace, crate::rows::Asks::V1, 30, true);
        }
    }
}
