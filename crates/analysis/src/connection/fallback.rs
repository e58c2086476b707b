//! Falling back to plain TCP (RFC 8684, section 3.7).

use super::{Connection, Subflow};
use crate::{
    rows::{Direction, EventKind, Fallback, Finding},
    segment::Segment,
};
use subflow_wire::mptcp;

/// So many segments without a mapping make a fallback; a mapping may come late when packets were reordered.
const PATIENCE: usize = 4;
/// Segments kept that may have had a mapping which could not be read.
const MOST_EXCUSED: usize = 256;

impl Connection {
    /// The connection has fallen back here.
    pub(super) fn fall_back(
        &mut self,
        subflow: &Subflow,
        direction: Direction,
        time: i64,
        frame: u64,
        fallback: Fallback,
    ) {
        if self.fallback != Fallback::None {
            return;
        }
        self.fallback = fallback;
        if fallback == Fallback::Mirror {
            let detail = "the SYN/ACK returns the client's own MP_CAPABLE";
            self.finding_at(subflow.id, direction, time, frame, Finding::CapableMirrored, detail);
        }
        let detail = match fallback {
            Fallback::None => return,
            Fallback::Syn => "the SYN was repeated without MP_CAPABLE and then answered",
            Fallback::SynAck => "no MP_CAPABLE in the SYN/ACK",
            Fallback::Mirror => "the SYN/ACK returns the client's own MP_CAPABLE: a box mirrors options",
            Fallback::FirstData => "the first data came without MPTCP options",
            Fallback::Checksum => "a DSS checksum failed on the only subflow",
            Fallback::Later => "data goes on without mappings",
        };
        self.event_at(subflow.id, direction, time, frame, EventKind::Fallback, detail);
    }

    /// After a fallback the byte stream of the subflow is the data level.
    pub(super) fn map_as_stream(&mut self, subflow: &mut Subflow, direction: Direction) {
        let data = self.data[direction.index()].next().unwrap_or(0);
        if data == 0 && subflow.halves[direction.index()].syn_seen {
            self.begin_measuring(direction);
        }
        let half = &mut subflow.halves[direction.index()];
        match half.mappings.newest() {
            Some(last) => half.map_all_from(last.start, last.data),
            None => half.map_all_from(half.shift, data),
        }
        self.place_waiting(subflow, direction);
    }

    /// Payload without a mapping: a fallback, if it stays so and there is no other subflow.
    pub(super) fn judge_unmapped(&mut self, subflow: &mut Subflow, direction: Direction) {
        let half = &mut subflow.halves[direction.index()];
        if self.fallback != Fallback::None {
            self.map_as_stream(subflow, direction);
        } else if half.unmapped.iter().filter(|segment| !segment.excused).count() >= PATIENCE {
            self.settle_unmapped(subflow, direction);
        } else if half.unmapped.len() > MOST_EXCUSED {
            half.unmapped.remove(0);
        }
    }

    /// No mapping will come any more for the payload that waits for one.
    pub(super) fn settle_unmapped(&mut self, subflow: &mut Subflow, direction: Direction) {
        // The other direction's first data, of which too little has come to judge it, may have been without options before.
        let answer = &subflow.halves[direction.reverse().index()];
        let bare = !answer.dss_seen && answer.unmapped.iter().any(|segment| !segment.excused);
        let half = &mut subflow.halves[direction.index()];
        let Some(first) = half.unmapped.iter().find(|segment| !segment.excused).copied() else { return };
        if subflow.id == 0 && self.open_subflows <= 1 && half.syn_seen || self.fallback != Fallback::None {
            let never = !half.dss_seen || bare;
            let fallback = match (self.mp_fail, never) {
                (true, _) => Fallback::Checksum,
                (false, true) => Fallback::FirstData,
                (false, false) => Fallback::Later,
            };
            self.fall_back(subflow, direction, first.time, first.frame, fallback);
            self.map_as_stream(subflow, direction);
            return;
        }
        let unexcused = half.unmapped.iter().filter(|segment| !segment.excused);
        let bytes: i64 = unexcused.map(|segment| segment.end - segment.start).sum();
        half.unmapped.clear();
        let detail = format!("{bytes} payload bytes that no mapping covers");
        let finding = Finding::DataOutsideMapping;
        self.finding_at(subflow.id, direction, first.time, first.frame, finding, detail);
    }

    /// A mapping of length 0: plain TCP from here on.
    pub(super) fn infinite_mapping(
        &mut self,
        subflow: &mut Subflow,
        direction: Direction,
        segment: &Segment<'_>,
        mapping: mptcp::Mapping,
        data: i64,
    ) {
        let detail = format!("plain TCP from data offset {data} on");
        self.event(subflow, direction, segment, EventKind::InfiniteMapping, detail);
        let fallback = if self.mp_fail { Fallback::Checksum } else { Fallback::Later };
        self.fall_back(subflow, direction, segment.time, segment.frame, fallback);
        let half = &mut subflow.halves[direction.index()];
        half.space(segment.seq);
        let start = half.position_of(mapping.subflow_seq);
        half.map_all_from(start, data);
    }

    /// MP_FAIL: a checksum failed. With other subflows this one is reset; with none left an infinite mapping may
    /// follow, and only that is a fallback.
    pub(super) fn fail(&mut self, subflow: &Subflow, direction: Direction, segment: &Segment<'_>, dsn: u64) {
        let detail = format!("DSS checksum failed at data sequence number {dsn:016x}");
        self.event(subflow, direction, segment, EventKind::MpFail, detail);
        self.mp_fail = true;
    }
}
