//! SACK blocks on their way: all that an acknowledgment of an established connection carries beside its numbers.

use crate::net::NONE;
use crate::prefetch::prefetch_index;

/// Blocks of one acknowledgment: the most that fit beside timestamps and a DATA_ACK are fewer, without them it is four.
pub(super) const MOST: usize = 4;

/// The blocks of one acknowledgment, in the low 32 bits of their numbers, as on the wire; half a cache line. Behind the last come empty ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(align(32))]
pub(super) struct Blocks {
    edges: [(u32, u32); MOST],
}

impl Blocks {
    /// Blocks from full numbers.
    pub(super) fn new(blocks: &[(u64, u64)]) -> Self {
        let mut edges = [(0, 0); MOST];
        for (place, &(start, end)) in edges.iter_mut().zip(blocks) {
            *place = (start as u32, end as u32);
        }
        Self { edges }
    }

    /// Full numbers near `to`; returns how many.
    pub(super) fn read(&self, to: u64, out: &mut [(u64, u64); MOST]) -> usize {
        for (place, &(start, end)) in out.iter_mut().zip(&self.edges) {
            *place = (near(start, to), near(end, to));
        }
        self.edges.iter().take_while(|(start, end)| start != end).count()
    }
}

/// The number with these low bits that is nearest to `to`.
fn near(low: u32, to: u64) -> u64 {
    let off = low.wrapping_sub(to as u32) as i32;
    to.wrapping_add_signed(i64::from(off))
}

/// Records of packets on their way, by the number that `Packet::header` holds. Places are used again.
#[derive(Clone, Debug, Default)]
pub(super) struct Slab {
    records: Vec<Blocks>,
    free: Vec<u32>,
}

impl Slab {
    /// Keeps a record; returns its number.
    pub(super) fn insert(&mut self, blocks: Blocks) -> u32 {
        if let Some(number) = self.free.pop() {
            self.records[number as usize] = blocks;
            return number;
        }
        self.records.push(blocks);
        self.records.len() as u32 - 1
    }

    /// Asks for the memory of a record; [`NONE`] is nothing to ask for.
    #[inline]
    pub(super) fn prefetch(&self, number: u32) {
        if number != NONE {
            prefetch_index(&self.records, number as usize);
        }
    }

    /// Takes a record out.
    pub(super) fn take(&mut self, number: u32) -> Blocks {
        self.remove(number);
        self.records.get(number as usize).copied().unwrap_or_default()
    }

    /// Gives a place back; [`NONE`] is nothing to give back.
    pub(super) fn remove(&mut self, number: u32) {
        if number != NONE {
            self.free.push(number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_whole() {
        let far = 3 << 32;
        let given = [(far + 10, far + 20), (far - 5, far + 5)];
        let mut out = [(0, 0); MOST];
        assert_eq!(Blocks::new(&given).read(far, &mut out), 2);
        assert_eq!(out[..2], given);
    }

    #[test]
    fn places_are_used_again() {
        let mut slab = Slab::default();
        let first = slab.insert(Blocks::new(&[(1, 2)]));
        let second = slab.insert(Blocks::new(&[(3, 4)]));
        assert_eq!(slab.take(first), Blocks::new(&[(1, 2)]));
        slab.remove(NONE);
        assert_eq!(slab.insert(Blocks::default()), first);
        assert_eq!(slab.take(second), Blocks::new(&[(3, 4)]));
    }
}
