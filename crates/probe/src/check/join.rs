//! Whether a second subflow could be joined: a SYN with MP_JOIN (RFC 8684, section 3.2) from another port of the same address, made by
//! hand, and the proof in the answer. The kernel, which knows nothing of it, resets what the SYN/ACK opens.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use subflow_netio::mptcp::{Dial, Protocol, send_packet};
use subflow_wire::ip::{protocol, v4, v6};
use subflow_wire::keys::{Key, Version, join_hmac, leftmost64};
use subflow_wire::mptcp::{Capable, Join, Mptcp};
use subflow_wire::tcp::{Flags, Header, TcpOption};

use super::flows::Flow;
use super::local::Local;
use super::seen::Seen;
use super::talk::random;
use super::watch::{LATENCY, Watch};
use crate::rows::JoinResult;

/// How long each SYN is waited for, and how often it is sent.
const PATIENCE: Duration = Duration::from_millis(800);
const TIMES: u32 = 3;
/// Longest packet: the header of IPv6 and one of TCP with all options.
const MOST_BYTES: usize = 100;

/// Tries it for a connection whose handshake and first data were seen; `None` when its keys are not known or nothing can be sent.
pub(super) fn attempt(
    watch: &Watch,
    from: &Local,
    client: SocketAddr,
    server: SocketAddr,
) -> Option<JoinResult> {
    let flow = watch.flow(client, server, LATENCY, |flow| keys(flow).is_some())?;
    let (ours, theirs) = keys(&flow)?;
    // Holds the port, so that nobody else takes it meanwhile.
    let holder =
        Dial::open(Protocol::Tcp, server.is_ipv6(), Some(from.addr), from.interface.as_deref()).ok()?;
    let second = holder.local().ok()?;
    let nonce = random() as u32;
    let packet = syn(second, server, random() as u32, theirs.token(Version::V1), nonce)?;
    let mut seen = None;
    for _ in 0..TIMES {
        send_packet(second.ip(), from.interface.as_deref(), server.ip(), &packet).ok()?;
        let found = |flow: &Flow| flow.syn_ack.is_some() || flow.reset.is_some();
        seen = watch.flow(second, server, PATIENCE, found);
        if seen.as_ref().is_some_and(found) {
            break;
        }
    }
    // Not even our own packet was seen: something keeps it here.
    Some(judge(&seen?, ours, theirs, nonce))
}

/// The keys of both ends, ours first, as the first data repeats them.
fn keys(flow: &Flow) -> Option<(Key, Key)> {
    flow.data.as_ref()?.options().find_map(|option| match option {
        TcpOption::Mptcp(Mptcp::Capable(Capable {
            sender_key: Some(ours),
            receiver_key: Some(theirs),
            ..
        })) => Some((ours, theirs)),
        _ => None,
    })
}

/// The SYN, as an IP packet.
fn syn(from: SocketAddr, to: SocketAddr, seq: u32, token: u32, nonce: u32) -> Option<Vec<u8>> {
    let join = Join::Syn { backup: false, address_id: 1, token, nonce, reserved: 0 };
    let options = [
        TcpOption::MaxSegmentSize(1220),
        TcpOption::SackPermitted,
        TcpOption::Timestamps { value: nonce, echo: 0 },
        TcpOption::Nop,
        TcpOption::WindowScale(7),
        TcpOption::Mptcp(Mptcp::Join(join)),
    ];
    let header = Header {
        src_port: from.port(),
        dst_port: to.port(),
        seq,
        ack: 0,
        flags: Flags::SYN,
        window: 64_240,
        urgent: 0,
    };
    let mut segment = [0; MOST_BYTES];
    let len = header.emit(from.ip(), to.ip(), &options, &[], &mut segment).ok()?;
    let mut head = [0; MOST_BYTES];
    let head_len = match (from.ip(), to.ip()) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => v4::Header::new(src, dst, protocol::TCP).emit(len, &mut head),
        (IpAddr::V6(src), IpAddr::V6(dst)) => v6::Header::new(src, dst, protocol::TCP).emit(len, &mut head),
        _ => return None,
    }
    .ok()?;
    Some([head.get(..head_len)?, segment.get(..len)?].concat())
}

fn judge(flow: &Flow, ours: Key, theirs: Key, nonce: u32) -> JoinResult {
    if let Some(answer) = &flow.syn_ack {
        return match proof(answer) {
            Some((hmac, their_nonce)) => {
                let right = leftmost64(&join_hmac(Version::V1, theirs, ours, their_nonce, nonce));
                if hmac == right { JoinResult::Joined } else { JoinResult::WrongHmac }
            }
            None => JoinResult::NoOption,
        };
    }
    match &flow.reset {
        Some(reset) => {
            let says_why = |option| matches!(option, TcpOption::Mptcp(Mptcp::TcpRst(_)));
            if reset.options().any(says_why) { JoinResult::Refused } else { JoinResult::Reset }
        }
        None => JoinResult::Silent,
    }
}

fn proof(answer: &Seen) -> Option<(u64, u32)> {
    answer.options().find_map(|option| match option {
        TcpOption::Mptcp(Mptcp::Join(Join::SynAck { hmac, nonce, .. })) => Some((hmac, nonce)),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::seen::tests::packet;

    const CLIENT: &str = "10.0.0.1:4001";
    const SERVER: &str = "10.0.0.2:443";

    #[test]
    fn a_joined_syn_names_token_and_nonce() {
        for (from, to) in [(CLIENT, SERVER), ("[fd00::1]:4001", "[fd00::2]:443")] {
            let bytes = syn(from.parse().unwrap(), to.parse().unwrap(), 5, 0x1122_3344, 0x5566_7788).unwrap();
            let seen = Seen::read(&bytes).unwrap();
            assert_eq!((seen.src, seen.dst, seen.seq), (from.parse().unwrap(), to.parse().unwrap(), 5));
            assert_eq!(seen.mptcp_bytes(), [30, 12, 0x10, 1, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88]);
        }
    }

    #[test]
    fn the_proof_decides() {
        let (ours, theirs, nonce) = (Key(1), Key(2), 3);
        let hmac = leftmost64(&join_hmac(Version::V1, theirs, ours, 4, nonce));
        let opened = Flow::new(Seen::read(&packet(CLIENT, SERVER, Flags::SYN, 5, &[], b"")).unwrap());
        let answered = |flags, options: &[u8]| {
            let seen = Seen::read(&packet(SERVER, CLIENT, flags, 5, options, b""));
            let mut flow = opened.clone();
            *(if flags.rst() { &mut flow.reset } else { &mut flow.syn_ack }) = seen;
            judge(&flow, ours, theirs, nonce)
        };
        let option = |hmac: u64| {
            let head: [u8; 4] = [30, 16, 0x10, 0];
            [&head[..], &hmac.to_be_bytes(), &4_u32.to_be_bytes()].concat()
        };
        let both = Flags::SYN | Flags::ACK;
        assert_eq!(answered(both, &option(hmac)), JoinResult::Joined);
        assert_eq!(answered(both, &option(hmac ^ 1)), JoinResult::WrongHmac);
        assert_eq!(answered(both, &[]), JoinResult::NoOption);
        assert_eq!(answered(Flags::RST, &[30, 4, 0x80, 3]), JoinResult::Refused);
        assert_eq!(answered(Flags::RST, &[]), JoinResult::Reset);
        assert_eq!(judge(&opened, ours, theirs, nonce), JoinResult::Silent);
    }

    #[test]
    fn keys_stand_in_the_first_data() {
        let mut flow = Flow::new(Seen::read(&packet(CLIENT, SERVER, Flags::SYN, 5, &[], b"")).unwrap());
        assert_eq!(keys(&flow), None);
        let mut option = vec![30, 22, 1, 1];
        option.extend([0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 5, 1, 1]);
        flow.data = Seen::read(&packet(CLIENT, SERVER, Flags::ACK, 6, &option, b"hello"));
        assert_eq!(keys(&flow), Some((Key(1), Key(2))));
    }
}
