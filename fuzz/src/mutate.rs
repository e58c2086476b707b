//! Inputs out of seeds: reproducible, and cheap enough for ordinary tests.

/// A small generator of pseudo-random numbers (SplitMix64). Runs with the same start give the same inputs.
#[derive(Clone, Debug)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`; 0 when there is none.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % (end as u64).max(1)) as usize
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next() as u8).collect()
    }
}

/// Values at which things tend to break.
const EDGES: [u32; 10] = [0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, u32::MAX];

/// Changes an input in one to eight places, at times by a piece of another seed.
pub(crate) fn bytes(input: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    for _ in 0..=random.below(8) {
        let at = random.below(input.len());
        match random.below(9) {
            0 => input.truncate(at),
            1 => {
                let len = 1 + random.below(16);
                let piece = random.bytes(len);
                input.splice(at..at, piece);
            }
            2 => {
                let len = random.below(64).min(input.len() - at);
                input.drain(at..at + len);
            }
            3 => {
                let from = random.below(other.len());
                let len = random.below(128).min(other.len() - from);
                input.splice(at..at, other[from..from + len].iter().copied());
            }
            4 => {
                // A field of 2 or 4 bytes at an edge, in either byte order.
                let value = EDGES[random.below(EDGES.len())];
                let field = if random.below(2) == 0 { value.to_be_bytes() } else { value.to_le_bytes() };
                let len = if random.below(2) == 0 { 2 } else { 4 };
                for (place, byte) in input.iter_mut().skip(at).zip(&field[..len]) {
                    *place = *byte;
                }
            }
            5 => {
                if let Some(byte) = input.get_mut(at) {
                    *byte = byte.wrapping_add(if random.below(2) == 0 { 1 } else { 0xff });
                }
            }
            _ => {
                if let Some(byte) = input.get_mut(at) {
                    *byte ^= 1 << random.below(8);
                }
            }
        }
    }
}

/// Changes a little-endian pcap file packet by packet, so that its framing stays whole: drops, repeats, swaps, moves
/// in time, and changes bytes inside packets.
pub(crate) fn records(file: &[u8], random: &mut Random) -> Vec<u8> {
    let (header, mut rest) = file.split_at(file.len().min(24));
    let mut packets: Vec<Vec<u8>> = Vec::new();
    while let Some(head) = rest.first_chunk::<16>() {
        let captured = u32::from_le_bytes([head[8], head[9], head[10], head[11]]) as usize;
        let end = (16 + captured).min(rest.len());
        packets.push(rest[..end].to_vec());
        rest = &rest[end..];
    }
    for _ in 0..=random.below(6) {
        let at = random.below(packets.len());
        if at == packets.len() {
            break;
        }
        match random.below(8) {
            0 => drop(packets.remove(at)),
            1 => {
                let to = random.below(packets.len());
                let copy = packets[at].clone();
                packets.insert(to, copy);
            }
            2 => {
                let to = random.below(packets.len());
                packets.swap(at, to);
            }
            3 => {
                // The seconds of its time.
                let field = (random.next() as u32 % 8192).to_le_bytes();
                packets[at][1..3].copy_from_slice(&field[..2]);
            }
            _ => {
                let len = packets[at].len();
                // Mostly beyond the link layer, where TCP and its options stand.
                let place = 16 + random.below(len.saturating_sub(16));
                if let Some(byte) = packets[at].get_mut(place) {
                    *byte =
                        if random.below(2) == 0 { *byte ^ 1 << random.below(8) } else { random.next() as u8 };
                }
            }
        }
    }
    [header.to_vec(), packets.concat()].concat()
}
