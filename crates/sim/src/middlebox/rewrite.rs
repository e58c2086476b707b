//! A box that shifts sequence numbers, as firewalls do that randomise initial sequence numbers. Mappings do not notice: they count
//! from the subflow's first byte (RFC 8684, section 3.3.1).

use subflow_wire::tcp::kind;

use super::{Flow, Table, Way};
use crate::header::Header;

/// Shifts the sequence numbers of each flow and direction by a number of its own.
#[derive(Clone, Debug)]
pub struct Rewrite {
    seed: u32,
    shifts: Table<Flow, [u32; 2]>,
}

impl Rewrite {
    /// The shifts follow from the seed and the order of flows.
    pub fn new(seed: u32) -> Self {
        Self { seed, shifts: Table::default() }
    }

    pub(super) fn pass(&mut self, way: Way, header: &mut Header) {
        let flow = Flow::of(way, header);
        let count = self.shifts.len() as u32;
        let seed = self.seed;
        let draw = |n: u32| n.wrapping_mul(0x9e37_79b1).wrapping_add(seed).wrapping_mul(0x85eb_ca6b) ^ seed;
        let shifts = self.shifts.entry(flow).or_insert_with(|| [draw(2 * count + 1), draw(2 * count + 2)]);
        let (this, other) = (shifts[way.index()], shifts[way.other().index()]);
        header.seq = header.seq.wrapping_add(this);
        if header.flags.ack() {
            header.ack = header.ack.wrapping_sub(other);
        }
        shift_sack(header, other);
    }
}

/// SACK blocks name numbers of the other direction.
fn shift_sack(header: &mut Header, by: u32) {
    let mut rest = header.options.as_bytes_mut();
    while let [first, after @ ..] = rest {
        match *first {
            kind::END => return,
            kind::NOP => rest = after,
            number => {
                let len = usize::from(after.first().copied().unwrap_or(0));
                if len < 2 || len > after.len() + 1 {
                    return;
                }
                let (option, next) = after.split_at_mut(len - 1);
                if number == kind::SACK {
                    for edge in option[1..].chunks_exact_mut(4) {
                        let old = edge.first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes));
                        edge.copy_from_slice(&old.wrapping_sub(by).to_be_bytes());
                    }
                }
                rest = next;
            }
        }
    }
}
