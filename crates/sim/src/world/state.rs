//! What the world keeps: lanes (one direction of a subflow), streams (one direction of a connection), connections.

use crate::congestion::Congestion;
use crate::mptcp::{DataReceiver, DataSender};
use crate::net::PathId;
use crate::time::Time;
use crate::transport::{Receiver, Sender};

/// The number of a lane: twice the subflow, plus 1 for data from server to client.
pub(super) type LaneId = u32;

/// One direction of one subflow: the sender at one end, the receiver at the other.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) sender: Sender,
    pub(super) receiver: Receiver,
    /// The way of packets in this direction: data, and the ACKs of the other lane.
    pub(super) path: PathId,
    pub(super) stream: u32,
    /// Number of the subflow in its connection, and in its congestion control.
    pub(super) number: u16,
    /// Whether new data may be put on it.
    pub(super) usable: bool,
    pub(super) backup: bool,
    /// When the pending timer of the sender goes off.
    pub(super) sender_timer: Time,
    /// When the pending timer of the receiver goes off.
    pub(super) ack_timer: Time,
    /// Redundant scheduler: what this subflow carries next.
    pub(super) own_next: u64,
    /// When this subflow's window was last halved for holding back others.
    pub(super) penalised: Time,
    pub(super) reroutes: u32,
}

impl Lane {
    pub(super) fn new(stream: u32, number: u16, path: PathId, usable: bool) -> Self {
        Self {
            sender: Sender::default(),
            receiver: Receiver::default(),
            path,
            stream,
            number,
            usable,
            backup: false,
            sender_timer: Time::MAX,
            ack_timer: Time::MAX,
            own_next: 0,
            penalised: Time::ZERO,
            reroutes: 0,
        }
    }
}

/// One direction of a connection.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) congestion: Congestion,
    pub(super) data: DataSender,
    pub(super) received: DataReceiver,
    /// Its lanes, in the order of their numbers.
    pub(super) lanes: Vec<LaneId>,
    /// Bytes that make the flow complete.
    pub(super) size: u64,
    pub(super) class: u8,
    pub(super) multipath: bool,
    /// Some subflow may have room that nothing was sent into, so that all of them have to be asked.
    pub(super) slack: bool,
    /// The subflow that carried the last new chunk.
    pub(super) last: u16,
}

/// A connection between two hosts.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) flow: u32,
    pub(super) subflows: Vec<u32>,
    pub(super) class: u8,
}
