//! `…_seq_N.csv` and `c2s_map_reinject_N.csv`: mappings, DATA_ACKs, and reinjections by the starts of mappings.

use super::ordered::Ordered;
use super::step::{Mapping, Step, stamp};
use std::collections::BTreeMap;
use std::fmt::Write;

/// How many subflows mptcptrace can count.
pub(super) const MOST_SUBFLOWS: usize = 32;

/// Who carried a mapping.
#[derive(Clone, Debug)]
struct Carried {
    /// The subflow that did so first.
    first: u32,
    /// A bit for every subflow that did.
    on: u32,
    /// How many subflows did.
    times: usize,
}

/// One direction's mappings.
#[derive(Debug, Default)]
pub(super) struct Sequence {
    pub(super) text: String,
    mappings: Ordered<Carried>,
    /// Bytes of mappings that came again on another subflow than the first.
    pub(super) reinjected: u32,
    /// How many mappings were carried by so many subflows.
    pub(super) times: [u32; MOST_SUBFLOWS],
    /// How often a mapping of this subflow came again on another.
    pub(super) caused_by: BTreeMap<u32, u32>,
}

impl Sequence {
    pub(super) fn mapping(&mut self, step: &Step, mapping: Mapping) {
        let bit = 1_u32.wrapping_shl(step.subflow);
        let carried = Carried { first: step.subflow, on: bit, times: 1 };
        let (added, place) = self.mappings.insert(mapping.start, mapping.end(), carried);
        let mut cause = -1;
        if added {
            self.count(1, 1);
        } else if let Some(before) = self.mappings.get_mut(place).map(|range| &mut range.what)
            && before.first != step.subflow
        {
            let (first, times, seen) = (before.first, before.times, before.on & bit != 0);
            if !seen {
                before.on |= bit;
                before.times += 1;
                self.count(times, u32::MAX);
                self.count(times + 1, 1);
            }
            cause = i64::from(first) + 1;
            *self.caused_by.entry(first).or_default() += 1;
            self.reinjected = self.reinjected.wrapping_add(mapping.bytes);
        }
        let (time, on) = (stamp(step.time), step.subflow + 1);
        let _ = writeln!(self.text, "{time},{},{on},1,{},{cause}", mapping.start, mapping.end());
    }

    /// A DATA_ACK of this direction's data.
    pub(super) fn ack(&mut self, step: &Step, ack: u32) {
        let _ = writeln!(self.text, "{},{ack},{},0,0,-1", stamp(step.time), step.subflow + 1);
    }

    /// Mappings that several subflows carried, by their place in the order of data sequence numbers.
    pub(super) fn map_reinject(&self) -> String {
        let mut text = "id,n\n".to_owned();
        for (place, range) in self.mappings.iter().enumerate() {
            if range.what.times > 1 {
                let _ = writeln!(text, "{place},{}", range.what.times);
            }
        }
        text
    }

    fn count(&mut self, times: usize, by: u32) {
        if let Some(count) = self.times.get_mut(times) {
            *count = count.wrapping_add(by);
        }
    }
}
