//! PLB, protective load balancing (Qureshi and others, "PLB: congestion signals are simple and effective for network load balancing",
//! SIGCOMM 2022), with the rules and defaults of Linux (`net.ipv4.tcp_plb_*`).
//!
//! A round trip is congested when at least half of what it acknowledged was marked. After 3 congested rounds on end a flow that has nothing
//! on its way moves to another path, after 12 one that has. After a retransmission timeout moves are suspended for 60 to 120 s, drawn at
//! random; the timeout itself moves the flow.

use super::rounds::Rounds;
use crate::random::Random;
use crate::time::{Duration, Time};

/// The parameters of PLB.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// The marked fraction from which a round is congested (`tcp_plb_cong_thresh`).
    pub threshold: f64,
    /// Congested rounds on end after which an idle flow moves (`tcp_plb_idle_rehash_rounds`).
    pub idle_rounds: u32,
    /// Congested rounds on end after which any flow moves (`tcp_plb_rehash_rounds`).
    pub rounds: u32,
    /// Moves are suspended after a timeout for once to twice this time (`tcp_plb_suspend_rto_sec`).
    pub suspend: Duration,
    /// How many paths values stand for.
    pub values: u32,
}

impl Default for Settings {
    /// Linux's: 50 %, 3 rounds, 12 rounds, 60 s; eight values.
    fn default() -> Self {
        Self { threshold: 0.5, idle_rounds: 3, rounds: 12, suspend: Duration::from_secs(60), values: 8 }
    }
}

/// What one sender keeps for one flow.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plb {
    marks: Rounds,
    value: u32,
    congested: u32,
    suspended_until: Time,
}

impl Plb {
    /// A flow begins on a random path.
    pub fn new(settings: &Settings, random: &mut Random) -> Self {
        let value = random.below(u64::from(settings.values)) as u32;
        Self { marks: Rounds::default(), value, congested: 0, suspended_until: Time::ZERO }
    }

    /// The value that switches hash (the flow label), below [`Settings::values`].
    pub fn value(&self) -> u32 {
        self.value
    }

    /// An ACK at `now`: the first byte not acknowledged, the next to be sent (both the same when the flow is idle), bytes newly acknowledged
    /// and those of them with an ECN echo. Yields the value when it has changed.
    pub fn on_ack(
        &mut self,
        settings: &Settings,
        now: Time,
        (una, nxt): (u64, u64),
        (acked, marked): (u64, u64),
        random: &mut Random,
    ) -> Option<u32> {
        let fraction = self.marks.on_ack(una, nxt, acked, marked)?;
        if fraction >= settings.threshold {
            self.congested = self.congested.saturating_add(1);
        } else {
            self.congested = 0;
        }
        let needed = if una >= nxt { settings.idle_rounds.min(settings.rounds) } else { settings.rounds };
        if self.congested < needed.max(1) || now < self.suspended_until {
            return None;
        }
        self.moves(settings, random)
    }

    /// The retransmission timer ran out at `now`; `nxt` is the next byte to be sent. Yields the value when it has changed.
    pub fn on_timeout(
        &mut self,
        settings: &Settings,
        now: Time,
        nxt: u64,
        random: &mut Random,
    ) -> Option<u32> {
        self.marks.begin(nxt);
        self.suspended_until = now + settings.suspend + settings.suspend.mul_f64(random.unit());
        self.moves(settings, random)
    }

    fn moves(&mut self, settings: &Settings, random: &mut Random) -> Option<u32> {
        self.congested = 0;
        if settings.values < 2 {
            return None;
        }
        let value = random.below(u64::from(settings.values) - 1) as u32;
        self.value = value + u32::from(value >= self.value);
        Some(self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Purpose;

    /// In which of the rounds, each with so many marked bytes of 100, the flow moves.
    fn moves(plb: &mut Plb, at: &mut u64, start: Time, idle: bool, marked: &[u64]) -> Vec<usize> {
        let settings = Settings::default();
        let random = &mut Random::new(5, Purpose::Balancing);
        let mut moves = Vec::new();
        for (n, &marked) in marked.iter().enumerate() {
            *at += 100;
            let nxt = if idle { *at } else { *at + 100 };
            if plb.on_ack(&settings, start, (*at, nxt), (100, marked), random).is_some() {
                moves.push(n + 1);
            }
        }
        moves
    }

    #[test]
    fn twelve_rounds_when_busy_three_when_idle() {
        let random = &mut Random::new(1, Purpose::Balancing);
        let mut plb = Plb::new(&Settings::default(), random);
        let mut at = 0;
        assert_eq!(moves(&mut plb, &mut at, Time::ZERO, false, &[50; 30]), [12, 24]);
        assert_eq!(moves(&mut plb, &mut at, Time::ZERO, false, &[49; 30]), [0usize; 0]);
        assert_eq!(moves(&mut plb, &mut at, Time::ZERO, true, &[50, 50, 49, 50, 50, 50, 50]), [6]);
    }

    #[test]
    fn a_timeout_moves_and_then_suspends() {
        let settings = Settings::default();
        let random = &mut Random::new(1, Purpose::Balancing);
        for _ in 0..100 {
            let mut plb = Plb::new(&settings, random);
            let before = plb.value();
            let start = Time::from_secs_f64(7.0);
            assert!(plb.on_timeout(&settings, start, 0, random).is_some_and(|value| value != before));
            let mut at = 0;
            let early = start + Duration::from_secs(60);
            assert_eq!(moves(&mut plb, &mut at, early - Duration(1), false, &[100; 12]), [0usize; 0]);
            // Suspended, congested rounds still count.
            assert_eq!(moves(&mut plb, &mut at, start + Duration::from_secs(120), false, &[100]), [1]);
        }
    }
}
