//! What the sender of one direction knows of a subflow, as far as a capture shows it: for judging choices between subflows.

use super::recovery::Recovery;

/// One direction of a subflow, for the other subflows of its connection to look at.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Path {
    /// Smoothed round-trip time of Karn samples (RFC 6298, section 2), in nanoseconds.
    srtt: Option<i64>,
    /// The shortest sample.
    shortest: Option<i64>,
    flight: i64,
    /// The most that was in flight since the last repeat: as much as the congestion window has shown to hold.
    proven: i64,
    /// Highest position acknowledged.
    pub(crate) acked: Option<i64>,
    /// How it recovers from loss.
    pub(crate) recovery: Recovery,
}

impl Path {
    /// A round-trip time was sampled.
    #[inline]
    pub(crate) fn sample(&mut self, rtt: i64) {
        self.srtt = Some(self.srtt.map_or(rtt, |srtt| srtt + (rtt - srtt) / 8));
        self.shortest = Some(self.shortest.map_or(rtt, |shortest| shortest.min(rtt)));
    }

    /// So many bytes are in flight from here on.
    #[inline]
    pub(crate) fn in_flight(&mut self, bytes: i64) {
        self.flight = bytes.max(0);
        self.proven = self.proven.max(self.flight);
    }

    /// Something was repeated: half of what is in flight is a safe guess at the window after it (RFC 5681, section 3.1).
    pub(crate) fn repeated(&mut self) {
        self.proven = self.flight / 2;
    }

    /// The shortest round-trip time in nanoseconds.
    pub(crate) const fn shortest(&self) -> Option<i64> {
        self.shortest
    }

    /// Whether so many more bytes surely fit into the congestion window.
    pub(crate) const fn has_room(&self, bytes: i64) -> bool {
        self.flight + bytes <= self.proven
    }
}

/// How often the choice between subflows could be judged, and how often it fell on the lowest round-trip time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Choices {
    /// Packets with new data that had more than one subflow to go by.
    pub(crate) judged: u64,
    /// Those of them that took the one with the lowest smoothed round-trip time.
    pub(crate) lowest: u64,
}

impl Choices {
    /// A packet with `bytes` new bytes takes the first of `paths`; the rest are the other usable ones. A choice cannot be judged
    /// when a round-trip time is not known, or when no other surely has room.
    pub(crate) fn judge<'a>(&mut self, taken: &Path, others: impl Iterator<Item = &'a Path>, bytes: i64) {
        let Some(rtt) = taken.srtt else { return };
        let (mut rivals, mut lowest) = (0, true);
        for other in others {
            let Some(srtt) = other.srtt else { return };
            if other.has_room(bytes) {
                rivals += 1;
                lowest &= rtt <= srtt;
            }
        }
        if rivals > 0 {
            self.judged += 1;
            self.lowest += u64::from(lowest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Choices, Path};

    fn path(rtt: i64, proven: i64, flight: i64) -> Path {
        let mut path = Path::default();
        path.sample(rtt);
        path.in_flight(proven);
        path.in_flight(flight);
        path
    }

    #[test]
    fn smoothing_follows_rfc_6298() {
        let mut path = Path::default();
        path.sample(80);
        path.sample(160);
        assert_eq!((path.srtt, path.shortest()), (Some(90), Some(80)));
    }

    #[test]
    fn only_rivals_with_room_count() {
        let (fast, slow) = (path(10, 5000, 3000), path(50, 5000, 3000));
        let mut choices = Choices::default();
        choices.judge(&fast, [slow].iter(), 1000);
        assert_eq!((choices.judged, choices.lowest), (1, 1));
        choices.judge(&slow, [fast].iter(), 1000);
        assert_eq!((choices.judged, choices.lowest), (2, 1), "the fast one had room");
        choices.judge(&slow, [fast].iter(), 3000);
        assert_eq!(choices.judged, 2, "nobody else surely had room");
        choices.judge(&fast, [Path::default()].iter(), 1000);
        assert_eq!(choices.judged, 2, "a round-trip time is not known");
    }

    #[test]
    fn a_repeat_takes_back_what_was_proven() {
        let mut path = path(10, 8000, 4000);
        assert!(path.has_room(4000));
        path.repeated();
        assert!(!path.has_room(1));
        path.in_flight(1000);
        assert!(path.has_room(1000));
    }
}
