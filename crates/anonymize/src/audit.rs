//! Which DSS checksums are wrong in the input, so that they can be wrong in the output: the data of a mapping comes in
//! several packets, in any order, and all of it is needed to tell.

use crate::flows::FlowKey;
use std::collections::{HashMap, HashSet, VecDeque};
use subflow_wire::checksum::{Sum, dss_checksum, dss_pseudo_header};

/// Mappings of one direction of a flow whose data is awaited.
const MOST_OPEN: usize = 32;

/// A mapping as it stands on the wire, with its checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct MappingId {
    /// The flow, and the side that sent it.
    pub(crate) flow: (FlowKey, usize),
    /// Low half of the data sequence number.
    pub(crate) dsn: u32,
    pub(crate) subflow_seq: u32,
    pub(crate) len: u16,
    pub(crate) checksum: u16,
}

/// A mapping whose data is not complete.
#[derive(Debug)]
struct Open {
    id: MappingId,
    dsn: u64,
    /// Sequence number of its first byte, and how many there are.
    seq: u32,
    bytes: u32,
    sum: u64,
    /// Pieces that were added, as offsets, in order.
    seen: Vec<(u32, u32)>,
}

/// Checks DSS checksums while packets pass.
#[derive(Debug, Default)]
pub(crate) struct Audit {
    open: HashMap<(FlowKey, usize), VecDeque<Open>>,
    wrong: HashSet<MappingId>,
}

impl Audit {
    /// A mapping with a checksum over `bytes` bytes from sequence number `seq` on, whose 64-bit number is known.
    pub(crate) fn mapping(&mut self, id: MappingId, dsn: u64, seq: u32, bytes: u32) {
        let open = self.open.entry(id.flow).or_default();
        if bytes == 0 || open.iter().any(|open| open.id == id) {
            return;
        }
        if open.len() == MOST_OPEN {
            open.pop_front();
        }
        open.push_back(Open { id, dsn, seq, bytes, sum: 0, seen: Vec::new() });
    }

    /// Payload that was captured.
    pub(crate) fn data(&mut self, flow: (FlowKey, usize), seq: u32, payload: &[u8]) {
        let Some(open) = self.open.get_mut(&flow) else { return };
        let wrong = &mut self.wrong;
        open.retain_mut(|mapping| {
            mapping.add(seq, payload);
            let complete = mapping.seen.iter().map(|(from, to)| to - from).sum::<u32>() == mapping.bytes;
            if complete && !mapping.is_right() {
                wrong.insert(mapping.id);
            }
            !complete
        });
    }

    /// Whether this mapping's checksum was seen to be wrong.
    pub(crate) fn is_wrong(&self, id: &MappingId) -> bool {
        self.wrong.contains(id)
    }

    /// Forgets what is still open.
    pub(crate) fn close(&mut self) {
        self.open = HashMap::new();
    }
}

impl Open {
    fn add(&mut self, seq: u32, payload: &[u8]) {
        // Where the payload begins in the mapping, perhaps before it.
        let at = i64::from(seq.wrapping_sub(self.seq).cast_signed());
        let end = (at + payload.len() as i64).min(i64::from(self.bytes));
        let mut from = at.max(0);
        while from < end {
            // Up to the next piece that is there already.
            let covering = self.seen.iter().find(|(a, b)| (i64::from(*a)..i64::from(*b)).contains(&from));
            if let Some(&(_, to)) = covering {
                from = i64::from(to);
                continue;
            }
            let next = self.seen.iter().map(|(a, _)| i64::from(*a)).filter(|&a| a > from).min();
            let to = next.map_or(end, |next| next.min(end));
            let piece = payload.get((from - at) as usize..(to - at) as usize).unwrap_or_default();
            let mut sum = Sum::new();
            sum.add(piece);
            // At an odd place high and low bytes change roles.
            self.sum += u64::from(if from % 2 == 0 { sum.folded() } else { sum.folded().swap_bytes() });
            self.note(from as u32, to as u32);
            from = to;
        }
    }

    fn note(&mut self, from: u32, to: u32) {
        if let Some(before) = self.seen.iter_mut().find(|(_, end)| *end == from) {
            before.1 = to;
        } else {
            self.seen.push((from, to));
        }
    }

    fn is_right(&self) -> bool {
        let mut sum = dss_pseudo_header(self.dsn, self.id.subflow_seq, self.id.len);
        sum.add_u16(self.id.checksum);
        let mut data = self.sum;
        while data > 0xffff {
            data = (data & 0xffff) + (data >> 16);
        }
        sum.add_u16(data as u16);
        sum.checksum() == 0
    }
}

/// The checksum of a mapping over zeros; another one where it was wrong.
pub(crate) fn over_zeros(dsn: u64, subflow_seq: u32, len: u16, wrong: bool) -> u16 {
    let right = dss_checksum(dsn, subflow_seq, len, &[]);
    if wrong { right ^ 0x0100 } else { right }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn id(checksum: u16, len: u16) -> MappingId {
        let end = ("10.0.0.1".parse().unwrap(), 1);
        MappingId { flow: (FlowKey { ends: [end, end] }, 0), dsn: 77, subflow_seq: 1, len, checksum }
    }

    proptest! {
        #[test]
        fn pieces_in_any_order_tell_right_from_wrong(
            data in proptest::collection::vec(any::<u8>(), 1..200),
            cuts in proptest::collection::vec((0_usize..200, 1_usize..60), 0..12),
        ) {
            let len = data.len() as u16;
            let right = dss_checksum(77, 1, len, &data);
            for (checksum, expected) in [(right, false), (right ^ 0x0100, true)] {
                let mut audit = Audit::default();
                let id = id(checksum, len);
                audit.mapping(id, 77, 1000, u32::from(len));
                for &(from, size) in &cuts {
                    let from = from.min(data.len());
                    let to = (from + size).min(data.len());
                    audit.data(id.flow, 1000 + from as u32, &data[from..to]);
                }
                // The rest, with some bytes that are not the mapping's around it.
                let around = [&[1, 2, 3][..], &data, &[4, 5]].concat();
                audit.data(id.flow, 997, &around);
                prop_assert_eq!(audit.is_wrong(&id), expected);
            }
        }
    }

    #[test]
    fn zeros_have_a_checksum_of_their_own() {
        assert_eq!(over_zeros(5, 1, 3, false), dss_checksum(5, 1, 3, &[0; 3]));
        assert_ne!(over_zeros(5, 1, 3, true), over_zeros(5, 1, 3, false));
    }
}
