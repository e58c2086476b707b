//! The search for the smallest hop limit that a target answers, where answers do not tell which probe they answer: one probe at a time.
//!
//! That much is known of the first such answer: it is to one of the probes that were sent. How far it has come, by its own hop limit,
//! is where the search begins. An answer costs a round trip, silence all attempts, so a limit that is answered is held against the
//! next smaller one first.

/// A search.
#[derive(Clone, Debug)]
pub(super) struct Pin {
    /// Largest limit that is known, or by now thought, to be too small.
    low: u8,
    /// Smallest limit that was answered, or else the largest that was sent.
    high: u8,
    /// Whether `high` was answered.
    sure: bool,
    /// Where to begin.
    guess: Option<u8>,
    /// Whether the limit below an answered one has been tried.
    beside: bool,
    /// What is being asked, and how often it was.
    asked: Option<(u8, u8)>,
}

impl Pin {
    /// A search above `low`, up to `high`, from a guess on.
    pub(super) fn new(low: u8, high: u8, guess: u8) -> Self {
        Self { low, high, sure: false, guess: Some(guess), beside: false, asked: None }
    }

    /// Whether a limit is being asked.
    pub(super) fn asks(&self, hop: u8) -> bool {
        self.asked.is_some_and(|(asked, _)| asked == hop)
    }

    /// Whether the search has found a limit that is answered.
    pub(super) fn has_found(&self) -> bool {
        self.sure
    }

    /// The target answered.
    pub(super) fn answered(&mut self, hop: u8) {
        self.asked = None;
        (self.high, self.sure) = (if self.sure { self.high.min(hop) } else { hop }, true);
    }

    /// A router said that the limit is too small.
    pub(super) fn too_small(&mut self, hop: u8) {
        self.asked = None;
        self.low = self.low.max(hop);
    }

    /// The limit to ask now that nothing is on its way, each so often at most; `None` when the search is over.
    pub(super) fn next(&mut self, tries: u8) -> Option<u8> {
        if let Some((hop, times)) = self.asked {
            if times < tries {
                self.asked = Some((hop, times + 1));
                return Some(hop);
            }
            self.too_small(hop);
        }
        let room = self.high.saturating_sub(self.low);
        let hop = match (self.sure, room) {
            (_, 0) | (true, 1) => return None,
            (true, _) if !self.beside => {
                self.beside = true;
                self.high - 1
            }
            (true, _) => self.low + room / 2,
            (false, _) => match self.guess.take() {
                Some(guess) => guess.clamp(self.low + 1, self.high),
                None => self.low + room.div_ceil(2),
            },
        };
        self.asked = Some((hop, 1));
        Some(hop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Searches for a target so many hops away; the limit that was found, answers and silences.
    fn search(low: u8, high: u8, guess: u8, distance: u8) -> (Option<u8>, u32, u32) {
        let mut pin = Pin::new(low, high, guess);
        let (mut answers, mut silences) = (0, 0);
        while let Some(hop) = pin.next(2) {
            assert!(pin.asks(hop) && (low + 1..=high).contains(&hop), "{hop}");
            if hop >= distance {
                pin.answered(hop);
                answers += 1;
            } else {
                silences += 1;
            }
            assert!(answers + silences < 40);
        }
        (pin.has_found().then_some(pin.high), answers, silences)
    }

    #[test]
    fn a_right_guess_costs_an_answer_and_a_silence() {
        assert_eq!(search(0, 6, 5, 5), (Some(5), 1, 2));
        assert_eq!(search(4, 6, 5, 5), (Some(5), 1, 0));
        assert_eq!(search(0, 6, 1, 1), (Some(1), 1, 0));
    }

    #[test]
    fn wherever_it_is_it_is_found() {
        for high in 1..=30 {
            for low in 0..high {
                for distance in low + 1..=high {
                    for guess in [0, 1, low, distance - 1, distance, distance + 1, 30, 255] {
                        let (found, answers, silences) = search(low, high, guess, distance);
                        assert_eq!(found, Some(distance), "{low} {high} {guess}");
                        assert!(answers <= 7 && silences <= 14, "{answers} {silences}");
                    }
                }
            }
        }
        // What was answered before is not any more.
        assert_eq!(search(0, 6, 5, 40).0, None);
        // A router knows better.
        let mut pin = Pin::new(0, 6, 5);
        assert_eq!(pin.next(2), Some(5));
        pin.answered(5);
        assert_eq!(pin.next(2), Some(4));
        pin.too_small(4);
        assert_eq!((pin.next(2), pin.has_found()), (None, true));
    }
}
