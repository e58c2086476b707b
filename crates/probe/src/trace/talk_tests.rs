//! Conversations with a simulated path; what the old tool got wrong, each under its name.

use std::collections::{BTreeMap, BTreeSet};

use subflow_wire::icmp::{ErrorMessage, v4_type, v6_type};
use subflow_wire::ip::protocol;
use subflow_wire::tcp::{Flags, Header};

use super::simulated::{MS, Net, alone, converse, drop, ip, pad};
use super::*;
use crate::network::Received;
use crate::rows::{Asks, Behaviour, Category, Confidence, Direction, Field, Finding, HopAnswer};

#[test]
fn a_clean_path_takes_a_few_round_trips_and_few_packets() {
    for v6 in [false, true] {
        let (path, packets) = converse(&Net { v6, ..Net::default() }, Settings::default(), |_, _| vec![]);
        let found = path.conclude();
        let row = &found.target;
        assert_eq!((row.category, row.behaviour), (Category::True, Some(Behaviour::PassThrough)), "{row:?}");
        assert_eq!(
            (row.v1, row.v0, row.plain),
            (Some(Finding::V1), Some(Finding::NoOption), Some(Finding::NoOption))
        );
        assert_eq!((row.syn_ack_hops, row.echo_hops, row.reset_hops), (Some(5), Some(5), Some(5)));
        assert_eq!((row.confidence, row.data_passed, row.rejected), (Confidence::High, Some(true), 0));
        assert_eq!(found.modifications, []);
        assert!(row.duration < 0.2, "{}", row.duration);
        assert!(packets.len() < 70, "{}", packets.len());
        // Every hop was answered by who is there, in its time.
        for hop in &found.hops {
            let net = Net { v6, ..Net::default() };
            let who = if hop.hop < 5 { net.router(hop.hop) } else { row.addr };
            assert_eq!(hop.from_addr, Some(who));
            assert!((hop.rtt.unwrap() - 0.002 * f64::from(hop.hop.min(5))).abs() < 1e-6, "{hop:?}");
        }
    }
}

#[test]
fn all_probes_of_a_flow_look_alike_to_who_spreads_load() {
    for v6 in [false, true] {
        let (path, packets) =
            converse(&Net { v6, silent: &[2], ..Net::default() }, Settings::default(), |_, _| vec![]);
        let runs = path.trace().runs;
        let mut flows: BTreeMap<(u16, u32), BTreeSet<_>> = BTreeMap::new();
        let mut numbers = BTreeSet::new();
        for packet in &packets {
            let sent = Received::parse(0, packet).unwrap();
            let Some(tcp) = sent.tcp().filter(|tcp| tcp.flags() == Flags::SYN && tcp.dst_port() == 80) else {
                continue;
            };
            let label = if v6 { [packet[0], packet[1], packet[2], packet[3]] } else { [0; 4] };
            flows.entry((tcp.src_port(), tcp.seq())).or_default().insert((tcp.seq(), tcp.dst_port(), label));
            // And each has a number of its own.
            let number = if v6 { tcp.window() } else { sent.ip.identification as u16 };
            assert!(numbers.insert((tcp.seq(), number)));
        }
        assert!(flows.values().all(|fields| fields.len() == 1), "{flows:?}");
        // The second round asks from other ports.
        let port = |asks, round| {
            runs.iter().find(|run| (run.asks, run.round) == (asks, round)).map(|run| run.src_port)
        };
        assert_eq!(port(Asks::V1, 2), port(Asks::V0, 1));
        assert_eq!(port(Asks::Plain, 2), port(Asks::V1, 1));
    }
}

#[test]
fn boxes_are_found_where_they_are() {
    for v6 in [false, true] {
        for behind in 1..4 {
            let found = alone(&Net { v6, mangle: (behind, pad), ..Net::default() });
            let row = &found.target;
            assert_eq!((row.category, row.behaviour), (Category::MiddleboxAffected, Some(Behaviour::Strip)));
            assert_eq!((row.after_hop, row.before_hop), (Some(behind), Some(behind + 1)));
            assert_eq!(row.confidence, Confidence::High);
            let found = alone(&Net { v6, mangle: (behind, drop), ..Net::default() });
            let row = &found.target;
            assert_eq!((row.behaviour, row.confidence), (Some(Behaviour::Drop), Confidence::High), "{row:?}");
            assert_eq!((row.after_hop, row.before_hop), (Some(behind), Some(behind + 1)));
            let found = alone(&Net { v6, proxy: Some(behind + 1), ..Net::default() });
            let row = &found.target;
            assert_eq!(
                (row.behaviour, row.direction),
                (Some(Behaviour::Proxy), Some(Direction::Forward)),
                "{row:?}"
            );
            assert_eq!((row.after_hop, row.before_hop), (Some(behind), Some(behind + 1)));
        }
    }
}

#[test]
fn short_quotes_and_lost_clocks_are_sorted_out_one_by_one() {
    // 48 bytes of IPv6 have nothing that tells probes apart; neither has a SYN/ACK without timestamps, nor a reset.
    for net in [
        Net { v6: true, quoted: 48, ..Net::default() },
        Net { clock: false, ..Net::default() },
        Net { v6: true, quoted: 48, clock: false, ..Net::default() },
        Net { closed: true, ..Net::default() },
    ] {
        let found = alone(&net);
        let expected = if net.closed { Category::Unresponsive } else { Category::True };
        assert_eq!(found.target.category, expected, "{:?}", found.target);
        assert_eq!(found.modifications, []);
        for hop in found.hops.iter().filter(|hop| hop.answer != HopAnswer::Silent) {
            let who = if hop.hop < 5 { net.router(hop.hop) } else { found.target.addr };
            assert_eq!((hop.from_addr, hop.hop <= 5), (Some(who), true), "{hop:?}");
            assert!((hop.rtt.unwrap() - 0.002 * f64::from(hop.hop.min(5))).abs() < 1e-6, "{hop:?}");
        }
        assert!(found.target.duration < 3.0, "{}", found.target.duration);
    }
}

#[test]
fn silent_hops_do_not_cost_three_seconds_each() {
    let found = alone(&Net { silent: &[2, 3, 4], ..Net::default() });
    assert_eq!((found.target.category, found.target.silent_hops), (Category::True, 3));
    assert!(found.target.duration < 2.5, "{}", found.target.duration);
    // A router that answers every other probe is heard by the second.
    let found = alone(&Net { skip: 1, ..Net::default() });
    assert_eq!((found.target.category, found.target.silent_hops), (Category::True, 0));
    // A target behind a long silence is found all the same.
    let found =
        alone(&Net { distance: 14, silent: &[2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13], ..Net::default() });
    assert_eq!(
        (found.target.category, found.target.syn_ack_hops),
        (Category::True, Some(14)),
        "{:?}",
        found.target
    );
}

#[test]
fn a_server_without_clocks_behind_silence_is_found_as_fast() {
    for (distance, silent) in [(6, &[1, 2, 3, 4, 5][..]), (6, &[2, 4]), (3, &[2]), (1, &[])] {
        for v6 in [false, true] {
            let found = alone(&Net { v6, distance, silent, clock: false, ..Net::default() });
            let row = &found.target;
            assert_eq!(
                (row.category, row.behaviour),
                (Category::True, Some(Behaviour::PassThrough)),
                "{row:?}"
            );
            assert_eq!((row.syn_ack_hops, row.silent_hops), (Some(distance), silent.len() as u32), "{row:?}");
            assert!(row.duration < 4.5, "{}", row.duration);
        }
    }
    // A proxy is told by how far it is, which its answers do not say.
    let found = alone(&Net { silent: &[1, 2, 3, 4], proxy: Some(3), clock: false, ..Net::default() });
    assert_eq!((found.target.syn_ack_hops, found.target.behaviour), (Some(3), Some(Behaviour::Proxy)));
}

#[test]
fn nobody_there() {
    let found = alone(&Net {
        distance: 40,
        silent: &[
            3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28,
            29, 30,
        ],
        ..Net::default()
    });
    assert_eq!((found.target.category, found.target.behaviour), (Category::Unresponsive, None));
    assert!(found.target.duration < 6.0, "{}", found.target.duration);
    assert!(found.target.probes < 100, "{}", found.target.probes);
}

#[test]
fn old_tool_stale_answers_accepted() {
    let net = Net::default();
    let (ours, theirs) = net.addrs();
    // To every probe come, before the true answer, a SYN/ACK and a quote of an earlier run.
    let (path, _) = converse(&net, Settings::default(), |now, bytes| {
        let sent = Received::parse(0, bytes).unwrap();
        let Some(tcp) = sent.tcp().filter(|tcp| tcp.flags() == Flags::SYN && tcp.dst_port() == 80) else {
            return vec![];
        };
        let header = Header {
            src_port: 80,
            dst_port: tcp.src_port(),
            seq: 9,
            ack: tcp.seq().wrapping_add(0x1000),
            flags: Flags::SYN | Flags::ACK,
            ..Header::default()
        };
        let mut segment = [0; 60];
        let len = header.emit(theirs, ours, &[], &[], &mut segment).unwrap();
        let mut old = tests::expired(bytes);
        // Another sequence number, identification and timestamp: another run's.
        old[24] ^= 0x55;
        old[4] ^= 0xff;
        old[48] ^= 0x33;
        let mut message = [0; 200];
        let error =
            ErrorMessage { ty: v4_type::TIME_EXCEEDED, code: 0, rest: [0; 4], quote: &old, extensions: &[] };
        let message_len = error.emit(net.router(77), ours, &mut message).unwrap();
        vec![
            (now + 1, ip(theirs, ours, protocol::TCP, 60, &segment[..len])),
            (now + 2, ip(net.router(77), ours, protocol::ICMP, 60, &message[..message_len])),
        ]
    });
    let found = path.conclude();
    assert_eq!((found.target.category, found.target.syn_ack_hops), (Category::True, Some(5)));
    assert!(found.target.rejected > 30, "{}", found.target.rejected);
    assert!(found.hops.iter().all(|hop| hop.from_addr != Some(net.router(77))));
    assert_eq!(found.modifications, []);
}

#[test]
fn old_tool_wrong_delays() {
    // Round trips longer than what is waited for: hop 4 has been asked again when its first answer comes.
    let net = Net { hop: 60 * MS, skip: 0, ..Net::default() };
    let settings = Settings { wait: std::time::Duration::from_millis(250), ..Settings::default() };
    let (path, _) = converse(&net, settings, |_, _| vec![]);
    let found = path.conclude();
    let again = found.hops.iter().filter(|hop| hop.probes > 1).count();
    assert!(again > 0);
    for hop in found.hops.iter().filter(|hop| hop.rtt.is_some()) {
        assert!((hop.rtt.unwrap() - 0.12 * f64::from(hop.hop.min(5))).abs() < 1e-6, "{hop:?}");
    }
    assert_eq!(found.target.category, Category::True);
}

#[test]
fn other_fields_are_followed_even_when_they_verify_answers() {
    // A box that numbers connections anew: the quoted sequence number is none of ours, the rest tells.
    fn renumber(mut packet: Vec<u8>) -> Option<Vec<u8>> {
        if packet[9] == protocol::TCP {
            packet[25] ^= 0x0f;
            tests::mend(&mut packet);
        }
        Some(packet)
    }
    let net = Net { mangle: (2, renumber), ..Net::default() };
    // The server's acknowledgement would be translated back.
    let (path, _) = converse(&net, Settings::default(), |_, _| vec![]);
    let found = path.conclude();
    let rows: Vec<_> = found.modifications.iter().filter(|row| row.field == Field::Sequence).collect();
    assert!(!rows.is_empty() && rows.iter().all(|row| (row.after_hop, row.before_hop) == (Some(2), Some(3))));
}

/// The port decides the branch; one of them has a box.
fn pad_on_one_branch(packet: Vec<u8>) -> Option<Vec<u8>> {
    let at = if packet[0] >> 4 == 4 { 20 } else { 40 };
    if packet[at + 1] % 4 == 1 { pad(packet) } else { Some(packet) }
}

#[test]
fn a_box_on_one_branch_is_not_claimed_of_all() {
    let net = Net { mangle: (2, pad_on_one_branch), ..Net::default() };
    // Of two flows with two ports each, one kind meets the box in the first round or in the second.
    let settings = Settings { asks: vec![Asks::V1], flows: 2, data: false, ..Settings::default() };
    let (path, _) = converse(&net, settings, |_, _| vec![]);
    let found = path.conclude();
    assert_eq!((found.target.flows, found.target.behaviour), (2, Some(Behaviour::Strip)));
    assert!(found.target.confidence > Confidence::High, "{:?}", found.target);
    assert!(found.target.evidence.contains("another branch"), "{}", found.target.evidence);
    let rows: Vec<_> = found.modifications.iter().filter(|row| row.field == Field::Mptcp).collect();
    assert!(!rows.is_empty());
    for row in rows {
        assert_eq!((row.after_hop, row.before_hop, row.confirmed), (Some(2), Some(3), false));
    }
}

#[test]
fn options_of_ones_own() {
    let settings = Settings {
        asks: vec![Asks::Custom, Asks::Canary],
        custom: Some("mss=1200,raw=1e040101".parse().unwrap()),
        data: false,
        ..Settings::default()
    };
    let (path, _) = converse(&Net { mangle: (3, pad), ..Net::default() }, settings, |_, _| vec![]);
    let found = path.conclude();
    assert_eq!(
        (found.target.behaviour, found.target.canary),
        (Some(Behaviour::Strip), Some(Finding::NoOption))
    );
    assert_eq!((found.target.after_hop, found.target.before_hop), (Some(3), Some(4)));
}

#[test]
fn a_thousand_clean_paths_accuse_nobody() {
    for seed in 0..500_u32 {
        let silent: &[u8] = [&[][..], &[1], &[2, 4], &[4]][seed as usize % 4];
        let quoted = [28, 36, 40, 48, 60, 64, 1000][seed as usize % 7];
        for v6 in [false, true] {
            let net = Net {
                v6,
                silent,
                quoted: if v6 { quoted + 20 } else { quoted },
                skip: seed % 2,
                ..Net::default()
            };
            let found =
                converse(&net, Settings { seed: u64::from(seed), ..Settings::default() }, |_, _| vec![])
                    .0
                    .conclude();
            assert_eq!(
                (found.target.category, found.modifications.len()),
                (Category::True, 0),
                "{seed} {v6} {:?}",
                found.target
            );
        }
    }
}

#[test]
fn the_old_tools_json() {
    let (path, _) = converse(
        &Net { mangle: (2, pad), silent: &[1], distance: 4, ..Net::default() },
        Settings::default(),
        |_, _| vec![],
    );
    let trace = path.trace();
    let json = classic::json(&trace, Asks::V1, 30, false).unwrap();
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((value["addr"].as_str(), value["max_hops"].as_u64()), (Some("198.51.100.9"), Some(30)));
    let hops = value["Hops"].as_array().unwrap();
    assert_eq!(hops.len(), 4);
    assert_eq!(hops[0], serde_json::json!({"hop": 1, "from": "*"}));
    assert_eq!(hops[1]["Modifications"], serde_json::json!(["IP::TTL", "IP::CheckSum"]));
    assert_eq!((hops[2]["from"].as_str(), hops[2]["delay"].as_u64()), (Some("203.0.113.3"), Some(6000)));
    assert_eq!(hops[2]["Deletions"], serde_json::json!(["TCPOptionMPTCPCapable"]));
    assert_eq!(
        (hops[3]["from"].as_str(), hops[3]["Additions"].as_array().map(Vec::len)),
        (Some("198.51.100.9"), Some(0))
    );
    let verbose = classic::json(&trace, Asks::V1, 30, true).unwrap();
    let value: serde_json::Value = serde_json::from_str(&verbose).unwrap();
    assert_eq!(
        value["Hops"][1]["Modifications"][0],
        serde_json::json!({"IP::TTL": {"Expected": "2", "Received": "1"}})
    );
    assert_eq!(classic::json(&trace, Asks::Both, 30, false), None);
}

proptest::proptest! {
    /// Whatever comes, a path does not panic, and believes nothing that is not keyed.
    #[test]
    fn no_packet_makes_it_panic(packets in proptest::collection::vec((proptest::collection::vec(proptest::prelude::any::<u8>(), 0..100), 0u8..5), 0..8), v6 in proptest::prelude::any::<bool>()) {
        let net = Net { v6, ..Net::default() };
        let (ours, theirs) = net.addrs();
        let (icmp, ty) = if v6 { (protocol::ICMPV6, v6_type::TIME_EXCEEDED) } else { (protocol::ICMP, v4_type::TIME_EXCEEDED) };
        let mut coming = packets.into_iter();
        let (path, _) = converse(&net, Settings::default(), |now, sent| {
            let Some((bytes, kind)) = coming.next() else { return vec![] };
            let packet = match kind {
                0 => bytes,
                1 => ip(theirs, ours, protocol::TCP, 9, &bytes),
                2 => ip(net.router(3), ours, icmp, 9, &bytes),
                _ => {
                    let mut quote = sent.to_vec();
                    if kind == 3 { quote.truncate(bytes.len()); }
                    for (place, byte) in quote.iter_mut().skip(40).zip(&bytes) { *place ^= byte & 0x81; }
                    let mut message = vec![0; 400];
                    let error = ErrorMessage { ty, code: 0, rest: [0; 4], quote: &quote, extensions: &[] };
                    let len = error.emit(net.router(3), ours, &mut message).unwrap();
                    ip(net.router(3), ours, icmp, 9, &message[..len])
                }
            };
            if Received::parse(now, &packet).is_some() { vec![(now + 10, packet)] } else { vec![] }
        });
        let found = path.conclude();
        let _ = words::sentence(&found.target, &found.modifications);
        proptest::prop_assert!(found.target.v1 == Some(Finding::V1));
    }
}
