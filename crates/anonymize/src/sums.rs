//! Checksums after bytes have changed: right stays right, wrong stays wrong, and what the capture cut off is taken as it
//! was (RFC 1624).

use std::net::IpAddr;
use subflow_wire::checksum::{Sum, pseudo_header};

/// What a checksum covers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scope {
    /// Where the checksum stands.
    pub(crate) field: usize,
    /// From where it covers the frame.
    pub(crate) start: usize,
    /// To where, or to where the capture goes.
    pub(crate) end: usize,
    /// Addresses, protocol and length of the pseudo header, before and after.
    pub(crate) pseudo: Option<Pseudo>,
    /// Whether all that it covers was captured.
    pub(crate) whole: bool,
    /// The sum over covered bytes that are in other frames: fragments.
    pub(crate) elsewhere: u16,
    /// Whether 0 means that there is no checksum, as in UDP.
    pub(crate) optional: bool,
}

/// The pseudo header of TCP and UDP.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pseudo {
    pub(crate) before: (IpAddr, IpAddr),
    pub(crate) after: (IpAddr, IpAddr),
    pub(crate) protocol: u8,
    pub(crate) len: u32,
}

impl Scope {
    /// Writes the checksum of the changed frame; `before` is the frame as it was captured.
    pub(crate) fn settle(&self, before: &[u8], after: &mut [u8]) {
        let place = self.field..self.field + 2;
        let Some(field) = before.get(place.clone()).and_then(<[u8]>::first_chunk) else { return };
        let field = u16::from_be_bytes(*field);
        let pseudo = |ends: Option<(IpAddr, IpAddr)>| match (self.pseudo, ends) {
            (Some(pseudo), Some(ends)) => pseudo_header(ends.0, ends.1, pseudo.protocol, pseudo.len),
            _ => Sum::new(),
        };
        let old_pseudo = pseudo(self.pseudo.map(|pseudo| pseudo.before));
        let new_pseudo = pseudo(self.pseudo.map(|pseudo| pseudo.after));
        let mut old = self.covered(before, old_pseudo);
        old.add_u16(self.elsewhere);
        let new = self.covered(after, new_pseudo);
        let right = |sum: Sum| match sum.checksum() {
            0 if self.optional => 0xffff,
            sum => sum,
        };
        let value = if field == 0 && (self.optional || right(old) != 0) {
            // None made: by a UDP sender that wants none, or not yet, by a network card that makes it later.
            0
        } else if self.whole && same(old.checksum(), field) {
            right(new)
        } else if self.pseudo.is_some() && field == old_pseudo.folded() {
            // The card that makes it later finds the sum of the pseudo header in its place.
            new_pseudo.folded()
        } else {
            changed(field, old.folded(), new.folded())
        };
        if let Some(field) = after.get_mut(place) {
            field.copy_from_slice(&value.to_be_bytes());
        }
    }

    /// The sum over what is there, without the checksum itself.
    fn covered(&self, frame: &[u8], mut sum: Sum) -> Sum {
        let piece = |from: usize, to: usize| frame.get(from..to.min(frame.len())).unwrap_or_default();
        sum.add(piece(self.start, self.field));
        sum.add(piece(self.field + 2, self.end));
        sum
    }
}

/// Equal as ones' complement numbers, in which zero has two forms.
fn same(a: u16, b: u16) -> bool {
    a == b || a ^ b == 0xffff && (a == 0 || b == 0)
}

/// A checksum after the sum that it covers changed from `old` to `new` (RFC 1624, equation 3).
fn changed(field: u16, old: u16, new: u16) -> u16 {
    let mut sum = Sum::new();
    sum.add_u16(!field);
    sum.add_u16(!old);
    sum.add_u16(new);
    sum.checksum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use subflow_wire::checksum::ones_complement;

    fn scope(len: usize, whole: bool) -> Scope {
        Scope { field: 2, start: 0, end: len, pseudo: None, whole, elsewhere: 0, optional: false }
    }

    fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
        bytes[2..4].fill(0);
        let sum = ones_complement(&bytes);
        bytes[2..4].copy_from_slice(&sum.to_be_bytes());
        bytes
    }

    #[test]
    fn a_wrong_checksum_stays_wrong() {
        let before = [1, 2, 0xab, 0xcd, 5, 6];
        let mut after = [9, 9, 0, 0, 0, 0];
        scope(6, true).settle(&before, &mut after);
        assert_ne!(ones_complement(&after), 0);
        assert_ne!(after[2..4], [0, 0]);
    }

    #[test]
    fn what_a_network_card_fills_in_later_stays_so() {
        let ends = |a: [u8; 4], b: [u8; 4]| (IpAddr::from(a), IpAddr::from(b));
        let (before, after) = (ends([10, 0, 0, 1], [10, 0, 0, 2]), ends([10, 9, 9, 9], [10, 8, 8, 8]));
        let pseudo = Some(Pseudo { before, after, protocol: 6, len: 6 });
        let scope = Scope { pseudo, ..scope(6, true) };
        let partial = |ends: (IpAddr, IpAddr)| pseudo_header(ends.0, ends.1, 6, 6).folded().to_be_bytes();
        let [a, b] = partial(before);
        let mut out = [0; 6];
        scope.settle(&[1, 2, a, b, 3, 4], &mut out);
        assert_eq!(out[2..4], partial(after));
        scope.settle(&[1, 2, 0, 0, 3, 4], &mut out);
        assert_eq!(out[2..4], [0, 0]);
    }

    proptest! {
        #[test]
        fn right_stays_right(before in proptest::collection::vec(any::<u8>(), 6..60), noise in any::<u64>()) {
            let before = sealed(before);
            let mut after = before.clone();
            after.iter_mut().zip(noise.to_be_bytes()).for_each(|(to, from)| *to ^= from);
            scope(before.len(), true).settle(&before, &mut after);
            prop_assert!(same(ones_complement(&after), 0));
        }

        /// What is cut off is the same before and after, so the updated checksum is that of the whole.
        #[test]
        fn a_cut_packet_is_updated(before in proptest::collection::vec(any::<u8>(), 8..60), noise in any::<[u8; 6]>(), keep in 6_usize..60) {
            let before = sealed(before);
            let keep = keep.min(before.len()) & !1;
            let mut after = before.clone();
            after.iter_mut().zip(noise).for_each(|(to, from)| *to ^= from);
            let mut cut = after[..keep].to_vec();
            scope(before.len(), false).settle(&before[..keep], &mut cut);
            after[2..4].copy_from_slice(&cut[2..4]);
            prop_assert!(same(ones_complement(&after), 0));
        }
    }
}
