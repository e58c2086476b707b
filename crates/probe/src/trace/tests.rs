//! The comparison, with packets built by hand; what the old tool got wrong, each under its name.

use std::net::IpAddr;

use proptest::prelude::*;
use subflow_wire::checksum::transport;
use subflow_wire::icmp::{ErrorMessage, Family, Message, MplsLabel, Object, v4_type, v6_type};
use subflow_wire::ip::{protocol, v4, v6};
use subflow_wire::tcp::{Flags, Header, TcpOption};

use super::*;
use crate::rows::{Asks, ChangeKind, Field, HopAnswer, QuoteKind};

pub(super) const V1: [u8; 24] =
    [2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 3, 0xe8, 0, 0, 0, 0, 1, 3, 3, 7, 30, 4, 1, 1];

pub(super) fn addrs(v6: bool) -> (IpAddr, IpAddr) {
    let (a, b) = if v6 { ("2001:db8::1", "2001:db8:1::9") } else { ("192.0.2.1", "198.51.100.9") };
    (a.parse().unwrap(), b.parse().unwrap())
}

/// A packet with these option bytes.
pub(super) fn packet(v6: bool, hop: u8, options: &[u8], payload: &[u8]) -> Vec<u8> {
    let (src, dst) = addrs(v6);
    let header = Header {
        src_port: 61_000,
        dst_port: 80,
        seq: 0x0102_0304,
        flags: Flags::SYN,
        window: 64_240,
        ..Header::default()
    };
    let options = [TcpOption::Malformed { kind: 0, bytes: options, reason: "" }];
    let mut segment = vec![0; 200];
    let len = header.emit(src, dst, &options, payload, &mut segment).unwrap();
    segment.truncate(len);
    let mut out = vec![0; 60];
    let len = match (src, dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => {
            let header = v4::Header {
                hop_limit: hop,
                identification: 0x4321,
                ..v4::Header::new(src, dst, protocol::TCP)
            };
            header.emit(segment.len(), &mut out).unwrap()
        }
        (IpAddr::V6(src), IpAddr::V6(dst)) => {
            let header = v6::Header {
                hop_limit: hop,
                flow_label: 0x12345,
                ..v6::Header::new(src, dst, protocol::TCP)
            };
            header.emit(segment.len(), &mut out).unwrap()
        }
        _ => panic!("mixed families"),
    };
    out.truncate(len);
    out.extend(segment);
    out
}

/// What a router quotes of it: the hop limit has run out.
pub(super) fn expired(packet: &[u8]) -> Vec<u8> {
    let mut quote = packet.to_vec();
    if quote[0] >> 4 == 4 {
        quote[8] = 1;
        let head = &mut quote[..20];
        head[10..12].fill(0);
        let sum = subflow_wire::checksum::ones_complement(head);
        head[10..12].copy_from_slice(&sum.to_be_bytes());
    } else {
        quote[7] = 1;
    }
    quote
}

fn of(sent: &[u8], quote: &[u8]) -> Comparison {
    compare(sent, Quote { bytes: quote, extended: false }).unwrap()
}

fn words(comparison: &Comparison) -> Vec<String> {
    comparison.changes.iter().map(ToString::to_string).collect()
}

/// Makes the checksum of TCP right again.
pub(super) fn mend(packet: &mut [u8]) {
    let at = if packet[0] >> 4 == 4 { 20 } else { 40 };
    let (src, dst) = super::compare::addresses(packet, packet[0] >> 4).unwrap();
    packet[at + 16..at + 18].fill(0);
    let sum = transport(src, dst, protocol::TCP, &packet[at..]);
    packet[at + 16..at + 18].copy_from_slice(&sum.to_be_bytes());
}

#[test]
fn what_routers_do_to_every_packet_is_no_change() {
    for v6 in [false, true] {
        let sent = packet(v6, 5, &V1, b"");
        for ttl in [0, 1, 3] {
            let mut quote = expired(&sent);
            quote[if v6 { 7 } else { 8 }] = ttl;
            let comparison = of(&sent, &quote);
            assert_eq!((words(&comparison), comparison.kind), (vec![], QuoteKind::Full));
            assert_eq!((comparison.quoted_ttl, comparison.checksum_fits), (ttl, Some(true)));
        }
        let mut raised = expired(&sent);
        raised[if v6 { 7 } else { 8 }] = 60;
        assert_eq!(words(&of(&sent, &raised)), ["ttl 5 → 60"]);
    }
}

#[test]
fn every_field_of_the_headers() {
    let sent = packet(false, 5, &V1, b"");
    // Where, what to flip, what it is called.
    let cases: [(usize, u8, Field); 16] = [
        (1, 0xb8, Field::Dscp),
        (1, 0x01, Field::IpEcn),
        (4, 0x10, Field::IpId),
        (6, 0x40, Field::IpFlags),
        (7, 0x02, Field::FragmentOffset),
        (12, 0x0f, Field::SrcAddr),
        (19, 0x0f, Field::DstAddr),
        (20, 0x01, Field::SrcPort),
        (23, 0x01, Field::DstPort),
        (25, 0x01, Field::Sequence),
        (28, 0x01, Field::Acknowledgement),
        (33, 0xc0, Field::Flags),
        (32, 0x02, Field::Flags),
        (34, 0x01, Field::Window),
        (39, 0x01, Field::Urgent),
        (42, 0x02, Field::Mss),
    ];
    for (at, bits, field) in cases {
        let mut quote = expired(&sent);
        quote[at] ^= bits;
        let comparison = of(&sent, &quote);
        assert_eq!(comparison.changes[0].field, field, "{at}");
        if at >= 20 {
            // The checksum was not mended.
            assert_eq!(comparison.changes.last().unwrap().kind, ChangeKind::Broken, "{at}");
            mend(&mut quote);
            let comparison = of(&sent, &quote);
            assert_eq!((comparison.changes.len(), comparison.checksum_fits), (1, Some(true)), "{at}");
        }
    }
    let sent = packet(true, 5, &V1, b"");
    for (at, bits, field) in [
        (0, 0x02, Field::Dscp),
        (1, 0x10, Field::IpEcn),
        (2, 0x01, Field::FlowLabel),
        (9, 1, Field::SrcAddr),
        (39, 1, Field::DstAddr),
    ] {
        let mut quote = expired(&sent);
        quote[at] ^= bits;
        assert_eq!(of(&sent, &quote).changes[0].field, field, "{at}");
    }
}

#[test]
fn habits_of_who_quotes_are_no_change() {
    let sent = packet(false, 5, &V1, b"");
    for habit in [[64, 0], [0, 44], [44, 0], [0, 0]] {
        let mut quote = expired(&sent);
        quote[2..4].copy_from_slice(&habit);
        quote[6..8].copy_from_slice(&[0, 0x40]);
        let comparison = of(&sent, &quote);
        assert_eq!((words(&comparison), comparison.kind), (vec![], QuoteKind::Full), "{habit:?}");
    }
}

#[test]
fn translated_addresses_betray_themselves_by_the_checksum() {
    let sent = packet(false, 5, &V1, b"");
    let mut quote = expired(&sent);
    quote[36] ^= 0x55;
    let comparison = of(&sent, &quote);
    assert_eq!(comparison.changes.len(), 1);
    assert_eq!(
        (comparison.changes[0].field, comparison.changes[0].kind),
        (Field::Checksum, ChangeKind::Changed)
    );
}

/// The packet without its option of Multipath TCP: shorter, or padded.
fn stripped(sent: &[u8], pad: bool) -> Vec<u8> {
    let mut quote = expired(sent);
    let ip = if quote[0] >> 4 == 4 { 20 } else { 40 };
    if pad {
        quote[ip + 40..ip + 44].fill(1);
    } else {
        quote.drain(ip + 40..ip + 44);
        quote[ip + 12] -= 0x10;
        let at = if ip == 20 { 3 } else { 5 };
        quote[at] -= 4;
    }
    mend(&mut quote);
    quote
}

#[test]
fn old_tool_cut_quote_called_deletion() {
    for v6 in [false, true] {
        let sent = packet(v6, 5, &V1, b"payload");
        let quote = expired(&sent);
        let least = if v6 { 40 } else { 20 };
        for cut in least..=quote.len() {
            let comparison = of(&sent, &quote[..cut]);
            assert_eq!(words(&comparison), [""; 0], "{cut}");
        }
        // Nor is one that is cut behind a box that took the option out: a shorter packet is all that shows.
        let quote = stripped(&packet(v6, 5, &V1, b""), false);
        let comparison = of(&packet(v6, 5, &V1, b""), &quote[..least + 8]);
        assert_eq!(comparison.changes.len(), 1);
        assert_eq!(comparison.changes[0].field, Field::IpLength);
    }
}

#[test]
fn the_padding_of_an_extended_quote_is_no_change() {
    for v6 in [false, true] {
        let (src, dst) = addrs(v6);
        let sent = packet(v6, 5, &V1, b"");
        let whole = expired(&sent);
        let labels =
            u32::from(MplsLabel { label: 24_000, traffic_class: 1, bottom: true, ttl: 1 }).to_be_bytes();
        let objects = [Object { class: 1, ctype: 1, data: &labels }];
        let least = if v6 { 48 } else { 28 };
        for cut in least..=whole.len() {
            let ty = if v6 { v6_type::TIME_EXCEEDED } else { v4_type::TIME_EXCEEDED };
            let error =
                ErrorMessage { ty, code: 0, rest: [0; 4], quote: &whole[..cut], extensions: &objects };
            let mut bytes = [0; 400];
            let len = error.emit(dst, src, &mut bytes).unwrap();
            let family = if v6 { Family::V6 } else { Family::V4 };
            let message = Message::parse(family, &bytes[..len]).unwrap();
            let quote = Quote::of(&message);
            assert!(quote.extended);
            let comparison = compare(&sent, quote).unwrap();
            assert_eq!(words(&comparison), [""; 0], "{cut}");
            assert_eq!(comparison.kind == QuoteKind::Full, cut == whole.len(), "{cut}");
            assert_eq!(mpls_labels(&message)[0].label, 24_000);
        }
        // Zeros that are really there are seen: the checksum fits them.
        let mut zeros = expired(&sent);
        let at = if v6 { 80 } else { 60 };
        zeros[at..at + 4].fill(0);
        mend(&mut zeros);
        zeros.resize(128, 0);
        let comparison = compare(&sent, Quote { bytes: &zeros, extended: true }).unwrap();
        assert_eq!(words(&comparison), ["mptcp padded"]);
    }
}

/// What a box makes of a packet.
type Work<'a> = &'a dyn Fn(&[u8]) -> Vec<u8>;

/// A run over hops that quote so many bytes of what this makes of the probe.
fn run(quotes: &[(u8, Option<usize>, Work<'_>)]) -> Run {
    let (src, _) = addrs(false);
    let mut run = Run {
        asks: Asks::V1,
        mptcp: true,
        flow: 0,
        round: 1,
        src_addr: src,
        src_port: 61_000,
        steps: Vec::new(),
    };
    for &(hop, cut, change) in quotes {
        let sent = packet(false, hop, &V1, b"");
        let quote = change(&sent);
        let quote = &quote[..cut.unwrap_or(quote.len()).min(quote.len())];
        let comparison = compare(&sent, Quote { bytes: quote, extended: false }).unwrap();
        let step = run.step(hop);
        step.probes = 1;
        step.seen.push(Seen {
            sent_ns: i64::from(hop) * 1000,
            time_ns: Some(i64::from(hop) * 1000 + 500),
            from: IpAddr::from([203, 0, 113, hop]),
            answer: HopAnswer::TimeExceeded,
            ttl: 60,
            icmp: Some((11, 0)),
            quote: Some(Quoted { comparison, extended: false, mpls: vec![] }),
            finding: None,
            options: None,
            sent,
        });
    }
    run
}

fn places(run: &Run) -> Vec<(String, u8, u8, u32)> {
    place(run).iter().map(|p| (p.change.to_string(), p.after, p.before, p.times)).collect()
}

#[test]
fn a_change_lies_behind_the_last_hop_that_got_it_unchanged() {
    let same: Work<'_> = &expired;
    let gone: Work<'_> = &|sent| stripped(sent, false);
    let padded: Work<'_> = &|sent| stripped(sent, true);
    let none: [(String, u8, u8, u32); 0] = [];
    assert_eq!(places(&run(&[(1, None, same), (2, None, same)])), none);
    assert_eq!(
        places(&run(&[(1, None, same), (2, None, gone), (3, None, gone)])),
        [("mptcp removed".to_owned(), 1, 2, 2)]
    );
    // Silent hops widen the interval.
    assert_eq!(places(&run(&[(2, None, same), (5, None, padded)])), [("mptcp padded".to_owned(), 2, 5, 1)]);
    assert_eq!(places(&run(&[(1, None, gone)])), [("mptcp removed".to_owned(), 0, 1, 1)]);
    // A hop that quotes what only itself has changed is no box on the way.
    assert_eq!(places(&run(&[(1, None, same), (2, None, gone), (3, None, same)])), none);
    // Lengths and checksums of short quotes tell, too, once a longer one shows what it was.
    let found = run(&[(1, Some(28), same), (2, Some(28), same), (3, Some(28), gone), (4, None, gone)]);
    assert_eq!(places(&found), [("mptcp removed".to_owned(), 2, 3, 2)]);
    let found = run(&[(1, Some(40), same), (2, Some(40), padded), (3, None, padded)]);
    assert_eq!(places(&found), [("mptcp padded".to_owned(), 1, 2, 2)]);
    // Even where no quote shows it, the length and the checksum may say what it was.
    let found = run(&[(1, Some(28), same), (2, Some(28), gone), (3, Some(28), gone)]);
    assert_eq!(places(&found), [("mptcp removed".to_owned(), 1, 2, 2)]);
    assert!(place(&found)[0].inferred);
    let found = run(&[(1, Some(40), same), (2, Some(40), padded), (3, Some(28), padded)]);
    assert_eq!(places(&found), [("mptcp padded".to_owned(), 1, 2, 1)]);
    let found = run(&[(1, Some(40), same), (2, Some(40), gone), (3, Some(40), gone)]);
    assert_eq!(places(&found), [("mptcp removed".to_owned(), 1, 2, 2)]);
    // 28 bytes say nothing of padding.
    let found = run(&[(1, Some(28), same), (2, Some(28), padded), (3, None, padded)]);
    assert_eq!(places(&found), [("mptcp padded".to_owned(), 0, 3, 1)]);
}

#[test]
fn two_boxes_on_one_path() {
    let clamp = |to: u8| {
        move |sent: &[u8]| {
            let mut quote = expired(sent);
            quote[43] = to;
            mend(&mut quote);
            quote
        }
    };
    let (first, second) = (clamp(0x50), clamp(0x40));
    let found = run(&[(1, None, &expired), (2, None, &first), (3, None, &first), (4, None, &second)]);
    assert_eq!(
        places(&found),
        [("mss 1460 → 1360".to_owned(), 1, 2, 2), ("mss 1460 → 1344".to_owned(), 3, 4, 1)]
    );
}

#[test]
fn old_tool_reordered_or_doubled_options_unseen() {
    let sent = packet(false, 5, &V1, b"");
    let mut moved = V1;
    moved[..4].copy_from_slice(&V1[20..]);
    moved[20..].copy_from_slice(&V1[..4]);
    let quote = expired(&packet(false, 5, &moved, b""));
    assert_eq!(words(&of(&sent, &quote)), ["option_order mss,sackok,ts,ws,mptcp → mptcp,sackok,ts,ws,mss"]);
    let doubled = [&V1[..], &V1[20..]].concat();
    let quote = expired(&packet(false, 5, &doubled, b""));
    let found = of(&sent, &quote);
    assert_eq!(found.changes.iter().filter(|change| change.kind == ChangeKind::Doubled).count(), 1);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(sent in proptest::collection::vec(any::<u8>(), 0..120), quote in proptest::collection::vec(any::<u8>(), 0..200), extended in any::<bool>(), v6 in any::<bool>()) {
        let _ = compare(&sent, Quote { bytes: &quote, extended });
        let (mut sent, mut quote) = (sent, quote);
        for bytes in [&mut sent, &mut quote] {
            if let Some(first) = bytes.first_mut() { *first = if v6 { 0x60 } else { 0x45 }; }
        }
        if let Some(comparison) = compare(&sent, Quote { bytes: &quote, extended }) {
            for change in &comparison.changes {
                prop_assert!(!change.to_string().is_empty());
                prop_assert_eq!(comparison.shows(&sent, change), Shown::Changed);
                prop_assert!(comparison.quoted <= quote.len());
            }
        }
    }

    /// Whatever was sent, an unmodified packet that is cut anywhere accuses nobody.
    #[test]
    fn an_unmodified_quote_cut_anywhere_shows_no_change(options in proptest::collection::vec(any::<u8>(), 0..10), payload in proptest::collection::vec(any::<u8>(), 0..40), cut in 0usize..200, v6 in any::<bool>(), extended in any::<bool>()) {
        let options: Vec<u8> = options.iter().flat_map(|byte| [*byte, 2, 1, 30]).take(40).collect();
        let sent = packet(v6, 7, &options, &payload);
        let mut quote = expired(&sent);
        quote.truncate(cut.max(if v6 { 40 } else { 20 }));
        if extended {
            quote.resize(quote.len().max(128), 0);
        }
        let comparison = compare(&sent, Quote { bytes: &quote, extended }).unwrap();
        prop_assert!(comparison.changes.is_empty(), "{:?}", comparison.changes);
    }

    /// One byte of the TCP header or its options that is different is always seen, in a whole quote.
    #[test]
    fn every_changed_byte_is_seen(at in 20usize..64, bits in 1u8..=255) {
        let sent = packet(false, 7, &V1, b"");
        let mut quote = expired(&sent);
        quote[at] ^= bits;
        prop_assert!(!of(&sent, &quote).changes.is_empty());
    }
}
