//! What came of the server's data level: which bytes, where mapped, with which checksums.

use subflow_wire::checksum::{Sum, dss_pseudo_header};
use subflow_wire::mptcp::Dss;

use crate::rows::AnswerStep;

/// Mappings of a subflow that are remembered.
const MOST_MAPPINGS: usize = 8;
/// Stretches of data with holes between them that are remembered.
const MOST_RANGES: usize = 32;
/// Data sequence numbers so far behind the first one fit its key: more than the window we offer.
const PLAUSIBLE: u64 = 1 << 22;
/// Bytes of the answer that are kept.
const HEAD: usize = 80;

/// A mapping of one subflow.
#[derive(Clone, Copy, Debug)]
struct Mapped {
    /// First byte on the subflow, relative.
    start: u32,
    bytes: u32,
    dsn: u64,
    checksum: Option<u16>,
    sum: Sum,
    summed: u32,
}

/// The mappings of one subflow.
#[derive(Clone, Debug, Default)]
pub(super) struct Mappings(Vec<Mapped>);

/// The server's side of the data level.
#[derive(Clone, Debug)]
pub(super) struct Space {
    /// The number of the first byte by the server's key, and the one it really uses.
    pub(super) expected: u64,
    first: u64,
    /// The number nearest to the expected one that came.
    pub(super) seen: Option<u64>,
    pub(super) step: AnswerStep,
    pub(super) infinite: bool,
    pub(super) checksum_ok: Option<bool>,
    /// Offsets that came: ends excluded, in order, not touching.
    ranges: Vec<(u64, u64)>,
    /// Offset of the DATA_FIN.
    fin: Option<u64>,
    pub(super) head: Vec<u8>,
    pub(super) received: u64,
}

impl Space {
    pub(super) fn new(idsn: u64) -> Self {
        let expected = idsn.wrapping_add(1);
        Self {
            expected,
            first: expected,
            seen: None,
            step: AnswerStep::Nothing,
            infinite: false,
            checksum_ok: None,
            ranges: Vec::new(),
            fin: None,
            head: Vec::new(),
            received: 0,
        }
    }

    /// Takes a signal's mapping in, before the payload beside it.
    pub(super) fn signal(&mut self, mappings: &mut Mappings, dss: &Dss) {
        let Some(mapping) = dss.mapping else { return };
        if dss.is_infinite() {
            self.infinite = true;
            return;
        }
        let dsn = mapping.dsn.widen(self.first);
        let distance = dsn.wrapping_sub(self.expected);
        let step = match distance {
            0 => AnswerStep::Mapped,
            1..PLAUSIBLE => AnswerStep::Later,
            _ => AnswerStep::OtherKey,
        };
        if step == AnswerStep::OtherKey && self.step == AnswerStep::Nothing {
            // Whatever it counts from, we acknowledge what comes, to end in peace.
            self.first = dsn.wrapping_sub(u64::from(mapping.subflow_seq.saturating_sub(1)));
        }
        let near = |number: u64| number.wrapping_sub(self.expected);
        let worse = step == AnswerStep::OtherKey && self.step != AnswerStep::OtherKey;
        if worse || self.step != AnswerStep::OtherKey && self.seen.is_none_or(|seen| near(dsn) < near(seen)) {
            (self.seen, self.step) = (Some(dsn), step);
        }
        let bytes = u32::from(dss.mapped_bytes());
        if dss.data_fin {
            self.fin = Some(dsn.wrapping_add(u64::from(bytes)).wrapping_sub(self.first));
        }
        let known = |known: &Mapped| known.start == mapping.subflow_seq && known.bytes == bytes;
        if bytes == 0 || mappings.0.iter().any(known) {
            return;
        }
        if mappings.0.len() == MOST_MAPPINGS {
            mappings.0.remove(0);
        }
        mappings.0.push(Mapped {
            start: mapping.subflow_seq,
            bytes,
            dsn,
            checksum: mapping.checksum,
            sum: dss_pseudo_header(dsn, mapping.subflow_seq, mapping.len),
            summed: 0,
        });
    }

    /// Takes payload in, whose first byte has this number on its subflow. Returns whether all of it was mapped.
    pub(super) fn payload(&mut self, mappings: &mut Mappings, relative: u32, payload: &[u8]) -> bool {
        let (mut at, mut rest) = (relative, payload);
        while !rest.is_empty() {
            let Some(mapped) =
                mappings.0.iter_mut().rev().find(|mapped| at.wrapping_sub(mapped.start) < mapped.bytes)
            else {
                return false;
            };
            let into = at.wrapping_sub(mapped.start);
            let count = rest.len().min((mapped.bytes - into) as usize);
            let (piece, after) = rest.split_at(count);
            if into == mapped.summed {
                mapped.sum.add(piece);
                mapped.summed += count as u32;
                if mapped.summed == mapped.bytes
                    && let Some(checksum) = mapped.checksum
                {
                    let right = mapped.sum.checksum() == checksum;
                    self.checksum_ok = Some(self.checksum_ok.unwrap_or(true) && right);
                }
            }
            let offset = mapped.dsn.wrapping_add(u64::from(into)).wrapping_sub(self.first);
            self.add(offset, piece);
            at = at.wrapping_add(count as u32);
            rest = after;
        }
        true
    }

    fn add(&mut self, offset: u64, piece: &[u8]) {
        if offset >= PLAUSIBLE || self.ranges.len() >= MOST_RANGES {
            return;
        }
        let before = self.contiguous();
        self.ranges.push((offset, offset + piece.len() as u64));
        self.ranges.sort_unstable();
        self.ranges.dedup_by(|next, kept| {
            let touching = next.0 <= kept.1;
            if touching {
                kept.1 = kept.1.max(next.1);
            }
            touching
        });
        self.received = self.ranges.iter().map(|(start, end)| end - start).sum();
        // What stands at the beginning of the answer, as far as it comes in order.
        if let Some(skip) = before.checked_sub(offset).and_then(|skip| usize::try_from(skip).ok())
            && before as usize == self.head.len()
        {
            let room = HEAD.saturating_sub(self.head.len());
            self.head.extend(piece.iter().skip(skip).take(room));
        }
    }

    fn contiguous(&self) -> u64 {
        match self.ranges.first() {
            Some(&(0, end)) => end,
            _ => 0,
        }
    }

    /// The number that we acknowledge: the next one we wait for.
    pub(super) fn next(&self) -> u64 {
        self.first.wrapping_add(self.contiguous()).wrapping_add(u64::from(self.is_ended()))
    }

    /// The server has ended its data, and all of it has come.
    pub(super) fn is_ended(&self) -> bool {
        self.fin == Some(self.contiguous())
    }
}

/// The beginning of an answer over plain TCP.
pub(super) fn keep(head: &mut Vec<u8>, payload: &[u8]) {
    let room = HEAD.saturating_sub(head.len());
    head.extend(payload.iter().take(room));
}

#[cfg(test)]
mod tests {
    use super::*;
    use subflow_wire::checksum::dss_checksum;
    use subflow_wire::mptcp::{Dsn, Mapping};

    fn dss(dsn: Dsn, subflow_seq: u32, len: u16, data_fin: bool) -> Dss {
        let mapping = Some(Mapping { dsn, subflow_seq, len, checksum: None });
        Dss { data_ack: None, mapping, data_fin, reserved: 0 }
    }

    #[test]
    fn data_in_order_on_two_subflows() {
        let (mut space, mut first, mut second) = (Space::new(99), Mappings::default(), Mappings::default());
        assert_eq!((space.next(), space.is_ended()), (100, false));
        space.signal(&mut second, &dss(Dsn::Short(104), 1, 3, true));
        assert!(space.payload(&mut second, 1, b"ef"));
        assert_eq!((space.next(), space.step), (100, AnswerStep::Later));
        space.signal(&mut first, &dss(Dsn::Long(100), 1, 4, false));
        assert!(space.payload(&mut first, 1, b"ab"));
        assert!(space.payload(&mut first, 3, b"cd"));
        assert_eq!((space.next(), space.step, space.received), (107, AnswerStep::Mapped, 6));
        assert!(space.is_ended());
        assert_eq!(space.head, b"abcd");
        assert!(!space.payload(&mut first, 5, b"x"));
    }

    #[test]
    fn numbers_of_another_key() {
        let mut space = Space::new(0xf63b_f958_2b0c_154b);
        let mut mappings = Mappings::default();
        space.signal(&mut mappings, &dss(Dsn::Long(0xf4ca_be74_fb67_3f77), 1, 10, false));
        assert_eq!((space.step, space.seen), (AnswerStep::OtherKey, Some(0xf4ca_be74_fb67_3f77)));
        assert!(space.payload(&mut mappings, 1, &[0; 10]));
        assert_eq!(space.next(), 0xf4ca_be74_fb67_3f77 + 10);
        // It stays so, whatever comes later.
        space.signal(&mut mappings, &dss(Dsn::Long(0xf63b_f958_2b0c_154c), 11, 10, false));
        assert_eq!(space.step, AnswerStep::OtherKey);
        // The number of the key itself is the SYN's, not that of a byte.
        let mut space = Space::new(99);
        space.signal(&mut mappings, &dss(Dsn::Long(99), 1, 10, false));
        assert_eq!(space.step, AnswerStep::OtherKey);
    }

    #[test]
    fn checksums_over_whole_mappings() {
        for wrong in [0, 1] {
            let (mut space, mut mappings) = (Space::new(7), Mappings::default());
            let checksum = Some(dss_checksum(8, 1, 5, b"abcde") ^ wrong);
            let mapping = Some(Mapping { dsn: Dsn::Short(8), subflow_seq: 1, len: 5, checksum });
            space.signal(&mut mappings, &Dss { data_ack: None, mapping, data_fin: false, reserved: 0 });
            space.payload(&mut mappings, 1, b"abc");
            assert_eq!(space.checksum_ok, None);
            space.payload(&mut mappings, 4, b"de");
            assert_eq!(space.checksum_ok, Some(wrong == 0));
        }
    }

    #[test]
    fn a_fin_without_data_and_the_infinite_mapping() {
        let (mut space, mut mappings) = (Space::new(7), Mappings::default());
        space.signal(&mut mappings, &dss(Dsn::Long(8), 0, 1, true));
        assert_eq!((space.step, space.is_ended(), space.next()), (AnswerStep::Mapped, true, 9));
        space.signal(&mut mappings, &dss(Dsn::Long(8), 1, 0, false));
        assert!(space.infinite);
    }
}
