//! What arrives at an end.

use subflow_wire::mptcp::{Dss, Mptcp};

use super::output::near;
use super::peer::Peer;
use super::subflow::Phase;
use crate::congestion::Ack;
use crate::header::Header;
use crate::observe::{Fallback, Handshake};
use crate::time::Time;
use crate::transport::Phase as Recovery;

/// SACK blocks in a segment at most.
const MOST_BLOCKS: usize = 4;

/// Where the payload of a segment lies at the data level.
enum Place {
    /// At this offset.
    At(u64),
    /// Nowhere: it is not taken.
    Refused,
}

impl Peer {
    /// Takes a segment that has come on a subflow.
    pub fn arrive(&mut self, now: Time, id: u32, header: &Header) {
        let Some(i) = self.subflows.iter().position(|it| it.id == id) else {
            if header.flags.syn() && !header.flags.ack() {
                self.passive_open(now, id, header);
            }
            return;
        };
        if header.flags.rst() {
            self.reset_arrived(now, i, header);
        } else if self.subflows[i].phase == Phase::Dead {
            self.refuse(now, i, header);
        } else if header.flags.syn() {
            if header.flags.ack() {
                self.syn_ack(now, i, header);
            } else if self.subflows[i].phase == Phase::SynReceived {
                // The SYN again: the answer goes again with its timer.
                self.subflows[i].again_at = now;
                self.repeat_handshake(now, i);
            }
        } else if self.subflows[i].phase == Phase::SynReceived && !self.third_segment(now, i, header)
            || self.subflows[i].phase == Phase::SynSent
        {
            return;
        } else {
            self.segment_arrived(now, i, header);
        }
        self.pump(now);
    }

    /// A reset.
    fn reset_arrived(&mut self, now: Time, i: usize, header: &Header) {
        let state = match self.subflows[i].phase {
            Phase::SynSent => Some(Handshake::Refused),
            Phase::SynReceived | Phase::Waiting => Some(Handshake::Reset),
            Phase::Established | Phase::Dead => None,
        };
        if let Some(state) = state {
            self.tell(i, state);
        }
        if header.mptcp().any(|option| matches!(option, Mptcp::FastClose(_))) {
            self.aborted(now);
        }
        self.lose(now, i);
    }

    /// A segment after the handshake's first two.
    fn segment_arrived(&mut self, now: Time, i: usize, header: &Header) {
        let it = &mut self.subflows[i];
        if it.phase == Phase::Waiting {
            it.phase = Phase::Established;
            it.again_at = Time::MAX;
        }
        let seq = near(header.seq.wrapping_sub(it.remote_isn.wrapping_add(1)), it.receiver.nxt());
        if let Some((value, _)) = header.timestamps()
            && seq <= it.receiver.nxt()
        {
            it.recent = value;
        }
        let dss = header.mptcp().find_map(|option| match option {
            Mptcp::Dss(dss) => Some(dss),
            _ => None,
        });
        if self.multipath && !self.subflows[i].foreign && !self.judge(now, i, header, dss.is_some()) {
            return;
        }
        self.acknowledged(now, i, header, dss);
        self.control(now, i, header);
        if self.closed.is_some_and(|closed| closed.1 == crate::observe::Close::FastClose) {
            return;
        }
        self.manage_paths_when_confirmed(now);
        let fin = u64::from(header.flags.fin());
        if header.payload.len > 0 || fin > 0 {
            self.bytes_arrived(now, i, header, dss, seq);
        } else if dss.is_some_and(|dss| dss.data_fin) {
            self.data_fin_arrived(dss.as_ref());
            self.ack(now, i);
        }
    }

    fn manage_paths_when_confirmed(&mut self, now: Time) {
        if self.multipath && self.confirmed && !self.managed {
            self.manage_paths(now);
        }
    }

    /// Whether options are as they should be. False when the subflow was given up for that.
    fn judge(&mut self, now: Time, i: usize, header: &Header, dss: bool) -> bool {
        let signs = header.mptcp().next().is_some();
        if dss {
            self.subflows[i].dss_seen = true;
            self.confirmed |= self.remote_key.is_some();
        }
        let progress = header.payload.len > 0 || self.acks_new(i, header);
        if signs || !progress {
            return true;
        }
        let others = self.subflows.iter().enumerate().any(|(n, it)| n != i && it.open() && !it.foreign);
        if i == 0 && !others && !self.data_level_closed() {
            // Options are gone: of the first data (RFC 8684, section 3.7), or later on; for an end whose own data had them and was
            // acknowledged without, that is later on.
            let first = header.payload.len > 0 && !self.subflows[0].dss_seen;
            let kind = if first { Fallback::FirstData } else { Fallback::Later };
            self.fall_back(0, kind);
        } else if header.payload.len > 0 {
            // A joined subflow cannot go on without mappings.
            self.reset(now, i, Some(6));
            return false;
        }
        true
    }

    fn acks_new(&self, i: usize, header: &Header) -> bool {
        let it = &self.subflows[i];
        let ack = near(header.ack.wrapping_sub(it.local_isn.wrapping_add(1)), it.sender.una());
        header.flags.ack() && ack > it.sender.una() && ack <= it.sender.nxt()
    }

    /// The acknowledgment in a segment, at both levels.
    fn acknowledged(&mut self, now: Time, i: usize, header: &Header, dss: Option<Dss>) {
        if !header.flags.ack() {
            return;
        }
        let mss = u64::from(self.settings.transport.mss);
        let it = &mut self.subflows[i];
        let una = it.sender.una();
        let offset = |number: u32| near(number.wrapping_sub(it.local_isn.wrapping_add(1)), una);
        let ack = offset(header.ack);
        let mut blocks = [(0, 0); MOST_BLOCKS];
        let mut count = 0;
        for (place, (start, end)) in blocks.iter_mut().zip(header.sack().into_iter().flatten()) {
            *place = (offset(start), offset(end));
            count += 1;
        }
        let pure = header.sequence_len() == 0;
        let before = it.sender.phase();
        let blocks = blocks.get(..count).unwrap_or_default();
        let acked = it.sender.on_ack(now, ack, blocks, pure, &self.settings.transport.sender);
        if acked.bytes > 0 {
            let window = self.congestion.window(i);
            let limited = match self.congestion.in_slow_start(i) {
                true => 2 * acked.flight > window,
                false => acked.flight + mss > window,
            };
            let echo = header.flags.ece();
            let taken = Ack {
                now,
                acked: acked.bytes,
                marked: if echo { acked.bytes } else { 0 },
                rtt: acked.rtt,
                in_flight: it.sender.in_flight(),
                cwnd_limited: limited,
            };
            match before {
                Recovery::Recovery => self.congestion.on_recovery_ack(i, &taken),
                _ => self.congestion.on_ack(i, &taken),
            }
        }
        if acked.recovered && before == Recovery::Recovery {
            self.congestion.on_recovered(i, now);
        }
        if acked.entered {
            self.congestion.on_loss(i, now, acked.flight);
        }
        let una = it.sender.una();
        let window = u64::from(header.window) << it.scales.map_or(0, |scales| scales.1);
        let fin_sent = it.fin_sent;
        if self.multipath {
            if let Some(ack) = dss.and_then(|dss| dss.data_ack) {
                let ack = ack.widen(self.first.wrapping_add(self.data.una())).wrapping_sub(self.first);
                self.data.on_ack(ack, window);
            }
        } else if i == 0 {
            // The stream of the only subflow is the data level; its FIN is no byte of it.
            let una = una - u64::from(fin_sent && una == self.subflows[0].sender.nxt());
            self.data.on_ack(una, window);
        }
        if self.data_fin.is_some_and(|fin| self.data.una() > fin) {
            self.data_fin_at = Time::MAX;
        }
    }

    /// Payload, a FIN, or both.
    fn bytes_arrived(&mut self, now: Time, i: usize, header: &Header, dss: Option<Dss>, seq: u64) {
        let len = u64::from(header.payload.len);
        let place = if len > 0 { self.place(now, i, header, dss, seq) } else { Place::At(0) };
        let Place::At(offset) = place else { return };
        let fin = u64::from(header.flags.fin());
        let it = &mut self.subflows[i];
        if fin > 0 {
            it.fin_at = Some(seq + len);
        }
        let marked = header.traffic_class & 3 == 3;
        let reaction = it.receiver.on_segment(now, seq, len + fin, marked, &self.settings.transport.ack);
        if len > 0 && !it.foreign {
            self.received.on_data(offset, len);
        }
        let data_fin = dss.filter(|dss| dss.data_fin);
        if data_fin.is_some() {
            self.data_fin_arrived(data_fin.as_ref());
        }
        self.take_data_fin();
        if reaction.now || fin > 0 || data_fin.is_some() {
            self.ack(now, i);
        }
    }

    /// Where payload belongs.
    fn place(&mut self, now: Time, i: usize, header: &Header, dss: Option<Dss>, seq: u64) -> Place {
        if self.subflows[i].foreign {
            return Place::At(seq);
        }
        let identity = match self.remote_first {
            Some(first) => header.payload.dsn.wrapping_sub(first),
            None => seq,
        };
        if !self.multipath {
            return Place::At(identity);
        }
        let mapping = dss.and_then(|dss| dss.mapping.filter(|_| !dss.is_infinite()));
        let first = self.remote_first.unwrap_or(0);
        let offset = match mapping {
            Some(mapping) => {
                let dsn = mapping.dsn.widen(first.wrapping_add(self.received.nxt())).wrapping_sub(first);
                dsn.wrapping_add(seq + 1).wrapping_sub(u64::from(mapping.subflow_seq))
            }
            None => identity,
        };
        let capable =
            header.mptcp().any(|option| matches!(option, Mptcp::Capable(it) if it.data_len.is_some()));
        if self.checksum && header.payload.changed > 0 && (mapping.is_some() || capable) {
            return self.checksum_failed(now, i, header, offset);
        }
        Place::At(offset)
    }

    /// The bytes are not those that were sent (RFC 8684, section 3.7).
    fn checksum_failed(&mut self, now: Time, i: usize, header: &Header, offset: u64) -> Place {
        let others = self.subflows.iter().enumerate().any(|(n, it)| n != i && it.usable());
        if others {
            self.fail_subflow(now, i, header.payload.dsn);
            return Place::Refused;
        }
        self.fail_connection(now, i, header.payload.dsn);
        Place::At(offset)
    }

    /// A DATA_FIN: its number is the last one of the mapping.
    fn data_fin_arrived(&mut self, dss: Option<&Dss>) {
        let Some(mapping) = dss.and_then(|dss| dss.mapping) else { return };
        let first = self.remote_first.unwrap_or(0);
        let dsn = mapping.dsn.widen(first.wrapping_add(self.received.nxt())).wrapping_sub(first);
        self.remote_fin = Some(dsn.wrapping_add(u64::from(mapping.len)).wrapping_sub(1));
        self.take_data_fin();
    }

    fn take_data_fin(&mut self) {
        if !self.remote_done && self.remote_fin == Some(self.received.nxt()) {
            self.received.skip_fin();
            self.remote_done = true;
        }
    }
}
