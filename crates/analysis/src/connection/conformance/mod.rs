//! What packets tell about keeping to the RFCs, beyond what following the protocol needs: one file a subject.
//!
//! Nothing here changes what is measured. A finding is told once for each subflow and direction, with how often it came.

mod backup;
mod checksum;
mod data;
mod end;
mod options;

use super::{Connection, Subflow};
use crate::{
    flow::End,
    rows::{Direction, Event, Finding},
    segment::Segment,
};
use backup::BackupUse;
use checksum::Checking;
use std::net::IpAddr;
use subflow_rows::Time;

/// Address ids remembered a connection.
const MOST_IDS: usize = 512;

/// An announced address, with its port if the option names one.
type Announced = (IpAddr, Option<u16>);

/// What is watched on a connection for its conformance alone.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    /// Flag C of MP_CAPABLE, by sender: no joins to its initial address and port.
    denies_join: [bool; 2],
    /// The first packet of the client after the SYN/ACK: whether it carried MP_CAPABLE.
    third_ack: Option<(bool, i64, u64)>,
    /// Address ids in use, by the side that gave them.
    ids: Vec<(Direction, u8, Option<Announced>)>,
    /// Whether any subflow is or was a backup, so that liveness has to be watched.
    any_backup: bool,
    /// By subflow: who asked that it be a backup, and when each end was last heard from.
    lives: Vec<backup::Life>,
    /// End of the data that mappings have named, by direction.
    mapped_to: [i64; 2],
    /// The highest DATA_ACK, with the subflow, time and frame that brought it, by direction of the data.
    acked_by: [Option<(i64, u16, i64, u64)>; 2],
    /// The DATA_FIN: subflow, time and frame, by direction.
    fin_by: [Option<(u16, i64, u64)>; 2],
    /// What has been told, and how often it came again, the last time in which frame.
    told: Vec<(Finding, u16, Direction, u64, u64)>,
    /// Mappings whose checksum was verified, was wrong, could not be verified.
    checksums: [u64; 3],
}

/// What is watched on one direction of a subflow.
#[derive(Debug, Default)]
pub(crate) struct Side {
    checking: Option<Box<Checking>>,
    /// The highest DATA_ACK, and the newest TCP timestamp with it.
    data_ack: Option<(i64, u32)>,
    backup: BackupUse,
}

impl Connection {
    /// Notes a finding, every time.
    pub(super) fn finding(
        &mut self,
        subflow: &Subflow,
        direction: Direction,
        segment: &Segment<'_>,
        finding: Finding,
        detail: impl Into<String>,
    ) {
        self.finding_at(subflow.id, direction, segment.time, segment.frame, finding, detail);
    }

    /// Notes a finding at a place of one's own.
    pub(super) fn finding_at(
        &mut self,
        subflow: u16,
        direction: Direction,
        time: i64,
        frame: u64,
        finding: Finding,
        detail: impl Into<String>,
    ) {
        self.push_event(Event {
            connection_id: self.id,
            subflow_id: u32::from(subflow),
            time: Time(time),
            frame,
            direction,
            kind: finding.kind(),
            detail: detail.into(),
            finding: Some(finding),
            rule: Some(finding.rule(self.version)),
        });
    }

    /// Notes a finding the first time that it comes on this subflow in this direction; counts the others.
    fn finding_once(
        &mut self,
        subflow: &Subflow,
        direction: Direction,
        segment: &Segment<'_>,
        finding: Finding,
        detail: impl FnOnce() -> String,
    ) {
        let key = (finding, subflow.id, direction);
        if let Some(told) = self.watch.told.iter_mut().find(|told| (told.0, told.1, told.2) == key) {
            told.3 += 1;
            told.4 = segment.frame;
            return;
        }
        if self.watch.told.len() >= super::MOST_EVENTS {
            self.events_lost += 1;
            return;
        }
        self.watch.told.push((finding, subflow.id, direction, 0, segment.frame));
        self.finding(subflow, direction, segment, finding, detail());
    }

    /// Looks at a segment other than SYN and RST before its payload is counted.
    #[inline]
    pub(super) fn observe(&mut self, subflow: &mut Subflow, direction: Direction, segment: &Segment<'_>) {
        if subflow.id == 0 && direction == Direction::C2s && self.watch.third_ack.is_none() {
            self.note_third_ack(segment);
        }
        if self.checksum.is_some() {
            self.observe_checksum(subflow, direction, segment);
        }
        if self.watch.any_backup {
            self.observe_backup(subflow, direction, segment);
        }
    }

    /// The first packet of the client that is no SYN.
    fn note_third_ack(&mut self, segment: &Segment<'_>) {
        let confirms = segment.options_cut
            || segment.mptcp().any(|option| matches!(option, subflow_wire::mptcp::Mptcp::Capable(_)));
        self.watch.third_ack = Some((confirms, segment.time, segment.frame));
    }
}

/// An end, as it stands in a detail: `192.0.2.1:80`, `[2001:db8::1]:80`.
fn end(end: End) -> String {
    std::net::SocketAddr::from(end).to_string()
}

/// An announced address, as it stands in a detail.
fn place(addr: IpAddr, port: Option<u16>) -> String {
    port.map_or_else(|| addr.to_string(), |port| end((addr, port)))
}
