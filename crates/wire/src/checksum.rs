//! Ones' complement sums: IPv4 header, TCP and UDP with their pseudo header, ICMP, and the checksum of a
//! data sequence mapping (RFC 1071; RFC 8200, section 8.1; RFC 8684, section 3.3).

use core::net::IpAddr;

/// A running ones' complement sum over big-endian 16-bit words.
///
/// Pieces of odd length may follow each other: the sum remembers that it stands in the middle of a word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    total: u64,
    odd: bool,
}

impl Sum {
    /// An empty sum.
    pub const fn new() -> Self {
        Self { total: 0, odd: false }
    }

    /// Adds bytes where the last piece ended.
    pub fn add(&mut self, mut bytes: &[u8]) {
        if self.odd
            && let Some((&low, rest)) = bytes.split_first()
        {
            self.total = fold_once(self.total) + u64::from(low);
            self.odd = false;
            bytes = rest;
        }
        let mut total = fold_once(self.total);
        // 32-bit words in a 64-bit total cannot overflow below 16 GiB and halve the additions.
        let mut words = bytes.chunks_exact(4);
        for word in &mut words {
            total += word.first_chunk().map_or(0, |w| u64::from(u32::from_be_bytes(*w)));
        }
        match *words.remainder() {
            [a] => {
                total += u64::from(a) << 8;
                self.odd = true;
            }
            [a, b] => total += u64::from(u16::from_be_bytes([a, b])),
            [a, b, c] => {
                total += u64::from(u16::from_be_bytes([a, b])) + (u64::from(c) << 8);
                self.odd = true;
            }
            _ => {}
        }
        self.total = total;
    }

    /// Adds one 16-bit word that stands on a word border of its own (a header field).
    pub fn add_u16(&mut self, value: u16) {
        self.total = fold_once(self.total) + u64::from(value);
    }

    /// Adds a 32-bit field that stands on a word border of its own.
    pub fn add_u32(&mut self, value: u32) {
        self.total = fold_once(self.total) + u64::from(value);
    }

    /// Adds a 64-bit field that stands on a word border of its own.
    pub fn add_u64(&mut self, value: u64) {
        self.add_u32((value >> 32) as u32);
        self.add_u32(value as u32);
    }

    /// The sum so far, folded to 16 bits and not complemented.
    pub fn folded(self) -> u16 {
        let mut total = self.total;
        while total > 0xffff {
            total = (total & 0xffff) + (total >> 16);
        }
        total as u16
    }

    /// The checksum: the complement of the folded sum. Over data that includes a right checksum it is 0.
    pub fn checksum(self) -> u16 {
        !self.folded()
    }
}

/// Keeps the total below 2^33 so that any number of pieces can be added.
#[inline]
fn fold_once(total: u64) -> u64 {
    (total & 0xffff_ffff) + (total >> 32)
}

/// The Internet checksum of `bytes` (RFC 1071).
pub fn ones_complement(bytes: &[u8]) -> u16 {
    let mut sum = Sum::new();
    sum.add(bytes);
    sum.checksum()
}

/// The sum of a TCP, UDP or ICMPv6 pseudo header; `len` is the length of header and payload in bytes.
pub fn pseudo_header(src: IpAddr, dst: IpAddr, protocol: u8, len: u32) -> Sum {
    let mut sum = Sum::new();
    for addr in [src, dst] {
        match addr {
            IpAddr::V4(v4) => sum.add(&v4.octets()),
            IpAddr::V6(v6) => sum.add(&v6.octets()),
        }
    }
    sum.add_u16(u16::from(protocol));
    sum.add_u32(len);
    sum
}

/// The checksum of a whole TCP, UDP or ICMPv6 packet; 0 when `segment` includes a right checksum.
pub fn transport(src: IpAddr, dst: IpAddr, protocol: u8, segment: &[u8]) -> u16 {
    let mut sum = pseudo_header(src, dst, protocol, u32::try_from(segment.len()).unwrap_or(u32::MAX));
    sum.add(segment);
    sum.checksum()
}

/// A checksum after one 16-bit word that it covers changed from `old` to `new` (RFC 1624, equation 3).
pub fn updated(checksum: u16, old: u16, new: u16) -> u16 {
    let mut sum = Sum::new();
    sum.add_u16(!checksum);
    sum.add_u16(!old);
    sum.add_u16(new);
    sum.checksum()
}

/// The sum of a mapping's pseudo header: 64-bit DSN, relative subflow sequence, length, 16 zero bits
/// (RFC 8684, section 3.3.1). Add the mapped data of each packet in order and take
/// [`Sum::checksum`]; a DATA_FIN adds no data though `len` counts it.
pub fn dss_pseudo_header(dsn: u64, subflow_seq: u32, len: u16) -> Sum {
    let mut sum = Sum::new();
    sum.add_u64(dsn);
    sum.add_u32(subflow_seq);
    sum.add_u16(len);
    sum
}

/// The checksum of a mapping whose data is all at hand.
pub fn dss_checksum(dsn: u64, subflow_seq: u32, len: u16, data: &[u8]) -> u16 {
    let mut sum = dss_pseudo_header(dsn, subflow_seq, len);
    sum.add(data);
    sum.checksum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rfc1071_example() {
        let bytes = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
        let mut sum = Sum::new();
        sum.add(&bytes);
        assert_eq!(sum.folded(), 0xddf2);
        assert_eq!(ones_complement(&bytes), 0x220d);
    }

    #[test]
    fn ipv4_header_sums_to_zero() {
        let header = [
            0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11, 0xb8, 0x61, 0xc0, 0xa8, 0x00, 0x01,
            0xc0, 0xa8, 0x00, 0xc7,
        ];
        assert_eq!(ones_complement(&header), 0);
    }

    #[test]
    fn rfc1624_example() {
        assert_eq!(updated(0xdd2f, 0x5555, 0x3285), 0x0000);
    }

    #[test]
    fn mapping_without_data_is_the_complement_of_its_header() {
        assert_eq!(dss_checksum(0, 0, 1, &[]), 0xfffe);
        assert_eq!(dss_checksum(0x0001_0002_0003_0004, 0x0005_0006, 7, &[0, 8, 9]), !(36 + 0x900));
    }

    /// The definition, word by word.
    fn naive(bytes: &[u8]) -> u16 {
        let mut total = 0u32;
        for pair in bytes.chunks(2) {
            total += u32::from(pair[0]) << 8 | pair.get(1).map_or(0, |&b| u32::from(b));
            total = (total & 0xffff) + (total >> 16);
        }
        !(total as u16)
    }

    proptest! {
        #[test]
        fn agrees_with_the_definition(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            prop_assert_eq!(ones_complement(&bytes), naive(&bytes));
        }

        #[test]
        fn pieces_add_up(bytes in proptest::collection::vec(any::<u8>(), 0..300), a in 0usize..300, b in 0usize..300) {
            let (a, b) = (a.min(b).min(bytes.len()), a.max(b).min(bytes.len()));
            let mut sum = Sum::new();
            sum.add(&bytes[..a]);
            sum.add(&bytes[a..b]);
            sum.add(&bytes[b..]);
            prop_assert_eq!(sum.checksum(), naive(&bytes));
        }

        #[test]
        fn update_equals_a_new_sum(mut bytes in proptest::collection::vec(any::<u8>(), 4..100), new in any::<[u8; 2]>()) {
            let before = ones_complement(&bytes);
            let old = u16::from_be_bytes([bytes[2], bytes[3]]);
            bytes[2..4].copy_from_slice(&new);
            let after = updated(before, old, u16::from_be_bytes(new));
            // Zero has two forms in ones' complement; both stand for the same sum.
            let same = after == ones_complement(&bytes) || (after ^ ones_complement(&bytes)) == 0xffff;
            prop_assert!(same);
        }
    }
}
