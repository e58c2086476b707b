//! Packets captured twice: a mirror port, a capture on `any`, both sides of a router.
//!
//! A copy has the same sequence number, ACK, flags, checksum, timestamps and IP identification as its original and
//! comes right after it, while a retransmission comes a round-trip time later and under another identification.

/// How many packets of a direction are remembered.
const REMEMBERED: usize = 4;
/// A copy with the same non-zero IP identification comes within this time, in nanoseconds.
const WITH_IDENTIFICATION: i64 = 5_000_000;
/// A copy without one comes within this time.
const WITHOUT_IDENTIFICATION: i64 = 200_000;

/// The fields of a packet that its copies share.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Print {
    /// TCP sequence number.
    pub(crate) seq: u32,
    /// TCP acknowledgement number.
    pub(crate) ack: u32,
    /// TCP checksum.
    pub(crate) checksum: u16,
    /// TCP flags and window.
    pub(crate) flags_window: u32,
    /// TCP timestamp value.
    pub(crate) timestamp: u32,
    /// Payload bytes on the wire.
    pub(crate) len: u32,
    /// IP identification, 0 where there is none.
    pub(crate) identification: u32,
}

impl Print {
    /// One number out of all fields.
    fn digest(&self) -> u64 {
        const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
        let mix = |state: u64, word: u64| {
            let product = u128::from(state ^ word) * u128::from(ODD);
            (product >> 64) as u64 ^ product as u64
        };
        let digest = mix(ODD, u64::from(self.seq) << 32 | u64::from(self.ack));
        let digest = mix(digest, u64::from(self.timestamp) << 32 | u64::from(self.flags_window));
        mix(
            digest,
            u64::from(self.len) << 32 | u64::from(self.checksum) << 16 ^ u64::from(self.identification),
        )
    }
}

/// The last packets of one direction of a flow.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recent {
    seen: [(u64, i64); REMEMBERED],
    at: u8,
}

impl Recent {
    /// Whether this packet is a copy of one just seen. `mirrored` says that the flow has shown sure copies before, as
    /// bare ACKs without an identification may well be sent twice by the host itself.
    pub(crate) fn is_copy(&mut self, print: &Print, time: i64, mirrored: bool) -> bool {
        let digest = print.digest();
        let limit = if print.identification != 0 { WITH_IDENTIFICATION } else { WITHOUT_IDENTIFICATION };
        let sure = print.identification != 0 || print.len > 0 || mirrored;
        let copy = sure
            && self.seen.iter().any(|&(other, at)| other == digest && (0..=limit).contains(&(time - at)));
        if !copy {
            self.seen[usize::from(self.at) % REMEMBERED] = (digest, time);
            self.at = self.at.wrapping_add(1);
        }
        copy
    }
}

#[cfg(test)]
mod tests {
    use super::{Print, Recent};

    fn print(identification: u32, len: u32) -> Print {
        Print { seq: 1, ack: 2, checksum: 3, flags_window: 4, timestamp: 5, len, identification }
    }

    #[test]
    fn copies_are_told_from_retransmissions() {
        let mut recent = Recent::default();
        assert!(!recent.is_copy(&print(7, 100), 0, false));
        assert!(recent.is_copy(&print(7, 100), 1_000, false));
        assert!(!recent.is_copy(&print(8, 100), 2_000, false), "another identification is another packet");
        assert!(!recent.is_copy(&print(7, 100), 50_000_000, false), "too late for a copy");
    }

    #[test]
    fn bare_acks_without_identification_need_more_evidence() {
        let mut recent = Recent::default();
        assert!(!recent.is_copy(&print(0, 0), 0, false));
        assert!(!recent.is_copy(&print(0, 0), 1_000, false));
        assert!(recent.is_copy(&print(0, 0), 2_000, true));
        assert!(!recent.is_copy(&print(0, 50), 3_000, false));
        assert!(recent.is_copy(&print(0, 50), 4_000, false));
    }
}
