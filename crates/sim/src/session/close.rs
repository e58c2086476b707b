//! How connections and subflows end.

use subflow_wire::keys::Version;
use subflow_wire::mptcp::{Dss, Mapping, Mptcp, TcpRst};
use subflow_wire::tcp::Flags;

use super::peer::Peer;
use super::subflow::Phase;
use crate::header::Header;
use crate::observe::{Close, Fact};
use crate::time::Time;
use crate::transport::Segment;

impl Peer {
    /// Whether DATA_FINs went and were acknowledged both ways.
    pub(super) fn data_level_closed(&self) -> bool {
        self.remote_done && self.data_fin.is_some_and(|fin| self.data.una() > fin)
    }

    /// Says that all is said, when it is.
    pub(super) fn finish(&mut self, now: Time) {
        if self.subflows.is_empty() || self.subflows[0].phase == Phase::SynSent {
            return;
        }
        if self.multipath {
            if self.data_fin.is_none() && self.has_said_all() {
                self.data_fin = Some(self.data.take_fin_number());
                self.send_data_fin(now);
            }
            if self.data_level_closed() {
                self.end_with(now, Close::DataFin);
                self.close_subflows(now);
            }
            return;
        }
        if self.has_said_all() || self.closed.is_some() {
            self.close_subflows(now);
        }
        if self.subflows[0].phase != Phase::Dead && self.subflows[0].closed() {
            self.end_with(now, Close::Fin);
        }
    }

    /// Everything was sent and acknowledged. An end without data waits for the other one to finish.
    fn has_said_all(&self) -> bool {
        let other_done = self.remote_done || !self.multipath && self.subflows[0].fin_received();
        let acked = self.data.all_sent() && self.data.una() >= self.bytes;
        acked && (self.bytes > 0 || other_done)
    }

    /// DATA_FIN in a mapping of its own (RFC 8684, section 3.3.3).
    pub(super) fn send_data_fin(&mut self, now: Time) {
        let Some(fin) = self.data_fin else { return };
        let again = self.data_fin_at != Time::MAX;
        self.data_fin_at = now + self.settings.patience;
        if !again {
            if let Some(i) = self.speaker() {
                self.data_fin_on(now, i, fin);
            }
            return;
        }
        // One of them may be dead without a sign.
        for i in 0..self.subflows.len() {
            if self.subflows[i].usable() {
                self.data_fin_on(now, i, fin);
            }
        }
    }

    fn data_fin_on(&mut self, now: Time, i: usize, fin: u64) {
        let mut header = self.segment(now, i, Flags::ACK);
        let checksum = self.checksum.then_some(0);
        let mapping = Mapping { dsn: self.number(self.first, fin), subflow_seq: 0, len: 1, checksum };
        let dss = Dss { data_ack: self.data_ack(), mapping: Some(mapping), data_fin: true, reserved: 0 };
        header.payload.dsn = self.first.wrapping_add(fin);
        let _ = header.options.mptcp(&Mptcp::Dss(dss));
        self.subflows[i].receiver.acknowledged();
        self.send(i, header);
    }

    /// FINs on all subflows.
    fn close_subflows(&mut self, now: Time) {
        for i in 0..self.subflows.len() {
            let dsn = self.data.nxt();
            let it = &mut self.subflows[i];
            match it.phase {
                Phase::Established if !it.fin_sent && !it.foreign => {
                    it.fin_sent = true;
                    let seq = it.sender.transmit(now, dsn, 1, Segment::FIN, &self.settings.transport.sender);
                    let segment = Segment { dsn, len: 1, flags: Segment::FIN, ..Segment::default() };
                    self.emit(now, i, seq, &segment);
                }
                // What was not established yet is not wanted any more; an answer is refused (`syn_ack`).
                Phase::SynSent => it.again_at = Time::MAX,
                Phase::Waiting => self.reset(now, i, None),
                _ => {}
            }
        }
    }

    /// Resets a subflow; in version 1 with a reason.
    pub(super) fn reset(&mut self, now: Time, i: usize, reason: Option<u8>) {
        let mut header = self.segment(now, i, Flags::RST | Flags::ACK);
        if let Some(reason) = reason.filter(|_| self.version == Version::V1) {
            let _ = header.options.mptcp(&Mptcp::TcpRst(TcpRst { flags: 0, reason }));
        }
        self.send(i, header);
        self.lose(now, i);
    }

    /// A segment for a subflow that there is not (RFC 9293, section 3.10.7.1).
    pub(super) fn refuse(&mut self, now: Time, i: usize, to: &Header) {
        let (_, it) = (now, &self.subflows[i]);
        let (seq, ack, flags) = match to.flags.ack() {
            true => (to.ack, 0, Flags::RST),
            false => (0, to.seq.wrapping_add(to.sequence_len()), Flags::RST | Flags::ACK),
        };
        let mut header = Header::new(it.local, it.remote, seq, ack, flags, 0);
        self.dress(&mut header);
        self.send(i, header);
    }

    /// A subflow is gone: others carry what it held; without others the connection is over.
    pub(super) fn lose(&mut self, now: Time, i: usize) {
        if self.subflows[i].phase == Phase::Dead {
            return;
        }
        self.hand_over(i);
        let it = &mut self.subflows[i];
        self.facts.push(Fact::Lost { subflow: it.id });
        it.phase = Phase::Dead;
        it.again_at = Time::MAX;
        it.sender.stop();
        it.receiver.stop();
        self.congestion.remove(i);
        if self.subflows.iter().all(|it| it.phase == Phase::Dead || it.foreign) {
            self.end_with(now, Close::Reset);
        }
    }

    pub(super) fn end_with(&mut self, now: Time, close: Close) {
        if self.closed.is_none() {
            self.closed = Some((now, close));
            self.facts.push(Fact::Closed(close));
        }
        self.data_fin_at = if close == Close::DataFin { self.data_fin_at } else { Time::MAX };
        self.announced.clear();
    }
}
