//! Whether an answer has come before, within a bounded memory: a table of marks, the oldest of four making room.

use crate::rows::AnswerKind;
use crate::targets::mix;

use super::Answer;

/// Marks that share a place.
const WAYS: usize = 4;

/// Remembers the last answers.
#[derive(Clone, Debug)]
pub struct Repeats {
    marks: Vec<[u32; WAYS]>,
    mask: u64,
}

impl Repeats {
    /// A memory of 2^`bits` answers, 4 bytes each; at least four.
    pub fn new(bits: u32) -> Self {
        let places = 1_usize << bits.clamp(2, 40).saturating_sub(2);
        Self { marks: vec![[0; WAYS]; places], mask: places as u64 - 1 }
    }

    /// Whether this answer came before; from now on it has. Two different ones are taken for the same about once in 2^30.
    pub fn check(&mut self, answer: &Answer<'_>) -> bool {
        self.check_mark(Mark::of(answer))
    }

    /// The same, by a mark.
    #[inline]
    pub(crate) fn check_mark(&mut self, Mark(hash): Mark) -> bool {
        let Some(place) = self.marks.get_mut((hash & self.mask) as usize) else { return false };
        // Zero stands for nothing.
        let mark = (hash >> 32) as u32 | 1;
        if place.contains(&mark) {
            return true;
        }
        let [first, second, third, _] = *place;
        *place = [mark, first, second, third];
        false
    }

    /// Fetches the place of a mark into the cache. What it returns means nothing, but must be used.
    #[inline]
    pub(crate) fn touch(&self, Mark(hash): Mark) -> u32 {
        self.marks.get((hash & self.mask) as usize).map_or(0, |place| place[0])
    }
}

/// What an answer is recognised by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark(u64);

impl Mark {
    /// The mark of an answer.
    #[inline]
    pub(crate) fn of(answer: &Answer<'_>) -> Self {
        let addr = match answer.target.addr {
            std::net::IpAddr::V4(addr) => u128::from(u32::from(addr)),
            std::net::IpAddr::V6(addr) => addr.into(),
        };
        let kind = match answer.answer_kind() {
            AnswerKind::SynAck => 0,
            AnswerKind::Reset => 1,
            AnswerKind::Icmp => 2,
        };
        let rest = u64::from(answer.target.port) << 16
            | (answer.kind as u64) << 8
            | kind << 4
            | answer.finding as u64;
        Self(mix(mix(mix(addr as u64) ^ (addr >> 64) as u64) ^ rest))
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use crate::answers::{IcmpError, Mptcp, Packet};
    use crate::probes::Kind;
    use crate::rows::Finding;
    use crate::targets::Target;

    fn answer(addr: u32, kind: Kind) -> Answer<'static> {
        let from = IpAddr::V4(addr.into());
        Answer {
            time_ns: 0,
            target: Target { addr: from, port: 80 },
            src_addr: from,
            src_port: 1,
            kind,
            ttl: 1,
            rtt_micros: None,
            finding: Finding::Icmp,
            mptcp: Mptcp::default(),
            packet: Packet::Icmp(IcmpError { ty: 3, code: 1, from, quote: &[] }),
        }
    }

    #[test]
    fn the_last_answers_are_remembered_and_old_ones_forgotten() {
        let mut repeats = Repeats::new(14);
        for addr in 0..2000 {
            assert!(!repeats.check(&answer(addr, Kind::V1)), "{addr}");
            assert!(!repeats.check(&answer(addr, Kind::V0)), "{addr}");
        }
        // A quarter of what there is room for: of 4096 places with four marks each, Poisson has about 13 answers too many in one place,
        // half of them of this kind, each of which, asked for again, may push out another.
        let known = (0..2000).filter(|&addr| repeats.check(&answer(addr, Kind::V1))).count();
        assert!(known > 1960, "{known}");
        for addr in 2000..100_000 {
            repeats.check(&answer(addr, Kind::V1));
        }
        let known = (0..2000).filter(|&addr| repeats.check(&answer(addr, Kind::V0))).count();
        assert!(known < 20, "{known}");
    }
}
