//! Timers: lazy ones. A pending timer that turns out to be early is set again; one that is no longer wanted is ignored.

use super::{Cause, LaneId, What, World};
use crate::net::{Network, Packet};
use crate::time::Time;
use crate::transport::TimerDid;

/// What a timer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Timer {
    /// Retransmission or reordering, at the sender of a lane.
    Sender,
    /// A delayed acknowledgment, at its receiver.
    Ack,
}

impl Timer {
    /// The token of such a timer of a lane.
    pub(super) fn token(self, lane: LaneId) -> u32 {
        lane << 2 | self as u32
    }
}

impl World {
    /// Sets the sender's timer if it wants to be woken before the one that is pending.
    #[inline]
    pub(super) fn arm(&mut self, net: &mut Network, lane_id: LaneId) {
        let lane = &mut self.lanes[lane_id as usize];
        let deadline = lane.sender.deadline();
        if deadline < lane.sender_timer {
            lane.sender_timer = deadline;
            net.set_timer(deadline, Timer::Sender.token(lane_id));
        }
    }

    /// A timer went off.
    pub(super) fn timer_fired(&mut self, net: &mut Network, token: u32) {
        let lane_id = token >> 2;
        if lane_id as usize >= self.lanes.len() {
            return;
        }
        if token & 3 == Timer::Sender as u32 {
            self.sender_timer(net, lane_id);
        } else {
            self.ack_timer(net, lane_id);
        }
    }

    fn ack_timer(&mut self, net: &mut Network, lane_id: LaneId) {
        let now = net.now();
        let lane = &mut self.lanes[lane_id as usize];
        if now != lane.ack_timer {
            return;
        }
        lane.ack_timer = Time::MAX;
        if lane.receiver.is_due(now) {
            lane.receiver.acknowledged();
            let (ack, echo) = (lane.receiver.nxt(), lane.receiver.echo());
            let id = net.alloc(Packet::default());
            self.send_ack(net, id, lane_id, ack, echo);
        } else if lane.receiver.deadline() != Time::MAX {
            lane.ack_timer = lane.receiver.deadline();
            net.set_timer(lane.ack_timer, Timer::Ack.token(lane_id));
        }
    }

    fn sender_timer(&mut self, net: &mut Network, lane_id: LaneId) {
        let now = net.now();
        let lane = &mut self.lanes[lane_id as usize];
        if now != lane.sender_timer {
            return;
        }
        lane.sender_timer = Time::MAX;
        if lane.sender.deadline() <= now {
            let index = lane.stream;
            let stream = &mut self.streams[index as usize];
            let settings = &self.classes[usize::from(lane.class)];
            let flight = lane.sender.in_flight();
            match lane.sender.on_timer(now, &settings.sender) {
                TimerDid::Expired => {
                    stream.congestion.on_timeout(usize::from(lane.number), now, flight);
                    let nxt = lane.sender.nxt();
                    self.note(now, lane_id, What::TimedOut);
                    if self.routes.on_timeout(now, lane_id, nxt) {
                        self.reroute(net, lane_id, Cause::Timeout);
                    }
                    if self.streams[index as usize].multipath {
                        self.hand_over(lane_id);
                    }
                    self.pump(net, lane_id);
                    if self.streams[index as usize].multipath {
                        self.schedule(net, index);
                    }
                }
                TimerDid::Entered => {
                    stream.congestion.on_loss(usize::from(lane.number), now, flight);
                    self.pump(net, lane_id);
                }
                TimerDid::Looked => self.pump(net, lane_id),
                TimerDid::Nothing => {}
            }
        }
        self.arm(net, lane_id);
    }
}
