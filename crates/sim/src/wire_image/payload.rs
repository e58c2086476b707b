//! The bytes that connections carry: a function of the byte stream and the data sequence number.
//!
//! Byte `n` of a stream is byte `(k + n) mod 65536` of one table of random bytes, where `k` depends on the stream and on `n / 65536`.
//! So any stretch is one or two copies from the table, and its ones' complement sum is the difference of two prefix sums: checksums
//! cost no pass over the payload, and data that is cut by the snap length need not even be written.

use std::sync::LazyLock;

/// Bytes of the table, before it repeats.
const PERIOD: usize = 1 << 16;

struct Table {
    /// The bytes, twice, so that a stretch never wraps.
    bytes: Box<[u8]>,
    /// Sum of the 16-bit words before each place, a byte at an even place being the high half of a word.
    sums: Box<[u32]>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut state = 0u64;
    let random = std::iter::repeat_with(|| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(state).to_le_bytes()
    });
    let mut bytes: Vec<u8> = random.take(PERIOD / 8).flatten().collect();
    bytes.extend_from_within(..);
    let mut sums = Vec::with_capacity(bytes.len() + 1);
    let mut sum = 0;
    for (place, byte) in bytes.iter().enumerate() {
        sums.push(sum);
        // At most 65,536 · (255 · 256 + 255), which is below 2^32.
        sum += u32::from(*byte) << if place % 2 == 0 { 8 } else { 0 };
    }
    sums.push(sum);
    Table { bytes: bytes.into(), sums: sums.into() }
});

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014).
const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Where in the table the byte with this number stands, and how many follow before the place jumps.
fn place(stream: u32, dsn: u64) -> (usize, usize) {
    let (block, within) = (dsn >> 16, dsn as usize & (PERIOD - 1));
    let key = mix(mix(block).wrapping_add(u64::from(stream))) as usize;
    (key.wrapping_add(within) & (PERIOD - 1), PERIOD - within)
}

/// Writes the bytes of a stream from the data sequence number `dsn` on.
pub fn fill(stream: u32, dsn: u64, out: &mut [u8]) {
    let mut at = dsn;
    let mut rest = out;
    while !rest.is_empty() {
        let (start, run) = place(stream, at);
        let (now, later) = rest.split_at_mut(run.min(rest.len()));
        now.copy_from_slice(&TABLE.bytes[start..start + now.len()]);
        at = at.wrapping_add(now.len() as u64);
        rest = later;
    }
}

/// The ones' complement sum of `len` bytes of a stream, folded to 16 bits and not complemented (RFC 1071); the first byte is the high
/// half of a word.
pub fn sum(stream: u32, dsn: u64, len: u16) -> u16 {
    let (mut at, mut left, mut total, mut odd) = (dsn, usize::from(len), 0u64, false);
    while left > 0 {
        let (start, run) = place(stream, at);
        let run = run.min(left);
        let part = fold(u64::from(TABLE.sums[start + run].wrapping_sub(TABLE.sums[start])));
        // Words of the table begin at even places; elsewhere the halves change places.
        let swapped = (start % 2 == 1) != odd;
        total += u64::from(if swapped { part.swap_bytes() } else { part });
        odd ^= run % 2 == 1;
        at = at.wrapping_add(run as u64);
        left -= run;
    }
    fold(total)
}

fn fold(mut total: u64) -> u16 {
    while total > 0xffff {
        total = (total & 0xffff) + (total >> 16);
    }
    total as u16
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use subflow_wire::checksum::ones_complement;

    #[test]
    fn streams_and_blocks_differ() {
        let read = |stream, dsn| {
            let mut out = [0; 64];
            fill(stream, dsn, &mut out);
            out
        };
        assert_eq!(read(1, 5), read(1, 5));
        assert_ne!(read(1, 5), read(2, 5));
        assert_ne!(read(1, 5), read(1, 5 + (1 << 16)));
        assert_eq!(read(1, 5)[1..], read(1, 6)[..63]);
    }

    proptest! {
        /// Written in one piece or in two, wherever they are cut and wherever the table jumps or the numbers wrap.
        #[test]
        fn pieces_fit_together(stream: u32, high: u64, low in 0u64..400, len in 0usize..3000, cut in 0usize..3000) {
            let dsn = (high << 16).wrapping_sub(low);
            let mut whole = vec![0; len];
            fill(stream, dsn, &mut whole);
            let cut = cut.min(len);
            let mut pieces = vec![0; len];
            fill(stream, dsn, &mut pieces[..cut]);
            fill(stream, dsn.wrapping_add(cut as u64), &mut pieces[cut..]);
            prop_assert_eq!(whole, pieces);
        }

        /// The sum is the one of RFC 1071 over the bytes.
        #[test]
        fn sums_are_those_of_the_bytes(stream: u32, high: u64, low in 0u64..3000, len in 0u16..3000) {
            let dsn = (high << 16).wrapping_sub(low);
            let mut bytes = vec![0; usize::from(len)];
            fill(stream, dsn, &mut bytes);
            let (sum, expected) = (sum(stream, dsn, len), !ones_complement(&bytes));
            // Zero has two forms.
            prop_assert!(sum == expected || sum ^ expected == 0xffff, "{sum:04x} {expected:04x}");
        }
    }
}
