//! What only the end of a connection shows.

use super::{Connection, Subflow, place};
use crate::{
    connection::Ending,
    rows::{Direction, Fallback, Finding},
};

impl Connection {
    /// Tells what was never done, and how often what was told came again.
    pub(in crate::connection) fn conform_at_end(&mut self, subflows: &[Subflow], end: Ending) {
        for subflow in subflows {
            self.tell_backup_use(subflow);
            let open = subflow.watch.iter().filter(|side| side.checking.is_some()).count() as u64;
            self.watch.checksums[2] += open;
        }
        if self.capable == [true; 3] || self.capable[..2] == [true; 2] {
            self.tell_unconfirmed();
        }
        if self.fallback == Fallback::None && self.capable[1] {
            for direction in [Direction::C2s, Direction::S2c] {
                self.tell_data_fin(subflows, direction, end);
                self.tell_data_ack(subflows, direction);
            }
        }
        self.tell_unechoed();
        self.tell_repetitions();
    }

    /// MPTCP went on without MP_CAPABLE in the client's first packet.
    fn tell_unconfirmed(&mut self) {
        let Some((false, time, frame)) = self.watch.third_ack else { return };
        if self.fallback == Fallback::None && !self.capable[2] {
            let detail = "the third ACK carries no MP_CAPABLE";
            self.finding_at(0, Direction::C2s, time, frame, Finding::CapableUnconfirmed, detail);
        }
    }

    fn tell_data_fin(&mut self, subflows: &[Subflow], direction: Direction, end: Ending) {
        let Some((subflow, time, frame)) = self.watch.fin_by[direction.index()] else { return };
        let Some(fin) = self.data_fin[direction.index()] else { return };
        let acked = self.data[direction.index()].acked();
        // A reset or an abort may well cut the exchange short.
        let orderly = subflows.iter().all(|subflow| subflow.closed() && subflow.reset.is_none());
        if acked <= fin && acked > 0 && orderly && end != Ending::Capture && !self.fastclose {
            let detail = format!("data ended at offset {fin}; the last DATA_ACK was {acked}");
            self.finding_at(subflow, direction, time, frame, Finding::DataFinNotAcked, detail);
        }
    }

    fn tell_data_ack(&mut self, subflows: &[Subflow], direction: Direction) {
        let index = direction.index();
        let Some((acked, subflow, time, frame)) = self.watch.acked_by[index] else { return };
        let fin = self.data_fin[index].map_or(0, |fin| fin + 1);
        let sent = self.watch.mapped_to[index].max(fin).max(self.data[index].next().unwrap_or(0));
        let waiting = subflows.iter().any(|subflow| {
            let half = &subflow.halves[index];
            !half.unmapped.is_empty()
                || half.alignment.is_some()
                || half.space.is_none() && half.acked.is_some()
        });
        if acked > sent && !waiting && self.idsn[index].is_some() {
            let detail =
                format!("DATA_ACK {acked}, though mappings reach to offset {sent} only in this capture");
            self.finding_at(subflow, direction.reverse(), time, frame, Finding::DataAckBeyondData, detail);
        }
    }

    /// Announcements without an echo, the first of each.
    fn tell_unechoed(&mut self) {
        let mut told = Vec::new();
        for (index, row) in self.announcements.iter().enumerate() {
            let same = |other: &&crate::rows::Announcement| {
                (other.direction, other.address_id, other.addr, other.port, other.echo)
                    == (row.direction, row.address_id, row.addr, row.port, row.echo)
            };
            let first = self.announcements.iter().position(|other| same(&other)) == Some(index);
            let echoed = self.announcements.iter().filter(same).any(|other| other.echoed != Some(false));
            if first && !row.echo && !echoed && row.hmac_ok != Some(false) {
                let times = self.announcements.iter().filter(same).count();
                let times = if times == 1 { "once".to_owned() } else { format!("{times} times") };
                let what = place(row.addr, row.port);
                let detail = format!("{what} (id {}) was announced {times} and never echoed", row.address_id);
                let subflow = u16::try_from(row.subflow_id).unwrap_or(u16::MAX);
                told.push((subflow, row.direction, row.time.0, row.frame, detail));
            }
        }
        for (subflow, direction, time, frame, detail) in told {
            self.finding_at(subflow, direction, time, frame, Finding::AddAddrNotEchoed, detail);
        }
    }

    fn tell_repetitions(&mut self) {
        for (finding, subflow, direction, more, last) in std::mem::take(&mut self.watch.told) {
            let event = self.events.iter_mut().find(|event| {
                event.finding == Some(finding)
                    && event.subflow_id == u32::from(subflow)
                    && event.direction == direction
            });
            if let Some(event) = event.filter(|_| more > 0) {
                event.detail.push_str(&format!("; {more} more up to frame {last}"));
            }
        }
    }
}
