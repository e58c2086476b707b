//! What an end sends: retransmissions first, then what must be carried again, then new data, on the subflow that the scheduler takes.

use subflow_wire::keys::Version;
use subflow_wire::mptcp::{Dsn, Dss, Mapping, Mptcp};
use subflow_wire::tcp::Flags;

use super::peer::Peer;
use super::subflow::Phase;
use crate::header::Header;
use crate::mptcp::{Candidate, Scheduler, Supply};
use crate::time::{Duration, Time};
use crate::transport::{Phase as Recovery, Segment};

/// SACK blocks in a segment at most.
const MOST_BLOCKS: usize = 4;

impl Peer {
    /// Sends what may be sent, and closes what is done.
    pub(super) fn pump(&mut self, now: Time) {
        for i in 0..self.subflows.len() {
            if self.subflows[i].phase == Phase::Established {
                self.repair(now, i);
            }
        }
        self.schedule(now);
        // Nobody can take what must go again: what is new need not wait for that.
        if self.data.peek_again().is_some() {
            let waiting = self.data.set_again_aside();
            self.schedule(now);
            self.data.take_again_back(waiting);
        }
        self.finish(now);
    }

    fn schedule(&mut self, now: Time) {
        while let Some(i) = self.next_carrier() {
            if !self.send_chunk(now, i) && !self.unblock(now, i) {
                break;
            }
        }
    }

    /// Retransmits what is lost, as far as the window allows.
    fn repair(&mut self, now: Time, i: usize) {
        loop {
            let window = self.congestion.window(i);
            let it = &mut self.subflows[i];
            if it.sender.to_repair() == 0 {
                return;
            }
            let flight = it.sender.in_flight();
            let mss = u64::from(self.settings.transport.mss);
            if !it.sender.forced() && flight != 0 && flight + mss > window {
                return;
            }
            let Some((seq, segment)) = it.sender.retransmit(now, &self.settings.transport.sender) else {
                return;
            };
            self.emit(now, i, seq, &segment);
        }
    }

    /// Whether a subflow has room for a segment of new data.
    fn has_room(&self, i: usize) -> bool {
        let it = &self.subflows[i];
        let flight = it.sender.in_flight();
        let mss = u64::from(self.settings.transport.mss);
        self.takes_data(i)
            && (flight + mss <= self.congestion.window(i) || flight == 0)
            && it.sender.to_repair() == 0
            && !it.sender.holds_back(&self.settings.transport.sender)
    }

    /// Whether a subflow may be given new data at all.
    fn takes_data(&self, i: usize) -> bool {
        let it = &self.subflows[i];
        // After a timeout it first has to get through what it holds.
        let stale = it.sender.phase() == Recovery::Loss;
        it.usable() && (self.multipath && !stale || !self.multipath && i == 0)
    }

    fn scheduler(&self) -> Scheduler {
        self.settings.transport.multipath.as_ref().map_or(Scheduler::LowestRtt, |it| it.scheduler)
    }

    /// The subflow for the next chunk.
    fn next_carrier(&mut self) -> Option<usize> {
        let holder = self.data.peek_again();
        self.pick(holder)
    }

    fn pick(&self, holder: Option<u16>) -> Option<usize> {
        let candidates = self.subflows.iter().enumerate().map(|(i, it)| Candidate {
            number: i as u16,
            usable: self.takes_data(i),
            room: self.has_room(i) && holder != Some(i as u16) && self.has_work(i),
            backup: it.backup,
            srtt: it.sender.rtt.smoothed_or_zero(),
        });
        self.scheduler().pick(candidates, self.last)
    }

    /// With the redundant scheduler a subflow that has carried everything has nothing to do while another one has.
    fn has_work(&self, i: usize) -> bool {
        let own = self.subflows[i].own_next.max(self.data.una());
        self.scheduler() != Scheduler::Redundant || own < self.data.nxt() || !self.data.all_sent()
    }

    /// Puts the next chunk on a subflow. False when there was nothing, or the receive window is closed.
    fn send_chunk(&mut self, now: Time, i: usize) -> bool {
        let mss = self.settings.transport.mss;
        let mut given = Supply::Empty;
        if self.multipath && self.scheduler() == Scheduler::Redundant && self.data_fin.is_none() {
            // What others have carried and nobody has acknowledged comes first.
            let own = self.subflows[i].own_next.max(self.data.una());
            if own < self.data.nxt() {
                let len = (self.data.nxt() - own).min(u64::from(mss)) as u16;
                given = Supply::Chunk { dsn: own, len, again: true };
            }
        }
        if given == Supply::Empty {
            given = self.data.next(mss);
        }
        let Supply::Chunk { dsn, len, again } = given else { return false };
        self.last = i as u16;
        let kind = if again { Segment::REINJECTED } else { 0 };
        let it = &mut self.subflows[i];
        it.own_next = it.own_next.max(dsn + u64::from(len));
        let seq = it.sender.transmit(now, dsn, len, kind, &self.settings.transport.sender);
        let segment = Segment { dsn, len, flags: kind, ..Segment::default() };
        self.emit(now, i, seq, &segment);
        true
    }

    /// The receive window is closed although this subflow has room: the oldest chunk that is missing is to be carried by it, too, if its
    /// holder is slow; the holder's window is halved (`mptcp_rcv_buf_optimization` of the Linux implementation of MPTCP v0).
    fn unblock(&mut self, now: Time, i: usize) -> bool {
        let Some(multipath) = self.settings.transport.multipath.as_ref().filter(|_| self.multipath) else {
            return false;
        };
        if !multipath.opportunistic || self.data.all_sent() || self.data.has_reinjections() {
            return false;
        }
        let (penalise, una) = (multipath.penalise, self.data.una());
        let mine = self.subflows[i].sender.rtt.smoothed_or_zero();
        let mut missing = None;
        for other in 0..self.subflows.len() {
            let it = &mut self.subflows[other];
            let Some(held) = it.sender.segments().find(|it| it.dsn == una && it.payload() > 0) else {
                continue;
            };
            let (dsn, len) = (held.dsn, held.payload());
            if other == i {
                return false;
            }
            let theirs = it.sender.rtt.smoothed_or_zero();
            let few = self.congestion.window_packets(other) <= 4.0;
            if few || mine * 4 < theirs {
                missing = Some((dsn, len, other as u16));
            }
            let rested = now - it.penalised >= theirs.max(Duration(1));
            if penalise && mine < theirs && it.sender.phase() == Recovery::Open && rested {
                it.penalised = now;
                self.congestion.penalise(other);
            }
        }
        let Some((dsn, len, holder)) = missing else { return false };
        self.data.reinject(dsn, len, holder);
        true
    }

    /// A subflow has failed: other subflows are to carry what it holds.
    pub(super) fn hand_over(&mut self, i: usize) {
        if !self.multipath || self.subflows.len() < 2 {
            return;
        }
        let una = self.data.una();
        for segment in self.subflows[i].sender.segments_mut() {
            let held = segment.dsn + u64::from(segment.payload()) > una;
            if segment.payload() > 0 && held && !segment.is(Segment::HANDED_OVER) {
                segment.flags |= Segment::HANDED_OVER;
                self.data.reinject(segment.dsn, segment.payload(), i as u16);
            }
        }
    }

    /// A segment of the window goes out, new or again.
    pub(super) fn emit(&mut self, now: Time, i: usize, seq: u64, segment: &Segment) {
        let fin = segment.is(Segment::FIN);
        let len = segment.payload();
        let flags = match (fin, len > 0) {
            (true, _) => Flags::FIN | Flags::ACK,
            (false, true) if segment.dsn + u64::from(len) >= self.data.written() => Flags::PSH | Flags::ACK,
            _ => Flags::ACK,
        };
        let mut header = self.segment(now, i, flags);
        header.seq = self.subflows[i].local_isn.wrapping_add(1).wrapping_add(seq as u32);
        header.payload.len = len;
        header.payload.dsn = self.first.wrapping_add(segment.dsn);
        if self.settings.transport.ecn {
            header.traffic_class |= 2;
        }
        if self.subflows[i].receiver.echo() {
            header.flags = header.flags | Flags::ECE;
        }
        self.map(i, seq, segment, &mut header);
        self.subflows[i].receiver.acknowledged();
        self.send(i, header);
    }

    /// The Multipath TCP options of a data segment.
    fn map(&mut self, i: usize, seq: u64, segment: &Segment, header: &mut Header) {
        let (len, foreign) = (segment.payload(), self.subflows[i].foreign);
        if foreign || !self.multipath && !self.infinite {
            return;
        }
        let first = i == 0 && segment.dsn == 0 && !self.confirmed && self.version == Version::V1;
        let option = if self.infinite {
            if len == 0 {
                return;
            }
            self.infinite = false;
            let mapping = self.mapping(seq, segment.dsn, 0);
            Mptcp::Dss(Dss { data_ack: None, mapping: Some(mapping), data_fin: false, reserved: 0 })
        } else if first && len > 0 && self.end == crate::observe::End::Client {
            // The first data of the client carries both keys (RFC 8684, section 3.1).
            self.both_keys(Some(len))
        } else {
            let mapping = (len > 0).then(|| self.mapping(seq, segment.dsn, len));
            Mptcp::Dss(Dss { data_ack: self.data_ack(), mapping, data_fin: false, reserved: 0 })
        };
        // 12 bytes of timestamps and 28 at most of these fit.
        let _ = header.options.mptcp(&option);
    }

    fn mapping(&self, seq: u64, dsn: u64, len: u16) -> Mapping {
        let subflow_seq = (seq as u32).wrapping_add(1);
        Mapping { dsn: self.number(self.first, dsn), subflow_seq, len, checksum: self.checksum.then_some(0) }
    }

    /// A number as this version's implementation in Linux writes it: 32 bits in version 0, 64 in version 1.
    pub(super) fn number(&self, first: u64, offset: u64) -> Dsn {
        let dsn = first.wrapping_add(offset);
        match self.version {
            Version::V0 => Dsn::Short(dsn as u32),
            Version::V1 => Dsn::Long(dsn),
        }
    }

    pub(super) fn data_ack(&self) -> Option<Dsn> {
        Some(self.number(self.remote_first?, self.received.nxt()))
    }

    /// A pure ACK, with SACK blocks where there are holes.
    pub(super) fn ack(&mut self, now: Time, i: usize) {
        let header = self.bare_ack(now, i, 0);
        self.send(i, header);
    }

    /// A pure ACK with DATA_ACK and room for an option of so many bytes.
    pub(super) fn bare_ack(&mut self, now: Time, i: usize, reserved: usize) -> Header {
        let mut header = self.segment(now, i, Flags::ACK);
        let it = &mut self.subflows[i];
        if it.receiver.echo() {
            header.flags = header.flags | Flags::ECE;
        }
        let foreign = it.foreign;
        let dss = Dss { data_ack: self.data_ack(), mapping: None, data_fin: false, reserved: 0 };
        let dss = (self.multipath && !foreign && dss.data_ack.is_some()).then_some(Mptcp::Dss(dss));
        let reserved = reserved + dss.as_ref().map_or(0, Mptcp::len);
        let it = &mut self.subflows[i];
        if it.sack && it.receiver.needs_blocks() {
            let mut blocks = [(0, 0); MOST_BLOCKS];
            let count = it.receiver.take_blocks(&mut blocks);
            let origin = it.remote_isn.wrapping_add(1);
            let blocks = blocks
                .map(|(start, end)| (origin.wrapping_add(start as u32), origin.wrapping_add(end as u32)));
            header.options.sack(blocks.get(..count).unwrap_or_default(), reserved);
        }
        it.receiver.acknowledged();
        if let Some(dss) = dss {
            let _ = header.options.mptcp(&dss);
        }
        header
    }
}

/// The number with these low bits that is nearest to `to`.
pub(super) fn near(low: u32, to: u64) -> u64 {
    let off = low.wrapping_sub(to as u32).cast_signed();
    to.wrapping_add_signed(i64::from(off))
}
