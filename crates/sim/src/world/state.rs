//! What the world keeps: lanes (one direction of a subflow), streams (one direction of a connection), connections.

use crate::congestion::Congestion;
use crate::mptcp::{DataReceiver, DataSender};
use crate::net::PathId;
use crate::time::Time;
use crate::transport::{Receiver, Sender};

/// The number of a lane: twice the subflow, plus 1 for data from server to client.
pub(super) type LaneId = u32;

/// One direction of one subflow: the sender at one end, the receiver at the other.
///
/// What every packet needs is in the first cache line, and what a receiver and a sender need most is at their beginning: with thousands of lanes
/// all of it is cold when a packet comes.
#[derive(Debug)]
#[repr(C, align(64))]
pub(super) struct Lane {
    pub(super) stream: u32,
    /// The way of packets in this direction: data, and the ACKs of the other lane.
    pub(super) path: PathId,
    /// The way back: the path of the other lane of this subflow.
    pub(super) back: PathId,
    /// Number of the subflow in its connection, and in its congestion control.
    pub(super) number: u16,
    pub(super) class: u8,
    /// Whether data is numbered at the level of the connection.
    pub(super) multipath: bool,
    /// Plain TCP: the sequence number at which the flow is complete.
    pub(super) complete_at: u64,
    /// When the pending timer of the receiver goes off.
    pub(super) ack_timer: Time,
    /// When the pending timer of the sender goes off.
    pub(super) sender_timer: Time,
    /// Redundant scheduler: what this subflow carries next.
    pub(super) own_next: u64,
    /// Classic ECN: echoes of marks below this sequence number have been answered.
    pub(super) answered: u64,
    pub(super) reroutes: u32,
    /// Whether new data may be put on it.
    pub(super) usable: bool,
    pub(super) backup: bool,
    /// Classic ECN: the next new segment says that the window was reduced (CWR).
    pub(super) reduced: bool,
    pub(super) receiver: Receiver,
    pub(super) sender: Sender,
    /// When this subflow's window was last halved for holding back others.
    pub(super) penalised: Time,
}

impl Lane {
    /// The lane of subflow `number`, on the ways there and back.
    pub(super) fn new(stream: u32, class: u8, number: u16, ways: [PathId; 2], usable: bool) -> Self {
        Self {
            stream,
            path: ways[0],
            back: ways[1],
            number,
            class,
            multipath: false,
            complete_at: u64::MAX,
            ack_timer: Time::MAX,
            sender_timer: Time::MAX,
            own_next: 0,
            reroutes: 0,
            usable,
            backup: false,
            receiver: Receiver::default(),
            sender: Sender::default(),
            reduced: false,
            answered: 0,
            penalised: Time::ZERO,
        }
    }
}

/// One direction of a connection.
#[derive(Debug)]
#[repr(C, align(64))]
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
