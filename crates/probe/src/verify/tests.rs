//! Conversations with a server of our own, with faults to order.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use subflow_wire::icmp::{ErrorMessage, v4_type, v6_type};
use subflow_wire::ip::{protocol, v4, v6};
use subflow_wire::keys::Version;
use subflow_wire::tcp::Flags;

use super::*;
use crate::network::{Local, Nanos, Out, Received, Talk};
use crate::rows::{AnswerStep, Conclusion, DataStep, GivenUp, JoinStep, PlainStep, SynStep, Verification};

mod guesses;
#[path = "../../tests/lab/responder.rs"]
mod responder;
use responder::{Fault, Meddling, Responder, meddle};

const START: Nanos = 1_700_000_000_000_000_000;
/// One way.
const DELAY: Nanos = 10_000_000;

fn addrs(v6: bool) -> (IpAddr, IpAddr) {
    if v6 {
        ("2001:db8::1".parse().unwrap(), "2001:db8:7::5".parse().unwrap())
    } else {
        ("192.0.2.1".parse().unwrap(), "198.51.100.7".parse().unwrap())
    }
}

fn settings() -> Settings {
    Settings { hops: false, contact: Some("mailto:me@example.net".to_owned()), ..Settings::default() }
}

/// Packets on their way, by the time of their arrival: to the server or to us.
type Wire = BTreeMap<(Nanos, u64), (bool, Vec<u8>)>;

/// Carries a talk out against a network that answers packets at once; its rows, and when it ended.
fn converse(
    target: Target,
    settings: &Settings,
    mut network: impl FnMut(&[u8]) -> Vec<Vec<u8>>,
) -> (Vec<Verification>, Nanos) {
    settings.check(&[target]).unwrap();
    let mut talk = Verifier::new(target, Arc::new(Shared::new(settings, 7)));
    let source = addrs(target.addr.is_ipv6()).0;
    let mut out = Out::new(Local::new(source, 61_000, 64, 0));
    let (mut now, mut wire, mut number, mut wake) = (START, Wire::new(), 0_u64, None);
    talk.begin(now, &mut out);
    for step in 0.. {
        assert!(step < 20_000, "it does not end");
        let ids: Vec<u32> = out.packets().map(|(id, _)| id).collect();
        for (_, packet) in out.packets() {
            number += 1;
            wire.insert((now + DELAY, number), (true, packet.to_vec()));
        }
        if let Some(timer) = out.timer() {
            wake = timer;
        }
        out.clear();
        for id in ids {
            talk.sent(id, now, &mut out);
        }
        if let Some(timer) = out.timer() {
            wake = timer;
        }
        assert_eq!(out.packets().count(), 0, "nothing is sent because something was sent");
        out.clear();
        if talk.is_over() {
            break;
        }
        let arrival = wire.keys().next().copied();
        match (arrival, wake) {
            (Some(key), _) if wake.is_none_or(|wake| key.0 <= wake) => {
                let (to_server, bytes) = wire.remove(&key).unwrap();
                now = now.max(key.0);
                if to_server {
                    for answer in network(&bytes) {
                        number += 1;
                        wire.insert((now + DELAY, number), (false, answer));
                    }
                } else if let Some(received) = Received::parse(now, &bytes) {
                    talk.packet(now, &received, &mut out);
                }
            }
            (_, Some(at)) => {
                now = now.max(at);
                wake = None;
                talk.timer(now, &mut out);
            }
            _ => panic!("it waits for nothing"),
        }
    }
    (talk.rows(), now)
}

fn target(v6: bool, version: Version) -> Target {
    let versions = Versions { v1: version == Version::V1, v0: version == Version::V0 };
    Target { addr: addrs(v6).1, port: 80, versions }
}

fn verify(v6: bool, version: Version, server: &mut Responder) -> Verification {
    let (mut rows, _) = converse(target(v6, version), &settings(), |packet| server.packet(packet));
    assert_eq!(rows.len(), 1);
    rows.remove(0)
}

const ALL: [(bool, Version); 4] =
    [(false, Version::V1), (false, Version::V0), (true, Version::V1), (true, Version::V0)];

#[test]
fn an_honest_server_is_true() {
    for ((v6, version), (checksum, ask)) in
        ALL.into_iter().flat_map(|one| [(false, false), (true, false), (false, true)].map(|two| (one, two)))
    {
        let mut server = Responder { checksum, ..Responder::new(version, Fault::None) };
        let settings = Settings { checksum: ask, ..settings() };
        let (rows, end) = converse(target(v6, version), &settings, |packet| server.packet(packet));
        let row = &rows[0];
        assert_eq!(row.conclusion, Conclusion::TrueSupport, "{row:?}");
        assert_eq!((row.syn, row.data), (SynStep::Capable, Some(DataStep::Acknowledged)));
        assert_eq!((row.answer, row.join), (Some(AnswerStep::Mapped), Some(JoinStep::Carried)));
        assert_eq!((row.plain, row.fallback, row.hmac_ok), (None, None, Some(true)));
        assert_eq!(row.response.as_deref(), Some("HTTP/1.1 200 OK"));
        assert_eq!((row.rtt, row.data_rtt, row.join_rtt), (Some(0.02), Some(0.02), Some(0.02)));
        assert_eq!((row.received_bytes, row.packets_again, row.ttl), (300, 0, Some(64)));
        assert_eq!(
            (row.checksum, row.checksum_ok),
            (Some(checksum || ask), (checksum || ask).then_some(true))
        );
        assert_eq!((row.data_ack_seen.is_some(), row.dsn_seen), (true, row.dsn_expected));
        assert_eq!(server.joins, [1, 0]);
        // Six round trips: SYN, data, join, its HMAC, the rest, DATA_FIN, FIN.
        assert!(end - START <= 7 * 2 * DELAY, "{}", end - START);
    }
}

/// What a fault of the server must come to, by version 1 and 0.
const FAULTS: &[(Fault, Conclusion)] = &[
    (Fault::WrongKey, Conclusion::KeyRewritten),
    (Fault::WrongHmac, Conclusion::KeyRewritten),
    (Fault::WrongAck, Conclusion::KeyRewritten),
    (Fault::Copy, Conclusion::KeyRewritten),
    (Fault::BadAck, Conclusion::Malformed),
    (Fault::NoAck, Conclusion::Unproven),
    (Fault::NoSignal, Conclusion::StrippedInData),
    (Fault::Unmapped, Conclusion::FallsBack),
    (Fault::Fail, Conclusion::FallsBack),
    (Fault::Infinite, Conclusion::FallsBack),
    (Fault::ResetJoins, Conclusion::RefusesJoins),
    (Fault::IgnoreJoins, Conclusion::RefusesJoins),
    (Fault::PlainJoins, Conclusion::RefusesJoins),
    (Fault::DropJoins, Conclusion::RefusesJoins),
    (Fault::MuteJoins, Conclusion::RefusesJoins),
    (Fault::ForbidJoins, Conclusion::RefusesJoins),
    (Fault::Silent, Conclusion::TrueSupport),
    (Fault::SilentAlone, Conclusion::Unproven),
    (Fault::Mirror, Conclusion::Mirrored),
    (Fault::MirrorData, Conclusion::Mirrored),
    (Fault::MirrorJoin, Conclusion::Mirrored),
    (Fault::OtherVersion, Conclusion::Malformed),
    (Fault::Mute, Conclusion::NoTcp),
    (Fault::ResetData, Conclusion::NoTcp),
    (Fault::Plain, Conclusion::FallsBack),
    (Fault::Block, Conclusion::BlockedInData),
    (Fault::DropSyn, Conclusion::DroppedWithOption),
    (Fault::ResetSyn, Conclusion::ResetWithOption),
    (Fault::Closed, Conclusion::Closed),
    (Fault::Dead, Conclusion::Filtered),
];

#[test]
fn every_fault_has_its_conclusion() {
    let mut errors = Vec::new();
    for &(fault, conclusion) in FAULTS {
        for (v6, version) in ALL {
            let mut conclusion = conclusion;
            if fault == Fault::ForbidJoins && version == Version::V0 {
                // Version 0 has no such flag.
                conclusion = Conclusion::TrueSupport;
            }
            let row = verify(v6, version, &mut Responder::new(version, fault));
            if row.conclusion != conclusion {
                errors.push(format!("{fault:?} {version:?} v6 {v6}: {row:?}"));
            }
            assert!(!words(&row).is_empty());
        }
    }
    assert!(errors.is_empty(), "{}", errors.join("\n"));
}

#[test]
fn places_of_falling_back() {
    for (v6, version) in ALL {
        for (fault, place) in [
            (Fault::Plain, GivenUp::SynAck),
            (Fault::Unmapped, GivenUp::FirstData),
            (Fault::Fail, GivenUp::Fail),
            (Fault::Infinite, GivenUp::Infinite),
        ] {
            let row = verify(v6, version, &mut Responder::new(version, fault));
            assert_eq!(row.fallback, Some(place), "{row:?}");
            // The request is answered all the same.
            assert_eq!(row.response.as_deref(), Some("HTTP/1.1 200 OK"), "{fault:?}");
        }
    }
}

#[test]
fn the_other_version_falls_back() {
    for (asked, spoken) in [(Version::V1, Version::V0), (Version::V0, Version::V1)] {
        let row = verify(false, asked, &mut Responder::new(spoken, Fault::None));
        assert_eq!((row.conclusion, row.fallback), (Conclusion::FallsBack, Some(GivenUp::SynAck)));
    }
    // Both, one after the other.
    let mut server = Responder::new(Version::V0, Fault::None);
    let both = Target::new(addrs(false).1, 80);
    let (rows, _) = converse(both, &settings(), |packet| server.packet(packet));
    let found: Vec<_> = rows.iter().map(|row| (row.version, row.conclusion)).collect();
    assert_eq!(found, [(1, Conclusion::FallsBack), (0, Conclusion::TrueSupport)]);
    assert_ne!(rows[0].src_port, rows[1].src_port);
    assert_ne!(rows[0].client_key, rows[1].client_key);
}

#[test]
fn boxes_on_the_way() {
    for (v6, version) in ALL {
        for (what, conclusion) in [
            (Meddling::SwapServerKey, Conclusion::KeyRewritten),
            (Meddling::SwapClientKey, Conclusion::KeyRewritten),
            (Meddling::StripData, Conclusion::StrippedInData),
            (Meddling::ShrinkData, Conclusion::StrippedInData),
        ] {
            let mut server = Responder::new(version, Fault::None);
            let (rows, _) = converse(target(v6, version), &settings(), |packet| {
                let answers = server.packet(&meddle(what, packet));
                answers.iter().map(|answer| meddle(what, answer)).collect()
            });
            assert_eq!(rows[0].conclusion, conclusion, "{what:?} {:?}", rows[0]);
        }
    }
}

#[test]
fn a_swapped_key_shows_in_the_numbers() {
    let mut server = Responder::new(Version::V1, Fault::None);
    let (rows, _) = converse(target(false, Version::V1), &settings(), |packet| {
        let answers = server.packet(&meddle(Meddling::SwapServerKey, packet));
        answers.iter().map(|answer| meddle(Meddling::SwapServerKey, answer)).collect()
    });
    let row = &rows[0];
    // Our key arrived, theirs did not.
    assert_eq!((row.data, row.answer), (Some(DataStep::Acknowledged), Some(AnswerStep::OtherKey)));
    // The token is unknown.
    assert_eq!((row.join, row.join_reset_reason), (Some(JoinStep::Reset), Some(3)));
    assert_ne!(row.dsn_seen, row.dsn_expected);
}

#[test]
fn announced_addresses_are_noted() {
    for (addr, version) in
        [("203.0.113.9", Version::V1), ("2001:db8::9", Version::V1), ("203.0.113.9", Version::V0)]
    {
        let announce = Some(addr.parse().unwrap());
        let mut server = Responder { announce, ..Responder::new(version, Fault::None) };
        let row = verify(false, version, &mut server);
        assert_eq!(row.announced, Some(format!("2={addr}")));
        assert_eq!(row.announced_ok, (version == Version::V1).then_some(true));
        assert_eq!(row.conclusion, Conclusion::TrueSupport);
    }
}

#[test]
fn long_answers_end_in_time() {
    for version in [Version::V1, Version::V0] {
        let mut server = Responder { answer: 30_000, ..Responder::new(version, Fault::None) };
        let row = verify(false, version, &mut server);
        assert_eq!((row.conclusion, row.join), (Conclusion::TrueSupport, Some(JoinStep::Carried)));
        assert_eq!(row.received_bytes, 30_000);
        let mut endless = Responder { answer: 3_000_000, ..Responder::new(version, Fault::None) };
        let row = verify(false, version, &mut endless);
        assert_eq!(row.conclusion, Conclusion::TrueSupport);
        assert!(row.received_bytes < 400_000, "{}", row.received_bytes);
    }
}

#[test]
fn wrong_checksums_are_noted() {
    let mut server = Responder { checksum: true, ..Responder::new(Version::V1, Fault::BadChecksum) };
    let row = verify(false, Version::V1, &mut server);
    assert_eq!(row.checksum_ok, Some(false));
}

#[test]
fn port_443_gets_a_hello() {
    let at = Target { port: 443, ..target(false, Version::V1) };
    let mut first: Vec<u8> = Vec::new();
    let mut server = Responder::new(Version::V1, Fault::None);
    let (rows, _) = converse(at, &settings(), |packet| {
        let (_, tcp) = responder::read(packet).unwrap();
        if first.is_empty() {
            first.extend(tcp.payload());
        }
        server.packet(packet)
    });
    // The head of a TLS record, so that the server waits for the rest.
    assert_eq!(first[..3], [22, 3, 1]);
    assert_eq!(first.len(), 5);
    assert_eq!(rows[0].join, Some(JoinStep::Carried));
}

#[test]
fn a_server_that_answers_at_once_is_joined_first() {
    for ((v6, version), checksum) in ALL.into_iter().flat_map(|one| [(one, false), (one, true)]) {
        let mut server = Responder { checksum, ..Responder::new(version, Fault::Eager) };
        let row = verify(v6, version, &mut server);
        assert_eq!(row.conclusion, Conclusion::TrueSupport, "{row:?}");
        assert_eq!((row.join_first, row.hmac_ok, row.answer), (true, Some(true), Some(AnswerStep::Mapped)));
        assert_eq!((row.src_port, row.join_src_port), (61_002, Some(61_003)));
        assert!(row.packets_sent > 10, "those of both connections");
    }
}

#[test]
fn one_acknowledgement_without_a_signal_is_not_enough() {
    // A stack whose TCP acknowledges by itself, and signals with the next packet.
    for (v6, version) in ALL {
        let mut server = Responder::new(version, Fault::None);
        let mut bare = true;
        let (rows, _) = converse(target(v6, version), &settings(), |packet| {
            let has_data = responder::read(packet).is_some_and(|(_, tcp)| !tcp.payload().is_empty());
            let mut answers = server.packet(packet);
            if has_data && bare {
                bare = false;
                answers = answers.iter().map(|answer| meddle(Meddling::ShrinkData, answer)).collect();
            }
            answers
        });
        assert_eq!(rows[0].conclusion, Conclusion::TrueSupport, "{:?}", rows[0]);
    }
}

#[test]
fn loss_is_repaired() {
    // Every n-th packet is lost, in either direction.
    for (v6, version) in ALL {
        for period in 2..12 {
            for offset in 0..period {
                let mut server = Responder::new(version, Fault::None);
                let mut count = offset;
                let (rows, _) = converse(target(v6, version), &settings(), |packet| {
                    count += 1;
                    if count % period == 0 {
                        return vec![];
                    }
                    server.packet(packet)
                });
                let row = &rows[0];
                assert_eq!(row.conclusion, Conclusion::TrueSupport, "{period} {offset} {row:?}");
            }
        }
    }
}

#[test]
fn a_scan_says_which_versions_to_try() {
    use crate::answers::Evidence;
    use crate::probes::{Kind, Kinds};
    use crate::rows::Finding;
    let plain = crate::targets::Target { addr: addrs(false).1, port: 443 };
    let row = Evidence::default().row(&plain, Kinds::only(Kind::V1));
    for (v1, v0, both, expected) in [
        (Some(Finding::V1), None, None, Some((true, false))),
        (Some(Finding::NoOption), Some(Finding::V0), None, Some((false, true))),
        (Some(Finding::V1), Some(Finding::V0), None, Some((true, true))),
        (None, None, Some(Finding::V0), Some((false, true))),
        (Some(Finding::Mirrored), Some(Finding::NoOption), None, None),
    ] {
        let found = Target::of_scan(&crate::rows::Target { v1, v0, both, ..row.clone() });
        assert_eq!(found.map(|target| (target.versions.v1, target.versions.v0)), expected);
    }
}

#[test]
fn settings_that_make_no_sense() {
    let lab = target(false, Version::V1);
    assert!(settings().check(&[lab]).is_ok());
    assert!(settings().check(&[]).is_err());
    assert!(settings().check(&[Target { port: 0, ..lab }]).is_err());
    let none = Versions { v1: false, v0: false };
    assert!(settings().check(&[Target { versions: none, ..lab }]).is_err());
    let injected = Some("x\r\nCookie: y".to_owned());
    assert!(Settings { host: injected.clone(), ..settings() }.check(&[lab]).is_err());
    assert!(Settings { contact: injected, ..settings() }.check(&[lab]).is_err());
    assert!(Settings { contact: Some("x".repeat(600)), ..settings() }.check(&[lab]).is_err());
    assert!(Settings { rate: Some(0.0), ..settings() }.check(&[lab]).is_err());
    assert!(Settings { at_once: 0, ..settings() }.check(&[lab]).is_err());
    let public: Vec<Target> = (0..9).map(|k| Target::new([8, 8, 8, k].into(), 80)).collect();
    assert!(settings().check(&public[..8]).is_ok());
    assert!(settings().check(&public).unwrap_err().to_string().contains("9 targets are public"));
    let considered = Settings { acknowledge_public: true, ..settings() };
    assert!(considered.check(&public).is_ok());
    assert!(Settings { rate: None, ..considered }.check(&public).is_err());
}

/// An ICMP error about a packet.
fn unreachable(packet: &[u8], from: IpAddr) -> Vec<u8> {
    let (ip, _) = responder::read(packet).unwrap();
    let (ty, number) = if from.is_ipv4() {
        (v4_type::UNREACHABLE, protocol::ICMP)
    } else {
        (v6_type::UNREACHABLE, protocol::ICMPV6)
    };
    let quote = packet.get(..packet.len().min(48)).unwrap();
    let mut message = [0; 200];
    let error = ErrorMessage { ty, code: 1, rest: [0; 4], quote, extensions: &[] };
    let len = error.emit(from, ip.src, &mut message).unwrap();
    let mut bytes = vec![0; 300];
    let at = match (from, ip.src) {
        (IpAddr::V4(from), IpAddr::V4(to)) => v4::Header::new(from, to, number).emit(len, &mut bytes),
        (IpAddr::V6(from), IpAddr::V6(to)) => v6::Header::new(from, to, number).emit(len, &mut bytes),
        _ => panic!("mixed families"),
    }
    .unwrap();
    bytes.truncate(at);
    bytes.extend(&message[..len]);
    bytes
}

#[test]
fn icmp_errors_count_when_they_quote_our_syn() {
    for (v6, router) in [(false, "203.0.113.9"), (true, "2001:db8:9::9")] {
        let from: IpAddr = router.parse().unwrap();
        let at = target(v6, Version::V1);
        let (rows, _) = converse(at, &settings(), |packet| vec![unreachable(packet, from)]);
        let row = &rows[0];
        assert_eq!((row.conclusion, row.syn), (Conclusion::Unreachable, SynStep::Icmp));
        assert_eq!((row.icmp_from, row.icmp_code), (Some(from), Some(1)));
        assert_eq!(row.plain, Some(PlainStep::Icmp));
        // The quoted sequence number is not ours.
        let (rows, _) = converse(at, &settings(), |packet| {
            let mut error = unreachable(packet, from);
            let seq_at = if v6 { 40 + 8 + 40 + 4 } else { 20 + 8 + 20 + 4 };
            error[seq_at] ^= 1;
            vec![error]
        });
        assert_eq!((rows[0].conclusion, rows[0].icmp_from), (Conclusion::Filtered, None));
    }
    // Errors about the one kind of SYN alone.
    let mut server = Responder::new(Version::V1, Fault::Plain);
    let (rows, _) = converse(target(false, Version::V1), &settings(), |packet| {
        let has_option =
            responder::read(packet).is_some_and(|(_, tcp)| tcp.options().first_mptcp().is_some());
        if has_option { vec![unreachable(packet, [203, 0, 113, 9].into())] } else { server.packet(packet) }
    });
    assert_eq!(
        (rows[0].conclusion, rows[0].plain),
        (Conclusion::DroppedWithOption, Some(PlainStep::Answered))
    );
}

#[test]
fn silence_is_asked_three_times() {
    let mut times = Vec::new();
    let (rows, end) = converse(target(false, Version::V0), &settings(), |packet| {
        times.push(packet.len());
        vec![]
    });
    let row = &rows[0];
    // At 0, 1 and 3 s; given up at 7 s. The same over plain TCP, whose SYN is 12 bytes shorter.
    assert_eq!((row.packets_sent, row.packets_again, row.duration), (3, 2, 7.0));
    assert_eq!(end - START, 14_000_000_000);
    assert_eq!(times, [72, 72, 72, 60, 60, 60]);
}

#[test]
fn forged_resets_are_passed_over() {
    for (offset, conclusion) in
        [(0, Conclusion::NoTcp), (100_000, Conclusion::TrueSupport), (u32::MAX, Conclusion::TrueSupport)]
    {
        let mut server = Responder::new(Version::V1, Fault::None);
        let mut next = 0;
        let (rows, _) = converse(target(false, Version::V1), &settings(), |packet| {
            let (ip, tcp) = responder::read(packet).unwrap();
            let ends = (SocketAddr::new(ip.dst, tcp.dst_port()), SocketAddr::new(ip.src, tcp.src_port()));
            let mut answers = server.packet(packet);
            if let Some((_, answer)) = answers.first().and_then(|answer| responder::read(answer))
                && answer.flags().syn()
            {
                next = answer.seq().wrapping_add(1);
            }
            if !tcp.payload().is_empty() {
                // Before the server's own packets.
                let seq = (next.wrapping_add(offset), 0);
                answers.insert(0, responder::packet(ends, seq, Flags::RST, &[], &[]));
            }
            answers
        });
        assert_eq!(rows[0].conclusion, conclusion, "{offset} {:?}", rows[0]);
    }
}

#[test]
fn a_target_without_a_way_has_its_rows() {
    let both = Target::new(addrs(true).1, 443);
    let mut talk = Verifier::new(both, Arc::new(Shared::new(&settings(), 7)));
    talk.no_way(START, &crate::Error::NoRoute { target: "nowhere".to_owned() });
    assert!(talk.is_over());
    let rows = talk.rows();
    let found: Vec<_> = rows.iter().map(|row| (row.version, row.conclusion, row.packets_sent)).collect();
    assert_eq!(found, [(1, Conclusion::Unreachable, 0), (0, Conclusion::Unreachable, 0)]);
    assert!(words(&rows[0]).contains("no way"));
}
