//! DSS checksums (RFC 8684, section 3.3.1): used where agreed upon, and right.
//!
//! A mapping may span many packets, so its sum is built up over packets that come in order. A mapping of which a packet is
//! missing, cut, out of order or already seen cannot be verified; it is counted as such.

use super::{Connection, Subflow};
use crate::{
    rows::{Direction, Fallback, Finding},
    segment::Segment,
};
use subflow_wire::{
    checksum::Sum,
    mptcp::{Dsn, Mptcp},
};

/// A mapping whose bytes are being summed up.
#[derive(Debug)]
pub(super) struct Checking {
    sum: Sum,
    /// Position of the next byte that is due, and of the end.
    next: i64,
    end: i64,
    /// Position and data offset of the first byte.
    start: i64,
    data: i64,
    frame: u64,
}

/// A mapping as a segment declares it, in positions of its subflow.
struct Declared {
    start: i64,
    data: i64,
    /// Bytes on the subflow, without a DATA_FIN.
    bytes: i64,
    dsn: Dsn,
    subflow_seq: u32,
    len: u16,
    checksum: u16,
}

impl Connection {
    /// Mappings whose checksum was right (0), wrong (1), not verified (2); `None` when none were negotiated.
    pub(in crate::connection) fn checksums(&self, verdict: usize) -> Option<u64> {
        let agreed = self.checksum == Some(true) && (self.capable[1] || self.capable[2]);
        self.watch.checksums.get(verdict).copied().filter(|_| agreed)
    }

    /// Whether checksums are used as agreed, and whether they are right.
    pub(super) fn observe_checksum(
        &mut self,
        subflow: &mut Subflow,
        direction: Direction,
        segment: &Segment<'_>,
    ) {
        if self.fallback != Fallback::None || !(self.capable[1] || self.capable[2]) {
            return;
        }
        let agreed = self.checksum == Some(true);
        if let Some(mapping) = segment.dss.and_then(|dss| dss.mapping.filter(|_| !dss.is_infinite())) {
            match (agreed, mapping.checksum) {
                (true, None) => {
                    self.finding_once(subflow, direction, segment, Finding::ChecksumMissing, || {
                        "a mapping without the checksum that the handshake agreed upon".to_owned()
                    });
                }
                (false, Some(_)) => {
                    self.finding_once(subflow, direction, segment, Finding::ChecksumUnasked, || {
                        "a mapping with a checksum, though the handshake agreed upon none".to_owned()
                    });
                }
                _ => {}
            }
        }
        if agreed && segment.len > 0 {
            self.verify(subflow, direction, segment);
        }
    }

    fn verify(&mut self, subflow: &mut Subflow, direction: Direction, segment: &Segment<'_>) {
        let declared = self.declared(subflow, direction, segment);
        let half = &subflow.halves[direction.index()];
        let Some(space) = half.space.as_ref().filter(|_| half.alignment.is_none()) else {
            self.watch.checksums[2] += u64::from(declared.is_some());
            return;
        };
        let start = space.position(segment.seq);
        let seen = start < space.next();
        let payload = segment.payload();
        let whole = payload.len() >= segment.len as usize;
        let mut checking = subflow.watch[direction.index()].checking.take();
        if let Some(under_way) = &checking
            && (start != under_way.next || !whole)
        {
            if seen && start < under_way.next {
                // An old packet again: the sum goes on behind it.
                subflow.watch[direction.index()].checking = checking;
                return;
            }
            self.watch.checksums[2] += 1;
            checking = None;
        }
        if seen {
            return;
        }
        if checking.is_none()
            && let Some(declared) = declared.filter(|declared| declared.start == start)
        {
            if whole {
                checking = self.begin(&declared, direction, segment.frame);
            }
            self.watch.checksums[2] += u64::from(checking.is_none());
        }
        let Some(mut under_way) = checking else { return };
        let take = usize::try_from(under_way.end - under_way.next).unwrap_or(0).min(segment.len as usize);
        under_way.sum.add(payload.get(..take).unwrap_or_default());
        under_way.next += take as i64;
        if under_way.next < under_way.end {
            subflow.watch[direction.index()].checking = Some(under_way);
            return;
        }
        let right = under_way.sum.checksum() == 0;
        self.watch.checksums[usize::from(!right)] += 1;
        if !right {
            let (from, to) = (under_way.data, under_way.data + (under_way.end - under_way.start) - 1);
            let first = under_way.frame;
            self.finding(
                subflow,
                direction,
                segment,
                Finding::ChecksumWrong,
                format!(
                    "the checksum of data bytes {from} to {to} (mapping of frame {first}) does not fit them"
                ),
            );
        }
    }

    /// The mapping of a segment, where its place on the subflow is known.
    fn declared(
        &mut self,
        subflow: &Subflow,
        direction: Direction,
        segment: &Segment<'_>,
    ) -> Option<Declared> {
        let half = &subflow.halves[direction.index()];
        if let Some(dss) = segment.dss
            && let Some(mapping) = dss.mapping
        {
            let checksum = mapping.checksum?;
            let start = half.position_of(mapping.subflow_seq);
            let data = self.offset(direction, mapping.dsn)?;
            return Some(Declared {
                start,
                data,
                bytes: i64::from(dss.mapped_bytes()),
                dsn: mapping.dsn,
                subflow_seq: mapping.subflow_seq,
                len: mapping.len,
                checksum,
            });
        }
        let Some(Mptcp::Capable(capable)) = segment.handshake() else { return None };
        let (len, checksum) = (capable.data_len?, capable.checksum?);
        let dsn = Dsn::Long(self.idsn[direction.index()]?.wrapping_add(1));
        let bytes = i64::from(len);
        Some(Declared { start: half.shift, data: 0, bytes, dsn, subflow_seq: 1, len, checksum })
    }

    /// Begins to sum up a mapping; `None` while the upper half of its data sequence number is not known.
    fn begin(&self, declared: &Declared, direction: Direction, frame: u64) -> Option<Box<Checking>> {
        let base = self.base[direction.index()];
        let dsn = match declared.dsn {
            Dsn::Long(dsn) => dsn,
            Dsn::Short(_) => base.filter(|base| base.full)?.dsn.wrapping_add(declared.data.cast_unsigned()),
        };
        let mut sum = Sum::new();
        sum.add_u64(dsn);
        sum.add_u32(declared.subflow_seq);
        sum.add_u16(declared.len);
        sum.add_u16(declared.checksum);
        let (start, data) = (declared.start, declared.data);
        Some(Box::new(Checking { sum, next: start, end: start + declared.bytes, start, data, frame }))
    }
}
