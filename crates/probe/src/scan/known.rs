//! The memory of targets between their first probe and their verdict: a byte each, and more of those that answer.

use std::collections::VecDeque;

use hashbrown::HashMap;

use crate::answers::{Answer, Evidence};
use crate::probes::{Kind, Kinds};
use crate::rows;

/// Above so many targets with answers, one that has answered everything is settled at once.
const MANY: usize = 1 << 14;

/// Bits of a target's byte beside those of the kinds that were answered.
const PLAIN_SENT: u8 = 1 << 5;
const SETTLED: u8 = 1 << 6;
/// Bits of the kinds that were answered.
const KINDS: u8 = 0x1f;

/// What is known of the targets that are under way.
#[derive(Debug)]
pub(super) struct Known {
    /// Kinds of probe that every target is sent.
    kinds: Kinds,
    /// Kinds of which a SYN/ACK ends the matter when all are answered: what is not among them may have to be followed up.
    ending: Kinds,
    /// Position of the first target that is not settled.
    base: u64,
    /// Of it and those behind it, what was answered.
    bytes: VecDeque<u8>,
    evidence: HashMap<u64, Evidence, foldhash::fast::RandomState>,
    late: u64,
}

impl Known {
    /// Nothing, of targets from a position on that are sent some kinds of probe, and with `follow_up` a plain SYN where those that ask
    /// for MP_CAPABLE are not answered by a SYN/ACK.
    pub(super) fn new(kinds: Kinds, follow_up: bool, begin: u64) -> Self {
        let ending = if follow_up { kinds.and(Kinds::ASKING) } else { kinds };
        Self { kinds, ending, base: begin, bytes: VecDeque::new(), evidence: HashMap::default(), late: 0 }
    }

    /// The kinds of probe that every target is sent.
    pub(super) fn kinds(&self) -> Kinds {
        self.kinds
    }

    /// Targets below this position are settled.
    pub(super) fn base(&self) -> u64 {
        self.base
    }

    /// Answers that came when their target was settled already.
    pub(super) fn late(&self) -> u64 {
        self.late
    }

    /// Whether nothing is kept.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty() && self.evidence.is_empty()
    }

    /// Fetches the byte of a target into the cache. What it returns means nothing, but must be used.
    #[inline]
    pub(super) fn touch(&self, position: u64) -> u8 {
        self.byte(position)
    }

    #[inline]
    fn byte(&self, position: u64) -> u8 {
        self.bytes.get(position.wrapping_sub(self.base) as usize).copied().unwrap_or(0)
    }

    /// Takes an answer of the target at a position. A row comes back when it settles the target.
    pub(super) fn answer(
        &mut self,
        position: u64,
        answer: &Answer<'_>,
        repeat: bool,
    ) -> Option<rows::Target> {
        let Some(at) = position.checked_sub(self.base) else {
            self.late += u64::from(!repeat);
            return None;
        };
        let at = at as usize;
        if at >= self.bytes.len() {
            self.bytes.resize(at + 1, 0);
        }
        let byte = self.bytes.get_mut(at)?;
        if *byte & SETTLED != 0 {
            self.late += u64::from(!repeat);
            return None;
        }
        let new = *byte & KINDS == 0;
        *byte |= Kinds::only(answer.kind).bits();
        let sent = sent(self.kinds, *byte);
        let ending = self.ending;
        let complete = |known: &Evidence| sent.without(known.answered()).is_empty() && known.opened(ending);
        let many = self.evidence.len() >= MANY;
        if new && many {
            // Most are complete with their first answer, and then need no place.
            let mut evidence = Evidence::default();
            evidence.add(answer, repeat);
            if complete(&evidence) {
                *byte |= SETTLED;
                return Some(evidence.row(&answer.target, sent));
            }
            self.evidence.insert(position, evidence);
            return None;
        }
        let evidence = self.evidence.entry(position).or_default();
        evidence.add(answer, repeat);
        if many && complete(evidence) {
            let evidence = self.evidence.remove(&position)?;
            *byte |= SETTLED;
            return Some(evidence.row(&answer.target, sent));
        }
        None
    }

    /// What is known of a target: the kinds that it has answered, and what that has shown; `None` when it is settled.
    pub(super) fn of(&self, position: u64) -> Option<(Kinds, Option<&Evidence>)> {
        let byte = self.byte(position);
        if byte & SETTLED != 0 {
            return None;
        }
        let answered = Kinds::from_bits(byte & KINDS);
        Some((answered, if answered.is_empty() { None } else { self.evidence.get(&position) }))
    }

    /// A target is sent a plain SYN beside the other kinds.
    pub(super) fn sent_plain(&mut self, position: u64) {
        let Some(at) = position.checked_sub(self.base) else { return };
        let at = at as usize;
        if at >= self.bytes.len() {
            self.bytes.resize(at + 1, 0);
        }
        if let Some(byte) = self.bytes.get_mut(at) {
            *byte |= PLAIN_SENT;
        }
    }

    /// Settles the first target: calls with its position, what was sent to it and what is known of it, unless it is settled
    /// already, and forgets it unless that fails.
    pub(super) fn settle_first<E>(
        &mut self,
        settle: impl FnOnce(u64, Kinds, Option<&Evidence>) -> Result<(), E>,
    ) -> Result<(), E> {
        let byte = self.byte(self.base);
        if byte & SETTLED == 0 {
            let silent = byte & KINDS == 0;
            let evidence = if silent { None } else { self.evidence.get(&self.base) };
            settle(self.base, sent(self.kinds, byte), evidence)?;
            if !silent {
                self.evidence.remove(&self.base);
            }
        }
        self.bytes.pop_front();
        self.base += 1;
        Ok(())
    }
}

/// The kinds of probe that a target was sent.
fn sent(kinds: Kinds, byte: u8) -> Kinds {
    if byte & PLAIN_SENT == 0 { kinds } else { kinds.with(Kind::Plain) }
}
