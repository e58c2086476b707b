//! Whether an answer has come before, within a bounded memory: a table of marks, the oldest of four making room.

use crate::rows::AnswerKind;
use crate::targets::mix;

use super::Answer;

/// Marks that share a place.
const WAYS: usize = 4;

/// Remembers the last answers.
#[derive(Clone, Debug)]
pub struct Repeats {
    marks: Vec<[u64; WAYS]>,
    mask: u64,
}

impl Repeats {
    /// A memory of 2^`bits` answers, 8 bytes each; at least four.
    pub fn new(bits: u32) -> Self {
        let places = 1_usize << bits.clamp(2, 40).saturating_sub(2);
        Self { marks: vec![[0; WAYS]; places], mask: places as u64 - 1 }
    }

    /// Whether this answer came before; from now on it has. Two different ones are taken for the same about once in 2^40.
    pub fn check(&mut self, answer: &Answer<'_>) -> bool {
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
        // Zero stands for nothing.
        let mark = mix(mix(mix(addr as u64) ^ (addr >> 64) as u64) ^ rest) | 1;
        let Some(place) = self.marks.get_mut((mark >> 20 & self.mask) as usize) else { return false };
        if place.contains(&mark) {
            return true;
        }
        place.rotate_right(1);
        place[0] = mark;
        false
    }
}
