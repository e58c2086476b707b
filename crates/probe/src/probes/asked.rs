//! What a SYN held, as far as an answer is judged by it.

use subflow_wire::Key;
use subflow_wire::mptcp::{Join, Mptcp};
use subflow_wire::tcp::{Tcp, TcpOption};

use super::{CANARY_KIND, Cookie, Kind};

/// What was asked by a SYN: of ours, from its cookie, or of anybody's, from a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// What it asked.
    pub kind: Kind,
    /// Its sequence number.
    pub seq: u32,
    /// Its key of version 0.
    pub v0_key: Option<Key>,
    /// Token and random number of its MP_JOIN.
    pub join: Option<(u32, u32)>,
    /// What its canary held.
    pub canary: Option<u16>,
}

impl Asked {
    /// What a probe of ours asks.
    #[inline]
    pub fn of(kind: Kind, cookie: &Cookie, canary: bool) -> Self {
        Self {
            kind,
            seq: cookie.seq,
            v0_key: matches!(kind, Kind::V0 | Kind::Both).then_some(Key(cookie.key)),
            join: (kind == Kind::Join).then_some(((cookie.key >> 32) as u32, cookie.key as u32)),
            canary: canary.then_some(cookie.canary),
        }
    }

    /// What a captured SYN asks; `None` for other segments.
    pub fn by(tcp: &Tcp<'_>) -> Option<Self> {
        if !tcp.flags().syn() || tcp.flags().ack() {
            return None;
        }
        let mut asked = Self { kind: Kind::Plain, seq: tcp.seq(), v0_key: None, join: None, canary: None };
        let mut v1 = false;
        for option in tcp.options() {
            match option {
                TcpOption::Mptcp(Mptcp::Capable(capable)) => match (capable.version, capable.sender_key) {
                    (0, Some(key)) => asked.v0_key = Some(key),
                    (1.., _) => v1 = true,
                    _ => {}
                },
                TcpOption::Mptcp(Mptcp::Join(Join::Syn { token, nonce, .. })) => {
                    asked.join = Some((token, nonce));
                }
                TcpOption::Unknown { kind: CANARY_KIND, data: &[a, b] } => {
                    asked.canary = Some(u16::from_be_bytes([a, b]));
                }
                _ => {}
            }
        }
        asked.kind = match (v1, asked.v0_key, asked.join) {
            (true, Some(_), _) => Kind::Both,
            (true, None, _) => Kind::V1,
            (false, Some(_), _) => Kind::V0,
            (false, None, Some(_)) => Kind::Join,
            (false, None, None) => Kind::Plain,
        };
        Some(asked)
    }
}
