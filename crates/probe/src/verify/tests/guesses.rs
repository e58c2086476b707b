//! Servers that send anything, and guessers who know the protocol: none of them is believed.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use proptest::prelude::*;
use subflow_wire::Key;
use subflow_wire::keys::Version;
use subflow_wire::mptcp::{AddAddr, Capable, Dsn, Dss, Fail, FastClose, Join, Mapping, Mptcp};
use subflow_wire::tcp::{Flags, TcpOption};

use super::responder::{self, Fault, Responder};
use super::{converse, settings, target};
use crate::verify::words;

/// An option that somebody may send who knows the protocol and no key.
fn guessed(kind: u8, a: u64, b: u64, version: u8) -> Mptcp<'static> {
    let dsn =
        |number: u64| if number.is_multiple_of(2) { Dsn::Long(number) } else { Dsn::Short(number as u32) };
    let mapping =
        Mapping { dsn: dsn(b), subflow_seq: 1 + (a % 3) as u32, len: (b % 40) as u16, checksum: None };
    match kind % 12 {
        0..4 => Mptcp::Capable(Capable {
            version,
            flags: Capable::HMAC,
            sender_key: Some(Key(a)),
            receiver_key: (kind == 1).then_some(Key(b)),
            data_len: None,
            checksum: None,
        }),
        4 => Mptcp::Join(Join::Syn {
            backup: false,
            address_id: 0,
            token: a as u32,
            nonce: b as u32,
            reserved: 0,
        }),
        5 => {
            Mptcp::Join(Join::SynAck { backup: false, address_id: 0, hmac: a, nonce: b as u32, reserved: 0 })
        }
        6 => Mptcp::Fail(Fail { dsn: a, reserved: 0 }),
        7 => Mptcp::FastClose(FastClose { key: Key(a), reserved: 0 }),
        8 => Mptcp::Dss(Dss { data_ack: Some(dsn(a)), mapping: None, data_fin: false, reserved: 0 }),
        9 => Mptcp::Dss(Dss {
            data_ack: None,
            mapping: Some(mapping),
            data_fin: a.is_multiple_of(3),
            reserved: 0,
        }),
        10 => {
            let addr = [192, 0, 2, a as u8].into();
            let form =
                AddAddr { version, echo: false, address_id: 1, addr, port: None, hmac: None, reserved: 0 };
            Mptcp::AddAddr(form)
        }
        _ => Mptcp::Dss(Dss { data_ack: Some(dsn(a)), mapping: Some(mapping), data_fin: false, reserved: 0 }),
    }
}

proptest! {
    /// Whatever comes, a talk neither panics nor goes on for ever, and what is not proved is not concluded.
    #[test]
    fn no_bytes_make_it_panic_or_believe(
        junk in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..120), 0..40),
        flips in proptest::collection::vec((0usize..40, 0usize..100, 1u8..), 0..20),
        v6 in any::<bool>(), v1 in any::<bool>(),
    ) {
        let version = if v1 { Version::V1 } else { Version::V0 };
        // Every key shown is another than the one used.
        let mut server = Responder { strict: false, ..Responder::new(version, Fault::WrongKey) };
        let mut count = 0;
        let (rows, _) = converse(target(v6, version), &settings(), |packet| {
            let mut answers = server.packet(packet);
            for answer in &mut answers {
                count += 1;
                for &(_, at, bits) in flips.iter().filter(|flip| flip.0 == count) {
                    if let Some(byte) = answer.get_mut(at) {
                        *byte ^= bits;
                    }
                }
            }
            answers.extend(junk.get(count).cloned());
            answers
        });
        for row in rows {
            prop_assert!(!row.conclusion.supports(), "{:?}", row);
            prop_assert!(!words(&row).is_empty());
        }
    }

    /// Somebody who sees our packets, acknowledges them as TCP does, and makes up the rest.
    #[test]
    fn who_guesses_is_not_believed(
        answers in proptest::collection::vec(
            proptest::collection::vec(
                (0u8..16, any::<u64>(), any::<u64>(), 0usize..60, prop_oneof![8 => Just(0u16), 1 => 0u16..64]),
                0..4,
            ),
            1..30,
        ),
        v6 in any::<bool>(), v1 in any::<bool>(),
    ) {
        let version = if v1 { Version::V1 } else { Version::V0 };
        let mut count = 0;
        let mut sent: BTreeMap<u16, u32> = BTreeMap::new();
        let (rows, _) = converse(target(v6, version), &settings(), |packet| {
            let Some((ip, tcp)) = responder::read(packet) else { return vec![] };
            let list = &answers[count % answers.len()];
            count += 1;
            let ends = (SocketAddr::new(ip.dst, tcp.dst_port()), SocketAddr::new(ip.src, tcp.src_port()));
            let end = tcp.seq().wrapping_add(tcp.payload().len() as u32);
            let ack = end.wrapping_add(u32::from(tcp.flags().syn() || tcp.flags().fin()));
            let mut bytes = Vec::new();
            for &(kind, a, b, len, flags) in list {
                let seq = sent.entry(tcp.src_port()).or_insert(1000);
                let option = guessed(if tcp.flags().syn() { kind % 6 } else { kind }, a, b, version.into());
                let options = if kind < 12 { vec![TcpOption::Mptcp(option)] } else { vec![] };
                let (flags, len) = match tcp.flags().syn() {
                    true => (Flags::SYN | Flags::ACK, 0),
                    false => (Flags::ACK | Flags(flags), len),
                };
                bytes.push(responder::packet(ends, (*seq, ack), flags, &options, &vec![b'x'; len]));
                *seq = seq.wrapping_add(len as u32 + u32::from(tcp.flags().syn()));
            }
            bytes
        });
        for row in rows {
            prop_assert!(!row.conclusion.supports(), "{:?}", row);
            prop_assert!(row.packets_sent < 2000, "{:?}", row);
        }
    }
}
