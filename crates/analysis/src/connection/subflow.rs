//! A subflow of a connection: its handshake, its two directions, its end.

use super::{conformance::Side, half::Half};
use crate::{
    flow::End,
    rows::{Direction, State},
    segment::Segment,
};

/// Larger shifts are taken as this one (RFC 7323, section 2.3).
const MOST_WINDOW_SCALE: u8 = 14;

/// How far the three-way handshake came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// The SYN was seen.
    SynSent,
    /// The SYN/ACK was seen.
    SynAcked,
    /// The third ACK, or what can only follow it, was seen.
    Confirmed,
}

/// A reset.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reset {
    /// When.
    pub(crate) time: i64,
    /// Reason given by MP_TCPRST.
    pub(crate) reason: Option<&'static str>,
    /// Whether it refused the handshake.
    pub(crate) in_handshake: bool,
}

/// A subflow.
#[derive(Debug)]
pub(crate) struct Subflow {
    /// Its number in the connection, 0 for the initial one.
    pub(crate) id: u16,
    /// Direction of its SYN.
    pub(crate) opener: Direction,
    /// Sender of the SYN.
    pub(crate) src: End,
    /// Receiver of the SYN.
    pub(crate) dst: End,
    /// First packet.
    pub(crate) start: i64,
    /// Last packet.
    pub(crate) last: i64,
    /// How far the handshake came; `None` when it was not seen.
    pub(crate) phase: Option<Phase>,
    /// Whether it is a join (else the initial subflow).
    pub(crate) join: bool,
    /// A join answered without MP_JOIN.
    pub(crate) stripped: bool,
    /// Address id given by the opener.
    pub(crate) address_id: Option<u8>,
    /// Backup flag of the join, from either side.
    pub(crate) backup: bool,
    /// Nonces of MP_JOIN by direction of the sender.
    pub(crate) nonces: [Option<u32>; 2],
    /// Whether all HMACs seen were right.
    pub(crate) hmac_ok: Option<bool>,
    /// SYNs seen.
    pub(crate) syns: u32,
    /// Time of the (last) SYN, SYN/ACK, and third ACK.
    pub(crate) syn_time: i64,
    pub(crate) synack_time: Option<i64>,
    pub(crate) confirm_time: Option<i64>,
    /// SYN to SYN/ACK, if neither was repeated.
    pub(crate) handshake_rtt: Option<i64>,
    /// The two directions: `c2s`, `s2c` of the connection.
    pub(crate) halves: [Half; 2],
    /// What is watched for conformance alone, by direction.
    pub(crate) watch: [Side; 2],
    /// The first reset.
    pub(crate) reset: Option<Reset>,
    /// TTL of the opener's first packet.
    pub(crate) ttl: Option<u8>,
}

impl Subflow {
    /// A subflow whose first packet is now.
    pub(crate) fn new(id: u16, opener: Direction, src: End, dst: End, time: i64) -> Self {
        Self {
            id,
            opener,
            src,
            dst,
            start: time,
            last: time,
            phase: None,
            join: id != 0,
            stripped: false,
            address_id: None,
            backup: false,
            nonces: [None; 2],
            hmac_ok: None,
            syns: 0,
            syn_time: time,
            synack_time: None,
            confirm_time: None,
            handshake_rtt: None,
            halves: [Half::default(), Half::default()],
            watch: [Side::default(), Side::default()],
            reset: None,
            ttl: None,
        }
    }

    /// Whether no more packets are due: a reset, or a FIN either way.
    pub(crate) fn closed(&self) -> bool {
        self.reset.is_some() || self.halves.iter().all(|half| half.fin.is_some())
    }

    /// When both ends had last been heard from: the earlier of their last packets.
    pub(crate) fn heard(&self) -> Option<i64> {
        Some(self.halves[0].last?.min(self.halves[1].last?))
    }

    /// Whether a FIN closed it: one after which the other end was heard from. A FIN into the void closes nothing.
    pub(crate) fn closed_by_fin(&self) -> bool {
        let [c2s, s2c] = &self.halves;
        [(c2s, s2c), (s2c, c2s)]
            .iter()
            .any(|(this, other)| this.fin_time.is_some_and(|fin| other.last >= Some(fin)))
    }

    /// Whether it carried payload.
    pub(crate) fn used(&self) -> bool {
        self.halves.iter().any(|half| half.bytes > 0)
    }

    /// The state for the table.
    pub(crate) fn state(&self) -> State {
        let reset = self.reset.is_some_and(|reset| reset.in_handshake);
        match self.phase {
            None => State::Midstream,
            Some(_) if self.stripped => State::Stripped,
            Some(Phase::SynSent) if reset => State::Refused,
            Some(Phase::SynSent) => State::SynLost,
            Some(_) if reset => State::Reset,
            Some(Phase::SynAcked) => State::Unconfirmed,
            Some(Phase::Confirmed) if self.hmac_ok == Some(false) => State::Unconfirmed,
            Some(Phase::Confirmed) => State::Established,
        }
    }

    /// The receive window that a segment advertises, in bytes; `None` when the scale is not known. It is scaled only if both
    /// SYNs had the option, and never in a SYN (RFC 7323, section 2.2).
    pub(crate) fn window(&self, direction: Direction, segment: &Segment<'_>) -> Option<u64> {
        let [this, other] = [direction, direction.reverse()].map(|side| &self.halves[side.index()]);
        if segment.flags.syn() {
            return Some(u64::from(segment.window));
        }
        let scale = match (this.window_scale, other.window_scale) {
            _ if !this.syn_seen || !other.syn_seen || this.syn_cut || other.syn_cut => return None,
            (Some(scale), Some(_)) => scale.min(MOST_WINDOW_SCALE),
            _ => 0,
        };
        Some(u64::from(segment.window) << scale)
    }

    /// Whether it counts as established: its handshake completed, or it is in use though its handshake was not seen.
    pub(crate) fn established(&self) -> bool {
        matches!(self.state(), State::Established | State::Midstream)
    }
}
