//! A subflow as one of its ends keeps it.

use std::net::SocketAddr;

use crate::time::Time;
use crate::transport::{Receiver, Sender};

/// How far a subflow is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// The SYN was sent.
    SynSent,
    /// The SYN/ACK was sent.
    SynReceived,
    /// A join whose third ACK was sent and not answered yet (RFC 8684, section 3.2): no data.
    Waiting,
    /// In use.
    Established,
    /// Reset or given up.
    Dead,
}

/// One end of a subflow.
#[derive(Clone, Debug)]
pub(super) struct Subflow {
    /// Number in the run.
    pub(super) id: u32,
    pub(super) phase: Phase,
    pub(super) local: SocketAddr,
    pub(super) remote: SocketAddr,
    /// A SYN that came without the option that this connection needs: served as plain TCP that nobody uses.
    pub(super) foreign: bool,
    pub(super) local_isn: u32,
    pub(super) remote_isn: u32,
    pub(super) local_nonce: u32,
    pub(super) remote_nonce: u32,
    pub(super) address_id: u8,
    /// The address id that the other end gave.
    pub(super) remote_id: u8,
    /// This end, or the other one, wants it to be used only when no other is left.
    pub(super) backup: bool,
    pub(super) sender: Sender,
    pub(super) receiver: Receiver,
    /// When the segment of the handshake goes again, and how often it went.
    pub(super) again_at: Time,
    pub(super) tries: u8,
    /// Both ends have timestamps; the latest one of the other end.
    pub(super) timestamps: bool,
    pub(super) recent: u32,
    pub(super) sack: bool,
    /// Window scales: of this end's windows, and of the other end's.
    pub(super) scales: Option<(u8, u8)>,
    /// A DSS has come on it.
    pub(super) dss_seen: bool,
    pub(super) fin_sent: bool,
    /// Position of the other end's FIN.
    pub(super) fin_at: Option<u64>,
    /// Redundant scheduler: what this subflow carries next.
    pub(super) own_next: u64,
    pub(super) penalised: Time,
}

impl Subflow {
    pub(super) fn new(id: u32, local: SocketAddr, remote: SocketAddr, opener: bool) -> Self {
        Self {
            id,
            phase: if opener { Phase::SynSent } else { Phase::SynReceived },
            local,
            remote,
            foreign: false,
            local_isn: 0,
            remote_isn: 0,
            local_nonce: 0,
            remote_nonce: 0,
            address_id: 0,
            remote_id: 0,
            backup: false,
            sender: Sender::default(),
            receiver: Receiver::default(),
            again_at: Time::MAX,
            tries: 0,
            timestamps: true,
            recent: 0,
            sack: true,
            scales: None,
            dss_seen: false,
            fin_sent: false,
            fin_at: None,
            own_next: 0,
            penalised: Time::ZERO,
        }
    }

    /// Whether new data may be put on it.
    pub(super) fn usable(&self) -> bool {
        self.phase == Phase::Established && !self.fin_sent && !self.foreign
    }

    /// Whether it is beyond its handshake and not dead.
    pub(super) fn open(&self) -> bool {
        matches!(self.phase, Phase::Waiting | Phase::Established)
    }

    /// Whether FINs went and were acknowledged in both directions.
    pub(super) fn closed(&self) -> bool {
        self.phase == Phase::Dead || self.fin_sent && self.sender.is_idle() && self.fin_received()
    }

    /// Whether everything up to the other end's FIN has come.
    pub(super) fn fin_received(&self) -> bool {
        self.fin_at.is_some_and(|fin| self.receiver.nxt() > fin)
    }
}
