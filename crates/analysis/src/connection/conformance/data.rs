//! The data level: mappings that contradict, data beyond their end, acknowledgements (RFC 8684, section 3.3).

use super::{Connection, Subflow};
use crate::{
    rows::{Direction, Fallback, Finding},
    segment::Segment,
    track::mapping::Mapping,
};
use subflow_wire::mptcp::{self, Dss};

impl Connection {
    /// A mapping, at data offset `data`, before it is learned.
    pub(in crate::connection) fn check_mapping(
        &mut self,
        subflow: &Subflow,
        direction: Direction,
        segment: &Segment<'_>,
        dss: &Dss,
        mapping: mptcp::Mapping,
        data: i64,
    ) {
        if self.fallback != Fallback::None || dss.is_infinite() {
            return;
        }
        let index = direction.index();
        let end = data + i64::from(mapping.len);
        match self.data_fin[index] {
            Some(fin) if dss.data_fin && end - 1 != fin => {
                self.finding_once(subflow, direction, segment, Finding::DataFinMoved, || {
                    format!("the end of data moves from offset {fin} to {}", end - 1)
                });
            }
            Some(fin) if !dss.data_fin && end > fin && segment.len > 0 => {
                self.finding_once(subflow, direction, segment, Finding::DataAfterDataFin, || {
                    format!("a mapping up to offset {}, though data had ended at {fin}", end - 1)
                });
            }
            _ => {}
        }
        if dss.data_fin && self.watch.fin_by[index].is_none() {
            self.watch.fin_by[index] = Some((subflow.id, segment.time, segment.frame));
        }
        self.watch.mapped_to[index] = self.watch.mapped_to[index].max(end);
        let half = &subflow.halves[index];
        let bytes = i64::from(dss.mapped_bytes());
        if segment.len == 0 || bytes == 0 || half.alignment.is_some() || half.space.is_none() {
            return;
        }
        let new = Mapping { start: half.position_of(mapping.subflow_seq), data, len: bytes };
        if let Some(old) = half.mappings.contradicted_by(&new) {
            self.finding_once(subflow, direction, segment, Finding::MappingContradicts, || {
                let from = new.start.max(old.start);
                let to = (new.start + new.len).min(old.start + old.len) - 1;
                format!(
                    "subflow bytes {from} to {to} are data from offset {} on, and were from offset {} on before",
                    new.data + (from - new.start),
                    old.data + (from - old.start)
                )
            });
        }
    }

    /// A DATA_ACK, as an offset of the data in `acked` direction, in a segment of the other.
    pub(in crate::connection) fn check_data_ack(
        &mut self,
        subflow: &mut Subflow,
        acked: Direction,
        segment: &Segment<'_>,
        offset: i64,
    ) {
        let by = &mut self.watch.acked_by[acked.index()];
        if by.is_none_or(|(highest, ..)| offset > highest) {
            *by = Some((offset, subflow.id, segment.time, segment.frame));
        }
        let Some((stamp, _)) = segment.timestamps else { return };
        // What TCP itself places before an earlier packet has been overtaken by it.
        let half = &subflow.halves[acked.index()];
        let position = half.space.as_ref().map(|space| space.position(segment.ack));
        if position < half.acked {
            return;
        }
        let direction = acked.reverse();
        let before = &mut subflow.watch[direction.index()].data_ack;
        match *before {
            Some((highest, newest)) if offset < highest => {
                // Packets of one millisecond have no order that the receiver could tell.
                if stamp.wrapping_sub(newest).cast_signed() > 0 {
                    self.finding_once(subflow, direction, segment, Finding::DataAckBack, || {
                        format!("DATA_ACK {offset} after DATA_ACK {highest} on the same subflow")
                    });
                }
            }
            Some((highest, newest)) if offset == highest => {
                let newer = stamp.wrapping_sub(newest).cast_signed() > 0;
                *before = Some((highest, if newer { stamp } else { newest }));
            }
            _ => *before = Some((offset, stamp)),
        }
    }
}
