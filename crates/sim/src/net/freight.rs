//! What a link has to know of a packet, in four bits of its event: so a hop in the middle of a path does not touch the packet, which with many
//! of them under way is not in the cache.

/// What a link has to know of a packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Freight {
    /// Its length on the wire.
    pub(super) bytes: u32,
    /// Whether it is ECN-capable.
    pub(super) capable: bool,
}

/// Bits of a number.
pub(super) const BITS: u32 = 4;
/// Numbers; the first says nothing.
const NUMBERS: usize = 1 << BITS;

/// The freights that were seen first, each with a number. Traffic has few: full segments and acknowledgments, and those of a beginning and an end.
#[derive(Clone, Debug, Default)]
pub(super) struct Freights {
    known: [Freight; NUMBERS],
    count: usize,
}

impl Freights {
    /// The number of a freight; 0 when there are too many for it to have one.
    #[inline]
    pub(super) fn number(&mut self, freight: Freight) -> u32 {
        let known = self.known.iter().skip(1).take(self.count);
        match known.zip(1..).find(|&(&known, _)| known == freight) {
            Some((_, number)) => number,
            None => self.add(freight),
        }
    }

    #[cold]
    fn add(&mut self, freight: Freight) -> u32 {
        let Some(place) = self.known.get_mut(self.count + 1) else { return 0 };
        *place = freight;
        self.count += 1;
        self.count as u32
    }

    /// The freight with a number, which is not 0.
    #[inline]
    pub(super) fn get(&self, number: u32) -> Freight {
        self.known[number as usize % NUMBERS]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn freights_keep_their_numbers_and_those_that_come_late_have_none() {
        let mut freights = Freights::default();
        for bytes in 0..20 {
            let freight = Freight { bytes, capable: bytes % 2 == 0 };
            let number = freights.number(freight);
            assert_eq!(number, if bytes < 15 { bytes + 1 } else { 0 });
            assert_eq!(freights.number(freight), number);
            assert!(number == 0 || freights.get(number) == freight);
        }
    }
}
