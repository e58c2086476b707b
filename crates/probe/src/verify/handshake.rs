//! What the SYN/ACKs of both subflows say (RFC 6824 and RFC 8684, sections 3.1 and 3.2).

use subflow_wire::Key;
use subflow_wire::keys::{Version, join_hmac, leftmost64};
use subflow_wire::mptcp::{self, Capable, Join, Mptcp};
use subflow_wire::tcp::{Tcp, TcpOption};

use crate::rows::{JoinStep, SynStep};

/// Paddings in a row that no stack writes between its options, but a box does that overwrites one.
const PADDING: u32 = 4;

/// Judges the SYN/ACK of the first subflow. What it returns as it was sent is a mirror's work: version 0 answers with another
/// key, version 1 with a key at all.
pub(super) fn judge_syn_ack(version: Version, key: Key, tcp: &Tcp<'_>) -> (SynStep, Option<Capable>) {
    let (mut count, mut found, mut mirrored) = (0, None, false);
    let (mut padding, mut longest) = (0, 0);
    for option in tcp.options() {
        padding = if option == TcpOption::Nop { padding + 1 } else { 0 };
        longest = longest.max(padding);
        match option {
            TcpOption::Mptcp(option) => {
                count += 1;
                if let Mptcp::Capable(capable) = option {
                    mirrored |= match capable.sender_key {
                        Some(theirs) => theirs == key,
                        None => version == Version::V1 && capable.version == 1,
                    };
                    found = found.or(Some(capable));
                }
            }
            TcpOption::Malformed { kind: mptcp::KIND, .. } => count += 1,
            _ => {}
        }
    }
    let proper = found.is_some_and(|capable| {
        capable.version == u8::from(version)
            && capable.sender_key.is_some()
            && capable.receiver_key.is_none()
            && capable.hmac()
            && !capable.extensibility()
    });
    let step = match (mirrored, count, proper) {
        (true, ..) => SynStep::Mirrored,
        (_, 0, _) if longest >= PADDING => SynStep::Padded,
        (_, 0, _) => SynStep::NoOption,
        (_, 1, true) => SynStep::Capable,
        _ => SynStep::Malformed,
    };
    (step, found)
}

/// HMAC and random number of a join's SYN/ACK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct JoinAnswer {
    pub(super) hmac: u64,
    pub(super) nonce: u32,
}

/// Judges the SYN/ACK of the second subflow. [`JoinStep::Unconfirmed`] is the best it can be.
pub(super) fn judge_join(
    version: Version,
    key: Key,
    server_key: Key,
    nonce: u32,
    tcp: &Tcp<'_>,
) -> (JoinStep, Option<JoinAnswer>) {
    let mut found = None;
    let (mut count, mut mirrored) = (0, false);
    for option in tcp.options().mptcp() {
        count += 1;
        match option {
            Mptcp::Join(Join::Syn { nonce: theirs, .. }) => mirrored |= theirs == nonce,
            Mptcp::Join(Join::SynAck { hmac, nonce, .. }) => found = Some(JoinAnswer { hmac, nonce }),
            _ => {}
        }
    }
    let step = match (mirrored, count, found) {
        (true, ..) => JoinStep::Mirrored,
        (_, 0, _) => JoinStep::NoOption,
        (_, 1, Some(answer)) => {
            let expected = join_hmac(version, server_key, key, answer.nonce, nonce);
            if leftmost64(&expected) == answer.hmac { JoinStep::Unconfirmed } else { JoinStep::WrongHmac }
        }
        _ => JoinStep::Malformed,
    };
    (step, found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use subflow_wire::tcp::{Flags, Header};

    const OURS: Key = Key(0xb49d_03c2_011d_7aba);
    const THEIRS: Key = Key(0x8fb9_c7b4_93f3_3d4b);

    fn syn_ack(options: &[TcpOption<'_>]) -> Vec<u8> {
        let header = Header { flags: Flags::SYN | Flags::ACK, ..Header::default() };
        let mut bytes = vec![0; 100];
        let addr = [192, 0, 2, 1].into();
        let len = header.emit(addr, addr, options, &[], &mut bytes).unwrap();
        bytes.truncate(len);
        bytes
    }

    fn capable(version: u8, flags: u8, key: Option<Key>) -> TcpOption<'static> {
        let capable =
            Capable { version, flags, sender_key: key, receiver_key: None, data_len: None, checksum: None };
        TcpOption::Mptcp(Mptcp::Capable(capable))
    }

    #[test]
    fn first_subflow() {
        let mss = TcpOption::MaxSegmentSize(1460);
        let pad = [TcpOption::Nop; 12];
        let both = [capable(1, 1, Some(THEIRS)), capable(1, 1, Some(THEIRS))];
        for (version, options, expected) in [
            (Version::V1, &[mss, capable(1, 1, Some(THEIRS))][..], SynStep::Capable),
            (Version::V1, &[capable(1, 0x81, Some(THEIRS))], SynStep::Capable),
            (Version::V0, &[capable(0, 1, Some(THEIRS))], SynStep::Capable),
            (Version::V0, &[capable(0, 1, Some(OURS))], SynStep::Mirrored),
            (Version::V1, &[capable(1, 1, None)], SynStep::Mirrored),
            (Version::V1, &[capable(0, 1, Some(THEIRS))], SynStep::Malformed),
            (Version::V0, &[capable(1, 1, Some(THEIRS))], SynStep::Malformed),
            (Version::V0, &[capable(1, 1, None)], SynStep::Malformed),
            (Version::V1, &[capable(1, 0, Some(THEIRS))], SynStep::Malformed),
            (Version::V1, &[capable(1, 0x41, Some(THEIRS))], SynStep::Malformed),
            (Version::V1, &both, SynStep::Malformed),
            (Version::V1, &[mss], SynStep::NoOption),
            (Version::V1, &pad, SynStep::Padded),
            (Version::V1, &[mss, TcpOption::Nop, TcpOption::Nop], SynStep::NoOption),
        ] {
            let bytes = syn_ack(options);
            let (step, _) = judge_syn_ack(version, OURS, &Tcp::parse(&bytes).unwrap());
            assert_eq!(step, expected, "{version:?} {options:?}");
        }
    }

    #[test]
    fn second_subflow_by_known_vectors() {
        // The server is B of the vectors: HMAC-B over R-B, R-A.
        let (r_a, r_b) = (0x0102_0304, 0x0506_0708);
        let answer = |hmac| {
            TcpOption::Mptcp(Mptcp::Join(Join::SynAck {
                backup: false,
                address_id: 0,
                hmac,
                nonce: r_b,
                reserved: 0,
            }))
        };
        let echo = TcpOption::Mptcp(Mptcp::Join(Join::Syn {
            backup: false,
            address_id: 0,
            token: 1,
            nonce: r_a,
            reserved: 0,
        }));
        for (version, options, expected) in [
            (Version::V0, &[answer(0xaa6a_b1e6_4137_0097)][..], JoinStep::Unconfirmed),
            (Version::V1, &[answer(0xef80_9f96_429e_0fcc)], JoinStep::Unconfirmed),
            (Version::V1, &[answer(0xef80_9f96_429e_0fcd)], JoinStep::WrongHmac),
            (Version::V1, &[answer(0xaa6a_b1e6_4137_0097)], JoinStep::WrongHmac),
            (Version::V1, &[echo], JoinStep::Mirrored),
            (Version::V1, &[], JoinStep::NoOption),
            (Version::V1, &[capable(1, 1, Some(THEIRS))], JoinStep::Malformed),
        ] {
            let bytes = syn_ack(options);
            let (step, _) = judge_join(version, OURS, THEIRS, r_a, &Tcp::parse(&bytes).unwrap());
            assert_eq!(step, expected, "{version:?} {options:?}");
        }
    }
}
