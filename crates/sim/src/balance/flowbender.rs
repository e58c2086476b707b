//! FlowBender (Kabbani, Vamanan, Hasan, Duchene, "FlowBender: flow-level adaptive routing for improved latency and throughput in
//! datacenter networks", CoNEXT 2014).
//!
//! Switches hash a value V of the packet (its TTL, a port) besides the addresses. Once per round trip the sender takes the fraction F of
//! its ACKs that carry an ECN echo: when F > T in N rounds on end, it picks another V, and with it another path. A retransmission
//! timeout picks another V, too, so that a flow leaves a dead link within one timeout.
//!
//! T is 5 % and N is 1 in all known code. Flows that collide and all move at once collide again; [`Patience`] can randomise N.

use super::rounds::Rounds;
use crate::random::Random;

/// In how many congested rounds on end a flow moves: N.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Patience {
    /// Always so many.
    Fixed(u32),
    /// Uniform from the first to the second, drawn again after every move.
    Between(u32, u32),
    /// After so many, with this probability in each further congested round: N is geometric.
    Chance(u32, f64),
}

/// The parameters of FlowBender.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// T: the marked fraction above which a round is congested.
    pub threshold: f64,
    /// N.
    pub patience: Patience,
    /// How many values V has.
    pub values: u32,
    /// Whether a retransmission timeout moves the flow.
    pub on_timeout: bool,
}

impl Default for Settings {
    /// T = 5 %, N = 1, eight values, moves on timeouts.
    fn default() -> Self {
        Self { threshold: 0.05, patience: Patience::Fixed(1), values: 8, on_timeout: true }
    }
}

/// What one sender keeps for one flow.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FlowBender {
    rounds: Rounds,
    value: u32,
    congested: u32,
    patience: u32,
}

impl FlowBender {
    /// A flow begins with a random V.
    pub fn new(settings: &Settings, random: &mut Random) -> Self {
        let value = random.below(u64::from(settings.values)) as u32;
        let patience = draw(settings, random);
        Self { rounds: Rounds::default(), value, congested: 0, patience }
    }

    /// V, below [`Settings::values`].
    pub fn value(&self) -> u32 {
        self.value
    }

    /// An ACK: the first byte not acknowledged, the next to be sent, bytes newly acknowledged and those of them with an ECN echo.
    /// Yields V when it has changed.
    pub fn on_ack(
        &mut self,
        settings: &Settings,
        (una, nxt): (u64, u64),
        (acked, marked): (u64, u64),
        random: &mut Random,
    ) -> Option<u32> {
        let fraction = self.rounds.on_ack(una, nxt, acked, marked)?;
        if fraction > settings.threshold {
            self.congested += 1;
        } else {
            self.congested = 0;
        }
        if self.congested < self.patience {
            return None;
        }
        if let Patience::Chance(_, probability) = settings.patience
            && !random.chance(probability)
        {
            return None;
        }
        self.moves(settings, random)
    }

    /// The retransmission timer ran out; `nxt` is the next byte to be sent. Yields V when it has changed.
    pub fn on_timeout(&mut self, settings: &Settings, nxt: u64, random: &mut Random) -> Option<u32> {
        self.rounds.begin(nxt);
        self.congested = 0;
        if settings.on_timeout { self.moves(settings, random) } else { None }
    }

    /// Another V, each of the others equally likely.
    fn moves(&mut self, settings: &Settings, random: &mut Random) -> Option<u32> {
        self.congested = 0;
        self.patience = draw(settings, random);
        if settings.values < 2 {
            return None;
        }
        let value = random.below(u64::from(settings.values) - 1) as u32;
        self.value = value + u32::from(value >= self.value);
        Some(self.value)
    }
}

/// N for the next move, at least 1.
fn draw(settings: &Settings, random: &mut Random) -> u32 {
    match settings.patience {
        Patience::Fixed(n) | Patience::Chance(n, _) => n.max(1),
        Patience::Between(least, most) => {
            let least = least.max(1);
            least + random.below(u64::from(most.saturating_sub(least)) + 1) as u32
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Purpose;

    fn random(seed: u64) -> Random {
        Random::new(seed, Purpose::Balancing)
    }

    /// A round of 100 bytes of which `marked` are marked; yields the new V.
    fn round(
        bender: &mut FlowBender,
        settings: &Settings,
        at: &mut u64,
        marked: u64,
        random: &mut Random,
    ) -> Option<u32> {
        *at += 100;
        bender.on_ack(settings, (*at, *at + 100), (100, marked), random)
    }

    #[test]
    fn moves_above_the_threshold_only() {
        let settings = Settings::default();
        let random = &mut random(1);
        let mut bender = FlowBender::new(&settings, random);
        let (first, mut at) = (bender.value(), 0);
        assert_eq!(round(&mut bender, &settings, &mut at, 5, random), None, "F = T is not above it");
        let moved = round(&mut bender, &settings, &mut at, 6, random);
        assert!(moved.is_some_and(|value| value != first && value < 8 && value == bender.value()));
    }

    #[test]
    fn n_rounds_on_end() {
        let settings = Settings { patience: Patience::Fixed(3), ..Settings::default() };
        let random = &mut random(1);
        let mut bender = FlowBender::new(&settings, random);
        let mut at = 0;
        let moves = [9, 9, 0, 9, 9, 9, 9, 9, 9]
            .map(|marked| round(&mut bender, &settings, &mut at, marked, random).is_some());
        assert_eq!(moves, [false, false, false, false, false, true, false, false, true]);
    }

    #[test]
    fn timeouts_move_unless_told_otherwise() {
        let mut settings = Settings::default();
        let random = &mut random(1);
        let mut bender = FlowBender::new(&settings, random);
        let before = bender.value();
        assert!(bender.on_timeout(&settings, 500, random).is_some_and(|value| value != before));
        settings.on_timeout = false;
        assert_eq!(bender.on_timeout(&settings, 500, random), None);
        let one = Settings { values: 1, ..Settings::default() };
        assert_eq!(FlowBender::new(&one, random).on_timeout(&one, 0, random), None);
    }

    #[test]
    fn other_values_are_equally_likely() {
        let settings = Settings::default();
        let random = &mut random(2);
        let mut bender = FlowBender::new(&settings, random);
        let mut steps = [0.0; 8];
        for _ in 0..7000 {
            let before = bender.value();
            let after = bender.on_timeout(&settings, 0, random).unwrap();
            steps[((after + 8 - before) % 8) as usize] += 1.0;
        }
        assert_eq!(steps[0], 0.0);
        // Chi square with 6 degrees of freedom: 22.5 is exceeded once in a thousand.
        let chi2: f64 = steps[1..].iter().map(|n| (n - 1000.0f64).powi(2) / 1000.0).sum();
        assert!(chi2 < 22.5, "{chi2}");
    }

    #[test]
    fn n_can_be_drawn() {
        let settings = Settings { patience: Patience::Between(1, 4), ..Settings::default() };
        let random = &mut random(3);
        let mut counts = [0; 5];
        for _ in 0..4000 {
            counts[draw(&settings, random) as usize] += 1;
        }
        assert!(counts[0] == 0 && counts[1..].iter().all(|&n: &i32| n.abs_diff(1000) < 165), "{counts:?}");
    }

    /// Eight flows on eight paths, a switch hashing V to one of them, so that another V may well be the same path. A path with more than one
    /// flow marks. Yields the mean rate (each of n flows on a path has 1/n of it) after so many round trips.
    fn converge(patience: Patience, rounds: u64) -> f64 {
        const RUNS: u32 = 2000;
        let settings = Settings { patience, values: 1 << 16, ..Settings::default() };
        let mut total = 0.0;
        for seed in 0..RUNS {
            let random = &mut random(u64::from(seed));
            let mut flows: Vec<_> = (0..8).map(|_| FlowBender::new(&settings, random)).collect();
            let path = |flow: &FlowBender| crate::random::mix(u64::from(flow.value())) as usize % 8;
            let on = |flows: &[FlowBender]| {
                let mut on = [0u32; 8];
                flows.iter().for_each(|flow| on[path(flow)] += 1);
                on
            };
            for at in 1..=rounds {
                let on = on(&flows);
                for flow in &mut flows {
                    let marked = if on[path(flow)] > 1 { 100 } else { 0 };
                    flow.on_ack(&settings, (100 * at, 100 * at + 100), (100, marked), random);
                }
            }
            total += f64::from(on(&flows).iter().filter(|&&n| n > 0).count() as u32) / 8.0;
        }
        total / f64::from(RUNS)
    }

    #[test]
    fn all_at_once_do_not_converge() {
        // 1 − (7/8)^8 = .656 at first.
        for (patience, rounds, expected) in [
            (Patience::Fixed(1), 0, 0.656),
            (Patience::Fixed(1), 20, 0.76),
            (Patience::Chance(1, 0.5), 20, 0.91),
        ] {
            let found = converge(patience, rounds);
            assert!((found - expected).abs() < 0.01, "{patience:?}: {found}");
        }
    }
}
