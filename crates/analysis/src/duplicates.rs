//! Packets captured twice: a mirror port, a capture on `any`, both sides of a router.
//!
//! A copy has the same sequence number, ACK, flags, checksum, timestamps and IP identification as its original and
//! comes right after it, while a retransmission comes a round-trip time later and under another identification.
//!
//! Captures of both ends of a path, read as one, hold each packet twice as well, a path's delay apart: then the copy comes from
//! another file or interface, and the first of the two stands, as a rule the sender's.

/// How many packets are remembered, all flows together. A power of two.
const SLOTS: usize = 1 << 14;
/// A copy with the same non-zero IP identification, or with another hop limit, comes within this time, in nanoseconds.
const SURE: i64 = 5_000_000;
/// Any other copy comes within this time.
const LIKELY: i64 = 200_000;
/// How many packets are remembered when there are several capture points. A power of two.
const FAR_SLOTS: usize = 1 << 17;
/// So many of them share a set.
const WAYS: usize = 4;
/// A packet takes at most so long from one capture point to another, by their clocks, in nanoseconds.
const FAR: i64 = 2_000_000_000;

/// A capture point: number of the file, and of the interface in it.
pub(crate) type Point = (u32, u32);

/// Where a packet had been seen before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Before {
    /// Here, just now.
    Here,
    /// At another capture point.
    Elsewhere,
}

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
    /// One number out of all fields but the hop limit, which stands in the lowest byte, and the checksum, which a sender with
    /// offloading has not computed yet.
    fn digest(&self) -> u64 {
        const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
        let mix = |state: u64, word: u64| {
            let product = u128::from(state ^ word) * u128::from(ODD);
            (product >> 64) as u64 ^ product as u64
        };
        let pair = |high: u32, low: u32| u64::from(high) << 32 | u64::from(low);
        let digest = mix(ODD, pair(self.seq, self.ack));
        let digest = mix(digest, pair(self.timestamp, u32::from(self.flags) << 16 | u32::from(self.window)));
        let digest = mix(digest, pair(self.len, self.identification));
        let digest = mix(digest, pair(self.flow.0, self.flow.1 as u32));
        digest & !0xff | u64::from(self.hop_limit)
    }

    /// Whether a second packet like this one is hardly another one: it has a number of its own, or brings data; in a flow that was
    /// captured twice a clock is enough, without which bare ACKs are too much alike.
    const fn tells(&self, twice: bool) -> bool {
        self.identification != 0 || self.len > 0 || twice && self.timestamp != 0
    }
}

/// Where a flow was seen to have copies.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Copies {
    here: bool,
    elsewhere: bool,
}

impl Copies {
    /// One more copy.
    pub(crate) const fn note(&mut self, before: Before) {
        match before {
            Before::Here => self.here = true,
            Before::Elsewhere => self.elsewhere = true,
        }
    }
}

/// The packets of the last moments.
#[derive(Debug)]
pub(crate) struct Recent {
    /// Digest, with the checksum in it, and time of each.
    slots: Box<[(u64, i64)]>,
    far: Option<Far>,
    point: Option<Point>,
    /// Capture points so far, while none has come again.
    points: Vec<Point>,
}

impl Default for Recent {
    fn default() -> Self {
        Self { slots: vec![(0, i64::MIN / 2); SLOTS].into(), far: None, point: None, points: Vec::new() }
    }
}

impl Recent {
    /// The next packet was captured here.
    #[inline]
    pub(crate) fn at(&mut self, point: Point) {
        if self.point != Some(point) {
            self.moved(point);
        }
    }

    #[cold]
    fn moved(&mut self, point: Point) {
        self.point = Some(point);
        if self.far.is_some() {
            return;
        }
        if self.points.contains(&point) {
            // Files of one capture follow each other; captures of several points take turns.
            self.far = Some(Far::default());
        } else {
            self.points.push(point);
        }
    }

    /// Where this packet was seen before, if it is a copy. `flow` says where its flow has shown sure copies before: bare ACKs
    /// without an identification may well be sent twice by the host itself.
    #[inline]
    pub(crate) fn seen(&mut self, print: &Print, time: i64, flow: Copies) -> Option<Before> {
        const SYN: u16 = 2;
        let digest = print.digest();
        if let (Some(far), Some(point)) = (&mut self.far, self.point)
            && far.is_copy(digest, point, time, print.tells(flow.elsewhere))
        {
            return Some(Before::Elsewhere);
        }
        let digest = digest ^ u64::from(print.checksum) << 48;
        let slot = &mut self.slots[(digest >> 8) as usize % SLOTS];
        let age = time - slot.1;
        let same = slot.0 >> 8 == digest >> 8 && age >= 0;
        let sure = print.identification != 0 || slot.0 != digest;
        let likely = print.len > 0 || print.flags & SYN != 0 || flow.here;
        if same && (sure && age <= SURE || likely && age <= LIKELY) {
            return Some(Before::Here);
        }
        *slot = (digest, time);
        None
    }
}

/// A packet that was seen: digest, capture point and time.
type Sighting = (u64, Point, i64);

/// The packets of the last seconds, with the place where each was seen first. A few share a set, the oldest of which makes room.
#[derive(Debug)]
struct Far {
    sets: Box<[[Sighting; WAYS]]>,
}

impl Default for Far {
    fn default() -> Self {
        Self { sets: vec![[(0, (0, 0), i64::MIN / 2); WAYS]; FAR_SLOTS / WAYS].into() }
    }
}

impl Far {
    fn is_copy(&mut self, digest: u64, point: Point, time: i64, tells: bool) -> bool {
        let set = &mut self.sets[(digest >> 8) as usize % (FAR_SLOTS / WAYS)];
        let same = |seen: &Sighting| seen.0 >> 8 == digest >> 8 && (0..=FAR).contains(&(time - seen.2));
        if tells && set.iter().any(|seen| same(seen) && seen.1 != point) {
            return true;
        }
        if let Some(oldest) = set.iter_mut().min_by_key(|seen| seen.2) {
            *oldest = (digest, point, time);
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::{Before, Copies, Print, Recent};

    const NONE: Copies = Copies { here: false, elsewhere: false };
    const HERE: Copies = Copies { here: true, ..NONE };
    const ELSEWHERE: Copies = Copies { elsewhere: true, ..NONE };

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
        assert_eq!(None, recent.seen(&print(7, 100), 0, NONE));
        assert_eq!(Some(Before::Here), recent.seen(&print(7, 100), 1_000, NONE));
        assert_eq!(
            None,
            recent.seen(&print(8, 100), 2_000, NONE),
            "another identification is another packet"
        );
        assert_eq!(None, recent.seen(&Print { flow: (2, 0), ..print(7, 100) }, 3_000, NONE), "another flow");
        assert_eq!(None, recent.seen(&print(7, 100), 50_000_000, NONE), "too late for a copy");
    }

    #[test]
    fn bare_acks_without_identification_need_more_evidence() {
        let mut recent = Recent::default();
        assert_eq!(None, recent.seen(&print(0, 0), 0, NONE));
        assert_eq!(None, recent.seen(&print(0, 0), 1_000, NONE));
        assert_eq!(
            Some(Before::Here),
            recent.seen(&print(0, 0), 2_000, HERE),
            "the flow has been seen twice before"
        );
        assert_eq!(
            Some(Before::Here),
            recent.seen(&Print { hop_limit: 63, ..print(0, 0) }, 3_000, NONE),
            "it went through a router"
        );
        let syn = Print { flags: 2, ..print(0, 0) };
        assert_eq!(None, recent.seen(&syn, 4_000, NONE));
        assert_eq!(Some(Before::Here), recent.seen(&syn, 5_000, NONE), "no host repeats a SYN at once");
    }

    #[test]
    fn packets_of_both_ends_are_one() {
        let mut recent = Recent::default();
        let (client, server) = ((0, 0), (1, 0));
        recent.at(client);
        // Before anybody knows that there is a second point, packets are remembered for a short time only.
        assert_eq!(recent.seen(&print(6, 100), 0, NONE), None);
        recent.at(server);
        assert_eq!(recent.seen(&print(1, 0), 0, NONE), None);
        recent.at(client);
        assert_eq!(recent.seen(&print(7, 100), 1_000, NONE), None);
        recent.at(server);
        let arrived = Print { hop_limit: 60, checksum: 9, ..print(7, 100) };
        assert_eq!(recent.seen(&arrived, 40_000_000, NONE), Some(Before::Elsewhere));
        recent.at(client);
        assert_eq!(recent.seen(&print(8, 100), 300_000_000, NONE), None, "a retransmission");
        recent.at(server);
        assert_eq!(recent.seen(&print(8, 100), 340_000_000, NONE), Some(Before::Elsewhere));
        assert_eq!(recent.seen(&print(8, 100), 3_000_000_000, NONE), None, "too late for any path");
        recent.at(client);
        let bare = Print { timestamp: 0, ..print(0, 0) };
        assert_eq!(recent.seen(&bare, 3_100_000_000, ELSEWHERE), None);
        recent.at(server);
        assert_eq!(recent.seen(&bare, 3_200_000_000, ELSEWHERE), None, "nothing tells it from another one");
        let clocked = print(0, 0);
        recent.at(client);
        assert_eq!(recent.seen(&clocked, 4_000_000_000, NONE), None);
        recent.at(server);
        assert_eq!(recent.seen(&clocked, 4_001_000_000, NONE), None, "a host may send two of them");
        recent.at(client);
        assert_eq!(recent.seen(&clocked, 4_002_000_000, ELSEWHERE), Some(Before::Elsewhere));
    }
}
