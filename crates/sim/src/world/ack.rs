//! What arrives: data at receivers, acknowledgments at senders.

use super::blocks::{Blocks, MOST};
use super::timer::Timer;
use super::{Cause, LaneId, REDUCED, World};
use crate::congestion::Ack;
use crate::net::{NONE, Network, Packet, PacketId, flags};
use crate::transport::{EcnEcho, Phase, Reaction};

/// What an acknowledgment says, whatever packet carried it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Acknowledgment<'a> {
    pub(super) ack: u64,
    pub(super) data_ack: Option<u64>,
    pub(super) window: u64,
    pub(super) blocks: &'a [(u64, u64)],
    pub(super) echo: bool,
    pub(super) pure: bool,
}

impl World {
    /// A data packet of an established connection without options.
    #[inline]
    pub(super) fn data_arrives(&mut self, net: &mut Network, id: PacketId, packet: &Packet) {
        let reaction = self.take_data(net, packet.subflow, packet);
        if let Some((ack, echo)) = reaction.before {
            let early = net.alloc(Packet::default());
            self.send_ack(net, early, packet.subflow, ack, echo);
        }
        if reaction.now {
            let lane = &mut self.lanes[packet.subflow as usize];
            lane.receiver.acknowledged();
            let (ack, echo) = (lane.receiver.nxt(), lane.receiver.echo());
            self.send_ack(net, id, packet.subflow, ack, echo);
            return;
        }
        net.free(id);
        let lane = &mut self.lanes[packet.subflow as usize];
        let deadline = lane.receiver.deadline();
        if deadline < lane.ack_timer {
            lane.ack_timer = deadline;
            net.set_timer(deadline, Timer::Ack.token(packet.subflow));
        }
    }

    /// Puts data into the books of its receiver.
    #[inline]
    fn take_data(&mut self, net: &mut Network, lane_id: LaneId, packet: &Packet) -> Reaction {
        let lane = &mut self.lanes[lane_id as usize];
        let settings = &self.classes[usize::from(lane.class)];
        let marked = packet.flags & flags::CE != 0;
        let len = u64::from(packet.len);
        if packet.flags & REDUCED != 0 {
            lane.receiver.reduced(&settings.ack);
        }
        let reaction = lane.receiver.on_segment(net.now(), packet.seq, len, marked, &settings.ack);
        let complete = if lane.multipath {
            let stream = &mut self.streams[lane.stream as usize];
            stream.received.on_data(packet.dsn, len);
            stream.received.nxt() >= stream.size
        } else {
            lane.receiver.nxt() >= lane.complete_at
        };
        if reaction.fresh == 0 && lane.receiver.take_repeated_again() {
            self.acks_are_lost(net, lane_id ^ 1);
            return reaction;
        }
        if complete && reaction.fresh > 0 {
            let flow = self.connections[(lane.stream >> 1) as usize].flow;
            self.complete(net, flow);
        }
        reaction
    }

    /// The same segment has come in vain twice on end, so its sender hears nothing: acknowledgments take another path, where paths are moved
    /// at all. Linux does so, too (`tcp_rcv_spurious_retrans`); senders of data alone cannot leave a dead way back.
    #[cold]
    fn acks_are_lost(&mut self, net: &mut Network, lane_id: LaneId) {
        let nxt = self.lanes[lane_id as usize].sender.nxt();
        if self.routes.on_timeout(net.now(), lane_id, nxt) {
            self.reroute(net, lane_id, Cause::Timeout);
        }
    }

    /// Sends an acknowledgment of a lane's data in a packet's slot.
    #[inline]
    pub(super) fn send_ack(
        &mut self,
        net: &mut Network,
        id: PacketId,
        lane_id: LaneId,
        ack: u64,
        echo: bool,
    ) {
        let lane = &self.lanes[lane_id as usize];
        let mut path = lane.back;
        if self.routes.sprays()
            && let Some(sprayed) = self.routes.spray(net, lane_id ^ 1)
        {
            path = sprayed;
        }
        let mut kind = flags::ACK | if echo { flags::ECE } else { 0 };
        let mut dsn = 0;
        if lane.multipath {
            kind |= flags::MPTCP;
            dsn = self.streams[lane.stream as usize].received.nxt();
        }
        let header = if lane.receiver.needs_blocks() { self.blocks_of(lane_id) } else { NONE };
        *net.packet_mut(id) =
            Packet { subflow: lane_id, path, seq: ack, dsn, len: 0, hop: 0, flags: kind, header };
        net.send(id);
    }

    /// A record of the SACK blocks that an acknowledgment of a lane carries now.
    #[cold]
    fn blocks_of(&mut self, lane_id: LaneId) -> u32 {
        let mut blocks = [(0, 0); MOST];
        let count = self.lanes[lane_id as usize].receiver.take_blocks(&mut blocks);
        self.blocks.insert(Blocks::new(&blocks[..count]))
    }

    /// A pure ACK without options but SACK blocks.
    #[inline]
    pub(super) fn ack_arrives(&mut self, net: &mut Network, id: PacketId, packet: &Packet) {
        let mut blocks = [(0, 0); MOST];
        let mut count = 0;
        if packet.header != NONE {
            let una = self.lanes[packet.subflow as usize].sender.una();
            count = self.blocks.take(packet.header).read(una, &mut blocks);
        }
        net.free(id);
        let lane = &self.lanes[packet.subflow as usize];
        let window = self.classes[usize::from(lane.class)].receive_window;
        let acknowledgment = Acknowledgment {
            ack: packet.seq,
            data_ack: lane.multipath.then_some(packet.dsn),
            window,
            blocks: &blocks[..count],
            echo: packet.flags & flags::ECE != 0,
            pure: true,
        };
        self.acknowledge(net, packet.subflow, &acknowledgment);
        self.after_ack(net, packet.subflow);
    }

    /// Takes an acknowledgment into the books of the sender, its congestion control and the data level.
    #[inline]
    pub(super) fn acknowledge(&mut self, net: &mut Network, lane_id: LaneId, given: &Acknowledgment<'_>) {
        let now = net.now();
        let lane = &mut self.lanes[lane_id as usize];
        let stream = &mut self.streams[lane.stream as usize];
        let settings = &self.classes[usize::from(lane.class)];
        let before = lane.sender.phase();
        let acked = lane.sender.on_ack(now, given.ack, given.blocks, given.pure, &settings.sender);
        let i = usize::from(lane.number);
        let congestion = &mut stream.congestion;
        if acked.bytes > 0 {
            let window = congestion.window(i);
            let limited = if congestion.in_slow_start(i) {
                2 * acked.flight > window
            } else {
                acked.flight + u64::from(settings.mss) > window
            };
            let ack = Ack {
                now,
                acked: acked.bytes,
                marked: if given.echo { acked.bytes } else { 0 },
                rtt: acked.rtt,
                in_flight: lane.sender.in_flight(),
                cwnd_limited: limited,
            };
            if before == Phase::Recovery {
                congestion.on_recovery_ack(i, &ack);
            } else {
                congestion.on_ack(i, &ack);
            }
        }
        if acked.recovered && before == Phase::Recovery {
            congestion.on_recovered(i, now);
        }
        if acked.entered {
            congestion.on_loss(i, now, acked.flight);
        }
        if given.echo && settings.ack.ecn == EcnEcho::Classic && lane.sender.una() >= lane.answered {
            lane.reduced = true;
            lane.answered = lane.sender.nxt();
        }
        stream.data.on_ack(given.data_ack.unwrap_or(lane.sender.una()), given.window);
        if self.routes.moves() && acked.bytes > 0 {
            let window = (lane.sender.una(), lane.sender.nxt());
            let marked = if given.echo { acked.bytes } else { 0 };
            if self.routes.on_ack(now, lane_id, window, (acked.bytes, marked)) {
                self.reroute(net, lane_id, Cause::Congestion);
            }
        }
    }

    /// After an acknowledgment: sends what may be sent now, and sees to the timer.
    #[inline]
    pub(super) fn after_ack(&mut self, net: &mut Network, lane_id: LaneId) {
        self.pump(net, lane_id);
        self.arm(net, lane_id);
        let lane = &self.lanes[lane_id as usize];
        if lane.sender.is_idle() {
            self.perhaps_retire(net, lane_id);
        }
    }

    /// Whether all of a connection is acknowledged, so that it can go.
    fn perhaps_retire(&mut self, net: &Network, lane_id: LaneId) {
        let index = self.lanes[lane_id as usize].stream;
        let stream = &self.streams[index as usize];
        let done = stream.data.all_sent()
            && stream.size != u64::MAX
            && !stream.data.has_reinjections()
            && stream.lanes.iter().all(|&lane| self.lanes[lane as usize].sender.is_idle());
        if done {
            self.retire(net, index >> 1);
        }
    }
}
