//! Which subflow carries what comes next.

use crate::time::Duration;

/// A scheduler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Scheduler {
    /// The subflow with room that has the smallest smoothed round-trip time; backup subflows only where no other is usable.
    #[default]
    LowestRtt,
    /// Subflows with room in turn, a segment each.
    RoundRobin,
    /// Every subflow carries everything that has not arrived yet.
    Redundant,
}

/// A subflow as the scheduler sees it.
#[derive(Clone, Copy, Debug)]
pub struct Candidate {
    /// Its number in the connection.
    pub number: u16,
    /// Whether it is established, not closing, and does not repair after a timeout.
    pub usable: bool,
    /// Whether its congestion window has room for a segment.
    pub room: bool,
    /// Whether it is used only when there is no other.
    pub backup: bool,
    /// Smoothed round-trip time; zero before it was measured.
    pub srtt: Duration,
}

impl Scheduler {
    /// The place in `candidates` of the subflow to take; `last` is the number of the one taken before.
    pub fn pick(self, candidates: impl Iterator<Item = Candidate> + Clone, last: u16) -> Option<usize> {
        // A backup subflow is for the time when no other is usable at all, not for when the others are full.
        let regular = candidates.clone().any(|c| c.usable && !c.backup);
        let open = candidates.enumerate().filter(|(_, c)| c.usable && c.room && c.backup != regular);
        match self {
            Self::LowestRtt | Self::Redundant => open.min_by_key(|(_, c)| (c.srtt, c.number)),
            Self::RoundRobin => open.min_by_key(|(_, c)| (c.number <= last, c.number)),
        }
        .map(|(place, _)| place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subflow(number: u16, srtt: u64) -> Candidate {
        Candidate { number, usable: true, room: true, backup: false, srtt: Duration::from_millis(srtt) }
    }

    #[test]
    fn smallest_round_trip_time_with_room() {
        let all = [subflow(0, 30), subflow(1, 10), subflow(2, 20)];
        assert_eq!(Scheduler::LowestRtt.pick(all.into_iter(), 0), Some(1));
        let full = all.map(|c| Candidate { room: c.number != 1, ..c });
        assert_eq!(Scheduler::LowestRtt.pick(full.into_iter(), 0), Some(2));
        let dead = all.map(|c| Candidate { usable: false, ..c });
        assert_eq!(Scheduler::LowestRtt.pick(dead.into_iter(), 0), None);
    }

    #[test]
    fn a_backup_waits_until_no_other_is_usable() {
        let all = [subflow(0, 30), Candidate { backup: true, ..subflow(1, 10) }];
        assert_eq!(Scheduler::LowestRtt.pick(all.into_iter(), 0), Some(0));
        let full = [Candidate { room: false, ..all[0] }, all[1]];
        assert_eq!(Scheduler::LowestRtt.pick(full.into_iter(), 0), None);
        let dead = [Candidate { usable: false, ..all[0] }, all[1]];
        assert_eq!(Scheduler::LowestRtt.pick(dead.into_iter(), 0), Some(1));
    }

    #[test]
    fn in_turn() {
        let all = [subflow(0, 30), subflow(1, 10), subflow(2, 20)];
        assert_eq!(Scheduler::RoundRobin.pick(all.into_iter(), 0), Some(1));
        assert_eq!(Scheduler::RoundRobin.pick(all.into_iter(), 2), Some(0));
        let full = all.map(|c| Candidate { room: c.number != 1, ..c });
        assert_eq!(Scheduler::RoundRobin.pick(full.into_iter(), 0), Some(2));
    }
}
