//! Places in a sorted order, of a few keys at once and without branches, which could only be mispredicted.

use wide::i32x4;

/// Keys at most.
pub(super) const MOST: usize = 64;
/// Keys that are compared at once.
const LANES: usize = 4;

/// The places of the first `len` keys in their order: for each, how many of these are smaller. All are different and below `i32::MAX`, and what
/// comes behind them is that. The others get the last place of all.
#[inline]
pub(super) fn ranks(keys: &[i32; MOST], len: usize) -> [i32; MOST] {
    match len.div_ceil(LANES) {
        0..=2 => ranks_of::<2>(keys, len),
        3 => ranks_of::<3>(keys, len),
        4 => ranks_of::<4>(keys, len),
        5 => ranks_of::<5>(keys, len),
        6 => ranks_of::<6>(keys, len),
        7 | 8 => ranks_of::<8>(keys, len),
        _ => ranks_of::<{ MOST / LANES }>(keys, len),
    }
}

/// Each key in turn counts for all that are larger, block by block: what is counted stays in registers.
#[inline(always)]
fn ranks_of<const BLOCKS: usize>(keys: &[i32; MOST], len: usize) -> [i32; MOST] {
    let (blocks, _) = keys.as_chunks::<LANES>();
    let mut compared = [i32x4::ZERO; BLOCKS];
    for (block, &keys) in compared.iter_mut().zip(blocks) {
        *block = i32x4::new(keys);
    }
    let mut larger = [i32x4::ZERO; BLOCKS];
    for &key in keys.iter().take(len) {
        let key = i32x4::splat(key);
        for (count, block) in larger.iter_mut().zip(compared) {
            // True is -1.
            *count -= block.simd_gt(key);
        }
    }
    let mut ranks = [MOST as i32 - 1; MOST];
    for (ranks, larger) in ranks.as_chunks_mut::<LANES>().0.iter_mut().zip(larger) {
        *ranks = larger.to_array();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_rank_is_the_place_in_order(numbers in proptest::collection::hash_set(0..i32::MAX, 0..=MOST)) {
            let mut keys = [i32::MAX; MOST];
            keys.iter_mut().zip(&numbers).for_each(|(key, &number)| *key = number);
            let found = ranks(&keys, numbers.len());
            for (key, rank) in keys.iter().zip(found).take(numbers.len()) {
                prop_assert_eq!(numbers.iter().filter(|&number| number < key).count(), rank as usize);
            }
            let behind = found.iter().skip(numbers.len().next_multiple_of(LANES).max(2 * LANES));
            prop_assert!(behind.into_iter().all(|&rank| rank as usize >= numbers.len().min(MOST - 1)));
        }
    }
}
