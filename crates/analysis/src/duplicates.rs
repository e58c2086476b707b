//! Packets captured twice: a mirror port, a capture on `any`, both sides of a router.
//!
//! A copy has the same sequence number, ACK, flags, checksum, timestamps and IP identification as its original and
//! comes right after it, while a retransmission comes a round-trip time later and under another identification.

/// How many packets are remembered, all flows together. A power of two.
const SLOTS: usize = 1 << 14;
/// A copy with the same non-zero IP identification, or with another hop limit, comes within this time, in nanoseconds.
const SURE: i64 = 5_000_000;
/// Any other copy comes within this time.
const LIKELY: i64 = 200_000;

/// The fields of a packet that its copies share, and its hop limit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Print {
    /// Number of the flow, and the side of it that sent the packet.
    pub(crate) flow: (u32, usize),
    /// TCP sequence number.
    pub(crate) seq: u32,
    /// TCP acknowledgement number.
    pub(crate) ack: u32,
    /// TCP checksum.
    pub(crate) checksum: u16,
    /// TCP flags.
    pub(crate) flags: u16,
    /// TCP window.
    pub(crate) window: u16,
    /// TCP timestamp value.
    pub(crate) timestamp: u32,
    /// Payload bytes on the wire.
    pub(crate) len: u32,
    /// IP identification, 0 where there is none.
    pub(crate) identification: u32,
    /// TTL or hop limit.
    pub(crate) hop_limit: u8,
}

impl Print {
    /// One number out of all fields but the hop limit, which stands in the lowest byte.
    fn digest(&self) -> u64 {
        const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
        let mix = |state: u64, word: u64| {
            let product = u128::from(state ^ word) * u128::from(ODD);
            (product >> 64) as u64 ^ product as u64
        };
        let pair = |high: u32, low: u32| u64::from(high) << 32 | u64::from(low);
        let digest = mix(ODD, pair(self.seq, self.ack));
        let digest = mix(digest, pair(self.timestamp, u32::from(self.flags) << 16 | u32::from(self.window)));
        let digest =
            mix(digest, pair(self.len, u32::from(self.checksum) << 16) ^ u64::from(self.identification));
        let digest = mix(digest, pair(self.flow.0, self.flow.1 as u32));
        digest & !0xff | u64::from(self.hop_limit)
    }
}

/// The packets of the last moments.
#[derive(Debug)]
pub(crate) struct Recent {
    slots: Box<[(u64, i64)]>,
}

impl Default for Recent {
    fn default() -> Self {
        Self { slots: vec![(0, i64::MIN / 2); SLOTS].into() }
    }
}

impl Recent {
    /// Whether this packet is a copy of one just seen. `mirrored` says that the flow has shown sure copies before: bare
    /// ACKs without an identification may well be sent twice by the host itself.
    pub(crate) fn is_copy(&mut self, print: &Print, time: i64, mirrored: bool) -> bool {
        const SYN: u16 = 2;
        let digest = print.digest();
        let slot = &mut self.slots[(digest >> 8) as usize % SLOTS];
        let age = time - slot.1;
        let same = slot.0 >> 8 == digest >> 8 && age >= 0;
        let sure = print.identification != 0 || slot.0 != digest;
        let likely = print.len > 0 || print.flags & SYN != 0 || mirrored;
        let copy = same && (sure && age <= SURE || likely && age <= LIKELY);
        if !copy {
            *slot = (digest, time);
        }
        copy
    }
}

#[cfg(test)]
mod tests {
    use super::{Print, Recent};

    fn print(identification: u32, len: u32) -> Print {
        Print {
            flow: (1, 0),
            seq: 1,
            ack: 2,
            checksum: 3,
            flags: 0x10,
            window: 4,
            timestamp: 5,
            len,
            identification,
            hop_limit: 64,
        }
    }

    #[test]
    fn copies_are_told_from_retransmissions() {
        let mut recent = Recent::default();
        assert!(!recent.is_copy(&print(7, 100), 0, false));
        assert!(recent.is_copy(&print(7, 100), 1_000, false));
        assert!(!recent.is_copy(&print(8, 100), 2_000, false), "another identification is another packet");
        assert!(!recent.is_copy(&Print { flow: (2, 0), ..print(7, 100) }, 3_000, false), "another flow");
        assert!(!recent.is_copy(&print(7, 100), 50_000_000, false), "too late for a copy");
    }

    #[test]
    fn bare_acks_without_identification_need_more_evidence() {
        let mut recent = Recent::default();
        assert!(!recent.is_copy(&print(0, 0), 0, false));
        assert!(!recent.is_copy(&print(0, 0), 1_000, false));
        assert!(recent.is_copy(&print(0, 0), 2_000, true), "the flow has been seen twice before");
        assert!(
            recent.is_copy(&Print { hop_limit: 63, ..print(0, 0) }, 3_000, false),
            "it went through a router"
        );
        let syn = Print { flags: 2, ..print(0, 0) };
        assert!(!recent.is_copy(&syn, 4_000, false));
        assert!(recent.is_copy(&syn, 5_000, false), "no host repeats a SYN at once");
    }
}
