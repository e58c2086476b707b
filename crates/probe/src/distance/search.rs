//! The search for the smallest hop limit that is answered.

use super::{Distance, back};

/// The hop limit that is tried first, with which every target is in reach.
pub(super) const FULL: u8 = 64;
/// A limit that nothing answered so often does not reach the target.
const TRIES: u8 = 2;
/// How often the first limit is tried.
const FIRST_TRIES: u8 = 3;
/// Limits tried at once, from the guess on upwards and down from an answered one.
const UP: u8 = 6;
const DOWN: u8 = 4;

/// A search, in rounds: ask all that [`next`](Self::next) names, tell what became of each, ask for the next.
#[derive(Clone, Debug)]
pub(super) struct Search {
    distance: Distance,
    /// How often nothing answered.
    silent: [u8; FULL as usize + 1],
    guess: Option<u8>,
}

impl Search {
    pub(super) fn new() -> Self {
        Self { distance: Distance::default(), silent: [0; FULL as usize + 1], guess: None }
    }

    pub(super) fn distance(&self) -> Distance {
        self.distance
    }

    /// The limits to ask now; none when the search is over.
    pub(super) fn next(&mut self) -> std::ops::Range<u8> {
        let nothing = 0..0;
        let Some(upper) = self.distance.hops else {
            let again = self.silent[usize::from(FULL)] < FIRST_TRIES && self.distance.beyond < FULL;
            return if again { FULL..FULL + 1 } else { nothing };
        };
        // Whatever is less than a limit that does not reach the target does not reach it either.
        let dumb = (1..upper).rev().find(|&limit| self.silent[usize::from(limit)] >= TRIES);
        let floor = self.distance.beyond.max(dumb.unwrap_or(0));
        if floor + 1 >= upper {
            return nothing;
        }
        if upper < FULL {
            return (floor + 1).max(upper.saturating_sub(DOWN))..upper;
        }
        let (from, to) = match self.guess.take() {
            Some(guess) => (guess.saturating_sub(2), guess.saturating_add(1)),
            None => (floor + 1, floor + UP),
        };
        let from = from.clamp(floor + 1, FULL - 1);
        from..to.clamp(from, FULL - 1) + 1
    }

    /// The target answered; its answer came with this hop limit left.
    pub(super) fn answered(&mut self, limit: u8, left: u8) {
        if self.distance.hops.is_none() {
            // The way back is as long, mostly.
            self.guess = Some(back(left).clamp(1, FULL - 1));
        }
        if self.distance.hops.is_none_or(|hops| limit <= hops) {
            self.distance.back = Some(back(left));
        }
        self.distance.hops = Some(self.distance.hops.map_or(limit, |hops| hops.min(limit)));
    }

    /// A router said that the limit was too small.
    pub(super) fn exceeded(&mut self, limit: u8) {
        self.distance.beyond = self.distance.beyond.max(limit);
    }

    /// Nothing came.
    pub(super) fn silent(&mut self, limit: u8) {
        if let Some(times) = self.silent.get_mut(usize::from(limit)) {
            *times = times.saturating_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Searches for a target so many hops away whose routers are silent or not; the answers of which further limits get lost the
    /// first time. The distance, the rounds and the packets.
    fn search(hops: u8, silent: &[u8], lost: &[u8], begun: u8, back: u8) -> (Distance, u32, u32) {
        let (mut search, mut rounds, mut packets) = (Search::new(), 0, 0);
        let mut asked = [0_u32; 65];
        loop {
            let round = search.next();
            if round.is_empty() {
                return (search.distance(), rounds, packets);
            }
            rounds += 1;
            assert!(rounds < 40, "no end");
            for limit in round {
                packets += 1;
                asked[usize::from(limit)] += 1;
                if lost.contains(&limit) && asked[usize::from(limit)] == 1 {
                    search.silent(limit);
                } else if limit >= hops {
                    search.answered(limit, begun - back + 1);
                } else if silent.contains(&limit) {
                    search.silent(limit);
                } else {
                    search.exceeded(limit);
                }
            }
        }
    }

    #[test]
    fn the_smallest_limit_is_found_wherever_it_is() {
        for hops in 1_u8..60 {
            for begun in [64, 128, 255] {
                // The way back is as long, longer, or shorter.
                for back in [hops, hops + 3, hops.saturating_sub(4).max(1)] {
                    let (distance, rounds, _) = search(hops, &[], &[], begun, back);
                    assert_eq!((distance.hops, distance.beyond), (Some(hops), hops - 1));
                    assert!(rounds <= 5, "{hops} {back}: {rounds}");
                    let all: Vec<u8> = (1..64).collect();
                    let (distance, ..) = search(hops, &all, &[], begun, back);
                    assert_eq!((distance.hops, distance.beyond), (Some(hops), 0));
                }
            }
        }
        let (_, rounds, packets) = search(5, &[], &[], 64, 5);
        assert_eq!((rounds, packets), (2, 5));
    }

    #[test]
    fn losses_and_silence() {
        for lost in 1..=64 {
            assert_eq!(search(5, &[], &[lost], 64, 5).0.hops, Some(5), "{lost}");
            assert_eq!(search(5, &[4, 3], &[lost], 64, 5).0.hops, Some(5), "{lost}");
        }
        // Nobody there: three packets.
        let mut nobody = Search::new();
        for _ in 0..3 {
            assert_eq!(nobody.next(), 64..65);
            nobody.silent(64);
        }
        assert!(nobody.next().is_empty());
        assert_eq!(nobody.distance(), Distance::default());
        // A loop.
        let mut around = Search::new();
        around.exceeded(64);
        assert!(around.next().is_empty());
    }
}
