//! What is sent: retransmissions first, then new data, on the subflow that the scheduler takes.

use super::{LaneId, REDUCED, World};
use crate::mptcp::{Candidate, Scheduler, Supply};
use crate::net::{NONE, Network, Packet, PathId, flags};
use crate::time::Duration;
use crate::transport::{Phase, Segment};

/// What kept a lane from sending more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stopped {
    /// Its congestion window is full.
    Window,
    /// There is nothing to send, or the receive window is closed.
    Supply(Supply),
}

impl World {
    /// Sends what an acknowledgment on this lane has made room for.
    ///
    /// All other subflows were full when they were looked at last, unless `slack` says otherwise: then all are asked.
    #[inline]
    pub(super) fn pump(&mut self, net: &mut Network, lane_id: LaneId) {
        let index = self.lanes[lane_id as usize].stream;
        if self.lanes[lane_id as usize].sender.to_repair() > 0 && !self.repair(net, lane_id) {
            return;
        }
        if !self.lanes[lane_id as usize].multipath {
            self.pump_single(net, lane_id);
            return;
        }
        let stream = &self.streams[index as usize];
        if stream.slack || stream.data.has_reinjections() {
            self.schedule(net, index);
        } else {
            self.pump_one_of_many(net, lane_id);
        }
    }

    /// Retransmits what is lost, as far as the window allows. True when nothing lost is left waiting.
    #[cold]
    fn repair(&mut self, net: &mut Network, lane_id: LaneId) -> bool {
        let now = net.now();
        loop {
            let lane = &mut self.lanes[lane_id as usize];
            let stream = &self.streams[lane.stream as usize];
            let settings = &self.classes[usize::from(lane.class)];
            if lane.sender.to_repair() == 0 {
                return true;
            }
            let window = stream.congestion.window(usize::from(lane.number));
            let flight = lane.sender.in_flight();
            if !lane.sender.forced() && flight != 0 && flight + u64::from(settings.mss) > window {
                return false;
            }
            let Some((seq, segment)) = lane.sender.retransmit(now, &settings.sender) else { return true };
            self.emit(net, lane_id, seq, &segment, flags::RTX);
        }
    }

    /// Plain TCP: new data until the window is full.
    #[inline]
    fn pump_single(&mut self, net: &mut Network, lane_id: LaneId) {
        let now = net.now();
        loop {
            let lane = &mut self.lanes[lane_id as usize];
            let stream = &mut self.streams[lane.stream as usize];
            let settings = &self.classes[usize::from(lane.class)];
            let flight = lane.sender.in_flight();
            let window = stream.congestion.window(usize::from(lane.number));
            if !lane.usable
                || (flight + u64::from(settings.mss) > window && flight != 0)
                || lane.sender.holds_back(&settings.sender)
            {
                return;
            }
            let Supply::Chunk { dsn, len, .. } = stream.data.next(settings.mss) else { return };
            let seq = lane.sender.transmit(now, dsn, len, 0, &settings.sender);
            let segment = Segment { dsn, len, ..Segment::default() };
            self.emit(net, lane_id, seq, &segment, 0);
        }
    }

    /// Multipath TCP when every other subflow is known to be full: new data until this one is, too.
    #[inline]
    fn pump_one_of_many(&mut self, net: &mut Network, lane_id: LaneId) {
        let stopped = loop {
            if !self.has_room(lane_id) {
                break Stopped::Window;
            }
            if let Err(supply) = self.send_chunk(net, lane_id) {
                break Stopped::Supply(supply);
            }
        };
        if let Stopped::Supply(supply) = stopped {
            let index = self.lanes[lane_id as usize].stream;
            self.streams[index as usize].slack = true;
            if supply == Supply::Blocked {
                self.schedule(net, index);
            }
        }
    }

    /// Whether a lane may carry new data and its window has room for a segment.
    #[inline]
    fn has_room(&self, lane_id: LaneId) -> bool {
        let lane = &self.lanes[lane_id as usize];
        let stream = &self.streams[lane.stream as usize];
        let settings = &self.classes[usize::from(lane.class)];
        let flight = lane.sender.in_flight();
        let window = stream.congestion.window(usize::from(lane.number));
        lane.usable
            && lane.sender.phase() != Phase::Loss
            && (flight + u64::from(settings.mss) <= window || flight == 0)
            && lane.sender.to_repair() == 0
            && !lane.sender.holds_back(&settings.sender)
    }

    /// Puts the next chunk on a lane.
    #[inline]
    fn send_chunk(&mut self, net: &mut Network, lane_id: LaneId) -> Result<(), Supply> {
        let now = net.now();
        let lane = &mut self.lanes[lane_id as usize];
        let stream = &mut self.streams[lane.stream as usize];
        let settings = &self.classes[usize::from(lane.class)];
        let mut given = Supply::Empty;
        if settings.multipath.as_ref().is_some_and(|m| m.scheduler == Scheduler::Redundant) {
            // What others have carried and nobody has acknowledged comes first.
            lane.own_next = lane.own_next.max(stream.data.una());
            if lane.own_next < stream.data.nxt() {
                let len = (stream.data.nxt() - lane.own_next).min(u64::from(settings.mss)) as u16;
                stream.data.reinjected_bytes += u64::from(len);
                given = Supply::Chunk { dsn: lane.own_next, len, again: true };
            }
        }
        if given == Supply::Empty {
            given = stream.data.next(settings.mss);
        }
        let Supply::Chunk { dsn, len, again } = given else { return Err(given) };
        lane.own_next = dsn + u64::from(len);
        stream.last = lane.number;
        let kind = if again { Segment::REINJECTED } else { 0 };
        let seq = lane.sender.transmit(now, dsn, len, kind, &settings.sender);
        let segment = Segment { dsn, len, flags: kind, ..Segment::default() };
        self.emit(net, lane_id, seq, &segment, 0);
        Ok(())
    }

    /// Multipath TCP: asks the scheduler until no subflow has room or nothing is left.
    pub(super) fn schedule(&mut self, net: &mut Network, index: u32) {
        if !self.streams[index as usize].multipath {
            let Some(&lane) = self.streams[index as usize].lanes.first() else { return };
            self.pump_single(net, lane);
            self.arm(net, lane);
            return;
        }
        let class = self.streams[index as usize].class;
        let Some(settings) = &self.classes[usize::from(class)].multipath else { return };
        let (scheduler, opportunistic, penalise) =
            (settings.scheduler, settings.opportunistic, settings.penalise);
        self.streams[index as usize].slack = false;
        loop {
            let again = self.streams[index as usize].data.peek_again();
            let mut taken = self.pick(index, scheduler, again);
            if taken.is_none() && again.is_some() {
                // Nobody can take it now; what is new need not wait for that.
                taken = self.pick(index, scheduler, None);
                let waiting = self.streams[index as usize].data.set_again_aside();
                let sent = taken.map(|lane| self.send_chunk(net, lane).map(|()| lane));
                self.streams[index as usize].data.take_again_back(waiting);
                match sent {
                    Some(Ok(lane)) => {
                        self.arm(net, lane);
                        continue;
                    }
                    _ => {
                        self.streams[index as usize].slack = true;
                        return;
                    }
                }
            }
            let Some(lane_id) = taken else { return };
            match self.send_chunk(net, lane_id) {
                Ok(()) => self.arm(net, lane_id),
                Err(supply) => {
                    self.streams[index as usize].slack = true;
                    if supply == Supply::Blocked
                        && opportunistic
                        && let Some((dsn, len, holder)) = self.unblock(net, lane_id, penalise)
                    {
                        self.streams[index as usize].data.reinject(dsn, len, holder);
                        continue;
                    }
                    return;
                }
            }
        }
    }

    /// The lane for the next chunk; `holder` is the subflow that has it already.
    fn pick(&self, index: u32, scheduler: Scheduler, holder: Option<u16>) -> Option<LaneId> {
        let stream = &self.streams[index as usize];
        let candidates = stream.lanes.iter().map(|&lane_id| {
            let lane = &self.lanes[lane_id as usize];
            Candidate {
                number: lane.number,
                usable: lane.usable && lane.sender.phase() != Phase::Loss,
                room: self.has_room(lane_id) && holder != Some(lane.number),
                backup: lane.backup,
                srtt: lane.sender.rtt.smoothed_or_zero(),
            }
        });
        let place = scheduler.pick(candidates, stream.last)?;
        Some(stream.lanes[place])
    }

    /// The receive window is closed although this lane has room: the oldest chunk that is missing is carried by another one.
    /// Yields it when this lane should carry it too, and halves the holder's window, as `mptcp_rcv_buf_optimization` of the
    /// Linux implementation of MPTCP v0 does.
    fn unblock(&mut self, net: &Network, lane_id: LaneId, penalise: bool) -> Option<(u64, u16, u16)> {
        let now = net.now();
        let index = self.lanes[lane_id as usize].stream as usize;
        let una = self.streams[index].data.una();
        let mine = self.lanes[lane_id as usize].sender.rtt.smoothed_or_zero();
        let mut missing = None;
        let mut resend = false;
        for place in 0..self.streams[index].lanes.len() {
            let other = self.streams[index].lanes[place];
            let lane = &mut self.lanes[other as usize];
            let found = lane.sender.segments().find(|s| s.dsn == una && s.payload() > 0);
            let Some(segment) = found else { continue };
            if other == lane_id {
                return None; // This lane carries it already.
            }
            missing = Some((segment.dsn, segment.payload(), lane.number));
            let theirs = lane.sender.rtt.smoothed_or_zero();
            let stream = &mut self.streams[index];
            let few = stream.congestion.window_packets(usize::from(lane.number)) <= 4.0;
            resend |= few || mine * 4 < theirs;
            let rested = now - lane.penalised >= theirs.max(Duration(1));
            if penalise && mine < theirs && lane.sender.phase() == Phase::Open && rested {
                lane.penalised = now;
                stream.congestion.penalise(usize::from(lane.number));
            }
        }
        missing.filter(|_| resend)
    }

    /// A subflow has failed (its timer expired, or it is gone): other subflows are to carry what it holds.
    pub(super) fn hand_over(&mut self, lane_id: LaneId) {
        let lane = &mut self.lanes[lane_id as usize];
        let stream = &mut self.streams[lane.stream as usize];
        if stream.lanes.len() < 2 {
            return;
        }
        let una = stream.data.una();
        for segment in lane.sender.segments_mut() {
            let held = segment.dsn + u64::from(segment.payload()) > una;
            if segment.payload() > 0 && held && !segment.is(Segment::HANDED_OVER) {
                segment.flags |= Segment::HANDED_OVER;
                stream.data.reinject(segment.dsn, segment.payload(), lane.number);
            }
        }
    }

    /// The path of the next packet of a lane.
    #[inline]
    pub(super) fn path_now(&mut self, net: &mut Network, lane_id: LaneId) -> PathId {
        if self.routes.sprays()
            && let Some(path) = self.routes.spray(net, lane_id)
        {
            return path;
        }
        self.lanes[lane_id as usize].path
    }

    /// Hands a segment to the network.
    #[inline]
    pub(super) fn emit(&mut self, net: &mut Network, lane_id: LaneId, seq: u64, segment: &Segment, kind: u8) {
        let path = self.path_now(net, lane_id);
        let lane = &mut self.lanes[lane_id as usize];
        let settings = &self.classes[usize::from(lane.class)];
        let mut flags = kind;
        if lane.reduced && kind & flags::RTX == 0 {
            lane.reduced = false;
            flags |= REDUCED;
        }
        if settings.ecn {
            flags |= flags::ECT;
        }
        if lane.multipath {
            flags |= flags::MPTCP;
        }
        let packet = Packet {
            subflow: lane_id,
            path,
            seq,
            dsn: segment.dsn,
            len: segment.payload(),
            hop: 0,
            flags,
            header: NONE,
        };
        let id = net.alloc(packet);
        net.send(id);
    }
}
